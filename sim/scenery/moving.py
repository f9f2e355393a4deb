"""Rigid parts of a machine and how they turn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sim.scenery.parts import DARK_STEEL, Rng, darker, pole
from sim.world.materials import Material
from sim.world.mesh import Mesh, joined
from sim.world.shapes import Point3, extrude, lathe

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A part that moves as one.

    Attributes:
        name: what `turns` calls it.
        mesh: at rest, in the machine's frame.
        carrier: the block it is fixed to, which comes earlier in the list; "" is the machine.
    """

    name: str
    mesh: Mesh
    carrier: str = ""


@dataclass(frozen=True)
class Motion:
    """What a machine does at one time: metres driven, phase of its swing (radians), its swing."""

    driven_m: float
    phase: float
    swing_deg: float


@dataclass(frozen=True)
class Turn:
    """A rotation [3, 3] and then a shift [3]."""

    rotation: F64
    offset: F64

    def then(self, shift: F64) -> Turn:
        """The same, shifted further."""
        return Turn(self.rotation, self.offset + shift)

    def of(self, inner: Turn) -> Turn:
        """First the inner one, then this."""
        return Turn(self.rotation @ inner.rotation, self.rotation @ inner.offset + self.offset)


def about(axis: Literal["x", "z"], degrees: float, pivot: Point3 = (0.0, 0.0, 0.0)) -> Turn:
    """A turn about an axis through a point, anticlockwise seen against the axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    if axis == "x":
        rotation = np.array([(1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c)])
    else:
        rotation = np.array([(c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0)])
    at = np.asarray(pivot, np.float64)
    return Turn(rotation, at - rotation @ at)


UPRIGHT = np.array([(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
"""Turns an outline drawn in (y, z) and extruded along its third axis to stand across x."""


def plate(
    outline: list[tuple[float, float]], wide_m: float, x_m: float, colour: str,
    material: Material = Material.PAINT,
) -> Mesh:  # fmt: skip
    """A side view (y, z), as thick as wide_m, with its middle at x."""
    body = extrude(outline, wide_m, colour, material)
    return body.moved(UPRIGHT, (x_m - wide_m / 2, 0.0, 0.0))


def wheel(radius_m: float, wide_m: float, at_m: Point3, colour: str) -> Mesh:
    """A tyre on a rim, its axis along x, its middle at a point."""
    r, w = radius_m, wide_m / 2
    tyre = lathe([(0.55 * r, -w * 0.9), (0.93 * r, -w), (r, -0.7 * w), (r, 0.7 * w),
                  (0.93 * r, w), (0.55 * r, w * 0.9)], "#232323", Material.RUBBER, 18)  # fmt: skip
    line = [(0.57 * r, 0.9 * w), (0.5 * r, 0.4 * w), (0.22 * r, 0.45 * w), (0.2 * r, 0.6 * w),
            (0.0, 0.6 * w)]  # fmt: skip
    right = lathe(line, colour, Material.METAL, 10)
    marks = np.arctan2(right.vertices[:, 1], right.vertices[:, 0])
    right.albedo[:] *= np.float32(0.75 + 0.25 * np.cos(marks * 5))[:, None]
    left = right.moved(np.diag((-1.0, 1.0, -1.0)), (0.0, 0.0, 0.0))
    return joined([tyre, left, right]).moved(UPRIGHT, at_m)


def roll(driven_m: float, radius_m: float, pivot: Point3) -> Turn:
    """How a wheel has turned after a way."""
    return about("x", -math.degrees(driven_m / radius_m) % 360.0, pivot)


def ram(start: Point3, end: Point3, radius_m: float, rng: Rng) -> Mesh:
    """A hydraulic cylinder with its bright rod."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    knee = a + (b - a) * float(rng.uniform(0.55, 0.65))
    return joined([
        pole(a, knee, radius_m, darker(DARK_STEEL, 0.9), Material.PAINT, 8),
        pole(knee, b, radius_m * 0.55, "#c9ccd0", Material.METAL, 6),
    ])  # fmt: skip
