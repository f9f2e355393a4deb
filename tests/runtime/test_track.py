"""The tracker: one person one number, no impossible jumps, nothing that grows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import Tracks, TrackState
from runtime.track import Tracker

BIRTH = 0.3
CONFIG = TrackingConfig(confirm_ms=200, coast_ms=1000, max_speed_heights_s=4.0)


class Stage:
    """A tracker with tables, fed with plain boxes."""

    def __init__(self, capacity: int = 32, config: TrackingConfig = CONFIG) -> None:
        self.tracks = Tracks(capacity)
        self.detections = Detections(64)
        self.tracker = Tracker(self.tracks, config, BIRTH)

    def see(self, t_ms: float, *boxes: tuple[float, ...], score: float = 0.9) -> None:
        self.detections.count = len(boxes)
        for row, box in enumerate(boxes):
            self.detections.boxes[row] = box
            self.detections.scores[row] = score
        self.tracker.update(self.detections, t_ms)

    @property
    def ids(self) -> list[int]:
        return self.tracks.track_id[self.tracks.live].tolist()

    @property
    def confirmed(self) -> list[int]:
        live = self.tracks.live
        return self.tracks.track_id[live[self.tracks.state[live] == TrackState.CONFIRMED]].tolist()


def person(x: float, y: float = 100, height: float = 200) -> tuple[float, float, float, float]:
    return (x, y, x + 0.4 * height, y + height)


def test_a_walking_person_keeps_one_number():
    stage = Stage()
    for tick in range(60):
        stage.see(tick * 100, person(10 + 12 * tick))
    assert stage.ids == [1] and stage.confirmed == [1]


def test_a_person_is_confirmed_after_the_time_and_not_before():
    stage = Stage()
    stage.see(0, person(10))
    stage.see(100, person(10))
    assert stage.confirmed == []
    stage.see(200, person(10))
    assert stage.confirmed == [1]


def test_one_bad_box_never_becomes_a_person():
    stage = Stage()
    stage.see(0, person(10))
    for tick in range(1, 10):
        stage.see(tick * 100)
    assert stage.ids == [] and stage.confirmed == []


def test_an_impossible_jump_is_never_the_same_person():
    stage = Stage()
    for tick in range(5):
        stage.see(tick * 100, person(10, height=400))
    stage.see(500, person(10 + 0.6 * 400, height=400))
    assert stage.ids == [1, 2]


def test_the_gate_is_what_refuses_the_jump():
    loose = Stage(config=TrackingConfig(confirm_ms=200, max_speed_heights_s=1000.0))
    for tick in range(5):
        loose.see(tick * 100, (10.0, 100.0, 400.0, 200.0))
    loose.see(500, (200.0, 100.0, 590.0, 200.0))
    strict = Stage(config=TrackingConfig(confirm_ms=200, max_speed_heights_s=0.5))
    for tick in range(5):
        strict.see(tick * 100, (10.0, 100.0, 400.0, 200.0))
    strict.see(500, (200.0, 100.0, 590.0, 200.0))
    assert loose.ids == [1]
    assert strict.ids == [1, 2]


def test_a_hidden_person_comes_back_with_the_same_number_within_the_time():
    stage = Stage()
    for tick in range(10):
        stage.see(tick * 100, person(10 + 4 * tick))
    for tick in range(10, 18):
        stage.see(tick * 100)
    stage.see(1800, person(10 + 4 * 18))
    assert stage.ids == [1]


def test_an_unseen_track_dies_after_the_time_and_is_reported_once():
    stage = Stage()
    for tick in range(5):
        stage.see(tick * 100, person(10))
    deaths = []
    for tick in range(5, 30):
        stage.see(tick * 100)
        deaths += stage.tracks.died
    assert deaths == [0] and stage.ids == []


def test_a_weak_box_keeps_a_person_but_never_starts_one():
    stage = Stage()
    stage.see(0, person(10), score=0.2)
    assert stage.ids == []
    for tick in range(1, 5):
        stage.see(tick * 100, person(10))
    for tick in range(5, 40):
        stage.see(tick * 100, person(10), score=0.2)
    assert stage.ids == [1]


def test_weak_boxes_alone_do_not_keep_a_person_for_ever():
    """What is left when a person has gone may look a little like one: the siren must end."""
    stage = Stage()
    for tick in range(5):
        stage.see(tick * 100, person(10))
    last_strong_ms = 400
    for tick in range(5, 100):
        stage.see(tick * 100, person(10), score=0.2)
        if not stage.ids:
            break
    gone_ms = tick * 100 - last_strong_ms
    assert CONFIG.weak_ms < gone_ms <= CONFIG.weak_ms + CONFIG.coast_ms + 200


def test_two_people_who_cross_keep_their_numbers():
    stage = Stage()
    for tick in range(50):
        left = person(100 + 8 * tick, y=100)
        right = person(500 - 8 * tick, y=140, height=230)
        stage.see(tick * 100, left, right)
    first, second = (stage.tracks.centre[stage.tracks.live][:, 0]).tolist()
    assert stage.ids == [1, 2]
    assert first > 480 and second < 180


def test_a_second_box_inside_a_person_is_not_another_person():
    stage = Stage()
    for tick in range(5):
        stage.see(tick * 100, person(10))
    stage.see(500, person(10), (20.0, 110.0, 80.0, 160.0))
    assert stage.ids == [1]


@pytest.mark.parametrize(
    ("name", "box", "ids"),
    [
        ("closely around", (0.0, 95.0, 110.0, 305.0), [1]),
        ("somebody much nearer", (-60.0, 60.0, 200.0, 480.0), [1, 2]),
    ],
)
def test_a_box_around_a_person_is_another_one_only_when_much_larger(name, box, ids):
    stage = Stage()
    for tick in range(5):
        stage.see(tick * 100, person(10))
    stage.see(500, person(10), box)
    assert stage.ids == ids


def test_more_people_than_slots_are_refused_and_counted():
    stage = Stage(capacity=4)
    boxes = [person(120.0 * k, height=100) for k in range(6)]
    stage.see(0, *boxes)
    assert len(stage.ids) == 4
    assert stage.tracker.births_refused == 1


def test_thousands_of_passers_by_leave_nothing_behind():
    stage = Stage()
    rng = np.random.default_rng(1)
    for tick in range(3000):
        boxes = [person(float(x), float(y), 60) for x, y in rng.uniform(0, 2000, (12, 2))]
        stage.see(tick * 100, *boxes)
        assert stage.tracks.live.size <= stage.tracks.capacity
    assert max(stage.ids) > 10_000


BOXES = st.lists(
    st.tuples(st.floats(-50, 700), st.floats(-50, 400), st.floats(0, 300), st.floats(0, 300)),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(BOXES, min_size=1, max_size=25))
def test_any_detections_leave_a_sound_table(frames):
    stage = Stage(capacity=8)
    for tick, boxes in enumerate(frames):
        stage.see(tick * 100, *[(x, y, x + w, y + h) for x, y, w, h in boxes])
        tracks = stage.tracks
        assert tracks.live.tolist() == np.flatnonzero(tracks.state).tolist()
        assert len(set(stage.ids)) == len(stage.ids)
        assert np.isfinite(tracks.boxes[tracks.live]).all()
        assert all(tracks.state[slot] == TrackState.FREE for slot in tracks.died)


@pytest.mark.parametrize("people", [1, 6, 32])
def test_a_standing_crowd_is_followed_one_by_one(people):
    stage = Stage()
    boxes = [person(60.0 * (k % 8), 120.0 * (k // 8), 100) for k in range(people)]
    for tick in range(10):
        stage.see(tick * 100, *boxes)
    assert stage.confirmed == list(range(1, people + 1))
