"""Paint on the ground: the borders of marked zones, as a site paints them."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from sim.scenery.light import snow_cover
from sim.world.config import WorldConfig
from sim.world.faces import facets
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined

F64 = npt.NDArray[np.float64]
Rng = np.random.Generator

PAINT_Z_M = 0.010
BORDER_M = 0.16
DASH_M = 0.45
"""Length of a yellow and of a black piece of a border."""
HATCH_STEP_M = 1.0
HATCH_M = 0.11
YELLOW = "#d8a31a"
DARK = "#2b2a28"
LANE = "#c9c8c2"
LANE_DASH_M, LANE_HALF_M = 0.9, 1.9
WORN = 0.45
"""How far paint has worn off at its worst, 0 to 1."""


def zone_paint(config: WorldConfig, ground: F64, rng: Rng) -> Mesh:
    """Borders in yellow and black with thin hatching inside, worn.

    Args:
        ground: albedo [3] of the ground, what shows where paint has gone.
    """
    parts: list[Mesh] = []
    for zone in config.zones:
        if zone.marked:
            outline = np.asarray(zone.polygon_m, np.float64)
            parts += _hatching(outline, rng)
            parts += _border(outline)
    mesh = joined(parts)
    gone = rng.uniform(0.05, WORN, len(mesh.vertices)) + 0.5 * snow_cover(config)
    mesh.albedo += (np.float32(ground) - mesh.albedo) * np.float32(np.clip(gone, 0, 0.92))[:, None]
    return mesh


def lane_paint(config: WorldConfig, ground: F64, rng: Rng) -> Mesh:
    """Broken white lines on both sides of every machine's way, on hard ground only."""
    parts: list[Mesh] = []
    if config.ground in ("concrete", "asphalt"):
        for machine in config.machines:
            places = np.array([machine.at_m, *(point.to_m for point in machine.path)], np.float64)
            for a, b in itertools.pairwise(places):
                parts += _lane(a, b)
    mesh = joined(parts)
    gone = rng.uniform(0.15, WORN + 0.2, len(mesh.vertices)) + 0.5 * snow_cover(config)
    mesh.albedo += (np.float32(ground) - mesh.albedo) * np.float32(np.clip(gone, 0, 0.92))[:, None]
    return mesh


def _lane(a: F64, b: F64) -> list[Mesh]:
    length = float(np.linalg.norm(b - a))
    if length < 3 * LANE_DASH_M:
        return []
    way = (b - a) / length
    aside = np.array([way[1], -way[0]]) * LANE_HALF_M
    starts = np.arange(0.0, length - LANE_DASH_M, 2 * LANE_DASH_M)
    return [
        _strip(a + side + way * s, a + side + way * (s + LANE_DASH_M), 0.1, PAINT_Z_M * 0.6, LANE)
        for side in (aside, -aside)
        for s in starts
    ]


def _strip(a: F64, b: F64, wide_m: float, z_m: float, colour: str) -> Mesh:
    """A flat strip from a to b."""
    way = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    half = np.array([way[1], -way[0]]) * wide_m / 2
    flat = np.array([a + half, b + half, b - half, a - half])
    corners = np.column_stack([flat, np.full(4, z_m)])
    return facets([corners], [flat], colour, Material.PAINT)


def _border(outline: F64) -> list[Mesh]:
    found = []
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        count = max(round(float(np.linalg.norm(b - a)) / DASH_M), 1)
        for k in range(count):
            start, end = a + (b - a) * k / count, a + (b - a) * (k + 1) / count
            colour = YELLOW if k % 2 == 0 else DARK
            found.append(_strip(start, end, BORDER_M, PAINT_Z_M, colour))
    return found


def _hatching(outline: F64, rng: Rng) -> list[Mesh]:
    """Lines at 45 degrees, cut to the polygon, in pieces so that wear varies along them."""
    way = np.array([1.0, 1.0]) / np.sqrt(2)
    across = np.array([1.0, -1.0]) / np.sqrt(2)
    low, high = float((outline @ across).min()), float((outline @ across).max())
    found = []
    for offset in np.arange(low + HATCH_STEP_M / 2, high, HATCH_STEP_M):
        cuts = _cuts(outline, across, way, float(offset))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False):
            count = max(round((b - a) / 1.2), 1)
            for k in range(count):
                t0, t1 = a + (b - a) * k / count, a + (b - a) * (k + 1) / count
                start, end = across * offset + way * t0, across * offset + way * t1
                if rng.random() > 0.06:
                    found.append(_strip(start, end, HATCH_M, PAINT_Z_M * 0.8, YELLOW))
    return found


def _cuts(outline: F64, across: F64, way: F64, offset: float) -> list[float]:
    """Where a line crosses the polygon's edges, sorted along the line."""
    found = []
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        da, db = float(a @ across) - offset, float(b @ across) - offset
        if (da < 0) != (db < 0):
            at = a + (b - a) * (da / (da - db))
            found.append(float(at @ way))
    return sorted(found)
