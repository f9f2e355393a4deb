"""Which rules hold at this hour: the schedules of a site, looked at when a minute is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from drivers.interfaces import Clock
from runtime.site import Site
from runtime.site_schedule import DAY_MIN, minutes_of
from runtime.wall import PLAUSIBLE_FROM_MS, is_plausible

MINUTE_MS = 60_000
"""Offsets of time zones and windows are whole minutes."""


class Hours:
    """Wall time against the schedules. A clock that cannot be right lets every rule hold.

    Args:
        clock: wall time is read from it.
        timezone: of the site.
        weeks: per rule what `minutes_of` its schedule gives; None: it always holds.

    Attributes:
        asleep: per rule 1 while it does not hold.
        told: "raised" in the frame in which the clock is found to be wrong, "cleared" in the one in
            which it is right again, else "".
        wall_ms: when it was last looked at.
    """

    def __init__(self, clock: Clock, timezone: tzinfo, weeks: Sequence[bytes | None]) -> None:
        self._clock, self._timezone = clock, timezone
        self._weeks = tuple(weeks)
        self._minute = -1
        self._doubted = False
        self.asleep = bytearray(len(weeks))
        self.told: Literal["", "raised", "cleared"] = ""
        self.wall_ms = 0
        local_minute(PLAUSIBLE_FROM_MS, timezone)  # whatever it keeps, before memory is sealed

    def look(self) -> bool:
        """Look at the clock. Returns whether some rule fell asleep or woke."""
        self.told = ""
        wall_ms = self._clock.wall_ms()
        if wall_ms // MINUTE_MS == self._minute:
            return False
        self._minute, self.wall_ms = wall_ms // MINUTE_MS, wall_ms
        doubted = not is_plausible(wall_ms)
        if doubted != self._doubted:
            self.told = "raised" if doubted else "cleared"
            self._doubted = doubted
        return self._turn(None if doubted else local_minute(wall_ms, self._timezone))

    def _turn(self, minute: int | None) -> bool:
        turned = False
        for index, week in enumerate(self._weeks):
            asleep = week is not None and minute is not None and not week[minute]
            if asleep != self.asleep[index]:
                self.asleep[index] = asleep
                turned = True
        return turned


def local_minute(wall_ms: int, timezone: tzinfo) -> int:
    """Minute of the local week, from Monday 00:00."""
    local = datetime.fromtimestamp(wall_ms // 1000, timezone)
    return local.weekday() * DAY_MIN + local.hour * 60 + local.minute


def make_hours(site: Site, rules: Sequence[str], clock: Clock) -> Hours | None:
    """The hours of a checked site, or None where all of its rules always hold.

    Args:
        site: with its schedules.
        rules: the schedule's name of each rule of the engine, "" for none.
        clock: of the loop.
    """
    if not any(rules):
        return None
    weeks = {schedule.name: minutes_of(schedule) for schedule in site.schedules}
    return Hours(clock, ZoneInfo(site.timezone), [weeks.get(name) for name in rules])
