"""A small grey picture of what the camera sees, at rest: people and noise have mostly gone from it.

Reference: slopes rather than levels tell whether two pictures show the same scene in other light.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

WIDTH_PX = 128
"""Of the small picture: the wind on a mast is less than one of its pixels."""
CELL_PX = 8
"""Edge of a cell; a picture of 16:9 has 16 x 9 of them."""
LEAST_ROWS, MOST_ROWS = 4, 16
"""Cells above one another, of very wide and very tall pictures."""
FRESH_SHARE = 0.5
"""Weight of a new look: three looks make most of the picture."""
SOBEL = 0.125
"""Sobel's sum over 3 x 3 pixels to grey levels per pixel."""


class SmallPicture:
    """The grey picture, its slopes, and their strength by cell.

    Attributes:
        shape: rows and columns of cells.
        scale: pixels of the source picture per pixel of this one, along and down.
        grey: float32[H, W], mean of the last looks, 0 to 255.
        slope_x, slope_y: float32[H, W], grey levels per pixel.
        level: float32[rows, columns], mean grey of a cell.
        strength: float32[rows, columns], mean square of the slopes of a cell.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        rows = round(WIDTH_PX * height_px / width_px / CELL_PX)
        rows = min(max(rows, LEAST_ROWS), MOST_ROWS)
        self.size = WIDTH_PX, rows * CELL_PX
        self.shape = rows, WIDTH_PX // CELL_PX
        self.scale = width_px / WIDTH_PX, height_px / self.size[1]
        shape = (self.size[1], self.size[0])
        self._colour: U8 = np.zeros((*shape, 3), np.uint8)
        self._fresh: U8 = np.zeros(shape, np.uint8)
        self.grey: F32 = np.zeros(shape, np.float32)
        self.slope_x: F32 = np.zeros(shape, np.float32)
        self.slope_y: F32 = np.zeros(shape, np.float32)
        self._product: F32 = np.zeros(shape, np.float32)
        self._other: F32 = np.zeros(shape, np.float32)
        self.level: F32 = np.zeros(self.shape, np.float32)
        self.strength: F32 = np.zeros(self.shape, np.float32)
        self.forget()

    def forget(self) -> None:
        """The next look is the first one."""
        self._is_empty = True

    def look(self, pixels: U8) -> None:
        """Take in a picture, uint8[H, W, 3] BGR of the source's size."""
        cv2.resize(pixels, self.size, dst=self._colour, interpolation=cv2.INTER_LINEAR)
        cv2.cvtColor(self._colour, cv2.COLOR_BGR2GRAY, dst=self._fresh)
        cv2.accumulateWeighted(self._fresh, self.grey, 1.0 if self._is_empty else FRESH_SHARE)
        self._is_empty = False

    def measure(self, grey: F32) -> None:
        """Slopes, levels and strengths of float32[H, W]: this picture, or it laid back."""
        slopes(grey, self.slope_x, self.slope_y)
        self.over_cells(grey, self.level)
        self.dot(self.slope_x, self.slope_y, self.strength)

    def dot(self, slope_x: F32, slope_y: F32, cells: F32) -> None:
        """Mean over each cell of the product of these slopes with the picture's own."""
        np.multiply(self.slope_x, slope_x, out=self._product)
        np.multiply(self.slope_y, slope_y, out=self._other)
        self._product += self._other
        self.over_cells(self._product, cells)

    def over_cells(self, values: F32, cells: F32) -> None:
        """Means of float32[H, W] over each cell."""
        cv2.resize(values, self.shape[::-1], dst=cells, interpolation=cv2.INTER_AREA)


def slopes(grey: F32, slope_x: F32, slope_y: F32) -> None:
    """Slopes of a grey picture along and down, grey levels per pixel, written."""
    cv2.Sobel(grey, cv2.CV_32F, 1, 0, dst=slope_x, ksize=3, scale=SOBEL)
    cv2.Sobel(grey, cv2.CV_32F, 0, 1, dst=slope_y, ksize=3, scale=SOBEL)
