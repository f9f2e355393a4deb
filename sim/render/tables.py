"""Materials, textures, light and views as arrays that the kernels read."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import numpy.typing as npt

from sim.world.lighting import Lamp, Lighting
from sim.world.materials import MATERIALS, Material

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

TILE_PX = 256
"""Edge of a texture; each mip level halves it."""
LEVELS = 9
LEVEL_STARTS = np.cumsum([0] + [(TILE_PX >> k) ** 2 for k in range(LEVELS)])
"""Where a level begins in a row of the mip table."""
LIGHT_FIELDS = ("to_sun", "sun", "sky", "bounce", "zenith", "horizon", "fog")
"""Triples at the start of the light vector, in this order; then fog_per_m, softness, wetness."""
SHADOWED_LAMPS = 2
"""So many of the strongest lamps cast shadows."""


def surfaces() -> F32:
    """float32[M, 7]: rows of MATERIALS: texture, tile, detail, specular, gloss, retro, emission."""
    return np.array([astuple(MATERIALS[material]) for material in Material], np.float32)


def mips(atlas: U8) -> U8:
    """uint8[rows, ...]: each texture and its halvings by 2x2 means, one after the other.

    Args:
        atlas: uint8[rows, 256, 256].
    """
    levels = [atlas]
    for _ in range(LEVELS - 1):
        big = levels[-1].astype(np.uint16)
        four = big[:, ::2, ::2] + big[:, 1::2, ::2] + big[:, ::2, 1::2] + big[:, 1::2, 1::2]
        levels.append(((four + 2) >> 2).astype(np.uint8))
    return np.concatenate([level.reshape(len(atlas), -1) for level in levels], axis=1)


def light_vector(light: Lighting, wet: float) -> F32:
    """float32[24]: LIGHT_FIELDS, fog_per_m, sun_softness, wetness."""
    triples = [value for name in LIGHT_FIELDS for value in getattr(light, name)]
    return np.array([*triples, light.fog_per_m, light.sun_softness, wet], np.float32)


def ranked(light: Lighting) -> list[Lamp]:
    """The lamps, the strongest first."""
    return sorted(light.lamps, key=lambda lamp: -sum(lamp.colour))


def lamp_rows(light: Lighting) -> F32:
    """float32[N, 10]: place, direction, colour, cosine of each lamp, the strongest first."""
    rows = [(*lamp.at_m, *lamp.direction, *lamp.colour, lamp.cosine) for lamp in ranked(light)]
    return np.array(rows, np.float32).reshape(-1, 10)


def view_row(origin: F64, turn: F64, lens: tuple[float, float, float]) -> F64:
    """float64[15]: origin, turn (rows), lens of a camera or of a light's map."""
    return np.concatenate([np.asarray(origin, np.float64), turn.ravel(), np.asarray(lens)])


def tone_table(exposure: float) -> U8:
    """uint8[4096]: from the root of linear light over 16 to sRGB, by a filmic curve.

    The curve is the fit of ACES by K. Narkowicz (2015), scaled so that middle grey stays.
    """
    x = (np.arange(4096) / 4095) ** 2 * 16 * exposure * 0.8
    filmic = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    srgb = np.where(filmic <= 0.0031308, 12.92 * filmic, 1.055 * filmic ** (1 / 2.4) - 0.055)
    return np.clip(np.round(srgb * 255), 0, 255).astype(np.uint8)
