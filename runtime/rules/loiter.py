"""Rule `loiter`: somebody stays in the zone for `dwell_ms`, moving or not.

Who steps out for less than `clear_ms` has not left. A track that is lost and born again at the same
place goes on with its stay: identity is place and time, nothing else is known of anybody.
"""

from __future__ import annotations

from array import array

from runtime.posture import NEVER_MS
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule, Terms
from runtime.rules.wills import Will, Wills
from runtime.tables import HazardEdge, Hazards, Tracks

REBORN_MS = 2000.0
"""How long a lost track's stay waits for its heir, at least."""


class LoiterRule(SlotRule):
    """One such rule.

    Args:
        index: into the table of rules.
        scope: of this frame.
        capacity: number of track slots.
        terms: as of every SlotRule; away for less than `clear_ms`, the stay goes on.
        dwell_ms: the longest stay that is no hazard.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        capacity: int,
        terms: Terms,
        *,
        dwell_ms: int,
    ) -> None:
        super().__init__(index, scope, capacity, terms)
        self._dwell_ms = dwell_ms
        self._came_ms = array("d", [NEVER_MS] * capacity)
        self._inside_ms = array("d", [NEVER_MS] * capacity)
        self._last_ms = NEVER_MS
        self._wills = Wills(capacity)

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """The stay of somebody who is inside has lasted for `dwell_ms`.

        Who is only thought to be there, as a track is kept for a while, may have left.
        """
        if self._inside_ms[slot] == NEVER_MS:
            self._begin(slot, tracks, t_ms)
        elif self._was_away(slot, t_ms) and not self.active[slot]:
            self._came_ms[slot] = t_ms
        self._inside_ms[slot] = t_ms
        is_seen = bool(self.active[slot]) or tracks.last_ms.item(slot) >= t_ms
        return is_seen and t_ms - self._came_ms[slot] >= self._dwell_ms

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """The length of the stay."""
        x, y = tracks.foot[slot].tolist()
        return {
            "stay_ms": round(self._inside_ms[slot] - self._came_ms[slot]),
            "dwell_ms": self._dwell_ms,
            "foot_px": [round(x), round(y)],
        }

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; stays that nobody goes on with end."""
        super().update(tracks, t_ms, hazards)
        self._last_ms = t_ms
        for will in self._wills.standing():
            if t_ms >= will.until_ms:
                self._wills.close(will)
                if will.active:
                    self._end(will, t_ms, hazards)

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self._came_ms[slot] = self._inside_ms[slot] = NEVER_MS

    def _was_away(self, slot: int, t_ms: float) -> bool:
        """Not inside in the last frame, and for long enough."""
        inside_ms = self._inside_ms[slot]
        return inside_ms < self._last_ms and t_ms - inside_ms >= self._clear_ms

    def _begin(self, slot: int, tracks: Tracks, t_ms: float) -> None:
        """Somebody new is inside, or somebody who was lost is found again."""
        will = self._wills.claim(slot, tracks)
        self._came_ms[slot] = will.since_ms if will else t_ms
        if will and will.active:
            self.active[slot] = self._holds[slot] = 1

    def drop(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """The track died: its stay waits for an heir."""
        until_ms = self._inside_ms[slot] + max(self._clear_ms, REBORN_MS)
        if t_ms < until_ms:
            active = bool(self.active[slot])
            if self._wills.leave(slot, tracks, self._came_ms[slot], until_ms, active):
                self.active[slot] = 0
        super().drop(slot, tracks, t_ms, hazards)

    def _end(self, will: Will, t_ms: float, hazards: Hazards) -> None:
        why: dict[str, object] = {"track_lost": True, "unseen_ms": round(t_ms - will.seen_ms)}
        hazards.active[self.index] -= 1
        hazards.add(HazardEdge(self.index, will.slot, will.track_id, "cleared", why))
