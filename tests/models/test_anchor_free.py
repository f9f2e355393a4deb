"""The table-driven decoder finds what the plain one finds, in bounded time and space."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from models.families.anchor_free import MAX_CANDIDATES, AnchorFreeDecoder
from models.families.grid import dequantized, quantized_threshold
from models.letterbox import Letterbox
from models.package import ModelInfo, OutputInfo
from models.tables import Detections
from tests.models import float_decoder, tiny_tflite

CLASSES = ["person", "helmet", "vest", "bare_head"]
KINDS = {
    "box": (4, 0.02, -3),
    "class": (0, 0.04, 20),
    "objectness": (1, 0.05, 30),
}


def make_info(
    classes: int = 1,
    box: str = "ltrb_exp",
    score: str = "probability",
    dtype: str = "int8",
    strides: tuple[int, ...] = (8, 16),
    size: tuple[int, int] = (96, 64),
) -> ModelInfo:
    tables = tiny_tflite.description(b"", CLASSES[:classes])
    kinds = ["box", "objectness", "class"] if score == "logit_objectness" else ["box", "class"]
    tables["input"]["shape"] = [1, size[1], size[0], 3]
    tables["decode"] = {"box": box, "score": score}
    tables["outputs"] = []
    for stride in strides:
        for kind in kinds:
            depth, scale, zero_point = KINDS[kind]
            if kind == "class" and score == "probability":
                scale, zero_point = 1 / 256, -128
            tables["outputs"].append(
                {
                    "index": len(tables["outputs"]),
                    "kind": kind,
                    "stride": stride,
                    "shape": [1, size[1] // stride, size[0] // stride, depth or classes],
                    "dtype": dtype,
                    "scale": scale * (1 + stride / 1000 if kind == "box" else 1),
                    "zero_point": zero_point + (128 if dtype == "uint8" else 0),
                }
            )
    tables["targets"][0].update(bytes=1)
    return msgspec.convert(tables, ModelInfo)


def quiet(info: ModelInfo) -> list[Any]:
    """Outputs in which nothing is detected."""
    return [np.full(out.shape, np.iinfo(out.dtype).min, out.dtype) for out in info.outputs]


def noise(info: ModelInfo, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, 256, out.shape).astype(np.uint8).view(out.dtype) for out in info.outputs
    ]


def plain(
    info: ModelInfo, outputs: list[Any], letterbox: Letterbox, min_score: float
) -> list[float_decoder.Box]:
    """Detections of the plain decoder; drops the example where rounding could decide."""
    found = [
        float_decoder.to_source(
            box, letterbox.scale_x, letterbox.scale_y, letterbox.source_w, letterbox.source_h
        )
        for box in float_decoder.candidates(info, outputs)
        if box.score >= min_score - 1e-6
    ]
    assume(all(box.score == min_score or abs(box.score - min_score) > 1e-5 for box in found))
    found.sort(key=lambda box: -box.score)
    gaps = np.diff([box.score for box in found])
    assume(not np.any((gaps != 0) & (np.abs(gaps) < 1e-6)))
    kept: list[float_decoder.Box] = []
    for box in found[:MAX_CANDIDATES]:
        overlaps = [float_decoder.iou(box, other) for other in kept if other.cls == box.cls]
        assume(all(abs(value - info.thresholds.nms_iou) > 1e-4 for value in overlaps))
        if float_decoder.area(box) > 0 and max(overlaps, default=0) <= info.thresholds.nms_iou:
            kept.append(box)
    return kept


def same(detections: Detections, expected: list[float_decoder.Box]) -> None:
    rows = slice(0, detections.count)
    assert detections.count + detections.dropped >= len(expected) >= detections.count
    expected = expected[: detections.count]
    assert detections.classes[rows].tolist() == [box.cls for box in expected]
    np.testing.assert_allclose(detections.scores[rows], [b.score for b in expected], atol=1e-5)
    boxes = np.array([box.xyxy for box in expected]).reshape(-1, 4)
    np.testing.assert_allclose(detections.boxes[rows], boxes, rtol=1e-4, atol=1e-2)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(1, 4),
    box=st.sampled_from(["ltrb_exp", "yolox_cxcywh"]),
    score=st.sampled_from(["probability", "logit", "logit_objectness"]),
    dtype=st.sampled_from(["int8", "uint8"]),
    min_score=st.sampled_from([0.35, 0.5, 0.8, 0.95]),
    source=st.sampled_from([(96, 64), (300, 200), (120, 400), (50, 20)]),
)
def test_finds_what_the_plain_decoder_finds(
    seed: int,
    classes: int,
    box: str,
    score: str,
    dtype: str,
    min_score: float,
    source: tuple[int, int],
) -> None:
    info = make_info(classes, box, score, dtype)
    letterbox = Letterbox(*source, 96, 64)
    outputs = noise(info, seed)
    expected = plain(info, outputs, letterbox, min_score)
    detections = Detections(256)
    AnchorFreeDecoder(info, letterbox, 256, min_score).decode(outputs, detections)
    same(detections, expected)


def test_nothing_is_found_in_nothing() -> None:
    info = make_info()
    detections = Detections(8)
    detections.count = 5
    AnchorFreeDecoder(info, Letterbox(96, 64, 96, 64), 8).decode(quiet(info), detections)
    assert (detections.count, detections.dropped) == (0, 0)


def _one_person(info: ModelInfo) -> list[Any]:
    """Cell (3, 5) of stride 8 at 0.9: 16 px to the left and right, 8 px up and down."""
    outputs = quiet(info)
    reach = [round(np.log(2) / info.outputs[0].scale) - 3, -3]
    outputs[0][0, 3, 5] = [reach[0], reach[1], reach[0], reach[1]]
    outputs[1][0, 3, 5, 0] = round(0.9 * 256) - 128
    return outputs


def test_one_person_lands_where_the_cell_says_in_source_pixels() -> None:
    info = make_info()
    detections = Detections(8)
    decoder = AnchorFreeDecoder(info, Letterbox(192, 128, 96, 64), 8)
    decoder.decode(_one_person(info), detections)
    assert detections.count == 1
    np.testing.assert_allclose(detections.boxes[0], [56, 40, 120, 72], atol=0.7)
    assert detections.scores[0] == pytest.approx(0.9, abs=0.01)
    assert detections.classes[0] == 0


def test_a_new_set_of_outputs_is_read_and_not_the_old_one() -> None:
    info = make_info()
    detections = Detections(8)
    decoder = AnchorFreeDecoder(info, Letterbox(96, 64, 96, 64), 8)
    decoder.decode(_one_person(info), detections)
    decoder.decode(quiet(info), detections)
    assert detections.count == 0


def test_min_score_overrides_the_package() -> None:
    info = make_info()
    detections = Detections(8)
    letterbox = Letterbox(96, 64, 96, 64)
    for min_score, count in ((0.95, 0), (0.85, 1), (None, 1)):
        AnchorFreeDecoder(info, letterbox, 8, min_score).decode(_one_person(info), detections)
        assert detections.count == count


def test_boxes_outside_the_picture_are_dropped() -> None:
    info = make_info()
    detections = Detections(8)
    letterbox = Letterbox(96, 8, 96, 64)
    AnchorFreeDecoder(info, letterbox, 8).decode(_one_person(info), detections)
    assert detections.count == 0


def test_overlapping_boxes_of_two_classes_both_stay() -> None:
    info = make_info(classes=2)
    outputs = quiet(info)
    for column, cls in ((5, 0), (5, 1), (6, 1)):
        outputs[0][0, 3, column] = 60
        outputs[1][0, 3, column, cls] = 100 + column - cls
    detections = Detections(8)
    AnchorFreeDecoder(info, Letterbox(96, 64, 96, 64), 8).decode(outputs, detections)
    assert detections.classes[: detections.count].tolist() == [0, 1]


def test_capacity_is_kept_and_the_rest_is_counted() -> None:
    info = make_info()
    outputs = quiet(info)
    outputs[0][:] = -128
    outputs[1][0, :, :, 0] = np.arange(96).reshape(8, 12)
    detections = Detections(10)
    AnchorFreeDecoder(info, Letterbox(96, 64, 96, 64), 10).decode(outputs, detections)
    assert (detections.count, detections.dropped) == (10, 86)
    assert np.all(np.diff(detections.scores) <= 0)
    assert detections.scores[0] == pytest.approx((95 + 128) / 256)


@pytest.mark.parametrize("classes", [1, 4])
def test_a_garbage_picture_takes_bounded_time_and_memory(classes: int) -> None:
    info = make_info(classes, strides=(8, 16, 32), size=(320, 256))
    decoder = AnchorFreeDecoder(info, Letterbox(768, 432, 320, 256), 64, 0.0)
    detections = Detections(64)
    outputs = noise(info, 5)
    decoder.decode(outputs, detections)
    started = time.perf_counter()
    for _ in range(10):
        decoder.decode(outputs, detections)
    assert (time.perf_counter() - started) / 10 < 0.02
    assert detections.count == 64
    tracemalloc.start()
    decoder.decode(outputs, detections)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        decoder.decode(outputs, detections)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept - before < 2000
    assert peak - before < 300_000


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("least", [0.0, 0.001, 0.3, 0.5, 1.0])
def test_the_quantized_threshold_is_the_smallest_value_that_reaches(
    dtype: str, least: float
) -> None:
    zero_point = -128 if dtype == "int8" else 0
    output = OutputInfo(
        index=0,
        kind="class",
        stride=8,
        shape=[1, 8, 12, 1],
        dtype=dtype,  # type: ignore[arg-type]
        scale=1 / 256,
        zero_point=zero_point,
    )
    found = quantized_threshold(dequantized(output), dtype, least)
    enough = [q for q in range(256) if q / 256 >= least]
    assert found == (min(enough) if enough else 255) + zero_point


def test_a_rehearsal_fills_the_table_and_leaves_nothing_behind() -> None:
    info = make_info(2, "yolox_cxcywh", "logit_objectness", strides=(8, 16, 32), size=(320, 256))
    detections = Detections(64)
    decoder = AnchorFreeDecoder(info, Letterbox(768, 432, 320, 256), 64)
    decoder.rehearse(detections)
    assert detections.count == 64
    assert detections.dropped > 0
    decoder.decode(quiet(info), detections)
    assert detections.count == 0


@pytest.mark.parametrize("score", ["probability", "logit", "logit_objectness"])
@pytest.mark.parametrize("source", [(96, 64), (192, 128)])
def test_each_class_has_its_own_threshold(score: str, source: tuple[int, int]) -> None:
    """As if the plain decoder had been run at the lowest, and the rest were taken out after it."""
    least = [0.8, 0.3, 0.5, 0.95]
    info = make_info(4, score=score)
    letterbox, outputs = Letterbox(*source, 96, 64), noise(info, 3)
    every, found = Detections(512), Detections(512)
    AnchorFreeDecoder(info, letterbox, 512, min(least)).decode(outputs, every)
    AnchorFreeDecoder(info, letterbox, 512, least).decode(outputs, found)
    assert found.count > 0 and every.dropped == 0
    assert {int(c) for c in found.classes[: found.count]} > {1}
    kept = [row for row in range(every.count) if every.scores[row] >= least[every.classes[row]]]
    assert found.count == len(kept)
    np.testing.assert_array_equal(found.boxes[: found.count], every.boxes[kept])
    np.testing.assert_array_equal(found.classes[: found.count], every.classes[kept])
    np.testing.assert_array_equal(found.scores[: found.count], every.scores[kept])


def test_the_package_says_which_score_each_class_needs() -> None:
    info = make_info(4)
    thresholds = msgspec.structs.replace(info.thresholds, per_class={"helmet": 0.25})
    info = msgspec.structs.replace(info, thresholds=thresholds)
    decoder = AnchorFreeDecoder(info, Letterbox(96, 64, 96, 64), 8)
    assert decoder.min_scores == [0.5, 0.25, 0.5, 0.5]
