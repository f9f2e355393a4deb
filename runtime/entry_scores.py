"""Scores of warnings: how often right, how early, and how often for nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.motion import F32, F64, Mask

BINS = 15
HOUR_MS = 3_600_000.0
BREAK_MS = 1000.0
"""A longer gap between two warnings begins a new one."""


class Judgement(NamedTuple):
    """What warnings are held against.

    Attributes:
        use: bool[Z, N], the rows that count.
        entry_ms: float64[Z, N], time until the entry, inf when not within the horizon.
        time_ms: float64[N].
        person: int64[N].
    """

    use: Mask
    entry_ms: F64
    time_ms: F64
    person: npt.NDArray[np.int64]


class Scores(NamedTuple):
    """Of the rows: shares; `false` false warnings. Of the walks: the rest.

    Attributes:
        gained_ms: median time between the first true warning of an entry and the entry.
        false_early_per_hour: runs of warnings of one person for one zone that no entry followed.
    """

    accuracy: float
    balanced: float
    f1: float
    precision: float
    recall: float
    false: int
    gained_ms: float
    false_early_per_hour: float


def score(judgement: Judgement, warned: Mask) -> Scores:
    """Score warnings, bool[Z, N]."""
    entered = np.isfinite(judgement.entry_ms)
    y, d = entered[judgement.use], warned[judgement.use]
    hit, false, missed = int((y & d).sum()), int((~y & d).sum()), int((y & ~d).sum())
    quiet = y.size - hit - false - missed
    recall, spared = _share(hit, hit + missed), _share(quiet, quiet + false)
    gained, runs = _in_time(judgement, warned)
    hours = max(float(np.ptp(judgement.time_ms)), 1.0) / HOUR_MS
    return Scores(
        accuracy=_share(hit + quiet, y.size),
        balanced=(recall + spared) / 2,
        f1=_share(2 * hit, 2 * hit + false + missed),
        precision=_share(hit, hit + false),
        recall=recall,
        false=false,
        gained_ms=float(np.median(gained)) if gained else 0.0,
        false_early_per_hour=runs / hours,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _in_time(judgement: Judgement, warned: Mask) -> tuple[list[float], int]:
    """Time gained at each entry that was warned of, and how many runs of warnings were false."""
    gained: dict[tuple[int, int, int], float] = {}
    runs = 0
    for z, use in enumerate(judgement.use):
        here = np.flatnonzero(use & warned[z])
        here = here[np.lexsort((judgement.time_ms[here], judgement.person[here]))]
        person, t_ms = judgement.person[here], judgement.time_ms[here]
        entry_ms = judgement.entry_ms[z, here]
        for k in np.flatnonzero(np.isfinite(entry_ms)).tolist():
            event = z, int(person[k]), round((t_ms[k] + entry_ms[k]) / BREAK_MS)
            gained[event] = max(gained.get(event, 0.0), float(entry_ms[k]))
        starts = np.flatnonzero((np.diff(person) != 0) | (np.diff(t_ms) > BREAK_MS)) + 1
        for run in np.split(entry_ms, starts):
            runs += bool(run.size and not np.isfinite(run).any())
    return list(gained.values()), runs


def calibration_error(probability: F32, entered: Mask) -> float:
    """Mean distance of the probabilities from the share that entered, over 15 equal bins.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities", AAAI 2015.
    """
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    error = 0.0
    for b in np.unique(bins):
        chosen = bins == b
        gap = float(probability[chosen].mean()) - float(entered[chosen].mean())
        error += float(chosen.mean()) * abs(gap)
    return error


def at_recall(probability: F32, entered: Mask, recall: float) -> int:
    """False warnings of the highest threshold that reaches this recall."""
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(entered[order])
    if not hits.size or not hits[-1]:
        return 0
    needed = int(np.searchsorted(hits, recall * hits[-1] - 1e-9))
    return int((~entered[order][: needed + 1]).sum())
