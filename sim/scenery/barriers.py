"""What keeps people out: mesh fences, barriers, cones, barrels."""

from __future__ import annotations

import math

import numpy as np

from sim.scenery.parts import (
    DARK_STEEL,
    GALVANISED,
    RED,
    WHITE,
    Kind,
    Rng,
    block,
    darker,
    grimy,
    jittered,
    pole,
    sheet,
)
from sim.world.config import Size
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined, linear
from sim.world.shapes import lathe, quad

PANEL_M = 3.5
STRIPE_M = 0.25


def fence(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """Temporary fence panels: a tube frame with wire mesh, in concrete feet."""
    wide, deep, tall = size_m
    count = max(round(wide / PANEL_M), 1)
    each = wide / count
    parts, low = [], 0.16
    for k in range(count):
        a, b = -wide / 2 + k * each + 0.03, -wide / 2 + (k + 1) * each - 0.03
        lean = rng.normal(0, 0.012)
        y0, y1 = 0.0, lean * tall
        corners = [(a, y0, low), (b, y0, low), (b, y1, tall), (a, y1, tall)]
        for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
            parts.append(pole(p, q, 0.021, colour))
        parts.append(sheet(corners, darker(colour, 0.62), Material.NET))
        parts += [pole((x, 0, 0.04), (x, 0, low), 0.021, colour) for x in (a, b)]
        if rng.random() < 0.22:
            parts.append(_sign((a + b) / 2, tall * 0.62))
    for k in range(count + 1):
        x = min(max(-wide / 2 + k * each, -wide / 2 + 0.11), wide / 2 - 0.11)
        parts.append(block((0.22, deep, 0.13), (x, 0, 0), jittered("#8d8880", rng, 0.06),
                           Material.CONCRETE))  # fmt: skip
    return grimy(joined(parts), rng, 0.2)


def _sign(x: float, z: float) -> Mesh:
    """A notice board: blue above white."""
    return joined([
        block((0.6, 0.015, 0.25), (x, -0.03, z), "#d8d7d2", Material.PAINT),
        block((0.6, 0.015, 0.2), (x, -0.03, z + 0.25), "#24508c", Material.PAINT),
    ])  # fmt: skip


def barrier(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A traffic barrier: two striped boards on A-shaped feet."""
    wide, deep, tall = size_m
    parts = []
    for z, high in ((tall - 0.22, 0.2), (tall * 0.42, 0.16)):
        parts += _striped(wide, 0.03, z, high, colour)
    for x in (-wide / 2 + 0.15, wide / 2 - 0.15):
        for y in (-deep / 2 + 0.02, deep / 2 - 0.02):
            parts.append(pole((x, y, 0), (x, 0, tall), 0.02, DARK_STEEL))
        parts.append(block((0.08, deep, 0.03), (x, 0, 0), "#202020", Material.RUBBER))
    return grimy(joined(parts), rng, 0.3)


def _striped(wide: float, thick: float, z: float, high: float, colour: str) -> list[Mesh]:
    """A board with slanted stripes on both faces."""
    parts = [block((wide, thick, high), (0, 0, z), WHITE, Material.REFLECTOR)]
    slant = high * 0.7
    for x in np.arange(-wide / 2, wide / 2 - STRIPE_M - slant + 0.01, 2 * STRIPE_M):
        for y, way in ((-thick / 2 - 0.002, 1), (thick / 2 + 0.002, -1)):
            corners = [(x, y, z), (x + STRIPE_M, y, z), (x + STRIPE_M + slant, y, z + high),
                       (x + slant, y, z + high)][::way]  # fmt: skip
            parts.append(quad(np.array(corners), colour, Material.REFLECTOR))
    return parts


def cone(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A traffic cone with a square foot and two white collars."""
    wide, deep, tall = size_m
    foot = block(
        (wide, deep, 0.035), (0, 0, 0), darker(colour, 0.55), Material.RUBBER, bevel_m=0.01
    )
    base, tip = min(wide, deep) * 0.40, min(wide, deep) * 0.075

    def at(share: float) -> tuple[float, float]:
        return base + (tip - base) * share, 0.03 + (tall - 0.03) * share

    parts = [foot]
    bands = [(0.0, 0.42, colour), (0.42, 0.60, WHITE), (0.60, 0.72, colour), (0.72, 0.84, WHITE),
             (0.84, 1.0, colour)]  # fmt: skip
    for low, high, shade in bands:
        material = Material.REFLECTOR if shade == WHITE else Material.RUBBER
        profile = [at(low), at(high)] + ([(0.0, tall)] if high == 1.0 else [])
        parts.append(lathe(profile, shade, material, 12))
    return grimy(joined(parts), rng, 0.25)


def barrel(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A 200 litre drum: two hoops, a rim, a dented colour."""
    wide, deep, tall = size_m
    r, hoop = 0.96, 1.0
    profile = [(0.0, 0.0), (0.97, 0.0), (r, 0.03), (r, 0.32), (hoop, 0.335), (r, 0.35), (r, 0.64),
               (hoop, 0.655), (r, 0.67), (r, 0.97), (hoop, 0.98), (hoop, 1.0), (0.92, 1.0),
               (0.92, 0.975), (0.0, 0.975)]  # fmt: skip
    mesh = lathe([(a * wide / 2, z * tall) for a, z in profile], colour, Material.METAL, 16)
    mesh.vertices[:, 1] *= np.float32(deep / wide)
    lid = mesh.vertices[:, 2] > tall * 0.97
    mesh.albedo[lid] *= np.float32(0.7)
    angle = np.arctan2(mesh.vertices[:, 1], mesh.vertices[:, 0])
    rust = np.clip(np.sin(angle * 2 + rng.uniform(0, 2 * math.pi)), 0, 1) * 0.45
    mesh.albedo += (np.float32(linear("#5a3420")) - mesh.albedo) * np.float32(rust)[:, None]
    return grimy(mesh, rng, 0.35)


KINDS = {
    "fence": Kind(fence, (7.0, 0.6, 2.0), (GALVANISED, "#7d8388")),
    "barrier": Kind(barrier, (2.0, 0.6, 1.05), (RED, "#c24a1c")),
    "cone": Kind(cone, (0.38, 0.38, 0.75), ("#d9541e", "#cf4a1a")),
    "barrel": Kind(
        barrel, (0.6, 0.6, 0.9), ("#2f5583", "#3c6b46", "#9a3a2a", "#b58a25", "#55585a")
    ),
}
