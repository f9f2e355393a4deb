"""The skeleton package that ships: whole, small, honest about its data, and the same everywhere."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.board import NpuConfig
from drivers.npu.tflite import TfliteNpu
from models.package import load_package
from models.signature import open_session
from models.skeleton import SkeletonNetwork
from models.skeletons import KEYPOINTS
from models.training.licences import LICENCES

FOLDER = Path(__file__).parents[3] / "models/students/skeleton_s"
MOST_PARAMETERS = 500_000
SIDE_PX = (240, 320)
BOX = np.array((70, 30, 170, 300), np.float32)
SKIN, COAT, TROUSERS, GROUND, WALL = (
    (120, 150, 200), (40, 160, 220), (90, 50, 40), (110, 120, 125), (170, 165, 150),
)  # fmt: skip

pytestmark = pytest.mark.skipif(not (FOLDER / "model.toml").is_file(), reason="not shipped")


@pytest.fixture(scope="module")
def described() -> dict:
    return tomllib.loads((FOLDER / "model.toml").read_text())


def figure() -> np.ndarray:
    """Somebody drawn from capsules, standing with arms a little apart, seen from the front."""
    width, height = SIDE_PX
    pixels = np.full((height, width, 3), WALL, np.uint8)
    pixels[230:] = GROUND
    rng = np.random.default_rng(3)
    pixels = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
    for side in (-1, 1):
        _limb(pixels, (120 + 14 * side, 165), (120 + 17 * side, 225), 15, TROUSERS)
        _limb(pixels, (120 + 17 * side, 225), (120 + 18 * side, 284), 12, TROUSERS)
        _limb(pixels, (120 + 18 * side, 288), (120 + 24 * side, 292), 9, (30, 30, 30))
    _limb(pixels, (120, 100), (120, 160), 46, COAT)
    for side in (-1, 1):
        _limb(pixels, (120 + 27 * side, 92), (120 + 36 * side, 130), 12, COAT)
        _limb(pixels, (120 + 36 * side, 130), (120 + 40 * side, 166), 10, COAT)
        cv2.circle(pixels, (120 + 40 * side, 172), 7, SKIN, -1, cv2.LINE_AA)
    _limb(pixels, (120, 62), (120, 80), 14, SKIN)
    cv2.ellipse(pixels, (120, 54), (15, 19), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(pixels, (120 + 6 * side, 54), 2, (30, 30, 40), -1, cv2.LINE_AA)
        cv2.line(pixels, (120 + 11 * side, 80), (120 + 11 * side, 160), (235, 235, 235), 5)
    cv2.line(pixels, (115, 66), (125, 66), (60, 60, 140), 2, cv2.LINE_AA)
    cv2.ellipse(pixels, (120, 46), (17, 15), 0, 180, 360, (30, 200, 230), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(pixels, (3, 3), 0.8)


def _limb(pixels, start, end, width, colour) -> None:
    cv2.line(pixels, start, end, colour, width, cv2.LINE_AA)


def look(runtime: str, pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    config = NpuConfig(driver="npu.tflite", runtime=runtime)
    package = load_package(FOLDER, "tflite")
    session = open_session(package, TfliteNpu(config))
    out = np.zeros((17, 3), np.float32)
    SkeletonNetwork(package, session, pixels.shape[1], pixels.shape[0]).look(pixels, box, out)
    session.close()
    return out


def test_the_file_is_the_one_described(described: dict) -> None:
    for target in described["targets"]:
        content = (FOLDER / target["file"]).read_bytes()
        assert len(content) == target["bytes"]
        assert hashlib.sha256(content).hexdigest() == target["sha256"]


def test_it_is_small_and_names_cocos_joints(described: dict) -> None:
    assert 0 < described["parameters"] <= MOST_PARAMETERS
    assert tuple(described["classes"]) == KEYPOINTS


def test_a_picture_goes_in_byte_by_byte(described: dict) -> None:
    """Scale 1/128 and zero point 0 mean that flipping the top bit is all the preparation."""
    assert (described["input"]["scale"], described["input"]["zero_point"]) == (1 / 128, 0)


def test_the_card_names_every_data_set_its_licence_and_the_teachers(described: dict) -> None:
    card = (FOLDER / "README.md").read_text()
    assert described["training_data"]
    for row in described["training_data"]:
        assert row["licence"] == LICENCES[row["name"]]
        assert row["name"] in card and row["licence"] in card
    for teacher in ("MoveNet", "BlazePose"):
        assert teacher in card and teacher in described["teacher"]


@pytest.mark.parametrize("runtime", ["litert", "tflite"])
def test_the_drawn_figure_keeps_its_joints(runtime: str) -> None:
    """The tolerance is a quarter of the torso: the figure is drawn, and drawn by hand."""
    found = look(runtime, figure(), BOX)
    expected = {
        "nose": (120, 58), "left_shoulder": (147, 92), "right_shoulder": (93, 92),
        "left_hip": (134, 165), "right_hip": (106, 165), "left_knee": (137, 225),
        "right_knee": (103, 225), "left_ankle": (138, 284), "right_ankle": (102, 284),
    }  # fmt: skip
    torso = float(np.hypot(147 - 106, 92 - 165))
    for name, place in expected.items():
        joint = found[KEYPOINTS.index(name)]
        assert joint[2] > 0, name
        assert np.hypot(*(joint[:2] - place)) < 0.25 * torso, (name, joint)


def test_both_runtimes_see_the_same() -> None:
    one, other = (look(runtime, figure(), BOX) for runtime in ("litert", "tflite"))
    both = (one[:, 2] > 0) & (other[:, 2] > 0)
    assert both.sum() >= 14
    assert np.hypot(*(one - other)[both, :2].T).max() < 0.03 * (BOX[3] - BOX[1])
    assert np.abs(one - other)[both, 2].max() < 0.1


def test_an_empty_wall_has_fewer_joints_than_a_person() -> None:
    empty = np.full((SIDE_PX[1], SIDE_PX[0], 3), WALL, np.uint8)
    assert look("litert", empty, BOX)[:, 2].sum() < look("litert", figure(), BOX)[:, 2].sum()
