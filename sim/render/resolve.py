"""From depth and identity to light: the samples of a pixel gathered, shaded and put together.

Depth and identity have DENSITY samples a pixel each way; light is computed for each pixel, once
for every surface that its samples show. Tuples `mesh`, `look` and `light` as in shade.py.
"""

from __future__ import annotations

import numpy as np

from sim.render.jit import entry, kernel
from sim.render.shade import PARTS, light_point, texel

DENSITY = 2
SAMPLES = DENSITY * DENSITY
GROUP = 17
"""place 3, normal 3, towards the eye 3, albedo 3, material, texture, samples, nearness,
triangle."""
SAME_DEPTH, SAME_FACING, SAME_COLOUR = 0.05, 0.3, 0.08
"""Samples of one pixel are one surface when their nearness differs by less, relatively, their
normals' cosine is greater and their colours differ by less."""
MACRO = 5.7
"""The second scale of a ground texture, in tiles: not a whole number, so that tiles do not meet."""
MACRO_SHARE = 0.35


@kernel
def _gather(row, column, view, mesh, look, near, ids, first, groups):  # type: ignore[no-untyped-def]
    """Groups the samples of one pixel by surface; returns how many.

    The first sample of a surface stands for it: samples of the same material, colour, facing and
    depth are counted only.

    Args:
        view: float64[15], the camera; its lens in samples.
        first: identity of triangle 0; samples with a lower one are left out.
        groups: float64[SAMPLES, GROUP], written.
    """
    normals, albedo, triangles, material = mesh[1], mesh[2], mesh[4], mesh[5]
    count = 0
    for s in range(SAMPLES):
        j, i = row * DENSITY + s // DENSITY, column * DENSITY + s % DENSITY
        t = ids[j, i] - first
        if t < 0:
            continue
        a = triangles[t, 0]
        kind, nearness = material[t], near[j, i]
        g = 0
        while g < count:
            if groups[g, 16] == t:
                break
            if groups[g, 12] == kind and abs(groups[g, 15] - nearness) < SAME_DEPTH * nearness:
                b = triangles[int(groups[g, 16]), 0]
                alike = normals[a, 0] * normals[b, 0] + normals[a, 1] * normals[b, 1]
                alike += normals[a, 2] * normals[b, 2]
                differ = abs(albedo[a, 0] - albedo[b, 0]) + abs(albedo[a, 1] - albedo[b, 1])
                differ += abs(albedo[a, 2] - albedo[b, 2])
                if alike > SAME_FACING and differ < SAME_COLOUR:
                    break
            g += 1
        if g == count:
            _surface(t, j, i, view, mesh, look, nearness, groups, g)
            count += 1
        groups[g, 14] += 1
    return count


@kernel
def _surface(t, j, i, view, mesh, look, nearness, groups, g):  # type: ignore[no-untyped-def]
    """What one sample shows: place, normal and way to the eye in world axes, colour, texture."""
    seen, normals, albedo, uv, triangles, material = mesh
    x, y = (i + 0.5 - view[13]) / view[12], (j + 0.5 - view[14]) / view[12]
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    wa = x * (seen[b, 1] * seen[c, 2] - seen[b, 2] * seen[c, 1]) + y * (
        seen[b, 2] * seen[c, 0] - seen[b, 0] * seen[c, 2]
    )
    wa += seen[b, 0] * seen[c, 1] - seen[b, 1] * seen[c, 0]
    wb = x * (seen[c, 1] * seen[a, 2] - seen[c, 2] * seen[a, 1]) + y * (
        seen[c, 2] * seen[a, 0] - seen[c, 0] * seen[a, 2]
    )
    wb += seen[c, 0] * seen[a, 1] - seen[c, 1] * seen[a, 0]
    wc = x * (seen[a, 1] * seen[b, 2] - seen[a, 2] * seen[b, 1]) + y * (
        seen[a, 2] * seen[b, 0] - seen[a, 0] * seen[b, 2]
    )
    wc += seen[a, 0] * seen[b, 1] - seen[a, 1] * seen[b, 0]
    total = wa + wb + wc
    wa, wb, wc = wa / total, wb / total, wc / total
    depth = 1.0 / nearness
    kind = material[t]
    groups[g, 13] = 128.0
    if look[0][kind, 2] > 0:
        u = (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) / look[0][kind, 1]
        v = (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) / look[0][kind, 1]
        groups[g, 13] = _detail(look, kind, u, v, depth, view, x, y, seen, a, b, c)
    shade = max(1 + look[0][kind, 2] * (groups[g, 13] - 128) / 128, 0.0)
    distance = depth * np.sqrt(x * x + y * y + 1)
    length = 0.0
    for k in range(3):
        away = (view[3 + k] * x + view[6 + k] * y + view[9 + k]) * depth
        groups[g, k] = view[k] + away
        groups[g, 6 + k] = -away / distance
        groups[g, 3 + k] = wa * normals[a, k] + wb * normals[b, k] + wc * normals[c, k]
        groups[g, 9 + k] = shade * (wa * albedo[a, k] + wb * albedo[b, k] + wc * albedo[c, k])
        length += groups[g, 3 + k] * groups[g, 3 + k]
    length = np.sqrt(length) + 1e-12
    for k in range(3):
        groups[g, 3 + k] /= length
    groups[g, 12], groups[g, 14], groups[g, 15], groups[g, 16] = kind, 0.0, nearness, t


@kernel
def _detail(look, kind, u, v, depth, view, x, y, seen, a, b, c):  # type: ignore[no-untyped-def]
    """The texture 0 to 255, in the mip level of the sample's footprint on the surface."""
    ex, ey, ez = seen[b, 0] - seen[a, 0], seen[b, 1] - seen[a, 1], seen[b, 2] - seen[a, 2]
    gx, gy, gz = seen[c, 0] - seen[a, 0], seen[c, 1] - seen[a, 1], seen[c, 2] - seen[a, 2]
    nx, ny, nz = ey * gz - ez * gy, ez * gx - ex * gz, ex * gy - ey * gx
    slope = abs(nx * x + ny * y + nz) / np.sqrt(
        (nx * nx + ny * ny + nz * nz) * (x * x + y * y + 1) + 1e-30
    )
    size = DENSITY * depth / view[12] / np.sqrt(max(slope, 0.02)) / look[0][kind, 1] * 256
    level = np.log2(max(size, 0.01))
    row = int(look[0][kind, 0])
    value = texel(look, row, u, v, level)
    if look[0][kind, 1] >= 1.2:
        broad = texel(look, row, u / MACRO + 0.37, v / MACRO + 0.61, level - np.log2(MACRO))
        value += MACRO_SHARE * 2 * (broad - 128)
    return value


@entry
def light_still(view, mesh, look, light, reach, near, ids, first, parts, normals, hit):  # type: ignore[no-untyped-def]
    """Lights the whole picture of what stands still, once.

    Args:
        parts: float32[PARTS, H, W, 3], written.
        normals: float32[H, W, 3], written; 0 where nothing is.
        hit: float32[H, W], written: share of the pixel that shows something.
    """
    scratch = (
        np.empty((SAMPLES, GROUP)),
        np.empty((PARTS, 3)),
        np.empty(3),
    )
    _light_still(view, mesh, look, light, reach, near, ids, first, parts, normals, hit, scratch)


@kernel
def _light_still(view, mesh, look, light, reach, near, ids, first, parts, normals, hit, scratch):  # type: ignore[no-untyped-def]
    groups, out, where = scratch
    for row in range(hit.shape[0]):
        for column in range(hit.shape[1]):
            count = _gather(row, column, view, mesh, look, near, ids, first, groups)
            for k in range(3):
                normals[row, column, k] = 0
                for p in range(PARTS):
                    parts[p, row, column, k] = 0
            hit[row, column] = 0
            for g in range(count):
                group = groups[g]
                share = group[14] / SAMPLES
                distance = 1.0 / group[15]
                light_point(group, look, light, distance, False, reach, where, out)
                hit[row, column] += share
                for k in range(3):
                    normals[row, column, k] += share * group[3 + k]
                    for p in range(PARTS):
                        parts[p, row, column, k] += share * out[p, k]


@kernel
def tone(value, table):  # type: ignore[no-untyped-def]
    """uint8: linear light through the tone table."""
    return table[min(int(np.sqrt(max(value, 0.0) / 16) * 4095 + 0.5), 4095)]


@entry
def compose(
    bounds, view, mesh, look, light, reach, near, ids, parts, factors, table, stamp, now, picture
):  # type: ignore[no-untyped-def]
    """Draws what moves, and its shadows, over the lit still picture in one rectangle.

    Args:
        bounds: int64[4], x1, y1, x2, y2 in pixels.
        ids: int32[DENSITY H, DENSITY W]: 0, or 1 + triangle of the moving mesh.
        parts: float32[PARTS, H, W, 3]: the still picture.
        factors: float32[PARTS - 1, H, W]: what is left of parts 1 on under the shadows.
        table: uint8[4096], tone mapping.
        stamp, now: int32[H, W] and this picture's number: no pixel is drawn twice.
        picture: uint8[H, W, 3], written where something moves or its shadow falls.
    """
    scratch = (
        np.empty((SAMPLES, GROUP)),
        np.empty((PARTS, 3)),
        np.empty(3),
        np.empty(3),
    )
    _compose(
        bounds,
        view,
        mesh,
        look,
        light,
        reach,
        near,
        ids,
        parts,
        factors,
        table,
        stamp,
        now,
        picture,
        scratch,
    )


@kernel
def _compose(
    bounds,
    view,
    mesh,
    look,
    light,
    reach,
    near,
    ids,
    parts,
    factors,
    table,
    stamp,
    now,
    picture,
    scratch,
):  # type: ignore[no-untyped-def]
    groups, out, where, total = scratch
    for row in range(bounds[1], bounds[3]):
        for column in range(bounds[0], bounds[2]):
            if stamp[row, column] == now:
                continue
            stamp[row, column] = now
            touched = 0
            for s in range(SAMPLES):
                touched += ids[row * DENSITY + s // DENSITY, column * DENSITY + s % DENSITY]
            for p in range(PARTS - 1):
                touched += factors[p, row, column] < 1
            if touched == 0:
                continue
            count = _gather(row, column, view, mesh, look, near, ids, 1, groups)
            covered = 0.0
            total[:] = 0.0
            for g in range(count):
                group = groups[g]
                share = group[14] / SAMPLES
                covered += share
                light_point(group, look, light, 1.0 / group[15], True, reach, where, out)
                for k in range(3):
                    total[k] += share * (out[0, k] + out[1, k] + out[2, k] + out[3, k] + out[4, k])
            for k in range(3):
                still = parts[0, row, column, k]
                for p in range(1, PARTS):
                    still += parts[p, row, column, k] * factors[p - 1, row, column]
                picture[row, column, k] = tone(total[k] + (1 - covered) * still, table)
