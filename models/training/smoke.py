"""A minute of training, to know that the whole way still works: drawn pictures to loadable int8.

    python -m models.training.smoke build/smoke

Fails (exit code 1) when the loss does not fall, when the int8 file finds drawn people no better
than an untrained network, or when a runtime refuses the file. Real pictures and skeletons join in
where `HAETAE_DATA` has them; the students it leaves behind are good for nothing.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch

from models.training import action_export, action_figures, action_sources, pseudo_label, train
from models.training.action_evaluate import Int8Student as Int8Action
from models.training.action_train import Mixture, Trainer
from models.training.boxes import F32, iou
from models.training.dataset import HELD_OUT, TRAIN, Cache, _Writer, data_folder
from models.training.detect import Int8Student
from models.training.export import load_student, to_float_tflite
from models.training.kinds import PERSON
from models.training.quantize import quantize
from models.training.sources import read_all
from models.training.student import Student
from models.training.synthetic import draw

log = logging.getLogger("models.training.smoke")

DRAWN, DRAWN_HELD_OUT, REAL = 400, 40, 60
STEPS = 300
"""Of the detector; on one core a little more than a minute."""
CHANGES: Final = {
    "PEAK_RATE": 4e-3,
    "WARM_UP_STEPS": 20,
    "SMALL_PX": (192, 160),
    "SMALL_UNTIL": 0.85,
    "SAVE_SECONDS": 1e9,
    "SOURCE_SHARES": train.SOURCE_SHARES | {"synthetic": 2.0},
}
"""What makes training quick and shallow: small pictures, nearly all drawn; saved at the end."""
FEW_STEPS = 12
"""Steps at both ends whose mean loss is compared."""
FALLS_TO: Final = 0.85
"""Share of the first loss that the last one may be (0.70 measured; 2.1 at a rate of zero)."""
FINDS: Final = 0.2
"""Share of drawn people that the int8 file must find (0.39 measured, untrained 0.00)."""
SAME_BOX = 0.5
ACTION_ROWS, ACTION_STEPS = 6000, 700
NAMES: Final = 0.5
"""Share of held-out posed figures that the int8 action student must name; chance is 0.08."""
LOADER = Path(__file__).with_name("smoke_load.py")


class NotLearned(Exception):
    """The run ended, and something is wrong; the message says figure and bound."""


class _Watched(train.Run):
    """A run that keeps every loss, and whose clock counts steps: the same on a slow machine."""

    def losses(self, progress: float) -> torch.Tensor:
        found = super().losses(progress)
        self.seen = [*getattr(self, "seen", []), float(found.detach().sum())]
        return found

    def monotonic(self) -> float:
        """Stands in for `time.monotonic`: one minute a step."""
        return 60.0 * self.step


def make_cache(folder: Path, data: Path) -> Cache:
    """Drawn scenes, and some real pictures where the data is there."""
    writer, split, none = _Writer(folder), [], np.zeros((0, 5), np.float32)
    real = islice(read_all(data), REAL) if data.is_dir() else ()
    for picture in real:
        writer.add(picture.source, picture.pixels, pseudo_label.merge(picture, none), none, "")
        split.append(TRAIN)
    for seed in range(DRAWN + DRAWN_HELD_OUT):
        pixels, boxes = draw(seed, [])
        writer.add("synthetic", pixels, boxes, none, "")
        split.append(TRAIN if seed < DRAWN else HELD_OUT)
    writer.close(split)
    log.info("%d pictures, %d of them real", len(split), len(split) - DRAWN - DRAWN_HELD_OUT)
    return Cache(folder)


def learn(cache: Cache, out: Path, steps: int, rate: float | None) -> list[float]:
    """Train a detector; every step's loss.

    Args:
        cache: pictures.
        out: where `last.pt` goes.
        steps: how many.
        rate: peak learning rate; None takes the one above.
    """
    arguments = argparse.Namespace(
        minutes=steps,
        processes=1,
        threads=2,
        bf16=False,
        resume=False,
        start=None,
        seed=0,
        teacher=False,
    )
    changes = CHANGES | ({} if rate is None else {"PEAK_RATE": rate})
    before = {name: getattr(train, name) for name in (*changes, "time")}
    vars(train).update(changes)
    try:
        run = _Watched(cache, out, 0, arguments)
        vars(train)["time"] = run
        run.train()
    finally:
        vars(train).update(before)
    return run.seen


def must_fall(name: str, losses: list[float], bound: float = FALLS_TO) -> None:
    """Compare both ends of a run.

    Raises:
        NotLearned: the last loss is above its bound, or not a number.
    """
    first, last = np.mean(losses[:FEW_STEPS]), np.mean(losses[-FEW_STEPS:])
    log.info("%s: loss %.3f -> %.3f in %d steps", name, first, last, len(losses))
    if not last <= bound * first:
        raise NotLearned(f"{name}: loss {first:.3f} -> {last:.3f}, must be <= {bound} of the first")


def share_found(cache: Cache, file: Path) -> float:
    """Of the held-out drawn people, how many are among as many best boxes as there are people."""
    student, hit, people = Int8Student(file), 0, 0
    for i in cache.where(HELD_OUT):
        truth: F32 = cache[i].boxes[cache[i].boxes[:, 4] == PERSON, :4]
        found = student.find(cache[i].pixels, 0.01)
        best = found[found[:, 5] == PERSON][: len(truth), :4]
        people += len(truth)
        if len(truth) and len(best):
            hit += int((iou(truth, best) >= SAME_BOX).any(1).sum())
    return hit / people


def to_int8(student: Student, cache: Cache, file: Path) -> Path:
    """Convert and quantize."""
    with tempfile.TemporaryDirectory() as folder, _aside(file.with_suffix(".log")):
        floating = Path(folder) / "float.tflite"
        to_float_tflite(student, floating)
        quantize(floating, file, cache)
    return file


def loads(file: Path, pythons: list[Path]) -> None:
    """Load and invoke the file with other Pythons, which may have the other runtime.

    Raises:
        NotLearned: one of them refuses it.
    """
    for python in [Path(sys.executable), *pythons]:
        command = [str(python), "-P", str(LOADER), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise NotLearned(f"{python}: {file.name} refused: {done.stderr.strip()[-400:]}")
        log.info("%s", done.stdout.strip())


def detector(out: Path, steps: int, rate: float | None, pythons: list[Path]) -> None:
    """The whole way of a detector."""
    cache = make_cache(out / "cache", data_folder())
    must_fall("detector", learn(cache, out, steps, rate))
    file = to_int8(load_student(out / "last.pt"), cache, out / "smoke_int8.tflite")
    found = share_found(cache, file)
    log.info("detector: int8 finds %.2f of the drawn people, must be >= %.2f", found, FINDS)
    if found < FINDS:
        raise NotLearned(
            f"detector: int8 finds {found:.2f} of the drawn people, must be >= {FINDS}"
        )
    loads(file, pythons)


def action(out: Path, rate: float | None, pythons: list[Path]) -> None:
    """The whole way of an action student, on posed figures and the shared skeletons."""
    np.savez(out / "posed.npz", **action_figures.pose(1, ACTION_ROWS))
    data = data_folder()
    posed = [out / "posed.npz"]
    sources = (
        action_sources.read_all(data, posed)
        if data.is_dir()
        else [action_sources.read_simulated(posed[0])]
    )
    trainer = Trainer(Mixture(sources), ACTION_STEPS, 0)
    must_fall("action", [trainer.advance() for _ in range(ACTION_STEPS)])
    torch.save(trainer.state(), out / "action.pt")
    file = out / "action_int8.tflite"
    with _aside(out / "action.log"):
        action_export.export(out / "action.pt", sources, file)
    judged = sources[-1]
    rows = np.flatnonzero(judged.held_out)
    best = Int8Action(file).scores(judged.skeletons[rows]).argmax(1)
    right = float(judged.accept[rows][np.arange(len(rows)), best].mean())
    log.info("action: int8 names %.2f of the posed figures, must be >= %.2f", right, NAMES)
    if right < NAMES:
        raise NotLearned(f"action: int8 names {right:.2f} of the figures, must be >= {NAMES}")
    loads(file, pythons)


@contextmanager
def _aside(path: Path) -> Iterator[None]:
    """What the converters print goes to a file."""
    with path.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        yield


def main() -> int:
    """Run from the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    log.setLevel(logging.INFO)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for cache, checkpoints and files")
    parser.add_argument("--only", choices=("action", "detector"), help="one student, not both")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"for the detector ({STEPS})")
    parser.add_argument("--rate", type=float, help="peak learning rate; at 0 it must fail")
    parser.add_argument("--load-with", type=Path, nargs="*", default=[], metavar="PYTHON")
    arguments = parser.parse_args()
    out, rate, pythons = arguments.out, arguments.rate, arguments.load_with
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # two threads wait for each other where cores are shared
    parts = {
        "action": partial(action, out, rate, pythons),
        "detector": partial(detector, out, arguments.steps, rate, pythons),
    }
    for part in [parts[arguments.only]] if arguments.only else parts.values():
        began = time.monotonic()
        try:
            part()
        except NotLearned as reason:
            log.info("FAILED %s", reason)
            return 1
        log.info("%.0f s", time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
