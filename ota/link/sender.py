"""Keeps a window of pieces on the way, and sends again only what is known to be lost.

The line keeps the order: when the camera has answered one piece, all that were sent before it have
arrived or are lost, and the answer says which.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol

from ota.link.assembly import LATER_BITS
from ota.link.messages import COMPLETE, Kind, Terms

FIRST_WAIT_MS: Final = 2000.0
"""For an answer, as long as none has come."""
LEAST_WAIT_MS, MOST_WAIT_MS = 400.0, 10_000.0
"""Three times as long as the last answer took; at 9600 baud a window takes 17 s."""
NUDGE_MS: Final = 3000.0
"""Between two nudges, where answers do not take longer than that anyway."""


class Source(Protocol):
    """What is to be sent: items, each of some bytes."""

    last: int
    """Index of the last item."""

    def size(self, index: int) -> int:
        """Bytes of an item."""
        ...

    def read(self, index: int) -> bytes:
        """All of them; asked for again and again."""
        ...


class _Sent(NamedTuple):
    sequence: int
    item: int
    number: int
    sent_ms: float


class Sender:
    """Sends items (chunks, or one long question) in pieces.

    Args:
        send: takes a message.
        count: gives the next sequence number.
        terms: length of pieces, and how many may be on the way.
        token: of the transfer.
        source: what to send.
        first: index of the item to begin with.

    Attributes:
        index, offset: what the camera wants next; COMPLETE: nothing.
        sent: pieces. resent: those that were sent again.
        silent: questions without an answer since the last answer.
    """

    def __init__(
        self,
        send: Callable[[list[Any]], None],
        count: Callable[[], int],
        terms: Terms,
        token: int,
        source: Source,
        first: int,
    ) -> None:
        self._send, self._count, self._terms = send, count, terms
        self._token, self._source = token, source
        self.index, self.offset, self._later = first, 0, 0
        self._flying: deque[_Sent] = deque()
        self._furthest = (first, -1)
        self._wait_ms, self._quiet_since_ms = FIRST_WAIT_MS, 0.0
        self.sent = self.resent = self.silent = 0

    def fill(self, now_ms: float) -> None:
        """Send as many pieces as may be on the way."""
        if not self._flying:
            self._quiet_since_ms = now_ms
        for index, number in self._missing():
            if len(self._flying) >= self._terms.window:
                return
            self._fly(index, number, now_ms)

    def answered(self, sequence: int, wanted: list[int], now_ms: float) -> bool:
        """The camera has answered a piece: [index, first offset missing, bits of the later ones].

        Returns:
            False for an answer to something else, or for a piece that there is not.
        """
        if all(sent.sequence != sequence for sent in self._flying) or not self._can_want(*wanted):
            return False
        while True:
            sent = self._flying.popleft()
            if sent.sequence == sequence:
                break
        self._wait_ms = min(MOST_WAIT_MS, max(LEAST_WAIT_MS, 3 * (now_ms - sent.sent_ms)))
        self._quiet_since_ms, self.silent = now_ms, 0
        self.index, self.offset, self._later = wanted
        return True

    def _can_want(self, index: int, offset: int, later: int) -> bool:
        """Whether there is such a piece; a camera that asks for another is not understood."""
        if index == COMPLETE:
            return True
        return (
            0 <= index <= self._source.last
            and 0 <= offset < self._source.size(index)
            and later >= 0
        )

    def is_flying(self, sequence: int) -> bool:
        """Whether a refusal is for one of these pieces."""
        return any(sent.sequence == sequence for sent in self._flying)

    def begin_again(self, now_ms: float) -> None:
        """The camera has thrown the item away: all of it is missing."""
        self._flying.clear()
        self.offset = self._later = 0
        self._quiet_since_ms = now_ms

    def nudge(self, now_ms: float, moved_ms: float) -> None:
        """When no answer has come for too long: send one piece again, whose answer tells all.

        Args:
            now_ms: injected time.
            moved_ms: when the line last took a byte: as long as it does, no answer can be due.
        """
        quiet_ms = now_ms - max(self._quiet_since_ms, moved_ms)
        if not self._flying or quiet_ms < self._wait_ms:
            return
        self.silent += 1
        self._quiet_since_ms = now_ms
        self._wait_ms = max(self._wait_ms, min(NUDGE_MS, 2 * self._wait_ms))
        lost = self._flying[0]
        if len(self._flying) > self._terms.window:
            self._flying.popleft()
        self._fly(lost.item, lost.number, now_ms)

    def _missing(self) -> Iterator[tuple[int, int]]:
        """(index, number) of pieces that the camera lacks and that are not on the way, in order."""
        if self.index == COMPLETE:
            return
        flying = {(sent.item, sent.number) for sent in self._flying}
        first = self.offset // self._terms.piece_bytes
        for index in range(self.index, min(self.index + self._terms.window, self._source.last) + 1):
            for number in range(first, self._pieces(index)):
                behind = number - first - 1
                is_there = 0 <= behind < LATER_BITS and self._later >> behind & 1
                is_there = index == self.index and is_there
                if not is_there and (index, number) not in flying:
                    yield index, number
            first = 0

    def _pieces(self, index: int) -> int:
        return -(-self._source.size(index) // self._terms.piece_bytes)

    def _fly(self, index: int, number: int, now_ms: float) -> None:
        whole, offset = self._source.read(index), number * self._terms.piece_bytes
        sequence = self._count()
        self._flying.append(_Sent(sequence, index, number, now_ms))
        self.sent += 1
        self.resent += (index, number) <= self._furthest
        self._furthest = max(self._furthest, (index, number))
        piece = whole[offset : offset + self._terms.piece_bytes]
        self._send([Kind.PIECE, sequence, self._token, index, len(whole), offset, piece])
