"""What can go wrong with a camera at the other end."""

from __future__ import annotations

from typing import Any

from ota.refusal import REASONS, Refused


class LinkLost(Exception):
    """The camera cannot be reached any more, or never could.

    Attributes:
        what: what happened.
        advice: what to do next.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
        self.advice = advice


class Forgotten(Exception):
    """The camera does not know this conversation: it has started anew, or waited too long.

    Attributes:
        may_be_done: what was asked for may have been done before.
    """

    def __init__(self, may_be_done: bool) -> None:
        super().__init__("the camera does not know this conversation")
        self.may_be_done = may_be_done


def as_refused(parts: list[Any]) -> Refused:
    """The camera's refusal [reason, detail]; reasons of a newer camera are told in the detail."""
    match parts:
        case [str() as reason, str() as detail]:
            known = reason in REASONS
            return Refused(
                reason if known else "unavailable", detail if known else f"{reason}: {detail}"
            )
        case _:
            return Refused("malformed", "the camera's refusal")
