"""The stage second_look: whom it looks for, what it takes for them, and where it puts them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from drivers.faults import NpuFault
from drivers.interfaces import Frame
from models.tables import Detections
from runtime import second_look
from runtime.context import Context
from runtime.metrics import Metrics
from runtime.second_look import SecondLook
from runtime.tables import Hazards, Tracks, TrackState

CLASSES = ("person", "helmet")
HERE, NEAR, FAR = [100, 100, 140, 200], [104, 104, 144, 204], [300, 100, 340, 200]


class FakeCloseUp:
    """Finds what it is told to."""

    rows: tuple = ()
    fails = False

    def __init__(self, detector, capacity):
        self.looked: list[list[float]] = []

    def rehearse(self, found):
        found.count = 0

    def look(self, pixels, box, found):
        if self.fails:
            raise NpuFault("error")
        self.looked.append(box.tolist())
        found.count = len(self.rows)
        for row, (name, score, place) in enumerate(self.rows):
            found.boxes[row], found.scores[row] = place, score
            found.classes[row] = CLASSES.index(name)


@pytest.fixture
def scene(monkeypatch):
    monkeypatch.setattr(second_look, "CloseUp", FakeCloseUp)
    monkeypatch.setattr(FakeCloseUp, "rows", (("person", 0.6, HERE),))
    context = Context(Frame(640, 360), Detections(4), Tracks(4), Hazards(1))
    metrics = Metrics()
    stage = SecondLook(SimpleNamespace(classes=CLASSES), 4, metrics)

    def follow(slot, box, last_ms, state=TrackState.CONFIRMED, velocity=(0, 0, 0, 0)):
        tracks = context.tracks
        tracks.state[slot], tracks.boxes[slot] = state, box
        tracks.last_ms[slot], tracks.velocity[slot] = last_ms, velocity
        tracks.refresh_live()

    def at(t_ms, *seen):
        context.t_ms = t_ms
        context.detections.count = len(seen)
        for row, (score, box) in enumerate(seen):
            context.detections.boxes[row], context.detections.scores[row] = box, score
        looks = len(stage._close_up.looked)
        stage(context)
        return stage._close_up.looked[looks:]

    return SimpleNamespace(context=context, metrics=metrics, follow=follow, at=at)


def rows(scene):
    detections = scene.context.detections
    return [round(float(score), 2) for score in detections.scores[: detections.count]]


def test_who_is_missing_is_looked_for_and_found(scene):
    scene.follow(0, HERE, 0.0)
    assert scene.at(100) == [HERE]
    assert rows(scene) == [0.6]
    assert scene.context.detections.boxes[0].tolist() == HERE


def test_who_is_seen_is_not_looked_for(scene):
    scene.follow(0, HERE, 0.0)
    assert scene.at(100, (0.9, NEAR)) == []
    assert rows(scene) == [0.9]


@pytest.mark.parametrize(
    ("box", "state"),
    [(HERE, TrackState.TENTATIVE), (HERE, TrackState.FREE), ([1, 1, 20, 30], TrackState.CONFIRMED)],
)
def test_nobody_unconfirmed_or_small_is_looked_for(scene, box, state):
    scene.follow(0, box, 0.0, state)
    assert scene.at(100) == []


def test_somebody_who_walks_is_looked_for_where_they_should_be(scene):
    scene.follow(0, HERE, 0.0, velocity=(0.1, 0.0, 0.1, 0.0))
    assert scene.at(200) == [[120, 100, 160, 200]]
    assert scene.at(5000) == [[140, 100, 180, 200]], "nobody is expected ever further away"


def test_of_several_who_are_missing_everybody_has_a_turn(scene):
    scene.follow(0, HERE, 0.0)
    scene.follow(1, FAR, 0.0)
    assert scene.at(100) + scene.at(200) + scene.at(300) == [HERE, FAR, HERE]


@pytest.mark.parametrize(
    "found",
    [(), (("helmet", 0.9, HERE),), (("person", 0.3, HERE),), (("person", 0.9, FAR),)],
    ids=["nothing", "a helmet", "hardly anybody", "somebody elsewhere"],
)
def test_what_is_not_that_person_is_not_taken(scene, monkeypatch, found):
    monkeypatch.setattr(FakeCloseUp, "rows", found)
    scene.follow(0, HERE, 0.0)
    scene.at(100)
    assert rows(scene) == []


def test_somebody_who_is_seen_already_is_not_seen_twice(scene, monkeypatch):
    """The other stands where the missing one was expected: found again, it is still the other."""
    scene.follow(0, HERE, 0.0)
    beside = [130, 100, 170, 200]
    monkeypatch.setattr(FakeCloseUp, "rows", (("person", 0.9, [118, 100, 158, 200]),))
    scene.at(100, (0.9, beside))
    assert rows(scene) == [0.9]


def test_the_best_score_still_comes_first(scene):
    scene.follow(0, HERE, 0.0)
    scene.at(100, (0.9, FAR), (0.4, [400, 100, 440, 200]))
    assert rows(scene) == [0.9, 0.6, 0.4]
    assert scene.context.detections.boxes[2].tolist() == [400, 100, 440, 200]


def test_a_full_table_takes_no_more(scene):
    scene.follow(0, HERE, 0.0)
    assert scene.at(100, *[(0.9, FAR)] * 4) == []


def test_a_box_ends_with_the_picture(scene, monkeypatch):
    monkeypatch.setattr(FakeCloseUp, "rows", (("person", 0.9, [-8, 90, 45, 210]),))
    scene.follow(0, [0, 100, 40, 200], 0.0)
    scene.at(100)
    assert np.array_equal(scene.context.detections.boxes[0], [0, 90, 45, 210])


def test_a_failing_network_is_counted_and_told(scene, monkeypatch):
    monkeypatch.setattr(FakeCloseUp, "fails", True)
    scene.follow(0, HERE, 0.0)
    with pytest.raises(NpuFault):
        scene.at(100)
    assert scene.metrics.npu_errors == 1
