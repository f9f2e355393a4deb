"""Rule `crowd`: more than `at_most` people are in the zone for `hold_ms`.

The hazard is the zone's, not a person's: its edges name no track. A track that flickers does not
begin the time anew, and somebody who was lost and found again counts once.
"""

from __future__ import annotations

from math import hypot

from runtime.posture import NEVER_MS
from runtime.rules.scope import Scope
from runtime.rules.wills import longer_side
from runtime.tables import HazardEdge, Hazards, Tracks

FLICKER_MS = 500.0
"""Too many, then not for less than this, then again: that is one time."""
NEW_MS = 500.0
"""Somebody who was found no longer ago than this was there before the track was confirmed."""
SAME_HEIGHTS = 1.0
"""Somebody unseen was found again where a track began since, so near to where they were."""
NO_SLOT = -1


class CrowdRule:
    """One such rule.

    Args:
        index: into the table of rules.
        scope: of this frame.
        zone: bit of the zone; 0: the whole picture.
        at_most: so many are allowed.
        hold_ms, clear_ms: how long it must hold, and not hold.
    """

    def __init__(
        self, index: int, scope: Scope, *, zone: int, at_most: int, hold_ms: int, clear_ms: int
    ) -> None:
        self.index = index
        self._scope = scope
        self._zone, self._at_most = zone, at_most
        self._hold_ms, self._clear_ms = hold_ms, clear_ms
        self._active = False
        self._since_ms = self._over_ms = NEVER_MS

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: as the scope has seen them.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        scope, zone = self._scope, self._zone
        inside = scope.slots
        if zone:
            zones = scope.zones
            inside = [slot for slot in inside if zones[slot] & zone]
        if len(inside) > self._at_most and not scope.asleep[self.index]:
            inside = _once_each(inside, tracks, t_ms)
            if len(inside) > self._at_most:
                self._over(inside, tracks, t_ms, hazards)
                return
        if self._active and t_ms - self._over_ms >= self._clear_ms:
            over_ms = round(t_ms - self._over_ms)
            why: dict[str, object] = {"over_ms": over_ms, "clear_ms": self._clear_ms}
            if scope.asleep[self.index]:
                why["out_of_hours"] = True
            self._edge(False, inside, tracks, hazards, why)

    def _over(self, inside: list[int], tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        if t_ms - self._over_ms > FLICKER_MS and not self._active:
            newest_ms = max(tracks.first_ms.item(slot) for slot in inside)
            self._since_ms = newest_ms if t_ms - newest_ms <= NEW_MS else t_ms
        self._over_ms = t_ms
        held_ms = t_ms - self._since_ms
        if not self._active and held_ms >= self._hold_ms:
            why: dict[str, object] = {"held_ms": round(held_ms), "hold_ms": self._hold_ms}
            self._edge(True, inside, tracks, hazards, why)

    def _edge(
        self,
        raised: bool,
        inside: list[int],
        tracks: Tracks,
        hazards: Hazards,
        why: dict[str, object],
    ) -> None:
        self._active = raised
        hazards.active[self.index] += 1 if raised else -1
        why["people"], why["at_most"] = len(inside), self._at_most
        why["tracks"] = [tracks.track_id.item(slot) for slot in inside]
        state = "raised" if raised else "cleared"
        hazards.add(HazardEdge(self.index, NO_SLOT, 0, state, why))


def _once_each(inside: list[int], tracks: Tracks, t_ms: float) -> list[int]:
    """Without those unseen in this frame in whose place another track began since."""
    last_ms = tracks.last_ms
    if all(last_ms.item(slot) == t_ms for slot in inside):
        return inside
    return [
        slot
        for slot in inside
        if last_ms.item(slot) == t_ms
        or not any(_replaces(other, slot, tracks) for other in inside if other != slot)
    ]


def _replaces(new: int, old: int, tracks: Tracks) -> bool:
    if tracks.first_ms.item(new) <= tracks.last_ms.item(old):
        return False
    (x, y), (was_x, was_y) = tracks.foot[new].tolist(), tracks.foot[old].tolist()
    length_px = max(longer_side(tracks.boxes[new]), longer_side(tracks.boxes[old]), 1.0)
    return hypot(x - was_x, y - was_y) <= SAME_HEIGHTS * length_px
