"""Alarm states and outputs: every combination, then the stories people know."""

from __future__ import annotations

from itertools import product

import pytest

from runtime.alarm import MAX_SHELF_MS, Alarms
from runtime.alarm_cause import RECENT, Cause, Causes
from runtime.alarm_config import AlarmConfig, PriorityConfig
from runtime.alarm_outputs import (
    SEVERITY_RANK,
    TEST_PATTERN,
    Sounding,
    outputs_for,
    sounding,
)
from runtime.alarm_state import AlarmState, transition
from runtime.patterns import PATTERNS, level_at
from runtime.tables import HazardEdge

N, AU, AA, RU = AlarmState
PATTERN = {"warning": "alert", "danger": "march", "evacuate": "temporal3"}


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
@pytest.mark.parametrize("severity", list(SEVERITY_RANK))
@pytest.mark.parametrize("shelved", [False, True])
@pytest.mark.parametrize("quiet", [False, True])
def test_sounding_over_every_input(state, severity, shelved, quiet):
    sound = sounding([state], [severity], [shelved], [quiet], PATTERN)
    visible = state is not N and not shelved and severity != "info"
    audible = visible and state is AU and not quiet
    assert sound == Sounding(PATTERN[severity] if audible else "", visible)


ONE = list(product(AlarmState, SEVERITY_RANK, (False, True), (False, True)))
"""All that one alarm can be: state, severity, shelved, quiet."""


@pytest.mark.parametrize("healthy", [False, True])
@pytest.mark.parametrize("test", ["", "lamp", "siren"])
def test_outputs_over_all_pairs_of_alarms(healthy, test):
    for pair in product(ONE, repeat=2):
        columns = [list(column) for column in zip(*pair, strict=True)]
        levels = outputs_for(*columns, PATTERN, healthy=healthy, test=test)
        seen = [(s, sev) for s, sev, shelf, _ in pair if s is not N and not shelf and sev != "info"]
        heard = [
            sev
            for s, sev, shelf, quiet in pair
            if s is AU and not (shelf or quiet or sev == "info")
        ]
        assert levels.relay is healthy, "a fault is for the relay"
        if seen:
            assert levels.strobe
            worst = max(heard, key=SEVERITY_RANK.__getitem__) if heard else None
            assert levels.pattern == (PATTERN[worst] if worst else ""), "no test hides an alarm"
        else:
            assert levels.strobe is (test != "")
            assert levels.pattern == (TEST_PATTERN if test == "siren" else "")


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

    def step(self, danger=0, warning=0, fresh=(), after_ms=100, again=()) -> Sounding:
        self.t_ms += after_ms
        self.alarms.step([danger, warning], fresh, self.t_ms, again)
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


def test_the_off_delay_bridges_a_short_absence():
    panel = Panel(off_delay_ms=500)
    panel.step(1, fresh=[0])
    assert panel.step(0) == Sounding("march", True)
    assert panel.step(1, after_ms=300) == Sounding("march", True)
    assert panel.log == [(0, "active_unacked")]
    panel.step(0)
    assert panel.step(0, after_ms=500) == Sounding("", True)


def test_who_flickers_is_no_new_alarm_and_another_person_is():
    panel = Panel()
    panel.step(1, fresh=[0])
    panel.alarms.acknowledge()
    panel.step(1)
    panel.step(0)
    assert panel.alarms.states[0] is N
    assert panel.step(1, again=[0]) == Sounding("", True), "acknowledged stays acknowledged"
    assert panel.step(2, fresh=[0]) == Sounding("march", True)


def test_a_muted_alarm_stays_muted_when_its_cause_flickers():
    panel = Panel()
    panel.step(1, fresh=[0])
    panel.alarms.mute()
    panel.step(1)
    panel.step(0)
    assert panel.step(1, again=[0]) == Sounding("", True)
    panel.step(0)
    assert panel.step(1, fresh=[0]) == Sounding("march", True)


def test_the_longest_time_is_counted_from_the_beginning_also_when_the_cause_flickers():
    panel = Panel(max_sound_ms=1000)
    panel.step(1, fresh=[0])
    panel.step(0, after_ms=500)
    assert panel.step(1, again=[0]).pattern == "march"
    assert panel.step(1, after_ms=400) == Sounding("", True)


def test_an_alarm_that_never_sounded_begins_when_it_comes_off_the_shelf():
    panel = Panel(max_sound_ms=1000)
    panel.alarms.shelve(0, 5000)
    assert panel.step(1, fresh=[0]) == Sounding("", False)
    assert panel.step(1, after_ms=4900) == Sounding("march", True)
    assert panel.step(1, after_ms=1000) == Sounding("", True)


def test_an_operator_ends_a_shelving_early():
    panel = Panel()
    panel.step(1, fresh=[0])
    panel.alarms.shelve(0, 5000)
    panel.step(1)
    assert panel.alarms.shelved_ms(0) == 4900
    panel.alarms.unshelve(0)
    assert panel.step(1) == Sounding("march", True)
    assert panel.alarms.shelved_ms(0) == 0
    panel.alarms.unshelve(1)
    assert panel.step(1) == Sounding("march", True), "nothing to take off"


def test_a_severity_has_values_of_its_own():
    config = AlarmConfig(min_on_ms=0, danger=PriorityConfig(latch=False, max_sound_ms=500))
    alarms = Alarms(["danger", "warning"], config)
    alarms.step([1, 1], [0, 1], 100)
    assert alarms.sound.pattern == "march"
    alarms.step([1, 1], [], 600)
    assert alarms.sound.pattern == "alert", "the danger has sounded for long enough"
    alarms.step([0, 0], [], 700)
    assert alarms.states == [N, RU]


def test_a_crossing_is_an_alarm_at_once_whatever_the_on_delay():
    alarms = Alarms(["danger"], AlarmConfig(on_delay_ms=500), momentary=[0])
    alarms.step([1], [0], 100)
    assert alarms.states == [AU]
    alarms.step([0], [], 200)
    assert alarms.states == [RU]


def test_evacuation_is_the_loudest():
    args = [AU, AU], ["evacuate", "danger"], [False, False], [False, False], PATTERN
    assert sounding(*args) == Sounding("temporal3", True)


def test_people_who_come_back_soon_are_known():
    causes = Causes([2000.0])
    assert causes.sort([HazardEdge(0, 0, 7, "raised", {"held_ms": 300})], 1000) == ([0], [])
    assert causes.last[0] == Cause(7, 700, {"held_ms": 300})
    causes.sort([HazardEdge(0, 0, 7, "cleared", {})], 5000)
    assert causes.sort([HazardEdge(0, 0, 7, "raised", {})], 6999) == ([], [0])
    causes.sort([HazardEdge(0, 0, 7, "cleared", {})], 7000)
    assert causes.sort([HazardEdge(0, 0, 7, "raised", {})], 9000) == ([0], [])
    assert causes.sort([HazardEdge(0, 0, 8, "raised", {})], 9000) == ([0], [])


def test_no_more_people_are_remembered_than_there_is_room_for():
    causes = Causes([2000.0])
    for track in range(3 * RECENT):
        causes.sort([HazardEdge(0, 0, track, "cleared", {})], 1000)
    assert causes.sort([HazardEdge(0, 0, 0, "raised", {})], 1001) == ([0], [])
    assert causes.sort([HazardEdge(0, 0, 3 * RECENT - 1, "raised", {})], 1001) == ([], [0])
