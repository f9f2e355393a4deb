"""The cells of an anchor-free model on all its strides as one flat row, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.letterbox import Letterbox
from models.package import ModelInfo, OutputInfo

Array = npt.NDArray[Any]
F32 = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]

LEVELS: Final = 256
MAX_EXPONENT: Final = 20.0
"""exp beyond this is many pictures wide; bounded so that the tables stay finite."""


def dequantized(output: OutputInfo) -> F32:
    """float32[256]: the real value of each stored byte, read as uint8."""
    stored = np.arange(LEVELS, dtype=np.uint8).view(output.dtype).astype(np.float32)
    return np.asarray((stored - output.zero_point) * np.float32(output.scale), np.float32)


def sigmoid(values: F32) -> F32:
    """1 / (1 + exp(-values)), without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -80, 80))), np.float32)


def quantized_threshold(table: F32, dtype: str, least: float) -> int:
    """The smallest stored value whose entry reaches `least`; the dtype's maximum if none does.

    A cell that passes for want of a better threshold still meets the exact comparison later.
    """
    enough = np.arange(LEVELS, dtype=np.uint8).view(dtype)[table >= np.float32(least)]
    return int(enough.min()) if enough.size else int(np.iinfo(dtype).max)


class _Row:
    """One kind of output of all strides, gathered into one flat row of bytes."""

    def __init__(self, outputs: list[OutputInfo]) -> None:
        self.indices = [output.index for output in outputs]
        sizes = [int(np.prod(output.shape)) for output in outputs]
        self.values: Array = np.zeros(sum(sizes), outputs[0].dtype)
        self.bytes: npt.NDArray[np.uint8] = self.values.view(np.uint8)
        self._parts: tuple[Array, ...] = ()

    def bind(self, outputs: Sequence[Array]) -> None:
        """Remember flat views of a session's outputs."""
        self._parts = tuple(outputs[i].reshape(-1) for i in self.indices)

    def gather(self) -> None:
        """Copy the tensors into the row."""
        np.concatenate(self._parts, out=self.values)


class Grid:
    """All cells of all strides in one row: scores of the few that matter, and their corners.

    Attributes:
        cells: number of cells.
    """

    def __init__(self, info: ModelInfo, letterbox: Letterbox, min_scores: Sequence[float]) -> None:
        """Build the tables.

        Args:
            info: the model's description.
            letterbox: gives source pixels per input pixel.
            min_scores: what the quantized thresholds let through, of each class.
        """
        boxes, classes = _of_kind(info, "box"), _of_kind(info, "class")
        objectness = _of_kind(info, "objectness")
        counts = [output.shape[1] * output.shape[2] for output in boxes]
        self.cells = sum(counts)
        self._levels: Index = np.repeat(np.arange(len(counts)) * LEVELS, counts)
        self._depth = len(info.classes)
        self._box, self._class = _Row(boxes), _Row(classes)
        self._class_rows = self._class.bytes.reshape(self.cells, self._depth)
        self._class_values = self._class.values.reshape(self.cells, self._depth)
        self._class_table = _score_table(classes, info.decode.score)
        self._objectness = _Row(objectness) if objectness else None
        self._objectness_table = _score_table(objectness, info.decode.score)
        self._gate = self._objectness or self._class
        least = [min(min_scores)] if objectness else min_scores
        self._gate_least = _thresholds(objectness or classes, info.decode.score, least)
        self._mask = np.zeros(self._gate.values.size, np.bool_)
        self._centred = info.decode.box == "yolox_cxcywh"
        self._build_boxes(boxes, counts, letterbox)
        self._bound: Sequence[Array] | None = None

    def _build_boxes(
        self, boxes: list[OutputInfo], counts: list[int], letterbox: Letterbox
    ) -> None:
        """Tables of box values and cell positions, both in source pixels."""
        scale = np.array([letterbox.scale_x, letterbox.scale_y] * 2, np.float32)[:, None]
        tables = [_box_table(output, self._centred) * scale for output in boxes]
        self._box_table: F32 = np.concatenate([table.reshape(-1) for table in tables])
        offsets = np.arange(4)[:, None] * LEVELS
        self._box_base: Index = np.ascontiguousarray(4 * self._levels[None, :] + offsets)
        places = [_cell_places(output, 0.0 if self._centred else 0.5) for output in boxes]
        self._places: F32 = np.concatenate(places, axis=1) * scale
        if self._centred:
            self._places = np.ascontiguousarray(self._places[:2])
        self._box_words = self._box.bytes.view(np.uint32)

    def survivors(self, outputs: Sequence[Array]) -> tuple[Index, Index | None, F32]:
        """Cells that may reach the score, in the order of strides, rows and columns.

        Returns:
            cells: intp[K], each once; class: intp[K], None where there is one class;
            scores: float32[K], which may still be below the threshold.
        """
        if outputs is not self._bound:
            self._bind(outputs)
        self._gate.gather()
        np.greater_equal(self._gate.values, self._gate_least, out=self._mask)
        cells: Index = self._mask.nonzero()[0]
        if not cells.size:
            return cells, None, self._class_table[:0]
        if self._objectness is None:
            cells = self._once(cells)
            return self._class_scores(cells)
        levels = self._levels.take(cells)
        levels += self._objectness.bytes.take(cells)
        self._class.gather()
        cells, classes, scores = self._class_scores(cells)
        scores *= self._objectness_table.take(levels)
        return cells, classes, scores

    def _class_scores(self, cells: Index) -> tuple[Index, Index | None, F32]:
        """Best class of each cell, the first of equals, and its score."""
        levels = self._levels.take(cells)
        if self._depth == 1:
            levels += self._class.bytes.take(cells)
            return cells, None, self._class_table.take(levels)
        classes = self._class_values.take(cells, axis=0).argmax(axis=1)
        levels += self._class_rows[cells, classes]
        return cells, classes, self._class_table.take(levels)

    def _once(self, found: Index) -> Index:
        """Positions among all class values, ascending, to cells, each once."""
        if self._depth == 1:
            return found
        cells: Index = found // self._depth
        return cells[np.diff(cells, prepend=-1) > 0]

    def corners(self, cells: Index) -> F32:
        """float32[4, K]: x1, y1, x2, y2 of cells in source pixels, not clipped."""
        self._box.gather()
        index = self._box_base.take(cells, axis=1)
        index += self._box_words.take(cells).view(np.uint8).reshape(-1, 4).T
        corners: F32 = self._box_table.take(index)
        if not self._centred:
            corners += self._places.take(cells, axis=1)
            return corners
        centre = corners[:2] + self._places.take(cells, axis=1)
        np.subtract(centre, corners[2:], out=corners[:2])
        np.add(centre, corners[2:], out=corners[2:])
        return corners

    def _bind(self, outputs: Sequence[Array]) -> None:
        for row in (self._box, self._class, self._objectness):
            if row is not None:
                row.bind(outputs)
        self._bound = outputs


def _of_kind(info: ModelInfo, kind: str) -> list[OutputInfo]:
    """Outputs of one kind, finest stride first."""
    return sorted((out for out in info.outputs if out.kind == kind), key=lambda out: out.stride)


def _scores(output: OutputInfo, score: str) -> F32:
    """float32[256]: the probability of each stored byte."""
    values = dequantized(output)
    return values if score == "probability" else sigmoid(values)


def _score_table(outputs: list[OutputInfo], score: str) -> F32:
    tables = [_scores(output, score) for output in outputs]
    return np.concatenate(tables) if tables else np.zeros(0, np.float32)


def _thresholds(outputs: list[OutputInfo], score: str, least: Sequence[float]) -> Array:
    """The stored value that each element of the row has to reach; `least` per last index."""
    parts = []
    for out in outputs:
        table = _scores(out, score)
        steps = [quantized_threshold(table, out.dtype, one) for one in least]
        parts.append(np.tile(np.array(steps, out.dtype), int(np.prod(out.shape)) // len(steps)))
    return np.concatenate(parts)


def _box_table(output: OutputInfo, centred: bool) -> F32:
    """float32[4, 256]: what each byte of each of the four values means, input pixels."""
    values = dequantized(output)
    reach = np.exp(np.minimum(values, MAX_EXPONENT))
    rows = [values, values, reach / 2, reach / 2] if centred else [-reach, -reach, reach, reach]
    return np.asarray(np.stack(rows) * output.stride, np.float32)


def _cell_places(output: OutputInfo, offset: float) -> F32:
    """float32[4, cells]: x, y, x, y of each cell, input pixels."""
    rows, columns = np.mgrid[: output.shape[1], : output.shape[2]].astype(np.float32)
    x = (columns.reshape(-1) + offset) * output.stride
    y = (rows.reshape(-1) + offset) * output.stride
    return np.asarray(np.stack([x, y, x, y]), np.float32)
