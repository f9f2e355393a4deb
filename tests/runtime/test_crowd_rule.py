"""Rule crowd as a table of scenes: how many are too many, for how long, and who counts."""

from __future__ import annotations

import pytest

from runtime.site_rules import CrowdRuleConfig
from runtime.tables import TrackState
from tests.runtime.yard import STEP_MS, Yard

THREE = [(0, 50), (1, 150), (2, 250)]
FOUR = [*THREE, (3, 100)]


def crowd(**rule) -> Yard:
    rule = {"zone": "left", "at_most": 3, "hold_ms": 1000, "clear_ms": 1000, **rule}
    return Yard(CrowdRuleConfig(**rule))


SCENES = {
    "four for long": (lambda: crowd().stay(2000, *FOUR), [(1000, "raised")]),
    "three, for any time": (lambda: crowd().stay(5000, *THREE), []),
    "three inside and one beside": (lambda: crowd().stay(5000, *THREE, (3, 500)), []),
    "four, but shorter than the hold": (
        lambda: crowd().stay(900, *FOUR).stay(3000, *THREE, (3, 500)),
        [],
    ),
    "four again and again, never for long": (
        lambda: (
            [yard := crowd()]
            and [yard.stay(400, *FOUR).stay(1000, *THREE, (3, 500)) for _ in range(6)]
            and yard
        ),
        [],
    ),
    "one of four flickers out of the zone": (
        lambda: (
            [yard := crowd()]
            and [yard.stay(300, *FOUR).stay(300, *THREE, (3, 330)) for _ in range(3)]
            and yard
        ),
        [(1200, "raised")],
    ),
    "one leaves": (
        lambda: crowd().stay(2000, *FOUR).stay(2000, *THREE, (3, 500)),
        [(1000, "raised"), (2900, "cleared")],
    ),
    "one leaves for a moment": (
        lambda: crowd().stay(2000, *FOUR).stay(900, *THREE, (3, 500)).stay(2000, *FOUR),
        [(1000, "raised")],
    ),
    "at most none": (lambda: crowd(at_most=0).stay(2000, (5, 100)), [(1000, "raised")]),
    "in the whole picture": (
        lambda: crowd(zone="").stay(2000, *THREE, (3, 600)),
        [(1000, "raised")],
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_fires_or_does_not(name):
    play, expected = SCENES[name]
    assert play().edges == expected


def test_the_reason_counts_and_names_who_was_there_and_nobody_is_to_blame():
    ((slot, track_id, state, why),) = crowd().stay(1500, *FOUR).found
    assert (slot, track_id, state) == (-1, 0, "raised")
    assert why == {
        "held_ms": 1000, "hold_ms": 1000, "people": 4, "at_most": 3, "tracks": [11, 12, 13, 14],
    }  # fmt: skip


def test_somebody_lost_and_found_again_is_counted_once():
    yard = crowd(hold_ms=0)
    yard.stay(1000, *THREE)
    for _ in range(8):
        for person in THREE[:2]:
            yard.put(*person)
        yard.put(4, 255)
        yard.tick()
    assert yard.tracks.state[2] == TrackState.CONFIRMED, "the old track still coasts"
    assert yard.edges == []


def test_the_time_counts_from_where_the_last_one_was_found():
    yard = crowd().stay(2000, *THREE)
    yard.put(3, 100, state=TrackState.TENTATIVE)
    yard.stay(200, *THREE)
    yard.stay(2000, *FOUR)
    assert yard.edges == [(3000, "raised")]


def test_somebody_hidden_for_a_moment_counts_on():
    yard = crowd().stay(700, *FOUR)
    yard.stay(700, *THREE)
    assert yard.edges == [(1000, "raised")]


def test_a_track_that_dies_ends_it_after_the_time_to_clear():
    yard = crowd().stay(1500, *FOUR).lose(3)
    died_ms = yard.t_ms
    yard.stay(2000, *THREE)
    assert yard.edges[1:] == [(died_ms - STEP_MS + 1000, "cleared")]
    assert yard.hazards.active == [0]


def test_people_not_confirmed_do_not_count():
    yard = crowd()
    for _ in range(20):
        for slot, x in FOUR:
            yard.put(slot, x, state=TrackState.TENTATIVE if slot == 3 else TrackState.CONFIRMED)
        yard.tick()
    assert yard.edges == []
