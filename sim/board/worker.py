"""A worker in virtual time: its steps are timers, run on the firmware's thread while it waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.board.clock import SimClock

STEP_MS: Final = 50.0


class SimWorker:
    """Implements `drivers.interfaces.Worker`. Ends with the boot that it belongs to."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._step: Callable[[float], bool] | None = None

    @property
    def is_alive(self) -> bool:
        """It has been started and has not ended."""
        return self._step is not None

    def start(self, step: Callable[[float], bool]) -> None:
        """Begin."""
        self._step = step
        self._clock.at(self._clock.now_ms() + STEP_MS, self._tick)

    def _tick(self) -> None:
        if self._step is not None:
            self._step(self._clock.now_ms())
            self._clock.at(self._clock.now_ms() + STEP_MS, self._tick)

    def close(self) -> None:
        """End. May be called twice."""
        self._step = None
