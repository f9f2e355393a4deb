"""Rule `posture`: somebody does one of the listed actions for `hold_ms`.

One picture proves nothing: the action network looks at a single skeleton, and its scores flicker.
What counts is their mean over the time that has passed, and time goes on between two looks: where
many people are there, each is looked at every few frames only. Climbing counts once the feet have
left the ground (`runtime.rules.lift`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import exp

from runtime.posture import NEVER_MS, Postures
from runtime.rules.lift import Lift
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule, Terms
from runtime.tables import Hazards, Tracks

SMOOTH_MS = 250.0
"""Time in which a new score takes over: one wrong skeleton is none."""
LONGEST_STEP_MS = 400.0
"""A look after a longer gap counts for no more than this."""
STALE_MS = 1500.0
"""Somebody who has not been looked at for this long may do anything."""
OFF_GROUND = ("climb",)
"""Actions of somebody whose feet have left the ground."""
RELEASE = 0.7
"""A posture goes on down to this share of `least_score`: who holds it is not always seen well."""


class PostureRule(SlotRule):
    """One such rule.

    Args:
        index: into the table of rules.
        scope: of this frame.
        postures: of the tracks.
        actions: names of the action network's classes; their scores are added up.
        least_score: from which on the posture counts.
        terms: as of every SlotRule.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        postures: Postures,
        terms: Terms,
        *,
        actions: Sequence[str],
        least_score: float,
    ) -> None:
        capacity = postures.capacity
        super().__init__(index, scope, capacity, terms)
        self._postures = postures
        listed = [(postures.actions.index(action), action) for action in dict.fromkeys(actions)]
        self._columns = [column for column, action in listed if action not in OFF_GROUND]
        self._climbs = [column for column, action in listed if action in OFF_GROUND]
        self._climbing, self._lift = array("d", bytes(8 * capacity)), Lift(capacity)
        self._least, self._release = least_score, RELEASE * least_score
        self._level = array("d", bytes(8 * capacity))
        self._looked_ms = array("d", [NEVER_MS] * capacity)

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """The mean score is high enough, and not old."""
        judged_ms = self._postures.judged_ms.item(slot)
        if judged_ms != self._looked_ms[slot]:
            self._take(slot, judged_ms)
        elif t_ms - judged_ms > STALE_MS:
            self._level[slot] = self._climbing[slot] = 0.0
            return False
        level = self._level[slot] + self._climbing[slot]
        return level >= (self._release if self._holds[slot] else self._least)

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """The mean score, and what the network says now."""
        postures = self._postures
        row: list[float] = postures.scores[slot].tolist()
        lifted = {"lifted_heights": round(self._lift.heights[slot], 2)} if self._climbs else {}
        return {
            "score": round(self._level[slot] + self._climbing[slot], 2),
            "least_score": self._least,
            "action": postures.actions[row.index(max(row))],
            "skeleton_age_ms": round(t_ms - self._looked_ms[slot]),
            **lifted,
        }

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self._level[slot] = self._climbing[slot] = 0.0
        self._looked_ms[slot] = NEVER_MS
        self._lift.forget(slot)

    def _settle(
        self, slot: int, holds: bool, tracks: Tracks, t_ms: float, hazards: Hazards
    ) -> bool:
        on_ground = self._climbs and not self._lift.is_up(slot)
        if holds and on_ground and self._level[slot] < self._release:
            return False
        return super()._settle(slot, holds, tracks, t_ms, hazards)

    def _take(self, slot: int, judged_ms: float) -> None:
        """Towards the new score, by the time that has passed since the last one."""
        scores = self._postures.scores
        waited_ms = judged_ms - self._looked_ms[slot]
        gain = 1.0 - exp(-min(waited_ms, LONGEST_STEP_MS) / SMOOTH_MS)
        said = sum(scores.item(slot, column) for column in self._columns)
        self._level[slot] += gain * (said - self._level[slot])
        self._looked_ms[slot] = judged_ms
        if self._climbs:
            said = sum(scores.item(slot, column) for column in self._climbs)
            self._climbing[slot] += gain * (said - self._climbing[slot])
            self._lift.see(slot, self._postures, self._climbing[slot], waited_ms)
