"""Rule posture as a table of scores over time: what is held too long, and what only flickers."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.toml_strict import ConfigErrors
from runtime.needs import check_actions
from runtime.site import Site
from runtime.site_rules import PostureRuleConfig
from tests.runtime.bodies import ACTIONS, figure, scores
from tests.runtime.yard import Yard

UP, BENT = scores(), scores(bend=0.9)
HALF = scores(bend=0.3, squat=0.3)
PLACE = (0, 100)


def posture(**rule) -> Yard:
    rule = {"actions": ["bend"], "hold_ms": 1000, "clear_ms": 1000, **rule}
    return Yard(PostureRuleConfig(**rule))


def does(yard: Yard, for_ms: float, *said, every: int = 1, place=PLACE) -> Yard:
    """Seen in every frame; looked at in each `every`-th one, with these scores in turn."""
    for k in range(round(for_ms / 100)):
        yard.put(*place)
        if k % every == 0:
            yard.postures.scores[place[0]] = said[k // every % len(said)]
            yard.postures.judged_ms[place[0]] = yard.t_ms
        yard.tick()
    return yard


def begins(yard: Yard) -> Yard:
    return does(yard, 1000, UP)


STORIES = {
    "bends for long": (lambda: does(begins(posture()), 2000, BENT), ["raised"]),
    "bends for less than the hold": (
        lambda: does(does(begins(posture()), 900, BENT), 2000, UP),
        [],
    ),
    "bends again and again": (
        lambda: does(begins(posture()), 8000, *[BENT] * 8, *[UP] * 6),
        [],
    ),
    "is taken for it now and then": (lambda: does(begins(posture()), 5000, BENT, UP, UP), []),
    "is not taken for it now and then": (
        lambda: does(begins(posture()), 3000, BENT, BENT, BENT, UP),
        ["raised"],
    ),
    "two actions are one posture": (
        lambda: does(begins(posture(actions=["bend", "squat"])), 2500, HALF),
        ["raised"],
    ),
    "one of them is not enough": (lambda: does(begins(posture()), 2500, HALF), []),
    "is bent no more": (
        lambda: does(does(begins(posture()), 2000, BENT), 2500, UP),
        ["raised", "cleared"],
    ),
    "stands up for a moment": (
        lambda: does(does(does(begins(posture()), 2000, BENT), 600, UP), 2000, BENT),
        ["raised"],
    ),
    "is looked at every 800 ms only": (
        lambda: does(begins(posture()), 4000, BENT, every=8),
        ["raised"],
    ),
    "is looked at no more": (
        lambda: does(does(begins(posture(hold_ms=3000)), 1000, BENT), 6000, BENT, every=60),
        [],
    ),
    "beside the zone": (
        lambda: does(begins(posture(zone="left")), 3000, BENT, place=(1, 500)),
        [],
    ),
    "in an exempt zone": (
        lambda: does(begins(posture(exempt_zones=["cab"])), 3000, BENT, place=(1, 30)),
        [],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_fires_or_does_not(name):
    play, expected = STORIES[name]
    assert play().states == expected


def test_it_fires_when_it_has_been_held():
    (t_ms, _), *_ = does(begins(posture(hold_ms=1000)), 2500, BENT).edges
    assert 2000 <= t_ms <= 2400


def test_the_reason_names_score_action_and_age():
    why = does(begins(posture()), 2000, BENT).whys[0]
    assert 0.5 <= why["score"] <= 0.9
    assert (why["least_score"], why["action"], why["skeleton_age_ms"]) == (0.5, "bend", 0)


CLIMB = scores(climb=0.95)
RUNG_PX = 15
"""A tenth of the figure."""


def at_a_ladder(rises, for_ms=6000, began_on_it=False, **rule) -> Yard:
    """Stands for a second, then for some time with hands on a rung; `rises`: seconds to pixels."""
    yard = posture(actions=["climb"], **rule)
    for k in range(round((1000 + for_ms) / 100)):
        up_px = rises(k / 10 - 1) if k >= 10 else 0
        joints = figure("stand", 100, 300 - (up_px if np.isscalar(up_px) else 0))
        if not np.isscalar(up_px):
            joints[15:, 1] -= up_px
        yard.put(0, 100, 300, 160)
        yard.postures.keypoints[0], yard.postures.torso_px[0] = joints, 50.0
        yard.postures.scores[0] = CLIMB if k >= 10 or began_on_it else UP
        yard.postures.judged_ms[0] = yard.t_ms
        yard.tick()
    return yard


CLIMBS = {
    "goes up": (lambda: at_a_ladder(lambda t_s: RUNG_PX * t_s), ["raised"]),
    "works at a wall": (lambda: at_a_ladder(lambda t_s: 0), []),
    "shifts from foot to foot": (
        lambda: at_a_ladder(lambda t_s: np.array([12, 0]) * (t_s % 1 < 0.5)),
        [],
    ),
    "was on the ladder from the first": (
        lambda: at_a_ladder(lambda t_s: 0, began_on_it=True),
        ["raised"],
    ),
    "goes up and comes down": (
        lambda: at_a_ladder(lambda t_s: RUNG_PX * min(t_s, 1) * (t_s < 0.5)),
        [],
    ),
}


@pytest.mark.parametrize("name", CLIMBS)
def test_who_climbs_leaves_the_ground(name):
    play, expected = CLIMBS[name]
    assert play().states == expected


def test_the_reason_says_how_high():
    why = at_a_ladder(lambda t_s: RUNG_PX * t_s).whys[0]
    assert 0.07 <= why["lifted_heights"] < 0.3
    assert why["action"] == "climb"


def test_an_action_beside_climbing_needs_no_lift():
    yard = does(begins(posture(actions=["climb", "bend"])), 2000, BENT)
    assert yard.states == ["raised"]


def test_a_slot_used_anew_has_no_posture():
    yard = does(begins(posture()), 1500, BENT).lose(0).tick()
    assert yard.states == (["raised", "cleared"])
    does(yard, 1000, UP)
    assert yard.states == ["raised", "cleared"]


def test_an_action_that_the_network_does_not_know_is_refused_with_those_that_it_knows():
    rules = [PostureRuleConfig(actions=["bend"]), PostureRuleConfig(actions=["bend", "yodel"])]
    site = Site(format=1, name="t", units="pixel", rules=rules)
    with pytest.raises(ConfigErrors) as refused:
        check_actions(site, ACTIONS, "t.toml")
    (mistake,) = refused.value.mistakes
    assert (mistake.file, mistake.key, mistake.value) == ("t.toml", "rules[1].actions[1]", "yodel")
    assert mistake.allowed == f"the action network knows {', '.join(ACTIONS)}"
    check_actions(site, (*ACTIONS, "yodel"), "t.toml")
