"""Snow in the picture: flakes of several sizes that fall and drift, near ones out of focus."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from sim.optics.blend import F32, Layer

U8 = npt.NDArray[np.uint8]

LAYERS = (
    (0.9, 0.95, 900, 0.16),
    (1.5, 1.0, 330, 0.34),
    (2.6, 0.95, 85, 0.75),
    (6.0, 0.42, 14, 1.6),
)
"""Radius px at 360 lines, opacity, flakes at 640x360 in the worst snow, fall in picture heights a
second: from far to right before the lens."""
REFERENCE_PX = 640 * 360
DRIFT = 1.5
"""Sideways speed over speed of fall in the strongest wind."""
DAY_GREY, NIGHT_GREY = 232.0, 150.0


class Snow:
    """Flakes whose places are a function of time alone."""

    def __init__(
        self, amount: float, wind: float, darkness: float, width_px: int, height_px: int, seed: int
    ) -> None:
        rng = np.random.default_rng((seed, 0x5409))
        grey = DAY_GREY + (NIGHT_GREY - DAY_GREY) * darkness
        self._height_px, self._wind = height_px, wind
        self._phase = rng.uniform(0, 2 * math.pi, len(LAYERS))
        self._layers = [
            Layer(_flakes(width_px, height_px, amount, layer, rng), (grey, grey, grey * 0.985),
                  width_px, height_px)
            for layer in LAYERS
        ]  # fmt: skip

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Draws the flakes of this moment."""
        seconds = t_ms / 1000.0
        for layer, (_, _, _, speed), phase in zip(self._layers, LAYERS, self._phase, strict=True):
            fall = speed * self._height_px
            sway = 0.05 * fall * math.sin(1.7 * seconds + phase)
            draw = layer.blend if layer is self._layers[-1] else layer.brighten
            draw(pixels, fall * DRIFT * self._wind * seconds + sway, fall * seconds)


def _flakes(
    width_px: int, height_px: int, amount: float, layer: tuple[float, float, int, float],
    rng: np.random.Generator,
) -> F32:  # fmt: skip
    """float32[height, width], tileable."""
    radius, opacity, most, _ = layer
    radius *= height_px / 360
    drawn = np.zeros((height_px, width_px), np.float32)
    for _ in range(round(most * amount * width_px * height_px / REFERENCE_PX)):
        x, y = float(rng.uniform(0, width_px)), float(rng.uniform(0, height_px))
        size = radius * float(rng.uniform(0.6, 1.25))
        value = opacity * float(rng.uniform(0.5, 1.0))
        for ox in _copies(x, size, width_px):
            for oy in _copies(y, size, height_px):
                centre = (round((x + ox) * 16), round((y + oy) * 16))
                cv2.circle(drawn, centre, round(size * 16), value, -1, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 0.45 + 0.28 * radius), np.float32)


def _copies(place: float, size: float, period: int) -> tuple[int, ...]:
    """Shifts at which a flake is drawn, so that one cut by an edge goes on at the other."""
    if place < size + 1:
        return (0, period)
    return (0, -period) if place > period - size - 1 else (0,)
