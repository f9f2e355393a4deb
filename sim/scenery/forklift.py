"""A counterbalance forklift of about four tonnes, looking along +y; nobody sits on it."""

from __future__ import annotations

import math

from sim.scenery.moving import Block, Motion, Turn, plate, roll, wheel
from sim.scenery.parts import DARK_STEEL, Rng, block, darker, pole
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined
from sim.world.shapes import Point3, cylinder, placed

FRONT_M, REAR_M = 0.34, 0.28
"""Radii of the wheels."""
WHEELS: dict[str, tuple[float, Point3]] = {
    "front_left": (FRONT_M, (-0.47, 0.72, FRONT_M)),
    "front_right": (FRONT_M, (0.47, 0.72, FRONT_M)),
    "rear_left": (REAR_M, (-0.45, -0.82, REAR_M)),
    "rear_right": (REAR_M, (0.45, -0.82, REAR_M)),
}
MAST_Y_M, MAST_HIGH_M = 1.08, 2.2
GUARD_M = 2.14
FORK_M = 1.1
DARK = "#2b2c2e"


def build(colour: str, rng: Rng) -> list[Block]:
    """Its blocks: the body with mast and forks, and the four wheels."""
    lift = float(rng.uniform(0.06, 0.35))
    body = joined([*_chassis(colour), *_guard(), *_mast(lift)])
    wheels = [
        Block(name, wheel(radius, 0.24, at, "#b8b6ae")) for name, (radius, at) in WHEELS.items()
    ]
    return [Block("body", body), *wheels]


def turns(motion: Motion) -> dict[str, Turn]:
    """Wheels that roll."""
    return {name: roll(motion.driven_m, radius, at) for name, (radius, at) in WHEELS.items()}


def _chassis(colour: str) -> list[Mesh]:
    rear = [(-1.28, 0.42), (-0.45, 0.42), (-0.45, 1.02), (-1.05, 1.05), (-1.25, 0.9)]
    side = [(-0.5, 0.25), (0.95, 0.25), (0.95, 0.55), (0.75, 0.62), (0.35, 0.62), (0.3, 0.78),
            (-0.5, 0.78)]  # fmt: skip
    dash = [(0.3, 0.62), (0.95, 0.5), (0.95, 0.78), (0.85, 1.12), (0.78, 1.12)]
    return [
        plate(rear, 1.08, 0.0, darker(colour, 0.62)),
        plate(side, 0.72, 0.0, colour),
        plate(dash, 0.9, 0.0, colour),
        block((1.06, 0.5, 0.06), (0, 0.72, 2 * FRONT_M + 0.02), colour, Material.PAINT),
        block((1.02, 0.55, 0.05), (0, -0.82, 2 * REAR_M + 0.06), darker(colour, 0.62),
              Material.PAINT),
        block((0.5, 0.5, 0.14), (0, -0.2, 0.86), DARK, Material.LEATHER, bevel_m=0.03),
        block((0.48, 0.12, 0.5), (0, -0.45, 0.98), DARK, Material.LEATHER, bevel_m=0.03),
        pole((0, 0.75, 1.05), (0, 0.38, 1.28), 0.025, DARK),
        _steering(),
        block((0.3, 0.03, 0.1), (0, -1.285, 0.7), "#c33b2a", Material.PAINT),
    ]  # fmt: skip


def _steering() -> Mesh:
    wheel_ = cylinder(0.17, 0.03, DARK, Material.RUBBER, 12)
    tilt = math.radians(25)
    c, s = math.cos(tilt), math.sin(tilt)
    return wheel_.moved([(1, 0, 0), (0, c, -s), (0, s, c)], (0, 0.36, 1.29))


def _guard() -> list[Mesh]:
    """The overhead guard: four pillars and a roof of bars."""
    parts = []
    for x in (-0.46, 0.46):
        parts.append(pole((x, 0.82, 1.05), (x * 0.95, 0.5, GUARD_M), 0.035, DARK))
        parts.append(pole((x, -0.62, 1.0), (x * 0.95, -0.5, GUARD_M), 0.035, DARK))
        parts.append(pole((x * 0.95, -0.5, GUARD_M), (x * 0.95, 0.5, GUARD_M), 0.035, DARK))
    for k in range(6):
        y = -0.5 + 0.2 * k
        parts.append(block((0.9, 0.05, 0.04), (0, y, GUARD_M), DARK, Material.PAINT))
    parts.append(placed(cylinder(0.06, 0.12, "#d98a1a", Material.PAINT, 8), (0.3, -0.5, GUARD_M)))
    return parts


def _mast(lift_m: float) -> list[Mesh]:
    """Two uprights with chains between, a carriage with a rest, and the forks."""
    parts = []
    for x in (-0.36, 0.36):
        parts.append(block((0.1, 0.16, MAST_HIGH_M - 0.12), (x, MAST_Y_M, 0.1), DARK_STEEL,
                           Material.METAL))  # fmt: skip
        parts.append(block((0.07, 0.1, MAST_HIGH_M - 0.3), (x * 0.72, MAST_Y_M, 0.15), "#57534c",
                           Material.METAL))  # fmt: skip
    for z in (0.3, 1.2, MAST_HIGH_M - 0.12):
        parts.append(block((0.78, 0.08, 0.09), (0, MAST_Y_M - 0.05, z), DARK_STEEL, Material.METAL))
    for x in (-0.08, 0.08):
        parts.append(pole((x, MAST_Y_M, 0.2), (x, MAST_Y_M, MAST_HIGH_M - 0.1), 0.035, "#9a9ca0"))
    front = MAST_Y_M + 0.12
    for z in (0.1, 0.45):
        parts.append(block((0.98, 0.05, 0.1), (0, front, z + lift_m), DARK_STEEL, Material.METAL))
    for k in range(6):
        x = -0.45 + 0.18 * k
        parts.append(block((0.03, 0.03, 1.0), (x, front, 0.15 + lift_m), DARK, Material.PAINT))
    parts.append(block((0.95, 0.03, 0.05), (0, front, 1.12 + lift_m), DARK, Material.PAINT))
    for x in (-0.28, 0.28):
        parts.append(block((0.12, 0.05, 0.5), (x, front + 0.05, lift_m), "#46433f", Material.METAL))
        at = (x, front + 0.05 + FORK_M / 2, lift_m)
        parts.append(block((0.12, FORK_M, 0.045), at, "#46433f", Material.METAL))
    return parts
