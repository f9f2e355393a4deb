"""How far each of a fan of rays leads past the edge of each zone, for all tracks and zones at once.

What makes a corner's x, y into how far it lies beside a ray is linear: one matrix product does it
for all corners, rays and tracks. Small constants are arrays here: NumPy takes longer to look at a
Python number than to add it to a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
C64 = npt.NDArray[np.complex64]
C128 = npt.NDArray[np.complex128]

RAYS = (-1.6, -0.6, 0.0, 0.6, 1.6)
"""Where the rays pass the predicted place, in spreads across the way."""
BACK_M = 0.35
"""Rays begin this far behind the start: a place is not exact, nor the edge of a zone."""
MOST_SPREADS = 4.0
TINY = np.array(1e-9, np.float32)
"""Square spreads: keeps an edge that points at the start from dividing by zero."""
_MOST_SPREADS = np.array(MOST_SPREADS, np.float32)
_BACK_M = np.array(BACK_M, np.float32)
_LEFT = np.array(1j, np.complex64)


class Rays:
    """Rays of all tracks through all zones. Nothing is allocated after `__init__`.

    Args:
        corners: complex128[V, Z], the zones' corners, see `lay_corners`.
        capacity: number of track slots, T.

    Attributes:
        margin: float32[Z, K, T], spreads along the way that each ray leads past the zone's edge.
    """

    def __init__(self, corners: C128, capacity: int) -> None:
        edges, zones = corners.shape
        rays = (len(RAYS), capacity)
        self.margin: F32 = np.zeros((zones, *rays), np.float32)
        self._middle = np.array(corners.mean())
        self._scale: C64 = np.ones(capacity, np.complex64)
        self._middles: C128 = np.full(capacity, self._middle)
        closed = np.concatenate([corners, corners[:1]]).ravel() - self._middle
        rows = np.stack([closed.real, closed.imag, np.ones(len(closed))], axis=1)
        self._corners: F32 = np.ascontiguousarray(rows, np.float32)
        self._fan: F32 = np.array(RAYS, np.float32)[:, None].repeat(capacity, axis=1)
        self._line_buffers(capacity)
        self._seen: C64 = np.zeros((edges + 1, zones, capacity), np.complex64)
        self._seen_flat = self._seen.reshape(len(closed), capacity).view(np.float32)
        self._beside: F32 = np.zeros((edges + 1, zones, *rays), np.float32)
        self._beside_flat = self._beside.reshape(len(closed), -1)
        self._mirrored: C64 = np.zeros((edges, zones, capacity), np.complex64)
        self._is_right = np.zeros(self._beside.shape, np.bool_)
        self._is_entry = np.zeros((edges, zones, *rays), np.bool_)
        self._nearness: F32 = np.zeros((edges, zones, *rays), np.float32)
        self._cross: F32 = np.zeros((edges, zones, capacity), np.float32)

    def _line_buffers(self, capacity: int) -> None:
        self._from: C128 = np.zeros(capacity, np.complex128)
        self._turn: C64 = np.zeros(capacity, np.complex64)
        self._length: F32 = np.zeros(capacity, np.float32)
        self._narrow: F32 = np.zeros(capacity, np.float32)
        self._row: F32 = np.zeros(capacity, np.float32)
        self._least: F32 = np.zeros(capacity, np.float32)
        self._slopes: F32 = np.zeros((len(RAYS), capacity), np.float32)
        self._view: C64 = np.zeros((3, capacity), np.complex64)
        self._view_flat = self._view.view(np.float32)
        self._ahead, self._left = self._view.real[:, None], self._view.imag[:, None]
        self._lines: F32 = np.zeros((3, len(RAYS), capacity), np.float32)
        self._lines_flat = self._lines.reshape(3, -1)

    def measure(self, scale: F64 | C128, shift: C128) -> None:
        """Say how the corners lie around each track, where they are not metres on the ground.

        Args:
            scale: float64[T], metres of each track's path to one of the corners' unit; or
                complex128[T], where the corners are turned as well.
            shift: complex128[T], where in each track's path the corners' zero lies, m.
        """
        self._scale[:] = scale
        np.multiply(scale, self._middle, out=self._middles)
        self._middles += shift

    def cast(
        self, place: C128, facing: C64, start: F32, way: F32, length: F32, spread: F32
    ) -> None:
        """Fill `margin`: the way's length less the distance to the zone, in spreads along it.

        A ray enters an anticlockwise polygon where it passes an edge from its left to its right.

        Args:
            place: complex128[T], what `start` is counted from, m.
            facing: complex64[T], of length 1, conjugate of what `start` and `way` lie along.
            start: float32[2, T], where the way begins, m.
            way: float32[2, T], from there to the predicted place, m.
            length: float32[T], of `way`, m; not 0.
            spread: float32[2, T], of the predicted place along the way and across it, m.
        """
        self._draw(place, facing, start, way, length, spread)
        seen, mirrored, beside = self._seen, self._mirrored, self._beside
        np.dot(self._corners, self._view_flat, out=self._seen_flat)
        np.dot(self._corners, self._lines_flat, out=self._beside_flat)
        cross, nearness, margin = self._cross, self._nearness, self.margin
        np.conjugate(seen[:-1], out=mirrored)
        mirrored *= seen[1:]
        np.add(mirrored.imag, TINY, out=cross)
        np.reciprocal(cross, out=cross)
        is_right, is_entry = self._is_right, self._is_entry
        np.signbit(beside, out=is_right)
        np.less(is_right[:-1], is_right[1:], out=is_entry)
        np.subtract(beside[1:], beside[:-1], out=nearness)
        nearness *= cross[:, :, None]
        nearness *= is_entry
        np.maximum.reduce(nearness, axis=0, out=margin)
        np.maximum(margin, self._least, out=margin)
        np.reciprocal(margin, out=margin)
        np.subtract(self._length, margin, out=margin)
        np.minimum(margin, _MOST_SPREADS, out=margin)

    def _draw(
        self, place: C128, facing: C64, start: F32, way: F32, length: F32, spread: F32
    ) -> None:
        """Rows that make of a corner's x, y, 1 how far it lies to the left of each ray, in spreads.

        `_view` makes where it is seen from the rays' beginning: ahead, and to the left.
        """
        corner, turn, narrow, row = self._from, self._turn, self._narrow, self._row
        along, across, near = self._view
        np.reciprocal(spread[0], out=narrow)
        np.divide(narrow, length, out=row)
        turn.real, turn.imag = way
        np.conjugate(turn, out=turn)
        turn *= row
        np.subtract(self._middles, place, out=corner)
        near[:] = corner
        near *= facing
        near.real -= start[0]
        near.imag -= start[1]
        near *= turn
        np.multiply(narrow, _BACK_M, out=row)
        near.real += row
        turn *= facing
        np.multiply(turn, self._scale, out=along)
        np.multiply(along, _LEFT, out=across)
        np.add(length, _BACK_M, out=self._length)
        np.divide(spread[1], self._length, out=row)
        np.multiply(self._fan, row, out=self._slopes)
        np.multiply(self._slopes, self._ahead, out=self._lines)
        np.subtract(self._left, self._lines, out=self._lines)
        self._length *= narrow
        np.add(self._length, _MOST_SPREADS, out=self._least)
        np.reciprocal(self._least, out=self._least)


def lay_corners(polygons: Sequence[Sequence[tuple[float, float]]]) -> C128:
    """Corners of all polygons in one array, all anticlockwise (x right, y up).

    Returns:
        complex128[V, Z], x + iy: V is the largest number of corners; shorter polygons repeat
        their last one.
    """
    corners = np.zeros((max(map(len, polygons)), len(polygons)), np.complex128)
    for z, polygon in enumerate(polygons):
        points = np.array([complex(x, y) for x, y in polygon])
        if (np.conj(points) * np.roll(points, -1)).imag.sum() < 0:
            points = points[::-1]
        corners[: len(points), z] = points
        corners[len(points) :, z] = points[-1]
    return corners
