"""How the picture is taken: blur and vignette of the lens, noise of the sensor, JPEG."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sim.optics.blend import dice

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

SHARP_PX = 1.0
"""Width of the camera's own sharpening at 360 rows."""
CORNER = 0.62
"""Light that a vignette of 1 takes at the corners."""
MARGIN_PX = 61
"""Noise is cut from a field this much larger than the picture, at a place of its own each time."""
FIELDS = 3
GRAIN_SIGMA = 42.0
"""Of the stored noise, so that 8 bits resolve it."""
DAY_SIGMA, NIGHT_SIGMA = 9.0, 10.0
"""Standard deviation at mid-grey for noise = 1 by day, and what a night adds, of 255."""
READ_SHARE = 0.55
"""Of the noise at mid-grey that is there in the dark; shot noise makes the rest."""
CHROMA = 0.6
"""How much of the noise is each colour's own."""
ROLLING = 0.8
"""Share of row noise (mains, readout), in levels at noise 1."""


class Focus:
    """The blur of the lens and the sharpening of the camera's processing, in one filter.

    Unsharp masking: the picture, and `sharpness` times what a blur of SHARP_PX takes from it. Two
    Gaussian blurs of a Gaussian blur are Gaussian blurs of the picture.

    Args:
        blur_px: sigma of the lens, pixels at 360 rows.
        sharpness: 0 = none.
        height_px: of the picture.
    """

    def __init__(self, blur_px: float, sharpness: float, height_px: int) -> None:
        scale = height_px / 360
        self._sigmas = blur_px * scale, math.hypot(blur_px, SHARP_PX) * scale
        self._sharpness = sharpness

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Filters in place."""
        lens_px, wide_px = self._sigmas
        if self._sharpness <= 0:
            _blur(pixels, lens_px, pixels)
            return
        wide = _blur(pixels, wide_px)
        if lens_px > 0:
            _blur(pixels, lens_px, pixels)
        cv2.addWeighted(pixels, 1 + self._sharpness, wide, -self._sharpness, 0.0, dst=pixels)


def _blur(pixels: U8, sigma_px: float, into: U8 | None = None) -> U8:
    """A Gaussian blur."""
    size = 2 * max(round(2.5 * sigma_px), 1) + 1
    return cv2.GaussianBlur(pixels, (size, size), sigma_px, dst=into)


def vignette(amount: float, width_px: int, height_px: int) -> F32:
    """float32[height, width]: the share of light that arrives (cosine to the fourth, scaled)."""
    row, column = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    x, y = column / (width_px - 1) * 2 - 1, row / (height_px - 1) * 2 - 1
    square = (x**2 + y**2 * (height_px / width_px) ** 2) / (1 + (height_px / width_px) ** 2)
    return np.asarray(1 - CORNER * amount * (0.35 * square + 0.65 * square**2), np.float32)


class Noise:
    """Shot and read noise, more of it in the dark; the same moment has the same grain.

    Args:
        amount: 0 to 1, the configuration's.
        darkness: 0 to 1, the gain that the light asks for.
    """

    def __init__(
        self, amount: float, darkness: float, width_px: int, height_px: int, seed: int
    ) -> None:
        self._seed, self._size = seed, (height_px, width_px)
        self._fields = _fields(height_px + MARGIN_PX, width_px + MARGIN_PX)
        level = np.arange(256) / 255.0
        at_grey = DAY_SIGMA * amount + NIGHT_SIGMA * darkness**1.5 * (0.4 + amount)
        shape_of = READ_SHARE + (1 - READ_SHARE) * np.sqrt(level / 0.5)
        # Tone mapping presses highlights together, and their noise with them.
        shape_of *= np.clip(1.25 - 0.6 * level, 0, 1)
        sigma = at_grey * shape_of
        self._gain = np.clip(np.rint(sigma * 255 / GRAIN_SIGMA), 0, 255).astype(np.uint8)

    def apply(self, pixels: U8, t_ms: float) -> None:
        """Adds the grain of this moment."""
        high, wide = self._size
        pick = dice(self._seed, t_ms, 0x9015F).integers(0, 1 << 20, 3).tolist()
        plus, minus = self._fields[pick[0] % FIELDS]
        top, left = pick[1] % MARGIN_PX, pick[2] % MARGIN_PX
        cut = (slice(top, top + high), slice(left, left + wide))
        gain = cv2.LUT(pixels, self._gain)
        cv2.add(pixels, cv2.multiply(gain, plus[cut], scale=1 / 255), pixels)
        cv2.subtract(pixels, cv2.multiply(gain, minus[cut], scale=1 / 255), pixels)


@lru_cache(maxsize=2)
def _fields(height_px: int, width_px: int) -> tuple[tuple[U8, U8], ...]:
    """The grain that all worlds share; seed and time choose a place in it."""
    rng = np.random.default_rng(0x9015E)
    return tuple(_field(rng, (height_px, width_px)) for _ in range(FIELDS))


def _field(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[U8, U8]:
    """The bright and the dark half of one field of noise, each uint8[h, w, 3]."""
    common = rng.standard_normal((*shape, 1), np.float32)
    own = rng.standard_normal((*shape, 3), np.float32)
    rows = rng.standard_normal((shape[0], 1, 1), np.float32) * ROLLING / 10
    # Demosaicing makes neighbours alike.
    grain = cv2.GaussianBlur((1 - CHROMA) * common + CHROMA * own, (3, 3), 0.55)
    grain = (grain / grain.std() + rows) * GRAIN_SIGMA
    plus = np.clip(np.rint(grain), 0, 255).astype(np.uint8)
    return plus, np.clip(np.rint(-grain), 0, 255).astype(np.uint8)


def jpeg(pixels: U8, quality: int) -> None:
    """What a camera's own compression does to the picture, in place.

    Raises:
        ValueError: when OpenCV cannot compress it.
    """
    done, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be compressed")
    pixels[:] = cv2.imdecode(packed, cv2.IMREAD_COLOR)
