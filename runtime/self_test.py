"""The self test exercises lamp and, where the site says so, siren; a real alarm ends it at once."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from drivers.interfaces import Clock
from runtime.alarm_config import HOUR_MS, SelfTestConfig
from runtime.alarm_outputs import Phase
from runtime.wall import is_plausible

LOOK_MS = float(HOUR_MS)
"""The wall clock may jump, so the time of day is looked at this often."""
DAY_MS = 24 * HOUR_MS


class SelfTest:
    """One test after the other.

    Args:
        config: what is exercised and for how long.

    Attributes:
        phase: what is exercised now; "" = no test runs.
        edges: (state, why) of what has happened, until they are written down.
    """

    def __init__(self, config: SelfTestConfig) -> None:
        self._phases: list[tuple[Phase, int]] = [("lamp", config.lamp_ms)]
        if config.siren:
            self._phases.append(("siren", config.chirp_ms))
        self._left: list[tuple[Phase, int]] = []
        self._until_ms = 0.0
        self._by = self._problem = ""
        self.phase: Phase = ""
        self.edges: list[tuple[str, dict[str, object]]] = []

    def start(self, now_ms: float, by: str) -> None:
        """Begin; the outputs follow at the next step. One that runs goes on."""
        if self.phase:
            return
        self._by, self._problem, self._left = by, "", list(self._phases)
        self._next(now_ms)
        self._tell("started")

    def step(self, now_ms: float, *, is_clear: bool, problem: str) -> None:
        """Advance; call while `phase` is not "".

        Args:
            now_ms: injected clock.
            is_clear: no alarm shows.
            problem: why an output does not have its level, or "".
        """
        self._problem = self._problem or problem
        if not is_clear:
            self.phase = ""
            self._tell("interrupted", "an alarm came")
        elif now_ms >= self._until_ms and not self._next(now_ms):
            self._tell("failed" if self._problem else "passed", self._problem)

    def _next(self, now_ms: float) -> bool:
        if not self._left:
            self.phase = ""
            return False
        self.phase, lasts_ms = self._left.pop(0)
        self._until_ms = now_ms + lasts_ms
        return True

    def _tell(self, state: str, reason: str = "") -> None:
        outputs = ["strobe", "siren"][: len(self._phases)]
        why: dict[str, object] = {"by": self._by, "outputs": outputs}
        self.edges.append((state, {**why, "reason": reason} if reason else why))


class Schedule:
    """When the self test runs by itself.

    Args:
        config: by hours, or by the time of day.
        clock: its wall time decides only where it can be right.

    Attributes:
        next_ms: injected time at which to ask `is_due`; infinity: never.
    """

    def __init__(self, config: SelfTestConfig, clock: Clock) -> None:
        self._clock = clock
        self._at = config.at_utc
        self._every_ms = config.every_hours * HOUR_MS
        self._last_ms = clock.now_ms()
        self.next_ms = math.inf
        if self._every_ms:
            self.next_ms = self._last_ms + self._every_ms
        elif self._at:
            self._plan(self._last_ms)

    def is_due(self, now_ms: float) -> bool:
        """Whether to test now; plans the next time."""
        if now_ms < self.next_ms:
            return False
        if self._every_ms:
            self.next_ms = now_ms + self._every_ms
            return True
        due = now_ms >= self._due_ms
        if due:
            self._last_ms = now_ms
        self._plan(now_ms + (1.0 if due else 0.0))
        return due

    def _plan(self, now_ms: float) -> None:
        """The next time of day, or 24 h after the last test while the clock cannot be right."""
        wall_ms = self._clock.wall_ms()
        if not is_plausible(wall_ms):
            self._due_ms = self._last_ms + DAY_MS
        else:
            self._due_ms = now_ms + until_ms(self._at, wall_ms)
        self.next_ms = min(self._due_ms, now_ms + LOOK_MS)


def until_ms(at_utc: str, wall_ms: int) -> float:
    """Time from a wall time to the next "HH:MM" in UTC; more than 0, at most a day."""
    now = datetime.fromtimestamp(wall_ms / 1e3, UTC)
    hour, _, minute = at_utc.partition(":")
    due = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    if due <= now:
        due += timedelta(days=1)
    return (due - now).total_seconds() * 1e3
