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
from models.families.suppress import Suppressor
from models.letterbox import Letterbox
from models.package import ModelInfo, OutputInfo
from models.tables import Detections

MAX_CANDIDATES: Final = 256
"""Best-scored cells that reach suppression, so that a garbage picture cannot take long."""

Array = npt.NDArray[Any]
F32 = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]


class AnchorFreeDecoder:
    """Turns the output tensors of one model into Detections.

    Attributes:
        min_scores: per class, detections below it are not reported.
    """

    def __init__(
        self,
        info: ModelInfo,
        letterbox: Letterbox,
        capacity: int,
        min_score: float | Sequence[float] | None = None,
    ) -> None:
        """Build the tables of one model for one source size.

        Args:
            info: the model's description.
            letterbox: maps the network's input to the camera's pictures.
            capacity: most detections per frame.
            min_score: instead of the package's `thresholds`, of all classes or of each.
        """
        self.min_scores = class_scores(info, min_score)
        self._info = info
        self._grid = Grid(info, letterbox, self.min_scores)
        self._candidates = min(MAX_CANDIDATES, self._grid.cells)
        self._capacity = capacity
        self._nms = Suppressor(info.thresholds.nms_iou, self._candidates)
        self._limits = np.array([[letterbox.source_w], [letterbox.source_h]] * 2, np.float32)
        self._zero = np.zeros(1, np.float32)
        self._threshold = np.float32(min(self.min_scores))
        self._thresholds: F32 | None = None
        if len(set(self.min_scores)) > 1:
            self._thresholds = np.array(self.min_scores, np.float32)

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
        order = self._best(scores, classes)
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

    def rehearse(self, detections: Detections) -> None:
        """Decode the worst frame there can be, every cell at its best score, before the seal.

        Args:
            detections: filled to capacity with boxes that mean nothing.
        """
        self.decode([_saturated(output) for output in self._info.outputs], detections)

    def _best(self, scores: F32, classes: Index | None) -> Index:
        """Candidates over the threshold, best score first, at most MAX_CANDIDATES.

        Equal scores stay in the order of strides, rows and columns.
        """
        order: Index = np.negative(scores).argsort(kind="stable")
        if self._thresholds is None or classes is None:
            order = order[: int(np.count_nonzero(scores >= self._threshold))]
        else:
            enough = scores >= self._thresholds.take(classes)
            order = order[enough.take(order)]
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


def class_scores(info: ModelInfo, min_score: float | Sequence[float] | None) -> list[float]:
    """The least score of each class: of the package, one for all, or one for each."""
    if min_score is None:
        return info.thresholds.of(info.classes)
    if isinstance(min_score, (int, float)):
        return [float(min_score)] * len(info.classes)
    return list(min_score)


def _saturated(output: OutputInfo) -> Array:
    """Highest scores, smallest boxes: nothing suppresses anything."""
    limits = np.iinfo(output.dtype)
    return np.full(output.shape, limits.min if output.kind == "box" else limits.max, output.dtype)
