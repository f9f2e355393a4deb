"""Rule `zone`: a confirmed person's anchor point stays inside a polygon.

Where somebody stands is looked up once for all rules, in one bitmap. A person whose zones are the
same as in the last frame, and for whom no time is running, costs one comparison for all rules of
this kind together.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import ClassVar

from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule
from runtime.tables import Hazards, Tracks


class ZoneRule(SlotRule):
    """Holds wherever it may: its zone is among those that the person must stand in."""

    held_word: ClassVar[str] = "inside_ms"
    over_word: ClassVar[str] = "outside_ms"

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """In the zone, and in no exempt one."""
        return True

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """Where the person stands."""
        x, y = tracks.foot[slot].tolist()
        return {"foot_px": [round(x), round(y)], "score": round(tracks.score.item(slot), 3)}


class ZoneRules:
    """All rules of the kind.

    Args:
        rules: whose `judge` asks for nothing but the place.
        scope: of this frame.
        capacity: number of track slots.
    """

    def __init__(self, rules: Sequence[ZoneRule], scope: Scope, capacity: int) -> None:
        self._rules = tuple(rules)
        self._scope = scope
        self._zones = array("L", bytes(8 * capacity))
        self._waiting = bytearray(capacity)

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: as the scope has seen them.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        scope, known, waiting = self._scope, self._zones, self._waiting
        zones, turned = scope.zones, scope.turned
        for slot in tracks.died:
            known[slot] = waiting[slot] = 0
            for rule in self._rules:
                rule.drop(slot, tracks, t_ms, hazards)
        for slot in scope.slots:
            if zones[slot] == known[slot] and not waiting[slot] and not turned:
                continue
            known[slot] = zones[slot]
            waits = [rule.step(slot, tracks, t_ms, hazards) for rule in self._rules]
            waiting[slot] = any(waits)
