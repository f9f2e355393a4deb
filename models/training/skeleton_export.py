"""From a checkpoint to a full-integer TFLite file, by the same way as the other students.

python -m models.training.skeleton_export RUN/last.pt skeleton_s_int8.tflite CACHE [CACHE ...]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from models.skeletons import JOINTS
from models.training.boxes import F32
from models.training.export import interpreter
from models.training.quantize import _logits
from models.training.skeleton_augment import augmented, plain
from models.training.skeleton_cache import People
from models.training.skeleton_student import (
    HEIGHT_PX,
    OFFSET_REACH,
    WIDTH_PX,
    Exported,
    SkeletonStudent,
)
from models.training.skeleton_train import Draw

INPUT_SHAPE = (1, HEIGHT_PX, WIDTH_PX, 3)
INPUT_RANGE = (-1.0, 127 / 128)
"""Scale 1/128 and zero point 0: the int8 input is the camera's byte with its top bit flipped."""
OFFSET_RANGE = (-OFFSET_REACH, OFFSET_REACH * 127 / 128)
LOGIT_RANGE = (-6.0, 6.0 * 127 / 128)
"""Of being seen: left alone, the average range of single people ends where most joints are seen,
and no joint would ever be missing."""
CALIBRATION_PEOPLE: Final = 240
LEAST_PEAK: Final = 0.5
"""Percentile of the peaks of all joints; only what lies under nearly every peak is cut off."""
BELOW_PEAKS: Final = 1.0
SAME = 5e-3
"""Largest difference allowed between PyTorch and float TFLite: score units, cells, probability."""


def load_student(checkpoint: Path) -> SkeletonStudent:
    """The averaged weights of a checkpoint, ready to use."""
    student = SkeletonStudent()
    student.load_state_dict(torch.load(checkpoint, weights_only=True, map_location="cpu")["ema"])
    return student.eval()


def calibration(people: People, count: int = CALIBRATION_PEOPLE, seed: int = 7) -> list[F32]:
    """Training people as the camera takes them, every third one changed as in training."""
    rng, draw = np.random.default_rng(seed), Draw(people)
    found = []
    for i in range(count):
        person = people[draw(rng)]
        pixels = (augmented(rng, person) if i % 3 == 0 else plain(person)).pixels
        found.append(((pixels.astype(np.float32) - 128) / 128)[None])
    return found


def to_float_tflite(student: SkeletonStudent, path: Path, inputs: list[F32]) -> None:
    """Convert with litert-torch.

    Raises:
        ValueError: the file computes something else than PyTorch.
    """
    import litert_torch  # heavy, and part of the `train` extra only

    exported = Exported(student).eval()
    litert_torch.convert(exported, (torch.zeros(INPUT_SHAPE),)).export(str(path))
    runner, worst = interpreter(path), 0.0
    for tensor in inputs:
        with torch.no_grad():
            wanted = exported(torch.from_numpy(tensor))
        for a, b in zip(wanted, run_float(runner, tensor), strict=True):
            worst = max(worst, float(np.abs(a.numpy() - b).max()))
    if worst > SAME:
        raise ValueError(f"{path.name} differs from PyTorch by {worst:.4f}, allowed {SAME}")


def outputs_of(runner: Any) -> dict[str, dict[str, Any]]:
    """The interpreter's details of the tensors "cells", "offsets" and "visible"."""
    kinds = {}
    for position, detail in enumerate(runner.get_output_details()):
        is_grid, depth = int(detail["shape"][1]) > 1, int(detail["shape"][3])
        name = ("cells" if depth == JOINTS else "offsets") if is_grid else "visible"
        kinds[name] = detail | {"position": position}
    return {name: kinds[name] for name in ("cells", "offsets", "visible")}


def run_float(runner: Any, tensor: F32) -> list[F32]:
    """Cells, offsets and visibility of a float file for float32[1, 128, 96, 3]."""
    runner.set_tensor(runner.get_input_details()[0]["index"], tensor)
    runner.invoke()
    return [runner.get_tensor(detail["index"]) for detail in outputs_of(runner).values()]


def score_range(float_file: Path, inputs: list[F32]) -> tuple[float, float]:
    """What the cell scores' 256 steps are spent on: only the highest of each joint counts."""
    runner = interpreter(float_file)
    peaks = np.concatenate([run_float(runner, one)[0].max((0, 1, 2)) for one in inputs])
    low, high = float(np.percentile(peaks, LEAST_PEAK)) - BELOW_PEAKS, float(peaks.max())
    return min(low, 0.0), max(high, 0.0)


def quantize(float_file: Path, int8_file: Path, inputs: list[F32]) -> None:
    """Write the int8 file.

    Args:
        float_file: what `to_float_tflite` wrote.
        int8_file: where the result goes.
        inputs: what to calibrate on.
    """
    from ai_edge_quantizer import quantizer, recipe

    work = quantizer.Quantizer(str(float_file), recipe.static_wi8_ai8())
    ranges = work.calibrate({"serving_default": [{"args_0": i} for i in inputs]}, num_threads=1)
    runner = interpreter(float_file)
    outputs = outputs_of(runner)
    pins = {
        runner.get_input_details()[0]["name"]: INPUT_RANGE,
        outputs["offsets"]["name"]: OFFSET_RANGE,
        outputs["cells"]["name"]: score_range(float_file, inputs),
    } | {name: LOGIT_RANGE for name in _logits(runner)}
    for name, low_high in pins.items():
        for key, value in zip(("min", "max"), low_high, strict=True):
            ranges[name][key] = np.full_like(np.asarray(ranges[name][key], np.float32), value)
    int8_file.write_bytes(bytes(work.quantize(ranges).quantized_model))


def export(checkpoint: Path, people: People, int8_file: Path) -> None:
    """Convert and quantize."""
    student, inputs = load_student(checkpoint), calibration(people)
    with tempfile.TemporaryDirectory() as folder:
        float_file = Path(folder) / "float.tflite"
        to_float_tflite(student, float_file, inputs[:20])
        quantize(float_file, int8_file, inputs)


def main() -> None:
    """Convert and quantize a checkpoint from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("cache", type=Path, nargs="+")
    arguments = parser.parse_args()
    export(arguments.checkpoint, People(arguments.cache), arguments.int8)


if __name__ == "__main__":
    main()
