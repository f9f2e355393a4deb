"""Decoder of a network that scores each joint in each cell of a grid.

Three int8 outputs: scores [1, h, w, 17] of which only the order counts, offsets [1, h, w, 34]
(x, y of each joint from the middle of the cell, in cells), and the probability [1, 1, 1, 17] that
each joint is to be seen. The best cell is found among the stored bytes; 51 values are dequantized.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.package import ModelInfo, OutputInfo
from models.skeletons import JOINTS
from models.tables import F32


class JointCellsDecoder:
    """Outputs in, joints in input pixels out; all memory is taken when it is made."""

    def __init__(self, info: ModelInfo, outputs: Sequence[npt.NDArray[Any]]) -> None:
        """Bind to a session's outputs.

        Args:
            info: a description of this family.
            outputs: as the description has them.
        """
        cells, offsets, visible = (_of_kind(info, k) for k in ("cells", "offsets", "visible"))
        rows, columns = cells.shape[1:3]
        self._cells: npt.NDArray[np.int8] = outputs[cells.index].reshape(rows * columns, JOINTS)
        self._offsets: npt.NDArray[np.int8] = outputs[offsets.index].reshape(-1)
        self._visible: npt.NDArray[np.int8] = outputs[visible.index].reshape(JOINTS)
        self._best: npt.NDArray[np.intp] = np.zeros(JOINTS, np.intp)
        self._index: npt.NDArray[np.intp] = np.zeros((JOINTS, 2), np.intp)
        self._pair: npt.NDArray[np.intp] = np.arange(2 * JOINTS).reshape(JOINTS, 2)
        self._found: npt.NDArray[np.int8] = np.zeros((JOINTS, 2), np.int8)
        self._middle: F32 = np.zeros((JOINTS, 2), np.float32)
        self._middles = _middles(rows, columns, cells.stride)
        self._step, self._zero = _linear(offsets, cells.stride)
        self._score_step, self._score_zero = _linear(visible, 1)

    def decode(self, out: F32) -> None:
        """Fill float32[17, 3]: x, y in input pixels, probability 0..1."""
        np.argmax(self._cells, axis=0, out=self._best)
        np.multiply(self._best[:, None], 2 * JOINTS, out=self._index)
        np.add(self._index, self._pair, out=self._index)
        np.take(self._offsets, self._index, out=self._found, mode="clip")
        np.take(self._middles, self._best, axis=0, out=self._middle, mode="clip")
        points = out[:, :2]
        np.copyto(points, self._found)
        np.subtract(points, self._zero, out=points)
        np.multiply(points, self._step, out=points)
        np.add(points, self._middle, out=points)
        seen = out[:, 2]
        np.copyto(seen, self._visible)
        np.subtract(seen, self._score_zero, out=seen)
        np.multiply(seen, self._score_step, out=seen)


def _of_kind(info: ModelInfo, kind: str) -> OutputInfo:
    return next(output for output in info.outputs if output.kind == kind)


def _linear(output: OutputInfo, unit: float) -> tuple[np.float32, np.float32]:
    """Step and zero point of a stored value, in `unit`."""
    return np.float32(output.scale * unit), np.float32(output.zero_point)


def _middles(rows: int, columns: int, stride: int) -> F32:
    """float32[rows * columns, 2]: x, y of each cell's middle, input pixels."""
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    return np.asarray((np.stack([x.ravel(), y.ravel()], 1) + 0.5) * stride, np.float32)
