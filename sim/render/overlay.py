"""Shadows and contact darkening of what moves, laid over the still picture."""

from __future__ import annotations

import numpy as np

from sim.render.jit import entry, kernel
from sim.render.resolve import DENSITY
from sim.render.shade import BIAS_M, NORMAL_OFFSET_M, in_view, lit_share

PLAIN = 0.97
"""Less darkening than this is left out."""
DARKEST = 0.3
"""No contact takes more of the light from all around."""
STRENGTH = 2.8
"""Balls have gaps between them that a body does not have."""
FAINT = 36.0
"""Balls farther than the root of this, in their radii, hide nothing worth the time."""


@kernel
def place(row, column, view, near, point):  # type: ignore[no-untyped-def]
    """Writes the world place of a pixel's first sample; False when nothing is there."""
    j, i = row * DENSITY, column * DENSITY
    nearness = near[j, i]
    if nearness <= 0:
        return False
    depth = 1.0 / nearness
    x = (i + 0.5 - view[13]) / view[12] * depth
    y = (j + 0.5 - view[14]) / view[12] * depth
    for k in range(3):
        point[k] = view[k] + view[3 + k] * x + view[6 + k] * y + view[9 + k] * depth
    return True


@entry
def lay_shadow(bounds, inside, view, near, normals, part, views, r, grid, pinhole, reach, factor):  # type: ignore[no-untyped-def]
    """Takes the light of one lamp or the sun from where something that moves stands in its way.

    Args:
        bounds: int64[4], pixels to look at.
        inside: int64[4], the caster's rectangle in the light's map; elsewhere is no shadow.
        views, r: float64[4, 15] and the light's row.
        part: float32[H, W, 3], the light to take from; dark pixels are left alone.
        grid: float32[S, S], the light's map of what moves.
        factor: float32[H, W], made smaller.
    """
    scratch = (
        np.empty(3),
        np.empty(3),
    )
    _lay_shadow(
        bounds, inside, view, near, normals, part, views, r, grid, pinhole, reach, factor, scratch
    )


@kernel
def _lay_shadow(
    bounds, inside, view, near, normals, part, views, r, grid, pinhole, reach, factor, scratch
):  # type: ignore[no-untyped-def]
    point, where = scratch
    bias = 2 * BIAS_M if pinhole else BIAS_M
    for row in range(bounds[1], bounds[3]):
        for column in range(bounds[0], bounds[2]):
            if part[row, column, 1] <= 0 or not place(row, column, view, near, point):
                continue
            nx, ny, nz = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            x = point[0] + nx * NORMAL_OFFSET_M
            y = point[1] + ny * NORMAL_OFFSET_M
            z = point[2] + nz * NORMAL_OFFSET_M
            if not in_view(views, r, x, y, z, pinhole, bias, where):
                continue
            edge = reach + 1
            if not (inside[0] - edge <= where[0] <= inside[2] + edge):
                continue
            if not (inside[1] - edge <= where[1] <= inside[3] + edge):
                continue
            share = np.float32(lit_share(grid, where[0], where[1], where[2], reach))
            factor[row, column] = min(factor[row, column], share)


@entry
def lay_contact(bounds, view, near, normals, balls, factor):  # type: ignore[no-untyped-def]
    """Takes light from all around where balls stand in its way.

    The share of the sky that a ball hides from a surface: I. Quilez, Sphere ambient occlusion
    (2006): its solid angle, weighted by the angle to the normal.

    Args:
        balls: float64[N, 4]: centre and radius, metres.
        factor: float32[H, W], made smaller.
    """
    scratch = (np.empty(3),)
    _lay_contact(bounds, view, near, normals, balls, factor, scratch)


@kernel
def _lay_contact(bounds, view, near, normals, balls, factor, scratch):  # type: ignore[no-untyped-def]
    (point,) = scratch
    for row in range(bounds[1], bounds[3]):
        for column in range(bounds[0], bounds[2]):
            if not place(row, column, view, near, point):
                continue
            nx, ny, nz = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            left = 1.0
            for b in range(len(balls)):
                dx, dy, dz = balls[b, 0] - point[0], balls[b, 1] - point[1], balls[b, 2] - point[2]
                square = max(dx * dx + dy * dy + dz * dz, 1e-4)
                if square > FAINT * balls[b, 3] * balls[b, 3]:
                    continue
                facing = (nx * dx + ny * dy + nz * dz) / np.sqrt(square)
                if facing > 0:
                    left *= 1 - min(STRENGTH * facing * balls[b, 3] * balls[b, 3] / square, 0.9)
            left = max(left, DARKEST)
            if left < PLAIN:
                factor[row, column] *= np.float32(left)
