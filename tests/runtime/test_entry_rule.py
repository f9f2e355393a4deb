"""Rule `entry_predicted` as tables of walks: who is warned of before they enter, and why."""

from __future__ import annotations

import pytest

from drivers.toml_strict import ConfigErrors
from runtime.geometry import resolve_site
from runtime.rules.build import build_rules
from runtime.site import GroundConfig, Site, ZoneConfig
from runtime.site_rules import EntryRuleConfig, ZoneRuleConfig
from runtime.tables import Hazards, Tracks, TrackState

WIDTH, HEIGHT, BODY_PX = 640, 360, 170.0
PIT = ZoneConfig(name="pit", polygon=[(400, 0), (640, 0), (640, 360), (400, 360)])
GROUND = GroundConfig(
    picture=[(0, 0), (640, 0), (640, 360), (0, 360)],
    metres=[(0, 0), (6.4, 0), (6.4, 3.6), (0, 3.6)],
)
"""Seen from above, 100 pixels a metre; so is a body of 170 pixels."""


class Scene:
    """One person put to places by hand, every 100 ms."""

    def __init__(self, ground=GROUND, rules=None, zones=()) -> None:
        rules = rules or [EntryRuleConfig(zone="pit", hold_ms=200, clear_ms=500)]
        zones = [PIT, *zones]
        site = Site(format=1, name="t", units="pixel", rules=rules, zones=zones, ground=ground)
        self.rules = build_rules(site, resolve_site(site, WIDTH, HEIGHT, "t.toml"), 4)
        self.tracks, self.hazards = Tracks(4), Hazards(len(self.rules.table))
        self.edges, self.whys = [], []

    def walk(self, start_px, speed_m_s, ms=3000, since_ms=0, state=TrackState.CONFIRMED, y=200.0):
        for t_ms in range(since_ms, since_ms + ms, 100):
            self.at(t_ms, start_px + 0.1 * speed_m_s * (t_ms - since_ms), y, state)
        return self

    def at(self, t_ms, x, y, state=TrackState.CONFIRMED):
        tracks = self.tracks
        tracks.died.clear()
        tracks.state[0], tracks.track_id[0], tracks.last_ms[0] = state, 7, t_ms
        tracks.foot[0] = x, y
        tracks.boxes[0] = x - 30, y - BODY_PX, x + 30, y
        tracks.refresh_live()
        self.judge(t_ms)

    def judge(self, t_ms):
        self.hazards.edges.clear()
        self.rules.update(self.tracks, t_ms, self.hazards)
        self.edges += [(t_ms, edge.state) for edge in self.hazards.edges]
        self.whys += [edge.why for edge in self.hazards.edges]


@pytest.mark.parametrize("ground", [GROUND, None], ids=["metres", "body heights"])
@pytest.mark.parametrize(
    ("name", "start_px", "speed", "fires"),
    [
        ("walks at it", 50, 1.4, True),
        ("comes slowly", 50, 0.4, False),
        ("stands in front of it", 380, 0.0, False),
        ("walks away", 380, -1.2, False),
    ],
)
def test_who_is_warned_of(ground, name, start_px, speed, fires):
    scene = Scene(ground).walk(start_px, speed, 2400)
    assert [state for _, state in scene.edges] == ["raised"] * fires


@pytest.mark.parametrize("ground", [GROUND, None], ids=["metres", "body heights"])
def test_the_warning_comes_before_the_entry_and_clears_after_it(ground):
    scene = Scene(ground).walk(50, 1.4, 4000)
    (raised_ms, first), (cleared_ms, second) = scene.edges
    entry_ms = 350 / 0.14
    assert (first, second) == ("raised", "cleared")
    assert 700 <= entry_ms - raised_ms <= 1900
    assert cleared_ms == pytest.approx(entry_ms + 500, abs=100)
    assert scene.hazards.active == [0]


def test_a_warning_says_why():
    why = Scene().walk(50, 1.4, 2400).whys[0]
    assert why["probability"] >= why["threshold"] == 0.5
    assert (why["horizon_ms"], why["hold_ms"], why["measured"]) == (2000, 200, "ground")
    assert why["speed_m_s"] == pytest.approx(1.4, abs=0.05)
    assert why["held_ms"] >= 200


def test_who_turns_away_before_the_hold_time_is_not_warned_of():
    rules = [EntryRuleConfig(zone="pit", hold_ms=1500)]
    scene = Scene(rules=rules).walk(50, 1.4, 1800).walk(302, -1.4, 1500, since_ms=1800)
    assert scene.edges == []


def test_an_unconfirmed_track_warns_of_nothing():
    assert Scene().walk(50, 1.4, state=TrackState.TENTATIVE).edges == []


def test_a_track_that_dies_clears_its_warning_and_leaves_no_path():
    scene = Scene().walk(50, 1.4, 1800)
    scene.tracks.state[0] = TrackState.FREE
    scene.tracks.died[:] = [0]
    scene.tracks.refresh_live()
    scene.judge(1800)
    assert [state for _, state in scene.edges] == ["raised", "cleared"]
    assert scene.whys[-1]["track_lost"]
    scene.walk(330, 0.0, 600, since_ms=1900)
    assert len(scene.edges) == 2, "the next person stands"


def test_a_longer_horizon_warns_earlier_and_the_order_of_the_file_is_kept():
    rules = [
        ZoneRuleConfig(zone="pit"),
        EntryRuleConfig(zone="pit", horizon_ms=1000),
        EntryRuleConfig(zone="pit", horizon_ms=2500),
    ]
    scene = Scene(rules=rules)
    raised = {}
    for t_ms in range(0, 2500, 100):
        scene.at(t_ms, 50 + 0.14 * t_ms, 200.0)
        raised.update({e.rule: t_ms for e in scene.hazards.edges if e.state == "raised"})
    assert set(raised) == {1, 2}
    assert raised[2] < raised[1]
    assert [info.kind for info in scene.rules.table] == ["zone"] + ["entry_predicted"] * 2


def test_a_zone_beyond_the_horizon_is_refused():
    far = GroundConfig(
        picture=[(0, 360), (640, 360), (420, 180), (220, 180)],
        metres=[(-2, 2), (2, 2), (2, 8), (-2, 8)],
    )
    with pytest.raises(ConfigErrors, match=r"zones\[0\]\.polygon.*beyond the horizon"):
        Scene(far)
