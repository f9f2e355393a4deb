"""Frames on a wire that may carry other things too: `00 COBS(msgpack array, CRC-32) 00`.

The zero before a frame cuts off what a console has printed until then; the one behind ends it. No
zero occurs inside, so a reader that is lost finds the next frame by itself. The CRC is that of
zlib, little-endian, over the msgpack bytes; see ota/link/PROTOCOL.md.

Source: Cheshire, Baker: Consistent Overhead Byte Stuffing, IEEE/ACM Trans. Networking 7(2), 1999.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from cobs import cobs

from ota import wire
from ota.refusal import Refused

FRAME_BYTES: Final = 4096 + 64
"""Most bytes of a frame before COBS: a piece of 4 KiB and what is said about it."""
CRC_BYTES: Final = 4
HALF_PACKET_MS: Final = 500
"""Nothing has come for longer than this: what has begun will not be finished."""
_TEXT: Final = bytes(range(0x20, 0x7F)) + b"\a\b\t\n\r\x1b"
"""What a console prints."""


def encode(message: list[Any]) -> bytes:
    """The frame of one message."""
    body = wire.pack(message)
    stuffed: bytes = cobs.encode(body + crc32(body).to_bytes(CRC_BYTES, "little"))
    return b"\0" + stuffed + b"\0"


def longest_frame(frame_bytes: int) -> int:
    """Bytes on the wire of a frame with so many before COBS, its two zeros counted."""
    return frame_bytes + frame_bytes // 254 + 3


class Decoder:
    """Finds frames among whatever arrives. Never raises, and keeps at most one frame.

    Args:
        max_frame_bytes: most bytes of a frame before COBS; what is longer is passed over.

    Attributes:
        frames: good ones so far.
        damaged: what was no frame and no text either: a frame that was hit.
        noise_bytes: that belonged to no good frame.
        malformed: frames with a right CRC that hold no message: somebody's mistake or attack.
    """

    def __init__(self, max_frame_bytes: int = FRAME_BYTES) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._most = longest_frame(max_frame_bytes) - 2
        self._part = bytearray()
        self._is_too_long = False
        self._fed_ms = 0.0
        self.frames = self.damaged = self.noise_bytes = self.malformed = 0

    def feed(self, data: bytes, now_ms: float) -> list[list[Any]]:
        """Take what has arrived, which may be nothing.

        Returns:
            Whole messages, oldest first: lists that begin with two numbers, type and sequence.
        """
        found: list[list[Any]] = []
        if data:
            self._fed_ms = now_ms
        elif self._part and now_ms - self._fed_ms > HALF_PACKET_MS:
            self._give_up()
        start = 0
        while start < len(data):
            end = data.find(0, start)
            self._keep(data[start : end if end >= 0 else len(data)])
            if end < 0:
                break
            message = self._finish()
            if message is not None:
                found.append(message)
            start = end + 1
        return found

    def reset(self) -> None:
        """Somebody else speaks from now on: forget half a frame."""
        self._give_up()
        self._is_too_long = False

    def _keep(self, data: bytes) -> None:
        """A part between two zeros. One that gets too long is dropped up to the next zero."""
        if self._is_too_long or len(self._part) + len(data) > self._most:
            self.noise_bytes += len(self._part) + len(data)
            self._part.clear()
            self._is_too_long = True
        else:
            self._part += data

    def _give_up(self) -> None:
        self.noise_bytes += len(self._part)
        self._part.clear()

    def _finish(self) -> list[Any] | None:
        """At a zero: what the bytes before it say."""
        part = bytes(self._part)
        self._part.clear()
        if self._is_too_long:
            self._is_too_long = False
            self.damaged += 1
            return None
        if not part:
            return None
        body = _checked(part)
        if body is None:
            self.noise_bytes += len(part)
            self.damaged += bool(part.translate(None, _TEXT))
            return None
        return self._read(body)

    def _read(self, body: bytes) -> list[Any] | None:
        try:
            message = wire.unpack(body, self._max_frame_bytes, "message")
        except Refused:
            message = None
        if isinstance(message, list) and len(message) >= 2:
            kind, sequence = message[:2]
            if type(kind) is int and type(sequence) is int and 0 <= sequence < 1 << 32:
                self.frames += 1
                return message
        self.malformed += 1
        return None


def _checked(part: bytes) -> bytes | None:
    """The msgpack bytes of a stuffed frame; None where anything is wrong with it."""
    try:
        plain: bytes = cobs.decode(part)
    except cobs.DecodeError:
        return None
    body = plain[:-CRC_BYTES]
    if not body or crc32(body).to_bytes(CRC_BYTES, "little") != plain[-CRC_BYTES:]:
        return None
    return body
