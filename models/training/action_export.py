"""From a checkpoint to a full-integer TFLite file, by the same way as the person student.

python -m models.training.action_export RUN/last.pt action_xs_int8.tflite --simulated posed.npz
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from models.skeletons import REACH
from models.tables import F32
from models.training.action_sources import Source, read_all
from models.training.action_student import INPUTS, ActionStudent, Exported
from models.training.action_train import Mixture, load_student
from models.training.dataset import data_folder
from models.training.export import interpreter

INPUT_SHAPE = (1, 1, 1, INPUTS)
INPUT_RANGE = (-REACH, REACH * 127 / 128)
"""Zero point 0: a missing joint is the integer 0."""
LOGIT_RANGE = (-16.0, 16.0 * 127 / 128)
CALIBRATION_ROWS = 2000
SHAPING = 20
"""Rows for the quantizer's own calibration, whose ranges are then replaced."""
SAME = 2e-3
"""Largest difference allowed between PyTorch and float TFLite, in logits."""


def to_float_tflite(student: ActionStudent, path: Path, inputs: F32) -> None:
    """Convert with litert-torch.

    Args:
        student: its weights.
        path: where the file goes.
        inputs: float32[N, 51] to compare on.

    Raises:
        ValueError: the file computes something else than PyTorch.
    """
    import litert_torch  # heavy, and part of the `train` extra only

    exported = Exported(student).eval()
    litert_torch.convert(exported, (torch.zeros(INPUT_SHAPE),)).export(str(path))
    with torch.no_grad():
        wanted = student(torch.from_numpy(inputs)[:, :, None, None]).flatten(1).numpy()
    worst = float(np.abs(run_float(path, inputs) - wanted).max())
    if worst > SAME:
        raise ValueError(f"{path.name} differs from PyTorch by {worst:.4f}, allowed {SAME}")


def run_float(path: Path, inputs: F32) -> F32:
    """Logits float32[N, 12] of the float file for inputs float32[N, 51]."""
    runner = interpreter(path)
    into, out = runner.get_input_details()[0]["index"], runner.get_output_details()[0]["index"]
    rows = []
    for row in inputs:
        runner.set_tensor(into, row.reshape(INPUT_SHAPE))
        runner.invoke()
        rows.append(runner.get_tensor(out).ravel())
    return np.array(rows)


def quantize(float_file: Path, int8_file: Path, inputs: F32) -> None:
    """Write the int8 file.

    Args:
        float_file: what `to_float_tflite` wrote.
        int8_file: where the result goes.
        inputs: float32[N, 51], training skeletons to calibrate on.
    """
    from ai_edge_quantizer import quantizer, recipe

    work = quantizer.Quantizer(str(float_file), recipe.static_wi8_ai8())
    data = {"serving_default": [{"args_0": row.reshape(INPUT_SHAPE)} for row in inputs[:SHAPING]]}
    ranges = work.calibrate(data, num_threads=1)
    pins = extremes(float_file, inputs, set(ranges)) | _pins(float_file)
    for name, low_high in pins.items():
        for key, value in zip(("min", "max"), low_high, strict=True):
            ranges[name][key] = np.full_like(np.asarray(ranges[name][key], np.float32), value)
    int8_file.write_bytes(bytes(work.quantize(ranges).quantized_model))


def extremes(float_file: Path, inputs: F32, names: set[str]) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each tensor over all inputs.

    The quantizer averages the ranges of single rows, which cuts off what only some rows reach.
    """
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(float_file), num_threads=1, experimental_preserve_all_tensors=True)
    runner.allocate_tensors()
    into = runner.get_input_details()[0]["index"]
    wanted = {d["name"]: d["index"] for d in runner.get_tensor_details() if d["name"] in names}
    found = dict.fromkeys(wanted, (np.inf, -np.inf))
    for row in inputs:
        runner.set_tensor(into, row.reshape(INPUT_SHAPE))
        runner.invoke()
        for name, index in wanted.items():
            values, (low, high) = runner.get_tensor(index), found[name]
            found[name] = (min(low, float(values.min())), max(high, float(values.max())))
    return {name: (min(low, 0.0), max(high, 0.0)) for name, (low, high) in found.items()}


def _pins(float_file: Path) -> dict[str, tuple[float, float]]:
    runner = interpreter(float_file)
    return {
        runner.get_input_details()[0]["name"]: INPUT_RANGE,
        runner.get_output_details()[0]["name"]: LOGIT_RANGE,
    }


def calibration(sources: list[Source], count: int = CALIBRATION_ROWS, seed: int = 5) -> F32:
    """Training skeletons as the network sees them, float32[count, 51]."""
    rng = np.random.default_rng(seed)
    return Mixture(sources).batch(rng, count)[0].flatten(1).numpy()


def export(checkpoint: Path, sources: list[Source], int8_file: Path) -> None:
    """Convert and quantize."""
    student, inputs = load_student(checkpoint), calibration(sources)
    with tempfile.TemporaryDirectory() as folder:
        float_file = Path(folder) / "float.tflite"
        to_float_tflite(student, float_file, inputs[:100])
        quantize(float_file, int8_file, inputs)


def main() -> None:
    """Convert and quantize a checkpoint from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("--simulated", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    sources = read_all(data_folder(), arguments.simulated)
    export(arguments.checkpoint, sources, arguments.int8)


if __name__ == "__main__":
    main()
