"""The shipped scenarios: each can be read, says what it is for, and the list is complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.scenario.inline_site import UNBUILT, Scenario
from sim.scenario.load import Loaded, load_scenario
from tests.places import REPOSITORY

FILES = sorted((REPOSITORY / "sim/scenarios").glob("*.scenario.toml"))
MIN_FILES = 30


@pytest.fixture(scope="module")
def loaded() -> dict[str, Loaded]:
    return {path.name.removesuffix(".scenario.toml"): load_scenario(path) for path in FILES}


def test_there_are_many(loaded):
    assert len(loaded) >= MIN_FILES
    purposes = [one.scenario.purpose for one in loaded.values()]
    assert len(set(purposes)) == len(purposes)
    assert len({one.scenario.seed for one in loaded.values()}) == len(loaded)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_can_be_read_and_says_what_it_is_for(path: Path):
    scenario = load_scenario(path).scenario
    assert path.name == f"{scenario.name}.scenario.toml"
    assert scenario.purpose.endswith(".") and len(scenario.purpose) > 40
    assert 10_000 <= scenario.duration_ms <= 30_000
    assert len(scenario.expect) >= 3


def does(scenario: Scenario) -> set[str]:
    return {step.do for person in scenario.world.people for step in person.script}


def breaks(scenario: Scenario) -> set[tuple[str, str]]:
    return {(fault.component, fault.type) for fault in scenario.faults}


def rules(scenario: Scenario) -> set[str]:
    return {rule["kind"] for rule in scenario.site.rules}


LIST: dict[str, Callable[[Scenario], object]] = {
    "zone_entry": lambda s: "zone" in rules(s),
    "zone_near_miss": lambda s: any(e.__class__.__name__ == "ExpectSilent" for e in s.expect),
    "predicted_entry": lambda s: "entry_predicted" in rules(s),
    "line_in_and_out": lambda s: "line" in rules(s),
    "line_crowd": lambda s: len(s.world.people) >= 6,
    "no_helmet": lambda s: any(not person.helmet for person in s.world.people),
    "helmet_off_midway": lambda s: {"helmet_off", "helmet_on"} <= does(s),
    "fall_in_the_open": lambda s: "fall" in does(s),
    "fall_behind_a_pillar": lambda s: any(t.kind == "pillar" for t in s.world.structures),
    "sits_down": lambda s: {"sit", "fall"} <= does(s),
    "ties_shoes": lambda s: {"tie_shoes", "squat", "fall"} <= does(s),
    "climbing": lambda s: "climb" in does(s),
    "call_for_help": lambda s: "arms_raised" in does(s),
    "loitering": lambda s: "loiter" in rules(s),
    "crowding": lambda s: "crowd" in rules(s),
    "near_an_excavator": lambda s: any(m.kind == "excavator" for m in s.world.machines),
    "night_under_lamps": lambda s: s.world.light.hour > 20 and s.world.light.lamps,
    "rain": lambda s: s.world.weather.rain >= 0.4,
    "snow": lambda s: s.world.weather.snow >= 0.4,
    "wind": lambda s: s.world.weather.wind >= 0.6,
    "lens_covered": lambda s: ("camera", "covered") in breaks(s),
    "camera_moved": lambda s: s.world.camera.knocks,
    "camera_unplugged": lambda s: ("camera", "unplugged") in breaks(s),
    "camera_frozen": lambda s: ("camera", "frozen") in breaks(s),
    "npu_error": lambda s: ("npu", "error") in breaks(s),
    "npu_hang": lambda s: ("npu", "hang") in breaks(s),
    "npu_stale": lambda s: ("npu", "stale") in breaks(s),
    "flash_full": lambda s: ("storage", "full") in breaks(s),
    "torn_record": lambda s: ("storage", "torn_record") in breaks(s),
    "watchdog_bites": lambda s: any(getattr(e, "cause", "") == "watchdog" for e in s.expect),
    "power_cut_with_alarm": lambda s: ("power", "cut") in breaks(s),
    "latched_alarm_after_reboot": lambda s: ("power", "cut") in breaks(s),
    "three_alarms": lambda s: {a.do for a in s.actions} == {"acknowledge", "mute", "shelve"},
    "crossing_paths": lambda s: len(s.world.people) == 2,
    "behind_a_container": lambda s: any(t.kind == "container" for t in s.world.structures),
    "power_cut_while_writing": lambda s: any("at_operation" in f.options for f in s.faults),
    "empty_yard": lambda s: s.world.machines and s.world.weather.rain and not s.world.people,
    "returns_and_sounds_again": lambda s: any(a.do == "acknowledge" for a in s.actions),
    "helmet_in_the_hand": lambda s: "helmet_off" in does(s),
    "side_by_side": lambda s: [p.helmet for p in s.world.people] == [False, True],
    "walks_away_with_helmet": lambda s: all(person.helmet for person in s.world.people),
    "crouches_with_helmet": lambda s: {"squat", "tie_shoes"} <= does(s),
    "cab_without_helmet": lambda s: s.site.rules[0]["exempt_zones"] == ["cab"],
    "no_helmet_in_the_pit": lambda s: "combined" in rules(s),
    "fallen_and_immobile": lambda s: {"combined", "immobile", "man_down"} == rules(s),
    "night_with_helmets": lambda s: s.world.light.hour > 20 and "ppe" in rules(s),
    "hours_begin": lambda s: s.site.schedules and s.wall_start.startswith("2026-03-02T06:59"),
    "hours_end": lambda s: s.site.schedules,
    "lunch_break": lambda s: s.site.schedules[0]["except"],
    "clock_lost": lambda s: s.site.schedules and s.wall_start.startswith("1970"),
    "lens_bagged": lambda s: ("camera", "hidden") in breaks(s),
    "lens_taped": lambda s: ("camera", "hidden") in breaks(s),
    "lens_taped_partly": lambda s: s.faults[0].options["percent"] < 50,
    "camera_bumped": lambda s: 0 < s.world.camera.knocks[0].pan_deg < 2,
    "camera_still": lambda s: ("camera", "still") in breaks(s),
    "lamps_go_out": lambda s: all(lamp.off_ms for lamp in s.world.light.lamps),
    "one_lamp_goes_out": lambda s: sum(lamp.off_ms > 0 for lamp in s.world.light.lamps) == 1,
    "acknowledged_by_button": lambda s: {a.do for a in s.actions} == {"press"},
    "self_test_lamp": lambda s: any(a.button == "test" for a in s.actions),
    "loop_hangs": lambda s: "dead_man.driver" in s.board.set,
    "siren_refuses": lambda s: ("siren", "refused") in breaks(s),
}
"""What has to be shipped, and what shows that a file is about it."""


@pytest.mark.parametrize("name", LIST)
def test_what_has_to_be_shipped_is(name, loaded):
    assert LIST[name](loaded[name].scenario)


def test_a_scenario_that_waits_would_be_noticed_if_it_did_nothing(loaded):
    """One that only asks for silence would pass today, and for the wrong reason."""
    for name, one in loaded.items():
        scenario = one.scenario
        later = rules(scenario) & UNBUILT
        assert bool(later) <= bool(scenario.waits_for), name
        if scenario.waits_for:
            kinds = {type(expect).__name__ for expect in scenario.expect}
            assert kinds & {"ExpectEvent", "ExpectOutput", "ExpectHolds", "ExpectCount"}, name


def test_most_do_not_wait(loaded):
    waiting = [name for name, one in loaded.items() if one.scenario.waits_for]
    assert len(loaded) - len(waiting) >= 20
