"""Greedy non-maximum suppression over a few sorted boxes, without a loop over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]


FEW = 24
"""Up to so many boxes are compared in plain numbers: quicker than a dozen array operations."""


class Suppressor:
    """Keeps the best box of each heap: compares all pairs at once, then walks bit masks.

    Attributes:
        left: candidates still standing when the room was used up, last call.
    """

    def __init__(self, iou: float, capacity: int) -> None:
        """Allocate for `capacity` candidates, about 16 bytes per pair.

        Args:
            iou: boxes of one class that overlap by more than this are one.
            capacity: most candidates per call.
        """
        # inter / (a + b - inter) > iou  <=>  inter > (a + b) * iou / (1 + iou)
        self._share = np.full(1, iou / (1 + iou), np.float32)
        self._zero = np.zeros(1, np.float32)
        # full, not zeros: pages that nobody has written are not there yet when the memory is sealed
        self._low = np.full(2 * capacity * capacity, 0, np.float32)
        self._high = np.full(2 * capacity * capacity, 0, np.float32)
        self._over = np.full(capacity * capacity, False, np.bool_)
        self.left = 0

    def suppress(self, corners: F32, classes: npt.NDArray[Any] | None, room: int) -> list[int]:
        """Positions of the boxes to keep, best first; boxes without area are dropped.

        Args:
            corners: float32[4, K], rows x1, y1, x2, y2, best score first.
            classes: class per box, None where there is one class.
            room: most boxes to keep.
        """
        count = corners.shape[1]
        if count <= FEW:
            return self._suppress_few(corners, classes, room)
        size = corners[2:] - corners[:2]
        area = size[0] * size[1]
        packed = np.packbits(self._overlaps(corners, area, classes), axis=1, bitorder="little")
        rows, width = packed.tobytes(), packed.shape[1]
        areas = area.tolist()
        standing = (1 << count) - 1
        kept: list[int] = []
        while standing and len(kept) < room:
            lowest = standing & -standing
            i = lowest.bit_length() - 1
            standing ^= lowest
            if areas[i] > 0:
                kept.append(i)
                row = int.from_bytes(rows[i * width : (i + 1) * width], "little")
                standing &= ~row
        self.left = standing.bit_count()
        return kept

    def _suppress_few(self, corners: F32, classes: npt.NDArray[Any] | None, room: int) -> list[int]:
        """The same for a few boxes, pair by pair."""
        share = float(self._share[0])
        names = [0] * corners.shape[1] if classes is None else classes.tolist()
        kept: list[int] = []
        boxes: list[tuple[float, float, float, float, float, int]] = []
        self.left = 0
        for i, (x1, y1, x2, y2, name) in enumerate(zip(*corners.tolist(), names, strict=True)):
            area = (x2 - x1) * (y2 - y1)
            for left, top, right, bottom, other, its_name in boxes:
                width = min(x2, right) - max(x1, left)
                height = min(y2, bottom) - max(y1, top)
                overlaps = width > 0 and height > 0 and name == its_name
                if overlaps and width * height > (area + other) * share:
                    break
            else:
                if len(kept) == room:
                    self.left += 1
                elif area > 0:
                    kept.append(i)
                    boxes.append((x1, y1, x2, y2, area, name))
        return kept

    def _overlaps(
        self, corners: F32, area: F32, classes: npt.NDArray[Any] | None
    ) -> npt.NDArray[np.bool_]:
        """bool[K, K]: which boxes of one class overlap by more than the limit."""
        count = corners.shape[1]
        first, last = corners[:2], corners[2:]
        low = self._low[: 2 * count * count].reshape(2, count, count)
        high = self._high[: 2 * count * count].reshape(2, count, count)
        over = self._over[: count * count].reshape(count, count)
        np.maximum(first[:, :, None], first[:, None, :], out=low)
        np.minimum(last[:, :, None], last[:, None, :], out=high)
        np.subtract(high, low, out=high)
        np.maximum(high, self._zero, out=high)
        np.multiply(high[0], high[1], out=low[0])
        share = area * self._share
        np.add(share[:, None], share, out=low[1])
        np.greater(low[0], low[1], out=over)
        if classes is not None:
            np.logical_and(over, classes[:, None] == classes, out=over)
        return over
