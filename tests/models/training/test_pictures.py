"""Splits, labels, augmentation and metrics: no network needed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training import dedupe, metrics
from models.training.boxes import iou, letterbox, suppress
from models.training.kinds import BARE_HEAD, HELMET, IGNORE, PERSON, VEST
from models.training.pseudo_label import merge
from models.training.sources import Picture, head_below


def _photo(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 255, (12, 16, 3), np.uint8), np.ones((10, 10, 1), np.uint8))


def test_turned_and_mirrored_copies_are_one_group() -> None:
    if not hasattr(np, "bitwise_count"):
        pytest.skip("grouping needs NumPy 2 (extra: train)")
    photo = _photo(1)
    pictures = [photo, _photo(2), np.ascontiguousarray(photo[:, ::-1]), np.rot90(photo).copy()]
    groups = dedupe.group([dedupe.difference_hashes(p) for p in pictures])
    assert groups[0] == groups[2] == groups[3]
    assert groups[1] != groups[0]


def test_the_split_depends_on_the_hash_alone() -> None:
    held = [dedupe.is_held_out(h) for h in range(4_000)]
    assert held == [dedupe.is_held_out(h) for h in range(4_000)]
    assert abs(np.mean(held) - dedupe.HELD_OUT_SHARE) < 0.02


def _picture(objects: list[list[float]], *labelled: int) -> Picture:
    rows = np.array(objects, np.float32).reshape(-1, 5)
    return Picture("x", np.zeros((90, 150, 3), np.uint8), rows, frozenset(labelled))


NOBODY = np.zeros((0, 5), np.float32)


def test_teacher_boxes_become_people_only_where_the_set_has_no_labels() -> None:
    teacher = np.array([[0, 0, 10, 30, 0.9], [50, 0, 60, 30, 0.35]], np.float32)
    unlabelled = merge(_picture([], HELMET, VEST, BARE_HEAD), teacher)
    assert unlabelled[:, 4].tolist() == [PERSON, IGNORE + PERSON]
    labelled = merge(_picture([[0, 0, 10, 30, PERSON]], *range(4)), teacher)
    assert labelled[:, 4].tolist() == [PERSON, IGNORE + PERSON]
    assert labelled[1, 0] == 50


def test_a_class_that_a_set_does_not_label_is_ignored_all_over() -> None:
    merged = merge(_picture([[0, 0, 10, 10, HELMET]], PERSON, HELMET), NOBODY)
    regions = {int(row[4]) - IGNORE: row[:4].tolist() for row in merged if row[4] >= IGNORE}
    assert regions[VEST] == regions[BARE_HEAD] == [0, 0, 150, 90]
    assert HELMET not in regions


def test_a_head_without_a_body_hushes_the_place_of_the_body() -> None:
    heads = [[10, 10, 20, 20, HELMET], [100, 10, 110, 20, BARE_HEAD], [5, 5, 30, 80, PERSON]]
    merged = merge(_picture(heads, *range(4)), NOBODY)
    hushed = merged[merged[:, 4] == IGNORE + PERSON]
    assert len(hushed) == 1
    assert hushed[0, 0] < 100
    assert hushed[0, 3] > 70


def test_a_helmet_shell_is_drawn_down_to_the_chin_and_not_out_of_the_picture() -> None:
    shells = np.array([[10, 10, 50, 36, HELMET], [10, 70, 50, 96, HELMET]], np.float32)
    heads = head_below(shells, 100)
    assert heads[0].tolist() == [10, 10, 50, pytest.approx(10 + 40 * 1.12), HELMET]
    assert heads[1, 3] == 100


def test_suppression_keeps_the_best_of_overlapping_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.9, 0.1], np.float32), 0.5).tolist() == [1, 2]
    assert iou(boxes, boxes)[0, 0] == 1


def test_letterbox_sits_top_left_on_grey() -> None:
    canvas, ratio = letterbox(np.zeros((100, 400, 3), np.uint8), 320, 256)
    assert ratio == 0.8
    assert canvas[:80].max() == 0
    assert set(np.unique(canvas[81:])) == {114}


def test_average_precision_of_perfect_blind_and_half_right() -> None:
    truth = np.array([[0, 0, 10, 10, PERSON], [20, 0, 30, 10, PERSON]], np.float32)
    perfect = np.array([[0, 0, 10, 10, 0.9, PERSON], [20, 0, 30, 10, 0.8, PERSON]], np.float32)
    blind = np.zeros((0, 6), np.float32)
    half = np.array([[50, 50, 60, 60, 0.9, PERSON], [0, 0, 10, 10, 0.5, PERSON]], np.float32)
    assert metrics.average_precision([metrics.judge(perfect, truth)]) == 1
    assert metrics.average_precision([metrics.judge(blind, truth)]) == 0
    assert metrics.average_precision([metrics.judge(half, truth)]) == pytest.approx(0.25)
    assert metrics.at_threshold([metrics.judge(half, truth)], 0.4) == (1, 2, 1)


def test_a_detection_in_an_ignored_region_counts_neither_way() -> None:
    truth = np.array([[0, 0, 40, 40, IGNORE + VEST]], np.float32)
    found = np.array([[5, 5, 20, 20, 0.9, VEST], [90, 90, 99, 99, 0.8, VEST]], np.float32)
    assert metrics.judge(found, truth, VEST).hits.tolist() == [False]
    found[:, 5] = PERSON
    assert metrics.judge(found, truth, PERSON).hits.tolist() == [False, False]


def test_classes_are_judged_apart() -> None:
    truth = np.array([[0, 0, 10, 10, HELMET]], np.float32)
    found = np.array([[0, 0, 10, 10, 0.9, BARE_HEAD]], np.float32)
    assert metrics.average_precision([metrics.judge(found, truth, HELMET)]) == 0
    found[:, 5] = HELMET
    assert metrics.average_precision([metrics.judge(found, truth, HELMET)]) == 1


def test_a_share_has_an_interval_that_holds_it() -> None:
    low, high = metrics.share_range(9, 10)
    assert 0.5 < low < 0.9 < high < 1
    assert metrics.share_range(0, 100)[1] == pytest.approx(0.037, abs=0.002)


def test_drawn_training_pictures_repeat_and_hold_their_boxes() -> None:
    from models.training import synthetic

    for seed in range(6):
        pixels, boxes = synthetic.draw(seed, [np.full((50, 60, 3), 90, np.uint8)])
        again, _ = synthetic.draw(seed, [np.full((50, 60, 3), 90, np.uint8)])
        assert np.array_equal(pixels, again)
        assert pixels.shape[1] == 320
        assert bool((boxes[:, 2:4] > boxes[:, :2]).all())


def _draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rows = [[20, 10, 90, 110, PERSON], [0, 0, 160, 120, IGNORE + VEST]]
    return _photo(int(rng.integers(99))), np.array(rows, np.float32)


def test_augmented_boxes_stay_inside_the_picture() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training.augment import training_picture

    rng, seen = np.random.default_rng(0), set()
    for _ in range(60):
        pixels, boxes = training_picture(rng, _draw, mosaic=True, size=(320, 256))
        assert pixels.shape == (256, 320, 3)
        assert pixels.dtype == np.uint8
        assert bool((boxes[:, :4] >= 0).all())
        assert bool((boxes[:, 2] <= 320).all())
        assert bool((boxes[:, 3] <= 256).all())
        seen |= set(boxes[:, 4].astype(int))
    assert seen == {PERSON, IGNORE + PERSON, IGNORE + VEST}


def test_somebody_pasted_in_brings_box_and_silence_along_and_hides_who_was_there() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training import augment

    rng = np.random.default_rng(3)
    canvas = np.zeros((256, 320, 3), np.uint8)
    behind = np.array([[x, y, x + 6, y + 6, HELMET] for x in range(0, 314, 8)
                       for y in range(0, 250, 8)], np.float32)  # fmt: skip
    rows = augment._paste(rng, _draw, canvas, behind)
    person = rows[rows[:, 4] == PERSON][0]
    x1, y1, x2, y2 = person[:4].astype(int)
    assert canvas[y1:y2, x1:x2].any()
    silent = rows[rows[:, 4] == IGNORE + VEST][0]
    assert bool((silent[:2] <= person[:2] + 1).all() and (silent[2:4] >= person[2:4] - 1).all())
    hidden = rows[rows[:, 4] == IGNORE + HELMET]
    assert len(hidden) > 0
    assert bool((hidden[:, 0] >= silent[0] - 6).all() and (hidden[:, 2] <= silent[2] + 6).all())


def test_a_quarter_turn_moves_boxes_with_their_pixels() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training import augment

    picture = np.zeros((60, 100, 3), np.uint8)
    picture[10:20, 30:70] = 255

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return picture, np.array([[30, 10, 70, 20, PERSON]], np.float32)

    shapes = set()
    for seed in range(300):
        pixels, boxes = augment._turned(np.random.default_rng(seed), draw)
        x1, y1, x2, y2 = boxes[0, :4].astype(int)
        assert int((pixels > 0).all(2).sum()) == 400
        assert bool((pixels[y1:y2, x1:x2] == 255).all())
        shapes.add((x2 - x1, y2 - y1))
    assert shapes == {(40, 10), (10, 40)}


@pytest.mark.data
def test_no_training_picture_comes_from_a_test_clip(shared_data: Path, monkeypatch) -> None:
    import cv2

    from models.training import sources

    opened: list[str] = []
    monkeypatch.setattr(cv2, "imread", lambda path: opened.append(str(path)))
    real = sources.video_frames

    def frames(path: Path, step_ms: float):
        opened.append(str(path))
        return real(path, step_ms)

    monkeypatch.setattr(sources, "video_frames", frames)
    for reader in sources.READERS.values():
        list(reader(shared_data))
    assert len(opened) > 2000
    assert not [path for path in opened if any(name in path for name in sources.TEST_CLIPS)]


@pytest.mark.data
def test_the_posture_of_single_people_is_known(shared_data: Path) -> None:
    from models.training.sources import postures

    known = postures(shared_data)
    assert len(known) > 300
    assert set(known.values()) == {0, 1, 2}


@pytest.mark.parametrize(("deserted", "source"), [(True, "deserted"), (False, "simulated")])
def test_deserted_sites_are_a_set_of_their_own(tmp_path: Path, deserted: bool, source: str) -> None:
    """They are drawn as often as training wants, and teach what is nobody."""
    from models.training.sources import simulated

    for folder in ("images", "labels", "annotations"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "images/000000.jpg"), np.zeros((36, 64, 3), np.uint8))
    (tmp_path / "labels/000000.txt").write_text("")
    attributes = {"world_seed": 3, "deserted": deserted}
    table = {
        "images": [{"id": 1, "file_name": "000000.jpg", "attributes": attributes}],
        "annotations": [],
    }
    (tmp_path / "annotations/person_keypoints.json").write_text(json.dumps(table))
    (picture,) = simulated(tmp_path)
    assert picture.source == source
    assert len(picture.objects) == 0
