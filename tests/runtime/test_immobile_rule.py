"""Rule immobile as a table of stories: who has not moved, by skeleton and by box."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.site_rules import ImmobileRuleConfig
from tests.runtime.bodies import box_of, figure
from tests.runtime.yard import Yard

STILL_MS = 10_000
WRIST, ELBOW = 9, 7
TALL_PX = 160.0
"""Of the figure and its box."""


def immobile(**rule) -> Yard:
    return Yard(ImmobileRuleConfig(**{"still_ms": STILL_MS, "clear_ms": 1000, **rule}))


def look(yard: Yard, joints, slot: int = 0) -> None:
    """Detector and skeleton network see these joints in the coming frame."""
    left, top, right, bottom = box_of(joints)
    yard.put(slot, (left + right) / 2, bottom, bottom - top, right - left)
    yard.postures.keypoints[slot] = joints
    yard.postures.torso_px[slot] = 50.0
    yard.postures.found_ms[slot] = yard.t_ms


def seen(yard: Yard, for_ms: float, change=None, posture="stand", slot=0, x=200.0) -> Yard:
    """Seen for some time; `change` gets joints and seconds, and moves what it wants."""
    for k in range(round(for_ms / 100)):
        joints = figure(posture, x=x)
        if change is not None:
            change(joints, k / 10)
        look(yard, joints, slot)
        yard.tick()
    return yard


def noise(joints, t_s):
    """Every joint trembles by two pixels."""
    rng = np.random.default_rng(round(t_s * 10))
    joints[:, :2] += rng.normal(0, 2, (17, 2))


def swapped(joints, t_s):
    """Arms and legs apart; left and right change sides every other second."""
    joints[7::2, 0] -= 30
    joints[8::2, 0] += 30
    if int(t_s) % 2 == 0:
        joints[5:] = joints[[6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]


def hopping_wrist(joints, t_s):
    """A hidden wrist is found at one of three places."""
    joints[WRIST, :2] += [(0, 0), (30, 10), (-5, 40)][int(t_s * 7) % 3]


def at_work(joints, t_s):
    """A hand goes up and down by a fifth of a body, once in two seconds."""
    joints[WRIST, 1] += 0.12 * TALL_PX * np.sin(np.pi * t_s)


def waves(joints, t_s):
    """An arm goes up every three seconds."""
    if t_s % 3 > 1.5:
        joints[ELBOW, 1] -= 50
        joints[WRIST, 1] -= 110


def shifts(joints, t_s):
    """The whole body moves a third of a metre aside every few seconds."""
    joints[:, 0] += 30 * (int(t_s / 4) % 2)


def unsteady(joints, t_s):
    """Sways by a few centimetres."""
    joints[:11, 0] += 4 * np.sin(t_s)


STORIES = {
    "stands": (lambda: seen(immobile(), 12_000), ["raised"]),
    "lies": (lambda: seen(immobile(), 12_000, posture="lie"), ["raised"]),
    "joints tremble": (lambda: seen(immobile(), 12_000, noise), ["raised"]),
    "left and right change sides": (lambda: seen(immobile(), 12_000, swapped), ["raised"]),
    "a wrist hops": (lambda: seen(immobile(), 12_000, hopping_wrist), ["raised"]),
    "sways": (lambda: seen(immobile(), 12_000, unsteady), ["raised"]),
    "works with a hand": (lambda: seen(immobile(), 30_000, at_work), []),
    "lies, and a wrist seems to wander": (
        lambda: seen(seen(immobile(), 3000), 12_000, at_work, posture="lie"),
        ["raised"],
    ),
    "waves": (lambda: seen(immobile(), 30_000, waves), []),
    "moves aside again and again": (lambda: seen(immobile(), 30_000, shifts), []),
    "stands for less": (
        lambda: seen(seen(immobile(), 9_000), 9_000, x=240.0),
        [],
    ),
    "moves at last": (
        lambda: seen(seen(immobile(), 12_000), 3_000, x=260.0),
        ["raised", "cleared"],
    ),
    "beside the zone": (lambda: seen(immobile(zone="left"), 12_000, x=500.0), []),
    "in an exempt zone": (lambda: seen(immobile(exempt_zones=["cab"]), 12_000, x=30.0), []),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_fires_or_does_not(name):
    play, expected = STORIES[name]
    assert play().states == expected


def test_it_fires_in_time_and_says_by_what():
    yard = seen(immobile(), 12_000, noise)
    assert yard.edges[0][0] == pytest.approx(STILL_MS, abs=1500)
    why = yard.whys[0]
    assert (why["still_ms"], why["limit_heights"], why["measured"]) == (STILL_MS, 0.15, "skeleton")
    assert why["for_ms"] >= STILL_MS
    assert 0.0 < why["moved_heights"] <= 0.15


def boxes(yard: Yard, for_ms: float, change=lambda t_s: (0, 0)) -> Yard:
    """Only a box is seen; `change` gives how far its right side and its foot are off."""
    for k in range(round(for_ms / 100)):
        wider, lower = change(k / 10)
        yard.put(0, 200 + wider / 2, 180 + lower, 120 + lower, 40 + wider)
        yard.tick()
    return yard


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("a still box", lambda t_s: (0, 0), ["raised"]),
        ("a box that jitters", lambda t_s: (t_s * 10 % 3 * 4, t_s * 10 % 2 * 5), ["raised"]),
        ("one wrong box", lambda t_s: (80 * (t_s == 5.0), 0), ["raised"]),
        ("arms that move", lambda t_s: (40 * (int(t_s) % 2), 0), []),
    ],
)
def test_without_a_skeleton_the_box_tells(name, change, expected):
    yard = boxes(immobile(), 15_000, change)
    assert yard.states == expected
    assert all(why["measured"] == "box" for why in yard.whys)


def lost(yard: Yard, unseen_ms: float = 1000) -> Yard:
    """Neither detector nor skeleton finds them; the track is given up."""
    yard.tick(round(unseen_ms / 100))
    return yard.lose(0).tick()


def test_the_time_goes_on_while_nobody_sees_them():
    yard = seen(immobile(), 5000).tick(60)
    assert yard.states == ["raised"]


def test_somebody_lost_after_half_the_time_is_still_there():
    yard = lost(seen(immobile(), 6000, posture="lie"))
    yard.tick(60)
    assert yard.states == ["raised"]
    assert yard.whys[0]["track_lost"] is True
    yard.tick(300)
    assert yard.states == ["raised", "cleared"], "not for ever"
    assert yard.hazards.active == [0]


def test_somebody_lost_before_that_is_not():
    assert lost(seen(immobile(), 4000)).tick(300).edges == []


def test_who_is_found_where_somebody_was_lost_goes_on_with_the_time():
    yard = lost(seen(immobile(), 4000, posture="lie"))
    seen(yard, 6000, posture="lie", slot=2)
    assert yard.states == ["raised"]
    assert yard.found[0][1] == 12


def test_who_walks_past_there_does_not():
    yard = seen(immobile(), 4000, posture="lie")
    for k in range(10):
        look(yard, figure("stand", x=600 - 20 * k), 2)
        yard.tick()
    yard.lose(0)
    seen(yard, 9000, shifts, slot=2, x=420)
    assert yard.edges == []


def test_who_gets_up_from_there_ends_it():
    yard = lost(seen(immobile(), 12_000, posture="lie"))
    assert yard.states == ["raised"]
    for k in range(30):
        look(yard, figure("stand", x=230 + 6 * k), 2)
        yard.tick()
    assert yard.states == ["raised", "cleared"]
    assert yard.hazards.active == [0]


def test_many_people_are_looked_at_in_turn_and_found_still_all_the_same():
    yard = immobile()
    for k in range(120):
        for slot in range(8):
            if k % 8 == slot:
                joints = figure("stand", x=60 + 70 * slot)
                noise(joints, k)
                look(yard, joints, slot)
            else:
                yard.tracks.last_ms[slot] = yard.t_ms
        yard.tick()
    assert {slot for slot, *_ in yard.found} == set(range(8))
