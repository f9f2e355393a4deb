"""The stage equipment: whose turn it is, what it adds, and what not seeing is worth without it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from drivers.faults import NpuFault
from drivers.interfaces import Frame
from models.tables import Detections
from runtime import closer_look
from runtime.closer_look import CloserLook
from runtime.context import Context
from runtime.looks import Looks
from runtime.metrics import Metrics
from runtime.tables import Hazards, Tracks, TrackState
from runtime.wearing import MISSING, WORN, Seen, Wearing

CLASSES = ("person", "helmet", "vest", "bare_head")


class FakeCloseUp:
    """Sees a person and a helmet wherever it looks."""

    fails = False

    def __init__(self, detector, capacity):
        self.looked: list[list[float]] = []

    def rehearse(self, found):
        found.count = 0

    def look(self, pixels, box, found):
        if self.fails:
            raise NpuFault("error")
        self.looked.append(box.tolist())
        found.boxes[0], found.boxes[1] = box, box * 0.5
        found.classes[:2] = 0, 1
        found.scores[:2] = 0.9
        found.count = 2


@pytest.fixture
def scene(monkeypatch):
    monkeypatch.setattr(closer_look, "CloseUp", FakeCloseUp)
    context = Context(Frame(64, 36), Detections(4), Tracks(4), Hazards(1), looks=Looks(4))
    metrics = Metrics()
    stage = CloserLook(SimpleNamespace(classes=CLASSES), 1, metrics)

    def at(t_ms, *slots, state=TrackState.CONFIRMED, tall=50.0):
        context.t_ms = t_ms
        context.equipment.count = 0
        for slot in slots:
            context.tracks.state[slot] = state
            context.tracks.boxes[slot] = slot, 0, slot + 20, tall
            context.tracks.last_ms[slot] = t_ms
        context.tracks.refresh_live()
        stage(context)
        context.tracks.died.clear()
        return [slot for slot in range(4) if context.looks.looked_ms[slot] == t_ms]

    return SimpleNamespace(context=context, stage=stage, metrics=metrics, at=at)


def test_everybody_has_a_turn_and_who_waited_longest_comes_first(scene):
    assert [scene.at(t, 0, 1, 2) for t in (100, 200, 300, 400)] == [[0], [1], [2], [0]]


def test_a_new_person_comes_before_those_who_had_a_turn(scene):
    scene.at(100, 0)
    scene.at(200, 0)
    assert scene.at(300, 0, 3) == [3]


def test_a_loop_that_is_behind_looks_less_often_but_looks(scene):
    scene.context.behind = True
    looked = [scene.at(t_ms, 0) for t_ms in range(0, 2000, 100)]
    assert looked == ([[0]] + [[]] * 3) * 5
    assert scene.metrics.shed == 15
    scene.context.behind = False
    assert [scene.at(t_ms, 0) for t_ms in (2000, 2100)] == [[0], [0]]


def test_nobody_unconfirmed_small_or_unseen_is_looked_at(scene):
    assert scene.at(100, 0, state=TrackState.TENTATIVE) == []
    assert scene.at(200, 1, tall=30.0) == []
    scene.at(300, 2)
    assert scene.at(400) == []


def test_what_is_seen_joins_the_equipment_without_the_people(scene):
    scene.at(100, 0)
    equipment = scene.context.equipment
    assert equipment.count == 1
    assert CLASSES[equipment.classes[0]] == "helmet"
    assert np.array_equal(equipment.boxes[0], scene.context.tracks.boxes[0] * 0.5)


def test_a_full_table_takes_no_more(scene):
    scene.context.equipment.count = 4
    scene.context.tracks.state[0] = TrackState.CONFIRMED
    scene.stage._found.count = 2
    scene.stage._found.classes[:2] = 0, 1
    scene.stage._add(scene.context.equipment)
    assert scene.context.equipment.count == 4


def test_a_failing_network_is_counted_and_told(scene, monkeypatch):
    monkeypatch.setattr(FakeCloseUp, "fails", True)
    with pytest.raises(NpuFault):
        scene.at(100, 0)
    assert scene.metrics.npu_errors == 1


def test_the_turn_of_a_track_dies_with_it(scene):
    scene.at(100, 0)
    scene.context.tracks.state[0] = TrackState.FREE
    scene.context.tracks.died[:] = [0]
    scene.at(200)
    assert scene.context.looks.looked_ms[0] < 0


@pytest.mark.parametrize(("every", "is_missing"), [(1, True), (3, True), (0, False)])
def test_not_seeing_a_helmet_counts_only_at_a_closer_look(every, is_missing):
    """0: never looked at; the whole picture shows no helmet, and that is worth nothing."""
    tracks, looks, table = Tracks(1), Looks(1), Detections(4)
    wearing = Wearing(Seen(table, CLASSES, looks), None, 360, 1, 0.2, 2000.0)
    tracks.state[0], tracks.boxes[0] = TrackState.CONFIRMED, [100, 100, 140, 220]
    tracks.refresh_live()
    helmet = wearing.items["helmet"]
    helmet.level[0] = 1.0
    for frame in range(60):
        t_ms = 100.0 * frame
        tracks.last_ms[0] = t_ms
        if every and frame % every == 0:
            looks.before_ms[0], looks.looked_ms[0] = looks.looked_ms[0], t_ms
        wearing.update([0], tracks, t_ms)
    assert (helmet.level[0] < MISSING) == is_missing
    assert (helmet.level[0] > WORN) == (not is_missing)
