"""The one grid that people are covered with: fixed to the picture, in nested sizes.

Every cell of a size is made of four cells of the size below, so pictures that were covered in
different sizes tell together no more than the finest of them. The grid never moves with a person.
"""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from drivers.interfaces import U8

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]
Part = tuple[slice, slice, slice, slice, tuple[int, int]]

LEVELS = 5
UNKNOWN = 2
"""Level for whatever nobody has measured: `rows` of its cells make the shorter side."""
SAMPLES = 3
"""Samples along a side of the finest cell: what stillness is judged by, never shown."""
LEAST_SAMPLE_PX = 3
"""So the finest cell is at least 9 px wide, and the one for the unknown 36."""
HEADS_HIGH, HEADS_WIDE = 9.0, 4.0
"""A body is 7 to 8 heads high and 3 wide; a cell is no smaller than these shares of its box."""


class Grid:
    """Cell sizes and shapes for one picture size; maps have a row and column per finest cell.

    Args:
        width_px, height_px: size of the pictures.
        rows: cells of level UNKNOWN along the shorter side.

    Attributes:
        cell_px: side of a cell, by level.
        shape: rows and columns of a map, multiples of the coarsest cell: some lie outside.
        inside: bool[shape], cells that have a pixel.
    """

    def __init__(self, width_px: int, height_px: int, rows: int) -> None:
        fine = 2**UNKNOWN * SAMPLES
        self.sample_px = max(LEAST_SAMPLE_PX, ceil(min(width_px, height_px) / (rows * fine)))
        self.cell_px = [self.sample_px * SAMPLES * 2**level for level in range(LEVELS)]
        coarsest = 2 ** (LEVELS - 1)
        used = ceil(height_px / self.cell_px[0]), ceil(width_px / self.cell_px[0])
        self.shape = ceil(used[0] / coarsest) * coarsest, ceil(used[1] / coarsest) * coarsest
        self.inside: Mask = np.zeros(self.shape, np.bool_)
        self.inside[: used[0], : used[1]] = True
        self._used = used
        self._size = width_px, height_px
        sizes = (self.sample_px, *self.cell_px)
        self._parts = {px: _parts(width_px, height_px, px) for px in sizes}
        self._rows: Index = np.arange(height_px) // self.cell_px[0]
        self._columns: Index = np.arange(width_px) // self.cell_px[0]
        self._wide: U8 = np.zeros((used[0], width_px, 3), np.uint8)
        self._wide_mask: U8 = np.zeros((used[0], width_px), np.uint8)
        self._up = [np.arange(max(self.shape)) // 2**level for level in range(LEVELS)]

    def table(self, level: int) -> U8:
        """Room for the means of a level: uint8[rows, columns, 3]."""
        return np.zeros((self.shape[0] >> level, self.shape[1] >> level, 3), np.uint8)

    def sample_table(self) -> U8:
        """Room for the samples: uint8[SAMPLES * rows, SAMPLES * columns, 3]."""
        return np.zeros((self.shape[0] * SAMPLES, self.shape[1] * SAMPLES, 3), np.uint8)

    def means(self, pixels: U8, level: int, out: U8) -> None:
        """Mean colour of each cell: of its pixels alone, wherever they lie in it."""
        self._shrink(pixels, self.cell_px[level], out)

    def samples(self, pixels: U8, out: U8) -> None:
        """Mean colour of each sample."""
        self._shrink(pixels, self.sample_px, out)

    def _shrink(self, pixels: U8, px: int, out: U8) -> None:
        for rows, columns, to_rows, to_columns, size in self._parts[px]:
            part = pixels[rows, columns]
            cv2.resize(part, size, dst=out[to_rows, to_columns], interpolation=cv2.INTER_AREA)

    def repeated(self, table: U8, level: int) -> U8:
        """A table of a level with a row and column per finest cell."""
        if not level:
            return table
        rows, columns = self._up[level][: self.shape[0]], self._up[level][: self.shape[1]]
        spread: U8 = table.take(rows, axis=0).take(columns, axis=1)
        return spread

    def pooled(self, cells: Mask, level: int) -> Mask:
        """Every cell of the level of which a part is set, whole: bool[shape]."""
        if not level:
            return cells
        side, (rows, columns) = 2**level, self.shape
        blocks = cells.reshape(rows // side, side, columns // side, side)
        whole = np.empty_like(blocks)
        whole[:] = blocks.any(axis=(1, 3), keepdims=True)
        return whole.reshape(self.shape)

    def paint(self, table: U8, out: U8) -> None:
        """Fill a picture with the colours of the finest cells."""
        used = self._used
        np.take(table[: used[0]], self._columns, axis=1, out=self._wide, mode="clip")
        np.take(self._wide, self._rows, axis=0, out=out, mode="clip")

    def paint_mask(self, cells: Mask, out: U8) -> None:
        """Fill a mask of the picture's size: 255 where a cell is set."""
        used = self._used
        table = cells[: used[0]].view(np.uint8) * np.uint8(255)
        np.take(table, self._columns, axis=1, out=self._wide_mask, mode="clip")
        np.take(self._wide_mask, self._rows, axis=0, out=out, mode="clip")

    def band_mask(self, cells: Mask, height_px: int) -> U8:
        """The same for a few rows of cells, of which so many pixels are in the picture."""
        table = cells.view(np.uint8) * np.uint8(255)
        wide = table.take(self._columns, axis=1)
        return wide.take(self._rows[:height_px], axis=0)

    def region(self, box: list[float], margin: float) -> tuple[slice, slice]:
        """The cells that a box touches, enlarged by a share of its sides; may be empty.

        Args:
            box: xyxy, pixels.
        """
        x1, y1, x2, y2 = box
        dx, dy, px = (x2 - x1) * margin, (y2 - y1) * margin, self.cell_px[0]
        rows, columns = self._used
        top, bottom = int(max(0.0, y1 - dy) // px), int(max(-1.0, y2 + dy) // px) + 1
        left, right = int(max(0.0, x1 - dx) // px), int(max(-1.0, x2 + dx) // px) + 1
        return slice(min(top, rows), min(bottom, rows)), slice(
            min(left, columns), min(right, columns)
        )

    def level_of(self, box: list[float]) -> int:
        """The smallest cells that leave one or two of them for the head of this person."""
        x1, y1, x2, y2 = box
        need_px = max((y2 - y1) / HEADS_HIGH, (x2 - x1) / HEADS_WIDE)
        for level, px in enumerate(self.cell_px):
            if px >= need_px:
                return level
        return LEVELS - 1


def _parts(width_px: int, height_px: int, px: int) -> list[Part]:
    """Whole cells, and those at the right and lower edge that are cut: each a whole ratio."""
    return [
        (rows, columns, to_rows, to_columns, (_length(to_columns), _length(to_rows)))
        for rows, to_rows in _spans(height_px, px)
        for columns, to_columns in _spans(width_px, px)
    ]


def _spans(length_px: int, px: int) -> list[tuple[slice, slice]]:
    whole = length_px // px
    spans = [(slice(0, whole * px), slice(0, whole))] if whole else []
    if length_px % px:
        spans.append((slice(whole * px, length_px), slice(whole, whole + 1)))
    return spans


def _length(part: slice) -> int:
    return int(part.stop - part.start)
