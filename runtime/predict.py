"""Who will enter which zone within the horizon, and how surely.

A small network reads each person's recent path (`runtime.motion`) and says where they will be in
`horizon_ms`, and how far off that may be along the way and across it. Five rays fan out over that
spread; each tells how far it leads past the zone's edge (`runtime.entry_rays`). A second network
turns that into a probability. Both were fitted on trajectories of pedestrians by
`runtime.entry_fit`.
"""

from __future__ import annotations

import numpy as np

from runtime.entry_parameters import EntryParameters
from runtime.entry_rays import C128, F32, RAYS, Rays, lay_corners
from runtime.motion import STEPS, WAY_ROWS, Motion

__all__ = ["C128", "OUTPUTS", "RAYS", "EntryPredictor", "lay_corners"]

OUTPUTS = 4 + STEPS
"""Of the first network: start along and across, log spread along and across, step weights."""
LEAST_WAY_M = 0.05
LEAST_LOG_SPREAD = -4.0
"""2 cm: nobody walks straighter than that, whatever a smooth path says."""
MOST_LOG_SPREAD = 4.0
"""55 m: of somebody unseen for longer nothing is known, and what is free must stay a number."""
MOST_AHEAD_S = 30.0
"""A slot that has been free for hours is looked no further ahead than this."""


class EntryPredictor:
    """Probability of each track to enter each zone within the horizon.

    Args:
        corners: complex128[V, Z], the zones' corners, see `lay_corners`.
        parameters: fitted weights.
        capacity: number of track slots, T.
        horizon_ms: how far ahead.

    Attributes:
        rays: its `measure` says how corners that are not metres lie around each track.
        probability: float32[Z, T], of the last `update`; means nothing for who is inside already.
        outputs: float32[OUTPUTS, T] of the first network. It writes log spread along the way and
            across it (metres), and length of the way (metres), into the table of `Motion`.
    """

    def __init__(
        self, corners: C128, parameters: EntryParameters, capacity: int, horizon_ms: float
    ) -> None:
        self.horizon_ms = horizon_ms
        self.rays = Rays(corners, capacity)
        self._take(parameters)
        self._track_buffers(capacity)
        zones, hidden = corners.shape[1], len(self._shared)
        self._hidden: F32 = np.zeros((zones, hidden, capacity), np.float32)
        self._zeros: F32 = np.zeros_like(self._hidden)
        self._hidden_shared: F32 = np.zeros((hidden, capacity), np.float32)
        self.probability: F32 = np.zeros((zones, capacity), np.float32)
        self._odds: F32 = self.probability[:, None]
        self._half: F32 = np.full_like(self.probability, 0.5)

    def _take(self, parameters: EntryParameters) -> None:
        """Weights as arrays; the logistic function is tanh of half the odds."""
        self._track_1 = np.array(parameters.track.w1, np.float32)
        self._track_2 = np.array(parameters.track.w2, np.float32)
        self._track_b2 = np.array(parameters.track.b2, np.float32)
        entry = np.array(parameters.entry.w1, np.float32)
        self._by_ray = np.ascontiguousarray(entry[:, : len(RAYS)])
        self._shared = np.ascontiguousarray(entry[:, len(RAYS) :])
        self._entry_2 = np.array(parameters.entry.w2, np.float32) * np.float32(0.5)
        self._entry_b2 = np.array(parameters.entry.b2[0] * 0.5, np.float32)

    def _track_buffers(self, capacity: int) -> None:
        self._hidden_track: F32 = np.zeros((len(self._track_1), capacity), np.float32)
        self._zeros_track: F32 = np.zeros_like(self._hidden_track)
        self.outputs: F32 = np.zeros((OUTPUTS, capacity), np.float32)
        self._steps: F32 = np.zeros((2, STEPS, capacity), np.float32)
        self._way: F32 = np.zeros((2, capacity), np.float32)
        self._spread: F32 = np.zeros((2, capacity), np.float32)
        self._biases: F32 = self._track_b2[:, None].repeat(capacity, axis=1)
        self._least_spread: F32 = np.full((2, capacity), LEAST_LOG_SPREAD, np.float32)
        self._most_spread: F32 = np.full((2, capacity), MOST_LOG_SPREAD, np.float32)
        self._least_way: F32 = np.full(capacity, LEAST_WAY_M, np.float32)
        self._row: F32 = np.zeros(capacity, np.float32)
        self._seconds = np.zeros(capacity)

    def update(self, motion: Motion, t_ms: float) -> F32:
        """Judge all tracks at source time `t_ms`; returns `probability`."""
        motion.describe()
        self.look_ahead(motion, t_ms)
        self.cast_rays(motion)
        self._judge(motion)
        return self.probability

    def look_ahead(self, motion: Motion, t_ms: float) -> None:
        """Fill the first rows of `motion.table` with each track's way, start to expected end."""
        table, hidden, row = motion.table, self._hidden_track, self._row
        spreads, ahead_s, outputs = table[:2], table[-2], self.outputs
        np.subtract((t_ms + self.horizon_ms) * 1e-3, motion.time_s, out=self._seconds)
        np.minimum(self._seconds, MOST_AHEAD_S, out=self._seconds)
        ahead_s[:] = self._seconds
        np.dot(self._track_1, table[WAY_ROWS:], out=hidden)
        np.maximum(hidden, self._zeros_track, out=hidden)
        np.dot(self._track_2, hidden, out=outputs)
        outputs += self._biases
        way, steps = self._way, self._steps
        np.multiply(motion.steps, outputs[4:], out=steps)
        np.add.reduce(steps, axis=1, out=way)
        way[0] += motion.speed
        way *= ahead_s
        way -= outputs[:2]
        np.log(ahead_s, out=row)
        np.add(outputs[2:4], row, out=spreads)
        np.maximum(spreads, self._least_spread, out=spreads)
        np.minimum(spreads, self._most_spread, out=spreads)
        np.hypot(way[0], way[1], out=row)
        np.maximum(row, self._least_way, out=table[2])

    def cast_rays(self, motion: Motion) -> None:
        """Fill the rays' `margin` from what `look_ahead` found."""
        table = motion.table
        np.exp(table[:2], out=self._spread)
        start, way, length = self.outputs[:2], self._way, table[2]
        self.rays.cast(motion.place, motion.facing, start, way, length, self._spread)

    def _judge(self, motion: Motion) -> None:
        """`probability` from the rays' margins and the table."""
        hidden, shared, odds, half = self._hidden, self._hidden_shared, self._odds, self._half
        np.dot(self._shared, motion.table, out=shared)
        np.matmul(self._by_ray, self.rays.margin, out=hidden)
        hidden += shared
        np.maximum(hidden, self._zeros, out=hidden)
        np.matmul(self._entry_2, hidden, out=odds)
        odds += self._entry_b2
        probability = self.probability
        np.tanh(probability, out=probability)
        probability *= half
        probability += half
