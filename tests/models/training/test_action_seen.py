"""Skeletons that a network finds on rendered people: who is asked about, and who is held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.skeletons import JOINTS
from models.training.action_seen import HELD_OUT_EVERY, VIEWS_USED, around_two, find, people
from models.training.action_sources import read_simulated

WIDTH_PX, HEIGHT_PX = 200, 100


def _row(picture: int, action: str, **changed: Any) -> dict[str, Any]:
    attributes = {"action": action, "visible": 1.0, "in_view": 1.0}
    attributes |= {k: v for k, v in changed.items() if k in attributes}
    return {
        "image_id": picture,
        "category_id": changed.get("category_id", 1),
        "bbox": changed.get("bbox", [40, 20, 30, 60]),
        "attributes": attributes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "images").mkdir()
    pictures, rows = [], []
    for i in range(2 * HELD_OUT_EVERY):
        name = f"{i:06}.jpg"
        cv2.imwrite(str(tmp_path / "images" / name), np.full((HEIGHT_PX, WIDTH_PX, 3), i, np.uint8))
        pictures.append({
            "id": i, "file_name": name, "width": WIDTH_PX, "height": HEIGHT_PX,
            "attributes": {"world_seed": 100 + i // 2},
        })  # fmt: skip
        rows.append(_row(i, "stand" if i % 2 else "work"))
    rows += [
        _row(0, "walk", bbox=[10, 10, 8, 20]), _row(0, "walk", visible=0.3),
        _row(0, "walk", in_view=0.3), _row(0, "walk", category_id=2),
    ]  # fmt: skip
    told = {"images": pictures, "annotations": rows}
    (tmp_path / "annotations" / "person_keypoints.json").write_text(json.dumps(told))
    return tmp_path


@pytest.mark.parametrize(("other", "around"), [
    ((45, 5, 20, 50), (40, 5, 30, 75)),
    ((45, 25, 20, 60), None),
    ((90, 5, 20, 50), None),
    ((45, -90, 20, 120), None),
])  # fmt: skip
def test_who_is_right_behind_somebody_is_taken_into_their_box(
    other: tuple[float, ...], around: tuple[float, ...] | None
) -> None:
    box = np.array((40, 20, 30, 60), np.float32)
    found = around_two(box, np.array([box, other], np.float32))
    assert (found is None) if around is None else found.tolist() == list(around)


class Fixed:
    """Says that everybody's joints are on the box's diagonal, or hardly any."""

    def __init__(self, seen: int = JOINTS) -> None:
        self.seen = seen

    def look(self, pixels: np.ndarray, box: np.ndarray, out: np.ndarray) -> None:
        out[: self.seen, :2] = np.linspace(box[:2], box[2:], self.seen)
        out[: self.seen, 2] = 1


def test_small_hidden_and_cut_off_people_and_machines_are_not_asked_about(folder: Path) -> None:
    found = list(people(folder))
    assert [action for _, _, action, _ in found] == ["work", "stand"] * HELD_OUT_EVERY
    assert found[0][3].tolist() == pytest.approx([0.275, 0.5, 0.15, 0.6])


def test_a_world_is_held_out_whole_and_the_file_is_read_back(folder: Path, tmp_path: Path) -> None:
    arrays = find(folder, Fixed())  # type: ignore[arg-type]
    np.savez_compressed(tmp_path / "seen.npz", **arrays)
    source = read_simulated(tmp_path / "seen.npz")
    assert len(source.labels) == 2 * HELD_OUT_EVERY * VIEWS_USED
    assert set(arrays["group"][source.held_out]) == {100 + HELD_OUT_EVERY - 1}
    assert not set(arrays["group"][source.held_out]) & set(arrays["group"][~source.held_out])
    assert source.accept[source.labels == "stand"].sum(1).tolist() == [2] * HELD_OUT_EVERY * 2
    assert source.simulated


def test_who_has_hardly_a_joint_is_left_out(folder: Path) -> None:
    with pytest.raises(ValueError, match="need at least one array"):
        find(folder, Fixed(seen=3))  # type: ignore[arg-type]
