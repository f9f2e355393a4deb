"""Every sequence of events to depth 8, and mistakes in the machine that the search must find."""

from __future__ import annotations

import math

import pytest

from runtime import alarm, alarm_outputs, alarm_state, restore
from runtime.alarm import Alarms
from runtime.alarm_cause import Causes
from runtime.alarm_outputs import SILENT
from runtime.alarm_state import OneAlarm, transition
from tests.runtime import alarm_world
from tests.runtime.alarm_invariants import CONFIGS, DELAYED, PLAIN, Broken, explore
from tests.runtime.alarm_world import ACKED


@pytest.mark.parametrize("name", CONFIGS)
def test_what_must_hold_holds_in_every_state(name):
    worlds, steps = explore(CONFIGS[name])
    print(f"{name}: {worlds} worlds, {steps} steps")
    assert worlds > 2000


def muted_for_ever(patch):
    def sound(alarm, now_ms):
        quiet = alarm.is_quiet
        REAL_SOUND(alarm, now_ms)
        alarm.is_quiet = quiet

    patch.setattr(OneAlarm, "_sound", sound)


def shelved_for_ever(patch):
    def step(alarm, active, fresh, again, now_ms):
        until_ms, alarm.shelved_until_ms = alarm.shelved_until_ms, 0.0
        REAL_STEP(alarm, active, fresh, again, now_ms)
        alarm.shelved_until_ms = until_ms
        return False

    patch.setattr(OneAlarm, "step", step)


def off_the_shelf_without_a_sound(patch):
    def step(alarm, active, fresh, again, now_ms):
        since_ms = alarm._sounds_since_ms
        expired = REAL_STEP(alarm, active, fresh, again, now_ms)
        if expired:
            alarm._sounds_since_ms = since_ms
            alarm._hush(False, now_ms)
        return expired

    patch.setattr(OneAlarm, "step", step)


def a_fault_hides_it(patch):
    def levels(sound, *, healthy, test):
        return REAL_LEVELS(sound if healthy else SILENT, healthy=healthy, test=test)

    patch.setattr(alarm_outputs, "all_levels", levels)


def a_second_person_is_no_news(patch):
    def changed(state, *, active, fresh, acked, latch):
        fresh = fresh and state is not ACKED
        return transition(state, active=active, fresh=fresh, acked=acked, latch=latch)

    patch.setattr(alarm_state, "transition", changed)


def forgets_without_an_operator(patch):
    def changed(state, *, active, fresh, acked, latch):
        return transition(state, active=active, fresh=fresh, acked=acked, latch=False)

    patch.setattr(alarm_state, "transition", changed)


def who_flickers_sounds_again(patch):
    def sort(causes, edges, t_ms):
        fresh, again = REAL_SORT(causes, edges, t_ms)
        return fresh + again, []

    patch.setattr(Causes, "sort", sort)


def who_flickers_before_the_delay_is_old(patch):
    def step(alarm, active, fresh, again, now_ms):
        expired = REAL_STEP(alarm, active, fresh, again, now_ms)
        alarm._fresh = alarm._fresh and active
        return expired

    patch.setattr(OneAlarm, "step", step)


def sleeps_through_deadlines(patch):
    patch.setattr(OneAlarm, "deadline_ms", lambda alarm, now_ms: math.inf)


def commands_do_not_wake_it(patch):
    def acknowledge(alarms, rule=None):
        touched = alarms._touched
        REAL_ACKNOWLEDGE(alarms, rule)
        alarms._touched = touched

    patch.setattr(Alarms, "acknowledge", acknowledge)


def mute_takes_the_lamp(patch):
    def sounding(states, severities, shelved, quiet, patterns):
        gone = [a or b for a, b in zip(shelved, quiet, strict=True)]
        return alarm_outputs.sounding(states, severities, gone, quiet, patterns)

    patch.setattr(alarm, "sounding", sounding)


def shelving_takes_all(patch):
    def sounding(states, severities, shelved, quiet, patterns):
        gone = [any(shelved)] * len(shelved)
        return alarm_outputs.sounding(states, severities, gone, quiet, patterns)

    patch.setattr(alarm, "sounding", sounding)


def a_restart_forgets(patch):
    patch.setattr(alarm_world, "restore", lambda *_: 0)


def a_restart_sounds(patch):
    def restore(alarm):
        REAL_RESTORE(alarm)
        alarm.sound_until_ms = alarm._sounds_since_ms = math.inf

    patch.setattr(OneAlarm, "restore", restore)


def an_acknowledged_alarm_comes_back(patch):
    patch.setattr(restore, "ENDS", ("normal", "dropped"))


REAL_SOUND, REAL_STEP, REAL_LEVELS = OneAlarm._sound, OneAlarm.step, alarm_outputs.all_levels
REAL_SORT, REAL_ACKNOWLEDGE, REAL_RESTORE = Causes.sort, Alarms.acknowledge, OneAlarm.restore
MUTANTS = (
    muted_for_ever, shelved_for_ever, off_the_shelf_without_a_sound, a_fault_hides_it,
    a_second_person_is_no_news, forgets_without_an_operator, who_flickers_sounds_again,
    who_flickers_before_the_delay_is_old, sleeps_through_deadlines, commands_do_not_wake_it,
    mute_takes_the_lamp, shelving_takes_all, a_restart_forgets, a_restart_sounds,
    an_acknowledged_alarm_comes_back,
)  # fmt: skip
"""Mistakes that somebody could make; each must break something that must hold."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mistake_in_the_machine_is_found(mutant, monkeypatch):
    mutant(monkeypatch)
    with pytest.raises(Broken) as found:
        explore_both(depth=6)
    print(f"{mutant.__name__}: {found.value}")


def explore_both(depth):
    explore(PLAIN, depth)
    explore(DELAYED, depth)
