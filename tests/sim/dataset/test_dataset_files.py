"""What `haetae sim dataset` and `haetae sim sheet` write, and what they refuse."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import pytest

from sim.dataset.cli import dataset, sheet
from sim.world.truth import COCO_KEYPOINTS, VISIBLE

FRAMES, SIZE = 12, (320, 180)
ASKED = ("--seed", "7", "--frames", str(FRAMES), "--size", f"{SIZE[0]}x{SIZE[1]}")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "out"
    assert dataset([*ASKED, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def table(written):
    return json.loads((written / "annotations/person_keypoints.json").read_text())


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_bytes_however_many_processes(written, tmp_path):
    assert dataset([*ASKED, "--out", str(tmp_path / "again"), "--jobs", "2"]) == 0
    assert hashes(tmp_path / "again") == hashes(written)


def test_another_seed_gives_other_pictures(written, tmp_path):
    other = ("--seed", "8", "--frames", "1", "--size", "320x180")
    assert dataset([*other, "--out", str(tmp_path / "other")]) == 0
    first = "images/000000.jpg"
    assert (tmp_path / "other" / first).read_bytes() != (written / first).read_bytes()


def test_a_deserted_set_shows_the_same_sites_without_anybody(written, table, tmp_path):
    folder = tmp_path / "deserted"
    assert dataset([*ASKED, "--deserted", "--out", str(folder)]) == 0
    empty = json.loads((folder / "annotations/person_keypoints.json").read_text())
    assert people(table) and not people(empty)
    assert all(image["attributes"]["deserted"] for image in empty["images"])
    assert not any(image["attributes"]["deserted"] for image in table["images"])
    seeds = [[i["attributes"]["world_seed"] for i in one["images"]] for one in (table, empty)]
    assert seeds[0] == seeds[1]


def test_the_pictures_are_there_and_show_something(written, table):
    assert len(table["images"]) == FRAMES
    for image in table["images"]:
        pixels = cv2.imread(str(written / "images" / image["file_name"]))
        assert pixels.shape == (SIZE[1], SIZE[0], 3)
        assert (image["width"], image["height"]) == SIZE
        assert pixels.std() > 3


def test_coco_structure(table):
    assert set(table) == {"info", "licenses", "images", "annotations", "categories"}
    assert table["licenses"][0]["name"] == "Apache-2.0"
    person, machine = table["categories"]
    assert person["keypoints"] == list(COCO_KEYPOINTS) and machine["name"] == "machine"
    assert len(person["skeleton"]) == 19
    for kind in ("images", "annotations"):
        ids = [entry["id"] for entry in table[kind]]
        assert len(set(ids)) == len(ids)
    pictures = {image["id"] for image in table["images"]}
    assert all(entry["image_id"] in pictures for entry in table["annotations"])
    assert {entry["category_id"] for entry in table["annotations"]} <= {1, 2}


def people(table):
    return [entry for entry in table["annotations"] if entry["category_id"] == 1]


def test_boxes_lie_in_the_picture(table):
    assert len(people(table)) >= 8
    for entry in table["annotations"]:
        x, y, width, height = entry["bbox"]
        assert x >= 0 and y >= 0 and width > 0 and height > 0
        assert x + width <= SIZE[0] + 0.01 and y + height <= SIZE[1] + 0.01
        assert entry["area"] == pytest.approx(width * height, abs=0.2)


def test_visible_keypoints_lie_in_their_box(table):
    looked_at = 0
    for entry in people(table):
        x, y, width, height = entry["bbox"]
        points = [entry["keypoints"][i : i + 3] for i in range(0, 51, 3)]
        assert len(points) == 17
        assert entry["num_keypoints"] == sum(seen > 0 for _, _, seen in points)
        for px, py, seen in points:
            assert seen in (0, 1, 2)
            if seen == VISIBLE:
                looked_at += 1
                play = 3 + 0.06 * max(width, height)
                assert x - play <= px <= x + width + play
                assert y - play <= py <= y + height + play
    assert looked_at > 50


def test_people_have_their_attributes(table):
    for entry in people(table):
        attributes = entry["attributes"]
        assert {"action", "helmet", "vest", "visible", "at_m", "full_bbox"} <= set(attributes)
        assert 0 <= attributes["visible"] <= 1
        share = attributes["visible"] * attributes["in_view"]
        assert entry["iscrowd"] == int(share < 0.2) or abs(share - 0.2) < 0.002


def test_yolo_labels_say_the_same(written, table):
    assert (written / "classes.txt").read_text().split() == ["person", "helmet", "vest", "head"]
    counted = 0
    for image in table["images"]:
        text = (written / "labels" / image["file_name"]).with_suffix(".txt").read_text()
        rows = [[float(value) for value in line.split()] for line in text.splitlines()]
        for number, x, y, width, height in rows:
            assert number in (0, 1, 2, 3)
            for low, high in ((x - width / 2, x + width / 2), (y - height / 2, y + height / 2)):
                assert -1e-5 <= low < high <= 1 + 1e-5
        asked = [
            entry
            for entry in people(table)
            if entry["image_id"] == image["id"] and not entry["iscrowd"]
        ]
        assert sum(row[0] == 0 for row in rows) == len(asked)
        counted += len(asked)
    assert counted >= 8


def test_helmets_and_heads_are_on_their_people(written, table):
    kinds = set()
    for image in table["images"]:
        text = (written / "labels" / image["file_name"]).with_suffix(".txt").read_text()
        rows = [[float(value) for value in line.split()] for line in text.splitlines()]
        boxes = [row[1:] for row in rows if row[0] == 0]
        for number, x, y, width, height in rows:
            kinds.add(number)
            if number:
                assert any(
                    abs(x - px) <= pw / 2 + 0.02 and abs(y - py) <= ph / 2 + 0.02
                    for px, py, pw, ph in boxes
                )
                assert any(width <= pw + 0.02 and height <= ph + 0.02 for _, _, pw, ph in boxes)
    assert {0, 1, 2, 3} >= kinds and len(kinds) >= 3


def test_the_readme_says_how_to_make_it_again(written):
    text = (written / "README.md").read_text()
    assert "Apache-2.0" in text and "--seed 7 " in text and f"--frames {FRAMES}" in text


def test_a_folder_in_use_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert dataset([*ASKED, "--out", str(tmp_path)]) == 2
    assert "empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--size", "640"),
        ("--size", "0x360"),
        ("--size", "99999x360"),
        ("--frames", "0"),
        ("--frames", "many"),
        ("--seed", "-1"),
        ("--min-visible", "1.5"),
        ("--jobs", "0"),
        ("--format", "gif"),
    ],
)
def test_wrong_arguments_are_refused(wrong, tmp_path, capsys):
    with pytest.raises(SystemExit) as refused:
        dataset([*wrong, "--out", str(tmp_path / "out")])
    assert refused.value.code == 2
    assert wrong[0] in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_contact_sheet(tmp_path):
    out, truth = tmp_path / "sheet.png", tmp_path / "truth.png"
    asked = ["--seed", "7", "--size", "320x180"]
    assert sheet([*asked, "--frames", "7", "--out", str(out)]) == 0
    plain = cv2.imread(str(out))
    assert plain.shape == (2 * 274 + 4, 6 * 484 + 4, 3)
    assert plain[4:270, 4:480].std() > 3
    assert plain[282:, 500:].max() < 30  # the seventh stands alone in the second row
    assert sheet([*asked, "--frames", "1", "--truth", "--out", str(truth)]) == 0
    assert (cv2.imread(str(truth))[4:274, 4:484] != plain[4:274, 4:484]).any()


def test_a_sheet_wants_a_picture_file(tmp_path, capsys):
    with pytest.raises(SystemExit):
        sheet(["--out", str(tmp_path / "sheet.pdf")])
    assert ".png or .jpg" in capsys.readouterr().err
    assert sheet(["--frames", "1", "--size", "64x64", "--out", str(tmp_path / "no/s.png")]) == 2
