"""Scaffolds and ladders."""

from __future__ import annotations

import itertools

import numpy as np

from sim.scenery.parts import (
    DARK_STEEL,
    GALVANISED,
    Kind,
    Rng,
    block,
    grimy,
    jittered,
    plank,
    pole,
    sheet,
    spaced,
)
from sim.world.config import Size
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined

BAY_M = 2.1
LIFT_M = 2.0
TUBE_M = 0.0242
"""Radius of a 48.3 mm scaffold tube (EN 39)."""
RAIL_M = 1.0
TOE_BOARD_M = 0.15
RUNG_M = 0.28


def scaffold(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """Standards, ledgers, braces, decks with toe boards and guard rails, sometimes a net."""
    wide, deep, tall = size_m
    steel = jittered(GALVANISED, rng, 0.08)
    xs, ys = spaced(wide - 0.1, BAY_M), (-deep / 2 + 0.05, deep / 2 - 0.05)
    decks = [z for z in np.arange(LIFT_M, tall - 0.4, LIFT_M)]
    parts = [_standard(x, y, tall, steel) for x in xs for y in ys]
    for z in [0.25, *decks]:
        parts += [pole((xs[0], y, z), (xs[-1], y, z), TUBE_M, steel) for y in ys]
        parts += [pole((x, ys[0], z), (x, ys[1], z), TUBE_M, steel) for x in xs]
    for z in decks:
        parts.append(_deck(xs, ys, z, colour, rng))
        parts += _rails(xs, ys, z, tall, steel)
    parts += _braces(xs, ys[1], [0.25, *decks], steel)
    if rng.random() < 0.35:
        net = str(rng.choice(["#3f6d4a", "#3a5f86", "#6c6f72"]))
        low, high = LIFT_M, tall
        corners = [(xs[0], ys[1] + 0.03, low), (xs[-1], ys[1] + 0.03, low),
                   (xs[-1], ys[1] + 0.03, high), (xs[0], ys[1] + 0.03, high)]  # fmt: skip
        parts.append(sheet(corners, net, Material.NET))
    return grimy(joined(parts), rng, 0.25)


def _standard(x: float, y: float, tall: float, steel: str) -> Mesh:
    foot = block((0.15, 0.15, 0.012), (x, y, 0.0), DARK_STEEL, Material.METAL)
    sole = pole((x, y, 0.0), (x, y, tall), TUBE_M, steel)
    return joined([foot, sole])


def _deck(xs: np.ndarray, ys: tuple[float, float], z: float, colour: str, rng: Rng) -> Mesh:
    """Four boards a bay, one of them now and then missing, and toe boards along both sides."""
    parts = []
    step = (ys[1] - ys[0] - 0.06) / 4
    for x0, x1 in itertools.pairwise(xs):
        for k in range(4):
            if rng.random() < 0.04:
                continue
            y = ys[0] + 0.03 + step * (k + 0.5)
            parts.append(plank((x0 - 0.04, y, z + 0.045), (x1 + 0.02, y, z + 0.045), step * 0.94,
                               rng, colour=colour))  # fmt: skip
    for y in ys:
        parts.append(plank((xs[0], y, z + 0.14), (xs[-1], y, z + 0.14), 0.03, rng, TOE_BOARD_M))
    return joined(parts)


def _rails(
    xs: np.ndarray, ys: tuple[float, float], z: float, tall: float, steel: str
) -> list[Mesh]:
    found = []
    for high in (0.5, RAIL_M):
        if z + high > tall:
            continue
        found += [pole((xs[0], y, z + high), (xs[-1], y, z + high), TUBE_M, steel) for y in ys]
        found += [
            pole((x, ys[0], z + high), (x, ys[1], z + high), TUBE_M, steel) for x in (xs[0], xs[-1])
        ]
    return found


def _braces(xs: np.ndarray, y: float, levels: list[float], steel: str) -> list[Mesh]:
    """A zigzag over the outer face, in every second bay."""
    found = []
    for k, (low, high) in enumerate(itertools.pairwise(levels)):
        for i in range(0, len(xs) - 1, 2):
            a, b = (xs[i], xs[i + 1]) if k % 2 == 0 else (xs[i + 1], xs[i])
            found.append(pole((a, y + 0.045, low), (b, y + 0.045, high), TUBE_M, steel))
    return found


def ladder(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """Two stiles and rungs; leans towards +y as far as its depth says."""
    wide, deep, tall = size_m
    parts = []
    low, high = np.array([0.0, -deep / 2 + 0.03, 0.0]), np.array([0.0, deep / 2 - 0.03, tall])
    for x in (-wide / 2 + 0.02, wide / 2 - 0.02):
        side = np.array([x, 0.0, 0.0])
        parts.append(pole(low + side, high + side, 0.027, colour, Material.METAL, 6))
        parts.append(block((0.07, 0.06, 0.04), (x, low[1], 0.0), "#222222", Material.RUBBER))
    rungs = max(round(float(np.linalg.norm(high - low)) / RUNG_M), 2)
    for k in range(1, rungs):
        at = low + (high - low) * k / rungs
        half = np.array([wide / 2 - 0.02, 0.0, 0.0])
        parts.append(pole(at - half, at + half, 0.017, colour))
    return grimy(joined(parts), rng, 0.2)


KINDS = {
    "scaffold": Kind(scaffold, (6.3, 1.2, 6.3), ("#a98f66", "#b39a70", "#8f959a")),
    "ladder": Kind(ladder, (0.48, 1.1, 4.2), ("#b5b9bc", "#c2912a", "#a6aaad")),
}
