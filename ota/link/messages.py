"""What is said on a link: types of messages, and the terms that both sides agree on.

Every message is an array [type, sequence, ...]; PROTOCOL.md has the table. The upper 16 bits of a
sequence are the conversation's, a random number of the asking side; the lower ones count.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

from ota.head import MAX_HEAD_BYTES
from ota.link.frames import CRC_BYTES, FRAME_BYTES
from ota.manifest import CHUNK_BYTES

PROTOCOL: Final = 1
WINDOW: Final = 4
"""Pieces on the way that nobody has answered yet."""
MAX_WINDOW: Final = 16
LEAST_FRAME_BYTES: Final = 512
PIECE_OVERHEAD_BYTES: Final = 64
"""Of a frame, for all but the piece itself; 35 are needed at most, the CRC among them."""
MAX_QUESTION_BYTES: Final = MAX_HEAD_BYTES + 512
"""Of an offer with the longest head; nothing that is asked is longer."""
MAX_STORED_BYTES: Final = 2 * CHUNK_BYTES
"""Of a chunk as it lies in the bundle, by the format."""
MAX_ANSWER_BYTES: Final = 1 << 17
NO_TOKEN: Final = 0
"""In a PIECE: it belongs to a long question, not to a transfer."""
COMPLETE: Final = -1
"""In an ACK: no chunk is wanted any more."""


class Kind(IntEnum):
    """The first number of a message. From the technician: below 16; from the camera: above."""

    HELLO = 1
    ASK = 2
    PIECE = 3
    MORE = 4
    CHALLENGE = 5
    WELCOME = 17
    ANSWER = 18
    ACK = 19
    LONG_ANSWER = 20
    NONCE = 21
    REFUSED = 22
    STRANGER = 23


class Terms(NamedTuple):
    """What both sides can do: the lesser of each."""

    frame_bytes: int = FRAME_BYTES
    window: int = WINDOW

    @property
    def piece_bytes(self) -> int:
        """Of every piece but the last one."""
        return self.frame_bytes - PIECE_OVERHEAD_BYTES

    def agreed(self, frame_bytes: int, window: int) -> Terms:
        """With what the other side can do."""
        return Terms(
            max(LEAST_FRAME_BYTES, min(self.frame_bytes, frame_bytes)),
            max(1, min(self.window, window, MAX_WINDOW)),
        )

    def fits(self, body: bytes) -> bool:
        """Whether a message of these bytes goes into one frame."""
        return len(body) + CRC_BYTES <= self.frame_bytes


TERMS: Final = Terms()
"""What a PC asks for on a good line."""
CAMERA_TERMS: Final = Terms(window=MAX_WINDOW)
"""Most that a camera takes: a window costs it nothing."""


class Proof(NamedTuple):
    """What an operator adds to a question: the camera's challenge, the key, the signature."""

    nonce: bytes
    key_id: bytes
    signature: bytes


def read_question(parts: list[Any]) -> tuple[str, dict[str, Any], Proof | None] | None:
    """[command, arguments] or [command, arguments, nonce, key id, signature]; None: neither."""
    match parts:
        case [str() as command, dict() as arguments]:
            proof = None
        case [str() as command, dict() as arguments, bytes(), bytes(), bytes()]:
            proof = Proof(*parts[2:])
        case _:
            return None
    return (command, arguments, proof) if all(isinstance(k, str) for k in arguments) else None
