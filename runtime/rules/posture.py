"""Rule `posture`: somebody does one of the listed actions for `hold_ms`.

One picture proves nothing: the action network looks at a single skeleton, and its scores flicker.
What counts is their mean over the time that has passed, and time goes on between two looks: where
many people are there, each is looked at every few frames only.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import exp

from runtime.posture import NEVER_MS, Postures
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule
from runtime.tables import Tracks

SMOOTH_MS = 250.0
"""Time in which a new score takes over: one wrong skeleton is none."""
LONGEST_STEP_MS = 400.0
"""A look after a longer gap counts for no more than this."""
STALE_MS = 1500.0
"""Somebody who has not been looked at for this long may do anything."""
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
        zone: bits of the zones that a person must stand in; 0: anywhere.
        exempt: bits of zones in which nobody is judged.
        hold_ms, clear_ms: how long it must hold, and not hold.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        postures: Postures,
        *,
        actions: Sequence[str],
        least_score: float,
        zone: int = 0,
        exempt: int = 0,
        hold_ms: int,
        clear_ms: int,
    ) -> None:
        capacity = postures.capacity
        super().__init__(
            index, scope, capacity, zone=zone, exempt=exempt, hold_ms=hold_ms, clear_ms=clear_ms
        )
        self._postures = postures
        self._columns = [postures.actions.index(action) for action in dict.fromkeys(actions)]
        self._least, self._release = least_score, RELEASE * least_score
        self._level = array("d", bytes(8 * capacity))
        self._looked_ms = array("d", [NEVER_MS] * capacity)

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """The mean score is high enough, and not old."""
        judged_ms = self._postures.judged_ms.item(slot)
        if judged_ms != self._looked_ms[slot]:
            self._take(slot, judged_ms)
        elif t_ms - judged_ms > STALE_MS:
            self._level[slot] = 0.0
            return False
        return self._level[slot] >= (self._release if self._holds[slot] else self._least)

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """The mean score, and what the network says now."""
        postures = self._postures
        row: list[float] = postures.scores[slot].tolist()
        return {
            "score": round(self._level[slot], 2),
            "least_score": self._least,
            "action": postures.actions[row.index(max(row))],
            "skeleton_age_ms": round(t_ms - self._looked_ms[slot]),
        }

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self._level[slot] = 0.0
        self._looked_ms[slot] = NEVER_MS

    def _take(self, slot: int, judged_ms: float) -> None:
        """Towards the new score, by the time that has passed since the last one."""
        scores = self._postures.scores
        said = sum(scores.item(slot, column) for column in self._columns)
        step_ms = min(judged_ms - self._looked_ms[slot], LONGEST_STEP_MS)
        self._level[slot] += (1.0 - exp(-step_ms / SMOOTH_MS)) * (said - self._level[slot])
        self._looked_ms[slot] = judged_ms
