"""Schedules against the clock on the wall, minute by minute, in zones that change their clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from drivers.toml_strict import ConfigErrors
from runtime.schedule import Hours, local_minute
from runtime.site_check import load_site
from runtime.site_schedule import DAYS, WEEK_MIN, ScheduleConfig, WindowConfig, minutes_of
from runtime.wall import PLAUSIBLE_FROM_MS, PLAUSIBLE_TO_MS

DAY = ScheduleConfig(
    name="day", windows=[WindowConfig(days=list(DAYS[:5]), start="07:00", end="17:30")]
)
SEOUL = ZoneInfo("Asia/Seoul")

times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
ends = st.one_of(times, st.just("24:00"))
windows = st.builds(
    WindowConfig, days=st.lists(st.sampled_from(DAYS), min_size=1), start=times, end=ends
).filter(lambda window: window.start != window.end)
schedules = st.builds(
    ScheduleConfig,
    name=st.just("x"),
    windows=st.lists(windows, max_size=3),
    exempt=st.lists(windows, max_size=2),
)
WEEKS = [
    ("Asia/Seoul", datetime(2026, 3, 2, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 27, tzinfo=UTC)),  # clocks go forward on the 29th
    ("Europe/Berlin", datetime(2026, 10, 22, tzinfo=UTC)),  # and back on the 25th
    ("Australia/Lord_Howe", datetime(2026, 4, 2, tzinfo=UTC)),  # back by half an hour on the 5th
    ("America/St_Johns", datetime(2026, 3, 6, tzinfo=UTC)),  # 3:30 behind, forward on the 8th
]


def is_in(window: WindowConfig, local: datetime) -> bool:
    """By the words of the site file, read off the wall."""
    now = local.strftime("%H:%M")
    today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
    if window.start < window.end:
        return today in window.days and window.start <= now < window.end
    return (today in window.days and now >= window.start) or (
        yesterday in window.days and now < window.end
    )


def holds(schedule: ScheduleConfig, local: datetime) -> bool:
    inside = not schedule.windows or any(is_in(window, local) for window in schedule.windows)
    return inside and not any(is_in(window, local) for window in schedule.exempt)


@pytest.mark.parametrize(("zone", "start"), WEEKS, ids=[f"{z} {s:%b}" for z, s in WEEKS])
@settings(deadline=None, max_examples=2)
@given(schedule=schedules)
def test_every_minute_of_a_week_is_as_the_wall_says(zone, start, schedule):
    timezone = ZoneInfo(zone)
    clock = VirtualClock(0.0, round(start.timestamp() * 1000))
    hours = Hours(clock, timezone, [minutes_of(schedule), None])
    was = False
    for minute in range(WEEK_MIN):
        clock.sleep_until_ms(60_000.0 * minute)
        turned = hours.look()
        local = (start + timedelta(minutes=minute)).astimezone(timezone)
        asleep = not holds(schedule, local)
        assert (bool(hours.asleep[0]), hours.asleep[1]) == (asleep, 0), local
        assert turned == (asleep != was)
        was = asleep


@given(schedule=schedules)
def test_a_week_has_as_many_minutes_as_the_wall_says(schedule):
    monday = datetime(2026, 3, 2)
    expected = bytes(holds(schedule, monday + timedelta(minutes=m)) for m in range(WEEK_MIN))
    assert minutes_of(schedule) == expected


def hours_at(text: str) -> tuple[Hours, VirtualClock]:
    clock = VirtualClock(0.0, round(datetime.fromisoformat(text).timestamp() * 1000))
    return Hours(clock, SEOUL, [minutes_of(DAY)]), clock


@pytest.mark.parametrize(
    ("at", "asleep"),
    [
        ("2026-03-02T06:59:59+09:00", True),
        ("2026-03-02T07:00:00+09:00", False),
        ("2026-03-02T17:29:59+09:00", False),
        ("2026-03-02T17:30:00+09:00", True),
        ("2026-03-07T12:00:00+09:00", True),
        ("2026-03-01T22:00:00+00:00", False),  # Monday 07:00 in Seoul
    ],
)
def test_working_hours(at, asleep):
    hours, _ = hours_at(at)
    hours.look()
    assert bool(hours.asleep[0]) is asleep


def test_it_turns_in_the_frame_in_which_the_hour_comes_and_only_then():
    hours, clock = hours_at("2026-03-02T06:59:50+09:00")
    turns = []
    for tick in range(300):
        clock.sleep_until_ms(100.0 * tick)
        if hours.look():
            turns.append((tick, hours.asleep[0]))
    assert turns == [(0, 1), (100, 0)]


@pytest.mark.parametrize(
    "wall_ms", [0, 1_000_000, PLAUSIBLE_FROM_MS - 1, -86_400_000, PLAUSIBLE_TO_MS, 2**63]
)
def test_a_board_without_a_clock_lets_every_rule_hold_and_says_so_once(wall_ms):
    clock = VirtualClock(0.0, wall_ms)
    hours = Hours(clock, SEOUL, [bytes(WEEK_MIN)])
    told = []
    for tick in range(100):
        clock.sleep_until_ms(tick * 0.001)
        hours.look()
        told.append(hours.told)
        assert hours.asleep[0] == 0
    assert [word for word in told if word] == ["raised"]


def test_a_clock_that_is_set_right_brings_the_schedules_back():
    clock = VirtualClock(0.0, 0)
    hours = Hours(clock, SEOUL, [bytes(WEEK_MIN)])
    hours.look()
    clock.sleep_until_ms(float(PLAUSIBLE_FROM_MS))
    assert hours.look() and hours.told == "cleared" and hours.asleep[0] == 1
    assert not hours.look() and hours.told == ""


def test_monday_midnight_is_the_first_minute():
    monday = datetime(2026, 3, 2, tzinfo=SEOUL)
    assert local_minute(round(monday.timestamp() * 1000), SEOUL) == 0
    assert local_minute(round(monday.timestamp() * 1000) - 1, SEOUL) == WEEK_MIN - 1


HEAD = """format = 1
name = "yard"
units = "fraction"
zones = [{ name = "pit", polygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]] }]
"""
RULE = '[[rules]]\nkind = "zone"\nzone = "pit"\nschedule = "day"\n'
WINDOW = '[[schedules]]\nname = "day"\nwindows = [{{ days = ["mon"], from = "{}", to = "{}" }}]\n'
ZONE = 'timezone = "Asia/Seoul"\n'


def mistakes(tmp_path: Path, body: str) -> list[str]:
    path = tmp_path / "site.toml"
    path.write_text(HEAD + body)
    try:
        load_site(path)
    except ConfigErrors as refused:
        return [str(mistake).removeprefix(f"{path}: ") for mistake in refused.mistakes]
    return []


NIGHT = WINDOW.format("22:00", "06:00")
GOOD = [
    ZONE + RULE + WINDOW.format("07:00", "17:30"),
    ZONE + RULE + NIGHT,
    ZONE + RULE + WINDOW.format("00:00", "24:00"),
    ZONE + RULE + '[[schedules]]\nname = "day"\nexcept = [{ from = "12:00", to = "13:00" }]\n',
]


@pytest.mark.parametrize("body", GOOD)
def test_what_works_is_taken(tmp_path, body):
    assert mistakes(tmp_path, body) == []


ONE = [
    (ZONE + RULE, "rules[0].schedule = 'day': no schedule has this name; there are no schedules"),
    (
        ZONE + RULE.replace('"day"', '"night"') + WINDOW.format("07:00", "08:00"),
        "rules[0].schedule = 'night': no schedule has this name; the schedules are day",
    ),
    (RULE + WINDOW.format("07:00", "08:00"), "timezone: is missing: schedules need one, such as"),
    (
        'timezone = "Asia/Soul"\n' + RULE + WINDOW.format("07:00", "08:00"),
        "timezone = 'Asia/Soul': no time zone has this name; must be one such as \"Asia/Seoul\"",
    ),
    ('timezone = "../passwd"\n' + RULE + WINDOW.format("07:00", "08:00"), "timezone = '../passwd'"),
    (ZONE + RULE + WINDOW.format("7:00", "08:00"), "schedules[0].windows[0].from = '7:00': must"),
    (ZONE + RULE + WINDOW.format("07:00", "24:01"), "schedules[0].windows[0].to = '24:01': must"),
    (
        ZONE + RULE + WINDOW.format("07:00", "07:00"),
        "schedules[0].windows[0].to = '07:00': must be later than from; a whole day is from",
    ),
    (
        ZONE + RULE + WINDOW.format("07:00", "08:00").replace("mon", "Mon"),
        "schedules[0].windows[0].days[0] = 'Mon': must be",
    ),
    (
        ZONE + RULE + WINDOW.format("07:00", "08:00").replace('["mon"]', "[]"),
        "schedules[0].windows[0].days = []: must",
    ),
    (
        ZONE + RULE + '[[schedules]]\nname = "day"\n',
        "schedules[0]: needs windows or except",
    ),
    (
        ZONE + RULE + NIGHT + 'except = [{ from = "00:00", to = "24:00" }]\n',
        "schedules[0]: is left without a minute in the week",
    ),
    (
        ZONE + RULE + NIGHT + NIGHT,
        "schedules[1].name = 'day': must be unique; schedules[0].name is the same",
    ),
]


@pytest.mark.parametrize(("body", "expected"), ONE, ids=[text for _, text in ONE])
def test_one_mistake(tmp_path, body, expected):
    (found,) = mistakes(tmp_path, body)
    assert found.startswith(expected)
