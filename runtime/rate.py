"""Keep the loop's rate with absolute deadlines, and say when it lags."""

from __future__ import annotations

from drivers.interfaces import Clock

BEHIND_SHARE = 0.5
"""A tick that begins later than this share of a period is behind: sheddable work is left out."""
LAG_SHARE = 0.9
"""Smoothed busy time above this share of a period: the board is too slow for the rate."""
SMOOTHING = 0.02


class RateKeeper:
    """Deadlines at multiples of the period since the first one, so that no drift adds up."""

    def __init__(self, clock: Clock, period_ms: float) -> None:
        self._clock = clock
        self.period_ms = period_ms
        self.deadline_ms = clock.now_ms()
        self._began_ms = self.deadline_ms
        self._busy_ms = 0.0
        self.missed = 0
        self.behind = False

    @property
    def lagging(self) -> bool:
        """The loop cannot hold its rate."""
        return self._busy_ms > LAG_SHARE * self.period_ms

    def begin(self) -> float:
        """Start of a tick; returns now, ms."""
        now_ms = self._clock.now_ms()
        self.behind = now_ms - self.deadline_ms > BEHIND_SHARE * self.period_ms
        self._began_ms = now_ms
        return now_ms

    def end(self) -> None:
        """End of a tick: set the next deadline; whole periods that were overrun are given up."""
        now_ms = self._clock.now_ms()
        self._busy_ms += SMOOTHING * (now_ms - self._began_ms - self._busy_ms)
        self.deadline_ms += self.period_ms
        if now_ms > self.deadline_ms + self.period_ms:
            periods = int((now_ms - self.deadline_ms) // self.period_ms)
            self.missed += periods
            self.deadline_ms += periods * self.period_ms

    def wait(self) -> None:
        """Sleep until the next deadline."""
        self._clock.sleep_until_ms(self.deadline_ms)
