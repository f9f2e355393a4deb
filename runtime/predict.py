"""Who will enter which zone within the horizon, and how surely.

A small network reads each person's recent path (`runtime.motion`) and says where they will be in
`horizon_ms`, and how far off that may be along the way and across it. Five rays fan out over that
spread; each tells how far it leads past the zone's edge. A second network turns that into a
probability. Both were fitted on trajectories of pedestrians by `runtime.entry_fit`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runtime.entry_parameters import EntryParameters
from runtime.motion import ACROSS, ALONG, STEPS, WAY_ROWS, Motion

F32 = npt.NDArray[np.float32]
C64 = npt.NDArray[np.complex64]
C128 = npt.NDArray[np.complex128]

RAYS = (-1.6, -0.6, 0.0, 0.6, 1.6)
"""Where the rays pass the predicted place, in spreads across the way."""
OUTPUTS = 4 + STEPS
"""Of the first network: start along and across, log spread along and across, step weights."""
BACK_M = 0.35
"""Rays begin this far behind the start: a place is not exact, nor the edge of a zone."""
MOST_SPREADS = 4.0
LEAST_WAY_M = 0.05
LEAST_LOG_SPREAD = -4.0
"""2 cm: nobody walks straighter than that, whatever a smooth path says."""
FAR_M = 1e3
TINY = 1e-9
"""Square metres: keeps an edge that points at the start from dividing by zero."""
_RAYS = np.array(RAYS, np.float32)[:, None]


class EntryPredictor:
    """Probability of each track to enter each zone within the horizon.

    Args:
        corners: complex128[V, Z], the zones' corners, metres, see `lay_corners`;
            or complex128[V, Z, T], when each track has zones of its own.
        parameters: fitted weights.
        capacity: number of track slots, T.
        horizon_ms: how far ahead.

    Attributes:
        probability: float32[Z, T], of the last `update`; means nothing for who is inside already.
        margin: float32[K, Z, T], spreads that each ray leads past the zone's edge.
        outputs: float32[OUTPUTS, T] of the first network. It writes log spread along the way and
            across it (metres), and length of the way (metres), into the table of `Motion`.
    """

    def __init__(
        self, corners: C128, parameters: EntryParameters, capacity: int, horizon_ms: float
    ) -> None:
        self.horizon_ms = horizon_ms
        self._corners = corners if corners.ndim == 3 else corners[:, :, None]
        edges, pairs = len(corners), (corners.shape[1], capacity)
        self._take(parameters)
        self._track_buffers(capacity)
        self._ray_buffers(edges, pairs)
        self.margin: F32 = np.zeros((len(RAYS), *pairs), np.float32)
        self._hidden: F32 = np.zeros((len(self._rays), *pairs), np.float32)
        self._hidden_shared: F32 = np.zeros((len(self._rays), capacity), np.float32)
        self.probability: F32 = np.zeros(pairs, np.float32)

    def _take(self, parameters: EntryParameters) -> None:
        """Weights as arrays; the logistic function is tanh of half the odds."""
        self._track_1 = np.array(parameters.track.w1, np.float32)
        self._track_2 = np.array(parameters.track.w2, np.float32)
        self._track_b2 = np.array(parameters.track.b2, np.float32)[:, None]
        entry = np.array(parameters.entry.w1, np.float32)
        self._rays = np.ascontiguousarray(entry[:, : len(RAYS)])
        self._shared = np.ascontiguousarray(entry[:, len(RAYS) :])
        self._entry_2 = np.array(parameters.entry.w2, np.float32) * np.float32(0.5)
        self._entry_b2 = np.float32(parameters.entry.b2[0] * 0.5)

    def _track_buffers(self, capacity: int) -> None:
        self._hidden_track: F32 = np.zeros((len(self._track_1), capacity), np.float32)
        self.outputs: F32 = np.zeros((OUTPUTS, capacity), np.float32)
        self._steps: F32 = np.zeros((2, STEPS, capacity), np.float32)
        self._way: F32 = np.zeros((2, capacity), np.float32)
        self._spread: F32 = np.zeros((2, capacity), np.float32)
        self._row: F32 = np.zeros(capacity, np.float32)
        self._length: F32 = np.zeros(capacity, np.float32)
        self._slopes: F32 = np.zeros((len(RAYS), capacity), np.float32)
        self._start: C128 = np.zeros(capacity, np.complex128)
        self._back: C64 = np.zeros(capacity, np.complex64)
        self._turn: C64 = np.zeros(capacity, np.complex64)

    def _ray_buffers(self, edges: int, pairs: tuple[int, int]) -> None:
        corners, rays = (edges + 1, *pairs), len(RAYS)
        self._from: C64 = np.zeros((edges, *pairs), np.complex64)
        self._x: F32 = np.zeros(corners, np.float32)
        self._y: F32 = np.zeros(corners, np.float32)
        self._cross: F32 = np.zeros((edges, *pairs), np.float32)
        self._part: F32 = np.zeros((edges, *pairs), np.float32)
        self._beside: F32 = np.zeros((rays, *corners), np.float32)
        self._is_left = np.zeros((rays, *corners), np.bool_)
        self._nearness: F32 = np.zeros((rays, edges, *pairs), np.float32)
        self._is_no_entry = np.zeros((rays, edges, *pairs), np.bool_)

    def update(self, motion: Motion, t_ms: float) -> F32:
        """Judge all tracks at source time `t_ms`; returns `probability`."""
        motion.describe()
        self.look_ahead(motion, t_ms)
        self.cast_rays(motion)
        self._judge(motion)
        return self.probability

    def look_ahead(self, motion: Motion, t_ms: float) -> None:
        """Fill the first rows of `motion.table` with each track's way, start to expected end."""
        table, features, hidden = motion.table, motion.features, self._hidden_track
        ahead_s, outputs = table[-2], self.outputs
        np.subtract(t_ms + self.horizon_ms, motion.time_ms, out=ahead_s, casting="same_kind")
        ahead_s *= 1e-3
        np.matmul(self._track_1, table[WAY_ROWS:], out=hidden)
        np.maximum(hidden, 0.0, out=hidden)
        np.matmul(self._track_2, hidden, out=outputs)
        outputs += self._track_b2
        way, steps = self._way, self._steps
        np.multiply(features[ALONG], outputs[4:], out=steps[0])
        np.multiply(features[ACROSS], outputs[4:], out=steps[1])
        np.add.reduce(steps, axis=1, out=way)
        way[0] += features[0]
        way *= ahead_s
        way -= outputs[:2]
        np.log(ahead_s, out=self._row)
        np.add(outputs[2:4], self._row, out=table[:2])
        np.maximum(table[:2], LEAST_LOG_SPREAD, out=table[:2])
        np.hypot(way[0], way[1], out=self._row)
        np.maximum(self._row, LEAST_WAY_M, out=table[2])

    def cast_rays(self, motion: Motion) -> None:
        """Fill `margin`: the way's length less the distance to the zone, in spreads along it.

        A ray enters an anticlockwise polygon where it passes an edge from its left to its right.
        """
        self._face(motion)
        x, y, cross, nearness, margin = self._x, self._y, self._cross, self._nearness, self.margin
        np.multiply(x[:-1], y[1:], out=cross)
        np.multiply(x[1:], y[:-1], out=self._part)
        cross -= self._part
        cross += TINY
        np.divide(1.0, cross, out=cross)
        np.exp(motion.table[:2], out=self._spread)
        np.divide(self._spread[1], self._length, out=self._row)
        np.multiply(_RAYS, self._row, out=self._slopes)
        beside, is_left, is_no_entry = self._beside, self._is_left, self._is_no_entry
        np.multiply(x, self._slopes[:, None, None], out=beside)
        np.subtract(y, beside, out=beside)
        np.greater(beside, 0.0, out=is_left)
        np.less_equal(is_left[:, :-1], is_left[:, 1:], out=is_no_entry)
        np.subtract(beside[:, 1:], beside[:, :-1], out=nearness)
        nearness *= cross
        np.copyto(nearness, 0.0, where=is_no_entry)
        np.maximum.reduce(nearness, axis=1, out=margin)
        np.maximum(margin, 1.0 / FAR_M, out=margin)
        np.divide(-1.0, margin, out=margin)
        margin += self._length
        margin /= self._spread[0]
        np.maximum(margin, -MOST_SPREADS, out=margin)
        np.minimum(margin, MOST_SPREADS, out=margin)

    def _face(self, motion: Motion) -> None:
        """Corners seen from behind each track's start, x along its way and y to its left, m."""
        start, turn, outputs, length = self._start, self._turn, self.outputs, self._length
        turn.real, turn.imag = self._way
        turn /= motion.table[2]
        np.add(motion.table[2], BACK_M, out=length)
        start.real, start.imag = outputs[0], outputs[1]
        np.multiply(turn, -BACK_M, out=self._back)
        start += self._back
        start *= motion.heading
        start += motion.place
        np.multiply(turn, motion.heading, out=turn, casting="same_kind")
        np.conjugate(turn, out=turn)
        np.subtract(self._corners, start, out=self._from, casting="same_kind")
        self._from *= turn
        self._x[:-1] = self._from.real
        self._y[:-1] = self._from.imag
        self._x[-1] = self._x[0]
        self._y[-1] = self._y[0]

    def _judge(self, motion: Motion) -> None:
        """`probability` from `margin` and the table."""
        hidden, shared, columns = self._hidden, self._hidden_shared, self.probability.size
        np.matmul(self._shared, motion.table, out=shared)
        flat = hidden.reshape(len(hidden), columns)
        np.matmul(self._rays, self.margin.reshape(len(RAYS), columns), out=flat)
        hidden += shared[:, None]
        np.maximum(hidden, 0.0, out=hidden)
        odds = self.probability.reshape(1, columns)
        np.matmul(self._entry_2, flat, out=odds)
        odds += self._entry_b2
        np.tanh(odds, out=odds)
        odds += 1.0
        odds *= 0.5


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
