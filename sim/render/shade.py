"""What a surface looks like: texture, sun, sky, lamps, shadow and fog.

Everything a kernel needs comes as a few tuples, in this order:

- `mesh`: seen float64[V, 3] (camera axes), normals, albedo float32[V, 3], uv float32[V, 2],
  triangles int32[T, 3], material uint8[T];
- `look`: surfaces float32[M, 7], mips uint8[rows, ...], level_starts int64[...] (see tables.py);
- `light`: vector float32[24], lamps float32[N, 10], views float64[4, 15] (sun near, sun far, two
  lamps), sun_near, sun_far float32[S, S], lamp_maps float32[2, S, S]: what stands still;
  sun_moving, lamp_moving: what moves, on the same grids as sun_near and lamp_maps.

The light of one point is kept in PARTS (fog already taken off), so that shadows of what moves can
be laid over a picture that was lit before: 0 all that no shadow touches, 1 the sun, 2 and 3 the
lamps with shadows, 4 the light from all around.
"""

from __future__ import annotations

import numpy as np

from sim.render.jit import kernel

PARTS = 5
FADE = 0.12
"""Cosine over which a lamp's cone fades out."""
RETRO_POWER = 60.0
"""How narrowly reflective tape sends a lamp's light back to where it came from."""
NORMAL_OFFSET_M = 0.05
BIAS_M = 0.035
"""How far towards the light a point is moved before its shadow is looked up: no shadow acne."""
WET_SHINE, WET_GLOSS = 0.3, 20.0
"""What wetness adds to the highlight of the ground and of paint on it."""
GROUND_LAST = 4
SAND = 12
PAINT = 17
"""Materials 1 to GROUND_LAST, SAND and PAINT get wet, and mix two scales against tiling."""


@kernel
def texel(look, row, u, v, level):  # type: ignore[no-untyped-def]
    """0 to 255: a texture at (u, v) tiles, bilinear in the two nearest mip levels."""
    mips, starts = look[1], look[2]
    level = min(max(level, 0.0), len(starts) - 2.001)
    low = int(level)
    total = 0.0
    for k in range(2 if level > 0 else 1):
        size = 256 >> (low + k)
        x = (u - np.floor(u)) * size - 0.5
        y = (v - np.floor(v)) * size - 0.5
        xi, yi = int(np.floor(x)), int(np.floor(y))
        fx, fy = x - xi, y - yi
        x0, x1 = xi & (size - 1), (xi + 1) & (size - 1)
        base = starts[low + k]
        r0, r1 = base + (yi & (size - 1)) * size, base + ((yi + 1) & (size - 1)) * size
        top = mips[row, r0 + x0] * (1 - fx) + mips[row, r0 + x1] * fx
        bottom = mips[row, r1 + x0] * (1 - fx) + mips[row, r1 + x1] * fx
        share = level - low if k == 1 else 1 - (level - low)
        total += share * (top * (1 - fy) + bottom * fy)
    return total


@kernel
def lit_share(grid, x, y, value, reach):  # type: ignore[no-untyped-def]
    """0 shadow to 1 light: the share of texels around (x, y) that are not nearer than value.

    A box of 2 reach + 1 texels that slides smoothly (percentage closer filtering: Reeves et al.,
    SIGGRAPH 1987).
    """
    x -= 0.5
    y -= 0.5
    xi, yi = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - xi, y - yi
    height, width = grid.shape
    if xi - reach < 0 or yi - reach < 0 or xi + reach + 1 >= width or yi + reach + 1 >= height:
        return 1.0
    if reach == 0:
        top = (1 - fx if grid[yi, xi] <= value else 0.0) + (
            fx if grid[yi, xi + 1] <= value else 0.0
        )
        low = (1 - fx if grid[yi + 1, xi] <= value else 0.0) + (
            fx if grid[yi + 1, xi + 1] <= value else 0.0
        )
        return (1 - fy) * top + fy * low
    total = 0.0
    for j in range(-reach, reach + 2):
        wy = 1 - fy if j == -reach else (fy if j == reach + 1 else 1.0)
        line = 0.0
        for i in range(-reach, reach + 2):
            if grid[yi + j, xi + i] <= value:
                line += 1 - fx if i == -reach else (fx if i == reach + 1 else 1.0)
        total += wy * line
    return total / ((2 * reach + 1) * (2 * reach + 1))


@kernel
def in_view(views, r, x, y, z, pinhole, bias, where):  # type: ignore[no-untyped-def]
    """Writes (x, y, nearness) of a point in the map of row r to float64[3]; False: behind it."""
    x, y, z = x - views[r, 0], y - views[r, 1], z - views[r, 2]
    a = views[r, 3] * x + views[r, 4] * y + views[r, 5] * z
    b = views[r, 6] * x + views[r, 7] * y + views[r, 8] * z
    c = views[r, 9] * x + views[r, 10] * y + views[r, 11] * z - bias
    if not pinhole:
        where[0], where[1], where[2] = (
            a * views[r, 12] + views[r, 13],
            b * views[r, 12] + views[r, 14],
            -c,
        )
        return True
    if c < 0.1:
        return False
    where[0], where[1] = a / c * views[r, 12] + views[r, 13], b / c * views[r, 12] + views[r, 14]
    where[2] = 1.0 / c
    return True


@kernel
def sun_share(light, x, y, z, reach, moving, where):  # type: ignore[no-untyped-def]
    """0 to 1: how much of the sun reaches a point; `moving`: shadows of what moves too."""
    in_view(light[2], 0, x, y, z, False, BIAS_M, where)
    near = light[3]
    edge = reach + 2
    if edge <= where[0] < near.shape[1] - edge and edge <= where[1] < near.shape[0] - edge:
        share = lit_share(near, where[0], where[1], where[2], reach)
        if moving and share > 0:
            share *= lit_share(light[6], where[0], where[1], where[2], 0)
        return share
    in_view(light[2], 1, x, y, z, False, 6 * BIAS_M, where)
    return lit_share(light[4], where[0], where[1], where[2], 1)


@kernel
def lamp_share(light, k, x, y, z, reach, moving, where):  # type: ignore[no-untyped-def]
    """As sun_share, of lamp k."""
    if not in_view(light[2], 2 + k, x, y, z, True, 2 * BIAS_M, where):
        return 1.0
    share = lit_share(light[5][k], where[0], where[1], where[2], reach)
    if moving and share > 0:
        share *= lit_share(light[7][k], where[0], where[1], where[2], 0)
    return share


@kernel
def _gloss(lx, ly, lz, point, power):  # type: ignore[no-untyped-def]
    """Blinn's highlight (SIGGRAPH 1977), scaled to keep its energy as it narrows."""
    hx, hy, hz = lx + point[6], ly + point[7], lz + point[8]
    length = np.sqrt(hx * hx + hy * hy + hz * hz)
    if length < 1e-6:
        return 0.0
    facing = (point[3] * hx + point[4] * hy + point[5] * hz) / length
    return (power + 8) / 12 * facing**power if facing > 0 else 0.0


@kernel
def light_point(point, look, light, distance, moving, reach, where, out):  # type: ignore[no-untyped-def]
    """The light of one point towards the eye, in PARTS.

    Args:
        point: float64[14]: place 3, normal 3, towards the eye 3, albedo 3 (texture included),
            material, texture 0 to 255.
        distance: metres to the eye, for the fog.
        moving: whether shadows of what moves fall on it (else they are laid over later).
        reach: texels of softness of shadows.
        where: float64[3], scratch.
        out: float64[PARTS, 3], written.
    """
    vector = light[0]
    material = int(point[12])
    specular, power, emission = look[0][material, 3], look[0][material, 4], look[0][material, 6]
    wet = vector[23]
    if wet > 0 and point[5] > 0.5 and (1 <= material <= GROUND_LAST or material in (SAND, PAINT)):
        specular, power = specular + WET_SHINE * wet, power + WET_GLOSS * wet
    x, y, z = (
        point[0] + point[3] * NORMAL_OFFSET_M,
        point[1] + point[4] * NORMAL_OFFSET_M,
        point[2] + point[5] * NORMAL_OFFSET_M,
    )
    fog = np.exp(-vector[21] * distance) if vector[21] > 0 else 1.0
    for p in range(PARTS):
        for c in range(3):
            out[p, c] = 0.0
    facing = point[3] * vector[0] + point[4] * vector[1] + point[5] * vector[2]
    if facing > 0 and vector[3] + vector[4] + vector[5] > 0:
        share = sun_share(light, x, y, z, reach, moving, where)
        if share > 0:
            shine = 0.0
            if specular > 0:
                shine = specular * _gloss(vector[0], vector[1], vector[2], point, power) * facing
            for c in range(3):
                out[1, c] = share * fog * vector[3 + c] * (point[9 + c] * facing + shine)
    _lamps(point, look, light, specular, power, moving, reach, fog, x, y, z, where, out)
    up = 0.5 + 0.5 * point[5]
    across = point[3] * point[6] + point[4] * point[7] + point[5] * point[8]
    mirror = specular * (0.15 + 0.85 * (1 - min(max(across, 0.0), 1.0)) ** 4)
    rise = 2 * across * point[5] - point[8]
    for c in range(3):
        around = vector[9 + c] * (1 - up) + vector[6 + c] * up
        if rise > 0:
            seen = vector[15 + c] + (vector[12 + c] - vector[15 + c]) * np.sqrt(rise)
        else:
            seen = 0.5 * vector[9 + c]
        out[4, c] = fog * (point[9 + c] * around + mirror * seen)
        out[0, c] += fog * point[9 + c] * emission + (1 - fog) * vector[18 + c]


@kernel
def _lamps(point, look, light, specular, power, moving, reach, fog, x, y, z, where, out):  # type: ignore[no-untyped-def]
    """Adds the lamps to PARTS."""
    lamps = light[1]
    retro = look[0][int(point[12]), 5]
    for k in range(len(lamps)):
        dx, dy, dz = lamps[k, 0] - point[0], lamps[k, 1] - point[1], lamps[k, 2] - point[2]
        square = dx * dx + dy * dy + dz * dz
        length = np.sqrt(square)
        dx, dy, dz = dx / length, dy / length, dz / length
        facing = point[3] * dx + point[4] * dy + point[5] * dz
        on_axis = -(dx * lamps[k, 3] + dy * lamps[k, 4] + dz * lamps[k, 5])
        cone = min(max((on_axis - lamps[k, 9] + FADE) / (2 * FADE), 0.0), 1.0)
        if facing <= 0 or cone <= 0:
            continue
        strength = cone * cone * (3 - 2 * cone) / max(square, 0.25) * fog
        part = 0
        if k < 2:
            part = 2 + k
            strength *= lamp_share(light, k, x, y, z, reach, moving, where)
        back = 0.0
        along = dx * point[6] + dy * point[7] + dz * point[8]
        if retro > 0 and along > 0:
            back = 8 * retro * along**RETRO_POWER
        shine = specular * _gloss(dx, dy, dz, point, power) * facing + back
        for c in range(3):
            out[part, c] += strength * lamps[k, 6 + c] * (point[9 + c] * facing + shine)
