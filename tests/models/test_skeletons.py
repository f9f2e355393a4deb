"""Layouts, left and right, and what normalising must not notice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.skeletons import (
    JOINTS,
    KEYPOINTS,
    LAYOUTS,
    REACH,
    Normaliser,
    mirror_order,
    normalise,
    to_coco17,
)

BODY_25_NAMES = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee",
    "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe",
    "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip
OPENPOSE18_NAMES = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
NAMES = {"openpose18": OPENPOSE18_NAMES, "body25": BODY_25_NAMES, "coco17": KEYPOINTS}
"""As the OpenPose documentation lists them (doc/02_output.md)."""

somebody = arrays.arrays(
    np.float32, (3, JOINTS, 2), elements=st.floats(0, 300, width=32), unique=False
).map(lambda xy: np.concatenate((xy, np.ones((3, JOINTS, 1), np.float32)), 2))


def _person() -> np.ndarray:
    """Facing the camera, upright, float32[1, 17, 3] in pixels."""
    xy = [
        (100, 40), (104, 36), (96, 36), (110, 40), (90, 40), (120, 70), (80, 70), (128, 100),
        (72, 100), (130, 128), (70, 128), (112, 130), (88, 130), (112, 175), (88, 175),
        (112, 218), (88, 218),
    ]  # fmt: skip
    return np.array([[(x, y, 1) for x, y in xy]], np.float32)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_joint_keeps_its_name_and_side(layout: str) -> None:
    names = NAMES[layout]
    keypoints = np.ones((1, len(names), 3), np.float32)
    keypoints[0, :, 0] = [KEYPOINTS.index(n) if n in KEYPOINTS else -1 for n in names]
    found = to_coco17(keypoints, layout)  # type: ignore[arg-type]
    assert found[0, :, 0].tolist() == list(range(JOINTS))


def test_a_missing_hip_is_restored_from_its_partner_and_the_middle() -> None:
    keypoints = np.ones((1, 25, 3), np.float32)
    keypoints[0, BODY_25_NAMES.index("mid_hip")] = (50, 80, 0.9)
    keypoints[0, BODY_25_NAMES.index("left_hip")] = (60, 82, 0.8)
    keypoints[0, BODY_25_NAMES.index("right_hip")] = 0
    right_hip = to_coco17(keypoints, "body25")[0, KEYPOINTS.index("right_hip")]
    assert right_hip == pytest.approx((40, 78, 0.8))


def test_joints_hardly_seen_are_missing() -> None:
    keypoints = np.full((1, 17, 3), (5, 6, 0.05), np.float32)
    assert not to_coco17(keypoints, "coco17").any()


@pytest.mark.parametrize(
    ("shape", "layout", "reason"),
    [((1, 17, 3), "body25", r"\[N, 25, 3\]"), ((2, 17, 3), "halpe", "allowed: openpose18")],
)
def test_another_layout_is_refused(shape: tuple[int, ...], layout: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        to_coco17(np.zeros(shape, np.float32), layout)  # type: ignore[arg-type]


def test_the_torso_measures_one_and_sits_in_the_middle() -> None:
    found = normalise(_person())[0]
    shoulders, hips = found[5:7, :2].mean(0), found[11:13, :2].mean(0)
    assert np.abs(shoulders + hips).max() < 1e-5
    assert np.linalg.norm(shoulders - hips) == pytest.approx(1, abs=0.2)


@given(somebody, st.floats(0.05, 40), st.floats(-3000, 3000), st.floats(-3000, 3000))
def test_place_and_size_do_not_matter(
    skeletons: np.ndarray, scale: float, right: float, down: float
) -> None:
    skeletons += _person()
    moved = skeletons.copy()
    moved[:, :, :2] = moved[:, :, :2] * np.float32(scale) + np.array((right, down), np.float32)
    off = (abs(right) + abs(down)) / (scale * 100)
    assert np.abs(normalise(moved) - normalise(skeletons)).max() < 1e-3 * (1 + off)


@given(somebody)
def test_mirroring_the_picture_mirrors_the_result(skeletons: np.ndarray) -> None:
    skeletons += _person()
    mirrored = skeletons[:, list(mirror_order())].copy()
    mirrored[:, :, 0] *= -1
    expected = normalise(skeletons)[:, list(mirror_order())]
    expected[:, :, 0] *= -1
    assert normalise(mirrored) == pytest.approx(expected, abs=1e-3)


@given(
    arrays.arrays(np.float32, (4, JOINTS, 3), elements=st.floats(-1e4, 1e4, width=32)),
    arrays.arrays(np.bool_, (4, JOINTS)),
)
def test_whatever_comes_in_the_result_is_bounded(rows: np.ndarray, seen: np.ndarray) -> None:
    rows[:, :, 2] = seen
    found = normalise(rows)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= REACH
    assert not found[~seen].any()


def test_joints_a_hair_apart_are_a_point_and_not_a_size() -> None:
    rows = np.zeros((1, JOINTS, 3), np.float32)
    rows[0, :2] = (1.256e-42, 0, 1), (1, 0, 1)
    rows[0, 5], rows[0, 6] = (0, 0, 1), (1.256e-42, 0, 1)
    assert np.isfinite(normalise(rows)).all()


@pytest.mark.parametrize("lost", [(13, 14, 15, 16), (11, 12, 13, 14, 15, 16), (15, 16)])
def test_legs_out_of_view_hardly_move_the_rest(lost: tuple[int, ...]) -> None:
    whole, cut = _person(), _person()
    cut[:, list(lost)] = 0
    upper = slice(5, 11)
    a, b = normalise(whole)[0, upper, :2], normalise(cut)[0, upper, :2]
    size = np.linalg.norm(b[0] - b[1]) / np.linalg.norm(a[0] - a[1])
    assert size == pytest.approx(1, abs=0.25)


def test_mirror_order_swaps_sides_and_nothing_else() -> None:
    order = mirror_order()
    assert order[0] == 0
    assert [order[i] for i in order] == list(range(JOINTS))
    assert KEYPOINTS[order[KEYPOINTS.index("left_wrist")]] == "right_wrist"


def test_a_call_keeps_no_memory_and_writes_only_its_rows() -> None:
    normaliser, out = Normaliser(4), np.full((4, JOINTS, 3), 9, np.float32)
    normaliser(_person(), out[:1])
    assert out[0].max() < 9
    assert (out[1:] == 9).all()
