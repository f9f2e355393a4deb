"""What the structures are put together from: poles, sheets, and how they got dirty."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sim.world.config import Size
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined, linear
from sim.world.shapes import Point3, bar, box, placed, quad

Rng = np.random.Generator

GALVANISED = "#8d9297"
DARK_STEEL = "#3b3d40"
PLANK = "#a3906f"
CONCRETE = "#a19c93"
YELLOW = "#d9a514"
RED = "#b3261e"
WHITE = "#d8d6cf"
FADED = 0.22
"""How much of their colour sun and dust have taken from things on a site."""
GRIME_M = 0.7
"""Splashes reach about this high."""


@dataclass(frozen=True)
class Kind:
    """How one kind of structure is built.

    Attributes:
        build: (size_m, colour, rng) to a mesh that stands around the origin and fills its size.
        size_m: its own size: width, depth, height.
        colours: what it is painted when nobody asks.
    """

    build: Callable[[Size, str, Rng], Mesh]
    size_m: Size
    colours: tuple[str, ...]


def pole(
    start: Point3, end: Point3, radius_m: float, colour: str = GALVANISED,
    material: Material = Material.METAL, segments: int = 6,
) -> Mesh:  # fmt: skip
    """A straight round bar without ends. There are thousands of them, so no `tube` is used."""
    circle, turn, triangles = _circle(segments)
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = math.dist(a, b)
    x, y, z = ((b - a) / max(length, 1e-9)).tolist()
    flat = math.hypot(x, y)
    side = (y / flat, -x / flat, 0.0) if flat > 1e-6 else (1.0, 0.0, 0.0)
    up = (-z * side[1], z * side[0], x * side[1] - y * side[0]) if flat > 1e-6 else (0.0, z, 0.0)
    spoke = circle @ np.array([side, up])
    count = len(circle)
    vertices = np.empty((2 * count, 3), np.float32)
    vertices[:count] = a + radius_m * spoke
    vertices[count:] = b + radius_m * spoke
    uv = np.zeros((2 * count, 2), np.float32)
    uv[:count, 0] = uv[count:, 0] = turn * radius_m
    uv[count:, 1] = length
    albedo = np.empty_like(vertices)
    albedo[:] = linear(colour)
    normals = np.concatenate([spoke, spoke]).astype(np.float32)
    kinds = np.full(2 * segments, material, np.uint8)
    return Mesh(vertices, normals, albedo, uv, triangles, kinds)


@lru_cache(maxsize=8)
def _circle(
    segments: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """A unit circle [n + 1, 2], its angles, and the triangles between two of them."""
    turn = np.linspace(0, 2 * math.pi, segments + 1)
    i = np.arange(segments)
    j = i + segments + 1
    faces = np.concatenate([np.column_stack([i, i + 1, j + 1]), np.column_stack([i, j + 1, j])])
    faces = faces.astype(np.int32)
    faces.flags.writeable = False
    return np.column_stack([np.cos(turn), np.sin(turn)]), turn, faces


def sheet(corners: Sequence[Point3], colour: str, material: Material) -> Mesh:
    """A thin rectangle that is seen from both sides."""
    points = np.asarray(corners, np.float64)
    return joined([quad(points, colour, material), quad(points[[1, 0, 3, 2]], colour, material)])


def block(
    size_m: Point3, at_m: Sequence[float], colour: str, material: Material = Material.PLAIN,
    heading_deg: float = 0.0, bevel_m: float = 0.0,
) -> Mesh:  # fmt: skip
    """A box whose foot is at (x, y, z)."""
    return placed(box(size_m, colour, material, bevel_m), at_m, heading_deg)


def plank(
    start: Point3, end: Point3, width_m: float, rng: Rng, thick_m: float = 0.04, colour: str = PLANK
) -> Mesh:
    """A board whose middle line runs from start to end."""
    return bar(start, end, width_m, thick_m, jittered(colour, rng, 0.12), Material.WOOD)


def jittered(colour: str, rng: Rng, amount: float) -> str:
    """The colour, a little lighter or darker, warmer or colder."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    hue = (hue + rng.normal(0, 0.012)) % 1.0
    saturation = min(max(saturation * (1 + rng.normal(0, amount)), 0.0), 1.0)
    value = min(max(value * (1 + rng.normal(0, amount)), 0.02), 1.0)
    return "#" + "".join(
        f"{round(c * 255):02x}" for c in colorsys.hsv_to_rgb(hue, saturation, value)
    )


def darker(colour: str, share: float) -> str:
    """The colour, scaled."""
    return "#" + "".join(f"{round(int(colour[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))


def grimy(mesh: Mesh, rng: Rng, strength: float = 0.35) -> Mesh:
    """The same mesh with splashes near the ground and uneven dirt above; changes it in place."""
    height = np.clip(mesh.vertices[:, 2] / GRIME_M, 0, 1)
    noise = rng.normal(0, 0.06, len(mesh.vertices)) * strength * 2
    low = (1 - height) ** 1.5 * strength
    grey = mesh.albedo.mean(1, keepdims=True)
    mesh.albedo += (grey + np.float32(0.012) - mesh.albedo) * np.float32(FADED)
    mesh.albedo *= np.float32(1 + noise)[:, None]
    dust = np.float32((0.10, 0.145, 0.19))
    mesh.albedo += (dust - mesh.albedo) * np.float32(low)[:, None]
    np.clip(mesh.albedo, 0.005, 0.95, out=mesh.albedo)
    return mesh


def fitted(mesh: Mesh, size_m: Size) -> Mesh:
    """The same mesh, stretched to its size around the origin and set on the ground; in place."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    target = np.float32(size_m)
    mesh.vertices -= (low + high) / 2
    mesh.vertices *= target / np.maximum(high - low, np.float32(1e-6))
    mesh.vertices[:, 2] += target[2] / 2
    return mesh


def spaced(length_m: float, step_m: float) -> npt.NDArray[np.float64]:
    """Places from -length/2 to length/2, about step apart, both ends included."""
    return np.linspace(-length_m / 2, length_m / 2, max(round(length_m / step_m), 1) + 1)
