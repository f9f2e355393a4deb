"""Exempt zones, overrides and sleep: obeyed by every rule, and by each person through one rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.rules.plan import plan_rules
from runtime.site import LineConfig, ZoneConfig
from runtime.site_rules import (
    EntryRuleConfig,
    LineRuleConfig,
    ManDownRuleConfig,
    OverrideConfig,
    ZoneRuleConfig,
)
from tests.runtime.test_entry_rule import Scene
from tests.runtime.test_man_down import Story
from tests.runtime.test_rules import GATE, LEFT_HALF, Walk

CAB = ZoneConfig(name="cab", polygon=[(0.2, 0), (0.3, 0), (0.3, 1), (0.2, 1)])
EDGE = ZoneConfig(name="edge", polygon=[(0.1, 0), (0.3, 0), (0.3, 1), (0.1, 1)])
HOLD_MS, CLEAR_MS = 300, 500


def zone(**more) -> Walk:
    rule = ZoneRuleConfig(zone="left", hold_ms=HOLD_MS, clear_ms=CLEAR_MS, **more)
    return Walk([rule], zones=[LEFT_HALF, CAB, EDGE])


def sleeps(rules, index: int = 0, asleep: bool = True) -> None:
    """As the schedules do it: the next frame sees the rule turned."""
    rules.scope.asleep[index] = asleep
    rules.scope.turned = True


EXEMPT = [
    ("beside the cab", [50] * 10, ["raised"]),
    ("in the cab", [150] * 10, []),
    ("steps into the cab before the hold time is over", [50] * 2 + [150] * 10, []),
    ("passes through the cab", [50] * 5 + [150] * 3 + [50] * 5, ["raised"]),
    ("climbs into the cab", [50] * 5 + [150] * 10, ["raised", "cleared"]),
    ("gets out of the cab", [150] * 10 + [50] * 5, ["raised"]),
]


@pytest.mark.parametrize(("name", "xs", "expected"), EXEMPT, ids=[name for name, *_ in EXEMPT])
def test_nobody_is_judged_in_an_exempt_zone(name, xs, expected):
    walk = zone(exempt_zones=["cab"])
    for tick, x in enumerate(xs):
        walk.at(100 * tick, x)
    assert [state for _, state in walk.edges] == expected


def test_a_hazard_that_an_exempt_zone_ends_says_so():
    walk = zone(exempt_zones=["cab"])
    whys = [w for t in range(0, 1600, 100) for _, w in walk.at(t, 50 if t < 500 else 150)]
    assert whys[-1]["exempt"] == ["cab"] and whys[-1]["outside_ms"] == CLEAR_MS


def test_an_exempt_zone_follows_its_own_anchor():
    above = ZoneConfig(name="cab", polygon=[(0, 0), (1, 0), (1, 0.4), (0, 0.4)], anchor="centre")
    rule = ZoneRuleConfig(zone="left", hold_ms=0, exempt_zones=["cab"])
    walk = Walk([rule], zones=[LEFT_HALF, above])
    assert walk.at(0, 100, 180) == [], "the centre, at y 80, is in the cab"
    assert walk.at(100, 100, 300), "the centre, at y 200, is below it"


def test_an_override_judges_by_its_own_values():
    overrides = [OverrideConfig(zone="edge", severity="info", hold_ms=1000)]
    walk = zone(overrides=overrides)
    for t_ms in range(0, 2000, 100):
        walk.at(t_ms, 50, slot=0)
        walk.at(t_ms, 150, slot=1)
    assert [(rule.kind, rule.place, rule.severity) for rule in walk.rules.table] == [
        ("zone", "left", "danger"),
        ("zone", "left", "info"),
    ]
    assert [rule.source for rule in walk.rules.table] == [0, 0]
    assert walk.edges == [(HOLD_MS, "raised"), (1000, "raised")]
    assert walk.hazards.active == [1, 1]


def test_who_moves_between_a_zone_and_its_override_is_judged_by_one_at_a_time():
    walk = zone(overrides=[OverrideConfig(zone="edge", hold_ms=100)])
    for tick in range(60):
        walk.at(100 * tick, 50 if tick // 20 % 2 else 150)
        settled = tick % 20 > 8
        assert not settled or sum(walk.hazards.active) == 1
    assert sum(walk.hazards.active) == 1


def test_an_override_of_a_rule_for_the_whole_picture_is_about_its_zone():
    rule = ManDownRuleConfig(overrides=[OverrideConfig(zone="edge", severity="warning")])
    assert [planned.place for planned in plan_rules([rule])] == ["", "edge"]
    assert [planned.severity for planned in plan_rules([rule])] == ["danger", "warning"]


NAMES = st.sampled_from("abcdef")


@given(
    own=st.sampled_from(["", *"abcdef"]),
    exempt=st.lists(NAMES, unique=True),
    overridden=st.lists(NAMES, unique=True, max_size=4),
    here=st.sets(NAMES),
)
def test_exactly_one_rule_judges_a_person_who_is_judged_at_all(own, exempt, overridden, here):
    """Against the words: not in an exempt zone, in the rule's own; the first override wins."""
    rule = ManDownRuleConfig(
        zone=own,
        exempt_zones=exempt,
        overrides=[OverrideConfig(zone=zone, hold_ms=n) for n, zone in enumerate(overridden)],
    )
    judges = [
        planned
        for planned in plan_rules([rule])
        if here.issuperset(planned.within) and here.isdisjoint(planned.exempt)
    ]
    judged = here.isdisjoint(exempt) and (not own or own in here)
    assert len(judges) == judged
    if judged:
        first = next((n for n, zone in enumerate(overridden) if zone in here), None)
        assert judges[0].config.hold_ms == (rule.hold_ms if first is None else first)


def test_a_rule_that_falls_asleep_clears_in_its_time_and_says_why():
    walk = zone()
    for t_ms in range(0, 1000, 100):
        walk.at(t_ms, 100)
    sleeps(walk.rules)
    whys = [why for t_ms in range(1000, 2000, 100) for _, why in walk.at(t_ms, 100)]
    assert walk.edges == [(HOLD_MS, "raised"), (1000 + CLEAR_MS, "cleared")]
    assert whys == [{"outside_ms": CLEAR_MS, "clear_ms": CLEAR_MS, "out_of_hours": True}]


def test_who_is_there_when_a_rule_wakes_is_a_hazard_after_the_hold_time():
    walk = zone()
    sleeps(walk.rules)
    for t_ms in range(0, 1000, 100):
        walk.at(t_ms, 100)
    assert walk.edges == []
    sleeps(walk.rules, asleep=False)
    for t_ms in range(1000, 2000, 100):
        walk.at(t_ms, 100)
    assert walk.edges == [(1000 + HOLD_MS, "raised")]


def test_only_the_rule_whose_hours_are_over_sleeps():
    rules = [ZoneRuleConfig(zone="left", hold_ms=0), ZoneRuleConfig(zone="edge", hold_ms=0)]
    walk = Walk(rules, zones=[LEFT_HALF, EDGE])
    sleeps(walk.rules, 0)
    walk.at(0, 100)
    assert walk.hazards.active == [0, 1]


def test_a_sleeping_gate_follows_people_but_counts_nobody():
    walk = Walk([LineRuleConfig(line="gate", settle_ms=200)], lines=[GATE])
    walk_over = [200] * 5 + [400] * 5
    sleeps(walk.rules)
    for tick, x in enumerate(walk_over):
        walk.at(100 * tick, x)
    assert walk.edges == []
    sleeps(walk.rules, asleep=False)
    for tick, x in enumerate([400] * 5 + [200] * 5):
        walk.at(1000 + 100 * tick, x)
    assert [state for _, state in walk.edges] == ["out"], "the way back alone"


def test_a_line_out_of_the_picture_of_a_zone_rule_is_left_alone():
    gate = LineConfig(name="gate", start=(0.5, 0), end=(0.5, 1))
    walk = Walk([LineRuleConfig(line="gate")], lines=[gate], zones=[CAB])
    for tick, x in enumerate([200] * 5 + [400] * 5):
        walk.at(100 * tick, x)
    assert len(walk.edges) == 1


WALKWAY = ZoneConfig(name="walkway", polygon=[(0, 150), (400, 150), (400, 360), (0, 360)])


def entry(**more) -> Scene:
    rule = EntryRuleConfig(zone="pit", hold_ms=200, clear_ms=500, **more)
    return Scene(rules=[rule], zones=[WALKWAY])


def test_who_comes_by_an_exempt_walkway_is_not_warned_of():
    assert entry(exempt_zones=["walkway"]).walk(50, 1.4, 2400, y=200.0).edges == []
    assert entry(exempt_zones=["walkway"]).walk(50, 1.4, 2400, y=100.0).edges


def test_an_override_of_an_entry_rule_is_for_who_comes_from_its_zone():
    scene = entry(overrides=[OverrideConfig(zone="walkway", severity="info")])
    scene.walk(50, 1.4, 2400, y=200.0)
    assert scene.hazards.active == [0, 1]
    assert [info.severity for info in scene.rules.table] == ["warning", "info"]


def test_an_entry_rule_that_sleeps_warns_of_nobody_and_clears():
    scene = entry().walk(50, 1.4, 1800)
    assert scene.hazards.active == [1]
    sleeps(scene.rules)
    scene.walk(302, 0.6, 700, since_ms=1800)
    assert scene.hazards.active == [0] and scene.whys[-1]["out_of_hours"] is True


def test_an_entry_rule_that_wakes_knows_the_path_that_came_before():
    scene = entry()
    sleeps(scene.rules)
    scene.walk(50, 1.4, 1600)
    assert scene.edges == []
    sleeps(scene.rules, asleep=False)
    scene.walk(274, 1.4, 500, since_ms=1600)
    assert scene.edges == [(1800, "raised")], "hold time after waking, not 800 ms of path"


BED = ZoneConfig(name="bed", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)], anchor="centre")


@pytest.mark.parametrize(("x", "expected"), [(100.0, []), (450.0, ["raised"])])
def test_who_lies_in_an_exempt_zone_is_not_down(x, expected):
    story = Story(zones=[BED], exempt_zones=["bed"])
    story.is_("stand", 2000, x=x).is_("lie", 3000, x=x)
    assert story.states == expected


@pytest.mark.parametrize(("x", "rule"), [(100.0, 1), (450.0, 0)])
def test_who_lies_in_the_zone_of_an_override_is_judged_by_it(x, rule):
    story = Story(zones=[BED], overrides=[OverrideConfig(zone="bed", hold_ms=1000)])
    story.is_("stand", 2000, x=x).is_("lie", 3000, x=x)
    assert story.hazards.active == [1 - rule, rule]


def test_who_lies_there_while_the_rule_sleeps_is_a_hazard_when_it_wakes():
    story = Story().is_("stand", 2000)
    sleeps(story.rules)
    story.is_("lie", 3000)
    assert story.edges == []
    sleeps(story.rules, asleep=False)
    story.is_("lie", 200)
    assert story.states == ["raised"]


def test_who_is_down_at_the_end_of_the_hours_is_cleared_also_when_lost():
    for lost in (False, True):
        story = Story(clear_ms=1000).is_("stand", 2000).is_("lie", 2000)
        sleeps(story.rules)
        if lost:
            story.lost().unseen(2000)
        else:
            story.is_("lie", 2000)
        assert story.states == ["raised", "cleared"], lost
        assert story.whys[-1]["out_of_hours"] is True
        assert story.hazards.active == [0]


def test_the_scope_knows_who_is_a_hazard_by_which_rule():
    story = Story().is_("stand", 2000).is_("lie", 2000)
    row = story.rules.scope.active[0]
    assert list(row) == [1, 0, 0, 0]
    story.lost().unseen(200)
    assert story.hazards.active == [1] and not any(row), "nobody is in the slot any more"
