"""Layers that are laid over a picture: precomputed, cut out at an offset, blended in place."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]


class Layer:
    """Something of one colour that covers a picture here and there, and repeats in both ways.

    Args:
        cover: float32[h, w] opacity 0 to 1, tileable, at least as large as the picture.
        colour: blue, green, red, 0 to 255.
        width_px, height_px: of the picture.
    """

    def __init__(
        self, cover: F32, colour: tuple[float, float, float], width_px: int, height_px: int
    ) -> None:
        self.period = cover.shape
        wide = np.pad(np.clip(cover, 0, 1), ((0, height_px), (0, width_px)), mode="wrap")
        self._left = np.repeat(np.rint(255 * (1 - wide)).astype(np.uint8)[..., None], 3, 2)
        self._added = np.rint(wide[..., None] * np.float32(colour)).astype(np.uint8)

    def blend(self, pixels: U8, x_px: float, y_px: float) -> None:
        """Lays itself over uint8[H, W, 3], shifted right and down by whole pixels."""
        cut = self._cut(pixels, x_px, y_px)
        cv2.multiply(pixels, self._left[cut], pixels, 1 / 255)
        cv2.add(pixels, self._added[cut], pixels)

    def brighten(self, pixels: U8, x_px: float, y_px: float) -> None:
        """The same for what is small and brighter than all behind it: less than half the time."""
        cv2.max(pixels, self._added[self._cut(pixels, x_px, y_px)], pixels)

    def add(self, pixels: U8, x_px: float, y_px: float) -> None:
        """The same for what is thin and lit: its light comes on top."""
        cv2.add(pixels, self._added[self._cut(pixels, x_px, y_px)], pixels)

    def _cut(self, pixels: U8, x_px: float, y_px: float) -> tuple[slice, slice]:
        high, wide = pixels.shape[:2]
        top, left = round(-y_px) % self.period[0], round(-x_px) % self.period[1]
        return slice(top, top + high), slice(left, left + wide)


def dice(seed: int, t_ms: float, salt: int) -> np.random.Generator:
    """Random numbers of one moment: the same for the same seed and time, whatever came before."""
    return np.random.default_rng((seed & 0xFFFFFFFF, round(abs(t_ms) * 1000), salt))
