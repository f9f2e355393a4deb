"""`[[schedules]]` of a site file: the hours of the week in which rules hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import UNSET, Meta, Struct, field

from drivers.toml_strict import Check, Complaint

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""HH:MM; 24:00 is the end of the day."""
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN


class WindowConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hours of some days: from `from`, and up to `to` without that minute."""

    days: Annotated[list[Day], Meta(min_length=1)] = field(default_factory=lambda: list(DAYS))
    """On which it begins; left out: every day."""
    start: TimeOfDay = field(name="from")
    end: TimeOfDay = field(name="to")
    """Earlier than `from`: it ends on the next day."""


class ScheduleConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[schedules]]`: in one of the windows, and in none of those excepted."""

    name: str
    windows: list[WindowConfig] = []
    """Left out: at any time."""
    exempt: list[WindowConfig] = field(name="except", default_factory=list)


def minutes_of(schedule: ScheduleConfig) -> bytes:
    """WEEK_MIN bytes, 1 in each minute of the week (from Monday 00:00, local) in which it holds."""
    holds = bytearray(WEEK_MIN) if schedule.windows else bytearray(b"\1" * WEEK_MIN)
    for windows, value in ((schedule.windows, 1), (schedule.exempt, 0)):
        for window in windows:
            for minute in _minutes(window):
                holds[minute] = value
    return bytes(holds)


def _minutes(window: WindowConfig) -> Iterator[int]:
    start, end = _of_day(window.start), _of_day(window.end)
    length = end - start if end > start else end - start + DAY_MIN
    for day in window.days:
        first = DAYS.index(day) * DAY_MIN + start
        for minute in range(first, first + length):
            yield minute % WEEK_MIN


def _of_day(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _names(names: dict[str, str]) -> Iterator[Complaint]:
    first: dict[str, str] = {}
    for key, name in names.items():
        if not name:
            yield key, name, "must not be empty"
        elif first.setdefault(name, key) != key:
            yield key, name, f"must be unique; {first[name]} is the same"


def _windows(schedules: dict[str, ScheduleConfig]) -> Iterator[Complaint]:
    for key, schedule in schedules.items():
        listed = {f"{key}.windows[{i}]": window for i, window in enumerate(schedule.windows)}
        listed |= {f"{key}.except[{i}]": window for i, window in enumerate(schedule.exempt)}
        if not listed:
            yield key, UNSET, "needs windows or except; a rule without a schedule always holds"
        for where, window in listed.items():
            if window.start in (window.end, "24:00"):
                allowed = 'must be later than from; a whole day is from "00:00" to "24:00"'
                yield f"{where}.to", window.end, allowed
        if listed and not any(minutes_of(schedule)):
            yield key, UNSET, "is left without a minute in the week: its rules would never hold"


def _time_zone(name: str, schedules: dict[str, ScheduleConfig]) -> Iterator[Complaint]:
    allowed = 'such as "Asia/Seoul" or "Europe/Berlin"'
    if not name:
        if schedules:
            yield "timezone", UNSET, f"is missing: schedules need one, {allowed}"
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        advice = "where this device knows none at all, install its package tzdata"
        yield "timezone", name, f"no time zone has this name; must be one {allowed}; {advice}"


SCHEDULE_CHECKS = (
    Check(("schedules[].name",), _names),
    Check(("schedules[]",), _windows),
    Check(("timezone", "schedules[]"), _time_zone),
)
