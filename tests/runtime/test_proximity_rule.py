"""Rule proximity as a table of places: how near is too near, to a machine and to one another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.toml_strict import ConfigErrors
from runtime.geometry import resolve_site
from runtime.rules.places import Outline
from runtime.site import GroundConfig, Site, ZoneConfig
from runtime.site_rules import ProximityRuleConfig
from tests.runtime.yard import ABOVE, CAB, METRE_PX, Yard

EDGE_PX = 320
"""Right edge of the zone "left"; METRE_PX pixels are a metre where there is a ground plane."""


def machine(ground=ABOVE, **rule) -> Yard:
    rule = {"zone": "left", "distance_mm": 1500, "hold_ms": 300, "clear_ms": 1000, **rule}
    return Yard(ProximityRuleConfig(**rule), ground=ground)


def people(ground=ABOVE, **rule) -> Yard:
    rule = {"distance_mm": 1000, "hold_ms": 300, "clear_ms": 1000, **rule}
    return Yard(ProximityRuleConfig(**rule), ground=ground)


def off(metres: float) -> tuple[int, float]:
    return 0, EDGE_PX + metres * METRE_PX


TO_A_MACHINE = {
    "1.4 m off": (lambda: machine().stay(2000, off(1.4)), [(300, "raised")]),
    "2 m off": (lambda: machine().stay(2000, off(2)), []),
    "1.6 m off": (lambda: machine().stay(2000, off(1.6)), []),
    "inside": (lambda: machine().stay(2000, off(-3)), [(300, "raised")]),
    "near for less than the hold": (
        lambda: machine().stay(200, off(1)).stay(1000, off(2)).stay(200, off(1)),
        [],
    ),
    "goes away": (
        lambda: machine().stay(1000, off(1)).stay(2000, off(3)),
        [(300, "raised"), (2000, "cleared")],
    ),
    "in the cab": (lambda: machine(exempt_zones=["cab"]).stay(2000, (0, 30)), []),
    "without ground, a body's height off": (
        lambda: machine(None, distance_mm=1800).stay(2000, (0, EDGE_PX + 120)),
        [(300, "raised")],
    ),
    "without ground, farther": (
        lambda: machine(None, distance_mm=1600).stay(2000, (0, EDGE_PX + 120)),
        [],
    ),
}


@pytest.mark.parametrize("name", TO_A_MACHINE)
def test_somebody_near_a_machine_is_a_hazard(name):
    play, expected = TO_A_MACHINE[name]
    assert play().edges == expected


@pytest.mark.parametrize(
    ("yard", "place", "expected"),
    [
        (machine, off(1.25), {"distance_mm": 1250, "limit_mm": 1500, "measured": "ground"}),
        (machine, off(-1), {"distance_mm": 0, "limit_mm": 1500, "measured": "ground"}),
        (
            lambda: machine(None),
            (0, EDGE_PX + 60),
            {"distance_mm": 850, "limit_mm": 1500, "measured": "body height"},
        ),
    ],
)
def test_the_reason_says_how_near_and_how_it_was_measured(yard, place, expected):
    why = yard().stay(1000, place).whys[0]
    assert {key: why[key] for key in expected} == expected


def test_a_machine_across_the_horizon_cannot_be_measured():
    rows = [(100.0, 350.0), (540.0, 340.0), (420.0, 180.0), (200.0, 190.0)]
    true = np.array([[0.02, 0.003, -6.0], [0.001, -0.05, 30.0], [0.0, 0.004, -0.4]])
    mapped = np.column_stack([rows, np.ones(4)]) @ true.T
    site = Site(
        format=1,
        name="t",
        units="pixel",
        rules=[ProximityRuleConfig(zone="sky", distance_mm=1000)],
        zones=[ZoneConfig(name="sky", polygon=[(100, 350), (500, 350), (300, 50)])],
        ground=GroundConfig(picture=rows, metres=[(x / z, y / z) for x, y, z in mapped.tolist()]),
    )
    with pytest.raises(ConfigErrors, match="beyond the horizon"):
        resolve_site(site, 640, 360, "t.toml")


def two(x: float, y: float = 180.0, tall: float = 120.0) -> list[tuple]:
    """Somebody at 400 px, and somebody at another place."""
    return [(0, 400), (1, x, y, tall)]


def pass_by(metres: float) -> Yard:
    """Two people go past each other at this distance."""
    yard = people()
    for x in range(-200, 201, 8):
        yard.put(0, 400 + x, 150)
        yard.put(1, 400 - x, 150 + metres * METRE_PX)
        yard.tick()
    return yard


TO_ONE_ANOTHER = {
    "0.9 m apart": (lambda: people().stay(1000, *two(436)), [(300, "raised")] * 2),
    "1.1 m apart": (lambda: people().stay(1000, *two(444)), []),
    "0.9 m behind one another": (
        lambda: people().stay(500, *two(600, 216)).stay(1000, *two(400, 216)),
        [(800, "raised")] * 2,
    ),
    "alone": (lambda: people().stay(1000, (0, 400)), []),
    "pass by at 1.5 m": (lambda: pass_by(1.5), []),
    "one is in the cab": (
        lambda: people(exempt_zones=["cab"]).stay(1000, (0, 50), (1, 70)),
        [],
    ),
    "apart at last": (
        lambda: people().stay(1000, *two(430)).stay(1500, *two(500)),
        [(300, "raised")] * 2 + [(2000, "cleared")] * 2,
    ),
    "without ground, half a body apart": (
        lambda: people(None).stay(1000, *two(460)),
        [(300, "raised")] * 2,
    ),
    "without ground, a body apart": (lambda: people(None).stay(1000, *two(520)), []),
}  # fmt: skip


@pytest.mark.parametrize("name", TO_ONE_ANOTHER)
def test_two_people_near_one_another_are_a_hazard(name):
    play, expected = TO_ONE_ANOTHER[name]
    assert play().edges == expected


def test_who_passes_too_near_is_a_hazard():
    assert set(pass_by(0.5).states) == {"raised", "cleared"}


def test_both_tracks_are_named():
    found = people().stay(1000, *two(430)).found
    assert [(track_id, why["tracks"]) for _, track_id, _, why in found] == [
        (11, [11, 12]),
        (12, [12, 11]),
    ]
    assert {why["distance_mm"] for *_, why in found} == {750}


def test_the_nearest_of_many_is_named():
    yard = people(distance_mm=2000).stay(1000, (0, 400), (1, 460), (2, 430), (3, 600))
    assert {track_id: why["tracks"][1] for _, track_id, _, why in yard.found} == {
        11: 13,
        12: 13,
        13: 11,
    }


def test_a_second_box_of_a_person_is_nobody():
    yard = people().stay(1000, (0, 400))
    yard.stay(2000, (0, 400), (1, 405, 180, 90))
    assert yard.edges == []


def test_two_who_came_apart_from_one_box_count_when_they_meet_again():
    yard = people().stay(1000, (0, 400))
    yard.stay(500, (0, 400), (1, 405, 180, 110))
    yard.stay(500, (0, 400), (1, 436, 180, 110))
    assert yard.states == ["raised", "raised"], "0.9 m apart, and two boxes"
    yard.stay(500, (0, 400), (1, 405, 180, 110))
    assert yard.states == ["raised", "raised"], "one in front of the other: still two"


def test_two_who_meet_count_although_their_boxes_overlap():
    yard = people()
    for step in range(24):
        yard.put(0, 400)
        yard.put(1, 600 - 9 * step)
        yard.tick()
    assert yard.states == ["raised", "raised"]


def test_a_lost_track_is_nobody_to_be_near_to():
    yard = people(hold_ms=0).stay(1000, (0, 400))
    yard.stay(300)
    yard.stay(700, (1, 400))
    assert yard.edges == []


def test_nobody_is_near_to_where_somebody_was_last_seen():
    yard = people(hold_ms=0).stay(1000, (0, 400), (1, 600))
    yard.stay(300, (1, 600)).stay(600, (1, 436))
    assert yard.edges == []


def test_a_new_track_in_a_used_slot_has_no_past():
    yard = people().stay(500, (0, 400)).stay(300, (0, 400), (1, 405)).lose(1).tick()
    yard.stay(1000, (0, 400), (1, 430))
    assert yard.states == ["raised", "raised"]


def brute(corners, x, y) -> float:
    """Distance to the outline by a thousand points on each edge."""
    least = math.inf
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        for k in range(1001):
            s = k / 1000
            least = min(least, math.hypot(x1 + s * (x2 - x1) - x, y1 + s * (y2 - y1) - y))
    return least


@given(st.floats(-300, 900), st.floats(-300, 900))
def test_the_distance_is_that_of_the_nearest_point_of_the_outline(x, y):
    corners = [(100.0, 100.0), (300.0, 120.0), (320.0, 400.0), (180.0, 260.0)]
    outline = Outline(np.array(corners, np.float32), None)
    assert outline.distance(x, y, math.inf) == pytest.approx(brute(corners, x, y), abs=0.5)


def test_what_is_too_far_is_not_measured():
    outline = Outline(np.array(CAB.polygon, np.float32) * 100, None)
    assert outline.distance(50, 50, 10.0) == math.inf
    assert outline.distance(15, 50, 10.0) == pytest.approx(5.0)


def test_corners_in_line_are_left_out():
    line = [(x, 0.0) for x in range(0, 101, 10)]
    outline = Outline(np.array([*line, (100.0, 50.0), (0.0, 50.0)], np.float32), None)
    assert len(outline._edges) == 4
