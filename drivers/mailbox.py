"""A single-slot mailbox between two threads: the newest picture wins, and no pixel is copied."""

from __future__ import annotations

import threading

from drivers.interfaces import U8


class Mailbox:
    """Triple buffering: the poster, the taker and the slot own one array each and exchange them.

    Each array has one owner at any time, so nobody writes to what another one reads.

    Attributes:
        posted: pictures posted so far.
        taken: number of the picture taken last, counted from 0 as they were posted; -1: none.
        taken_ms: when that picture was posted, ms of the poster's clock.
    """

    def __init__(self, spare: U8) -> None:
        self.posted = 0
        self.taken = -1
        self.taken_ms = 0.0
        self._slot = spare
        self._slot_ms = 0.0
        self._fresh = False
        self._closed = False
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether the taker has left."""
        return self._closed

    def post(self, full: U8, now_ms: float) -> U8 | None:
        """Give a filled array away.

        Returns:
            The array to fill next, or None when the taker has left: then nothing was given.
        """
        with self._lock:
            if self._closed:
                return None
            spare, self._slot = self._slot, full
            self._slot_ms = now_ms
            self._fresh = True
            self.posted += 1
            return spare

    def take(self, spare: U8) -> U8 | None:
        """Exchange an array that is no longer needed for the newest picture; None: nothing new."""
        with self._lock:
            if not self._fresh or self._closed:
                return None
            full, self._slot = self._slot, spare
            self.taken, self.taken_ms = self.posted - 1, self._slot_ms
            self._fresh = False
            return full

    def close(self) -> None:
        """The taker leaves: from now on nothing can be posted or taken."""
        with self._lock:
            self._closed = True
