"""The drawn world: repeatable, empty when it says so, and a person where the truth says."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.camera.synthetic_scene import POSTURES, Look, Outfit, SyntheticScene, random_look

WIDTH_PX, HEIGHT_PX = 640, 360


def _picture(scene: SyntheticScene, t_ms: float) -> np.ndarray:
    pixels = np.zeros((scene.height_px, scene.width_px, 3), np.uint8)
    scene.render(t_ms, pixels)
    return pixels


def test_the_same_seed_and_time_give_the_same_picture() -> None:
    first, second = (SyntheticScene(WIDTH_PX, HEIGHT_PX, seed=5, people=3) for _ in range(2))
    for t_ms in (0.0, 4_321.0, 700.5):
        assert np.array_equal(_picture(first, t_ms), _picture(second, t_ms))
    assert first.truth(4_321.0) == second.truth(4_321.0)


def test_consecutive_frames_of_an_empty_room_differ_by_noise_only() -> None:
    scene = SyntheticScene(WIDTH_PX, HEIGHT_PX)
    a, b = _picture(scene, 100.0).astype(int), _picture(scene, 200.0).astype(int)
    assert not np.array_equal(a, b)
    assert np.abs(a - b).mean() < 8


@pytest.mark.parametrize("t_ms", [0.0, 1_000.0, 1_990.0, 10_100.0, 11_900.0, 12_500.0])
def test_the_room_is_empty_before_and_after_the_walk(t_ms: float) -> None:
    assert SyntheticScene(WIDTH_PX, HEIGHT_PX).truth(t_ms) == []


def test_a_person_enters_left_walks_right_and_leaves() -> None:
    scene = SyntheticScene(WIDTH_PX, HEIGHT_PX)
    centres = [(b[0][0] + b[0][2]) / 2 for b in map(scene.truth, range(2_900, 9_100, 100))]
    assert centres[0] < WIDTH_PX * 0.2
    assert centres[-1] > WIDTH_PX * 0.9
    middle = scene.truth(7_000.0)[0]
    assert (middle[0] + middle[2]) / 2 > WIDTH_PX / 2


def test_the_person_is_drawn_where_the_truth_says() -> None:
    scene = SyntheticScene(WIDTH_PX, HEIGHT_PX)
    change = np.abs(_picture(scene, 5_000.0).astype(int) - _picture(scene, 0.0).astype(int)).sum(2)
    x1, y1, x2, y2 = (int(v) for v in scene.truth(5_000.0)[0])
    inside = change[y1:y2, x1:x2] > 60
    assert inside.mean() > 0.25
    change[y1 - 2 : y2 + 40, x1 - 60 : x2 + 60] = 0  # the shadow lies around the feet
    assert (change > 60).mean() < 0.001


def test_four_people_are_four_boxes_at_some_time() -> None:
    scene = SyntheticScene(WIDTH_PX, HEIGHT_PX, people=4)
    assert max(len(scene.truth(t)) for t in range(0, 12_000, 250)) == 4


@pytest.mark.parametrize("posture", list(POSTURES))
def test_every_posture_is_drawn_inside_the_picture(posture: str) -> None:
    look = Look(outfits=(Outfit(posture=posture),), paths=(((0, 0, 6), (12_000, 0.1, 6)),))
    scene = SyntheticScene(320, 256, look=look)
    assert _picture(scene, 6_000.0).std() > 5
    (box,) = scene.truth(6_000.0)
    assert 0 < box[0] < box[2] < 320
    assert 0 < box[1] < box[3] < 256


def test_random_looks_render_and_a_backdrop_replaces_the_room() -> None:
    rng = np.random.default_rng(1)
    backdrop = np.full((100, 120, 3), 77, np.uint8)
    for people in (0, 1, 3):
        scene = SyntheticScene(320, 256, people=people, look=random_look(rng, people, backdrop))
        assert abs(float(np.median(_picture(scene, 6_000.0))) - 77) < 10
        assert len(scene.truth(6_000.0)) <= people


def test_a_buffer_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="scene is"):
        SyntheticScene(64, 48).render(0.0, np.zeros((48, 48, 3), np.uint8))
