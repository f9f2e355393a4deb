"""Measure the action student on held-out rows, float and int8, and write a report.

    python -m models.training.action_evaluate RUN/last.pt action_xs_int8.tflite \\
        --simulated posed.npz --report report.json
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.action import ACTIONS
from models.skeletons import REACH, normalise
from models.tables import F32
from models.training.action_robust import robustness
from models.training.action_sources import Source, read_all
from models.training.action_student import INPUTS
from models.training.action_train import load_student, scores_of
from models.training.dataset import data_folder
from models.training.export import interpreter
from models.training.metrics import share_range

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.intp]
INVOKES = 2000
NOT_FALLS = ("bend", "squat", "tie_shoes", "Squat")
"""Labels that users complain about when they are called a fall."""


class Int8Student:
    """The int8 file in LiteRT.

    Args:
        path: the `.tflite` file.
    """

    def __init__(self, path: Path) -> None:
        self._runner = interpreter(path)
        self._input = self._runner.get_input_details()[0]
        self._output = self._runner.get_output_details()[0]
        self.invoke_ms: list[float] = []

    def scores(self, skeletons: F32) -> F32:
        """Logits float32[N, 12] for skeletons float32[N, 17, 3] that are not normalised."""
        steps = normalise(skeletons).reshape(-1, INPUTS) * (128 / REACH)
        scale, zero_point = self._output["quantization"]
        found = []
        for row in np.clip(np.rint(steps), -128, 127).astype(np.int8):
            self._runner.set_tensor(self._input["index"], row.reshape(self._input["shape"]))
            began = time.perf_counter()
            self._runner.invoke()
            self.invoke_ms.append((time.perf_counter() - began) * 1000)
            found.append(self._runner.get_tensor(self._output["index"]).ravel())
        return ((np.array(found, np.float32) - zero_point) * scale).astype(np.float32)


def table(source: Source, rows: Ints, scores: F32) -> dict[str, Any]:
    """Figures of one source.

    Args:
        source: the set.
        rows: which of its rows were judged.
        scores: float32[len(rows), 12].
    """
    best = scores.argmax(1)
    right = source.accept[rows][np.arange(len(rows)), best]
    labels = source.labels[rows]
    by_label = {}
    for label in np.unique(labels):
        of = labels == label
        counts = np.bincount(best[of], minlength=len(ACTIONS))
        said = {ACTIONS[i]: int(counts[i]) for i in np.flatnonzero(counts)}
        by_label[str(label)] = {"rows": int(of.sum()), "right": int(right[of].sum()), "said": said}
    shares = [row["right"] / row["rows"] for row in by_label.values()]
    low, high = share_range(int(right.sum()), len(rows))
    return {
        "rows": len(rows), "accuracy": float(right.mean()), "range": [low, high],
        "balanced": float(np.mean(shares)), "labels": by_label,
    }  # fmt: skip


def confusion(source: Source, rows: Ints, scores: F32) -> Ints:
    """Counts int[12, 12], truth down and answer across; a right answer is its own truth."""
    best, accept = scores.argmax(1), source.accept[rows]
    right = accept[np.arange(len(rows)), best]
    truth = np.where(right, best, accept.argmax(1))
    counts = np.zeros((len(ACTIONS), len(ACTIONS)), np.intp)
    np.add.at(counts, (truth, best), 1)
    return counts


def falls(tables: dict[str, Any]) -> dict[str, int]:
    """Rows of bending, squatting and tying shoes, and how many of them were called a fall."""
    found = [
        row for one in tables.values() for label, row in one["labels"].items() if label in NOT_FALLS
    ]
    return {
        "rows": sum(row["rows"] for row in found),
        "called_fall": sum(row["said"].get("fall", 0) for row in found),
    }


def resident_kb() -> int:
    """Memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def measure(checkpoint: Path, int8_file: Path, sources: list[Source]) -> dict[str, Any]:
    """The whole report."""
    student, first = load_student(checkpoint), Int8Student(int8_file)
    first.scores(sources[0].skeletons[:1])  # the runtime's own memory is taken here
    before = resident_kb()
    small = Int8Student(int8_file)
    small.scores(sources[0].skeletons[:1])
    grown_kb = resident_kb() - before
    report: dict[str, Any] = {"float": {}, "int8": {}, "same_answer": {}}
    counts = np.zeros((len(ACTIONS), len(ACTIONS)), np.intp)
    for source in sources:
        rows = np.flatnonzero(source.held_out & source.judged)
        skeletons = source.skeletons[rows]
        as_float, as_int8 = scores_of(student, skeletons), small.scores(skeletons)
        report["float"][source.name] = table(source, rows, as_float)
        report["int8"][source.name] = table(source, rows, as_int8)
        counts += confusion(source, rows, as_int8)
        report["same_answer"][source.name] = float((as_float.argmax(1) == as_int8.argmax(1)).mean())
    report["confusion"] = counts.tolist()
    report["falls"] = falls(report["int8"])
    report["resident_kb"] = grown_kb
    report["robust"] = robustness(sources, small.scores)
    times = np.array(small.invoke_ms[-INVOKES:])
    report["invoke_ms"] = {"best": float(times.min()), "median": float(np.median(times))}
    report["sources"] = {
        s.name: {
            "licence": s.licence, "sha256": s.digest,
            "trained": int((~s.held_out).sum()), "held_out": int((s.held_out & s.judged).sum()),
        }
        for s in sources
    }  # fmt: skip
    return report


def main() -> None:
    """Measure from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("--simulated", type=Path, nargs="*", default=[])
    parser.add_argument("--report", type=Path, required=True)
    arguments = parser.parse_args()
    sources = read_all(data_folder(), arguments.simulated)
    report = measure(arguments.checkpoint, arguments.int8, sources)
    arguments.report.write_text(json.dumps(report, indent=1))
    for name, row in report["int8"].items():
        as_float = report["float"][name]["accuracy"]
        log.info(
            "%-10s int8 %.4f (%.3f-%.3f)  balanced %.4f  float %.4f  of %d",
            name, row["accuracy"], *row["range"], row["balanced"], as_float, row["rows"],
        )  # fmt: skip
    log.info("called a fall: %(called_fall)d of %(rows)d bending, squatting", report["falls"])


if __name__ == "__main__":
    main()
