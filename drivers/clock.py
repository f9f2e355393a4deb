"""Clocks: the board's monotonic one, and a virtual one that moves only when somebody waits."""

from __future__ import annotations

import time


class MonotonicClock:
    """The kernel's CLOCK_MONOTONIC in ms."""

    def now_ms(self) -> float:
        """Monotonic time, ms."""
        return time.monotonic_ns() / 1e6

    def wall_ms(self) -> int:
        """Wall time for labels, ms since 1970."""
        return time.time_ns() // 1_000_000

    def sleep_until_ms(self, deadline_ms: float) -> None:
        """Sleep until the deadline, absolute, so that no drift adds up."""
        left_ms = deadline_ms - self.now_ms()
        if left_ms > 0:
            time.sleep(left_ms / 1e3)


class VirtualClock:
    """Time that stands still until somebody sleeps: repeatable, and as fast as the machine."""

    def __init__(self, start_ms: float = 0.0, wall_start_ms: int = 0) -> None:
        self._now_ms = start_ms
        self._wall_offset_ms = wall_start_ms - start_ms

    def now_ms(self) -> float:
        """Virtual time, ms."""
        return self._now_ms

    def wall_ms(self) -> int:
        """Virtual wall time, ms since 1970."""
        return int(self._now_ms + self._wall_offset_ms)

    def sleep_until_ms(self, deadline_ms: float) -> None:
        """Jump to the deadline; never backwards."""
        if deadline_ms > self._now_ms:
            self._now_ms = deadline_ms
