"""From a checkpoint to .rknn files, one per Rockchip SoC, and a comparison with the float network.

    python -m models.training.rknn detector RUN/last.pt ppe_s --data CACHE --targets rk3588,rk3576
    python -m models.training.rknn action RUN/last.pt action_xs --targets rk3588

writes ppe_s.rk3588.rknn and so on. Rockchip's converter wants other versions than ours, so it has
a virtual environment of its own (`make .venv-rknn/ready`). It is run as a program, in bare
surroundings: it leaves scraps of its memory in the file, and two builds shall be the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.training.boxes import F32
from models.training.rknn_header import read_header
from models.training.rknn_subjects import SUBJECTS, Subject

log = logging.getLogger(__name__)

TARGETS = ("rk3588", "rk3566", "rk3568", "rk3576")
TOOLKIT_PYTHON = Path(".venv-rknn/bin/python")
SCRIPT = Path(__file__).with_name("rknn_toolkit.py")
OPSET = 13
BUILDS = 5
"""So many are made at most, until two are the same to the byte."""
LONGEST_S = 900
LIKE_FLOAT = 0.9
"""Cosine between the simulator's outputs and the float network's that each output must reach."""


class ConversionFailed(RuntimeError):
    """The converter is not there, failed, or made something else; the message says which."""


def toolkit_python(named: Path | None) -> Path:
    """The converter's Python: as named, from HAETAE_RKNN_PYTHON, or .venv-rknn here.

    Raises:
        ConversionFailed: there is none.
    """
    path = named or Path(os.environ.get("HAETAE_RKNN_PYTHON", TOOLKIT_PYTHON))
    if shutil.which(path) is None:
        raise ConversionFailed(
            f"{path}: no Python with Rockchip's converter; `make .venv-rknn/ready` makes one "
            "(1.5 GB, x86-64), or name it with --rknn-python or HAETAE_RKNN_PYTHON"
        )
    return path.absolute()


def to_onnx(subject: Subject, path: Path) -> None:
    """Write the network for the converter, which reads no newer opset well."""
    example = subject.scaled(subject.trial[:1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            subject.network, (example,), str(path), opset_version=OPSET, dynamo=False,
            input_names=["input"], output_names=list(subject.names),
        )  # fmt: skip


def prepare(subject: Subject, folder: Path) -> dict[str, Any]:
    """Lay out all that a conversion reads; returns the job without target and name."""
    to_onnx(subject, folder / "network.onnx")
    names = [f"c{i:03}.npy" for i in range(len(subject.calibration))]
    for name, one in zip(names, subject.calibration, strict=True):
        np.save(folder / name, one[None])
    np.savez(folder / "trial.npz", **{f"a{k}": one[None] for k, one in enumerate(subject.trial)})
    channels = subject.trial.shape[1]
    return {
        "onnx": "network.onnx", "calibration": names, "trial": "trial.npz", "answers": "out.npz",
        "out": "network.rknn",
        "mean": None if subject.mean is None else [[subject.mean] * channels],
        "std": None if subject.std is None else [[subject.std] * channels],
    }  # fmt: skip


def convert(python: Path, folder: Path, job: dict[str, Any]) -> bytes:
    """Run the converter once; its answers lie in the folder.

    Raises:
        ConversionFailed: with the end of what it printed.
    """
    (folder / "job.json").write_text(json.dumps(job))
    command = ["setarch", platform.machine(), "-R", str(python), "-P", str(SCRIPT), "job.json"]
    bare = {
        "PATH": "/usr/bin:/bin", "HOME": "/tmp", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "TQDM_DISABLE": "1",
    }  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env=bare, capture_output=True, text=True, timeout=LONGEST_S
    )
    if done.returncode:
        printed = (done.stdout + done.stderr).strip().splitlines()
        raise ConversionFailed(f"{job['target']}: " + "\n".join(printed[-8:]))
    return (folder / job["out"]).read_bytes()


def convert_repeatably(python: Path, folder: Path, job: dict[str, Any]) -> tuple[bytes, bool]:
    """Convert until two results are the same; the last one and False if none ever are."""
    seen: set[bytes] = set()
    for _ in range(BUILDS):
        content = convert(python, folder, job)
        if content in seen:
            return content, True
        seen.add(content)
    return content, False


def answers(folder: Path, job: dict[str, Any], subject: Subject) -> list[list[F32]]:
    """What the simulator gave, per trial and output."""
    with np.load(folder / job["answers"]) as found:
        return [
            [found[f"a{k}_{i}"] for i in range(len(subject.names))]
            for k in range(len(subject.trial))
        ]


def float_answers(subject: Subject) -> list[list[F32]]:
    """What the float network gives, per trial and output."""
    with torch.no_grad():
        rows = [subject.network(subject.scaled(one[None])) for one in subject.trial]
    return [[o.numpy() for o in (row if isinstance(row, tuple) else (row,))] for row in rows]


def cosines(wanted: list[list[F32]], found: list[list[F32]]) -> list[float]:
    """Per output, over all trials together."""
    values = []
    for i in range(len(wanted[0])):
        a = np.concatenate([row[i].ravel() for row in wanted]).astype(np.float64)
        b = np.concatenate([row[i].ravel() for row in found]).astype(np.float64)
        values.append(float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12)))
    return values


def export(subject: Subject, out: Path, targets: list[str], python: Path) -> list[Path]:
    """Convert for every target, compare, and write beside `out`.

    Args:
        subject: the student.
        out: path without ending.
        targets: SoCs, of TARGETS.
        python: with the converter.

    Returns:
        The files written.

    Raises:
        ConversionFailed: the converter failed, the file is for another SoC, or its outputs are not
            like the float network's.
    """
    wanted, files = float_answers(subject), []
    with tempfile.TemporaryDirectory(prefix="rknn-") as name:
        folder = Path(name)
        job = prepare(subject, folder)
        for target in targets:
            content, repeatable = convert_repeatably(python, folder, job | {"target": target})
            found = answers(folder, job, subject)
            like = dict(zip(subject.names, cosines(wanted, found), strict=True))
            _check(folder / job["out"], target, like)
            file = out.with_name(f"{out.name}.{target}.rknn")
            file.write_bytes(content)
            files.append(file)
            log.info("%s", _line(file, content, repeatable, like, subject.judge(wanted, found)))
    return files


def _check(file: Path, target: str, like: dict[str, float]) -> None:
    header = read_header(file)
    if target not in header.target_platform:
        raise ConversionFailed(f"asked for {target}, the file is for {header.target_platform}")
    poor = {name: round(value, 4) for name, value in like.items() if not value >= LIKE_FLOAT}
    if poor:
        raise ConversionFailed(
            f"{target}: cosine to the float network {poor}, at least {LIKE_FLOAT}"
        )


def _line(file: Path, content: bytes, same: bool, like: dict[str, float], judged: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    outputs = "  ".join(f"{name} {value:.4f}" for name, value in like.items())
    repeats = "two builds the same" if same else f"NOT repeatable in {BUILDS} builds"
    return (
        f"{file}: {len(content)} bytes, sha256 {digest[:16]}..., {repeats}\n"
        f"  simulator against float, cosine: {outputs}\n  {judged}"
    )


def main() -> None:
    """Convert a checkpoint from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("student", choices=sorted(SUBJECTS))
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path, help="files to write, without .SOC.rknn")
    parser.add_argument("--targets", type=targets_of, default=list(TARGETS))
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="what to calibrate on")
    parser.add_argument("--rknn-python", type=Path, help="Python with Rockchip's converter")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    try:
        python = toolkit_python(arguments.rknn_python)
        subject = SUBJECTS[arguments.student](arguments.checkpoint, arguments.data)
        export(subject, arguments.out, arguments.targets, python)
    except ConversionFailed as failed:
        parser.exit(1, f"{failed}\n")


def targets_of(text: str) -> list[str]:
    """SoCs from a list with commas."""
    names = text.split(",")
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}; known: {', '.join(TARGETS)}")
    return names


if __name__ == "__main__":
    main()
