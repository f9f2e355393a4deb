"""Virtual time with timers: whatever waits lets the timeline happen, in order.

The board's devices and the scenario's faults are timers. The loop sleeps until its next tick, and
on the way there every timer that is due runs at its own time. A timer may end the run of the
firmware by raising `BoardReset`, wherever the firmware waits.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from drivers.clock import VirtualClock

WALL_START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: the date on the labels of a simulated run, so that runs compare."""

Cause = Literal["power_cut", "watchdog", "killed", "over"]


class BoardReset(BaseException):
    """The processor stops where it is. No `except Exception` of the firmware can hold it.

    Attributes:
        cause: "over" is the end of the scenario for a loop that does not come back.
        detail: for people.
        operation: of the storage, that the power went in; 0: in none.
    """

    def __init__(self, cause: Cause, detail: str = "", operation: int = 0) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail
        self.operation = operation


def wall_start_ms(text: str) -> int:
    """ms since 1970 of a date and time with its offset, as ISO 8601 writes it.

    Raises:
        ValueError: it is none, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("it has no offset from UTC")
    return round(moment.timestamp() * 1000)


class SimClock(VirtualClock):
    """Stands still while the firmware works, and runs through the timers while it waits.

    Args:
        wait: of `--realtime`: waits for so many real seconds; None: as fast as the machine.
        wall_start_ms: wall time as it begins, ms since 1970.

    Attributes:
        work_ns: real time from the end of the last wait to the beginning of this one.
    """

    def __init__(
        self, wait: Callable[[float], None] | None = None, wall_start_ms: int = WALL_START_MS
    ) -> None:
        super().__init__(0.0, wall_start_ms)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._wait = wait
        self._real_start_s: float | None = None
        self._woke_ns = time.perf_counter_ns()
        self.work_ns = 0

    def at(self, at_ms: float, run: Callable[[], None]) -> None:
        """Call `run` when time comes to `at_ms`; those of one moment in the order of asking."""
        self._count += 1
        heapq.heappush(self._timers, (max(at_ms, self.now_ms()), self._count, run))

    def sleep_until_ms(self, deadline_ms: float) -> None:
        """Go to the deadline through every timer on the way.

        Raises:
            BoardReset: from a timer; time stands where it struck.
        """
        self.work_ns = time.perf_counter_ns() - self._woke_ns
        while self._timers and self._timers[0][0] <= deadline_ms:
            at_ms, _, run = heapq.heappop(self._timers)
            self._go(at_ms)
            run()
        self._go(deadline_ms)
        self._woke_ns = time.perf_counter_ns()

    def sleep_to_next_timer(self) -> None:
        """Wait, without knowing for how long, until something happens.

        Raises:
            BoardReset: from a timer, or "over" when nothing will ever happen again.
        """
        if not self._timers:
            raise BoardReset("over", "nothing is left that could happen")
        self.sleep_until_ms(self._timers[0][0])

    def _go(self, to_ms: float) -> None:
        """Move on; with `wait`, not before the same real time has passed since the first move."""
        if self._wait is not None:
            if self._real_start_s is None:
                self._real_start_s = time.monotonic() - self.now_ms() / 1e3
            self._wait(max(0.0, self._real_start_s + to_ms / 1e3 - time.monotonic()))
        super().sleep_until_ms(to_ms)
