"""A crawler excavator of about fourteen tonnes, looking along +y."""

from __future__ import annotations

import math

import numpy as np

from sim.scenery.moving import Block, Motion, Turn, about, plate, ram
from sim.scenery.parts import DARK_STEEL, Rng, block, darker, jittered, pole
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined
from sim.world.shapes import cylinder, extrude, placed

TRACK_X_M, TRACK_WIDE_M, TRACK_LONG_M, TRACK_HIGH_M = 1.02, 0.5, 3.7, 0.84
DECK_M = 1.02
BOOM_AT = (0.25, 0.95, 1.45)
STICK_AT = (0.25, 4.95, 3.15)
BUCKET_AT = (0.25, 5.65, 1.05)
PANE = "#26323a"
DARK = "#2a2b2d"


def build(colour: str, rng: Rng) -> list[Block]:
    """Its blocks: tracks, and above the turntable the house, boom, stick and bucket."""
    return [
        Block("tracks", _tracks(rng)),
        Block("house", _house(colour, rng)),
        Block("boom", _boom(colour, rng), "house"),
        Block("stick", _stick(colour, rng), "boom"),
        Block("bucket", _bucket(rng), "stick"),
    ]


def turns(motion: Motion) -> dict[str, Turn]:
    """The house swings by half of the swing to each side; the arm lifts and curls a little."""
    if motion.swing_deg == 0:
        return {}
    s = math.sin(motion.phase)
    digging = math.cos(2 * motion.phase)
    return {
        "house": about("z", motion.swing_deg / 2 * s),
        "boom": about("x", 4.0 * (1 - digging), BOOM_AT),
        "stick": about("x", 5.0 * (digging - 1), STICK_AT),
        "bucket": about("x", 16.0 * (1 - digging), BUCKET_AT),
    }


def _loop(length: float, height: float, steps: int = 5) -> list[tuple[float, float]]:
    """Side view of a track: two half circles joined."""
    r, half = height / 2, length / 2 - height / 2
    front = np.linspace(-math.pi / 2, math.pi / 2, steps)
    outline = [(half + r * math.cos(a), r + r * math.sin(a)) for a in front]
    return outline + [(-y, 2 * r - z) for y, z in outline]


def _tracks(rng: Rng) -> Mesh:
    parts = [
        block((1.7, 1.6, 0.4), (0, 0, 0.36), DARK, Material.METAL),
        placed(cylinder(0.62, 0.28, DARK, Material.METAL, 18), (0, 0, 0.74)),
    ]
    for side in (-1, 1):
        x = side * TRACK_X_M
        parts.append(plate(_loop(TRACK_LONG_M, TRACK_HIGH_M), TRACK_WIDE_M * 0.9, x, "#1e1e1e",
                           Material.RUBBER))  # fmt: skip
        parts.append(plate(_loop(TRACK_LONG_M - 0.75, 0.34), TRACK_WIDE_M + 0.02, x, "#34342f",
                           Material.METAL).moved(np.eye(3), (0, 0, 0.25)))  # fmt: skip
        for y in (-1.42, -0.8, -0.27, 0.27, 0.8, 1.42):
            big = abs(y) > 1.4
            parts.append(_disc(side * (TRACK_X_M + TRACK_WIDE_M / 2), y, 0.42 if big else 0.2,
                               0.26 if big else 0.13))  # fmt: skip
        parts += _shoes(x, rng)
    return joined(parts)


def _disc(x: float, y: float, z: float, radius: float) -> Mesh:
    disc = cylinder(radius, 0.06, "#4a4742", Material.METAL, 12)
    lying = np.array([(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
    return disc.moved(lying, (x - 0.03, y, z))


def _shoes(x: float, rng: Rng) -> list[Mesh]:
    """Grousers along the top and around the ends."""
    found = []
    half = (TRACK_LONG_M - TRACK_HIGH_M) / 2
    for y in np.linspace(-half, half, 11):
        shade = jittered("#35322e", rng, 0.15)
        found.append(block((TRACK_WIDE_M, 0.06, 0.03), (x, y, TRACK_HIGH_M - 0.01), shade,
                           Material.METAL))  # fmt: skip
        found.append(block((TRACK_WIDE_M, 0.06, 0.03), (x, y, 0.0), shade, Material.METAL))
    return found


def _house(colour: str, rng: Rng) -> Mesh:
    """Deck, engine hood, counterweight, cab, exhaust, rails, beacon."""
    rear = [(-0.9, 0.0), (-1.15, 0.5), (-1.15, 0.75), (1.15, 0.75), (1.15, 0.5), (0.9, 0.0)]
    parts = [
        block((2.3, 3.2, 0.2), (0, -0.25, DECK_M), darker(colour, 0.5), Material.METAL),
        block((2.26, 1.5, 0.75), (0, -1.0, DECK_M + 0.2), colour, Material.PAINT, bevel_m=0.08),
        block((0.62, 1.4, 0.55), (0.82, 0.55, DECK_M + 0.2), colour, Material.PAINT, bevel_m=0.06),
        _weight(rear, colour),
        block((0.02, 0.9, 0.35), (1.135, -1.0, DECK_M + 0.4), DARK, Material.METAL),
        block((0.02, 0.9, 0.35), (-1.135, -1.0, DECK_M + 0.4), DARK, Material.METAL),
        pole((0.7, -1.2, 1.95), (0.7, -1.2, 2.45), 0.055, DARK_STEEL, segments=8),
        block(
            (0.3, 0.9, 0.5), (BOOM_AT[0], 0.85, DECK_M + 0.1), darker(colour, 0.8), Material.PAINT
        ),
    ]
    parts += _cab(colour)
    for y in (-0.1, 1.1):
        parts.append(pole((1.08, y, 1.7), (1.08, y, 2.2), 0.018, DARK))
    parts.append(pole((1.08, -0.1, 2.2), (1.08, 1.1, 2.2), 0.018, DARK))
    return joined(parts)


def _weight(rear: list[tuple[float, float]], colour: str) -> Mesh:
    outline = [(x, -1.55 - (0.75 - y)) for x, y in rear]
    body = extrude(outline, 0.95, darker(colour, 0.55), Material.PAINT)
    return body.moved(np.eye(3), (0, 0, DECK_M))


def _cab(colour: str) -> list[Mesh]:
    """On the left: a dark frame with glass on every side, a coloured lower door, a roof."""
    x, y, low, high = -0.66, 0.62, DECK_M + 0.2, 2.86
    wide, long = 0.94, 1.66
    parts = [
        block((wide, long, 0.62), (x, y, low), colour, Material.PAINT),
        block((wide - 0.06, long - 0.06, high - low - 0.1), (x, y, low), PANE, Material.GLASS),
        block((wide + 0.04, long + 0.04, 0.09), (x, y, high - 0.1), darker(colour, 0.85),
              Material.PAINT),
        placed(cylinder(0.06, 0.14, "#d98a1a", Material.PAINT, 8), (x, y - 0.5, high - 0.01)),
    ]  # fmt: skip
    for sx in (-1, 1):
        for share in (-1.0, 0.05, 1.0):
            at = (x + sx * (wide - 0.07) / 2, y + share * (long - 0.08) / 2, low)
            parts.append(block((0.08, 0.08, high - low - 0.05), at, DARK, Material.PAINT))
    parts.append(block((wide, 0.03, 0.05), (x, y + long / 2, low + 0.62), DARK, Material.PAINT))
    parts.append(pole((x - 0.5, y + 0.86, 1.5), (x - 0.5, y + 0.86, 2.3), 0.015, DARK))
    parts.append(block((0.16, 0.04, 0.28), (x - 0.52, y + 0.9, 2.1), DARK, Material.PAINT))
    return parts


def _boom(colour: str, rng: Rng) -> Mesh:
    """Bent upwards, its rams below and above."""
    x, y, z = BOOM_AT
    outline = [(y - 0.2, z - 0.15), (y + 0.2, z - 0.2), (y + 1.7, z + 1.55), (y + 2.3, z + 1.9),
               (STICK_AT[1] + 0.05, STICK_AT[2] - 0.16), (STICK_AT[1] + 0.15, STICK_AT[2] + 0.08),
               (y + 2.3, z + 2.42), (y + 1.4, z + 2.15)]  # fmt: skip
    parts = [plate(outline, 0.36, x, colour)]
    for side in (-0.28, 0.28):
        parts.append(ram((x + side, y + 0.35, z - 0.25), (x + side, y + 1.75, z + 1.7), 0.075, rng))
    parts.append(ram((x, y + 1.6, z + 2.4), (x, STICK_AT[1] - 0.35, STICK_AT[2] + 0.5), 0.07, rng))
    return joined(parts)


def _stick(colour: str, rng: Rng) -> Mesh:
    x, y, z = STICK_AT
    _, by, bz = BUCKET_AT
    outline = [(y - 0.45, z + 0.5), (y - 0.3, z - 0.1), (y + 0.1, z - 0.3), (by - 0.12, bz + 0.05),
               (by + 0.1, bz), (y + 0.42, z - 0.1), (y - 0.2, z + 0.62)]  # fmt: skip
    parts = [plate(outline, 0.28, x, colour)]
    parts.append(ram((x, y + 0.28, z + 0.25), (x, by + 0.42, bz + 0.55), 0.06, rng))
    parts.append(pole((x, by + 0.42, bz + 0.55), (x, by + 0.3, bz - 0.1), 0.05, DARK))
    return joined(parts)


def _bucket(rng: Rng) -> Mesh:
    """Open towards the cab; teeth at its lip."""
    x, y, z = BUCKET_AT
    steel = jittered("#4d4a45", rng, 0.1)
    outline = [(y - 0.1, z + 0.1), (y - 0.5, z - 0.75), (y - 0.25, z - 0.92), (y + 0.15, z - 0.85),
               (y + 0.42, z - 0.45), (y + 0.4, z - 0.05), (y + 0.15, z + 0.12)]  # fmt: skip
    parts = [plate(outline, 0.95, x, steel, Material.METAL)]
    for k in range(5):
        at = (x - 0.4 + 0.2 * k, y - 0.52, z - 0.84)
        parts.append(block((0.08, 0.2, 0.09), at, "#6b6862", Material.METAL, 0.0))
    return joined(parts)
