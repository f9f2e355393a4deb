"""`haetae eval skeleton`: rows in file order, refusals that say where."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from models.box_files import BoxFileRefused, read_boxes
from models.package import STUDENTS
from models.skeleton_cli import skeleton

shipped = pytest.mark.skipif(
    not (STUDENTS / "skeleton_s/model.toml").is_file(), reason="skeleton_s is not shipped"
)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(4)
    for name, (width, height) in {"a.png": (320, 240), "b.png": (200, 300)}.items():
        cv2.imwrite(str(folder / name), rng.integers(0, 255, (height, width, 3), np.uint8))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def run(folder, lines, *more):
    boxes, out = folder.parent / "boxes.jsonl", folder.parent / "out.jsonl"
    boxes.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code = skeleton(
        ["--images", str(folder), "--boxes", str(boxes), "--out", str(out), *map(str, more)]
    )
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return code, rows


def line(image, *box):
    return {"image": image, "box": list(box)}


@shipped
def test_rows_come_in_file_order(pictures):
    asked = [line("b.png", 10, 20, 90, 220), line("a.png", 0, 0, 50, 80), line("b.png", 5, 5, 9, 9)]
    code, rows = run(pictures, asked)
    assert code == 0
    assert [(row["image"], row["box"]) for row in rows] == [(a["image"], a["box"]) for a in asked]
    for row in rows:
        joints = np.array(row["keypoints"])
        assert joints.shape == (17, 3)
        assert (joints[:, 2] >= 0).all() and (joints[:, 2] <= 1).all()


@shipped
def test_the_same_person_gets_the_same_joints_wherever_the_line_stands(pictures):
    one, other = line("a.png", 30, 20, 90, 220), line("b.png", 5, 5, 90, 290)
    _, rows = run(pictures, [one, other, one])
    assert rows[0] == rows[2]


@shipped
def test_an_unreadable_picture_is_told_and_the_others_are_judged(pictures, capsys):
    asked = [
        line("broken.png", 0, 0, 9, 9),
        line("gone.png", 0, 0, 9, 9),
        line("a.png", 0, 0, 9, 9),
    ]
    code, rows = run(pictures, asked)
    assert code == 1
    assert [row["image"] for row in rows] == ["a.png"]
    told = capsys.readouterr().err
    assert "broken.png: cannot be read" in told and "gone.png: cannot be read" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"image": "a.png"}', "line 2: box is missing: must be"),
        ('{"box": [0, 0, 1, 1]}', "line 2: image is missing: must be"),
        ('{"image": 7, "box": [0, 0, 1, 1]}', "line 2: image = 7: must be the name"),
        ('{"image": "../a.png", "box": [0, 0, 1, 1]}', 'image = "../a.png": must be the name'),
        ('{"image": "a.png", "box": [0, 0, 1]}', "box = [0,0,1]: must be [x1, y1, x2, y2]"),
        ('{"image": "a.png", "box": [5, 0, 1, 1]}', "box = [5,0,1,1]: must be"),
        ('{"image": "a.png", "box": [true, 0, 1, 1]}', "box = [true,0,1,1]: must be"),
        ('{"image": "a.png", "box": [0, 0, 1e999, 1]}', "line 2:"),
        ("[1, 2]", "line 2: must be an object"),
        ("{no", "line 2: not JSON"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path, text, said):
    path = tmp_path / "boxes.jsonl"
    path.write_text('{"image": "a.png", "box": [0, 0, 1, 1]}\n' + text + "\n")
    with pytest.raises(BoxFileRefused) as refused:
        read_boxes(path)
    assert str(path) in str(refused.value) and said in str(refused.value)


def test_all_mistakes_are_told_at_once(pictures, capsys):
    code, _ = run(pictures, [line("a.png", 1, 0, 0, 1), line("x/y.png", 0, 0, 1, 1)])
    assert code == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_blank_lines_and_other_keys_are_left_alone(tmp_path):
    path = tmp_path / "boxes.jsonl"
    path.write_text('\n{"image": "a.png", "box": [0, 0.5, 1, 1], "score": 0.4}\n\n')
    assert read_boxes(path) == [("a.png", (0.0, 0.5, 1.0, 1.0))]


def test_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "pictures").write_text("")
    assert run(tmp_path / "pictures", [])[0] == 2


def test_a_missing_file_of_boxes_is_refused(pictures):
    missing = ["--boxes", str(pictures / "none.jsonl")]
    assert run(pictures, [], *missing)[0] == 2


def test_a_detector_is_refused(pictures, capsys):
    code, _ = run(pictures, [line("a.png", 0, 0, 9, 9)], "--model", "ppe_s")
    assert code == 3
    assert 'role = "detector"' in capsys.readouterr().err
