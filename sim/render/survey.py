"""What of one thing is seen: its outline drawn alone, laid beside the whole picture."""

from __future__ import annotations

import numpy as np

from sim.render.jit import entry, kernel

PARTS_OF = 3
"""Boxes beside the whole: helmet, head, vest."""
RESULT = 3 + 4 * (2 + 2 * PARTS_OF)
"""Samples in all, inside, visible; then boxes: whole, visible whole, and of each part its visible
box and (its number of visible samples, 0, 0, 0)."""
HELMET, SKIN, HAIR, VEST, REFLECTOR = 14, 10, 11, 15, 16
"""Materials of the parts (sim.world.materials)."""
HEAD_M = 0.24
"""Skin and hair within this distance of the middle of the head are the head's."""
STILL_SHARE = 0.02
"""A thing that stands still is seen where the picture's nearness differs by less, relatively."""


@kernel
def to_picture(x, y, sway, camera, place):  # type: ignore[no-untyped-def]
    """Undistorted coordinates of the buffer's axes to pixels of the picture.

    Args:
        sway: float64[3, 3], from the buffer's axes to the camera's.
        camera: float64[6]: focal length, centre, k1, k2, widest radius.
        place: float64[2], written.
    """
    z = sway[2, 0] * x + sway[2, 1] * y + sway[2, 2]
    u = (sway[0, 0] * x + sway[0, 1] * y + sway[0, 2]) / z
    v = (sway[1, 0] * x + sway[1, 1] * y + sway[1, 2]) / z
    square = min(u * u + v * v, camera[5] * camera[5])
    scale = (1 + camera[3] * square + camera[4] * square * square) * camera[0]
    place[0], place[1] = u * scale + camera[1], v * scale + camera[2]


@kernel
def _grow(result, first, x, y, half):  # type: ignore[no-untyped-def]
    result[first] = min(result[first], x - half)
    result[first + 1] = min(result[first + 1], y - half)
    result[first + 2] = max(result[first + 2], x + half)
    result[first + 3] = max(result[first + 3], y + half)


@entry
def survey(alone, numbers, lens, near, ids, view, span, sway, camera, size, material, head, result):  # type: ignore[no-untyped-def]
    """Compares a thing drawn alone with the whole picture.

    Args:
        alone: float32[h, w], nearness of the thing alone; 0 where it is not.
        numbers: int32[h, w], its triangles.
        lens: float64[3], of the picture of it alone.
        near, ids: the whole picture, in samples (see scene.py).
        view: float64[15], its camera.
        span: int64[2], first and one past the last identity of the thing; empty when it stands
            still and is told by its depth.
        sway, camera: see to_picture.
        size: float64[2], width and height of the picture.
        material: uint8[T], of the thing's triangles.
        head: float64[3], middle of the head in the camera's axes.
        result: float64[RESULT], written.
    """
    place = np.empty(2)
    _survey(alone, numbers, lens, near, ids, view, span, sway, camera, size, material, head, result,
            place)  # fmt: skip


@kernel
def _survey(
    alone, numbers, lens, near, ids, view, span, sway, camera, size, material, head, result, place
):  # type: ignore[no-untyped-def]
    for k in range(RESULT):
        result[k] = 0.0
    for b in range(2 + 2 * PARTS_OF):
        if b < 2 or b % 2 == 0:
            result[3 + 4 * b] = result[4 + 4 * b] = 1e9
            result[5 + 4 * b] = result[6 + 4 * b] = -1e9
    half = 0.5 * camera[0] / lens[0]
    for row in range(alone.shape[0]):
        for column in range(alone.shape[1]):
            own = alone[row, column]
            if own <= 0:
                continue
            result[0] += 1
            x, y = (column + 0.5 - lens[1]) / lens[0], (row + 0.5 - lens[2]) / lens[0]
            to_picture(x, y, sway, camera, place)
            u, v = place[0], place[1]
            if u < 0 or v < 0 or u >= size[0] or v >= size[1]:
                continue
            result[1] += 1
            _grow(result, 3, u, v, half)
            i, j = int(np.floor(x * view[12] + view[13])), int(np.floor(y * view[12] + view[14]))
            if i < 0 or j < 0 or j >= ids.shape[0] or i >= ids.shape[1]:
                continue
            seen = span[0] <= ids[j, i] < span[1]
            if span[0] == span[1]:
                seen = ids[j, i] == 0 and abs(near[j, i] - own) < STILL_SHARE * own
            if not seen:
                continue
            result[2] += 1
            _grow(result, 7, u, v, half)
            kind = material[numbers[row, column]]
            if kind == HELMET:
                _grow(result, 11, u, v, half)
                result[15] += 1
            dx, dy, dz = x / own - head[0], y / own - head[1], 1 / own - head[2]
            close = dx * dx + dy * dy + dz * dz < HEAD_M * HEAD_M
            if close and kind in (HELMET, SKIN, HAIR):
                _grow(result, 19, u, v, half)
                result[23] += 1
            if kind in (VEST, REFLECTOR):
                _grow(result, 27, u, v, half)
                result[31] += 1


@entry
def joint_seen(near, ids, view, span, point, nearer, own_nearer):  # type: ignore[no-untyped-def]
    """Whether a joint is not hidden, by the depth of the samples around it.

    Args:
        point: float64[3], in the camera's axes.
        span: int64[2], identities of the joint's own body.
        nearer, own_nearer: metres by which another surface, or the own body, must be nearer than
            the joint to hide it.
    """
    if point[2] <= 0:
        return False
    x = point[0] / point[2] * view[12] + view[13] - 0.5
    y = point[1] / point[2] * view[12] + view[14] - 0.5
    for k in range(4):
        i, j = int(np.floor(x)) + (k & 1), int(np.floor(y)) + (k >> 1)
        if i < 0 or j < 0 or j >= ids.shape[0] or i >= ids.shape[1]:
            continue
        limit = own_nearer if span[0] <= ids[j, i] < span[1] else nearer
        if near[j, i] <= 0 or 1.0 / near[j, i] > point[2] - limit:
            return True
    return False
