"""Where people stand, for rules that measure: in metres on the ground plane, where there is one.

Without one, distances in the picture are measured in people's own height, taken as BODY_M. Depth is
foreshortened then: people one behind the other are taken to be nearer than they are.
"""

from __future__ import annotations

from array import array
from math import hypot, inf, isfinite

import cv2
import numpy as np

from runtime.ground import F64, FAR_M, LEAST_DEPTH, polygon_m
from runtime.rules.entry import BODY_M, LEAST_HEIGHT_PX
from runtime.rules.wills import longer_side
from runtime.site import Point
from runtime.tables import F32, Tracks

MERGED_M, MERGED_PX = 0.02, 0.5
"""A corner that lies nearer than this to the line past it is none: less to measure."""


class Places:
    """Foot points of the people of a frame, found once for all rules that ask.

    Args:
        homography: float64[3, 3], pixels to metres; None: the site has no ground plane.
        capacity: number of track slots.

    Attributes:
        on_ground: x and y are metres; else pixels.
        x, y: per slot, of the last `update`.
        scale_m: per slot, metres in one unit of x and y.
    """

    def __init__(self, homography: F64 | None, capacity: int) -> None:
        self.on_ground = homography is not None
        self._rows: list[float] = [] if homography is None else homography.ravel().tolist()
        zeros = bytes(8 * capacity)
        self.x, self.y = array("d", zeros), array("d", zeros)
        self.scale_m = array("d", [1.0] * capacity)
        self._t_ms = -inf

    def update(self, tracks: Tracks, slots: list[int], t_ms: float) -> None:
        """Find these people; a second call for the same frame does nothing."""
        if t_ms == self._t_ms:
            return
        self._t_ms = t_ms
        for slot, (x, y) in zip(slots, tracks.foot[slots].tolist(), strict=True):
            self.x[slot], self.y[slot] = self._ground(x, y) if self.on_ground else (x, y)
            if not self.on_ground:
                length_px = longer_side(tracks.boxes[slot])
                self.scale_m[slot] = BODY_M / max(length_px, LEAST_HEIGHT_PX)

    def _ground(self, x: float, y: float) -> Point:
        a, b, c, d, e, f, g, h, i = self._rows
        depth = g * x + h * y + i
        if depth < LEAST_DEPTH:
            return FAR_M, 0.0
        return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


class Outline:
    """A zone to measure to.

    Args:
        corners_px: float32[N, 2], pixels.
        homography: as of Places.

    Raises:
        ValueError: it reaches beyond the horizon.
    """

    def __init__(self, corners_px: F32, homography: F64 | None) -> None:
        corners: F64 = corners_px.astype(np.float64)
        if homography is not None:
            there = polygon_m(homography, corners_px)
            if there is None:
                raise ValueError("the zone reaches beyond the horizon")
            corners = np.array(there)
        merged = MERGED_PX if homography is None else MERGED_M
        kept = cv2.approxPolyDP(corners.astype(np.float32)[:, None], merged, True)[:, 0]
        points: list[list[float]] = kept.tolist() if len(kept) > 2 else corners.tolist()
        self._left, self._top = (min(p[axis] for p in points) for axis in (0, 1))
        self._right, self._bottom = (max(p[axis] for p in points) for axis in (0, 1))
        self._edges = [
            (x, y, (u - x) / span, (v - y) / span, span)
            for (x, y), (u, v) in zip(points, [*points[1:], points[0]], strict=True)
            if isfinite(span := hypot(u - x, v - y)) and span > 0.0
        ]

    def distance(self, x: float, y: float, most: float) -> float:
        """From a point outside to the nearest edge; infinite where it is more than `most`."""
        if (
            x < self._left - most
            or x > self._right + most
            or y < self._top - most
            or y > self._bottom + most
        ):
            return inf
        least = inf
        for from_x, from_y, along_x, along_y, span in self._edges:
            dx, dy = x - from_x, y - from_y
            along = dx * along_x + dy * along_y
            if along <= 0.0:
                away = hypot(dx, dy)
            elif along >= span:
                away = hypot(dx - span * along_x, dy - span * along_y)
            else:
                away = abs(dx * along_y - dy * along_x)
            if away < least:
                least = away
        return least if least <= most else inf
