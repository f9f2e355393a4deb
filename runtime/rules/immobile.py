"""Rule `immobile`: somebody has not moved for `still_ms`.

Somebody who lies still is lost by a detector sooner than anybody else, and has not gone: whoever
walks away is seen to move first. So the time of a lost track goes on for REMEMBER_MS, also without
anybody in its place when half of `still_ms` was over by then; a track that begins there goes on
with it.
"""

from __future__ import annotations

from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule, Terms
from runtime.rules.wills import Will, Wills
from runtime.stillness import Body, Stillness
from runtime.tables import HazardEdge, Hazards, Tracks

REMEMBER_MS = 30_000.0
"""How long the time of somebody lost goes on."""
HEIR_HEIGHTS = 2.0
"""Whoever is lost in the moment of getting up is found again this near."""
LONG_SHARE = 0.5
"""Of `still_ms`: whoever was still for so long when they were lost is still there."""


class ImmobileRule(SlotRule):
    """One such rule.

    Args:
        index: into the table of rules.
        scope: of this frame.
        capacity: number of track slots.
        terms: as of every SlotRule.
        stillness: of everybody; updated by this rule.
        still_ms: the longest that is no hazard.
        moved_heights: the measure of `stillness`, for the reason.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        capacity: int,
        terms: Terms,
        *,
        stillness: Stillness,
        still_ms: int,
        moved_heights: float,
    ) -> None:
        super().__init__(index, scope, capacity, terms)
        self._stillness, self._still_ms, self._limit = stillness, still_ms, moved_heights
        self._known = [0] * capacity
        self._wills = Wills(capacity)
        self._remembered = scope.remembered[index]

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; the time of those who were lost goes on."""
        self._stillness.update(tracks, self._scope.slots, t_ms)
        super().update(tracks, t_ms, hazards)
        for will in self._wills.standing():
            self._remember(will, t_ms, hazards)

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """They have not moved for `still_ms`."""
        body = self._stillness.bodies[slot]
        if self._known[slot] != body.track_id:
            self._known[slot] = body.track_id
            if body.since_ms == t_ms:
                self._inherit(slot, body, tracks)
        return t_ms - body.since_ms >= self._still_ms

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """For how long, how much they moved, and how it was measured."""
        body = self._stillness.bodies[slot]
        x, y = tracks.centre[slot].tolist()
        return {
            "for_ms": round(t_ms - body.since_ms),
            "still_ms": self._still_ms,
            "moved_heights": round(body.moved, 3),
            "limit_heights": self._limit,
            "measured": "skeleton" if body.by_skeleton else "box",
            "centre_px": [round(x), round(y)],
        }

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self._known[slot] = 0

    def drop(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """The track died: its time goes on."""
        body, zones = self._stillness.bodies[slot], self._scope.zones_of(slot, tracks)
        inside = zones & self._zone == self._zone and not zones & self._exempt
        if inside and self._known[slot] and self._known[slot] == body.track_id:
            active, since_ms = bool(self.active[slot]), body.since_ms
            will = self._wills.leave(slot, tracks, since_ms, t_ms + REMEMBER_MS, active)
            if will is not None:
                self.active[slot] = 0
                if active:
                    self._remembered[will.track_id] = slot
                long_ms = LONG_SHARE * self._still_ms
                will.raisable = will.seen_ms - since_ms >= long_ms
        super().drop(slot, tracks, t_ms, hazards)

    def _inherit(self, slot: int, body: Body, tracks: Tracks) -> None:
        """Who was lost here is found again: the time goes on until they are seen to move."""
        will = self._wills.claim(slot, tracks, HEIR_HEIGHTS)
        if will is None:
            return
        body.since_ms = will.since_ms
        self._remembered.pop(will.track_id, None)
        if will.active:
            self.active[slot] = self._holds[slot] = 1

    def _remember(self, will: Will, t_ms: float, hazards: Hazards) -> None:
        for_ms = round(t_ms - will.since_ms)
        why: dict[str, object] = {"track_lost": True, "unseen_ms": round(t_ms - will.seen_ms)}
        asleep = self._scope.asleep[self.index]
        if t_ms >= will.until_ms or asleep:
            self._wills.close(will)
            if will.active:
                self._tell(will, False, hazards, why)
        elif will.raisable and not will.active and for_ms >= self._still_ms:
            why |= {"for_ms": for_ms, "still_ms": self._still_ms}
            will.active = True
            self._tell(will, True, hazards, why)

    def _tell(self, will: Will, raised: bool, hazards: Hazards, why: dict[str, object]) -> None:
        hazards.active[self.index] += 1 if raised else -1
        if raised:
            self._remembered[will.track_id] = will.slot
        else:
            self._remembered.pop(will.track_id, None)
        state = "raised" if raised else "cleared"
        hazards.add(HazardEdge(self.index, will.slot, will.track_id, state, why))
