"""A watchdog that bites: a timer of virtual time resets the board, also when the loop hangs."""

from __future__ import annotations

import math
from collections.abc import Callable

from drivers.board import WatchdogConfig
from drivers.faults import WatchdogFault
from sim.board.clock import SimClock
from sim.board.faults import Options
from sim.board.power import Power
from sim.board.watchdog import SimWatchdog

EARLIEST_MS = 1e-3
"""A feed at the very deadline is in time; this much later it is not."""


class BitingWatchdog(SimWatchdog):
    """A watchdog that really resets the board: a timer of virtual time, so it bites a hung loop.

    Args:
        config: timeout.
        clock: whose time it is.
        power: of the boot that it watches.
        faults: `refused` makes a feed fail, and the dog goes hungry.
        bite: resets the board; does not come back.
    """

    def __init__(
        self,
        config: WatchdogConfig,
        clock: SimClock,
        power: Power,
        faults: dict[str, Options],
        bite: Callable[[str], None],
    ) -> None:
        super().__init__(config, clock)
        self._clock = clock
        self._power = power
        self._faults = faults
        self._bite = bite
        self._is_set = False

    def feed(self, now_ms: float) -> None:
        """Feed it. Raises WatchdogFault."""
        if "refused" in self._faults:
            raise WatchdogFault("refused", "the device does not take the feed")
        super().feed(now_ms)
        if not self._is_set:
            self._set()

    def _set(self) -> None:
        """One timer is enough: when it comes, it looks how long ago the last feed was."""
        self._is_set = True
        self._clock.at(self._fed_ms + self._timeout_ms + EARLIEST_MS, self._look)

    def _look(self) -> None:
        self._is_set = False
        if not self._power.is_on or math.isinf(self._fed_ms):
            return
        if self.bitten(self._clock.now_ms()):
            self._bite(f"not fed for {self._timeout_ms} ms")
        else:
            self._set()
