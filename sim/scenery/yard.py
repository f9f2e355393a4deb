"""Boxes one can walk into: shipping containers and site huts."""

from __future__ import annotations

import numpy as np

from sim.scenery.parts import (
    DARK_STEEL,
    GALVANISED,
    Kind,
    Rng,
    block,
    darker,
    grimy,
    pole,
)
from sim.world.config import Size
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined
from sim.world.shapes import placed

POST_M = 0.16
"""Corner posts and frames of a container."""
CASTING_M = 0.18
DOOR_M = (0.9, 2.0)
WINDOW_M = (1.1, 0.9)
SILL_M = 1.0
PANE = "#2c3a44"


def container(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """A corrugated steel box between posts and rails, doors with locking rods at its +x end."""
    wide, deep, tall = size_m
    frame = darker(colour, 0.82)
    skin = block((wide - 0.12, deep - 0.12, tall - 0.2), (0, 0, 0.14), colour, Material.CORRUGATED)
    parts = [skin]
    for x in (-wide / 2 + POST_M / 2, wide / 2 - POST_M / 2):
        for y in (-deep / 2 + POST_M / 2, deep / 2 - POST_M / 2):
            parts.append(block((POST_M, POST_M, tall), (x, y, 0), frame, Material.METAL))
            for z in (0.0, tall - CASTING_M * 0.65):
                parts.append(block((CASTING_M, CASTING_M, CASTING_M * 0.65), (
                    np.sign(x) * (wide - CASTING_M) / 2, np.sign(y) * (deep - CASTING_M) / 2, z),
                    DARK_STEEL, Material.METAL))  # fmt: skip
    for z, high in ((0.02, 0.16), (tall - 0.14, 0.12)):
        for y in (-deep / 2 + 0.05, deep / 2 - 0.05):
            parts.append(block((wide - 0.1, 0.1, high), (0, y, z), frame, Material.METAL))
        for x in (-wide / 2 + 0.05, wide / 2 - 0.05):
            parts.append(block((0.1, deep - 0.1, high), (x, 0, z), frame, Material.METAL))
    parts += _doors(wide, deep, tall, frame)
    parts.append(_number(wide, deep, tall))
    return grimy(joined(parts), rng, 0.3)


def _doors(wide: float, deep: float, tall: float, colour: str) -> list[Mesh]:
    x = wide / 2 - 0.045
    parts = []
    for side in (-1, 1):
        y = side * deep / 4
        leaf = (0.05, deep / 2 - POST_M - 0.03, tall - 0.4)
        parts.append(block(leaf, (x, y * 0.94, 0.2), colour, Material.METAL))
        for shift in (-0.22, 0.22):
            at = (wide / 2 - 0.015, y + shift)
            parts.append(pole((*at, 0.16), (*at, tall - 0.16), 0.015, GALVANISED))
    return parts


def _number(wide: float, deep: float, tall: float) -> Mesh:
    """Light rectangles where a container carries its number and a placard."""
    parts = []
    for side, heading in ((-1, 0.0), (1, 180.0)):
        for shift, size in ((wide * 0.33, (0.7, 0.22)), (-wide * 0.3, (0.4, 0.4))):
            plate = block((size[0], 0.01, size[1]), (0, 0, 0), "#c9c9c4", Material.PAINT)
            parts.append(placed(plate, (shift, side * (deep / 2 - 0.052), tall * 0.62), heading))
    return joined(parts)


def site_hut(size_m: Size, colour: str, rng: Rng) -> Mesh:
    """An office cabin: windows with frames, a door with a step, a roof with an edge."""
    wide, deep, tall = size_m
    front = -deep / 2 + 0.06
    parts = [
        block((wide - 0.1, deep - 0.12, tall - 0.25), (0, 0, 0.15), colour, Material.CORRUGATED),
        block((wide, deep, 0.12), (0, 0, tall - 0.12), darker(colour, 0.7), Material.METAL),
    ]
    for x in (-wide / 2 + 0.3, 0.0, wide / 2 - 0.3):
        for y in (-deep / 2 + 0.3, deep / 2 - 0.3):
            parts.append(block((0.4, 0.4, 0.15), (x, y, 0), "#8f8a81", Material.CONCRETE))
    for x in (-wide / 2 + 0.06, wide / 2 - 0.06):
        for y in (-deep / 2 + 0.07, deep / 2 - 0.07):
            parts.append(block((0.12, 0.12, tall - 0.2), (x, y, 0.1), darker(colour, 0.55),
                               Material.METAL))  # fmt: skip
    door_x = -wide / 2 + 0.9
    parts += _door(door_x, front, darker(colour, 0.5))
    places = np.arange(door_x + 1.5, wide / 2 - 0.6, 1.7)
    parts += [_window(float(x), front, True) for x in places]
    parts += [_window(float(x), -front, False) for x in (-wide / 4, wide / 4)]
    parts.append(block((0.7, 0.3, 0.45), (wide / 2 - 0.6, -front + 0.02, tall - 0.9), "#cfcfca",
                       Material.METAL))  # fmt: skip
    return grimy(joined(parts), rng, 0.28)


def _door(x: float, front: float, colour: str) -> list[Mesh]:
    wide, high = DOOR_M
    parts = [
        block((wide + 0.12, 0.04, high + 0.06), (x, front - 0.01, 0.15), "#d6d4cd", Material.PAINT),
        block((wide, 0.05, high), (x, front - 0.02, 0.16), colour, Material.PAINT),
        block((0.45, 0.02, 0.5), (x, front - 0.045, 1.45), PANE, Material.GLASS),
        block((0.12, 0.03, 0.03), (x + wide * 0.38, front - 0.06, 1.15), "#c8c8c8", Material.METAL),
    ]
    return parts


def _window(x: float, y: float, forward: bool) -> Mesh:
    wide, high = WINDOW_M
    out = -0.01 if forward else 0.01
    pane = -0.022 if forward else 0.022
    parts = [
        block((wide + 0.14, 0.05, high + 0.14), (x, y + out, SILL_M), "#d9d8d2", Material.PAINT),
        block((wide, 0.05, high), (x, y + pane, SILL_M + 0.07), PANE, Material.GLASS),
        block((0.05, 0.05, high), (x, y + pane * 1.6, SILL_M + 0.07), "#d9d8d2", Material.PAINT),
    ]
    return joined(parts)


KINDS = {
    "container": Kind(
        container, (6.06, 2.44, 2.59),
        ("#2f5d8a", "#83493a", "#4a6b55", "#8a8d8c", "#a8672a", "#3f4a5a"),
    ),
    "site_hut": Kind(
        site_hut, (6.0, 2.5, 2.7), ("#c9c6bb", "#9fb0b8", "#b7b29f", "#5d7f94"),
    ),
}  # fmt: skip
