"""The detail of surfaces: small tileable grey pictures around a mean of 128, made from noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sim.world.materials import Texture

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
Rng = np.random.Generator

EDGE_PX = 256
MEAN = 128.0
"""What leaves a colour as it is."""
FLAT_BELOW = 2.5
"""Waves a tile below which noise grows no stronger: larger blots would give the tiling away."""


@lru_cache(maxsize=4)
def atlas(seed: int = 0) -> U8:
    """All detail textures, uint8[len(Texture), 256, 256], read-only; the same for the same seed.

    Rows of a picture are v (up a wall), columns are u.
    """
    rng = np.random.default_rng(seed)
    pictures = np.full((len(Texture), EDGE_PX, EDGE_PX), int(MEAN), np.uint8)
    for texture, draw in DRAWN.items():
        pictures[texture] = _levelled(draw(rng))
    pictures.flags.writeable = False
    return pictures


def _levelled(picture: F64) -> U8:
    """Shifted to the mean; clipping moves the mean, so shift again."""
    for _ in range(4):
        picture = np.clip(picture + (MEAN - float(picture.mean())), 0, 255)
    return np.asarray(np.rint(picture), np.uint8)


def spectral(rng: Rng, falloff: float, stretch: tuple[float, float] = (1.0, 1.0)) -> F64:
    """Periodic noise of zero mean and unit deviation with a spectrum 1 / f ** falloff.

    Args:
        stretch: how much longer its grains are along v and along u.
    """
    down = np.fft.fftfreq(EDGE_PX)[:, None] * EDGE_PX * stretch[0]
    across = np.fft.rfftfreq(EDGE_PX)[None, :] * EDGE_PX * stretch[1]
    radius = np.maximum(np.hypot(down, across), FLAT_BELOW)
    noise = np.fft.rfft2(rng.standard_normal((EDGE_PX, EDGE_PX))) / radius**falloff
    noise[0, 0] = 0
    field = np.fft.irfft2(noise, (EDGE_PX, EDGE_PX))
    return np.asarray(field / field.std())


def _blurred(picture: F64, sigma_px: float, sigma_v_px: float = 0.0) -> F64:
    """A Gaussian blur that wraps round."""
    pad = EDGE_PX // 2
    wide = np.pad(picture, pad, mode="wrap")
    soft = cv2.GaussianBlur(wide, (0, 0), sigma_px, sigmaY=sigma_v_px or sigma_px)
    return np.asarray(soft[pad:-pad, pad:-pad], np.float64)


def _cells(rng: Rng, count: int, squash: float = 1.0) -> tuple[F64, F64]:
    """Stones (Worley, SIGGRAPH 1996): distance to the nearest point, px, and a grey for each."""
    at = rng.integers(0, EDGE_PX, (count, 2))
    marks = np.full((3 * EDGE_PX, 3 * EDGE_PX), 255, np.uint8)
    shades = np.zeros_like(marks, np.float64)
    own = rng.uniform(-1, 1, count)
    for row in range(3):
        for column in range(3):
            marks[at[:, 0] + row * EDGE_PX, at[:, 1] + column * EDGE_PX] = 0
            shades[at[:, 0] + row * EDGE_PX, at[:, 1] + column * EDGE_PX] = own
    far, labels = cv2.distanceTransformWithLabels(
        marks, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_label = np.zeros(int(labels.max()) + 1)
    by_label[labels[marks == 0]] = shades[marks == 0]
    middle = slice(EDGE_PX, 2 * EDGE_PX)
    return np.asarray(far[middle, middle], np.float64), by_label[labels[middle, middle]]


def _strokes(rng: Rng, count: int, length_px: tuple[int, int], slope: float) -> F64:
    """Thin bright scratches, mostly along u, that wrap round; 0 to 1."""
    tripled = np.zeros((3 * EDGE_PX, 3 * EDGE_PX))
    for _ in range(count):
        x, y = rng.integers(0, EDGE_PX, 2)
        long = int(rng.integers(*length_px))
        down = int(long * rng.normal(0, slope))
        value = float(rng.uniform(0.3, 1.0))
        for oy in range(0, 3 * EDGE_PX, EDGE_PX):
            for ox in range(0, 3 * EDGE_PX, EDGE_PX):
                start = (int(x) + ox, int(y) + oy)
                cv2.line(tripled, start, (start[0] + long, start[1] + down), value, 1, cv2.LINE_AA)
    return tripled[EDGE_PX : 2 * EDGE_PX, EDGE_PX : 2 * EDGE_PX]


def _columns(count: int) -> tuple[F64, npt.NDArray[np.int64]]:
    """Where a pixel is inside its of `count` equal columns, 0 to 1, and the column's number."""
    place = np.arange(EDGE_PX) * count / EDGE_PX
    return place % 1.0, place.astype(np.int64)


def _concrete(rng: Rng) -> F64:
    stains = np.clip(spectral(rng, 1.7), -2, 2) * 14
    drips = np.clip(spectral(rng, 1.3, (3.0, 0.3)), 0, 2) * -7
    pores = np.where(_blurred(rng.random((EDGE_PX, EDGE_PX)), 0.8) > 0.70, -22.0, 0.0)
    joint = np.zeros((EDGE_PX, EDGE_PX))
    joint[:2], joint[:, :2] = -38, -38
    joint[2:3], joint[:, 2:3] = 14, 14
    return MEAN + stains + drips + pores + joint + spectral(rng, 0.3) * 5


def _dirt(rng: Rng) -> F64:
    clods = spectral(rng, 1.1) * 22
    tracks = np.clip(spectral(rng, 1.4, (0.25, 4.0)), -2, 2) * 11
    treads = np.sin(np.arange(EDGE_PX)[:, None] * 2 * np.pi * 32 / EDGE_PX) * 7
    rut = np.clip(spectral(rng, 1.5, (0.2, 3.0)) - 0.6, 0, 1)
    far, shade = _cells(rng, 160)
    pebbles = np.where(far < 2.5, 30 * shade + 12, 0.0)
    return MEAN + clods + tracks + treads * rut + pebbles


def _gravel(rng: Rng) -> F64:
    far, shade = _cells(rng, 1100)
    small, fine = _cells(rng, 3500)
    stones = 34 * shade - 11 * np.minimum(far, 6) + 30
    return MEAN + np.where(shade > -0.2, stones, 30 * fine - 10 * small) + spectral(rng, 1.2) * 12


def _asphalt(rng: Rng) -> F64:
    grain = _blurred(rng.standard_normal((EDGE_PX, EDGE_PX)), 0.7) * 62
    crack = np.exp(-np.abs(spectral(rng, 1.9)) * 60) * -30
    return MEAN + grain + spectral(rng, 1.5) * 9 + crack * (spectral(rng, 1.9) > 0.3)


def _metal(rng: Rng) -> F64:
    brushed = spectral(rng, 0.5, (1.0, 14.0)) * 8
    scratches = _strokes(rng, 45, (12, 90), 0.4) * 46
    rust = np.clip(spectral(rng, 1.5) - 1.1, 0, 1) * -55
    return MEAN + brushed + scratches + rust + spectral(rng, 1.6) * 8


def _corrugated(rng: Rng) -> F64:
    place, _ = _columns(4)
    profile = np.interp(place, [0, 0.08, 0.42, 0.50, 0.58, 0.92, 1.0],
                        [-42, 14, 18, 44, -2, -14, -42])  # fmt: skip
    runs = np.clip(spectral(rng, 1.2, (4.0, 0.4)), 0, 2) * -11
    rust = np.clip(spectral(rng, 1.6) - 1.2, 0, 1) * -42
    return MEAN + profile[None, :] + runs + rust + spectral(rng, 1.4) * 5


def _wood(rng: Rng) -> F64:
    place, board = _columns(5)
    tone = rng.uniform(-20, 20, 5)[board]
    warp = spectral(rng, 2.0, (0.4, 1.0)) * 0.9
    rings = np.sin(2 * np.pi * (place * 3 + rng.uniform(0, 1, 5)[board])[None, :] + warp * 2) * 9
    fibres = spectral(rng, 0.6, (16.0, 1.0)) * 9
    gap = np.where((place < 0.04) | (place > 0.985), -62.0, 0.0)
    return MEAN + tone[None, :] + rings + fibres + gap[None, :] + spectral(rng, 1.7) * 8


def _brick(rng: Rng) -> F64:
    down, course = _columns(16)
    shifted = (np.arange(EDGE_PX)[None, :] * 5 / EDGE_PX + 0.5 * (course % 2)[:, None]) % 5
    tone = rng.uniform(-26, 26, (16, 5))[course[:, None], shifted.astype(np.int64)]
    across = shifted % 1.0
    mortar = (across < 0.05) | (down < 0.14)[:, None]
    edge = (across > 0.95) | (down > 0.90)[:, None]
    face = MEAN - 4 + tone + spectral(rng, 0.8) * 10 - 22 * edge
    return np.where(mortar, 176 + spectral(rng, 0.8) * 8, face) + spectral(rng, 1.7) * 8


def _cloth(rng: Rng) -> F64:
    folds = spectral(rng, 2.1, (1.6, 1.0))
    creases = 1 - 2 * np.abs(np.tanh(spectral(rng, 2.0) * 1.4))
    weave = spectral(rng, 0.0) * 3
    return MEAN + folds * 24 + _blurred(creases, 2.0) * 18 + weave


def _skin(rng: Rng) -> F64:
    return MEAN + spectral(rng, 1.5) * 9 + spectral(rng, 0.4) * 4


def _hair(rng: Rng) -> F64:
    return MEAN + spectral(rng, 0.7, (10.0, 1.0)) * 26 + spectral(rng, 1.8) * 12


def _sand(rng: Rng) -> F64:
    ripples = np.clip(spectral(rng, 1.9), -2, 2) * 15
    return MEAN + ripples + _blurred(rng.standard_normal((EDGE_PX, EDGE_PX)), 0.6) * 40


def _mesh(rng: Rng) -> F64:
    """Where it is darker than 64 the renderer sees a hole."""
    place, _ = _columns(16)
    thread = np.where(place < 0.30, 90.0, -104.0)
    net = np.maximum(thread[None, :], thread[:, None])
    return MEAN + net + spectral(rng, 1.8) * 6


DRAWN: dict[Texture, Callable[[Rng], F64]] = {
    Texture.CONCRETE: _concrete,
    Texture.DIRT: _dirt,
    Texture.GRAVEL: _gravel,
    Texture.ASPHALT: _asphalt,
    Texture.METAL: _metal,
    Texture.CORRUGATED: _corrugated,
    Texture.WOOD: _wood,
    Texture.BRICK: _brick,
    Texture.CLOTH: _cloth,
    Texture.SKIN: _skin,
    Texture.HAIR: _hair,
    Texture.SAND: _sand,
    Texture.MESH: _mesh,
}
"""How each texture is drawn; PLAIN stays flat."""
