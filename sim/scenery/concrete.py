"""What is cast and laid: a building under construction, walls, pillars."""

from __future__ import annotations

import itertools

import numpy as np

from sim.scenery.parts import (
    CONCRETE,
    GALVANISED,
    Kind,
    Rng,
    block,
    darker,
    grimy,
    jittered,
    pole,
    spaced,
)
from sim.world.config import Size
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined

STOREY_M = 3.2
SLAB_M = 0.26
COLUMN_M = 0.42
SPAN_M = 4.4
STARTER_M = 0.8
"""How far the reinforcement of the next storey's columns stands out."""
BRICK_COLOURS = ("#8a5a49", "#956250", "#7b5548", "#9a8570")


def building(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A concrete frame: slabs on columns, some bays walled up, props, rails, starter bars."""
    wide, deep, tall = size_m
    storeys = max(round((tall - STARTER_M) / STOREY_M), 1)
    storey = (tall - (STARTER_M if tall > 2.5 else 0.0)) / storeys
    xs = spaced(wide - COLUMN_M - 0.3, SPAN_M)
    ys = spaced(deep - COLUMN_M - 0.3, SPAN_M)
    parts = [block((wide, deep, 0.12), (0, 0, 0), darker(colour, 0.85), Material.CONCRETE)]
    for level in range(storeys):
        z = level * storey
        parts += _columns(xs, ys, z, storey, colour, rng)
        parts.append(block((wide, deep, SLAB_M), (0, 0, z + storey - SLAB_M),
                           jittered(colour, rng, 0.03), Material.CONCRETE))  # fmt: skip
        parts += _infill(xs, ys, z, storey, level, rng)
        if level > 0:
            parts += _edge_rails(wide, deep, z)
    parts += _props(xs, ys, (storeys - 1) * storey, storey, rng)
    parts.append(_stairs(wide, deep, storey, colour))
    top = storeys * storey
    parts += _edge_rails(wide, deep, top, min(0.75, tall - top))
    if tall - top > 0.1:
        parts += [_starters(x, y, top, tall) for x in xs for y in ys]
    return grimy(joined(parts), rng, 0.22)


def _columns(
    xs: np.ndarray, ys: np.ndarray, z: float, storey: float, colour: str, rng: Rng
) -> list[Mesh]:
    return [
        block((COLUMN_M, COLUMN_M, storey - SLAB_M), (x, y, z), jittered(colour, rng, 0.04),
              Material.CONCRETE)
        for x in xs for y in ys
    ]  # fmt: skip


def _infill(
    xs: np.ndarray, ys: np.ndarray, z: float, storey: float, level: int, rng: Rng
) -> list[Mesh]:
    """Brick or block walls in some outer bays, some of them with a window left open."""
    colour = str(rng.choice(BRICK_COLOURS))
    found, high = [], storey - SLAB_M
    chance = 0.62 if level == 0 else 0.35
    for row in (0, -1):
        for a, b in itertools.pairwise(xs):
            if rng.random() < chance:
                wall = _bay(b - a - COLUMN_M, high, colour, rng)
                found.append(wall.moved(np.eye(3), ((a + b) / 2, ys[row], z)))
        for a, b in itertools.pairwise(ys):
            if rng.random() < chance:
                wall = _bay(b - a - COLUMN_M, high, colour, rng)
                turn = np.array([(0, -1, 0), (1, 0, 0), (0, 0, 1)])
                found.append(wall.moved(turn, (xs[row], (a + b) / 2, z)))
    return found


def _bay(wide: float, high: float, colour: str, rng: Rng) -> Mesh:
    """A wall between two columns, 0.2 thick; whole, or with an opening."""
    if rng.random() < 0.35:
        return block((wide, 0.2, high), (0, 0, 0), colour, Material.BRICK)
    sill, lintel, gap = 0.95, min(2.2, high - 0.2), wide * 0.46
    side = (wide - gap) / 2
    parts = [
        block((wide, 0.2, sill), (0, 0, 0), colour, Material.BRICK),
        block((wide, 0.2, high - lintel), (0, 0, lintel), colour, Material.BRICK),
        block((gap + 0.3, 0.24, 0.14), (0, 0, lintel), CONCRETE, Material.CONCRETE),
    ]
    for x in (-(gap + side) / 2, (gap + side) / 2):
        parts.append(block((side, 0.2, lintel - sill), (x, 0, sill), colour, Material.BRICK))
    return joined(parts)


def _props(xs: np.ndarray, ys: np.ndarray, z: float, storey: float, rng: Rng) -> list[Mesh]:
    """Red or galvanised props under the youngest slab."""
    colour = str(rng.choice(["#8e3327", GALVANISED, "#b88a1f"]))
    found = []
    for a, b in itertools.pairwise(xs):
        for share in (0.33, 0.67):
            x = a + (b - a) * share
            for y in ys[[0, -1]] * 0.8:
                found.append(pole((x, y, z), (x, y, z + storey - SLAB_M), 0.035, colour))
    return found


def _edge_rails(wide: float, deep: float, z: float, high: float = 1.05) -> list[Mesh]:
    """Guard rails on posts along the edges of a slab."""
    if high < 0.5:
        return []
    x, y = wide / 2 - 0.08, deep / 2 - 0.08
    corners = [(-x, -y), (x, -y), (x, y), (-x, y)]
    found = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        for level in (0.5 * high, high):
            found.append(pole((ax, ay, z + level), (bx, by, z + level), 0.022, "#b98f2e"))
        count = max(round(float(np.hypot(bx - ax, by - ay)) / 2.2), 1)
        for k in range(count):
            px, py = ax + (bx - ax) * k / count, ay + (by - ay) * k / count
            found.append(pole((px, py, z), (px, py, z + high), 0.022, "#b98f2e"))
    return found


def _stairs(wide: float, deep: float, storey: float, colour: str) -> Mesh:
    """A flight of steps inside, up to the first slab."""
    count, run = 16, 0.27
    rise = (storey - SLAB_M) / count
    y = deep / 2 - 1.6
    parts = []
    for k in range(count):
        x = wide / 2 - 1.2 - k * run
        if x < -wide / 2 + 1.0:
            break
        parts.append(block((run, 1.1, rise * 1.4), (x, y, max(k - 0.4, 0) * rise), colour,
                           Material.CONCRETE))  # fmt: skip
    return joined(parts)


def _starters(x: float, y: float, low: float, high: float) -> Mesh:
    half = COLUMN_M / 2 - 0.06
    corners = [(x + sx * half, y + sy * half) for sx in (-1, 1) for sy in (-1, 1)]
    return joined([pole((a, b, low), (a, b, high), 0.014, "#6b4632", segments=4)
                   for a, b in corners])  # fmt: skip


def wall(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A brick wall under a concrete coping, or a rough concrete wall."""
    wide, deep, tall = size_m
    if rng.random() < 0.6:
        parts = [
            block((wide, deep * 0.82, tall - 0.08), (0, 0, 0), colour, Material.BRICK),
            block((wide, deep, 0.08), (0, 0, tall - 0.08), CONCRETE, Material.CONCRETE),
        ]
        return grimy(joined(parts), rng, 0.4)
    return grimy(joined(_cast_wall(wide, deep, tall, rng)), rng, 0.4)


def _cast_wall(wide: float, deep: float, tall: float, rng: Rng) -> list[Mesh]:
    """On a footing, with joints and tie holes of its formwork; bars stand out on top."""
    bars = 0.35 if tall > 1.5 else 0.0
    top, grey = tall - bars, jittered(CONCRETE, rng, 0.05)
    parts = [
        block((wide * 0.99, deep * 0.72, top), (0, 0, 0), grey, Material.CONCRETE),
        block((wide, deep, min(0.22, top / 3)), (0, 0, 0), darker(grey, 0.8), Material.CONCRETE),
    ]
    for x in np.arange(-wide / 2 + 1.2, wide / 2 - 0.3, 1.2):
        parts.append(block((0.03, deep * 0.72 + 0.02, top), (x, 0, 0), darker(grey, 0.72),
                           Material.CONCRETE))  # fmt: skip
        for z in np.arange(0.6, top - 0.2, 1.0):
            parts.append(block((0.05, deep * 0.72 + 0.012, 0.05), (x - 0.6, 0, z), "#4c4a46"))
    for x in np.arange(-wide / 2 + 0.2, wide / 2 - 0.1, 0.3) if bars else ():
        high = tall - float(rng.uniform(0, 0.08))
        parts.append(pole((x, 0, top), (x, 0, high), 0.012, "#6b4632", segments=4))
    if bars:
        parts.append(pole((0, 0, top), (0, 0, tall), 0.012, "#6b4632", segments=4))
    return parts


def pillar(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A column with chamfered edges, a kicker at its foot and starter bars on top when tall."""
    wide, deep, tall = size_m
    bars = STARTER_M if tall > 2.4 else 0.0
    shaft = block((wide * 0.94, deep * 0.94, tall - bars), (0, 0, 0), colour, Material.CONCRETE,
                  bevel_m=0.03)  # fmt: skip
    foot = block((wide, deep, 0.1), (0, 0, 0), darker(colour, 0.85), Material.CONCRETE)
    parts = [shaft, foot]
    if bars:
        x, y = wide * 0.36, deep * 0.36
        places = [(-x, -y), (0, -y), (x, -y), (-x, y), (0, y), (x, y)]
        parts += [pole((a, b, tall - bars), (a, b, tall), 0.014, "#6b4632", segments=4)
                  for a, b in places]  # fmt: skip
    return grimy(joined(parts), rng, 0.4)


GREYS = ("#a19c93", "#aaa69e", "#94908a")
KINDS = {
    "building": Kind(building, (14.0, 9.5, 7.2), GREYS),
    "wall": Kind(wall, (5.0, 0.3, 2.4), BRICK_COLOURS),
    "pillar": Kind(pillar, (0.6, 0.6, 3.8), GREYS),
}
