"""A question that is longer than a frame: an offer with its head, key rings, a site file."""

from __future__ import annotations

from ota.link.assembly import Assembly
from ota.link.messages import MAX_QUESTION_BYTES, NO_TOKEN


class LongQuestion:
    """The one of a link that is being put together, and its buffer."""

    def __init__(self) -> None:
        self._assembly = Assembly(MAX_QUESTION_BYTES)

    def wants(self, token: int, number: int, total_bytes: int, offset: int) -> bool:
        """Whether a piece brings the question on that has begun."""
        key = token, number
        return key == self._assembly.key and self._assembly.lacks(key, total_bytes, offset)

    def put(
        self, number: int, total_bytes: int, offset: int, data: bytes, piece_bytes: int
    ) -> bytes | None:
        """A piece; returns the question when it is whole. Raises Refused."""
        self._assembly.begin((NO_TOKEN, number), total_bytes, piece_bytes)
        self._assembly.put(offset, data)
        if not self._assembly.is_complete:
            return None
        whole = bytes(self._assembly.view())
        self._assembly.clear()
        return whole

    def wanted(self) -> list[int]:
        """For an ACK: [NO_TOKEN, number, first offset missing, bits of the later ones]."""
        number = self._assembly.key[1] if self._assembly.key is not None else 0
        return [NO_TOKEN, number, self._assembly.next_offset, self._assembly.later]
