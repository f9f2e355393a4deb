"""The self test: lamp only unless asked for, and a real alarm wins; the clock decides if it can."""

from __future__ import annotations

import math

import pytest

from drivers.clock import VirtualClock
from runtime.alarm_config import SelfTestConfig
from runtime.self_test import Schedule, SelfTest, until_ms
from runtime.wall import PLAUSIBLE_FROM_MS

HOUR = 3_600_000
MONDAY = 1_767_571_200_000
"""2026-01-05 00:00 UTC."""


def run(test: SelfTest, alarm_at: float = math.inf, problem: str = "") -> list[tuple[float, str]]:
    """Phases as they change, looked at every 100 ms."""
    seen = [(0.0, test.phase)]
    for t_ms in range(100, 10_000, 100):
        if test.phase:
            test.step(t_ms, is_clear=t_ms < alarm_at, problem=problem)
        if test.phase != seen[-1][1]:
            seen.append((t_ms, test.phase))
    return seen


def test_the_lamp_only_unless_the_site_says_so():
    test = SelfTest(SelfTestConfig(lamp_ms=2000))
    test.start(0.0, "button test")
    assert run(test) == [(0.0, "lamp"), (2000, "")]
    assert test.edges == [
        ("started", {"by": "button test", "outputs": ["strobe"]}),
        ("passed", {"by": "button test", "outputs": ["strobe"]}),
    ]


def test_the_siren_chirps_where_it_may():
    test = SelfTest(SelfTestConfig(lamp_ms=1000, siren=True, chirp_ms=200))
    test.start(0.0, "lee")
    assert run(test) == [(0.0, "lamp"), (1000, "siren"), (1200, "")]
    assert test.edges[-1] == ("passed", {"by": "lee", "outputs": ["strobe", "siren"]})


def test_an_alarm_ends_it_at_once():
    test = SelfTest(SelfTestConfig(lamp_ms=2000))
    test.start(0.0, "lee")
    assert run(test, alarm_at=500) == [(0.0, "lamp"), (500, "")]
    assert test.edges[-1][0] == "interrupted"


def test_an_output_that_refuses_fails_it():
    test = SelfTest(SelfTestConfig())
    test.start(0.0, "lee")
    run(test, problem="refused")
    assert test.edges[-1] == ("failed", {"by": "lee", "outputs": ["strobe"], "reason": "refused"})


def test_a_second_start_changes_nothing():
    test = SelfTest(SelfTestConfig(lamp_ms=1000))
    test.start(0.0, "lee")
    test.start(500.0, "kim")
    assert run(test) == [(0.0, "lamp"), (1000, "")]
    assert len(test.edges) == 2


def due(config: SelfTestConfig, wall_start_ms: int, hours: int, jump=None) -> list[float]:
    """Hours at which the schedule asks for a test, looked at every minute."""
    clock = VirtualClock(0.0, wall_start_ms)
    schedule = Schedule(config, clock)
    found = []
    for minute in range(1, hours * 60 + 1):
        clock.sleep_until_ms(minute * 60_000.0)
        if jump is not None and minute == jump[0]:
            clock._wall_offset_ms = jump[1] - minute * 60_000
        if clock.now_ms() >= schedule.next_ms and schedule.is_due(clock.now_ms()):
            found.append(minute / 60)
    return found


def test_by_the_hours():
    assert due(SelfTestConfig(every_hours=24), 0, 72) == [24, 48, 72]


def test_never_unless_asked_for():
    assert Schedule(SelfTestConfig(), VirtualClock()).next_ms == math.inf


def test_by_the_time_of_day():
    assert due(SelfTestConfig(at_utc="06:30"), MONDAY, 72) == [6.5, 30.5, 54.5]


def test_a_clock_that_cannot_be_right_gives_once_a_day():
    assert due(SelfTestConfig(at_utc="06:30"), 0, 72) == [24, 48, 72]
    assert due(SelfTestConfig(at_utc="06:30"), PLAUSIBLE_FROM_MS - 100 * HOUR, 49) == [24, 48]


def test_a_clock_that_is_set_later_is_believed_within_an_hour():
    found = due(SelfTestConfig(at_utc="06:30"), 0, 48, jump=(90, MONDAY + 2 * HOUR))
    assert found == [6.0, 30.0], "01:30 of running was 02:00 in truth"


@pytest.mark.parametrize(
    ("at", "hour", "left"), [("06:30", 6, 0.5), ("06:30", 6.5, 24), ("00:00", 23.5, 0.5)]
)
def test_until(at, hour, left):
    assert until_ms(at, MONDAY + round(hour * HOUR)) == left * HOUR
