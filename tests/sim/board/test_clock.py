"""Virtual time runs through its timers in order, and a reset stops it where it strikes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.interfaces import Clock
from sim.board.clock import WALL_START_MS, BoardReset, SimClock


def test_it_is_a_clock_that_begins_at_zero_on_a_fixed_day():
    clock = SimClock()
    assert isinstance(clock, Clock)
    assert (clock.now_ms(), clock.wall_ms()) == (0.0, WALL_START_MS)


@given(st.lists(st.floats(0, 1000), max_size=20), st.floats(0, 1000))
def test_timers_run_in_order_each_at_its_own_time(times, until):
    clock, ran = SimClock(), []
    for at_ms in times:
        clock.at(at_ms, lambda at_ms=at_ms: ran.append((at_ms, clock.now_ms())))
    clock.sleep_until_ms(until)
    assert ran == [(t, t) for t in sorted(times) if t <= until]
    assert clock.now_ms() == until


def test_timers_of_one_moment_run_in_the_order_of_asking():
    clock, ran = SimClock(), []
    for name in "abc":
        clock.at(5, lambda name=name: ran.append(name))
    clock.sleep_until_ms(5)
    assert ran == ["a", "b", "c"]


def test_a_timer_may_set_another_one_on_the_way():
    clock, ran = SimClock(), []
    clock.at(10, lambda: clock.at(20, lambda: ran.append(clock.now_ms())))
    clock.sleep_until_ms(30)
    assert ran == [20.0]


def test_a_reset_stops_time_where_it_strikes_and_later_timers_wait():
    clock, ran = SimClock(), []

    def strike():
        raise BoardReset("watchdog", "bitten")

    clock.at(7, strike)
    clock.at(8, lambda: ran.append(8))
    with pytest.raises(BoardReset, match="watchdog: bitten"):
        clock.sleep_until_ms(100)
    assert (clock.now_ms(), ran) == (7.0, [])
    clock.sleep_until_ms(100)
    assert ran == [8]


def test_no_except_of_the_firmware_can_hold_a_reset():
    assert not issubclass(BoardReset, Exception)


def test_who_waits_for_something_goes_to_the_next_timer_or_nowhere():
    clock = SimClock()
    clock.at(40, lambda: None)
    clock.sleep_to_next_timer()
    assert clock.now_ms() == 40
    with pytest.raises(BoardReset, match="over"):
        clock.sleep_to_next_timer()


def test_in_real_time_a_wait_lasts_as_long_as_it_says():
    clock = SimClock(time.sleep)
    began_s = time.monotonic()
    for until in range(0, 301, 50):
        clock.sleep_until_ms(until)
    assert 0.29 < time.monotonic() - began_s < 0.6


def test_real_time_has_absolute_deadlines():
    waits: list[float] = []
    clock = SimClock(waits.append)  # nobody sleeps, so each wait is longer than the one before
    for until in (0, 100, 200):
        clock.sleep_until_ms(until)
    assert waits == pytest.approx([0.0, 0.1, 0.2], abs=0.02)
