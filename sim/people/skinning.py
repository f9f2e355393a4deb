"""From bones to vertices.

Blends dual quaternions (Kavan et al., Geometric Skinning with Approximate Dual Quaternion
Blending, ACM TOG 27, 2008), which keeps bent knees and twisted wrists full where a linear blend
would pinch them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
B1 = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _quaternion(m: F64, q: F64) -> None:
    """Of a rotation matrix (Shepperd 1978)."""
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    if trace > 0:
        s = math.sqrt(trace + 1.0) * 2
        q[0], q[1] = s / 4, (m[2, 1] - m[1, 2]) / s
        q[2], q[3] = (m[0, 2] - m[2, 0]) / s, (m[1, 0] - m[0, 1]) / s
        return
    i = 0
    if m[1, 1] > m[0, 0]:
        i = 1
    if m[2, 2] > m[i, i]:
        i = 2
    j, k = (i + 1) % 3, (i + 2) % 3
    s = math.sqrt(1.0 + m[i, i] - m[j, j] - m[k, k]) * 2
    q[0] = (m[k, j] - m[j, k]) / s
    q[1 + i] = s / 4
    q[1 + j] = (m[j, i] + m[i, j]) / s
    q[1 + k] = (m[k, i] + m[i, k]) / s


@njit(cache=True, nogil=True)
def _dual(turn: F64, at: F64, rest: F64, dual: F64) -> None:
    """Bones as dual quaternions that carry rest positions into the world: dual float64[B, 8]."""
    for b in range(turn.shape[0]):
        _quaternion(turn[b], dual[b, :4])
        t = np.empty(3)
        for i in range(3):
            t[i] = at[b, i]
            for j in range(3):
                t[i] -= turn[b, i, j] * rest[b, j]
        w, x, y, z = dual[b, 0], dual[b, 1], dual[b, 2], dual[b, 3]
        dual[b, 4] = 0.5 * (-t[0] * x - t[1] * y - t[2] * z)
        dual[b, 5] = 0.5 * (t[0] * w + t[1] * z - t[2] * y)
        dual[b, 6] = 0.5 * (-t[0] * z + t[1] * w + t[2] * x)
        dual[b, 7] = 0.5 * (t[0] * y - t[1] * x + t[2] * w)


@njit(cache=True, nogil=True)
def blends(
    turn: F64, at: F64, rest: F64, group_bones: I64, group_weights: F64, dual: F64, out: F64
) -> None:
    """One rigid transform for every distinct mix of bones.

    Args:
        turn, at, rest: as of `bones`.
        group_bones, group_weights: int64[G, 3], float64[G, 3]; weights add up to 1.
        dual: float64[B, 8], scratch.
        out: float64[G, 3, 4], written.
    """
    _dual(turn, at, rest, dual)
    m = np.empty(8)
    for g in range(group_bones.shape[0]):
        first = group_bones[g, 0]
        for i in range(8):
            m[i] = group_weights[g, 0] * dual[first, i]
        for k in range(1, 3):
            b, weight = group_bones[g, k], group_weights[g, k]
            if weight == 0.0:
                continue
            dot = 0.0
            for i in range(4):
                dot += dual[first, i] * dual[b, i]
            sign = weight if dot >= 0 else -weight
            for i in range(8):
                m[i] += sign * dual[b, i]
        size = math.sqrt(m[0] ** 2 + m[1] ** 2 + m[2] ** 2 + m[3] ** 2)
        for i in range(8):
            m[i] /= size
        w, x, y, z = m[0], m[1], m[2], m[3]
        out[g, 0, 0], out[g, 0, 1], out[g, 0, 2] = (
            1 - 2 * (y * y + z * z),
            2 * (x * y - w * z),
            2 * (x * z + w * y),
        )
        out[g, 1, 0], out[g, 1, 1], out[g, 1, 2] = (
            2 * (x * y + w * z),
            1 - 2 * (x * x + z * z),
            2 * (y * z - w * x),
        )
        out[g, 2, 0], out[g, 2, 1], out[g, 2, 2] = (
            2 * (x * z - w * y),
            2 * (y * z + w * x),
            1 - 2 * (x * x + y * y),
        )
        out[g, 0, 3] = 2 * (-m[4] * x + m[5] * w - m[6] * z + m[7] * y)
        out[g, 1, 3] = 2 * (-m[4] * y + m[5] * z + m[6] * w - m[7] * x)
        out[g, 2, 3] = 2 * (-m[4] * z - m[5] * y + m[6] * x + m[7] * w)


@njit(cache=True, nogil=True)
def skin(
    points: F32,
    normals: F32,
    group: I64,
    part: I64,
    hidden: B1,
    move: F64,
    out: F32,
    out_normals: F32,
) -> float:
    """Carry the rest mesh along with its bones.

    Args:
        points, normals: float32[V, 3] of the rest pose.
        group, part: int64[V]: row of `move`, and which part a vertex belongs to.
        hidden: bool[parts]; a hidden part shrinks to one point.
        move: float64[G, 3, 4] from `blends`.
        out, out_normals: float32[V, 3], written.

    Returns:
        the lowest z of parts 0 (the body).
    """
    lowest = 1e9
    for v in range(points.shape[0]):
        m = move[group[v]]
        px, py, pz = points[v, 0], points[v, 1], points[v, 2]
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        if hidden[part[v]]:
            px, py, pz = 0.0, 0.0, 1.0
        for i in range(3):
            out[v, i] = m[i, 0] * px + m[i, 1] * py + m[i, 2] * pz + m[i, 3]
            out_normals[v, i] = m[i, 0] * nx + m[i, 1] * ny + m[i, 2] * nz
        if part[v] == 0 and out[v, 2] < lowest:
            lowest = out[v, 2]
    return lowest
