"""Stock face finders, to prove that an anonymised picture holds no face. No part of the loop.

Two kinds: OpenCV's Haar cascades (Viola and Jones, 2001), which come with it, and the detectors of
MediaPipe (BlazeFace: Bazarevsky et al., 2019), whose model files the caller brings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import cv2.data
import numpy as np
import numpy.typing as npt

from drivers.board import NpuConfig
from drivers.interfaces import U8, Session
from runtime import plugins

F32 = npt.NDArray[np.float32]

CASCADES = ("frontalface_default", "frontalface_alt2", "profileface")
LEAST_FACE_PX = 20
NEIGHBOURS = 4
"""Of a cascade: windows that must agree; 3 to 6 are usual."""
SCORE = 0.5
"""Of MediaPipe's detectors: their own default."""
ZOOMS = (1, 2)
"""A picture is looked at whole, and in overlapping tiles of half of its longer side."""
ANCHORS = {896: ((16, 2), (8, 6)), 2304: ((48, 1),)}
"""Cells a side and anchors a cell, by their number: for near faces, and for far ones too."""
ALIKE = 0.3
"""Boxes that overlap by more are one face."""


class Face(NamedTuple):
    """One face: corners in pixels."""

    x1: float
    y1: float
    x2: float
    y2: float
    score: float


Find = Callable[[U8], list[Face]]


class Haar:
    """A cascade, also on the mirrored picture."""

    def __init__(self, name: str) -> None:
        file = Path(cv2.data.haarcascades) / f"haarcascade_{name}.xml"
        self._cascade = cv2.CascadeClassifier(str(file))

    def __call__(self, pixels: U8) -> list[Face]:
        """Find faces in uint8[H, W, 3]."""
        grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        width = grey.shape[1]
        faces = []
        for mirrored in (False, True):
            picture = cv2.flip(grey, 1) if mirrored else grey
            size = (LEAST_FACE_PX, LEAST_FACE_PX)
            found = self._cascade.detectMultiScale(picture, 1.1, NEIGHBOURS, minSize=size)
            for x, y, w, h in np.asarray(found).reshape(-1, 4).tolist():
                left = width - x - w if mirrored else x
                faces.append(Face(left, y, left + w, y + h, 1.0))
        return distinct(faces)


class BlazeFace:
    """One of MediaPipe's detectors, on the whole picture and on overlapping tiles of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._input: F32 = session.inputs[0]
        self._side = int(self._input.shape[1])
        boxes, scores = sorted(session.outputs, key=lambda output: -output.shape[2])
        self._boxes: F32 = boxes
        self._scores: F32 = scores
        self._anchors = _anchors(ANCHORS[int(boxes.shape[1])])

    def __call__(self, pixels: U8) -> list[Face]:
        """Find faces in uint8[H, W, 3]. Raises NpuFault."""
        found = [face for tile in _tiles(*pixels.shape[:2]) for face in self._look(pixels, *tile)]
        return distinct(found)

    def _look(self, pixels: U8, left: int, top: int, side: int) -> Iterator[Face]:
        part = pixels[top : top + side, left : left + side]
        square: U8 = np.zeros((side, side, 3), np.uint8)
        square[: part.shape[0], : part.shape[1]] = part
        small = cv2.resize(square, (self._side, self._side), interpolation=cv2.INTER_LINEAR)
        self._input[0] = small[..., ::-1].astype(np.float32) / 127.5 - 1.0
        self._session.invoke()
        scores = 1.0 / (1.0 + np.exp(-np.clip(self._scores[0, :, 0], -80.0, 80.0)))
        for row in np.flatnonzero(scores >= SCORE).tolist():
            x, y, w, h = (self._boxes[0, row, :4] / self._side).tolist()
            x, y = x + self._anchors[row, 0], y + self._anchors[row, 1]
            corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            x1, y1, x2, y2 = (value * side for value in corners)
            yield Face(left + x1, top + y1, left + x2, top + y2, float(scores[row]))


def face_finders(models: Sequence[Path]) -> dict[str, Find]:
    """The cascades, and a BlazeFace for each model file.

    Raises:
        ModelRefused, NpuFault: a file that is no such model.
    """
    finders: dict[str, Find] = {f"haar {name}": Haar(name) for name in CASCADES}
    for path in models:
        npu: Any = plugins.driver("npu", "tflite")(NpuConfig(driver="tflite"))
        finders[f"blazeface {path.stem.split('__')[0].removeprefix('face_detection_')}"] = (
            BlazeFace(npu.load(str(path)))
        )
    return finders


def distinct(faces: Sequence[Face]) -> list[Face]:
    """The best of each group of boxes that overlap."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face, other) < ALIKE for other in kept):
            kept.append(face)
    return kept


def touch(a: Face, b: Face) -> bool:
    """They overlap at all."""
    return overlap(a, b) > 0.0


def overlap(a: Face, b: Face) -> float:
    """Intersection over union."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both)


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of squares, each half over the next."""
    for zoom in ZOOMS:
        side = -(-max(height, width) // zoom)
        step = max(1, side // 2)
        for top in range(0, max(1, height - side // 2), step):
            for left in range(0, max(1, width - side // 2), step):
                yield left, top, side


def _anchors(layout: Sequence[tuple[int, int]]) -> F32:
    """Centres of the anchors, as shares of the input."""
    rows = [
        ((column + 0.5) / cells, (row + 0.5) / cells)
        for cells, each in layout
        for row in range(cells)
        for column in range(cells)
        for _ in range(each)
    ]
    return np.array(rows, np.float32)
