"""Zone and line rules as tables of walks: what fires, what nearly fires, and why."""

from __future__ import annotations

import pytest

from runtime.geometry import resolve_site
from runtime.rules.build import build_rules
from runtime.rules.line import HIDDEN, Gate
from runtime.site import LineConfig, Site, ZoneConfig
from runtime.site_rules import LineRuleConfig, ZoneRuleConfig
from runtime.tables import Hazards, Tracks, TrackState

WIDTH, HEIGHT = 640, 360
LEFT_HALF = ZoneConfig(name="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
GATE = LineConfig(name="gate", start=(0.5, 0.2), end=(0.5, 0.8), in_side="left")


class Walk:
    """One person put to places by hand; collects the edges of the rules."""

    def __init__(self, rules, zones=(), lines=()) -> None:
        site = Site(
            format=1,
            name="t",
            units="fraction",
            rules=list(rules),
            zones=list(zones),
            lines=list(lines),
        )
        resolved = resolve_site(site, WIDTH, HEIGHT, "t.toml")
        self.tracks = Tracks(4)
        self.rules = build_rules(site, resolved, 4)
        self.hazards = Hazards(len(self.rules.table))
        self.edges = []

    def at(self, t_ms, x, y=180.0, slot=0, state=TrackState.CONFIRMED):
        tracks = self.tracks
        tracks.died.clear()
        if tracks.state[slot] == TrackState.FREE:
            tracks.track_id[slot] += 10 + slot
        tracks.state[slot] = state
        tracks.foot[slot] = x, y
        tracks.centre[slot] = x, y - 100
        tracks.last_ms[slot] = t_ms
        tracks.refresh_live()
        return self._judge(t_ms)

    def dies(self, t_ms, slot=0):
        self.tracks.state[slot] = TrackState.FREE
        self.tracks.died[:] = [slot]
        self.tracks.refresh_live()
        return self._judge(t_ms)

    def _judge(self, t_ms):
        self.hazards.edges.clear()
        self.rules.update(self.tracks, t_ms, self.hazards)
        found = [(edge.state, edge.why) for edge in self.hazards.edges]
        self.edges += [(t_ms, edge.state) for edge in self.hazards.edges]
        return found


def zone(hold_ms=300, clear_ms=500, **more) -> Walk:
    rule = ZoneRuleConfig(zone="left", hold_ms=hold_ms, clear_ms=clear_ms)
    return Walk([rule], zones=[LEFT_HALF], **more)


def line(settle_ms=300) -> Walk:
    return Walk([LineRuleConfig(line="gate", settle_ms=settle_ms)], lines=[GATE])


@pytest.mark.parametrize(
    ("name", "inside_at", "expected"),
    [
        ("stays inside", range(0, 2000, 100), [(300, "raised")]),
        ("in for less than the hold time", range(0, 300, 100), []),
        ("never inside", [], []),
        ("flickers", range(0, 2000, 200), []),
        ("in, out for long", range(0, 1000, 100), [(300, "raised"), (1500, "cleared")]),
        (
            "leaves for less than the clear time",
            [*range(0, 1000, 100), *range(1400, 2000, 100)],
            [(300, "raised")],
        ),
    ],
)
def test_zone_hysteresis_is_in_time_on_both_edges(name, inside_at, expected):
    walk = zone()
    for t_ms in range(0, 2000, 100):
        walk.at(t_ms, 100 if t_ms in inside_at else 500)
    assert walk.edges == expected


def test_hold_is_time_and_not_frames():
    for step_ms in (20, 50, 100, 150):
        walk = zone(hold_ms=300)
        for t_ms in range(0, 1000, step_ms):
            walk.at(t_ms, 100)
        assert walk.edges == [(300, "raised")], step_ms


def test_an_unconfirmed_track_reaches_no_rule():
    walk = zone()
    for t_ms in range(0, 2000, 100):
        walk.at(t_ms, 100, state=TrackState.TENTATIVE)
    assert walk.edges == []


def test_a_hazard_says_why():
    walk = zone()
    for t_ms in range(0, 300, 100):
        walk.at(t_ms, 100)
    ((state, why),) = walk.at(300, 100)
    assert state == "raised"
    assert why == {"inside_ms": 300, "hold_ms": 300, "foot_px": [100, 180], "score": 0.0}


def test_a_track_that_dies_inside_clears_its_hazard_and_leaves_no_state():
    walk = zone()
    for t_ms in range(0, 1000, 100):
        walk.at(t_ms, 100)
    ((state, why),) = walk.dies(1000)
    assert state == "cleared" and why["track_lost"]
    assert walk.hazards.active == [0]
    assert walk.at(1100, 100) == [], "the next person in this slot starts anew"
    assert [state for state, _ in walk.at(1400, 100)] == ["raised"]


def test_two_people_are_counted_as_active_each():
    walk = zone()
    for t_ms in range(0, 600, 100):
        walk.at(t_ms, 100)
        walk.at(t_ms, 120, slot=1)
    assert walk.hazards.active == [2]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 360), (-20, 400), (319, 359.9)])
def test_a_foot_on_or_beyond_the_edge_is_inside_the_zone_that_reaches_the_edge(x, y):
    walk = zone()
    walk.at(0, x, y)
    walk.at(300, x, y)
    assert walk.hazards.active == [1]


def test_the_anchor_is_chosen_per_zone():
    upper = ZoneConfig(name="left", polygon=[(0, 0), (1, 0), (1, 0.4), (0, 0.4)], anchor="centre")
    walk = Walk([ZoneRuleConfig(zone="left", hold_ms=0)], zones=[upper])
    assert walk.at(0, 300, 180), "centre at y 80 is inside, foot at y 180 is not"


@pytest.mark.parametrize(
    ("name", "xs", "expected"),
    [
        ("walks right", [200, 200, 200, 200, 250, 300, 350, 400, 450, 500, 500], ["in"]),
        ("walks left", [400, 400, 400, 400, 350, 300, 250, 200, 200, 200, 200], ["out"]),
        ("stays on one side", [200] * 11, []),
        ("flickers once", [200, 200, 200, 200, 330, 200, 200, 200, 200, 200, 200], []),
        ("flickers on every frame", [200, 200, 200, 200] + [330, 310] * 4, []),
        ("appears beyond the line", [400] * 11, []),
        (
            "crosses and comes back",
            [200] * 4 + [400] * 5 + [200] * 5,
            ["in", "out"],
        ),
    ],
)
def test_line_counts_a_settled_crossing_once(name, xs, expected):
    walk = line()
    for tick, x in enumerate(xs):
        walk.at(tick * 100, x)
    assert [state for _, state in walk.edges] == expected


def test_who_walks_around_the_gate_is_not_counted():
    walk = line()
    for tick, (x, y) in enumerate([(200, 20)] * 5 + [(400, 20)] * 5):
        walk.at(tick * 100, x, y)
    assert walk.edges == []


def test_a_crossing_carries_the_counts():
    walk = line()
    whys = []
    for tick, x in enumerate([200] * 4 + [400] * 5):
        whys += [why for _, why in walk.at(tick * 100, x)]
    assert [(why["in"], why["out"], why["occupancy"]) for why in whys] == [(1, 0, 1)]


def test_in_side_follows_the_walk_from_start_to_end():
    """Walking down the picture, the right hand is on the left of the picture."""
    for side, expected in (("right", "out"), ("left", "in")):
        gate = LineConfig(name="gate", start=(0.5, 0.0), end=(0.5, 1.0), in_side=side)
        walk = Walk([LineRuleConfig(line="gate")], lines=[gate])
        for tick, x in enumerate([200] * 5 + [400] * 5):
            walk.at(tick * 100, x)
        assert [state for _, state in walk.edges] == [expected]


def test_a_new_person_in_an_old_slot_does_not_inherit_a_side():
    walk = line()
    for tick in range(5):
        walk.at(tick * 100, 200)
    walk.dies(500)
    for tick in range(6, 12):
        walk.at(tick * 100, 400)
    assert walk.edges == []


def test_zone_and_line_rules_together_keep_the_order_of_the_file():
    rules = [LineRuleConfig(line="gate"), ZoneRuleConfig(zone="left", hold_ms=0)]
    walk = Walk(rules, zones=[LEFT_HALF], lines=[GATE])
    walk.at(0, 100)
    assert [info.kind for info in walk.rules.table] == ["line", "zone"]
    assert walk.hazards.active == [0, 1]
    assert walk.hazards.edges[0].rule == 1


@pytest.mark.parametrize(
    ("who", "number", "y", "edges"),
    [
        ("the same person", 10, 180, [(3300, "in")]),
        ("somebody else", 11, 180, []),
        ("the same, around the gate", 10, 20, []),
    ],
)
def test_who_comes_out_of_hiding_beyond_the_line_has_crossed_it(who, number, y, edges):
    walk = line()
    for tick in range(5):
        walk.at(tick * 100, 300, y)
    walk.dies(1500)
    walk.tracks.track_id[2] = number - 12
    for tick in range(30, 40):
        walk.at(tick * 100, 340, y, slot=2)
    assert walk.edges == edges, who


def test_the_sides_of_thousands_who_vanished_take_no_more_room():
    rule = LineRuleConfig(line="gate", settle_ms=0)
    site = Site(format=1, name="t", units="fraction", rules=[rule], lines=[GATE])
    gate = Gate(0, rule, resolve_site(site, WIDTH, HEIGHT, "t.toml").lines[0], 4)
    for number in range(1, 1000):
        gate.side[0] = gate._settled[0] = 1
        gate.forget(0, number)
    assert len(gate._hidden) == HIDDEN
    gate.recall(1, 999)
    gate.recall(2, 1)
    assert list(gate.side) == [0, 1, 0, 0]
