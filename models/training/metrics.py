"""Average precision and counts with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.training.boxes import F32, intersection, iou
from models.training.kinds import IGNORE, PERSON

MATCH_IOU = 0.5
IGNORED_INSIDE = 0.5
"""A detection with this share of its area in an ignored region counts neither way."""
RESAMPLES = 400


@dataclass(frozen=True)
class Judged:
    """Detections of one picture against its truth.

    Attributes:
        scores: float32[N], ignored detections left out.
        hits: bool[N], the detection is the first on an object.
        people: number of objects in the truth.
    """

    scores: F32
    hits: npt.NDArray[np.bool_]
    people: int


def judge(found: F32, truth: F32, kind: int = PERSON) -> Judged:
    """Match detections of one class to its objects, best score first.

    Args:
        found: float32[N, 6] xyxy, score, class; best first.
        truth: float32[M, 5] xyxy and kind; IGNORE + `kind` is a region to ignore.
        kind: the class.
    """
    found = found[found[:, 5] == kind]
    objects, ignored = truth[truth[:, 4] == kind, :4], truth[truth[:, 4] == IGNORE + kind, :4]
    free, scores, hits = np.ones(len(objects), bool), [], []
    overlaps = iou(found[:, :4], objects)
    area = np.maximum((found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1]), 1e-6)
    covered = intersection(found[:, :4], ignored) / area[:, None]
    for i in range(len(found)):
        candidates = np.where(free, overlaps[i], 0.0)
        best = int(candidates.argmax()) if len(objects) else -1
        if best >= 0 and candidates[best] >= MATCH_IOU:
            free[best] = False
            hits.append(True)
        elif len(ignored) and covered[i].max() >= IGNORED_INSIDE:
            continue
        else:
            hits.append(False)
        scores.append(found[i, 4])
    return Judged(np.array(scores, np.float32), np.array(hits, bool), len(objects))


def average_precision(judged: list[Judged]) -> float:
    """AP at IoU 0.5 with all points interpolated; 0 where nobody is in the truth."""
    people = sum(j.people for j in judged)
    if people == 0:
        return 0.0
    scores = np.concatenate([j.scores for j in judged])
    hits = np.concatenate([j.hits for j in judged])[np.argsort(-scores, kind="stable")]
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * hits).sum() / people)


def average_precision_range(judged: list[Judged]) -> tuple[float, float]:
    """95 % interval of the AP by drawing pictures again."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES):
        pick = rng.integers(len(judged), size=len(judged))
        values.append(average_precision([judged[int(i)] for i in pick]))
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def share_range(count: int, total: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    if total == 0:
        return 0.0, 1.0
    z, share = 1.96, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def at_threshold(judged: list[Judged], score: float) -> tuple[int, int, int]:
    """People found, people in the truth, false detections, at a score threshold."""
    hits = sum(int((j.hits & (j.scores >= score)).sum()) for j in judged)
    false = sum(int((~j.hits & (j.scores >= score)).sum()) for j in judged)
    return hits, sum(j.people for j in judged), false
