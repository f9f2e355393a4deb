"""Scores of tracks against truth, by py-motmetrics: MOTA (CLEAR MOT) and IDF1.

Bernardin and Stiefelhagen, EURASIP JIVP 2008; Ristani et al., ECCV Workshops 2016. The library is
not of a camera: it comes with the extra `eval`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

LEAST_IOU = 0.5
"""Overlap from which on a box is that of a person of the truth."""
COUNTED = 1
"""Confidence in the truth: rows of 0 are to be left out."""
METRICS = {
    "mota": "mota",
    "idf1": "idf1",
    "num_switches": "switches",
    "num_false_positives": "false_positives",
    "num_misses": "misses",
    "recall": "recall",
    "precision": "precision",
}
OVERALL = "OVERALL"


class ScorerMissing(Exception):
    """py-motmetrics is not installed."""


class Score(Struct, frozen=True, kw_only=True):
    """Of one sequence, or of all together; shares are 0..1, MOTA may be below 0."""

    name: str
    mota: float
    idf1: float
    switches: int
    false_positives: int
    misses: int
    recall: float
    precision: float


def load_scorer() -> Any:
    """py-motmetrics. Raises ScorerMissing."""
    try:
        import motmetrics
    except ImportError as error:
        raise ScorerMissing(
            f"scores need py-motmetrics ({error}): pip install 'haetae[eval]'; not on a camera"
        ) from None
    return motmetrics


def score_files(files: dict[str, tuple[Path, Path]], scorer: Any) -> list[Score]:
    """Score each sequence, and all of them as one.

    Args:
        files: name -> truth and tracks, MOTChallenge text.
        scorer: from `load_scorer`.
    """
    compared = [_compare(scorer, *paths) for paths in files.values()]
    summary = scorer.metrics.create().compute_many(
        compared, names=list(files), metrics=list(METRICS), generate_overall=True
    )
    return [
        Score(name=str(name), **{field: row[metric] for metric, field in METRICS.items()})
        for name, row in summary.to_dict("index").items()
    ]


def table(scores: list[Score]) -> str:
    """Lines that people read."""
    lines = [
        f"{'':16} {'MOTA':>6} {'IDF1':>6} {'IDs':>5} {'FP':>6} {'FN':>6} {'Rcll':>6} {'Prcn':>6}"
    ]
    for one in scores:
        lines.append(
            f"{one.name:16} {100 * one.mota:6.1f} {100 * one.idf1:6.1f} {one.switches:5.0f}"
            f" {one.false_positives:6.0f} {one.misses:6.0f}"
            f" {100 * one.recall:6.1f} {100 * one.precision:6.1f}"
        )
    return "\n".join(lines)


def _compare(scorer: Any, truth: Path, tracks: Path) -> Any:
    theirs = scorer.io.loadtxt(str(truth), fmt="mot15-2D", min_confidence=COUNTED)
    ours = scorer.io.loadtxt(str(tracks), fmt="mot15-2D")
    return scorer.utils.compare_to_groundtruth(theirs, ours, "iou", distth=LEAST_IOU)
