"""Work lights: each lamp of the configuration as a post with a head that shines when it is on."""

from __future__ import annotations

import math

import numpy as np

from sim.scenery.light import kelvin_colour
from sim.scenery.parts import DARK_STEEL, GALVANISED, block, pole
from sim.world.config import LampConfig
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined
from sim.world.shapes import placed, quad

HEAD_M = (0.46, 0.12, 0.34)
SPREAD_M = 0.75
"""How far the feet of the tripod stand out."""


def lamp_post(lamp: LampConfig) -> Mesh:
    """A mast on three feet and a flood light that looks at its aim."""
    x, y, z = lamp.at_m
    parts = [pole((0, 0, 0.05), (0, 0, z), 0.03, GALVANISED)]
    for turn in (0.3, 0.3 + 2 * math.pi / 3, 0.3 + 4 * math.pi / 3):
        foot = (SPREAD_M * math.cos(turn), SPREAD_M * math.sin(turn), 0.02)
        parts.append(pole(foot, (0, 0, min(1.1, z * 0.6)), 0.022, DARK_STEEL))
    way = np.array([lamp.aim_m[0] - x, lamp.aim_m[1] - y])
    heading = math.degrees(math.atan2(way[0], way[1]))
    down = math.atan2(z, max(float(np.linalg.norm(way)), 0.1))
    parts.append(placed(_head(lamp, down), (0, 0, z), heading))
    return placed(joined(parts), (x, y), 0.0)


def _head(lamp: LampConfig, down_rad: float) -> Mesh:
    """Looks along +y, tilted down; its glass lies a little in front of its case."""
    wide, deep, tall = HEAD_M
    case = block((wide, deep, tall), (0, 0, -tall / 2), "#33363a", Material.METAL)
    y = deep / 2 + 0.004
    corners = [(wide * 0.46, y, -tall * 0.45), (-wide * 0.46, y, -tall * 0.45),
               (-wide * 0.46, y, tall * 0.45), (wide * 0.46, y, tall * 0.45)]  # fmt: skip
    glass = quad(np.array(corners), "#ffffff", Material.LAMP if lamp.on else Material.GLASS)
    tint = kelvin_colour(lamp.kelvin) ** 0.6
    glass.albedo[:] = np.float32(tint / tint.max() if lamp.on else (0.3, 0.3, 0.3))
    c, s = math.cos(down_rad), math.sin(down_rad)
    tilt = np.array([(1, 0, 0), (0, c, s), (0, -s, c)])
    return joined([case, glass]).moved(tilt, (0, 0, 0))
