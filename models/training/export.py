"""From a checkpoint to a floating-point TFLite file, and proof that nothing changed on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.training.boxes import F32
from models.training.student import HEIGHT_PX, WIDTH_PX, Exported, Student

INPUT_SHAPE = (1, HEIGHT_PX, WIDTH_PX, 3)
OUTPUT = re.compile(r"output_(\d+)")
SAME = 2e-3
"""Largest difference allowed between PyTorch and float TFLite, in logits and log distances."""


def load_student(checkpoint: Path) -> Student:
    """The averaged weights of a checkpoint, ready to use."""
    student = Student()
    student.load_state_dict(torch.load(checkpoint, weights_only=True)["ema"])
    return student.eval()


def to_float_tflite(student: Student, path: Path) -> None:
    """Convert with litert-torch.

    Raises:
        ValueError: the file computes something else than PyTorch.
    """
    import litert_torch  # heavy, and part of the `train` extra only

    exported = Exported(student).eval()
    example = (torch.zeros(INPUT_SHAPE),)
    litert_torch.convert(exported, example).export(str(path))
    worst = largest_difference(exported, path)
    if worst > SAME:
        raise ValueError(f"{path.name} differs from PyTorch by {worst:.4f}, allowed {SAME}")


def interpreter(path: Path, threads: int = 1) -> Any:
    """A LiteRT interpreter with tensors allocated."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=threads)
    runner.allocate_tensors()
    return runner


def output_order(runner: Any) -> list[int]:
    """Positions in get_output_details() in the order in which the network returns them."""
    names = [str(d["name"]) for d in runner.get_output_details()]
    numbers = [int(found.group(1)) for found in map(OUTPUT.search, names) if found]
    if sorted(numbers) != list(range(len(names))):
        raise ValueError(f"outputs are named {names}, expected output_0, output_1, ...")
    return sorted(range(len(names)), key=numbers.__getitem__)


def run_float(runner: Any, tensor: F32) -> list[F32]:
    """Outputs of a float model for float32[1, 256, 320, 3], boxes then classes."""
    runner.set_tensor(runner.get_input_details()[0]["index"], tensor)
    runner.invoke()
    details = runner.get_output_details()
    return [runner.get_tensor(details[i]["index"]) for i in output_order(runner)]


def largest_difference(exported: Exported, path: Path, tries: int = 5) -> float:
    """Between PyTorch and the file, over random inputs."""
    runner, rng, worst = interpreter(path), np.random.default_rng(0), 0.0
    for _ in range(tries):
        tensor = rng.uniform(-1, 1, INPUT_SHAPE).astype(np.float32)
        with torch.no_grad():
            wanted = exported(torch.from_numpy(tensor))
        for a, b in zip(wanted, run_float(runner, tensor), strict=True):
            worst = max(worst, float(np.abs(a.numpy() - b).max()))
    return worst
