"""Short scenes that a tracker must get right: meetings, hiding, a camera that moves, doubles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import Tracks, TrackState
from runtime.track import Tracker

BIRTH, TICK_MS, SIZE = 0.5, 100.0, (1400, 600)
Box = tuple[float, float, float, float]


class Scene:
    """A tracker at ten pictures a second."""

    def __init__(self, **config: float) -> None:
        self.tracks = Tracks(32)
        self.detections = Detections(64)
        self.tracker = Tracker(self.tracks, TrackingConfig(**config), BIRTH, SIZE)
        self.t_ms = -TICK_MS

    def see(
        self, *boxes: Box, score: float = 0.9, noise: np.random.Generator | None = None
    ) -> None:
        self.t_ms += TICK_MS
        self.detections.count = len(boxes)
        for row, box in enumerate(boxes):
            jitter = noise.normal(0.0, 0.02 * (box[3] - box[1]), 4) if noise else 0.0
            self.detections.boxes[row] = np.array(box) + jitter
            self.detections.scores[row] = score
        self.tracker.update(self.detections, self.t_ms)

    def number_at(self, x: float) -> int:
        """Of the confirmed track seen now whose middle is nearest to x; 0 = none."""
        tracks = self.tracks
        near = [
            (abs(tracks.centre[slot, 0] - x), int(tracks.track_id[slot]))
            for slot in tracks.live.tolist()
            if tracks.state[slot] == TrackState.CONFIRMED and tracks.last_ms[slot] == self.t_ms
        ]
        return min(near)[1] if near and min(near)[0] < 40 else 0


def person(x: float, y: float = 100.0, height: float = 200.0) -> Box:
    return (x - 0.2 * height, y, x + 0.2 * height, y + height)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("hidden", [0, 3, 6])
def test_two_people_cross_and_keep_their_numbers(seed, hidden):
    """The one behind is not seen while they stand in line."""
    scene, noise = Scene(), np.random.default_rng(seed)
    for tick in range(60):
        left, right = 200.0 + 10 * tick, 800.0 - 10 * tick
        boxes = [person(left, 120.0, 230.0)]
        if abs(tick - 30) >= hidden / 2:
            boxes.append(person(right, 100.0, 190.0))
        scene.see(*boxes, noise=noise)
        if tick == 10:
            numbers = scene.number_at(left), scene.number_at(right)
    assert 0 not in numbers
    assert (scene.number_at(left), scene.number_at(right)) == numbers


def test_who_is_covered_bit_by_bit_keeps_their_velocity():
    """Walking left behind somebody, less and less of the right of their box is seen."""
    scene, speeds = Scene(), []
    for tick in range(30):
        x = 800.0 - 12 * tick
        left, top, right, bottom = person(x)
        cut = max(tick - 26, 0) * 20.0
        scene.see((left + cut, top + cut, right, bottom), person(x - 90.0, 130.0, 230.0))
        speeds.append(TICK_MS * float(scene.tracks.velocity[0, [0, 2]].mean()))
    assert speeds[26] == pytest.approx(-12.0, abs=1.0)
    assert speeds[-1] < -9.0


@pytest.mark.parametrize("hidden_ms", [500, 2000, 6000])
def test_who_walks_behind_a_container_comes_out_with_the_same_number(hidden_ms):
    scene, noise = Scene(), np.random.default_rng(3)
    for tick in range(150):
        x = 100.0 + 8 * tick
        is_hidden = 30 <= tick < 30 + hidden_ms / TICK_MS
        scene.see(*([] if is_hidden else [person(x)]), noise=noise)
        if tick == 20:
            number = scene.number_at(x)
    assert scene.number_at(x) == number != 0


@pytest.mark.parametrize(
    ("who", "again", "others"),
    [
        ("from the left border", person(40.0), []),
        ("too far for a walk", person(1100.0), []),
        ("a child", person(400.0, 180.0, 120.0), []),
        ("into a crowd", person(400.0), [person(160.0 * k, 380.0, 150.0) for k in range(1, 6)]),
    ],
)
def test_who_turns_up_is_somebody_else(who, again, others):
    scene = Scene()
    for tick in range(30):
        scene.see(person(100.0 + 8 * tick), *others)
    for _ in range(20):
        scene.see(*others)
    for _ in range(10):
        scene.see(again, *others)
    number = scene.number_at((again[0] + again[2]) / 2)
    assert number > 1, who


def test_without_a_memory_nobody_comes_back():
    scene = Scene(memory_ms=0)
    for tick in range(80):
        scene.see(*([] if 20 <= tick < 60 else [person(100.0 + 8 * tick)]))
    assert scene.number_at(100.0 + 8 * tick) not in (0, 1)


@pytest.mark.parametrize("pan_px", [0.0, 15.0, 30.0])
def test_a_camera_that_pans_keeps_everybody_s_number(pan_px):
    """The boxes of all are swept along, up to 0.15 of a height per picture, there and back."""
    scene, noise = Scene(), np.random.default_rng(5)
    before: list[int] = []
    for tick in range(60):
        swept = pan_px * (min(tick, 30) - max(tick - 30, 0))
        places = [150.0 * k + 200.0 + swept for k in range(5)]
        scene.see(*(person(x) for x in places), noise=noise)
        if tick == 8:
            before = [scene.number_at(x) for x in places]
    assert len(set(before)) == 5 and 0 not in before
    assert [scene.number_at(x) for x in places] == before


@pytest.mark.parametrize(("people", "is_same"), [(5, True), (3, True), (2, False), (1, False)])
def test_a_jolt_of_all_is_the_camera_and_of_one_or_two_is_not(people, is_same):
    scene = Scene()
    places = [170.0 * k + 200.0 for k in range(people)]
    for _ in range(15):
        scene.see(*(person(x) for x in places))
    before = [scene.number_at(x) for x in places]
    for _ in range(5):
        scene.see(*(person(x + 95.0, 160.0) for x in places))
    after = [scene.number_at(x + 95.0) for x in places]
    assert (after == before) == is_same
    assert 0 not in after


def test_a_jolt_of_a_crowd_costs_nobody_their_number():
    """There and back every third picture, by more than half of a height."""
    scene, noise = Scene(), np.random.default_rng(0)
    x, y = noise.uniform(60, 1300, 28), noise.uniform(0, 450, 28)
    for tick in range(40):
        jolted = 60.0 * (tick // 3 % 2)
        at = zip(x + jolted, y + jolted, strict=True)
        scene.see(*(person(a, b, 100.0) for a, b in at), noise=noise)
    assert sorted(scene.tracks.track_id[scene.tracks.live].tolist()) == list(range(1, 29))


def test_the_hidden_are_jolted_with_the_picture():
    scene = Scene()
    places = [170.0 * k + 200.0 for k in range(5)]
    for _ in range(15):
        scene.see(*(person(x) for x in places))
    hidden = scene.number_at(places[4])
    scene.see(*(person(x) for x in places[:4]))
    for _ in range(3):
        scene.see(*(person(x + 95.0, 160.0) for x in places[:4]))
    scene.see(*(person(x + 95.0, 160.0) for x in places))
    assert scene.number_at(places[4] + 95.0) == hidden


def test_everybody_jumping_somewhere_else_is_no_camera():
    scene = Scene()
    for _ in range(15):
        scene.see(*(person(x) for x in (200.0, 400.0, 600.0, 800.0)))
    jumped = [person(60.0, 320.0), person(490.0, 430.0), person(700.0, 350.0), person(1000.0, 10.0)]
    for _ in range(6):
        scene.see(*jumped)
    assert all(scene.number_at(x) > 4 for x in (60.0, 490.0, 700.0, 1000.0))


def test_a_second_box_of_somebody_starts_no_track():
    scene = Scene()
    for _ in range(20):
        scene.see(person(300.0), (265.0, 110.0, 335.0, 240.0))
    assert scene.tracks.live.size == 1


def test_who_moves_a_box_in_the_table_moves_the_track():
    """The skeleton stage does, for somebody whom the detector has lost."""
    scene, tracks = Scene(), None
    for _ in range(10):
        scene.see(person(300.0))
    tracks = scene.tracks
    for tick in range(1, 12):
        scene.see()
        moved = person(300.0 + 20 * tick, 150.0, 150.0)
        tracks.boxes[0], tracks.velocity[0], tracks.last_ms[0] = moved, 0.0, scene.t_ms
        tracks.centre[0] = moved[0] + 30.0, 225.0
    for _ in range(5):
        scene.see(person(520.0, 150.0, 150.0))
    assert tracks.track_id[0] == 1 and tracks.live.tolist() == [0]
    assert tracks.boxes[0].tolist() == pytest.approx(person(520.0, 150.0, 150.0), abs=3.0)


def test_a_walker_s_velocity_is_the_walk():
    scene, noise = Scene(), np.random.default_rng(7)
    seen = []
    for tick in range(60):
        scene.see(person(100.0 + 12 * tick, 100.0 + 2 * tick), noise=noise)
        seen.append(scene.tracks.velocity[0].copy())
    mean = np.mean(seen[20:], axis=0) * TICK_MS
    assert mean.tolist() == pytest.approx([12.0, 2.0, 12.0, 2.0], abs=1.0)


def test_a_box_is_smoothed_and_does_not_lag():
    scene, noise = Scene(), np.random.default_rng(8)
    raw, smooth = [], []
    for tick in range(80):
        x = 100.0 + 10 * tick
        scene.see(person(x), noise=noise)
        raw.append((scene.detections.boxes[0, 0] + scene.detections.boxes[0, 2]) / 2 - x)
        smooth.append(float(scene.tracks.centre[0, 0]) - x)
    assert np.std(smooth[20:]) < 0.9 * np.std(raw[20:])
    assert abs(np.mean(smooth[20:])) < 1.0


def test_time_stands_still_or_jumps_and_nothing_breaks():
    scene = Scene()
    scene.see(person(300.0))
    scene.t_ms -= TICK_MS
    scene.see(person(300.0))
    scene.t_ms += 1e7
    scene.see(person(300.0))
    assert np.isfinite(scene.tracks.boxes).all() and scene.tracks.live.size == 1


def test_the_gate_grows_with_the_time_unseen():
    """0.45 heights in one picture is a jump; in eight it is a walk."""
    for unseen, numbers in ((0, 2), (8, 1)):
        scene = Scene(max_speed_heights_s=0.5)
        for _ in range(10):
            scene.see((0.0, 100.0, 400.0, 200.0))
        for _ in range(unseen):
            scene.see()
        for _ in range(4):
            scene.see((180.0, 100.0, 580.0, 200.0))
        ids = [int(n) for n in scene.tracks.track_id[scene.tracks.live]]
        assert len(set(ids) | {1}) == numbers


def test_seen_times_are_in_order():
    scene = Scene()
    for tick in range(30):
        scene.see(*([person(300.0)] if tick % 3 else []))
    times = [scene.tracks.first_ms[0], scene.tracks.last_ms[0], scene.t_ms]
    assert all(a <= b for a, b in pairwise(times))
