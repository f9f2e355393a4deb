"""The cache of people and the figures: what is written is read, what is counted is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training.skeleton_cache import (
    HIDDEN_SEEN,
    HIDDEN_WEIGHT,
    LONGEST_PX,
    LOST,
    SURE,
    UNKNOWN,
    People,
    Writer,
)
from models.training.skeleton_metrics import share, torso_lengths

PICTURE = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)


def joints(x: float, y: float, confidence: float = 1.0) -> np.ndarray:
    return np.tile(np.array((x, y, confidence), np.float32), (17, 1))


@pytest.fixture
def people(tmp_path: Path) -> People:
    truth = np.zeros(17, np.int8)
    truth[:3] = 2, 1, 2
    with Writer(tmp_path / "simulated") as writer:
        box = np.array((100, 50, 140, 150), np.float32)
        writer.add("simulated", True, PICTURE, box, joints(120, 90), truth, "lie")
    with Writer(tmp_path / "real") as writer:
        box = np.array((50, 10, 350, 295), np.float32)
        taught = joints(200, 100, 0.5 * (SURE + LOST))
        taught[0, 2], taught[1, 2] = SURE, LOST - 0.01
        writer.add("coco128x2", False, PICTURE, box, taught, None, "")
    return People([tmp_path / "simulated", tmp_path / "real"])


def test_two_caches_read_as_one(people: People) -> None:
    assert len(people) == 2
    assert people.sources.tolist() == ["simulated", "coco128x2"]
    assert people.held_out.tolist() == [True, False]
    assert people.actions.tolist() == ["lie", ""]


def test_a_joint_lies_on_the_same_pixel_as_before(people: People) -> None:
    person = people[0]
    x, y = person.joints[0].astype(int)
    assert (person.pixels[y, x] == PICTURE[90, 120]).all()
    x1, y1 = person.box[:2].astype(int)
    assert (person.pixels[y1, x1] == PICTURE[50, 100]).all()


def test_the_surroundings_are_kept_and_large_people_are_shrunk(people: People) -> None:
    assert people[0].pixels.shape[:2] == (190, 130)
    box = people[1].box
    assert max(box[2] - box[0], box[3] - box[1]) == pytest.approx(LONGEST_PX)
    assert people[1].joints[0] == pytest.approx(np.array((200, 100)) * LONGEST_PX / 300, abs=0.01)


def test_the_truth_tells_what_is_hidden(people: People) -> None:
    assert people.weight[0, :4].tolist() == pytest.approx([1, HIDDEN_WEIGHT, 1, 0])
    assert people.seen[0, :4].tolist() == pytest.approx([1, HIDDEN_SEEN, 1, 0])


def test_a_teacher_who_is_not_sure_leaves_it_open(people: People) -> None:
    assert people.seen[1, :3].tolist() == [1, 0, UNKNOWN]
    assert people.weight[1, :3].tolist() == pytest.approx([1, 0, 0.5])


def test_a_failed_writing_leaves_no_index(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Writer(tmp_path):
        raise ZeroDivisionError
    assert not (tmp_path / "index.npz").exists()


def test_a_share_counts_only_what_counts() -> None:
    right = np.array([[True, False, True], [False, False, True]])
    counted = np.array([[True, True, False], [False, True, True]])
    found = share(right, counted)
    assert (found.value, found.joints) == (0.5, 4)
    assert found.low <= 0.5 <= found.high


def test_a_share_of_nothing_is_no_number() -> None:
    nothing = np.zeros((2, 3), bool)
    assert np.isnan(share(nothing, nothing).value)


def test_a_torso_is_the_longer_diagonal_and_never_a_point() -> None:
    truth, known = np.zeros((3, 17, 2), np.float32), np.zeros((3, 17), bool)
    truth[:, 5], truth[:, 12] = (0, 0), (30, 40)
    truth[:, 6], truth[:, 11] = (0, 0), (6, 8)
    known[0, [5, 6, 11, 12]] = True
    known[1, [6, 11]] = True
    boxes = np.array([(0, 0, 50, 100), (0, 0, 100, 500), (0, 0, 50, 100)], np.float32)
    lengths = torso_lengths(truth, known, boxes)
    assert lengths[:2] == pytest.approx([50, 0.08 * 500])
    assert np.isnan(lengths[2])
