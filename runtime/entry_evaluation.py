"""`haetae eval entry`: who will enter which zone, over recorded walks, beside constant velocity.

The default model was fitted on both sets of walks that there are. To see what it does on walks that
it never saw, take the model of the other set: `--model zara01` on seq_eth, and the other way round.
`runtime/entry_models/README.md` has the figures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from runtime.entry_parameters import DEFAULT, EntryParameters, UnknownModel, load_parameters
from runtime.entry_replay import (
    HISTORY_MS,
    ROUNDING_MS,
    Outcome,
    Rows,
    first_touch,
    is_inside,
    outcomes,
    replay,
)
from runtime.entry_scores import Judgement, Scores, at_recall, calibration_error, score
from runtime.motion import Mask
from runtime.obsmat import DataRefused, Observations, frame_ms, read_obsmat, read_zones
from runtime.predict import C128, EntryPredictor, lay_corners

HEADER = "frame,id,zone,probability,decision"
STEP_MS = 400.0


class Judged(NamedTuple):
    """Everything that the CSV and the report are made of."""

    seen: Observations
    rows: Rows
    outcome: Outcome
    is_row: Mask
    """bool[Z, N]: outside of the zone, with enough history."""


def judge(
    seen: Observations, truth: Observations, corners: C128, model: EntryParameters, args: Settings
) -> Judged:
    """Predict at every observation in `seen`, and look up in `truth` what came."""
    people = len(np.unique(seen.person))
    predictor = EntryPredictor(corners, model, people, args.horizon_ms)
    rows = replay(seen, args.frame_ms, predictor)
    outcome = outcomes(corners, truth, seen, args.frame_ms, args.horizon_ms)
    is_row = ~is_inside(corners, seen.place) & (rows.age_ms >= HISTORY_MS - ROUNDING_MS)
    return Judged(seen, rows, outcome, is_row)


class Settings(NamedTuple):
    """Horizon, and milliseconds per frame number."""

    horizon_ms: float
    frame_ms: float


def entry(argv: list[str]) -> int:
    """`haetae eval entry`. Returns 0, or 2 for a refused file or model."""
    arguments = _parser().parse_args(argv)
    try:
        model = load_parameters(arguments.model)
        seen = read_obsmat(arguments.trajectories)
        truth = read_obsmat(arguments.truth) if arguments.truth else seen
        zones = read_zones(arguments.zones)
        ms = frame_ms(truth, arguments.step_ms)
    except (DataRefused, UnknownModel, OSError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    if arguments.jitter_m or arguments.missed:
        seen = spoil(seen, arguments.jitter_m, arguments.missed, arguments.seed)
    settings = Settings(arguments.horizon_ms, ms)
    corners = lay_corners(list(zones.values()))
    judged = judge(seen, truth, corners, model, settings)
    decide = arguments.decide if arguments.decide is not None else model.decide
    _write(arguments.out, judged, list(zones), decide)
    if arguments.report:
        sys.stdout.write(report(judged, corners, settings, decide) + "\n")
        sys.stdout.write(f"model {arguments.model}, fitted on {model.source}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae eval entry", description=entry.__doc__)
    add = parser.add_argument
    add("--trajectories", type=Path, required=True, help="obsmat.txt of ETH or UCY")
    add("--zones", type=Path, required=True, help='JSON: {"name": [[x, y], ...]}, metres')
    add("--horizon-ms", type=_positive, default=2000.0, help="how far ahead")
    add("--out", type=Path, required=True, help=f"CSV: {HEADER}")
    add("--model", default=DEFAULT, help="fitted weights, named by what they were fitted on")
    add("--decide", type=_share, help="probability that is a warning; default: the model's")
    add("--report", action="store_true", help="print scores beside constant velocity")
    add("--truth", type=Path, help="obsmat that says what came; default: --trajectories")
    add("--step-ms", type=_positive, default=STEP_MS, help="time between annotated frames")
    add("--jitter-m", type=_not_negative, default=0.0, help="add this to what is seen, metres")
    add("--missed", type=_share, default=0.0, help="share of observations to leave out")
    add("--seed", type=int, default=1, help="of jitter and misses")
    return parser


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < 1e6:
        raise ValueError(text)
    return value


def _positive(text: str) -> float:
    if not _not_negative(text):
        raise ValueError(text)
    return float(text)


def _share(text: str) -> float:
    if not 0.0 <= float(text) <= 1.0:
        raise ValueError(text)
    return float(text)


def spoil(seen: Observations, jitter_m: float, missed: float, seed: int) -> Observations:
    """What a detector makes of it: normal jitter on each axis, and observations left out."""
    random = np.random.default_rng(seed)
    n = len(seen.frame)
    jitter = random.normal(0.0, jitter_m, n) + 1j * random.normal(0.0, jitter_m, n)
    kept = random.random(n) >= missed
    return Observations(seen.frame[kept], seen.person[kept], (seen.place + jitter)[kept])


def _write(path: Path, judged: Judged, names: list[str], decide: float) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(HEADER + "\n")
        for n in range(len(judged.seen.frame)):
            for z in np.flatnonzero(judged.is_row[:, n]).tolist():
                p = float(judged.rows.probability[z, n])
                who = f"{judged.seen.frame[n]},{judged.seen.person[n]}"
                out.write(f"{who},{names[z]},{p:.4f},{int(p >= decide)}\n")


def constant_velocity(rows: Rows, corners: C128, horizon_ms: float, steps: int) -> Mask:
    """bool[Z, N]: who would enter walking on as in the mean of the last one or two steps."""
    way = rows.velocity[steps - 1] * (horizon_ms / 1000.0)
    entered: Mask = np.isfinite(first_touch(corners, rows.place, rows.place + way))
    return entered


def report(judged: Judged, corners: C128, settings: Settings, decide: float) -> str:
    """Scores of the predictor and of constant velocity, on the rows whose outcome is known."""
    rows, outcome = judged.rows, judged.outcome
    use = judged.is_row & outcome.is_outside & outcome.is_known
    judgement = Judgement(
        use=use,
        entry_ms=outcome.entry_ms,
        time_ms=rows.time_ms,
        person=judged.seen.person,
    )
    constant = {
        f"constant velocity ({steps})": constant_velocity(rows, corners, settings.horizon_ms, steps)
        for steps in (1, 2)
    }
    lines = [_table_head()]
    lines.append(_line("this predictor", score(judgement, rows.probability >= decide)))
    compared = {name: score(judgement, warned) for name, warned in constant.items()}
    lines += [_line(name, scores) for name, scores in compared.items()]
    entered = np.isfinite(outcome.entry_ms)
    p, y = rows.probability[use], entered[use]
    lines.append(f"expected calibration error {calibration_error(p, y):.4f}")
    for name, scores in compared.items():
        false = at_recall(p, y, scores.recall)
        lines.append(
            f"at the recall of {name}: {false} false warnings, {false / max(scores.false, 1):.2f}"
            f" times its {scores.false}"
        )
    lines.append(f"rows {use.sum()}, entries within the horizon in {y.sum()} of them")
    return "\n".join(lines)


def _table_head() -> str:
    return (
        f"{'':22} accuracy balanced     F1 precision recall  false  gained_ms  false_early_per_hour"
    )


def _line(name: str, s: Scores) -> str:
    return (
        f"{name:22} {s.accuracy:8.4f} {s.balanced:8.4f} {s.f1:6.4f} {s.precision:9.4f}"
        f" {s.recall:6.4f} {s.false:6d} {s.gained_ms:10.0f} {s.false_early_per_hour:21.1f}"
    )
