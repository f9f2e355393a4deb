"""A three-axle tipper, looking along +y; its windows are dark."""

from __future__ import annotations

from sim.scenery.moving import Block, Motion, Turn, plate, roll, wheel
from sim.scenery.parts import DARK_STEEL, Rng, block, darker, jittered, pole
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined
from sim.world.shapes import Point3, dome, placed

WHEEL_M = 0.5
WHEELS: dict[str, Point3] = {
    f"{side}_{k}": (x, y, WHEEL_M)
    for side, x in (("left", -1.03), ("right", 1.03))
    for k, y in enumerate((2.35, -1.1, -2.4))
}
FLOOR_M = 1.15
PANE = "#222c34"
DARK = "#2a2a2b"
BED_COLOURS = ("#5b6064", "#8a8d8c", "#7c3a2c", "#46586a")


def build(colour: str, rng: Rng) -> list[Block]:
    """Its blocks: the body with cab and bed, and six wheels."""
    bed = jittered(str(rng.choice(BED_COLOURS)), rng, 0.08)
    body = joined([*_frame(), *_cab(colour), *_bed(bed, rng)])
    wheels = [Block(name, wheel(WHEEL_M, 0.36, at, "#8d8b85")) for name, at in WHEELS.items()]
    return [Block("body", body), *wheels]


def turns(motion: Motion) -> dict[str, Turn]:
    """Wheels that roll."""
    return {name: roll(motion.driven_m, WHEEL_M, at) for name, at in WHEELS.items()}


def _frame() -> list[Mesh]:
    parts = [block((0.12, 6.6, 0.26), (x, -0.1, 0.72), DARK, Material.METAL) for x in (-0.42, 0.42)]
    parts += [block((1.9, 0.16, 0.16), (0, y, 0.44), DARK, Material.METAL)
              for y in (2.35, -1.1, -2.4)]  # fmt: skip
    parts += [
        block((0.5, 1.2, 0.55), (0.98, 0.6, 0.5), "#8f9294", Material.METAL, bevel_m=0.06),
        block((0.5, 0.8, 0.5), (-0.98, 0.5, 0.5), DARK, Material.PAINT),
        block((2.3, 0.1, 0.14), (0, -3.5, 0.55), DARK_STEEL, Material.METAL),
    ]
    for x in (-0.95, 0.95):
        parts.append(block((0.3, 0.05, 0.12), (x, -3.56, 0.6), "#a3271e", Material.REFLECTOR))
        parts.append(block((0.5, 0.03, 0.55), (x, -3.05, 0.35), "#1d1d1d", Material.RUBBER))
    return parts


def _cab(colour: str) -> list[Mesh]:
    """A flat-fronted cab: doors, dark panes, bumper, lamps, mirrors, steps."""
    outline = [(1.55, 0.75), (3.5, 0.75), (3.55, 1.6), (3.3, 2.62), (1.6, 2.75), (1.55, 2.6)]
    parts = [
        plate(outline, 2.3, 0.0, colour),
        plate([(3.545, 1.68), (3.56, 1.68), (3.335, 2.5), (3.32, 2.5)], 2.05, 0.0, PANE,
              Material.GLASS),
        block((2.34, 0.16, 0.42), (0, 3.5, 0.42), DARK, Material.PAINT, bevel_m=0.05),
        block((1.5, 0.03, 0.45), (0, 3.525, 0.98), DARK, Material.METAL),
        placed(dome(0.09, 0.14, "#d98a1a", Material.PAINT, 10, 3), (0.5, 2.2, 2.7)),
    ]  # fmt: skip
    for side in (-1, 1):
        door = [(2.05, 1.65), (3.3, 1.65), (3.12, 2.42), (2.05, 2.5)]
        parts.append(plate(door, 0.02, side * 1.155, PANE, Material.GLASS))
        parts.append(block((0.012, 0.03, 1.5), (side * 1.155, 2.0, 0.95), darker(colour, 0.4)))
        parts.append(block((0.03, 0.14, 0.03), (side * 1.165, 2.2, 1.45), DARK, Material.PAINT))
        parts.append(pole((side * 1.15, 3.35, 2.4), (side * 1.3, 3.5, 2.35), 0.02, DARK))
        parts.append(block((0.06, 0.2, 0.42), (side * 1.21, 3.48, 1.95), DARK, Material.PAINT))
        parts.append(block((0.32, 0.06, 0.16), (side * 0.88, 3.565, 0.55), "#e4e2da",
                           Material.REFLECTOR))  # fmt: skip
        arch = [(1.75, 0.75), (1.85, 1.05), (2.1, 1.16), (2.6, 1.16), (2.85, 1.05), (2.95, 0.75)]
        parts.append(plate(arch, 0.06, side * 1.14, "#1f1f1f", Material.RUBBER))
    return parts


def _bed(colour: str, rng: Rng) -> list[Mesh]:
    """A ribbed open box, sometimes with earth in it."""
    wide, tall, back, front = 2.36, 1.05, -3.5, 1.3
    long, middle = front - back, (front + back) / 2
    parts = [block((wide, long, 0.14), (0, middle, FLOOR_M), colour, Material.PAINT)]
    for side in (-1, 1):
        x = side * (wide / 2 - 0.04)
        parts.append(block((0.08, long, tall), (x, middle, FLOOR_M + 0.1), colour, Material.PAINT))
        for k in range(6):
            y = back + 0.25 + k * (long - 0.5) / 5
            rib = (0.06, 0.1, tall + 0.05)
            parts.append(block(rib, (side * (wide / 2 + 0.02), y, FLOOR_M + 0.08),
                               darker(colour, 0.85), Material.PAINT))  # fmt: skip
        parts.append(block((0.14, long + 0.05, 0.1), (x, middle, FLOOR_M + tall + 0.08),
                           darker(colour, 0.9), Material.PAINT))  # fmt: skip
    parts.append(block((wide - 0.1, 0.08, tall), (0, back + 0.04, FLOOR_M + 0.1), colour,
                       Material.PAINT))  # fmt: skip
    parts.append(block((wide - 0.1, 0.08, tall + 0.35), (0, front - 0.04, FLOOR_M + 0.1), colour,
                       Material.PAINT))  # fmt: skip
    parts.append(block((wide - 0.1, 0.7, 0.06), (0, front + 0.3, FLOOR_M + tall + 0.4), colour,
                       Material.PAINT))  # fmt: skip
    if rng.random() < 0.7:
        heap = dome(1.0, 1.0, "#7a6142", Material.DIRT, 16, 4)
        heap.vertices *= ((wide - 0.2) / 2, (long - 0.3) / 2, float(rng.uniform(0.35, 0.75)))
        parts.append(heap.moved([(1, 0, 0), (0, 1, 0), (0, 0, 1)],
                                (0, middle, FLOOR_M + tall - 0.25)))  # fmt: skip
        floor = (wide - 0.16, long - 0.16, 0.1)
        parts.append(block(floor, (0, middle, FLOOR_M + tall - 0.3), "#7a6142", Material.DIRT))
    return parts
