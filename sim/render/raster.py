"""Triangles into depth and identity buffers, by scan lines.

"Nearness" is what the buffers hold: it grows towards the eye and is linear across the picture,
1/z for a pinhole and -z for parallel light; 0 (pinhole) or FAR (parallel) where nothing is. The
rasteriser writes nearness and the number of the triangle only; everything else is found again
from these by the shading (a visibility buffer: Burns and Hunt, The Visibility Buffer, 2013).

A pixel belongs to the triangle that holds its middle. Every edge is computed from its upper to its
lower end, so neighbours share it exactly: no gaps.
"""

from __future__ import annotations

import numpy as np

from sim.render.jit import entry, kernel

FAR = np.float32(-1e9)
"""Nearness of nothing under parallel light."""
NET = 13
"""Material.NET is drawn like a screen door, one sample of four: wire mesh covers little."""
HOLE = 64
"""Texels of the net's texture below this are holes."""


@kernel
def to_camera(vertices, origin, turn, out):  # type: ignore[no-untyped-def]
    """Vertices in the axes of a camera or light.

    Args:
        vertices: float32[V, 3], metres.
        origin: float64[3], subtracted first.
        turn: float64[3, 3].
        out: float64[V, 3], written.
    """
    for i in range(len(vertices)):
        x = vertices[i, 0] - origin[0]
        y = vertices[i, 1] - origin[1]
        z = vertices[i, 2] - origin[2]
        for k in range(3):
            out[i, k] = turn[k, 0] * x + turn[k, 1] * y + turn[k, 2] * z


@kernel
def _edge_x(ax, ay, bx, by, y):  # type: ignore[no-untyped-def]
    """Where the edge from a (upper) to b (lower) crosses a line y."""
    return ax + (y - ay) * (bx - ax) / (by - ay)


@kernel
def _scan(px, py, a, b, c, number, net, near, ids, bounds):  # type: ignore[no-untyped-def]
    """One triangle on the picture: px, py float64[3]; nearness = a x + b y + c at pixel middles."""
    i0, i1, i2 = 0, 1, 2
    if py[i1] < py[i0]:
        i0, i1 = i1, i0
    if py[i2] < py[i0]:
        i0, i2 = i2, i0
    if py[i2] < py[i1]:
        i1, i2 = i2, i1
    x0, y0, x1, y1, x2, y2 = px[i0], py[i0], px[i1], py[i1], px[i2], py[i2]
    first = max(int(np.ceil(max(y0, -1e6) - 0.5)), bounds[1])
    last = min(int(np.ceil(min(y2, 1e6) - 0.5)), bounds[3])
    for row in range(first, last):
        y = row + 0.5
        xa = _edge_x(x0, y0, x2, y2, y)
        xb = _edge_x(x0, y0, x1, y1, y) if y < y1 else _edge_x(x1, y1, x2, y2, y)
        left, right = min(xa, xb), max(xa, xb)
        start = max(int(np.ceil(max(left, -1e6) - 0.5)), bounds[0])
        stop = min(int(np.ceil(min(right, 1e6) - 0.5)), bounds[2])
        line = b * y + c + a * 0.5
        for column in range(start, stop):
            value = np.float32(a * column + line)
            if value > near[row, column] and not (net and (row | column) & 1):
                near[row, column] = value
                if number >= 0:
                    ids[row, column] = number


@kernel
def _clipped(tri, close, poly):  # type: ignore[no-untyped-def]
    """Cuts a triangle float64[3, 3] at z = close; writes up to 4 corners, returns how many."""
    count = 0
    for i in range(3):
        j = (i + 1) % 3
        zi, zj = tri[i, 2], tri[j, 2]
        if zi >= close:
            for k in range(3):
                poly[count, k] = tri[i, k]
            count += 1
        if (zi >= close) != (zj >= close):
            share = (close - zi) / (zj - zi)
            for k in range(3):
                poly[count, k] = tri[i, k] + share * (tri[j, k] - tri[i, k])
            count += 1
    return count


@entry
def pinhole(seen, triangles, material, first, lens, close, cull, near, ids, bounds):  # type: ignore[no-untyped-def]
    """Draws triangles as a pinhole sees them.

    Args:
        seen: float64[V, 3], vertices in the camera's axes.
        triangles: int32[T, 3].
        material: uint8[T].
        first: written to ids for triangle 0, and counted up; -1 writes no ids.
        lens: float64[3]: focal length and the centre x, y, in pixels of the buffers.
        close: metres; nothing nearer is drawn.
        cull: True leaves out what is seen from behind.
        near: float32[H, W], nearness 1/z; read and written.
        ids: int32[H, W], written where first >= 0.
        bounds: int64[4], x1, y1, x2, y2: nothing is written outside.
    """
    scratch = (
        np.empty((3, 3)),
        np.empty((4, 3)),
        np.empty(3),
        np.empty(3),
    )
    _pinhole(seen, triangles, material, first, lens, close, cull, near, ids, bounds, scratch)


@kernel
def _pinhole(seen, triangles, material, first, lens, close, cull, near, ids, bounds, scratch):  # type: ignore[no-untyped-def]
    tri, poly, px, py = scratch
    f, cx, cy = lens[0], lens[1], lens[2]
    for t in range(len(triangles)):
        for i in range(3):
            for k in range(3):
                tri[i, k] = seen[triangles[t, i], k]
        ex, ey, ez = tri[1, 0] - tri[0, 0], tri[1, 1] - tri[0, 1], tri[1, 2] - tri[0, 2]
        gx, gy, gz = tri[2, 0] - tri[0, 0], tri[2, 1] - tri[0, 1], tri[2, 2] - tri[0, 2]
        nx, ny, nz = ey * gz - ez * gy, ez * gx - ex * gz, ex * gy - ey * gx
        volume = nx * tri[0, 0] + ny * tri[0, 1] + nz * tri[0, 2]
        if volume == 0.0 or (cull and volume > 0.0):
            continue
        a, b = nx / volume / f, ny / volume / f
        c = nz / volume - a * cx - b * cy
        low = min(tri[0, 2], tri[1, 2], tri[2, 2])
        if low >= close:
            count = 3
            for i in range(3):
                for k in range(3):
                    poly[i, k] = tri[i, k]
        else:
            count = _clipped(tri, close, poly)
        number = first + t if first >= 0 else -1
        for k in range(2, count):
            for i, j in ((0, 0), (1, k - 1), (2, k)):
                px[i] = poly[j, 0] / poly[j, 2] * f + cx
                py[i] = poly[j, 1] / poly[j, 2] * f + cy
            _scan(px, py, a, b, c, number, material[t] == NET, near, ids, bounds)


@entry
def parallel(seen, triangles, material, lens, near, bounds):  # type: ignore[no-untyped-def]
    """Draws nearness -z of triangles as parallel light sees them; both sides.

    Args:
        seen: float64[V, 3], vertices in the light's axes.
        triangles: int32[T, 3].
        material: uint8[T].
        lens: float64[3]: pixels per metre and the centre x, y, in pixels of the buffer.
        near: float32[H, W], read and written.
        bounds: int64[4], x1, y1, x2, y2: nothing is written outside.
    """
    scratch = (
        np.empty(3),
        np.empty(3),
        np.empty(3),
        np.empty((1, 1), np.int32),
    )
    _parallel(seen, triangles, material, lens, near, bounds, scratch)


@kernel
def _parallel(seen, triangles, material, lens, near, bounds, scratch):  # type: ignore[no-untyped-def]
    px, py, pw, ids = scratch
    f, cx, cy = lens[0], lens[1], lens[2]
    for t in range(len(triangles)):
        for i in range(3):
            v = triangles[t, i]
            px[i], py[i] = seen[v, 0] * f + cx, seen[v, 1] * f + cy
            pw[i] = -seen[v, 2]
        ex, ey, ew = px[1] - px[0], py[1] - py[0], pw[1] - pw[0]
        gx, gy, gw = px[2] - px[0], py[2] - py[0], pw[2] - pw[0]
        area = ex * gy - ey * gx
        if abs(area) < 1e-9:
            continue
        a, b = (ew * gy - gw * ey) / area, (gw * ex - ew * gx) / area
        c = pw[0] - a * px[0] - b * py[0]
        _scan(px, py, a, b, c, -1, material[t] == NET, near, ids, bounds)
