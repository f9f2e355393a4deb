"""Light that goes astray in the lens: bloom of bright parts, veil and ghosts of a low sun."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from sim.render.camera import Camera
from sim.scenery.light import lighting, overcast, sun_elevation_deg
from sim.world.config import WorldConfig

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

SMALL = 8
BLOOM_FROM = 205
"""Level from which a pixel spreads light."""
BLOOM_PX = 2.2
"""Of the spread, in pixels of the small picture."""
FAR_M = 5000.0
WIDEST_DEG = 62.0
"""A sun further from the axis leaves no light in the lens."""
VEIL_LEVEL = 120.0
CORE_LEVEL = 150.0
GHOSTS = (
    (0.45, 0.030, (14, 26, 30)), (0.75, 0.055, (24, 14, 10)), (1.25, 0.022, (10, 30, 14)),
    (1.55, 0.075, (22, 12, 18)), (1.9, 0.040, (8, 18, 28)),
)  # fmt: skip
"""Place on the line from the sun through the middle (1 is the middle), radius as a share of the
width, colour."""
COVERED = 0.25
"""Share of veil and ghosts that is left when something stands before the sun."""


class Bloom:
    """Bright parts spill over."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        level = np.arange(256, dtype=np.float64)
        self._curve = np.clip((level - BLOOM_FROM) * 255 / (255 - BLOOM_FROM), 0, 255)
        self._curve = np.rint(self._curve * strength).astype(np.uint8)

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Adds the spilt light."""
        small = cv2.resize(pixels, None, fx=1 / SMALL, fy=1 / SMALL, interpolation=cv2.INTER_AREA)
        spilt = cv2.GaussianBlur(cv2.LUT(small, self._curve), (0, 0), BLOOM_PX)
        whole = cv2.resize(spilt, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        cv2.add(pixels, whole, pixels)


class Glare:
    """Veil and ghosts of a sun ahead; weaker while something stands before it."""

    def __init__(self, sun_px: tuple[float, float], strength: float, colour: F32,
                 width_px: int, height_px: int) -> None:  # fmt: skip
        self._veil = np.clip(strength * _veil(sun_px, colour, width_px, height_px), 0, 255)
        self._veil = np.rint(self._veil).astype(np.uint8)
        self._half = np.rint(self._veil * COVERED).astype(np.uint8)
        x, y = round(sun_px[0]), round(sun_px[1])
        reach = max(width_px // 90, 3)
        self._look = (slice(max(y - reach, 0), max(y + reach, 0)),
                      slice(max(x - reach, 0), max(x + reach, 0)))  # fmt: skip
        self._in_view = 0 <= x < width_px and 0 <= y < height_px

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Adds the stray light."""
        bright = not self._in_view or float(pixels[self._look].mean()) > BLOOM_FROM
        cv2.add(pixels, self._veil if bright else self._half, pixels)


def glare(config: WorldConfig, width_px: int, height_px: int) -> Glare | None:
    """The stray light of this world's sun; None when it is behind, high, down or clouded."""
    elevation = sun_elevation_deg(config.light.hour)
    light = lighting(config)
    camera = Camera(config.camera, width_px, height_px)
    way = np.array(light.to_sun)
    seen = camera.rotation @ way
    off_axis_deg = math.degrees(math.acos(float(np.clip(seen[2], -1, 1))))
    if elevation < 0.5 or off_axis_deg > WIDEST_DEG or max(light.sun) < 0.02:
        return None
    point = camera.project((camera.at_m + FAR_M * way)[None], camera.rotation)[0]
    strength = (1 - off_axis_deg / WIDEST_DEG) ** 0.7 * (1 - 0.7 * overcast(config))
    strength *= 1 + 1.2 * config.lens.dust
    colour = np.float32(light.sun) / max(light.sun)
    return Glare((float(point[0]), float(point[1])), strength, colour, width_px, height_px)


def _veil(sun_px: tuple[float, float], colour: F32, width_px: int, height_px: int) -> F32:
    """float32[height, width, 3] of a full sun."""
    row, column = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    far = np.hypot(column - sun_px[0], row - sun_px[1]) / width_px
    warm = 0.45 + 0.55 * colour
    spread = VEIL_LEVEL * np.exp(-far * 2.6) + CORE_LEVEL * np.exp(-far * 16)
    angle = np.arctan2(row - sun_px[1], column - sun_px[0])
    rays = 28 * np.exp(-far * 7) * np.abs(np.cos(3 * angle)) ** 24
    light = (spread + rays)[..., None] * warm
    middle = np.array([width_px / 2, height_px / 2])
    for place, size, tint in GHOSTS:
        x, y = np.array(sun_px) + (middle - np.array(sun_px)) * place
        disc = np.clip((size * width_px - np.hypot(column - x, row - y)) / 3.0, 0, 1)
        light += disc[..., None] * np.float32(tint)
    return np.asarray(light, np.float32)
