"""The arrays of meshes: flat polygons put together, one colour for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.world.materials import Material
from sim.world.mesh import F32, Mesh, linear

Floats = npt.NDArray[np.floating]


def facets(
    corners: Sequence[Floats], uv: Sequence[Floats], colour: str, material: Material
) -> Mesh:
    """Flat convex polygons, each counter-clockwise seen from outside.

    Args:
        corners: one array [n, 3] a polygon.
        uv: one array [n, 2] a polygon, metres.
    """
    counts = [len(polygon) for polygon in corners]
    starts = np.cumsum([0, *counts[:-1]])
    vertices = np.concatenate(corners).astype(np.float64)
    a, b, c = vertices[starts], vertices[starts + 1], vertices[starts + 2]
    normals = np.repeat(unit(crossed(b - a, c - a)), counts, axis=0)
    fans = [
        (start, start + i, start + i + 1)
        for start, count in zip(starts.tolist(), counts, strict=True)
        for i in range(1, count - 1)
    ]
    return made(vertices, normals, np.concatenate(uv), np.array(fans), colour, material)


def crossed(a: Floats, b: Floats) -> Floats:
    """Cross products of [N, 3] and [N, 3]; numpy's own is slow on small arrays."""
    found = np.empty_like(a)
    found[:, 0] = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    found[:, 1] = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    found[:, 2] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return found


def unit(vectors: Floats) -> Floats:
    """[N, 3] of length one."""
    lengths = np.sqrt((vectors * vectors).sum(1, keepdims=True))
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def made(
    vertices: Floats, normals: Floats, uv: Floats, triangles: Floats | npt.NDArray[np.integer],
    colour: str, material: Material,
) -> Mesh:  # fmt: skip
    """A mesh of one colour and material."""
    albedo: F32 = np.empty((len(vertices), 3), np.float32)
    albedo[:] = linear(colour)
    return Mesh(
        np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(normals, np.float32),
        albedo, np.ascontiguousarray(uv, np.float32), np.ascontiguousarray(triangles, np.int32),
        np.full(len(triangles), material, np.uint8),
    )  # fmt: skip
