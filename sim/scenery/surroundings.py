"""What is behind a site: a hoarding, buildings, a tower crane, trees: no empty horizon."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from sim.scenery.ground import middle
from sim.scenery.parts import Rng, block, jittered, pole
from sim.world.config import WorldConfig
from sim.world.faces import facets
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined, linear
from sim.world.shapes import Point3, placed, quad, sphere

HOARDING_M = 2.4
CLEAR_M = 3.5
"""The hoarding stays this far from everything that stands or walks on the site."""
NEAREST_M, FARTHEST_M = 16.0, 34.0
"""How far from the middle of the picture the hoarding runs."""
PANEL_M = 2.4
HOARDING_COLOURS = ("#c7cac6", "#5f7f95", "#75876f", "#b9b3a4")
FACADES = ("#a49b8c", "#8e939a", "#b0a08c", "#7f6f66", "#9aa2a6", "#c0b8aa")
WINDOW_COLOURS = ("#3c4650", "#46525c", "#58636b")
LEAVES = ("#41572f", "#4d6234", "#5a6a35", "#394d2e")
TREE_COUNT = 15
TOWER_COUNT = 11


def surroundings(config: WorldConfig, rng: Rng) -> list[Mesh]:
    """A fence around the site and a town beyond it."""
    centre = middle(config)
    half_m = _half_m(config, centre)
    parts = [_hoarding(centre, half_m, rng)]
    ahead = config.camera.pan_deg
    for k in range(TOWER_COUNT):
        turn = ahead + (k - TOWER_COUNT / 2 + 0.5 + rng.uniform(-0.3, 0.3)) * 360 / TOWER_COUNT
        far = rng.uniform(half_m + 22, 120)
        parts.append(_standing(_tower(rng), centre, turn, far, rng))
    for _ in range(TREE_COUNT):
        turn, far = ahead + rng.uniform(-80, 80), rng.uniform(half_m + 5, half_m + 26)
        parts.append(_standing(_tree(rng), centre, turn, far * 1.3, rng))
    side = float(rng.choice([-1, 1]))
    crane = _crane(rng)
    parts.append(_standing(crane, centre, ahead + side * rng.uniform(8, 26), half_m + 30, rng))
    return parts


def _half_m(config: WorldConfig, centre: np.ndarray) -> float:
    """Half the edge of the square that the hoarding makes: all of the site is inside it."""
    places = [config.camera.at_m]
    places += [thing.at_m for thing in config.structures]
    places += [machine.at_m for machine in config.machines]
    places += [point.to_m for machine in config.machines for point in machine.path]
    places += [corner for zone in config.zones for corner in zone.polygon_m]
    for person in config.people:
        places += [person.at_m, *(step.to_m for step in person.script if step.to_m)]
    reach = float(np.abs(np.array(places, np.float64) - centre).max())
    wide = max((max(t.size_m[:2]) / 2 if t.size_m else 7.0) for t in config.structures) if (
        config.structures
    ) else 0.0  # fmt: skip
    return float(np.clip(reach + wide + CLEAR_M, NEAREST_M, max(FARTHEST_M, reach + CLEAR_M)))


def _standing(mesh: Mesh, centre: np.ndarray, turn_deg: float, far_m: float, rng: Rng) -> Mesh:
    turn = math.radians(turn_deg)
    at = centre + far_m * np.array([math.sin(turn), math.cos(turn)])
    return placed(mesh, tuple(at), float(turn_deg + rng.uniform(-25, 25)))


def _hoarding(centre: np.ndarray, half_m: float, rng: Rng) -> Mesh:
    """Sheet panels between posts, in one colour with a few odd ones and a band of another."""
    colour = str(rng.choice(HOARDING_COLOURS))
    band = str(rng.choice(["#d8d6cf", "#3d6b58", "#2f5583", "#c2912a"]))
    side = []
    count = max(round(2 * half_m / PANEL_M), 1)
    each = 2 * half_m / count
    for k in range(count):
        x = -half_m + each * (k + 0.5)
        shade = jittered(colour, rng, 0.04 if rng.random() < 0.9 else 0.2)
        high = HOARDING_M + float(rng.normal(0, 0.015))
        panel = block((each, 0.05, high), (x, 0, 0), shade, Material.CORRUGATED)
        low = panel.vertices[:, 2] < 0.1
        panel.albedo[low] *= np.float32(rng.uniform(0.5, 0.8))
        side.append(panel)
        side.append(pole((x + each / 2, -0.06, 0), (x + each / 2, -0.06, high), 0.04, "#6d7276"))
        a, b = x - each / 2, x + each / 2
        stripe = np.array([(px, -0.03, high - pz) for px, pz in
                           ((a, 0.5), (b, 0.5), (b, 0.28), (a, 0.28))])  # fmt: skip
        side.append(quad(stripe, band, Material.PAINT))
    wall = joined(side)
    walls = []
    for heading in (0.0, 90.0, 180.0, 270.0):
        turn = math.radians(heading)
        at = centre + half_m * np.array([math.sin(turn), math.cos(turn)])
        walls.append(placed(wall, tuple(at), heading))
    return joined(walls)


def _tower(rng: Rng) -> Mesh:
    """A block of flats or offices with rows of windows on the four faces."""
    wide, deep = rng.uniform(12, 26), rng.uniform(10, 16)
    storeys = int(rng.integers(3, 14))
    tall = storeys * 3.1 + 1.0
    colour = jittered(str(rng.choice(FACADES)), rng, 0.06)
    pane = str(rng.choice(WINDOW_COLOURS))
    parts = [
        block((wide, deep, tall), (0, 0, 0), colour, Material.CONCRETE),
        block((wide * 0.3, deep * 0.4, 2.6), (wide * 0.12, 0, tall), colour, Material.CONCRETE),
    ]
    ribbons = rng.random() < 0.45
    for heading, face, out in ((0.0, wide, deep / 2), (90.0, deep, wide / 2),
                               (180.0, wide, deep / 2), (270.0, deep, wide / 2)):  # fmt: skip
        parts.append(placed(_windows(face, out, storeys, pane, ribbons, rng), (0, 0), heading))
    return joined(parts)


def _windows(face: float, out: float, storeys: int, pane: str, ribbons: bool, rng: Rng) -> Mesh:
    """Panes a little in front of the face that looks along -y: bands, or columns of windows."""
    y = -out - 0.03
    spans = [(-face / 2 + 0.8, face / 2 - 0.8)]
    if not ribbons:
        count = max(int(face / 4.2), 1)
        each = face / count
        spans = [(-face / 2 + each * (k + 0.25), -face / 2 + each * (k + 0.75))
                 for k in range(count)]  # fmt: skip
    corners, uv = [], []
    for z in np.arange(storeys) * 3.1 + 1.1:
        for a, b in spans:
            corners.append(np.array([(a, y, z), (b, y, z), (b, y, z + 1.5), (a, y, z + 1.5)]))
            uv.append(corners[-1][:, [0, 2]])
    mesh = facets(corners, uv, pane, Material.GLASS)
    # Blinds and reflections: no two windows are alike.
    mesh.albedo *= np.repeat(rng.uniform(0.6, 1.7, len(corners)), 4).astype(np.float32)[:, None]
    return mesh


@lru_cache(maxsize=1)
def _leaves() -> Mesh:
    """An uneven unit ball, darker below; every crown is made of turned and stretched copies."""
    rng = np.random.default_rng(0x7EE)
    ball = sphere(1.0, "#ffffff", Material.SAND, 9, 6)
    ball.vertices *= 1 + np.float32(rng.normal(0, 0.07, (len(ball.vertices), 1)))
    ball.albedo *= np.float32(0.6 + 0.2 * (ball.vertices[:, 2:] + 1))
    return ball


def _tree(rng: Rng) -> Mesh:
    """A trunk under a crown of a few uneven balls."""
    tall = float(rng.uniform(4, 9))
    colour = str(rng.choice(LEAVES))
    parts = [pole((0, 0, 0), (0, 0, tall * 0.6), 0.16, "#4b3d30", Material.WOOD)]
    for _ in range(7):
        ball = placed(_leaves(), (0, 0), float(rng.uniform(0, 360)))
        size = tall * rng.uniform(0.15, 0.26)
        ball.vertices *= np.float32((size, size, size * rng.uniform(0.7, 1.0)))
        ball.vertices += np.float32((rng.normal(0, 0.15) * tall, rng.normal(0, 0.15) * tall,
                                     tall * rng.uniform(0.38, 0.85)))  # fmt: skip
        ball.albedo *= np.float32(linear(jittered(colour, rng, 0.12)))
        parts.append(ball)
    return joined(parts)


def _crane(rng: Rng) -> Mesh:
    """A tower crane: a lattice mast, a jib with its counter jib, a cab, tie bars, a hook."""
    tall, reach = float(rng.uniform(26, 36)), float(rng.uniform(26, 36))
    colour = str(rng.choice(["#c79a1c", "#b5432a", "#c9c9c2"]))
    parts = _lattice((0, 0, 0), (0, 0, tall), 0.9, colour)
    top = tall + 5.0
    parts += _lattice((0, 0, tall), (0, 0, top), 0.5, colour)
    parts += _lattice((0, -11, tall), (0, reach, tall), 0.6, colour)
    parts.append(block((1.6, 3.0, 2.2), (0, -9.5, tall - 2.0), "#8d8a83", Material.CONCRETE))
    parts.append(block((1.3, 1.6, 2.0), (1.2, 0.6, tall - 2.1), colour, Material.PAINT))
    for end in (reach * 0.75, -10.0):
        parts.append(pole((0, 0, top), (0, end, tall + 0.5), 0.06, "#55585a", segments=4))
    hook = reach * float(rng.uniform(0.4, 0.8))
    parts.append(pole((0, hook, tall), (0, hook, tall * 0.55), 0.05, "#303030", segments=4))
    parts.append(block((0.5, 0.5, 0.9), (0, hook, tall * 0.55 - 0.9), "#c79a1c", Material.PAINT))
    crane = joined(parts)
    return placed(crane, (0, 0), float(rng.uniform(40, 140)))


def _lattice(start: Point3, end: Point3, half_m: float, colour: str) -> list[Mesh]:
    """Four chords with diagonals on the four faces."""
    a, b = np.array(start, np.float64), np.array(end, np.float64)
    length = float(np.linalg.norm(b - a))
    way = (b - a) / length
    first = np.array([1.0, 0.0, 0.0])
    second = np.cross(way, first)
    corners = [half_m * (sx * first + sy * second)
               for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]  # fmt: skip
    parts = [pole(a + c, b + c, 0.10, colour, Material.PAINT, 4) for c in corners]
    count = max(round(length / (2.6 * half_m)), 1)
    for k in range(count):
        low, high = a + (b - a) * k / count, a + (b - a) * (k + 1) / count
        for i in range(4):
            p, q = (i, (i + 1) % 4) if k % 2 == 0 else ((i + 1) % 4, i)
            parts.append(pole(low + corners[p], high + corners[q], 0.06, colour, Material.PAINT, 3))
    return parts
