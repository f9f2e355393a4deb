"""Why something from outside was not taken: one word for programs, a sentence for people.

Every room of this floor raises `Refused` with a reason of REASONS; nothing has changed then.
"""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    # the bytes themselves
    "malformed": "the file or message is damaged or no such thing; fetch it again",
    "too_long": "it is longer than its kind may be",
    "too_deep": "it is nested more deeply than its kind may be",
    "truncated": "the file ends too early; copy it again",
    "newer_format": "it needs a newer runtime on this camera",
    # who made it
    "signature": "not signed by enough keys that this camera trusts; ask the vendor",
    "revoked_key": "signed with a key that was revoked; ask the vendor for a newer bundle",
    "ring_signature": "the key ring is not signed by enough root keys",
    "ring_gap": "a key ring between this one and the camera's is missing; use a newer bundle",
    "ring_old": "the camera has a newer key ring",
    "ring_conflict": "another key ring of the same version is known; tell the vendor",
    "channel_old": "a newer channel file was seen; put the newest one on the server",
    # whom it is for
    "product": "made for another product",
    "board": "made for another board",
    "soc": "made for another SoC",
    "target": "holds no network for this camera's NPU",
    "runtime": "needs a newer runtime; update the camera's image first",
    "counter": "older than this camera may ever run again",
    "older": "older than what runs; to go back, say so (--allow-older)",
    "size": "does not fit the camera's slot",
    "memory": "needs more memory than the camera has to spare",
    "base": "a delta against students that this camera does not run; push the whole bundle",
    "delta": "this camera cannot unpack deltas; push the whole bundle",
    # the key files of people
    "passphrase": "it does not open this key; try again",
    # in what order
    "chunk": "a part is not the one that was signed; it will be asked for again",
    "session": "no such transfer is under way; begin again",
    "busy": "another update is under way; wait, or see the status",
    "nothing": "there is nothing to do that with",
    # who asks
    "not_permitted": "the key's role does not allow this",
    "not_signed": "this must be signed by an operator's key",
    "operator_key": "the camera does not know this operator's key",
    "nonce": "the challenge is old or was used; ask again",
    "too_many": "too many messages; slow down",
    "unknown": "there is no such command",
    "argument": "a value that cannot be",
    "unavailable": "not possible on this camera",
    "storage": "the camera's flash did not take it",
    # the trial
    "student": "the student cannot be used on this camera",
    "golden": "its answers to the golden inputs are wrong",
    "latency": "too slow for this camera",
    "agreement": "it does not see what the present student sees",
    "health": "the camera was not healthy during the trial",
    "reset": "the camera was reset during the trial",
    "operator": "an operator ended it",
}
"""Reason -> what it means and what to do next."""


class Refused(Exception):
    """Something from outside that was not taken; nothing has changed.

    Attributes:
        reason: a key of REASONS.
        detail: values against what is allowed; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not in REASONS")
        super().__init__(f"{reason}: {detail or REASONS[reason]}")
        self.reason = reason
        self.detail = detail
