"""Crowds of known size: a network that writes constructed outputs instead of computing them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.interfaces import Session
from drivers.npu.tensors import TensorDetail
from tests.bench.scenes import HEIGHT_PX, WIDTH_PX, there_and_back

Array = npt.NDArray[Any]
F64 = npt.NDArray[np.float64]

PEOPLE = (1, 2, 4, 8, 16, 32)
COLUMNS, ROWS = 8, 4
FRAMES = 40
BODY_PX = (38.0, 84.0)
"""Width and height of a person, source pixels."""
STRIDE_PX = 1.5
"""Way from frame to frame, source pixels."""
CROSS = ((0, 0, 3.0), (1, 0, 2.0), (-1, 0, 1.8), (0, 1, 1.6), (0, -1, 1.4))
"""Cells that find the same person, as a real network's do: x, y, and logit of both scores."""
FAR_BELOW = -6.0


class Crowd:
    """Output tensors of `people` persons who walk slowly, for `FRAMES` frames.

    Attributes:
        words: the model's description.
        outputs: one list of tensors per frame, in the model's order.
    """

    def __init__(self, description: Path, people: int) -> None:
        self.words = json.loads(description.read_text(encoding="utf-8"))
        self._outputs = sorted(self.words["outputs"], key=lambda entry: entry["position"])
        height, width = self.words["input"]["shape"][1:3]
        self._ratio = min(height / HEIGHT_PX, width / WIDTH_PX)
        self.outputs = [self._frame(people, index) for index in range(FRAMES)]

    def _frame(self, people: int, index: int) -> list[Array]:
        tensors = [_filled(entry) for entry in self._outputs]
        named = {entry["name"]: row for row, entry in enumerate(self._outputs)}
        for person in range(people):
            x = (person % COLUMNS + 0.3) * WIDTH_PX / COLUMNS + STRIDE_PX * index * 0.5
            y = (person // COLUMNS + 0.5) * HEIGHT_PX / ROWS + 4 * np.sin(index / 5 + person)
            centre = np.array([x, y]) * self._ratio / 8
            size = np.array(BODY_PX) * self._ratio / 8
            for dx, dy, logit in CROSS:
                self._cell(tensors, named, centre, size, (dx, dy), logit)
        return tensors

    def _cell(
        self,
        tensors: list[Array],
        named: dict[str, int],
        centre: F64,
        size: F64,
        off: tuple[int, int],
        logit: float,
    ) -> None:
        """One cell on stride 8 that sees the person; neighbours see it a little smaller."""
        column, row = int(centre[0]) + off[0], int(centre[1]) + off[1]
        smaller = size * (0.97 if any(off) else 1.0)
        values = [*(centre - (column, row)), *np.log(smaller)]
        for name, value in (("box_s8", values), ("obj_s8", logit), ("cls_s8", logit)):
            entry = self._outputs[named[name]]
            tensors[named[name]][0, row, column] = _quantized(entry, value)


def _quantized(entry: dict[str, Any], value: Any) -> Array:
    limits = np.iinfo(entry["dtype"])
    steps = np.rint(np.asarray(value) / entry["scale"]) + entry["zero_point"]
    return np.clip(steps, limits.min, limits.max).astype(entry["dtype"])


def _filled(entry: dict[str, Any]) -> Array:
    value = 0.0 if entry["name"].startswith("box") else FAR_BELOW
    return np.full(entry["shape"], _quantized(entry, value), entry["dtype"])


class ReplayInterpreter:
    """A TFLite interpreter for the scripts. Implements `peers.Interpreter`."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._order = crowd, there_and_back(FRAMES)
        self._input = np.zeros(crowd.words["input"]["shape"], np.uint8)
        self._now = crowd.outputs[0]

    def set_tensor(self, index: int, value: Array) -> None:
        """Copy an input in."""
        np.copyto(self._input, value)

    def invoke(self) -> None:
        """Show the next frame's tensors."""
        self._now = self._crowd.outputs[next(self._order)]

    def get_tensor(self, index: int) -> Array:
        """Copy an output out."""
        return self._now[index].copy()

    def get_input_details(self) -> list[dict[str, Any]]:
        """Index of the input."""
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Indices of the outputs."""
        return [{"index": row} for row in range(len(self._now))]


class ReplayNpu:
    """A back end for the loop. Implements `Npu`."""

    target = "tflite"

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def load(self, path: str) -> Session:
        """A session that replays, whatever the file holds."""
        return ReplaySession(self._crowd)


class ReplaySession:
    """Tensors at fixed addresses, filled with the next frame's. Implements `Session`."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._order = crowd, there_and_back(FRAMES)
        self.inputs = [np.zeros(crowd.words["input"]["shape"], np.uint8)]
        self.outputs = [tensor.copy() for tensor in crowd.outputs[0]]
        self.input_details: tuple[TensorDetail, ...] = ()
        self.output_details: tuple[TensorDetail, ...] = ()

    def invoke(self) -> None:
        """Show the next frame's tensors."""
        for output, tensor in zip(
            self.outputs, self._crowd.outputs[next(self._order)], strict=True
        ):
            np.copyto(output, tensor)

    def close(self) -> None:
        """Nothing to free."""
