"""Rule man_down as a table of short stories: who needs help, and who only looks like it."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.geometry import resolve_site
from runtime.posture import Postures
from runtime.rules.build import build_rules
from runtime.site import Site, ZoneConfig
from runtime.site_rules import ManDownRuleConfig
from runtime.tables import Hazards, Tracks, TrackState
from tests.runtime.bodies import ACTIONS, box_of, figure, scores

WIDTH, HEIGHT, STEP_MS = 640, 480, 100
LEFT_HALF = ZoneConfig(name="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
SAID = {
    "stand": scores(),
    "walk": scores(walk=0.9),
    "sit": scores(sit=0.9),
    "squat": scores(squat=0.9, lie=0.05),
    "bend": scores(bend=0.9),
    "lie": scores(lie=0.9, fall=0.1),
    "knees_up": scores(squat=0.7, lie=0.2, fall=0.1),
}
"""What the action network says of a posture, if nothing else is told."""


class Story:
    """Somebody in a picture, posture after posture; collects the edges of the rule."""

    def __init__(self, capacity: int = 4, zones=(), rules=None, **rule) -> None:
        site = Site(
            format=1,
            name="t",
            units="fraction",
            rules=rules or [ManDownRuleConfig(**rule)],
            zones=list(zones),
        )
        resolved = resolve_site(site, WIDTH, HEIGHT, "t.toml")
        self.tracks = Tracks(capacity)
        self.postures = Postures(capacity, ACTIONS)
        self.rules = build_rules(site, resolved, capacity, self.postures)
        self.hazards = Hazards(len(self.rules.table))
        self.t_ms = 0.0
        self.edges: list[tuple[float, str]] = []
        self.whys: list[dict[str, object]] = []

    def is_(self, posture: str, for_ms: float, said=None, slot=0, like="", **place):
        """Seen in a posture for some time; `like`: what the network takes it for."""
        for _ in range(round(for_ms / STEP_MS)):
            self.see(
                figure(posture, **place), SAID[like or posture] if said is None else said, slot
            )
            self.tick()
        return self

    def see(self, joints, said, slot=0) -> None:
        tracks, postures = self.tracks, self.postures
        if tracks.state[slot] == TrackState.FREE:
            tracks.track_id[slot] += 10 + slot
            tracks.first_ms[slot] = self.t_ms
        tracks.state[slot] = TrackState.CONFIRMED
        tracks.boxes[slot] = box = box_of(joints)
        tracks.foot[slot] = (box[0] + box[2]) / 2, box[3]
        tracks.centre[slot] = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        tracks.last_ms[slot] = postures.found_ms[slot] = postures.judged_ms[slot] = self.t_ms
        postures.detected_ms[slot] = self.t_ms
        postures.keypoints[slot] = joints
        postures.torso_px[slot] = 50.0
        postures.scores[slot] = said
        tracks.refresh_live()

    def unseen(self, for_ms: float):
        """Neither the detector nor the skeleton network sees anybody."""
        for _ in range(round(for_ms / STEP_MS)):
            self.tick()
        return self

    def lost(self, slot=0):
        """The tracker gives them up."""
        self.tracks.state[slot] = TrackState.FREE
        self.tracks.died[:] = [slot]
        self.tracks.refresh_live()
        self.postures.forget(slot)
        self.tick()
        self.tracks.died.clear()
        return self

    def tick(self) -> None:
        self.hazards.edges.clear()
        self.rules.update(self.tracks, self.t_ms, self.hazards)
        self.edges += [(self.t_ms, edge.state) for edge in self.hazards.edges]
        self.whys += [edge.why for edge in self.hazards.edges]
        self.t_ms += STEP_MS

    @property
    def states(self) -> list[str]:
        return [state for _, state in self.edges]


def falls(**rule) -> Story:
    """Stands for two seconds and falls."""
    return Story(**rule).is_("stand", 2000).is_("lie", 3000)


FIRES = {
    "falls and lies": falls,
    "falls from a chair": lambda: Story().is_("sit", 2000).is_("lie", 3000),
    "falls while working bent over": lambda: (
        Story().is_("stand", 1000).is_("bend", 1000).is_("lie", 3000)
    ),
    "lies with drawn-up knees and is mostly taken for squatting": (
        lambda: Story().is_("stand", 2000).is_("squat", 500).is_("knees_up", 3000)
    ),
    "is taken for crawling at first": (
        lambda: Story().is_("stand", 2000).is_("lie", 500, scores(crawl=0.9)).is_("lie", 3000)
    ),
    "lay there from the first": lambda: Story().is_("lie", 5000),
    "lay down slowly": lambda: Story().is_("stand", 1000).is_("squat", 3000).is_("lie", 5000),
    "falls and is not seen any more": lambda: (
        Story().is_("stand", 2000).is_("lie", 500).unseen(900)
    ),
    "falls and is lost by the tracker before the time is over": (
        lambda: (
            Story(hold_ms=1500).is_("stand", 2000).is_("lie", 500).unseen(900).lost().unseen(500)
        )
    ),
    "falls off a ladder, and lies there as somebody new": (
        lambda: (
            Story()
            .is_("stand", 2000, foot_y=180.0)
            .unseen(600)
            .is_("lie", 1500, slot=1, foot_y=330.0)
        )
    ),
    "falls, is lost by the tracker and lies there as somebody new": (
        lambda: Story().is_("stand", 2000).unseen(1100).lost().is_("lie", 1500, slot=1)
    ),
    "lies, and the network wavers": (
        lambda: (
            Story(hold_ms=1500)
            .is_("stand", 2000)
            .is_("lie", 500)
            .is_("sit", 2500, scores(sit=0.25, lie=0.75))
        )
    ),
    "is seen badly now and then": (lambda: _blinking(Story().is_("stand", 2000))),
}


def _blinking(story: Story) -> Story:
    for _ in range(6):
        story.is_("lie", 300).unseen(300)
    return story


NEARLY = {
    "stands": lambda: Story().is_("stand", 6000),
    "squats for long": lambda: Story().is_("stand", 1000).is_("squat", 8000),
    "ties shoes, bent over": lambda: Story().is_("stand", 1000).is_("bend", 8000),
    "bends and is taken for lying": (
        lambda: Story().is_("stand", 1000).is_("bend", 8000, like="lie")
    ),
    "kneels low to tie shoes, and the network is sure of it": (
        lambda: Story().is_("stand", 1000).is_("knees_up", 8000, scores(squat=0.97, lie=0.01))
    ),
    "kneels low to tie shoes, and the network is not quite sure": (
        lambda: Story().is_("stand", 1000).is_("knees_up", 8000, scores(squat=0.9, lie=0.1))
    ),
    "one wrong skeleton where nothing is waited for": (
        lambda: Story(hold_ms=0).is_("stand", 2000).is_("lie", 100).is_("stand", 1000)
    ),
    "sits down and stays": lambda: Story().is_("stand", 1000).is_("sit", 8000),
    "stumbles and is up again at once": (
        lambda: Story().is_("stand", 2000).is_("lie", 300).is_("stand", 3000)
    ),
    "is low for half a second, and coming up when the time is over": (
        lambda: Story().is_("sit", 2000).is_("lie", 500).is_("sit", 3000)
    ),
    "one wrong skeleton among right ones": (lambda: _one_wrong(Story().is_("stand", 2000))),
    "lies down slowly, for less than after_ms": (
        lambda: Story().is_("stand", 1000).is_("squat", 3000).is_("lie", 2000)
    ),
    "lies there for less than after_ms while others walk by": lambda: _walks_by(Story()),
    "walks behind a wall": lambda: (
        Story().is_("stand", 3000, like="walk").unseen(1100).lost().unseen(3000)
    ),
    "walks away and gets small": lambda: _walks_away(Story()),
    "goes out of the picture at its lower edge": lambda: _walks_out(Story()),
    "squats behind a wall": (
        lambda: Story().is_("stand", 2000).is_("squat", 900).unseen(1100).lost().unseen(3000)
    ),
}


def _one_wrong(story: Story) -> Story:
    for _ in range(10):
        story.is_("stand", 400).is_("lie", 100)
    return story


def _walks_by(story: Story) -> Story:
    for step in range(25):
        story.see(figure("stand", x=100.0 + 16 * step), SAID["walk"], slot=0)
        story.see(figure("lie"), SAID["lie"], slot=1)
        story.tick()
    return story


def _walks_away(story: Story) -> Story:
    for step in range(60):
        joints = figure("stand", foot_y=440.0 - 3 * step, torso_px=80.0 * 0.97**step)
        story.see(joints, SAID["walk"])
        story.postures.torso_px[0] = 80.0 * 0.97**step
        story.tick()
    return story


def _walks_out(story: Story) -> Story:
    """Head first: nearer and nearer below the camera, until only the head is in the picture."""
    story.is_("stand", 2000, foot_y=300.0)
    for step in range(12):
        joints = figure("stand", foot_y=300.0 + 30.0 * step)
        joints[joints[:, 1] > HEIGHT] = 0.0
        story.see(joints, SAID["walk"])
        story.tracks.boxes[0, 3] = min(story.tracks.boxes[0, 3], HEIGHT)
        story.tick()
    return story.unseen(1100).lost().unseen(3000)


@pytest.mark.parametrize("story", FIRES.values(), ids=FIRES)
def test_who_is_down_is_a_hazard_once(story):
    assert story().states == ["raised"]


@pytest.mark.parametrize("story", NEARLY.values(), ids=NEARLY)
def test_who_only_looks_like_it_is_none(story):
    assert story().edges == []


def test_a_fall_counts_after_the_hold_time_and_not_before():
    fast, slow = falls(hold_ms=0).edges[0][0], falls(hold_ms=1500).edges[0][0]
    assert slow - fast == pytest.approx(1500, abs=STEP_MS)
    assert 2000 <= fast <= 2400, "known within 400 ms of lying"


def test_time_is_ms_and_not_frames():
    """Skeletons every 300 ms, as with many people in the picture: hardly later."""
    story = Story().is_("stand", 2000)
    for _ in range(8):
        story.is_("lie", 100).unseen(200)
    assert story.states == ["raised"]
    assert story.edges[0][0] <= 3900


def test_who_was_not_seen_to_fall_is_waited_for_longer():
    assert Story(after_ms=3000).is_("lie", 6000).edges[0][0] >= 3000
    assert Story(after_ms=8000).is_("lie", 6000).edges == []


def test_who_gets_up_is_over_after_the_clear_time():
    story = falls(clear_ms=1000).is_("stand", 3000)
    assert story.states == ["raised", "cleared"]
    assert story.hazards.active == [0]
    up_at_ms = 5000
    assert up_at_ms + 1000 <= story.edges[1][0] <= up_at_ms + 1800


def test_a_hazard_says_why():
    story = falls()
    why = story.whys[0]
    assert why["down"] >= why["threshold"] == 0.45
    assert why["action_score"] == pytest.approx(1.0)
    assert why["height_share"] < 0.25 and why["torso_rise"] < 0.25
    assert why["fell"] is True and why["out_of_sight"] is False
    assert why["hold_ms"] == 500 <= why["down_ms"]
    assert set(why) >= {"centre_px"}
    assert "after_ms" in Story().is_("lie", 5000).whys[0]


def test_a_head_that_comes_down_fast_and_is_gone_is_a_fall():
    """The detector loses people as they fall: blurred, and unlike anything it has learned."""
    story = Story().is_("stand", 2000)
    story.see(figure("squat"), SAID["squat"])
    story.tick()
    story.unseen(1100).lost().unseen(500)
    assert story.states == ["raised"]
    assert story.whys[0]["out_of_sight"] is True


def test_the_same_at_the_edge_of_the_picture_is_somebody_who_left():
    story = Story().is_("stand", 2000, x=30.0)
    story.see(figure("squat", x=20.0), SAID["squat"])
    story.tick()
    assert story.unseen(1100).lost().unseen(500).edges == []


@pytest.mark.parametrize(("knows_absence", "expected"), [(True, []), (False, ["raised"])])
def test_a_skeleton_where_the_detector_sees_nobody_counts_as_far_as_the_network_can_tell(
    knows_absence, expected
):
    """Falls out of the detector's sight; then the network sees somebody standing there."""
    story = Story()
    story.postures.knows_absence = knows_absence
    story.is_("stand", 2000)
    story.see(figure("squat"), SAID["squat"])
    story.tick()
    for _ in range(15):
        story.see(figure("stand"), SAID["stand"])
        story.postures.detected_ms[0] = 2000.0
        story.tick()
    assert story.states == expected


@pytest.mark.parametrize(("knows_absence", "expected"), [(True, ["raised"]), (False, [])])
def test_who_is_half_out_of_the_picture_is_judged_by_a_network_that_sees_what_is_missing(
    knows_absence, expected
):
    story = Story()
    story.postures.knows_absence = knows_absence
    story.is_("stand", 2000, x=560.0).is_("lie", 2000, x=540.0)
    assert story.states == expected


def test_a_lost_one_who_lies_there_again_is_the_same_hazard():
    story = falls().unseen(1000).lost()
    assert story.hazards.active == [1], "lying does not end by not being seen"
    story.unseen(2000).is_("lie", 5000, slot=1)
    assert story.states == ["raised"]
    assert story.hazards.active == [1]


def test_two_tracks_of_one_person_are_one_hazard_also_when_the_first_of_them_dies():
    story = falls()
    for _ in range(20):
        story.see(figure("lie"), SAID["lie"], slot=0)
        story.see(figure("lie"), SAID["lie"], slot=1)
        story.tick()
    story.lost(slot=0).is_("lie", 3000, slot=1)
    assert story.states == ["raised"]
    assert story.hazards.active == [1]


def test_somebody_else_who_falls_elsewhere_is_another_hazard():
    story = falls().unseen(1000).lost()
    story.is_("stand", 1500, slot=1, x=100.0).is_("lie", 3000, slot=1, x=100.0)
    assert story.states == ["raised", "raised"]
    assert story.hazards.active == [2]


def test_a_place_is_remembered_for_half_a_minute():
    story = falls().lost().unseen(31_000)
    assert story.states == ["raised", "cleared"]
    assert story.whys[-1] == {"track_lost": True, "unseen_ms": 30_000}
    assert story.hazards.active == [0]


def test_a_new_person_in_an_old_slot_starts_anew():
    """Who lies there from the first has not fallen, whoever had the slot before."""
    story = Story().is_("stand", 1000, x=20.0).lost()
    story.is_("lie", 2000, x=600.0)
    assert story.edges == []


def test_the_standing_height_follows_who_walks_away():
    story = _walks_away(Story())
    [group] = story.rules._groups
    assert group._evidence.share[0] > 0.7


def test_two_people_are_two_hazards():
    story = Story()
    for posture in ["stand"] * 20 + ["lie"] * 30:
        story.see(figure(posture, x=150.0), SAID[posture], slot=0)
        story.see(figure(posture, x=400.0), SAID[posture], slot=1)
        story.tick()
    assert story.hazards.active == [2]


@pytest.mark.parametrize(("x", "expected"), [(100.0, ["raised"]), (450.0, [])])
def test_a_zone_is_where_the_person_lies(x, expected):
    story = Story(zones=[LEFT_HALF], zone="left")
    story.is_("stand", 2000, x=x).is_("lie", 3000, x=x)
    assert story.states == expected


def test_an_unconfirmed_track_reaches_no_rule():
    story = Story()
    for _ in range(60):
        story.see(figure("lie"), SAID["lie"])
        story.tracks.state[0] = TrackState.TENTATIVE
        story.tick()
    assert story.edges == []


def test_legs_behind_a_wall_do_not_make_somebody_small():
    story = Story().is_("stand", 2000)
    joints = figure("stand")
    joints[11:] = 0.0
    for _ in range(60):
        story.see(joints, SAID["stand"])
        story.tick()
    assert story.edges == []


def test_a_head_above_a_wall_is_no_small_body():
    story = Story().is_("stand", 2000)
    joints = figure("stand")
    joints[7:] = 0.0
    for _ in range(60):
        story.see(joints, scores(lie=0.25))
        story.tick()
    assert story.edges == []


def test_all_places_for_lost_people_can_be_taken():
    """As many as there are slots, one after the other: the oldest gives way, and is told of."""
    story = Story(capacity=2)
    for x in (80.0, 240.0, 400.0):
        story.is_("stand", 1000, x=x).is_("lie", 1500, x=x).lost()
    assert story.states.count("raised") == 3
    assert story.hazards.active == [2]
    assert np.count_nonzero([state == "cleared" for state in story.states]) == 1
