"""Rule `proximity`: somebody is nearer than `distance_mm` to a machine's zone, or to somebody else.

People are where their feet are. Whoever stands in an exempt zone - the driver in the cab - is
neither judged nor too near to anybody. One person with two boxes is not two people: a track that
began inside another's box counts once they have been seen apart.
"""

from __future__ import annotations

from array import array
from itertools import islice
from math import hypot, inf

from runtime.overlap import share_of_smaller
from runtime.rules.places import Outline, Places
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule, Terms
from runtime.tables import Hazards, Tracks

SEEN_MS = 250.0
"""Somebody who has not been seen for this long may be elsewhere: no neighbour of anybody."""
TOGETHER, APART = 0.5, 0.25
"""Share of the smaller of two boxes in the other: a second box of a person; surely two people."""
Row = tuple[float, float, float, int]
"""Of one person: x, y, metres per unit, slot."""


class ToZone(SlotRule):
    """To a machine's zone.

    Args:
        index: into the table of rules.
        scope: of this frame.
        capacity: number of track slots.
        terms: as of every SlotRule.
        places: of this frame; updated by this rule.
        machine: bit of the machine's zone.
        outline: that zone, in the units of `places`.
        distance_mm: nearer than this is too near.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        capacity: int,
        terms: Terms,
        *,
        places: Places,
        machine: int,
        outline: Outline,
        distance_mm: int,
    ) -> None:
        super().__init__(index, scope, capacity, terms)
        self._places, self._machine, self._outline = places, machine, outline
        self._limit_m = distance_mm / 1000.0
        self._away_m = array("d", [inf] * capacity)

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame."""
        self._places.update(tracks, self._scope.slots, t_ms)
        super().update(tracks, t_ms, hazards)

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """Inside, or nearer than the limit."""
        if self._scope.zones[slot] & self._machine:
            self._away_m[slot] = 0.0
            return True
        places = self._places
        scale_m = places.scale_m[slot]
        limit = self._limit_m / scale_m
        away = self._outline.distance(places.x[slot], places.y[slot], limit)
        self._away_m[slot] = away * scale_m
        return away < limit

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """How near, and how it was measured."""
        return _measured(self._away_m[slot], self._limit_m, self._places)

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self._away_m[slot] = inf


class ToPerson(SlotRule):
    """To somebody else; both are judged.

    Args:
        index: into the table of rules.
        scope: of this frame.
        capacity: number of track slots.
        terms: as of every SlotRule.
        places: of this frame; updated by this rule.
        distance_mm: nearer than this is too near.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        capacity: int,
        terms: Terms,
        *,
        places: Places,
        distance_mm: int,
    ) -> None:
        super().__init__(index, scope, capacity, terms)
        self._places = places
        self._limit_m = distance_mm / 1000.0
        self._away_m = array("d", [inf] * capacity)
        self._other_id = [0] * capacity
        self._known = [0] * capacity
        self._twins = [0] * capacity

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame."""
        slots = self._scope.slots
        self._places.update(tracks, slots, t_ms)
        for slot in slots:
            self._away_m[slot] = inf
            if self._known[slot] != tracks.track_id.item(slot):
                self._meet(slot, tracks)
        if len(slots) > 1:
            self._measure(tracks, t_ms)
        super().update(tracks, t_ms, hazards)

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """Somebody is nearer than the limit."""
        return self._away_m[slot] < self._limit_m

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """How near to whom, and how it was measured."""
        who = [tracks.track_id.item(slot), self._other_id[slot]]
        return {"tracks": who, **_measured(self._away_m[slot], self._limit_m, self._places)}

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self._away_m[slot] = inf
        self._known[slot] = 0

    def _meet(self, slot: int, tracks: Tracks) -> None:
        """A new track: whose box is it in?"""
        self._known[slot] = tracks.track_id.item(slot)
        self._twins[slot] = 0
        for other in self._scope.slots:
            if other == slot:
                continue
            self._twins[other] &= ~(1 << slot)
            if _shared(slot, other, tracks) >= TOGETHER:
                self._twins[slot] |= 1 << other
                self._twins[other] |= 1 << slot

    def _measure(self, tracks: Tracks, t_ms: float) -> None:
        """Everybody's nearest within the limit; sorted by x, so that the far are not compared."""
        limit_m = self._limit_m
        rows = sorted(self._rows(tracks, t_ms))
        if len(rows) < 2:
            return
        reach = limit_m / min(row[2] for row in rows)
        for i, (x, y, scale_m, slot) in enumerate(rows, start=1):
            for x2, y2, scale2_m, other in islice(rows, i, None):
                if x2 - x > reach:
                    break
                if abs(y2 - y) > reach:
                    continue
                away_m = hypot(x2 - x, y2 - y) * (scale_m + scale2_m) * 0.5
                if away_m < limit_m and not self._is_one(slot, other, tracks):
                    self._near(slot, other, away_m, tracks)
                    self._near(other, slot, away_m, tracks)

    def _rows(self, tracks: Tracks, t_ms: float) -> list[Row]:
        scope, places = self._scope, self._places
        return [
            (places.x[slot], places.y[slot], places.scale_m[slot], slot)
            for slot in scope.slots
            if not scope.zones[slot] & self._exempt and t_ms - tracks.last_ms.item(slot) <= SEEN_MS
        ]

    def _is_one(self, slot: int, other: int, tracks: Tracks) -> bool:
        """Two boxes of one person, as far as is known."""
        if not self._twins[slot] >> other & 1:
            return False
        if _shared(slot, other, tracks) > APART:
            return True
        self._twins[slot] &= ~(1 << other)
        self._twins[other] &= ~(1 << slot)
        return False

    def _near(self, slot: int, other: int, away_m: float, tracks: Tracks) -> None:
        if away_m < self._away_m[slot]:
            self._away_m[slot], self._other_id[slot] = away_m, tracks.track_id.item(other)


def _measured(away_m: float, limit_m: float, places: Places) -> dict[str, object]:
    near: dict[str, object] = {} if away_m == inf else {"distance_mm": round(1000 * away_m)}
    how = "ground" if places.on_ground else "body height"
    return {**near, "limit_mm": round(1000 * limit_m), "measured": how}


def _shared(slot: int, other: int, tracks: Tracks) -> float:
    """Share of the smaller box that lies in the other."""
    return share_of_smaller(tracks.boxes[slot].tolist(), tracks.boxes[other].tolist())
