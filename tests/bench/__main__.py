"""`python -m tests.bench [--check]`: measure, print the table, and hold the gate."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench import report
from tests.bench.plot import plot
from tests.bench.run import Bench
from tests.bench.scenes import REFERENCE, SETTINGS, VIDEO
from tests.places import data_root

PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "ai-edge-litert",
    "supervision",
    "trackers",
    "norfair",
)


def main() -> int:
    """Run; 0 when all is well or there is no data, 1 when the gate does not hold."""
    arguments = _parser().parse_args()
    data = data_root()
    if not (data / VIDEO).is_file() or not (data / REFERENCE).is_dir():
        print(f"skipped: HAETAE_DATA is absent, no {VIDEO} and {REFERENCE} in {data}")
        return 0
    core = min(os.sched_getaffinity(0)) if arguments.core is None else arguments.core
    table, crowds = measure(data, core, arguments.frames, arguments.rounds)
    text = report.markdown(table, crowds, _machine(core))
    _write(arguments.out, table, crowds, text, _machine(core))
    print(text)
    if missed := report.missed_budgets(table):
        print("\n".join(["over the design's budget on this processor:", *missed]))
    wrong = report.failures(table)
    print("\n".join(["gate:", *wrong]) if wrong else "gate: holds")
    return 1 if wrong and arguments.check else 0


def measure(data: Path, core: int, frames: int, rounds: int) -> tuple[report.Table, report.Crowds]:
    """Everything, in one run."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(data, Path(folder), core, frames, rounds)
        table = {}
        for setting in SETTINGS:
            _progress(setting.name)
            table[setting.name] = bench.setting(setting)
        _progress("1 to 32 people")
        return table, bench.crowds()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a budget does not hold")
    parser.add_argument("--frames", type=int, default=25, help="frames per candidate and round")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each candidate")
    parser.add_argument("--core", type=int, help="core to run on; default: the first allowed")
    parser.add_argument("--out", type=Path, default=Path("bench_out"), help="folder of results")
    return parser


def _machine(core: int) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"processor": platform.machine(), "core": core, "python": platform.python_version()} | (
        versions
    )


def _write(
    out: Path, table: report.Table, crowds: report.Crowds, text: str, machine: dict[str, Any]
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    figures = {"machine": machine, "settings": table, "crowds": crowds}
    (out / "bench.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (out / "bench.md").write_text(text, encoding="utf-8")
    if find_spec("matplotlib"):
        plot(crowds, out / "bench.png")


def _progress(what: str) -> None:
    sys.stderr.write(f"measuring: {what}\n")


if __name__ == "__main__":
    sys.exit(main())
