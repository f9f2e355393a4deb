"""Files of skeletons: read as they are, or refused with file, line and what is allowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.skeleton_files import SkeletonFileRefused, read_skeletons

ROW = ",".join(str(i / 100) for i in range(1, 37))


def _csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "s.csv"
    path.write_text(text)
    return path


def test_a_heading_and_a_class_are_understood(tmp_path: Path) -> None:
    heading = ",".join(f"j{i}_{a}" for i in range(18) for a in "xy") + ",class\n"
    file = read_skeletons(_csv(tmp_path, heading + ROW + ",walk\n" + ROW + ",run\n"), "openpose18")
    assert file.labels == ("walk", "run")
    assert file.skeletons.shape == (2, 17, 3)


def test_shares_of_the_picture_become_square(tmp_path: Path) -> None:
    path = _csv(tmp_path, ROW + "\n")
    wide, square = (read_skeletons(path, "openpose18", aspect=a).skeletons for a in (2.0, 1.0))
    assert wide[0, 0, 0] == pytest.approx(2 * square[0, 0, 0])
    assert wide[0, 0, 1] == pytest.approx(square[0, 0, 1])


def test_zero_zero_is_a_missing_joint(tmp_path: Path) -> None:
    row = ["5", "6"] * 16 + ["0", "0"]
    file = read_skeletons(_csv(tmp_path, ",".join(row) + "\n"), "coco17")
    assert file.skeletons[0, :, 2].tolist() == [1] * 16 + [0]
    assert file.labels == ()


def test_visibility_may_be_cocos(tmp_path: Path) -> None:
    row = ["5", "6", "2"] * 16 + ["5", "6", "0"]
    file = read_skeletons(_csv(tmp_path, ",".join(row) + "\n"), "coco17")
    assert file.skeletons[0, :, 2].tolist() == [1] * 16 + [0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no skeleton"),
        ("1,2,3\n", "line 1: 3 columns; allowed: 36"),
        (f"{ROW},a\n{ROW}\n", "line 2: 36 columns; allowed: 37"),
        (f"{ROW}\n\n{ROW.replace('0.3,', 'x,')}\n", r"line 3, column 30: 'x'; allowed: a number"),
        (ROW.replace("0.05", "nan"), r"line 1, column 5: 'nan'"),
        (ROW + "\n" + ROW.replace("0.05", "1e99"), "line 2, column 5.*to 1e6"),
        ("\0\xff", "no skeleton"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SkeletonFileRefused, match=reason) as refused:
        read_skeletons(_csv(tmp_path, text), "openpose18")
    assert "s.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ({"points": np.zeros((1, 17, 3))}, "no array keypoints, it has points"),
        ({"keypoints": np.zeros((1, 18, 3))}, r"\[1, 18, 3\]; allowed: \[N, 17, 2 or 3\]"),
        ({"keypoints": np.zeros((0, 17, 3))}, "N > 0"),
        ({"keypoints": np.full((2, 17, 3), np.nan)}, "line 0: allowed: coordinates"),
        ({"keypoints": np.zeros((1, 17, 3), "U1")}, "allowed: numbers"),
        ({"keypoints": np.ones((1, 17, 3)), "action": np.array(["a", "b"])}, "one per skeleton"),
        (
            {"keypoints": np.ones((1, 17, 3)), "labels": np.array(["a"]), "label": np.array([3])},
            "allowed: 0 to 0",
        ),
    ],
)
def test_a_bad_npz_is_refused(tmp_path: Path, held: dict[str, np.ndarray], reason: str) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, **held)
    with pytest.raises(SkeletonFileRefused, match=reason):
        read_skeletons(path, "coco17")


@pytest.mark.parametrize(("name", "content"), [("s.npz", b"PK\3\4junk"), ("s.npz", b"")])
def test_what_is_no_npz_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SkeletonFileRefused, match="not an npz"):
        read_skeletons(path, "coco17")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, keypoints=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SkeletonFileRefused, match="not an npz"):
        read_skeletons(path, "coco17")


def test_missing_files_and_other_suffixes_are_named(tmp_path: Path) -> None:
    with pytest.raises(SkeletonFileRefused, match="No such file"):
        read_skeletons(tmp_path / "none.csv", "coco17")
    with pytest.raises(SkeletonFileRefused, match=r"allowed: \.csv, \.npz"):
        read_skeletons(tmp_path / "none.json", "coco17")


@pytest.mark.data
def test_the_shared_sets_are_read_as_they_are(shared_data: Path) -> None:
    folder = shared_data / "skeleton"
    waving = read_skeletons(folder / "lzq/standing_walking_waving_squatting.csv", "openpose18")
    assert len(waving.skeletons) == 2259
    assert set(waving.labels) == {"stand", "walk", "wave", "squat"}
    kit = read_skeletons(folder / "pose_classification_kit/body25.npz", "body25")
    assert len(kit.skeletons) == 8536
    standing = np.array(kit.labels) == "Stand"
    nose, ankle = kit.skeletons[standing, 0, 1], kit.skeletons[standing, 15, 1]
    assert (nose < ankle).mean() > 0.95
