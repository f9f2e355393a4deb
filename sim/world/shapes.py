"""Simple bodies as meshes. Every one stands on the ground plane, z = 0, around the z axis, unless
it says otherwise; colours are "#rrggbb"; lengths are metres. Closed bodies have outward triangles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.world.faces import Floats, crossed, facets, made, unit
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined, linear
from sim.world.outline import anticlockwise, ears

Point3 = Sequence[float]

CREASE_DEG = 50.0
"""A lathe's profile that bends by more has an edge there, by less is smooth."""


def quad(corners: Floats, colour: str, material: Material = Material.PLAIN) -> Mesh:
    """One flat rectangle [4, 3], counter-clockwise seen from its front; uv along its edges."""
    points = np.asarray(corners, np.float64)
    wide = float(np.linalg.norm(points[1] - points[0]))
    tall = float(np.linalg.norm(points[3] - points[0]))
    uv = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)])
    return facets([points], [uv], colour, material)


def box(
    size_m: Point3, colour: str, material: Material = Material.PLAIN, bevel_m: float = 0.0
) -> Mesh:
    """A box, z from 0 to its height; with a bevel its upright edges and its top edges are cut."""
    wide, deep, tall = (float(v) for v in size_m)
    if bevel_m > 0:
        x, y, b = wide / 2, deep / 2, min(bevel_m, wide / 3, deep / 3, tall / 3)
        outline = [(b - x, -y), (x - b, -y), (x, b - y), (x, y - b),
                   (x - b, y), (b - x, y), (-x, y - b), (-x, b - y)]  # fmt: skip
        return _bevelled(np.array(outline), tall, b, colour, material)
    size = np.array([wide, deep, tall])
    vertices = BOX_CORNERS * size
    along = BOX_ALONG[:, 0] * wide + BOX_ALONG[:, 1] * deep + BOX_ALONG[:, 2]
    uv = np.column_stack([along, vertices[:, 2]])
    uv[16:] = vertices[16:, :2]
    return made(vertices, BOX_NORMALS, uv, BOX_TRIANGLES, colour, material)


def _box_faces() -> tuple[Floats, Floats, Floats, npt.NDArray[np.int32]]:
    """Unit box: corners [24, 3] and normals, how far round each corner is, triangles [12, 3].

    Four sides first, then the bottom and the top.
    """
    ring_ = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    corners: list[tuple[float, float, float]] = []
    for k in range(4):
        (ax, ay), (bx, by) = ring_[k], ring_[(k + 1) % 4]
        corners += [(ax, ay, 0), (bx, by, 0), (bx, by, 1), (ax, ay, 1)]
    corners += [(x, y, 0.0) for x, y in ring_[::-1]] + [(x, y, 1.0) for x, y in ring_]
    ways = [(0, -1, 0), (1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, 0, -1), (0, 0, 1)]
    normals = np.repeat(np.array(ways, np.float64), 4, axis=0)
    turns = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 1, 0), (2, 2, 0)]
    along = [turns[k + (i in (1, 2))] for k in range(4) for i in range(4)] + [(0, 0, 0)] * 8
    first = np.arange(0, 24, 4)
    triangles = np.stack([first, first + 1, first + 2, first, first + 2, first + 3], 1)
    return (
        np.array(corners, np.float64), normals, np.array(along, np.float64),
        triangles.reshape(-1, 3).astype(np.int32),
    )  # fmt: skip


BOX_CORNERS, BOX_NORMALS, BOX_ALONG, BOX_TRIANGLES = _box_faces()


def _bevelled(
    outline: Floats, tall: float, bevel_m: float, colour: str, material: Material
) -> Mesh:
    half = np.abs(outline).max(0)
    top = outline * (half - bevel_m) / half
    low = extrude([tuple(p) for p in outline], tall - bevel_m, colour, material, cap=False)
    rings = [
        np.column_stack([outline, np.full(len(outline), tall - bevel_m)]),
        np.column_stack([top, np.full(len(outline), tall)]),
    ]
    return joined([low, _wall(rings[0], rings[1], colour, material),
                   facets([rings[1]], [top], colour, material)])  # fmt: skip


def _wall(low: Floats, high: Floats, colour: str, material: Material) -> Mesh:
    """Flat faces between two rings [n, 3] of corners."""
    following = np.roll(np.arange(len(low)), -1)
    along = np.r_[0.0, np.cumsum(np.linalg.norm(low[following] - low, axis=1))]
    sides, uv = [], []
    for i, j in enumerate(following):
        sides.append(np.array([low[i], low[j], high[j], high[i]]))
        bottom, top = low[i][2], high[i][2]
        uv.append(np.array([(along[i], bottom), (along[i + 1], bottom),
                            (along[i + 1], top), (along[i], top)]))  # fmt: skip
    return facets(sides, uv, colour, material)


def extrude(
    points: Sequence[Sequence[float]], height_m: float, colour: str,
    material: Material = Material.PLAIN, cap: bool = True,
) -> Mesh:  # fmt: skip
    """A simple polygon on the ground (either way round), drawn up; `cap` closes the top."""
    outline = np.asarray(anticlockwise(points), np.float64)
    low = np.column_stack([outline, np.zeros(len(outline))])
    high = np.column_stack([outline, np.full(len(outline), float(height_m))])
    bottom = polygon(points, colour, material)
    bottom.triangles[:] = bottom.triangles[:, ::-1].copy()
    bottom.normals[:] *= -1
    parts = [_wall(low, high, colour, material), bottom]
    if cap:
        parts.append(polygon(points, colour, material, height_m))
    return joined(parts)


def polygon(
    points: Sequence[Sequence[float]], colour: str, material: Material = Material.PLAIN,
    z_m: float = 0.0,
) -> Mesh:  # fmt: skip
    """A flat simple polygon that faces up, at z_m; its uv is its x and y."""
    outline = anticlockwise(points)
    flat = np.asarray(outline, np.float64)
    vertices = np.column_stack([flat, np.full(len(flat), float(z_m))])
    normals = np.tile((0.0, 0.0, 1.0), (len(flat), 1))
    return made(vertices, normals, flat, np.array(ears(outline)), colour, material)


def lathe(
    profile: Sequence[tuple[float, float]], colour: str, material: Material = Material.PLAIN,
    segments: int = 14,
) -> Mesh:  # fmt: skip
    """A profile of (radius, z), from the bottom up, turned around the z axis.

    Smooth where the profile bends little; closed when it begins and ends at radius 0.
    """
    line = np.asarray(profile, np.float64)
    steps = np.diff(line, axis=0)
    out = np.column_stack([steps[:, 1], -steps[:, 0]])
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    parts = []
    along = np.r_[0.0, np.cumsum(np.linalg.norm(steps, axis=1))]
    for i in range(len(steps)):
        first = _smoothed(out, i, i - 1, bool(line[i, 0] < 1e-9))
        last = _smoothed(out, i, i + 1, bool(line[i + 1, 0] < 1e-9))
        parts.append(_band(line[i], line[i + 1], first, last, along[i : i + 2], segments))
    mesh = joined(parts)
    mesh.albedo[:] = linear(colour)
    mesh.material[:] = material
    return mesh


def _smoothed(out: Floats, own: int, other: int, on_axis: bool) -> Floats:
    """The profile's normal where two of its pieces meet, or where it meets the axis."""
    edge = math.cos(math.radians(CREASE_DEG))
    if on_axis and abs(out[own][1]) > edge:
        return np.array([0.0, math.copysign(1.0, out[own][1])])
    if not 0 <= other < len(out):
        return np.asarray(out[own])
    if float(out[own] @ out[other]) < edge:
        return np.asarray(out[own])
    mean = out[own] + out[other]
    return np.asarray(mean / np.linalg.norm(mean))


def _band(a: Floats, b: Floats, na: Floats, nb: Floats, along: Floats, segments: int) -> Mesh:
    """One piece of a lathe; a piece that touches the axis is a fan of triangles."""
    turn = np.linspace(0, 2 * math.pi, segments + 1)
    c, s = np.cos(turn), np.sin(turn)
    widest = max(a[0], b[0])
    rings, normals, uv = [], [], []
    for (r, z), (nr, nz), v in ((a, na, along[0]), (b, nb, along[1])):
        rings.append(np.column_stack([r * c, r * s, np.full_like(c, z)]))
        normals.append(np.column_stack([nr * c, nr * s, np.full_like(c, nz)]))
        uv.append(np.column_stack([turn * widest, np.full_like(c, v)]))
    i = np.arange(segments)
    j = i + segments + 1
    lower = np.column_stack([i, i + 1, j + 1]) if a[0] > 1e-9 else np.zeros((0, 3), int)
    upper = np.column_stack([i, j + 1, j]) if b[0] > 1e-9 else np.zeros((0, 3), int)
    return made(
        np.concatenate(rings), np.concatenate(normals), np.concatenate(uv),
        np.concatenate([lower, upper]), "#808080", Material.PLAIN,
    )  # fmt: skip


def cylinder(
    radius_m: float, height_m: float, colour: str, material: Material = Material.PLAIN,
    segments: int = 14, top_radius_m: float | None = None,
) -> Mesh:  # fmt: skip
    """A closed cylinder, or with another radius at the top a cut cone."""
    top = radius_m if top_radius_m is None else top_radius_m
    profile = [(0.0, 0.0), (radius_m, 0.0), (top, height_m), (0.0, height_m)]
    return lathe(profile, colour, material, segments)


def cone(
    radius_m: float, height_m: float, colour: str, material: Material = Material.PLAIN,
    segments: int = 14,
) -> Mesh:  # fmt: skip
    """A closed cone."""
    return lathe([(0.0, 0.0), (radius_m, 0.0), (0.0, height_m)], colour, material, segments)


def sphere(
    radius_m: float, colour: str, material: Material = Material.PLAIN, segments: int = 14,
    rings: int = 8,
) -> Mesh:  # fmt: skip
    """A sphere around the origin, half of it below the ground plane."""
    turn = np.linspace(-math.pi / 2, math.pi / 2, rings + 1)
    profile = [
        (max(float(radius_m * math.cos(a)), 0.0), float(radius_m * math.sin(a))) for a in turn
    ]
    profile[0], profile[-1] = (0.0, -radius_m), (0.0, radius_m)
    return lathe(profile, colour, material, segments)


def dome(
    radius_m: float, height_m: float, colour: str, material: Material = Material.PLAIN,
    segments: int = 14, rings: int = 5,
) -> Mesh:  # fmt: skip
    """The upper half of an ellipsoid, closed below."""
    turn = np.linspace(0, math.pi / 2, rings + 1)
    profile = [(float(radius_m * math.cos(a)), float(height_m * math.sin(a))) for a in turn]
    profile[-1] = (0.0, height_m)
    return lathe([(0.0, 0.0), *profile], colour, material, segments)


def ring(
    inner_m: float, outer_m: float, height_m: float, colour: str,
    material: Material = Material.PLAIN, segments: int = 16,
) -> Mesh:  # fmt: skip
    """A short pipe: a closed ring with a rectangular section."""
    profile = [(inner_m, 0.0), (outer_m, 0.0), (outer_m, height_m), (inner_m, height_m),
               (inner_m, 0.0)]  # fmt: skip
    return lathe(profile, colour, material, segments)


def tube(
    points: Sequence[Point3], radii: float | Sequence[float], colour: str,
    material: Material = Material.PLAIN, segments: int = 8, caps: bool = True,
) -> Mesh:  # fmt: skip
    """A round tube through points [n, 3], smooth along its length, with flat ends."""
    path = np.asarray(points, np.float64)
    radius = np.broadcast_to(np.asarray(radii, np.float64), (len(path),))
    side, up = _frames(path)
    turn = np.linspace(0, 2 * math.pi, segments + 1)
    spoke = side[:, None] * np.cos(turn)[:, None] + up[:, None] * np.sin(turn)[:, None]
    rings = path[:, None] + spoke * radius[:, None, None]
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))]
    uv = np.stack(np.broadcast_arrays(turn * radius.max(), along[:, None]), axis=-1)
    width = segments + 1
    first = (np.arange(len(path) - 1)[:, None] * width + np.arange(segments)).ravel()
    faces = np.concatenate([
        np.column_stack([first, first + 1, first + width + 1]),
        np.column_stack([first, first + width + 1, first + width]),
    ])  # fmt: skip
    body = made(rings.reshape(-1, 3), spoke.reshape(-1, 3), uv.reshape(-1, 2), faces, colour,
                 material)  # fmt: skip
    if not caps:
        return body
    ends = [rings[0, -2::-1], rings[-1, :-1]]
    return joined([body, facets(ends, [e[:, :2] for e in ends], colour, material)])


def _frames(path: Floats) -> tuple[Floats, Floats]:
    """Two directions across the path at each point, that turn with it without a twist."""
    steps = np.diff(path, axis=0)
    ways = unit(np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]]))
    hint = np.eye(3)[int(np.argmin(np.abs(ways[0])))]
    side = np.empty_like(ways)
    for k, way in enumerate(ways):
        hint = hint - way * float(hint @ way)
        hint = hint / math.sqrt(float(hint @ hint))
        side[k] = hint
    return side, crossed(ways, side)


def bar(
    start: Point3, end: Point3, width_m: float, thick_m: float, colour: str,
    material: Material = Material.PLAIN,
) -> Mesh:  # fmt: skip
    """A straight bar of rectangular section between two points; `thick_m` is its upright side."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = float(np.linalg.norm(b - a))
    way = (b - a) / max(length, 1e-9)
    hint = np.array([0.0, 0.0, 1.0]) if abs(way[2]) < 0.99 else np.array([0.0, 1.0, 0.0])
    across = unit(crossed(way[None], hint[None]))
    turn = np.column_stack([across[0], way, crossed(across, way[None])[0]])
    body = box((width_m, length, thick_m), colour, material)
    body.vertices[:, 2] -= np.float32(thick_m / 2)
    return body.moved(turn, tuple((a + b) / 2))


def placed(mesh: Mesh, at_m: Sequence[float], heading_deg: float = 0.0) -> Mesh:
    """A copy that is turned about the z axis (0 keeps +y, 90 turns it to +x), then shifted.

    Args:
        at_m: (x, y) or (x, y, z).
    """
    turn = math.radians(heading_deg)
    c, s = math.cos(turn), math.sin(turn)
    offset = (*at_m, 0.0) if len(at_m) == 2 else tuple(at_m)
    return mesh.moved(np.array([(c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)]), offset)
