"""A dead man in virtual time: guarded outputs fall by themselves when the loop is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.interfaces import Clock, Output
from drivers.operator_config import DeadManConfig
from sim.board.clock import SimClock
from sim.board.power import Power

EARLIEST_MS = 1e-3
"""A beat at the very deadline is in time; this much later it is not."""


class GuardedLine:
    """An output, and the level that the loop wants it to have. Implements `Output`."""

    def __init__(self, output: Output, release_level: bool) -> None:
        self._output = output
        self._release_level = release_level
        self._wanted: bool | None = None
        self._has_fallen = False
        self.name = output.name

    @property
    def level(self) -> bool:
        """Of the line itself."""
        return self._output.level

    def set(self, level: bool, now_ms: float) -> None:
        """Drive the line. Raises OutputFault."""
        self._wanted = level
        self._has_fallen = False
        self._output.set(level, now_ms)

    def release(self, now_ms: float) -> None:
        """Let go of it."""
        self._wanted = None
        self._output.release(now_ms)

    def fall(self, now_ms: float) -> None:
        """Nobody has beaten."""
        self._has_fallen = True
        self._output.set(self._release_level, now_ms)

    def rise(self, now_ms: float) -> None:
        """Somebody beats again."""
        if self._has_fallen and self._wanted is not None:
            self.set(self._wanted, now_ms)


class SimDeadMan:
    """Sees only at the next beat that there was a silence: for runs without a virtual board.

    Implements `DeadMan`.
    """

    def __init__(self, config: DeadManConfig, clock: Clock) -> None:
        self._silent_ms = config.silent_ms
        self._lines: list[GuardedLine] = []
        self._beat_ms = clock.now_ms()

    def guard(self, config: Any, make: Callable[..., Output], clock: Clock) -> Output:
        """Make the output here. Raises OutputFault."""
        line = GuardedLine(make(config, clock), config.on_release == "on")
        self._lines.append(line)
        return line

    def beat(self, now_ms: float) -> None:
        """The loop is alive."""
        if now_ms - self._beat_ms > self._silent_ms:
            self.fall(self._beat_ms + self._silent_ms)
        self._beat_ms = now_ms
        for line in self._lines:
            line.rise(now_ms)

    def fall(self, now_ms: float) -> None:
        """All guarded lines go to their level on release."""
        for line in self._lines:
            line.fall(now_ms)

    def close(self) -> None:
        """Nothing to close."""


class FallingDeadMan(SimDeadMan):
    """One with a timer of virtual time, so that the lines fall while the loop hangs.

    Args:
        config: how long a silence may be.
        clock: whose time it is.
        power: of the boot that it watches.
    """

    def __init__(self, config: DeadManConfig, clock: SimClock, power: Power) -> None:
        super().__init__(config, clock)
        self._clock = clock
        self._power = power
        self._is_set = False

    def beat(self, now_ms: float) -> None:
        """The loop is alive."""
        self._beat_ms = now_ms
        for line in self._lines:
            line.rise(now_ms)
        if not self._is_set:
            self._set()

    def _set(self) -> None:
        """One timer is enough: when it comes, it looks how long ago the last beat was."""
        self._is_set = True
        self._clock.at(self._beat_ms + self._silent_ms + EARLIEST_MS, self._look)

    def _look(self) -> None:
        self._is_set = False
        now_ms = self._clock.now_ms()
        if not self._power.is_on:
            return
        if now_ms - self._beat_ms > self._silent_ms:
            self.fall(now_ms)
        else:
            self._set()
