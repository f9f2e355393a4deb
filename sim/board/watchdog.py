"""A watchdog made of code."""

from __future__ import annotations

import math

from drivers.board import WatchdogConfig
from drivers.interfaces import Clock


class SimWatchdog:
    """A watchdog that bites only in the record. The first feed arms it. Implements `Watchdog`."""

    def __init__(self, config: WatchdogConfig, clock: Clock) -> None:
        self._timeout_ms = config.timeout_ms
        self._fed_ms = math.inf
        self._has_bitten = False

    def feed(self, now_ms: float) -> None:
        """Feed it; too late is too late: a real board would have been reset before."""
        self._has_bitten = self.bitten(now_ms)
        self._fed_ms = now_ms

    def disarm(self) -> None:
        """Stop it; what it has bitten stays bitten."""
        self._fed_ms = math.inf

    def bitten(self, now_ms: float) -> bool:
        """True when it would have reset the board by `now_ms`."""
        return self._has_bitten or now_ms - self._fed_ms > self._timeout_ms
