"""The board's watchdog, and the service manager beside it where that watches this process, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Final, cast

from drivers.board import WatchdogConfig
from drivers.interfaces import Clock, Watchdog

MANAGER: Final = "systemd"
WATCHED: Final = "WATCHDOG_USEC"
"""Of the environment: set for a service that has WatchdogSec= (sd_watchdog_enabled(3))."""


class Watchdogs:
    """All of them are fed by the same frames. Implements `Watchdog`.

    Args:
        watchdogs: armed; at least one.
    """

    def __init__(self, *watchdogs: Watchdog) -> None:
        self._watchdogs = watchdogs

    def feed(self, now_ms: float) -> None:
        """Feed each. Raises WatchdogFault."""
        for watchdog in self._watchdogs:
            watchdog.feed(now_ms)

    def disarm(self) -> None:
        """Disarm each, also after one that refuses. Raises WatchdogFault."""
        with ExitStack() as stack:
            for watchdog in self._watchdogs:
                stack.callback(watchdog.disarm)


def arm(
    config: WatchdogConfig,
    clock: Clock,
    find: Callable[[str, str], Callable[..., object]],
    environment: Mapping[str, str],
) -> Watchdog:
    """Arm the watchdog of the board file, and systemd's where the process has one.

    Args:
        config, clock: handed to each.
        find: finds a driver by kind and name.
        environment: of this process.

    Raises:
        WatchdogFault: from the drivers; none is left armed that can be stopped.
    """
    names = [config.driver]
    if config.driver != MANAGER and environment.get(WATCHED):
        names.insert(0, MANAGER)  # it refuses a wrong unit before a hardware watchdog runs
    made = [cast(Watchdog, find("watchdog", name)(config, clock)) for name in names]
    return made[0] if len(made) == 1 else Watchdogs(*made)
