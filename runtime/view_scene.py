"""The scene as it was learned, and which parts of it are in the present picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from runtime.view_picture import F32, SmallPicture, slopes
from runtime.view_shift import Finder

Flags = npt.NDArray[np.bool_]

STRUCTURE = 1.5
"""Grey levels per pixel: a cell with less slope than this shows nothing."""
SEEN_FIT, SEEN_CONTRAST = 0.3, 0.2
"""A cell is seen when its slopes fit those learned so well (correlation), and are so strong."""
LEARN_RATE, SEEN_RATE, LOST_RATE = 0.3, 0.25, 0.05
"""Weight of a look in the scene: at first; then of cells that fit, and of those that do not."""


class Scene:
    """A grey picture that follows the light, with its slopes.

    Attributes:
        structured: bool[rows, columns], cells with something to know again.
        seen: bool[rows, columns], cells whose structure is there in the present picture.
    """

    def __init__(self, picture: SmallPicture) -> None:
        self._picture = picture
        self.grey: F32 = np.zeros_like(picture.grey)
        self._slope_x: F32 = np.zeros_like(picture.grey)
        self._slope_y: F32 = np.zeros_like(picture.grey)
        self._product: F32 = np.zeros_like(picture.grey)
        self._across: F32 = np.zeros_like(picture.level)
        self._along: F32 = np.zeros_like(picture.level)
        self.strength: F32 = np.zeros_like(picture.level)
        self._fit: F32 = np.zeros_like(picture.level)
        self._needed: F32 = np.zeros_like(picture.level)
        self._other: Flags = np.zeros(picture.shape, np.bool_)
        self.structured: Flags = np.zeros(picture.shape, np.bool_)
        self.seen: Flags = np.zeros(picture.shape, np.bool_)
        self._mask = np.zeros(picture.grey.shape, np.uint8)

    def start(self) -> None:
        """Take the present picture as it is."""
        np.copyto(self.grey, self._picture.grey)

    def learn(self, free: Flags) -> None:
        """Learn the present picture where nobody is, bool[rows, columns]."""
        self._mix(self._picture.grey, free, LEARN_RATE)

    def follow(self, laid: F32, free: Flags) -> None:
        """Follow a picture that lies on the scene, float32[H, W]: what does not fit more slowly."""
        np.logical_not(self.structured, out=self._other)
        np.logical_or(self._other, self.seen, out=self._other)
        np.logical_and(self._other, free, out=self._other)
        self._mix(laid, self._other, SEEN_RATE)
        np.greater(free, self._other, out=self._other)
        self._mix(laid, self._other, LOST_RATE)

    def settle(self, finder: Finder) -> None:
        """Find the structure of the scene, and the blocks by which to find it again."""
        slopes(self.grey, self._slope_x, self._slope_y)
        over_cells = self._picture.over_cells
        np.multiply(self._slope_x, self._slope_x, out=self._product)
        over_cells(self._product, self._across)
        np.multiply(self._slope_y, self._slope_y, out=self._product)
        over_cells(self._product, self._along)
        np.add(self._across, self._along, out=self.strength)
        np.greater_equal(self.strength, STRUCTURE**2, out=self.structured)
        finder.choose(self._across, self._along, STRUCTURE**2)

    def compare(self) -> None:
        """Find which structured cells are seen in the picture as it was measured last."""
        picture, needed = self._picture, self._needed
        picture.dot(self._slope_x, self._slope_y, self._fit)
        np.multiply(self.strength, picture.strength, out=needed)
        np.sqrt(needed, out=needed)
        needed *= SEEN_FIT
        np.greater_equal(self._fit, needed, out=self.seen)
        np.multiply(self.strength, SEEN_CONTRAST, out=needed)
        np.greater_equal(self._fit, needed, out=self._other)
        self.seen &= self._other
        self.seen &= self.structured

    def _mix(self, grey: F32, cells: Flags, rate: float) -> None:
        """Add a picture to the scene in these cells."""
        size = self._mask.shape[::-1]
        cv2.resize(cells.view(np.uint8), size, dst=self._mask, interpolation=cv2.INTER_NEAREST)
        cv2.accumulateWeighted(grey, self.grey, rate, mask=self._mask)
