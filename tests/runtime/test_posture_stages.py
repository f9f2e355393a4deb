"""The skeleton and action stages with stand-in networks: turns, followed people, faults."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Frame
from models.tables import Actions, Detections, Skeletons
from runtime.context import Context
from runtime.metrics import Metrics
from runtime.people import People
from runtime.posture import NEVER_MS, Postures
from runtime.posture_network import AWAKE_MS, WatchedSession, knows_absence
from runtime.posture_stages import FOLLOW_MS, UNSURE_FOLLOW_MS, Act, Look
from runtime.tables import Hazards, Tracks, TrackState
from tests.runtime.bodies import ACTIONS, box_of, figure

WIDTH, HEIGHT, STEP_MS, SLOTS = 640, 480, 100, 16


class Eyes:
    """A skeleton network that finds whoever is put into the picture, and keeps where it looked."""

    def __init__(self) -> None:
        self.people: list[np.ndarray] = []
        self.boxes: list[tuple[float, ...]] = []
        self.session = WatchedSession(
            SimpleNamespace(inputs=[np.zeros(8, np.uint8)], outputs=[np.zeros(8, np.uint8)]), False
        )
        self.session._session.invoke = lambda: None
        self.broken = ""

    def look(self, pixels, box, out) -> None:
        """The person whose middle is in the box; nothing where there is none."""
        self.boxes.append(tuple(box.tolist()))
        self.session.invoke()
        if self.broken:
            raise NpuFault(self.broken, "asked for by the test")
        out[:] = 0.0
        for joints in self.people:
            x, y = joints[joints[:, 2] > 0][:, :2].mean(axis=0)
            if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
                out[:] = joints


class Scene:
    """People in a picture, with the two stages."""

    def __init__(self, looks: int = 4, knows_absence: bool = True) -> None:
        self.context = Context(
            Frame(WIDTH, HEIGHT), Detections(SLOTS), Tracks(SLOTS), Hazards(1),
            Postures(SLOTS, ACTIONS, knows_absence),
        )  # fmt: skip
        self.eyes, self.metrics = Eyes(), Metrics()
        self.postures, skeletons = self.context.postures, Skeletons(looks)
        self.skeletons = skeletons
        self.look = Look(
            self.eyes, self.eyes.session, self.postures, skeletons, self.metrics, (WIDTH, HEIGHT)
        )
        self.said = np.eye(len(ACTIONS), dtype=np.float32)[0]
        self.judge = Act(
            self._judge, self.eyes.session, self.postures, skeletons,
            Actions(looks, len(ACTIONS)), self.metrics,
        )  # fmt: skip
        self.looked: list[list[int]] = []
        self.faults: list[str] = []

    def _judge(self, skeletons, actions) -> None:
        if self.eyes.broken == "action":
            raise NpuFault("invoke_failed", "asked for by the test")
        actions.scores[: skeletons.count] = self.said
        actions.best[: skeletons.count] = 0
        actions.count = skeletons.count

    def put(self, slot: int, joints, seen: bool = True) -> None:
        tracks = self.context.tracks
        tracks.state[slot] = TrackState.CONFIRMED
        tracks.boxes[slot] = box_of(joints)
        if seen:
            tracks.last_ms[slot] = self.context.t_ms
        tracks.refresh_live()

    def tick(self, detected=None, behind: bool = False, found=None) -> list[int]:
        """One frame: slot -> figure that the detector sees; `found`: whom a skeleton sees."""
        context, t_ms = self.context, len(self.looked) * STEP_MS
        context.begin(float(t_ms))
        context.frame.t_ms = float(t_ms)
        context.took(0)
        context.judged, context.behind = True, behind
        detected = detected or {}
        self.eyes.people = list(detected.values()) if found is None else found
        self.eyes.boxes.clear()
        for slot, joints in detected.items():
            self.put(slot, joints)
        before = self.postures.looked_ms.copy()
        for stage in (self.look, self.judge):
            try:
                stage(context)
            except NpuFault as fault:
                self.faults.append(fault.reason)
        self.looked.append(np.flatnonzero(self.postures.looked_ms != before).tolist())
        return self.looked[-1]


def crowd(people: int, **figure_of):
    return {slot: figure("stand", x=20.0 + 38.0 * slot, **figure_of) for slot in range(people)}


def test_everybody_is_looked_at_in_turn_within_the_budget():
    scene = Scene(looks=4)
    for _ in range(9):
        scene.tick(crowd(12))
    assert all(len(slots) == 4 for slots in scene.looked)
    turns = np.bincount(np.concatenate(scene.looked), minlength=12)
    assert turns.tolist() == [3] * 12


def test_few_people_are_looked_at_in_every_frame():
    scene = Scene(looks=4)
    for _ in range(5):
        assert scene.tick(crowd(3)) == [0, 1, 2]
    assert scene.skeletons.owners[:3].tolist() == [0, 1, 2]
    assert scene.postures.found_ms[:3].tolist() == [400.0] * 3
    assert (scene.postures.scores[:3] == scene.said).all()


def test_who_changes_shape_comes_sooner_and_nobody_is_forgotten():
    scene = Scene(looks=1)
    people = crowd(6)
    for _ in range(6):
        scene.tick(people)
    for step in range(24):
        people[3] = figure(("lie", "stand")[step % 2], x=134.0)
        scene.tick(people)
    turns = np.bincount(np.concatenate(scene.looked[6:]), minlength=6)
    assert turns[3] >= 2 * turns[[0, 1, 2, 4, 5]].max()
    assert turns.min() >= 2


def test_a_loop_that_is_behind_leaves_out_the_far_ones_and_counts_them():
    scene = Scene(looks=4)
    people = {0: figure("stand", x=100.0), 1: figure("stand", x=400.0, torso_px=12.0)}
    assert scene.tick(people, behind=True) == [0]
    assert scene.metrics.shed == 1
    assert scene.tick(people) == [0, 1]


def test_a_tentative_track_is_not_looked_at():
    scene = Scene()
    scene.put(0, figure("stand"))
    scene.context.tracks.state[0] = TrackState.TENTATIVE
    assert scene.tick() == []


def test_a_skeleton_of_few_or_faint_joints_is_none():
    scene = Scene()
    faint = figure("stand")
    faint[:, 2] = 0.25
    scene.tick({0: faint})
    assert scene.skeletons.count == 0
    assert scene.postures.found_ms[0] == NEVER_MS


def test_whom_the_detector_loses_is_followed_by_the_skeleton():
    scene = Scene()
    scene.tick({0: figure("stand")})
    for step in range(5):
        fallen = figure("lie", x=230.0 + 5 * step, foot_y=250.0)
        scene.tick(found=[fallen])
        tracks, t_ms = scene.context.tracks, scene.context.t_ms
        assert tracks.last_ms[0] == t_ms, "the track does not die"
        x1, _, x2, y2 = tracks.boxes[0].tolist()
        assert x1 < fallen[:, 0].min() and x2 > fallen[:, 0].max()
        assert tracks.foot[0, 1] == y2 <= HEIGHT
        assert scene.postures.judged_ms[0] == t_ms


def test_a_skeleton_much_fainter_than_theirs_is_not_followed():
    scene = Scene()
    scene.tick({0: figure("stand")})
    faint = figure("lie", x=230.0, foot_y=250.0)
    faint[:, 2] = 0.35
    scene.tick(found=[faint])
    assert scene.context.tracks.last_ms[0] == 0.0


def test_nobody_is_followed_for_ever():
    scene = Scene()
    scene.tick({0: figure("stand")})
    for _ in range(int(FOLLOW_MS / STEP_MS) + 20):
        scene.tick(found=[figure("lie")])
    last_ms = scene.context.tracks.last_ms[0]
    assert last_ms == pytest.approx(FOLLOW_MS, abs=STEP_MS)


def test_a_network_that_sees_people_everywhere_follows_for_a_moment_only():
    scene = Scene(knows_absence=False)
    scene.tick({0: figure("stand")})
    for _ in range(40):
        scene.tick(found=[figure("lie", x=230.0, foot_y=250.0)])
    last_ms = scene.context.tracks.last_ms[0]
    assert last_ms == pytest.approx(UNSURE_FOLLOW_MS, abs=STEP_MS)


@pytest.mark.parametrize(("seen", "expected"), [(0.1, True), (0.9, False)])
def test_whether_a_network_knows_an_empty_picture_is_asked_at_boot(seen, expected):
    eyes = Eyes()
    everywhere = np.full((17, 3), seen, np.float32)
    eyes.look = lambda pixels, box, out: np.copyto(out, everywhere)
    assert knows_absence(eyes, (WIDTH, HEIGHT)) is expected


def test_a_network_that_sees_somebody_in_one_of_the_empty_pictures_does_not_know():
    eyes, looks = Eyes(), []

    def look(pixels, box, out):
        looks.append(pixels.copy())
        out[:] = 0.9 if len(looks) == 3 else 0.0

    eyes.look = look
    assert knows_absence(eyes, (WIDTH, HEIGHT)) is False
    assert all((a != b).any() for a, b in pairwise(looks))


def test_the_skeleton_of_somebody_else_is_not_followed():
    scene = Scene()
    other = figure("stand", x=330.0)
    scene.tick({0: figure("stand"), 1: other})
    scene.tick({1: other}, found=[other])
    assert scene.context.tracks.last_ms[0] == 0.0


@pytest.mark.parametrize("torso_px", [15.0, 100.0])
def test_a_skeleton_of_another_size_is_not_followed(torso_px):
    scene = Scene()
    scene.tick({0: figure("stand")})
    scene.tick(found=[figure("stand", foot_y=220.0 + 1.6 * torso_px, torso_px=torso_px)])
    assert scene.context.tracks.last_ms[0] == 0.0


def test_after_a_look_that_found_nobody_the_next_one_is_wider():
    scene = Scene()
    scene.tick({0: figure("stand")})
    seen = box_of(figure("stand"))
    scene.tick(found=[])
    assert scene.eyes.boxes[0] == pytest.approx(seen, abs=1)
    scene.tick(found=[])
    left, top, right, bottom = scene.eyes.boxes[0]
    assert right - left == pytest.approx(bottom - top)
    assert right - left > 1.4 * (seen[3] - seen[1])


def test_a_slot_that_died_keeps_nothing():
    scene = Scene()
    scene.tick({0: figure("stand")})
    tracks = scene.context.tracks
    tracks.state[0] = TrackState.FREE
    tracks.died[:] = [0]
    tracks.refresh_live()
    scene.tick()
    for times_ms in (scene.postures.found_ms, scene.postures.judged_ms, scene.postures.looked_ms):
        assert times_ms[0] == NEVER_MS


class TestFaults:
    def test_a_broken_network_is_no_sign_of_life_and_gives_no_skeletons(self):
        scene = Scene()
        scene.tick(crowd(2))
        assert not scene.context.doubtful
        scene.eyes.broken = "invoke_failed"
        scene.tick(crowd(2))
        assert scene.faults == ["invoke_failed"]
        assert scene.context.doubtful, "the health check will not count this frame"
        assert scene.skeletons.count == 0
        assert scene.metrics.npu_errors == 1
        assert scene.postures.judged_ms[0] == 0.0, "nothing is judged from a failed look"

    def test_a_network_that_breaks_while_nobody_is_there_is_found_out(self):
        scene = Scene()
        scene.tick()
        scene.eyes.broken = "hung"
        for _ in range(int(AWAKE_MS / STEP_MS) + 1):
            scene.tick()
        assert scene.faults and scene.context.doubtful

    def test_it_stays_a_fault_without_people_and_ends_when_the_network_answers(self):
        scene = Scene()
        scene.tick(crowd(1))
        scene.eyes.broken = "hung"
        scene.tick(crowd(1))
        scene.context.tracks.state[0] = TrackState.FREE
        scene.context.tracks.refresh_live()
        for _ in range(4):
            scene.tick()
            assert scene.context.doubtful
        scene.eyes.broken = ""
        scene.tick()
        assert not scene.context.doubtful

    def test_a_broken_action_network_is_a_fault_too(self):
        scene = Scene()
        scene.eyes.broken = "action"
        scene.look._network = SimpleNamespace(
            look=lambda pixels, box, out: np.copyto(out, figure("stand"))
        )
        scene.tick(crowd(1))
        assert scene.faults == ["invoke_failed"] and scene.context.doubtful
        assert scene.postures.judged_ms[0] == NEVER_MS


class TestPeople:
    def test_only_people_reach_the_tracker_and_the_rest_is_kept(self):
        people = People(["helmet", "person", "vest"], "folder", 4)
        found = people.found
        found.classes[:5] = [1, 0, 2, 1, 0]
        found.scores[:5] = [0.9, 0.8, 0.7, 0.6, 0.5]
        found.boxes[:5] = np.arange(20).reshape(5, 4)
        found.count = 5
        seen, rest = Detections(4), Detections(4)
        people.part(seen, rest)
        assert (seen.count, rest.count) == (2, 3)
        assert seen.scores[:2].tolist() == pytest.approx([0.9, 0.6])
        assert rest.classes[:3].tolist() == [0, 2, 0]
        assert rest.boxes[1].tolist() == [8, 9, 10, 11]
        assert set(seen.classes[:2].tolist()) == {1}

    def test_more_than_fit_are_counted(self):
        people = People(["person", "helmet"], "folder", 2)
        people.found.count = 4
        seen, rest = Detections(2), Detections(2)
        people.part(seen, rest)
        assert (seen.count, seen.dropped, rest.count) == (2, 2, 0)

    def test_a_detector_without_people_is_refused(self):
        with pytest.raises(
            ModelRefused, match='classes = \\[helmet, vest\\]; one must be "person"'
        ):
            People(["helmet", "vest"], "folder", 4)
