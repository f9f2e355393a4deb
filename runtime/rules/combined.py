"""Rule `combined`: one person is a hazard by several other rules at once.

Some rules remember somebody whose track was lost: who lies there has not gone. What was raised with
them stays raised for as long as one of them remembers, and it is raised when the last of them
comes to hold for somebody who is remembered by all.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule, Terms
from runtime.tables import HazardEdge, Hazards, Tracks


class CombinedRule(SlotRule):
    """Judged after all the others.

    Args:
        index, scope, capacity, terms: as of every SlotRule; times come after those of the parts.
        names: of its parts, for reasons.
        parts: for each the indices of the engine's rules that it stands for: one of them at least.
    """

    def __init__(
        self,
        index: int,
        scope: Scope,
        capacity: int,
        terms: Terms,
        *,
        names: Sequence[str],
        parts: Sequence[Sequence[int]],
    ) -> None:
        super().__init__(index, scope, capacity, terms)
        self._names = list(names)
        self._rows = [tuple(scope.active[i] for i in part) for part in parts]
        self._remembered = [tuple(scope.remembered[i] for i in part) for part in parts]
        self._lost: dict[int, int] = {}

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """Every part holds for this person."""
        for rows in self._rows:
            for row in rows:
                if row[slot]:
                    break
            else:
                return False
        return True

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """Which parts hold now."""
        held = [
            name
            for name, rows in zip(self._names, self._rows, strict=True)
            if any(row[slot] for row in rows)
        ]
        return {"all_of": self._names, "held": held}

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """As of every SlotRule; then those whose track is lost."""
        super().update(tracks, t_ms, hazards)
        if not self._lost and not all(any(part) for part in self._remembered):
            return
        asleep = self._scope.asleep[self.index]
        for track_id, slot in list(self._lost.items()):
            if asleep or not any(self._remembers(track_id)):
                del self._lost[track_id]
                self._tell(track_id, slot, "cleared", hazards)
        for lost in () if asleep else self._remembered[0]:
            for track_id, slot in lost.items():
                if track_id not in self._lost and all(self._remembers(track_id)):
                    self._lost[track_id] = slot
                    self._tell(track_id, slot, "raised", hazards)

    def drop(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """The track died: it stays a hazard where a part remembers the person."""
        track_id = tracks.track_id.item(slot)
        if self.active[slot] and any(self._remembers(track_id)):
            self.active[slot] = 0
            self._lost[track_id] = slot
        super().drop(slot, tracks, t_ms, hazards)

    def _remembers(self, track_id: int) -> list[bool]:
        """For each part, whether it remembers this person."""
        return [any(track_id in lost for lost in part) for part in self._remembered]

    def _tell(self, track_id: int, slot: int, state: str, hazards: Hazards) -> None:
        hazards.active[self.index] += 1 if state == "raised" else -1
        why: dict[str, object] = {"track_lost": True, "all_of": self._names}
        hazards.add(HazardEdge(self.index, slot, track_id, state, why))
