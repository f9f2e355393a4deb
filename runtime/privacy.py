"""No picture leaves the process unanonymised: exporters take an AnonymisedFrame, made only here."""

from __future__ import annotations

import cv2
import numpy as np

from drivers.interfaces import U8, Frame
from models.tables import F32, Detections
from runtime.tables import Tracks

CELLS_ACROSS = 6
"""Width of a person in grid cells: a coarse grid cannot be undone, a blur can."""
MARGIN = 0.10
"""How far beyond a box is covered, in box sides."""

_MAKER = object()


class AnonymisedFrame:
    """A picture in which nobody can be recognised. Only an Anonymiser can make one.

    Attributes:
        pixels: uint8[H, W, 3] BGR.

    Raises:
        TypeError: constructed by anybody else.
    """

    __slots__ = ("pixels",)

    def __init__(self, pixels: U8, maker: object) -> None:
        if maker is not _MAKER:
            raise TypeError("only an Anonymiser makes an AnonymisedFrame")
        self.pixels = pixels


class Anonymiser:
    """Covers people with a coarse grid.

    Args:
        width_px, height_px: size of the pictures.
        whole_picture: cover everything, where the site says so or detection cannot be trusted.
    """

    def __init__(self, width_px: int, height_px: int, whole_picture: bool = False) -> None:
        self._picture = AnonymisedFrame(np.zeros((height_px, width_px, 3), np.uint8), _MAKER)
        self._whole = whole_picture

    def __call__(self, frame: Frame, detections: Detections, tracks: Tracks) -> AnonymisedFrame:
        """Anonymise into the one buffer of this object; valid until the next call.

        Args:
            detections, tracks: everything either of them holds is covered, confirmed or not.
        """
        pixels = self._picture.pixels
        np.copyto(pixels, frame.pixels)
        if self._whole:
            _pixelate(pixels)
            return self._picture
        for box in detections.boxes[: detections.count]:
            self._cover(pixels, box)
        for slot in tracks.live:
            self._cover(pixels, tracks.boxes[slot])
        return self._picture

    def _cover(self, pixels: U8, box: F32) -> None:
        height, width = pixels.shape[:2]
        x1, y1, x2, y2 = box.tolist()
        dx, dy = (x2 - x1) * MARGIN, (y2 - y1) * MARGIN
        left, right = max(0, int(x1 - dx)), min(width, int(x2 + dx) + 1)
        top, bottom = max(0, int(y1 - dy)), min(height, int(y2 + dy) + 1)
        if left < right and top < bottom:
            _pixelate(pixels[top:bottom, left:right])


def _pixelate(region: U8) -> None:
    """Replace a region by the means of a grid of CELLS_ACROSS columns, in place."""
    height, width = region.shape[:2]
    rows = max(1, round(CELLS_ACROSS * height / width))
    coarse = cv2.resize(region, (CELLS_ACROSS, rows), interpolation=cv2.INTER_AREA)
    region[:] = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
