"""Whether somebody who seems to climb has left the ground.

A skeleton with its hands on a rung is that of somebody with their hands at a wall: the action
network says "climb" of both. But whoever climbs goes up: their ankles rise in the picture from
where they were before.
"""

from __future__ import annotations

from array import array
from math import exp

from runtime.feet import LEFT_ANKLE
from runtime.posture import Postures
from runtime.posture_down import STANDING_TORSOS

SMOOTH_MS = 400.0
"""Time in which a new place of the ankles takes over: one lifted foot is a step."""
LONGEST_STEP_MS = 400.0
UP, DOWN = 0.07, 0.04
"""Ankles so far above where they were, in standing heights: off the ground; back on it."""
CLIMBING = 0.5
"""Mean score from which on somebody may be climbing: where the ankles were before is kept."""


class Lift:
    """Of every track, updated at each of its skeletons.

    Args:
        capacity: number of track slots.
    """

    def __init__(self, capacity: int) -> None:
        self._ankles_y = array("d", bytes(8 * capacity))
        self._ground_y = array("d", bytes(8 * capacity))
        self._known = bytearray(capacity)
        self._is_up = bytearray(capacity)
        self.heights = array("d", bytes(8 * capacity))

    def forget(self, slot: int) -> None:
        """The track of this slot died."""
        self._known[slot] = self._is_up[slot] = 0
        self.heights[slot] = 0.0

    def see(self, slot: int, postures: Postures, climbing: float, waited_ms: float) -> None:
        """Take over a skeleton.

        Args:
            slot: whose.
            postures: with that skeleton.
            climbing: mean score of climbing so far.
            waited_ms: since the last one.
        """
        ankles = [ankle[1] for ankle in postures.keypoints[slot, LEFT_ANKLE:].tolist() if ankle[2]]
        if not ankles:
            return
        y = sum(ankles) / len(ankles)
        if not self._known[slot]:
            if climbing >= CLIMBING:
                return
            self._known[slot] = 1
            self._ankles_y[slot] = self._ground_y[slot] = y
        gain = 1.0 - exp(-min(waited_ms, LONGEST_STEP_MS) / SMOOTH_MS)
        self._ankles_y[slot] += gain * (y - self._ankles_y[slot])
        if climbing < CLIMBING:
            self._ground_y[slot] = self._ankles_y[slot]
        standing_px = max(STANDING_TORSOS * postures.torso_px.item(slot), 1.0)
        self.heights[slot] = (self._ground_y[slot] - self._ankles_y[slot]) / standing_px
        if self.heights[slot] >= UP:
            self._is_up[slot] = 1
        elif self.heights[slot] < DOWN:
            self._is_up[slot] = 0

    def is_up(self, slot: int) -> bool:
        """Off the ground; whoever climbed from the first, and was never seen on it, is too."""
        return not self._known[slot] or bool(self._is_up[slot])
