"""What is on the glass: drops that refract, dust that shades and scatters. It stays where it is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

MOST_DROPS = 30
DROP_PX = (6.0, 26.0)
"""Radii at 360 lines; small ones are more common."""
LENS_VIEW = 0.55
"""A drop shows this share of the picture, upside down, as a wide-angle lens does."""
SMALL = 4
"""Drops are out of focus: they show the picture at a quarter of its size."""
RIM_DARK, RIM_LIGHT = 0.28, 22.0
MOST_SPECKS = 60
SPECK_PX = (2.0, 11.0)
SPECK_REACH = 2.2
"""Radii after which a speck has faded out."""
SPECK_GLOW = 9.0
"""Light that a speck scatters at most, of 255."""
SHADE = 0.26
"""How much a speck of dust darkens at most."""
HAZE_LEVEL = 20.0
"""Light that the dirtiest glass scatters into the picture, of 255."""


@dataclass(frozen=True)
class Drop:
    """One drop: the patch it covers, where each of its pixels looks, how opaque it is there."""

    rows: slice
    columns: slice
    map_x: F32
    map_y: F32
    keep: U8
    gain: U8
    glint: U8


class Drops:
    """Drops on the glass, each a small lens."""

    def __init__(self, amount: float, width_px: int, height_px: int, seed: int) -> None:
        rng = np.random.default_rng((seed, 0xD409))
        self._drops: list[Drop] = []
        for _ in range(max(round(MOST_DROPS * amount), 1)):
            low, high = DROP_PX
            radius = (low + (high - low) * float(rng.random()) ** 2.2) * height_px / 360
            at = (float(rng.uniform(0, width_px)), float(rng.uniform(0, height_px)))
            self._drops.append(
                _drop(at, radius, float(rng.uniform(0.9, 1.35)), width_px, height_px)
            )

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Draws every drop; they all look at the picture as it was before the first."""
        small = cv2.resize(pixels, None, fx=1 / SMALL, fy=1 / SMALL, interpolation=cv2.INTER_AREA)
        for drop in self._drops:
            patch = pixels[drop.rows, drop.columns]
            seen = cv2.remap(small, drop.map_x, drop.map_y, cv2.INTER_LINEAR,
                             borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
            kept = cv2.multiply(patch, drop.keep, scale=1 / 255)
            lens = cv2.multiply(seen, drop.gain, scale=1 / 255)
            cv2.add(cv2.add(kept, lens), drop.glint, patch)


def _drop(
    at: tuple[float, float], radius: float, tall: float, width_px: int, height_px: int
) -> Drop:
    x, y = at
    reach = radius * max(tall, 1.0) + 2
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, width_px)
    top, low = max(int(y - reach), 0), min(int(y + reach) + 1, height_px)
    column, row = np.meshgrid(np.arange(left, right) - x, np.arange(top, low) - y)
    across, down = column / radius, row / (radius * tall)
    far = np.hypot(across, down)
    inside = np.clip((1.0 - far) * 3.2, 0, 1) ** 1.2
    bend = LENS_VIEW * (0.55 + 0.45 * np.clip(far, 0, 1) ** 2)
    map_x = (x - across * bend * width_px * 0.5) / SMALL
    map_y = (y - down * bend * height_px * 0.5) / SMALL
    rim = 1 - RIM_DARK * np.clip((far - 0.55) / 0.45, 0, 1) ** 2
    glint = np.exp(-((across + 0.35) ** 2 + (down + 0.45) ** 2) / 0.05) * RIM_LIGHT * inside
    return Drop(
        slice(top, low), slice(left, right), np.float32(map_x), np.float32(map_y),
        _three(255 * (1 - inside)), _three(255 * inside * rim), _three(glint),
    )  # fmt: skip


def _three(plane: npt.NDArray[np.floating]) -> U8:
    return np.repeat(np.clip(np.rint(plane), 0, 255).astype(np.uint8)[..., None], 3, 2)


def dust(amount: float, width_px: int, height_px: int, seed: int) -> tuple[F32, F32]:
    """Dirt on the glass, far out of focus.

    Returns:
        What share of the light passes, and what is scattered into the picture (0 to 255), both
        float32[height, width].
    """
    rng = np.random.default_rng((seed, 0xD057))
    passes = np.ones((height_px, width_px), np.float32)
    scattered = np.zeros((height_px, width_px), np.float32)
    scale = height_px / 360
    for _ in range(round(MOST_SPECKS * amount)):
        x, y = rng.uniform(0, width_px), rng.uniform(0, height_px)
        radius = float(rng.uniform(*SPECK_PX)) * scale
        reach = SPECK_REACH * radius
        top, left = max(int(y - reach), 0), max(int(x - reach), 0)
        cut = (slice(top, int(y + reach) + 1), slice(left, int(x + reach) + 1))
        high, wide = passes[cut].shape
        row, column = np.mgrid[top : top + high, left : left + wide].astype(np.float32)
        soft = np.exp(-((((column - x) ** 2 + (row - y) ** 2) / radius**2) ** 1.6))
        passes[cut] *= 1 - SHADE * float(rng.uniform(0.3, 1)) * soft
        scattered[cut] += SPECK_GLOW * float(rng.uniform(0, 1)) * soft
    smear = rng.standard_normal((max(height_px // 40, 2), max(width_px // 60, 2)), np.float32)
    film = cv2.resize(smear, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    scattered += amount * HAZE_LEVEL * np.clip(0.55 + 0.4 * film, 0, 1.5)
    passes *= 1 - amount * 0.10 * np.clip(0.6 + 0.4 * film, 0, 1.5)
    return passes, scattered
