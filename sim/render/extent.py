"""How far things and their shadows reach: rectangles, so that only these are drawn anew."""

from __future__ import annotations

import numpy as np

from sim.render.jit import entry

FARTHEST_SHADOW_M = 60.0
"""Shadows are followed no farther."""
LOWEST_M = -0.05
"""Where shadows end: just below the ground."""


@entry
def limits(vertices, low, high):  # type: ignore[no-untyped-def]
    """Writes the least and greatest coordinates of float32[V, 3] to float64[3] each."""
    low[:], high[:] = np.inf, -np.inf
    for i in range(len(vertices)):
        for k in range(3):
            low[k] = min(low[k], vertices[i, k])
            high[k] = max(high[k], vertices[i, k])


@entry
def _grow(box, x, y):  # type: ignore[no-untyped-def]
    box[0], box[1] = min(box[0], x), min(box[1], y)
    box[2], box[3] = max(box[2], x), max(box[3], y)


@entry
def _rounded(box, margin, width, height, bounds):  # type: ignore[no-untyped-def]
    """A box of coordinates as whole pixels inside of a buffer."""
    bounds[0] = int(min(max(np.floor(box[0]) - margin, 0), width))
    bounds[1] = int(min(max(np.floor(box[1]) - margin, 0), height))
    bounds[2] = int(min(max(np.ceil(box[2]) + margin, bounds[0]), width))
    bounds[3] = int(min(max(np.ceil(box[3]) + margin, bounds[1]), height))


@entry
def pinhole_bounds(seen, lens, close, margin, width, height, bounds):  # type: ignore[no-untyped-def]
    """Writes the rectangle int64[4] that holds the convex hull of points in front of a pinhole.

    Args:
        seen: float64[N, 3], in the pinhole's axes; a hull that reaches behind is cut at `close`.
        lens: float64[3]: focal length and centre.
    """
    box = np.array([1e9, 1e9, -1e9, -1e9])
    hidden = False
    for i in range(len(seen)):
        z = seen[i, 2]
        if z >= close:
            _grow(box, seen[i, 0] / z * lens[0] + lens[1], seen[i, 1] / z * lens[0] + lens[2])
        else:
            hidden = True
    if hidden:
        for i in range(len(seen)):
            if seen[i, 2] < close:
                continue
            for j in range(len(seen)):
                if seen[j, 2] < close:
                    share = (close - seen[i, 2]) / (seen[j, 2] - seen[i, 2])
                    x = seen[i, 0] + share * (seen[j, 0] - seen[i, 0])
                    y = seen[i, 1] + share * (seen[j, 1] - seen[i, 1])
                    _grow(box, x / close * lens[0] + lens[1], y / close * lens[0] + lens[2])
    _rounded(box, margin, width, height, bounds)


@entry
def parallel_bounds(seen, lens, margin, width, height, bounds):  # type: ignore[no-untyped-def]
    """As pinhole_bounds, under parallel light."""
    box = np.array([1e9, 1e9, -1e9, -1e9])
    for i in range(len(seen)):
        _grow(box, seen[i, 0] * lens[0] + lens[1], seen[i, 1] * lens[0] + lens[2])
    _rounded(box, margin, width, height, bounds)


@entry
def shadow_hull(low, high, source, parallel, points):  # type: ignore[no-untyped-def]
    """Writes 16 corners float32[16, 3] of the space that a box's shadow fills, to the ground.

    Args:
        low, high: float64[3], the box.
        source: float64[3]: unit vector to a parallel light, or the place of a lamp.
    """
    for i in range(8):
        x = low[0] if i & 1 else high[0]
        y = low[1] if i & 2 else high[1]
        z = low[2] if i & 4 else high[2]
        dx, dy, dz = -source[0], -source[1], -source[2]
        if not parallel:
            dx, dy, dz = x + dx, y + dy, z + dz
            length = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
            dx, dy, dz = dx / length, dy / length, dz / length
        far = FARTHEST_SHADOW_M
        if dz < 0:
            far = min(far, max((LOWEST_M - z) / dz, 0.0))
        points[i, 0], points[i, 1], points[i, 2] = x, y, z
        points[8 + i, 0], points[8 + i, 1], points[8 + i, 2] = (
            x + far * dx,
            y + far * dy,
            z + far * dz,
        )


@entry
def merge(boxes, count):  # type: ignore[no-untyped-def]
    """Joins rectangles int64[N, 4] whose common frame is hardly larger than they; returns how many.

    Two are joined when that adds at most a quarter to the sum of their areas.
    """
    joined = True
    while joined:
        joined = False
        for i in range(count):
            for j in range(i + 1, count):
                x1, y1 = min(boxes[i, 0], boxes[j, 0]), min(boxes[i, 1], boxes[j, 1])
                x2, y2 = max(boxes[i, 2], boxes[j, 2]), max(boxes[i, 3], boxes[j, 3])
                apart = (boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1])
                apart += (boxes[j, 2] - boxes[j, 0]) * (boxes[j, 3] - boxes[j, 1])
                if 4 * (x2 - x1) * (y2 - y1) <= 5 * apart:
                    boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3] = x1, y1, x2, y2
                    count -= 1
                    boxes[j] = boxes[count]
                    joined = True
                    break
            if joined:
                break
    return count
