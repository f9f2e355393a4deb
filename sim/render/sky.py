"""The sky where nothing stands: a gradient, clouds, and the glow around the sun."""

from __future__ import annotations

import cv2
import numpy as np

from sim.render.tables import F32, F64
from sim.world.lighting import Lighting

CLOUD_HEIGHT = 0.12
"""Clouds lie on a plane; this much is added to the height of a ray so that it meets it."""
OCTAVES = 5


def sky(rays: F64, lighting: Lighting, cloud: float, seed: int) -> F32:
    """float32[N, 3], linear light of unit rays float64[N, 3]; below the horizon as at it."""
    rise = np.clip(rays[:, 2], 0.0, 1.0)
    zenith, horizon = np.array(lighting.zenith), np.array(lighting.horizon)
    share = (1 - np.exp(-3.2 * rise))[:, None] / (1 - np.exp(-3.2))
    colour = horizon + (zenith - horizon) * share
    colour = _clouded(colour, rays, lighting, cloud, seed)
    along = np.clip(rays @ np.asarray(lighting.to_sun), 0.0, 1.0)
    sun = np.array(lighting.sun)
    glow = 0.25 * along**32 + 0.9 * along**400 + 12 * (along > 0.99994)
    colour = colour + glow[:, None] * sun
    if lighting.fog_per_m > 0:
        thick = np.exp(-lighting.fog_per_m * 120 / (0.05 + rise))[:, None]
        colour = colour * thick + np.array(lighting.fog) * (1 - thick)
    return colour.astype(np.float32)


def _clouded(colour: F64, rays: F64, lighting: Lighting, cloud: float, seed: int) -> F64:
    """Soft clouds: value noise on a plane above, thicker as `cloud` grows."""
    rise = np.clip(rays[:, 2], 0.0, 1.0)
    scale = 1.0 / (rise + CLOUD_HEIGHT)
    u, v = rays[:, 0] * scale, rays[:, 1] * scale
    density = np.zeros(len(rays))
    for octave in range(OCTAVES):
        density += _noise(u * 1.3 * 2**octave, v * 1.3 * 2**octave, seed + octave) * 0.5**octave
    density /= 2 - 0.5 ** (OCTAVES - 1)
    edge = 0.68 - 0.45 * cloud
    cover = np.clip((density - edge) / 0.22, 0, 1)
    cover = cover * cover * (3 - 2 * cover) * np.clip(rise / 0.06, 0, 1)
    sky_light = np.array(lighting.sky).mean()
    lit = np.array(lighting.sun) * 0.75 * (1 - 0.5 * cloud) + np.array(lighting.sky) * 0.9
    bright = np.maximum(lit, np.array(lighting.horizon))
    dark = 0.62 * bright + 0.1 * sky_light
    body = bright + (dark - bright) * np.clip((density - edge - 0.1) / 0.35, 0, 1)[:, None]
    return colour + (body - colour) * (0.9 * cover)[:, None]


def _noise(u: F64, v: F64, seed: int) -> F64:
    """Value noise 0 to 1, float64[N], from a table that repeats every 64 cells."""
    table = np.random.default_rng([seed, 0xC10D]).random((64, 64), np.float32)
    x, y = np.mod(u, 64).astype(np.float32), np.mod(v, 64).astype(np.float32)
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    i, j = x0.astype(int) & 63, y0.astype(int) & 63
    top = table[j, i] * (1 - fx) + table[j, (i + 1) & 63] * fx
    low = table[(j + 1) & 63, i] * (1 - fx) + table[(j + 1) & 63, (i + 1) & 63] * fx
    return np.asarray(top * (1 - fy) + low * fy, np.float64)


def blurred(image: F32, sigma_px: float) -> F32:
    """A Gaussian blur of float32[H, W]."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.float32)
