"""Splits, labels, augmentation and metrics: no network needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training import dedupe, metrics
from models.training.boxes import iou, letterbox, suppress
from models.training.pseudo_label import IGNORE, PERSON, merge
from models.training.sources import Picture


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


def test_teacher_boxes_become_people_only_where_the_set_has_no_labels() -> None:
    teacher = np.array([[0, 0, 10, 30, 0.9], [50, 0, 60, 30, 0.35]], np.float32)
    unlabelled = merge(Picture("x", np.zeros((40, 80, 3), np.uint8)), teacher)
    assert unlabelled[:, 4].tolist() == [PERSON, IGNORE]
    labels = np.array([[0, 0, 10, 30]], np.float32)
    labelled = merge(Picture("x", np.zeros((40, 80, 3), np.uint8), labels), teacher)
    assert labelled[:, 4].tolist() == [PERSON, IGNORE]
    assert labelled[1, 0] == 50


def test_a_head_without_a_body_hushes_the_place_of_the_body() -> None:
    heads = np.array([[10, 10, 20, 20], [100, 10, 110, 20]], np.float32)
    people = np.array([[5, 5, 30, 80]], np.float32)
    merged = merge(
        Picture("x", np.zeros((90, 150, 3), np.uint8), people, heads), np.zeros((0, 5), np.float32)
    )
    assert merged[:, 4].tolist() == [PERSON, IGNORE]
    assert merged[1, 0] < 100
    assert merged[1, 3] > 70


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
    perfect = np.array([[0, 0, 10, 10, 0.9], [20, 0, 30, 10, 0.8]], np.float32)
    blind = np.zeros((0, 5), np.float32)
    half = np.array([[50, 50, 60, 60, 0.9], [0, 0, 10, 10, 0.5]], np.float32)
    assert metrics.average_precision([metrics.judge(perfect, truth)]) == 1
    assert metrics.average_precision([metrics.judge(blind, truth)]) == 0
    assert metrics.average_precision([metrics.judge(half, truth)]) == pytest.approx(0.25)
    assert metrics.at_threshold([metrics.judge(half, truth)], 0.4) == (1, 2, 1)


def test_a_detection_in_an_ignored_region_counts_neither_way() -> None:
    truth = np.array([[0, 0, 40, 40, IGNORE]], np.float32)
    judged = metrics.judge(
        np.array([[5, 5, 20, 20, 0.9], [90, 90, 99, 99, 0.8]], np.float32), truth
    )
    assert judged.hits.tolist() == [False]


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


def test_augmented_boxes_stay_inside_the_picture() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training.augment import training_picture

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return _photo(int(rng.integers(99))), np.array([[20, 10, 90, 110, PERSON]], np.float32)

    rng = np.random.default_rng(0)
    for _ in range(60):
        pixels, boxes = training_picture(rng, draw, mosaic=True, size=(320, 256))
        assert pixels.shape == (256, 320, 3)
        assert pixels.dtype == np.uint8
        assert bool((boxes[:, :4] >= 0).all())
        assert bool((boxes[:, 2] <= 320).all())
        assert bool((boxes[:, 3] <= 256).all())


@pytest.mark.data
def test_the_acceptance_clip_is_not_a_training_source(shared_data: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra: train)")
    from models.training import evaluate, sources

    assert (shared_data / evaluate.ACCEPTANCE_CLIP).is_file()
    text = Path(sources.__file__).read_text()
    assert text.count(Path(evaluate.ACCEPTANCE_CLIP).name) == 1  # the warning against it
