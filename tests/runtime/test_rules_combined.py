"""Rule combined: one person who is a hazard by several rules at once, and nobody else."""

from __future__ import annotations

import pytest

from runtime.site import ZoneConfig
from runtime.site_rules import (
    CombinedRuleConfig,
    ImmobileRuleConfig,
    ManDownRuleConfig,
    OverrideConfig,
    ZoneRuleConfig,
)
from tests.runtime.test_man_down import SAID, Story, figure
from tests.runtime.test_rules import LEFT_HALF, Walk

EDGE = ZoneConfig(name="edge", polygon=[(0.1, 0), (0.9, 0), (0.9, 1), (0.1, 1)])
FAR = ZoneConfig(name="far", polygon=[(0.3, 0), (0.4, 0), (0.4, 1), (0.3, 1)])
PARTS = [
    ZoneRuleConfig(name="a", zone="left", severity="info", hold_ms=200, clear_ms=400),
    ZoneRuleConfig(name="b", zone="edge", severity="info", hold_ms=500, clear_ms=400),
]


def both(hold_ms=0, clear_ms=0, parts=PARTS, zones=(LEFT_HALF, EDGE, FAR), **more) -> Walk:
    rule = CombinedRuleConfig(all_of=["a", "b"], hold_ms=hold_ms, clear_ms=clear_ms, **more)
    return Walk([rule, *parts], zones=zones)


def of(walk: Walk) -> list[tuple[int, str]]:
    """What the combined rule, the first of the file, did."""
    return walk.combined


@pytest.fixture(autouse=True)
def listened(monkeypatch):
    """Notes the edges of the rule with index 0 apart."""
    judge = Walk._judge

    def noted(self, t_ms):
        found = judge(self, t_ms)
        self.combined = getattr(self, "combined", [])
        self.combined += [(t_ms, e.state, e.why) for e in self.hazards.edges if e.rule == 0]
        return found

    monkeypatch.setattr(Walk, "_judge", noted)


@pytest.mark.parametrize(
    ("name", "xs", "expected"),
    [
        ("in both", [100] * 20, [(500, "raised")]),
        ("only in one", [20] * 20, []),
        ("only in the other", [500] * 20, []),
        ("one after the other", [20] * 10 + [500] * 10, []),
        ("leaves one", [100] * 10 + [20] * 10, [(500, "raised"), (1400, "cleared")]),
    ],
)
def test_a_person_in_both_zones_is_one_hazard_more(name, xs, expected):
    walk = both()
    for tick, x in enumerate(xs):
        walk.at(100 * tick, x)
    assert [(t_ms, state) for t_ms, state, _ in of(walk)] == expected


def test_two_people_do_not_add_up_to_one():
    walk = both()
    for tick in range(20):
        walk.at(100 * tick, 20, slot=0)
        walk.at(100 * tick, 500, slot=1)
    assert walk.hazards.active == [0, 1, 1]


def test_it_has_hold_and_clear_times_of_its_own():
    walk = both(hold_ms=1000, clear_ms=300)
    for tick in range(40):
        walk.at(100 * tick, 100 if tick < 20 else 20)
    assert [(t, s) for t, s, _ in of(walk)] == [(1500, "raised"), (2700, "cleared")]


def test_it_says_which_parts():
    walk = both()
    for tick in range(20):
        walk.at(100 * tick, 100 if tick < 10 else 20)
    (_, _, first), (_, _, second) = of(walk)
    assert first["all_of"] == first["held"] == ["a", "b"]
    assert second["held"] == ["a"]


def test_an_override_of_a_part_is_the_part():
    parts = [PARTS[0], ZoneRuleConfig(
        name="b", zone="edge", severity="info", hold_ms=500,
        overrides=[OverrideConfig(zone="far", hold_ms=0)],
    )]  # fmt: skip
    walk = both(parts=parts)
    for tick in range(20):
        walk.at(100 * tick, 200)
    assert of(walk)[0][:2] == (200, "raised"), "in the zone far, b holds at once"


def test_a_part_that_sleeps_holds_for_nobody():
    walk = both()
    walk.rules.scope.asleep[1] = 1
    for tick in range(20):
        walk.at(100 * tick, 100)
    assert of(walk) == []


def test_who_dies_clears_it():
    walk = both()
    for tick in range(10):
        walk.at(100 * tick, 100)
    walk.dies(1000)
    assert [state for _, state, _ in of(walk)] == ["raised", "cleared"]
    assert walk.hazards.active == [0, 0, 0]


DOWN = ManDownRuleConfig(name="down", severity="info", zone="left")
THERE = ZoneRuleConfig(name="there", severity="info", zone="left", hold_ms=0)


def fallen(**combined) -> Story:
    rule = CombinedRuleConfig(all_of=["down", "there"], **combined)
    return Story(zones=[LEFT_HALF], rules=[rule, DOWN, THERE])


def test_who_fell_and_is_lost_stays_a_hazard_as_long_as_they_are_remembered():
    story = fallen(clear_ms=0).is_("stand", 2000, x=150.0).is_("lie", 2000, x=150.0)
    assert story.hazards.active == [1, 1, 1]
    story.lost().unseen(5000)
    assert story.hazards.active == [1, 1, 0], "nobody sees them, but they lie there"
    story.unseen(30_000)
    assert story.hazards.active == [0, 0, 0]
    assert sorted(story.states) == ["cleared"] * 3 + ["raised"] * 3


def test_who_is_found_again_is_not_counted_twice():
    story = fallen(clear_ms=0).is_("stand", 2000, x=150.0).is_("lie", 2000, x=150.0)
    story.lost().unseen(2000).is_("lie", 2000, x=150.0, slot=1)
    assert story.hazards.active == [1, 1, 1]
    assert story.rules.scope.remembered[1] == {}


def test_who_was_lost_before_the_last_part_held_is_a_hazard_when_it_does():
    """Lying still for long takes long; the detector has lost them by then."""
    rule = CombinedRuleConfig(all_of=["down", "still"], clear_ms=0)
    still = ImmobileRuleConfig(name="still", severity="info", still_ms=4000)
    story = Story(zones=[LEFT_HALF], rules=[rule, DOWN, still])
    story.is_("stand", 2000, x=150.0).is_("lie", 3000, x=150.0)
    assert story.hazards.active == [0, 1, 0]
    story.lost().unseen(3000)
    assert story.hazards.active == [1, 1, 1]
    assert story.whys[-1] == {"track_lost": True, "all_of": ["down", "still"]}
    story.unseen(40_000)
    assert story.hazards.active == [0, 0, 0]
    assert [state for _, state in story.edges].count("raised") == 3


def test_who_gets_up_ends_it():
    story = fallen(clear_ms=0).is_("stand", 2000, x=150.0).is_("lie", 2000, x=150.0)
    story.is_("stand", 4000, x=150.0)
    assert story.hazards.active == [0, 0, 1]


def test_the_other_person_beside_who_fell_is_no_hazard_by_both():
    story = fallen()
    for posture in ["stand"] * 20 + ["lie"] * 30:
        story.see(figure(posture, x=450.0), SAID[posture], slot=0)
        story.see(figure("stand", x=150.0), SAID["stand"], slot=1)
        story.tick()
    assert story.hazards.active == [0, 0, 1]
