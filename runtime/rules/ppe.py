"""Rule `ppe`: somebody does not wear what is needed. One rule of the engine for each item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from runtime.posture import NEVER_MS
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import SlotRule, Terms
from runtime.site_rules import Equipment
from runtime.tables import Hazards, Tracks
from runtime.wearing import MISSING, WORN, Wearing


class PpeRule(SlotRule):
    """One item on one person.

    Args:
        index, scope, capacity, terms: as of every SlotRule.
        wearing: evidence; updated by the group.
        item: what is needed.
    """

    held_word: ClassVar[str] = "missing_ms"
    over_word: ClassVar[str] = "worn_ms"

    def __init__(
        self,
        index: int,
        scope: Scope,
        capacity: int,
        terms: Terms,
        *,
        wearing: Wearing,
        item: Equipment,
    ) -> None:
        super().__init__(index, scope, capacity, terms)
        self._item, self._state = item, wearing.items[item]

    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """It is missing; once it is, it takes more to be there again."""
        return self._state.level[slot] < (WORN if self._holds[slot] else MISSING)

    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """Which item, and what was seen of it."""
        state, box = self._state, tracks.boxes[slot].tolist()
        seen_ms = state.seen_ms[slot]
        why: dict[str, object] = {
            "missing" if state.level[slot] < WORN else "worn": [self._item],
            "evidence": round(state.level[slot], 2),
            "threshold": WORN if self.active[slot] else MISSING,
            "height_px": round(box[3] - box[1]),
        }
        if seen_ms > NEVER_MS:
            why["unseen_ms"] = round(t_ms - seen_ms)
            why["last_score"] = round(state.score[slot], 2)
        if state.bare[slot]:
            why["bare_head_score"] = round(state.bare[slot], 2)
        return why


class PpeRules:
    """All rules of the kind.

    Args:
        rules: to judge.
        wearings: the evidence that they share.
        scope: of this frame.
    """

    def __init__(self, rules: Sequence[PpeRule], wearings: Sequence[Wearing], scope: Scope) -> None:
        self._rules, self._wearings, self._scope = tuple(rules), tuple(wearings), scope

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: as the scope has seen them.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        for wearing in self._wearings:
            wearing.update(self._scope.slots, tracks, t_ms)
        for rule in self._rules:
            rule.update(tracks, t_ms, hazards)
