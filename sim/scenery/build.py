"""The static part of a world, put together: what stands, what lies on the ground, what shines."""

from __future__ import annotations

import zlib

import numpy as np

from sim.scenery import barriers, concrete, scaffolds, stacks, yard
from sim.scenery.ground import ground
from sim.scenery.lamps import lamp_post
from sim.scenery.light import SNOW_COLOUR, ground_colour, lighting, snow_cover
from sim.scenery.paint import lane_paint, zone_paint
from sim.scenery.parts import Kind, fitted
from sim.scenery.surroundings import surroundings
from sim.world.config import Size, StructureConfig, StructureKind, WorldConfig
from sim.world.mesh import Mesh
from sim.world.shapes import placed

__all__ = ["KINDS", "ground", "lighting", "size_m", "structure", "structures"]

KINDS: dict[StructureKind, Kind] = {
    **concrete.KINDS, **scaffolds.KINDS, **yard.KINDS, **barriers.KINDS, **stacks.KINDS,
}  # fmt: skip
"""Every kind of structure."""
SNOW_STICKS = 0.45
"""Snow lies on faces whose normal's z is above this."""
WET_DARKENS = 0.25


def size_m(config: StructureConfig) -> Size:
    """Width, depth and height that this structure has."""
    return config.size_m or KINDS[config.kind].size_m


def structure(config: StructureConfig, seed: int) -> Mesh:
    """One structure in its place."""
    rng = np.random.default_rng((seed, zlib.crc32(config.kind.encode())))
    kind = KINDS[config.kind]
    size = size_m(config)
    colour = config.colour or str(rng.choice(kind.colours))
    return placed(fitted(kind.build(size, colour, rng), size), config.at_m, config.heading_deg)


def structures(config: WorldConfig, seed: int) -> list[Mesh]:
    """All that stands, work lights and surroundings included, and the paint of zones."""
    rng = np.random.default_rng((seed, 0x51CE))
    found = [structure(thing, seed * 1009 + k) for k, thing in enumerate(config.structures)]
    found += [lamp_post(lamp) for lamp in config.light.lamps]
    if config.surroundings:
        found += surroundings(config, rng)
    found = [_weathered(mesh, config) for mesh in found]
    bare = ground_colour(config)
    paint = [zone_paint(config, bare, rng), lane_paint(config, bare, rng)]
    found += [mesh for mesh in paint if len(mesh.triangles)]
    return found


def _weathered(mesh: Mesh, config: WorldConfig) -> Mesh:
    """The same mesh with snow on what faces up, or darker with wet; in place."""
    cover = snow_cover(config)
    if cover > 0:
        share = np.clip((mesh.normals[:, 2] - SNOW_STICKS) * 3, 0, 1) * cover
        mesh.albedo += (np.float32(SNOW_COLOUR) - mesh.albedo) * np.float32(share)[:, None]
    wet = max(config.wet, config.weather.rain)
    mesh.albedo *= np.float32(1 - WET_DARKENS * wet)
    return mesh
