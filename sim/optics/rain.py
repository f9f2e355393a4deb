"""Rain in the picture: streaks in layers of depth, and the greying of everything behind them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from sim.optics.blend import F32, Layer, dice

U8 = npt.NDArray[np.uint8]

LAYERS = ((1.0, 0.022, 1, 0.30, 900), (0.0, 0.055, 1, 0.36, 380), (1.6, 0.13, 2, 0.20, 60))
"""Blur px, length as a share of the height, thickness px, opacity, streaks at 640x360 in the worst
rain: far, middle and near drops."""
REFERENCE_PX = 640 * 360
LEAN_DEG = 34.0
"""How far the strongest wind leans the streaks."""
HAZE = 0.09
"""Contrast that the worst rain takes in front of the camera, beside the air far away."""
DAY_GREY, NIGHT_GREY = 205.0, 95.0
"""Level of rain lit by the sky, and by lamps."""
ADDED = 0.62
"""Share of that level that a streak adds to what is behind it."""


class Rain:
    """Streaks anew in every picture: a drop falls through the view in less than a frame."""

    def __init__(
        self, amount: float, wind: float, darkness: float, width_px: int, height_px: int, seed: int
    ) -> None:
        rng = np.random.default_rng((seed, 0x4A11))
        grey = DAY_GREY + (NIGHT_GREY - DAY_GREY) * darkness
        self._seed, added = seed, ADDED * grey
        self._layers = [
            Layer(_streaks(width_px, height_px, amount, wind, layer, rng),
                  (1.02 * added, added, 0.98 * added), width_px, height_px)
            for layer in LAYERS
        ]  # fmt: skip
        level = np.arange(256, dtype=np.float64)
        share = HAZE * amount
        self._curve = np.rint(level * (1 - share) + 0.72 * grey * share).astype(np.uint8)

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Draws the streaks of this moment."""
        cv2.LUT(pixels, self._curve, pixels)
        shifts = dice(self._seed, t_ms, 0x4A12).integers(0, 1 << 20, (len(self._layers), 2))
        for layer, (x, y) in zip(self._layers, shifts.tolist(), strict=True):
            layer.add(pixels, x, y)


def _streaks(
    width_px: int, height_px: int, amount: float, wind: float,
    layer: tuple[float, float, int, float, int], rng: np.random.Generator,
) -> F32:  # fmt: skip
    """float32[height, width], tileable."""
    blur, share, thick, opacity, most = layer
    drawn = np.zeros((height_px, width_px), np.float32)
    leans = math.radians(LEAN_DEG * wind)
    count = round(most * amount * width_px * height_px / REFERENCE_PX)
    for _ in range(count):
        x, y = rng.uniform(0, width_px), rng.uniform(0, height_px)
        long = share * height_px * rng.uniform(0.6, 1.3)
        lean = max(leans + float(rng.normal(0, 0.035)), 0.0)
        dx, dy = long * math.sin(lean), long * math.cos(lean)
        value = opacity * float(rng.uniform(0.4, 1.0))
        for ox in (0, -width_px) if x + dx + thick > width_px else (0,):
            for oy in (0, -height_px) if y + dy + thick > height_px else (0,):
                start = (round(x + ox), round(y + oy))
                end = (round(x + ox + dx), round(y + oy + dy))
                cv2.line(drawn, start, end, value, thick, cv2.LINE_8)
    if blur > 0:
        drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), blur * 0.6), np.float32)
    return drawn
