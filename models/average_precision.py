"""Average precision of a detector against labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


class Found(NamedTuple):
    """What was detected in one picture: float[N, 4] xyxy boxes and their scores, one class."""

    boxes: npt.ArrayLike
    scores: npt.ArrayLike


def average_precision(
    detections: Mapping[str, Found], truth: Mapping[str, npt.ArrayLike], iou: float = 0.5
) -> float:
    """Area under the precision-recall curve of one class, all-point interpolation (VOC 2010 on).

    Detections are taken best score first over all pictures; each matches the labelled box of its
    picture that it overlaps most, and a box can be found once: a second time is a false alarm.

    Args:
        detections: by picture name.
        truth: float[M, 4] xyxy by picture name; a picture without people is an empty array.
        iou: smallest overlap of a match.

    Returns:
        0..1; nan where nothing is labelled.

    Example:
        >>> average_precision({"a": Found([[0, 0, 9, 9]], [0.9])}, {"a": [[0, 0, 9, 9]]})
        1.0
    """
    labels = {name: np.asarray(boxes, np.float64).reshape(-1, 4) for name, boxes in truth.items()}
    total = sum(len(boxes) for boxes in labels.values())
    if not total:
        return float("nan")
    taken = {name: np.zeros(len(boxes), np.bool_) for name, boxes in labels.items()}
    hits = [_is_hit(labels.get(name), taken.get(name), box, iou) for name, box in _best(detections)]
    return _area(np.array(hits, np.float64), total)


def _best(detections: Mapping[str, Found]) -> list[tuple[str, F64]]:
    """(picture, box) of all detections, best score first."""
    rows: list[tuple[float, str, F64]] = []
    for name, found in detections.items():
        boxes = np.asarray(found.boxes, np.float64).reshape(-1, 4)
        scores = np.asarray(found.scores, np.float64).tolist()
        rows += [(score, name, box) for score, box in zip(scores, boxes, strict=True)]
    rows.sort(key=lambda row: -row[0])
    return [(name, box) for _, name, box in rows]


def _is_hit(labels: F64 | None, taken: npt.NDArray[np.bool_] | None, box: F64, iou: float) -> bool:
    if labels is None or taken is None or not len(labels):
        return False
    overlaps = overlap(labels, box)
    best = int(overlaps.argmax())
    if overlaps[best] < iou or taken[best]:
        return False
    taken[best] = True
    return True


def overlap(boxes: F64, box: F64) -> F64:
    """float[M]: intersection over union of each of `boxes` [M, 4] with `box` [4]."""
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, 2:], box[2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(shared / np.maximum(areas - shared, 1e-12), np.float64)


def _area(hits: F64, total: int) -> float:
    """Sum of recall steps times the best precision at that recall or beyond."""
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((hits * envelope).sum() / total)
