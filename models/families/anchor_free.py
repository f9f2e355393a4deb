"""Anchor-free detectors: one box and its scores per cell, on strides such as 8, 16 and 32.

This is the hot path of every frame, so it works in the tensors' own integers until few cells are
left: a threshold per cell in the quantized domain, tables of 256 entries instead of sigmoid and
exp, and arithmetic in source pixels only for the survivors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.families.grid import Grid
from models.letterbox import Letterbox
from models.package import ModelInfo
from models.tables import Detections

MAX_CANDIDATES: Final = 256
"""Best-scored cells that reach suppression, so that a garbage picture cannot take long."""

Array = npt.NDArray[Any]
F32 = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]


class AnchorFreeDecoder:
    """Turns the output tensors of one model into Detections.

    Attributes:
        min_score: detections below it are not reported.
    """

    def __init__(
        self,
        info: ModelInfo,
        letterbox: Letterbox,
        capacity: int,
        min_score: float | None = None,
    ) -> None:
        """Build the tables of one model for one source size.

        Args:
            info: the model's description.
            letterbox: maps the network's input to the camera's pictures.
            capacity: most detections per frame.
            min_score: instead of the package's `thresholds.score`.
        """
        self.min_score = info.thresholds.score if min_score is None else min_score
        self._grid = Grid(info, letterbox, self.min_score)
        self._candidates = min(MAX_CANDIDATES, self._grid.cells)
        self._capacity = capacity
        self._nms = Suppressor(info.thresholds.nms_iou, self._candidates)
        self._limits = np.array([[letterbox.source_w], [letterbox.source_h]] * 2, np.float32)
        self._zero = np.zeros(1, np.float32)
        self._threshold = np.float32(self.min_score)

    def decode(self, outputs: Sequence[Array], detections: Detections) -> None:
        """Fill `detections` from the outputs of one inference.

        Args:
            outputs: the session's output arrays, in the model's order.
            detections: emptied first; best score first; boxes in source pixels, clipped.
        """
        detections.count = detections.dropped = 0
        cells, classes, scores = self._grid.survivors(outputs)
        if not cells.size:
            return
        order = self._best(scores)
        if not order.size:
            return
        corners = self._grid.corners(cells.take(order))
        np.maximum(corners, self._zero, out=corners)
        np.minimum(corners, self._limits, out=corners)
        classes = None if classes is None else classes.take(order)
        room = min(self._capacity, detections.capacity)
        kept = self._nms.suppress(corners, classes, room)
        detections.dropped = self._nms.left
        self._fill(detections, kept, corners, classes, scores.take(order))

    def _best(self, scores: F32) -> Index:
        """Candidates over the threshold, best score first, at most MAX_CANDIDATES.

        Equal scores stay in the order of strides, rows and columns.
        """
        order: Index = np.negative(scores).argsort(kind="stable")
        order = order[: int(np.count_nonzero(scores >= self._threshold))]
        return order[: self._candidates]

    @staticmethod
    def _fill(
        detections: Detections, kept: list[int], corners: F32, classes: Array | None, scores: F32
    ) -> None:
        for row, i in enumerate(kept):
            detections.boxes[row] = corners[:, i]
            detections.scores[row] = scores[i]
            detections.classes[row] = 0 if classes is None else classes[i]
        detections.count = len(kept)


class Suppressor:
    """Greedy non-maximum suppression within a class, on boxes sorted by score.

    Attributes:
        left: candidates that were still standing when the room was used up, last call.
    """

    def __init__(self, iou: float, capacity: int) -> None:
        """Allocate for `capacity` candidates; boxes that overlap by more than `iou` are one."""
        # inter / (a + b - inter) > iou  <=>  inter * (1 + iou) > iou * (a + b)
        self._ratio = np.full(1, 1 + iou, np.float32)
        self._iou = np.full(1, iou, np.float32)
        self._low = np.zeros(2 * capacity, np.float32)
        self._high = np.zeros(2 * capacity, np.float32)
        self.left = 0

    def suppress(self, corners: F32, classes: Array | None, room: int) -> list[int]:
        """Positions of the boxes to keep, best first; boxes without area are dropped.

        Args:
            corners: float32[4, K], rows x1, y1, x2, y2.
            classes: class per box, None where there is one class.
            room: most boxes to keep.
        """
        self.left = 0
        count = corners.shape[1]
        first, last = corners[:2], corners[2:]
        size = last - first
        area = size[0] * size[1]
        standing = bytearray(area > 0)
        alive = np.frombuffer(standing, np.bool_)
        share = area * self._iou
        low = self._low[: 2 * count].reshape(2, count)
        high = self._high[: 2 * count].reshape(2, count)
        kept: list[int] = []
        i = standing.find(1)
        while i >= 0:
            if len(kept) == room:
                self.left = standing.count(1, i)
                break
            kept.append(i)
            following = standing.find(1, i + 1)
            if following < 0:
                break
            np.maximum(first, first[:, i : i + 1], out=low)
            np.minimum(last, last[:, i : i + 1], out=high)
            np.subtract(high, low, out=high)
            np.maximum(high, 0, out=high)
            np.multiply(high[0], high[1], out=high[0])
            np.multiply(high[0], self._ratio, out=high[0])
            np.add(share, share[i], out=low[0])
            apart = high[0] <= low[0]
            if classes is not None:
                np.logical_or(apart, classes != classes[i], out=apart)
            np.logical_and(alive, apart, out=alive)
            i = standing.find(1, i + 1)
        return kept
