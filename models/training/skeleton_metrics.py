"""How near found joints are to where they belong, with intervals that know people go together."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.training.boxes import F32

TORSO: Final = ((5, 12), (6, 11))
"""Shoulder to opposite hip, both ways."""
LEAST_TORSO: Final = 0.08
"""Of the longer side of the box: a torso seen from its end has no length to measure with."""
RESAMPLED: Final = 500
Bools = npt.NDArray[np.bool_]


class Share(NamedTuple):
    """A share of joints, with a 95 % interval from resampling people."""

    value: float
    low: float
    high: float
    joints: int


def distances(found: F32, truth: F32) -> F32:
    """float32[N, 17] pixels between float32[N, 17, 2 or 3] and another."""
    return np.asarray(np.linalg.norm(found[:, :, :2] - truth[:, :, :2], axis=2), np.float32)


def torso_lengths(truth: F32, known: Bools, boxes: F32) -> F32:
    """Shoulder to opposite hip, the longer one, float32[N] pixels; NaN where none is known.

    Args:
        truth: float32[N, 17, 2].
        known: bool[N, 17], joints whose place is known.
        boxes: float32[N, 4]; a shorter torso counts as LEAST_TORSO of the longer side.
    """
    lengths = np.full((len(truth), len(TORSO)), np.nan, np.float32)
    for column, (shoulder, hip) in enumerate(TORSO):
        both = known[:, shoulder] & known[:, hip]
        way = truth[both, shoulder] - truth[both, hip]
        lengths[both, column] = np.linalg.norm(way, axis=1)
    best = np.where(np.isnan(lengths).all(1), np.nan, np.nanmax(np.nan_to_num(lengths), axis=1))
    side = (boxes[:, 2:] - boxes[:, :2]).max(1)
    return np.asarray(np.maximum(best, LEAST_TORSO * side), np.float32)


def share(right: Bools, counted: Bools, seed: int = 0) -> Share:
    """Share of the counted joints that are right.

    Args:
        right: bool[N, 17].
        counted: bool[N, 17].
        seed: of the resampling.
    """
    good = (right & counted).sum(1).astype(float)
    total = counted.sum(1).astype(float)
    if not total.sum():
        return Share(float("nan"), float("nan"), float("nan"), 0)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(total), (RESAMPLED, len(total)))
    values = good[rows].sum(1) / np.maximum(total[rows].sum(1), 1)
    low, high = np.percentile(values, (2.5, 97.5))
    return Share(float(good.sum() / total.sum()), float(low), float(high), int(total.sum()))
