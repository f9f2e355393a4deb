"""How the action student fares when skeletons are incomplete, mirrored or wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.action import ACTIONS
from models.skeletons import KEYPOINTS, mirror_order, normalise
from models.tables import F32
from models.training.action_sources import Source

Judge = Callable[[F32], F32]
"""Skeletons float32[N, 17, 3] to logits float32[N, 12]."""
DOWN: Final = ("fall", "lie", "crawl")
MOST_ROWS: Final = 3000
"""Of a set, evenly spaced."""
NOISE: Final = 0.06
"""Standard deviation of every joint's error, torso lengths."""


def _without(*parts: str) -> Callable[[F32], F32]:
    gone = [i for i, name in enumerate(KEYPOINTS) if name.endswith(parts)]

    def change(skeletons: F32) -> F32:
        skeletons[:, gone] = 0
        return skeletons

    return change


def _mirrored(skeletons: F32) -> F32:
    changed: F32 = skeletons[:, list(mirror_order())] * np.array((-1, 1, 1), np.float32)
    return changed


def _noisy(skeletons: F32) -> F32:
    changed = normalise(skeletons)
    error = np.random.default_rng(0).normal(0, NOISE, changed[:, :, :2].shape)
    changed[:, :, :2] += error * changed[:, :, 2:]
    return changed


def _swapped(skeletons: F32) -> F32:
    changed: F32 = skeletons[:, list(mirror_order())]
    return changed


CHANGES: Final[dict[str, Callable[[F32], F32]]] = {
    "as they are": lambda skeletons: skeletons,
    "mirrored": _mirrored,
    "left and right mixed up": _swapped,
    "no ankles": _without("ankle"),
    "no legs": _without("knee", "ankle"),
    "no face": _without("nose", "eye", "ear"),
    "no wrists": _without("wrist"),
    "noise": _noisy,
}


def robustness(sources: list[Source], judge: Judge) -> dict[str, Any]:
    """By change and set: share right, share with the same answer as before, and how many people
    who are up are called fallen, lying or crawling.

    Args:
        sources: held-out and judged rows are used.
        judge: the network.
    """
    return {
        name: {source.name: _one(source, judge, change) for source in sources}
        for name, change in CHANGES.items()
    }


def _one(source: Source, judge: Judge, change: Callable[[F32], F32]) -> dict[str, float]:
    rows = np.flatnonzero(source.held_out & source.judged)
    rows = rows[:: max(1, len(rows) // MOST_ROWS)]
    plain = judge(source.skeletons[rows]).argmax(1)
    best = judge(change(source.skeletons[rows].copy())).argmax(1)
    down: npt.NDArray[np.bool_] = np.isin(ACTIONS, DOWN)
    up = ~source.accept[rows][:, down].any(1)
    return {
        "right": float(source.accept[rows][np.arange(len(rows)), best].mean()),
        "same": float((best == plain).mean()),
        "up_called_down": float(down[best[up]].mean()),
    }
