"""Postures: the last skeleton and action of each track, by slot, with their age."""

from __future__ import annotations

import numpy as np

from models.skeletons import JOINTS
from runtime.tables import F32, F64

NEVER_MS = -1e12
"""Time of what has not happened yet: older than anything."""


class Postures:
    """What the skeleton and the action network last said of each track; rows are track slots.

    Attributes:
        actions: names of the classes, C of them.
        keypoints: float32[T, 17, 3] x, y (pixels of the source frame), visibility; of `found_ms`.
        scores: float32[T, C] in 0..1; of `judged_ms`.
        torso_px: float64[T], length of the torso in `keypoints`, as the longest limbs tell it.
        looked_ms: float64[T], source time of the last look, whatever it found.
        found_ms: float64[T], source time of the last look that found a whole enough skeleton.
        judged_ms: float64[T], source time of the skeleton that `scores` are of.
        detected_ms: float64[T], source time when the detector, not a skeleton, last saw the track.
        knows_absence: the skeleton network finds nobody where nobody is. Of one that does not, a
            skeleton proves something only where the detector sees somebody too.
    """

    __slots__ = (
        "actions",
        "capacity",
        "detected_ms",
        "found_ms",
        "judged_ms",
        "keypoints",
        "knows_absence",
        "looked_ms",
        "scores",
        "torso_px",
    )

    def __init__(self, capacity: int, actions: tuple[str, ...], knows_absence: bool = True) -> None:
        self.capacity = capacity
        self.actions = actions
        self.knows_absence = knows_absence
        self.keypoints: F32 = np.zeros((capacity, JOINTS, 3), np.float32)
        self.scores: F32 = np.zeros((capacity, len(actions)), np.float32)
        self.torso_px: F64 = np.zeros(capacity, np.float64)
        self.looked_ms: F64 = np.full(capacity, NEVER_MS)
        self.found_ms: F64 = np.full(capacity, NEVER_MS)
        self.judged_ms: F64 = np.full(capacity, NEVER_MS)
        self.detected_ms: F64 = np.full(capacity, NEVER_MS)

    def forget(self, slot: int) -> None:
        """The track of this slot died."""
        self.torso_px[slot] = 0.0
        for times_ms in (self.looked_ms, self.found_ms, self.judged_ms, self.detected_ms):
            times_ms[slot] = NEVER_MS
