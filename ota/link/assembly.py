"""Puts one long thing together from its pieces, in one buffer that is there from the start.

Pieces may come twice, in any order, or not at all: each has its place on a grid. What is missing
is named by the first missing offset and a bit per piece behind it.
"""

from __future__ import annotations

from ota.refusal import Refused

Key = tuple[int, int] | None
"""(token of the transfer, index of the chunk), or (NO_TOKEN, number of the question)."""
LATER_BITS = 32
"""Pieces behind the first missing one that an ACK tells of."""


class Assembly:
    """The buffer and what is in it.

    Args:
        max_bytes: of the buffer.

    Attributes:
        key: what it holds or has begun to hold; None: nothing.
        total_bytes: of the whole.
    """

    def __init__(self, max_bytes: int) -> None:
        self._buffer = bytearray(max_bytes)
        self._got = 0
        self._piece_bytes = 1
        self.key: Key = None
        self.total_bytes = 0

    def begin(self, key: tuple[int, int], total_bytes: int, piece_bytes: int) -> None:
        """Make room for `key`; one that has begun with the same sizes goes on.

        Raises:
            Refused: "too_long" or "argument"; what was there stays.
        """
        if total_bytes > len(self._buffer):
            raise Refused("too_long", f"{total_bytes} bytes; at most {len(self._buffer)}")
        if total_bytes < 1:
            raise Refused("argument", f"a length of {total_bytes} bytes")
        if (key, total_bytes, piece_bytes) != (self.key, self.total_bytes, self._piece_bytes):
            self.key, self.total_bytes, self._piece_bytes = key, total_bytes, piece_bytes
            self._got = 0

    def rename(self, key: tuple[int, int]) -> None:
        """The same bytes under another token: a transfer that goes on over a new connection."""
        self.key = key

    def lacks(self, key: tuple[int, int], total_bytes: int, offset: int) -> bool:
        """Whether a piece would be new: of something else, or not there yet."""
        if key != self.key:
            return True
        number = offset // self._piece_bytes
        return total_bytes == self.total_bytes and offset >= 0 and not self._got >> number & 1

    def put(self, offset: int, data: bytes) -> bool:
        """A piece at its place.

        Returns:
            False when it was there already.

        Raises:
            Refused: "argument": it lies across the grid.
        """
        number, beside = divmod(offset, self._piece_bytes)
        due = min(self._piece_bytes, self.total_bytes - offset)
        if beside or not 0 <= offset < self.total_bytes or len(data) != due:
            raise Refused(
                "argument", f"{len(data)} bytes at {offset} of {self.total_bytes} are no piece"
            )
        if self._got >> number & 1:
            return False
        self._buffer[offset : offset + due] = data
        self._got |= 1 << number
        return True

    @property
    def next_offset(self) -> int:
        """Of the first piece that is missing; `total_bytes` or more: none is."""
        return self._missing() * self._piece_bytes

    @property
    def later(self) -> int:
        """Bit n: the piece n + 1 behind the first missing one is there."""
        return self._got >> (self._missing() + 1) & ((1 << LATER_BITS) - 1)

    @property
    def is_complete(self) -> bool:
        """Whether every piece is there."""
        return self.key is not None and self.next_offset >= self.total_bytes

    def view(self) -> memoryview:
        """The whole, until the next `begin`."""
        return memoryview(self._buffer)[: self.total_bytes]

    def clear(self) -> None:
        """Hold nothing."""
        self.key, self._got, self.total_bytes = None, 0, 0

    def _missing(self) -> int:
        return (~self._got & (self._got + 1)).bit_length() - 1
