"""Alarm states and outputs: every combination, then the stories people know."""

from __future__ import annotations

from itertools import product

import pytest

from runtime.alarm import MAX_SHELF_MS, Alarms
from runtime.alarm_config import AlarmConfig
from runtime.alarm_outputs import Sounding, sounding
from runtime.alarm_state import AlarmState, transition
from runtime.patterns import PATTERNS, level_at

N, AU, AA, RU = AlarmState
PATTERN = {"warning": "alert", "danger": "march"}


@pytest.mark.parametrize(
    ("state", "active", "fresh", "acked", "latch"), list(product(AlarmState, *[(False, True)] * 4))
)
def test_transition_over_every_input(state, active, fresh, acked, latch):
    after = transition(state, active=active, fresh=fresh, acked=acked, latch=latch)
    if active and (fresh or state in (N, RU)):
        assert after is AU, "a new cause sounds, whatever was before"
    elif active:
        assert after is (AA if acked else state)
    elif state in (AU, RU):
        assert after is (RU if latch and not acked else N)
    else:
        assert after is N


@pytest.mark.parametrize("state", list(AlarmState))
@pytest.mark.parametrize("severity", ["info", "warning", "danger"])
@pytest.mark.parametrize("shelved", [False, True])
@pytest.mark.parametrize("quiet", [False, True])
def test_sounding_over_every_input(state, severity, shelved, quiet):
    sound = sounding([state], [severity], [shelved], [quiet], PATTERN)
    visible = state is not N and not shelved and severity != "info"
    audible = visible and state is AU and not quiet
    assert sound == Sounding(PATTERN[severity] if audible else "", visible)


def test_the_worse_alarm_decides_the_pattern():
    args = [AU, AU], ["warning", "danger"], [False, False], [False, False], PATTERN
    assert sounding(*args) == Sounding("march", True)


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_repeat_and_start_loud(name):
    pattern = PATTERNS[name]
    total_ms = sum(pattern)
    assert level_at(pattern, 0.0)
    on_ms = sum(level_at(pattern, t) for t in range(total_ms))
    assert on_ms == sum(pattern[::2])
    assert [level_at(pattern, t + total_ms) for t in range(0, total_ms, 50)] == [
        level_at(pattern, t) for t in range(0, total_ms, 50)
    ]


def test_temporal_three_is_iso_8201():
    pattern = PATTERNS["temporal3"]
    edges = [t for t in range(1, 4000) if level_at(pattern, t) != level_at(pattern, t - 1)]
    assert edges == [500, 1000, 1500, 2000, 2500]
    assert level_at(pattern, 4000)


class Panel:
    """Alarms of one danger rule and one warning rule, stepped by hand."""

    def __init__(self, **config) -> None:
        self.alarms = Alarms(["danger", "warning"], AlarmConfig(**{"min_on_ms": 0, **config}))
        self.t_ms = 0.0

    def step(self, danger=0, warning=0, fresh=(), after_ms=100) -> Sounding:
        self.t_ms += after_ms
        self.alarms.step([danger, warning], fresh, self.t_ms)
        return self.alarms.sound

    @property
    def log(self) -> list[tuple[int, str]]:
        return [(edge.rule, edge.state) for edge in self.alarms.edges]


def test_a_latched_alarm_stays_until_acknowledged():
    panel = Panel()
    assert panel.step(1, fresh=[0]) == Sounding("march", True)
    assert panel.step(0) == Sounding("", True)
    assert panel.step(0, after_ms=3_600_000) == Sounding("", True)
    panel.alarms.acknowledge()
    assert panel.step(0) == Sounding("", False)
    assert panel.log == [(0, "active_unacked"), (0, "returned_unacked"), (0, "normal")]


def test_without_latch_it_ends_with_its_cause():
    panel = Panel(latch=False)
    panel.step(1, fresh=[0])
    assert panel.step(0) == Sounding("", False)
    assert panel.log == [(0, "active_unacked"), (0, "normal")]


def test_acknowledged_is_silent_and_the_next_person_sounds_again():
    panel = Panel()
    panel.step(1, fresh=[0])
    panel.alarms.acknowledge(0)
    assert panel.step(1) == Sounding("", True)
    assert panel.step(2, fresh=[0]) == Sounding("march", True)


def test_mute_silences_sound_only_and_a_new_alarm_sounds():
    panel = Panel()
    panel.step(1, fresh=[0])
    panel.alarms.mute()
    assert panel.step(1) == Sounding("", True)
    assert panel.alarms.states[0] is AU
    assert panel.step(1, 1, fresh=[1]) == Sounding("alert", True)


def test_shelving_expires_and_is_logged():
    panel = Panel()
    panel.step(1, fresh=[0])
    panel.alarms.shelve(0, 5000)
    assert panel.step(1) == Sounding("", False)
    assert panel.alarms.states[0] is AU, "a shelved alarm runs on"
    assert panel.step(1, after_ms=4800) == Sounding("", False)
    assert panel.step(1, after_ms=200) == Sounding("march", True)
    assert (0, "shelved") in panel.log and (0, "unshelved") in panel.log


@pytest.mark.parametrize("duration_ms", [0, -1, MAX_SHELF_MS + 1])
def test_nothing_is_shelved_for_ever(duration_ms):
    with pytest.raises(ValueError, match="allowed"):
        Panel().alarms.shelve(0, duration_ms)


def test_the_siren_sounds_for_its_least_time():
    panel = Panel(min_on_ms=1000, latch=False)
    panel.step(1, fresh=[0])
    assert panel.step(0) == Sounding("march", True)
    assert panel.step(0, after_ms=800).pattern == "march"
    assert panel.step(0, after_ms=200) == Sounding("", False)


def test_the_siren_falls_silent_after_its_longest_time_and_the_strobe_stays():
    panel = Panel(max_sound_ms=60_000)
    panel.step(1, fresh=[0])
    assert panel.step(1, after_ms=59_900).pattern == "march"
    assert panel.step(1) == Sounding("", True)
    assert panel.step(2, fresh=[0]).pattern == "march"


def test_the_on_delay_holds_a_short_cause_back():
    panel = Panel(on_delay_ms=500)
    assert panel.step(1, fresh=[0]) == Sounding("", False)
    assert panel.step(0) == Sounding("", False)
    panel.step(1, fresh=[0])
    assert panel.step(1, after_ms=500) == Sounding("march", True)


def test_at_rest_a_step_does_nothing():
    panel = Panel()
    panel.step()
    panel.alarms._step_one = None  # a call would fail
    assert panel.step(0, after_ms=100) == Sounding("", False)


def test_the_siren_level_follows_the_pattern_from_its_start():
    panel = Panel()
    panel.step(1, fresh=[0], after_ms=12_345)
    start_ms = panel.t_ms
    levels = [panel.alarms.siren_level(start_ms + t) for t in (0, 499, 500, 999, 1000)]
    assert levels == [True, True, False, False, True]
