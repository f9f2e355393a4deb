"""One rule that judges one person after the other, with hysteresis in time on both edges.

A kind of rule is two small functions over tables: `judge` says whether it holds for a person now,
`why` says by which values. When it has held for `hold_ms` the hazard is raised, when it has not for
`clear_ms` it is cleared; state lives in the track's slot and dies with the track.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from typing import ClassVar, NamedTuple

from runtime.rules.scope import Scope
from runtime.tables import HazardEdge, Hazards, Tracks


class Terms(NamedTuple):
    """Where a rule judges people, and how long it waits.

    Attributes:
        zone: bits of the zones that a person must stand in, in all of them; 0: anywhere.
        exempt: bits of zones in which nobody is judged.
        hold_ms, clear_ms: how long it must hold, and not hold.
    """

    zone: int = 0
    exempt: int = 0
    hold_ms: int = 0
    clear_ms: int = 0


class SlotRule(ABC):
    """Base of such rules.

    Args:
        index: into the table of rules.
        scope: of this frame; updated by the engine before any rule is asked.
        capacity: number of track slots.
        terms: where and when.

    Attributes:
        active: per slot 1 while the hazard is raised; the scope's own row.
    """

    held_word: ClassVar[str] = "held_ms"
    over_word: ClassVar[str] = "over_ms"
    """What the time is called in a reason."""

    def __init__(self, index: int, scope: Scope, capacity: int, terms: Terms) -> None:
        self.index = index
        self._scope = scope
        self._zone, self._exempt, self._hold_ms, self._clear_ms = terms
        self.active = scope.active[index]
        self._holds = bytearray(capacity)
        self._since_ms = array("d", bytes(8 * capacity))

    @abstractmethod
    def judge(self, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """Whether the rule holds for the person in this slot now."""

    @abstractmethod
    def why(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """The values that it was judged by, beside their limits; plain types only."""

    def forget(self, slot: int) -> None:  # noqa: B027 most kinds keep nothing of their own
        """The track of this slot died: drop what is known of it."""

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: as the scope has seen them.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        for slot in tracks.died:
            self.drop(slot, tracks, t_ms, hazards)
        for slot in self._scope.slots:
            self.step(slot, tracks, t_ms, hazards)

    def step(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> bool:
        """Judge one person. Returns whether time alone may bring an edge: it has not settled."""
        scope = self._scope
        here, zone = scope.zones[slot], self._zone
        holds = (
            here & zone == zone
            and not here & self._exempt
            and not scope.asleep[self.index]
            and self.judge(slot, tracks, t_ms)
        )
        if holds != self._holds[slot]:
            self._holds[slot] = holds
            self._since_ms[slot] = t_ms
        if holds == self.active[slot]:
            return False
        return not self._settle(slot, holds, tracks, t_ms, hazards)

    def drop(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """The track died: what it held active is cleared, its slot's state is forgotten."""
        if self.active[slot]:
            unseen_ms = round(t_ms - tracks.last_ms.item(slot))
            why: dict[str, object] = {"track_lost": True, "unseen_ms": unseen_ms}
            self._edge(slot, False, tracks, hazards, why)
        self._holds[slot] = 0
        self.forget(slot)

    def _settle(
        self, slot: int, holds: bool, tracks: Tracks, t_ms: float, hazards: Hazards
    ) -> bool:
        held_ms = t_ms - self._since_ms[slot]
        if held_ms < (self._hold_ms if holds else self._clear_ms):
            return False
        why = {self.held_word if holds else self.over_word: round(held_ms)}
        why["hold_ms" if holds else "clear_ms"] = self._hold_ms if holds else self._clear_ms
        reasons = self.why(slot, tracks, t_ms) if holds else self._over(slot, tracks, t_ms)
        self._edge(slot, holds, tracks, hazards, {**why, **reasons})
        return True

    def _over(self, slot: int, tracks: Tracks, t_ms: float) -> dict[str, object]:
        """Why it holds no longer: not its time, not its place, or by its own values."""
        if self._scope.asleep[self.index]:
            return {"out_of_hours": True}
        exempt = self._scope.zones[slot] & self._exempt
        place: dict[str, object] = {"exempt": self._scope.names_of(exempt)} if exempt else {}
        return {**self.why(slot, tracks, t_ms), **place}

    def _edge(
        self, slot: int, raised: bool, tracks: Tracks, hazards: Hazards, why: dict[str, object]
    ) -> None:
        self.active[slot] = raised
        hazards.active[self.index] += 1 if raised else -1
        state = "raised" if raised else "cleared"
        hazards.add(HazardEdge(self.index, slot, tracks.track_id.item(slot), state, why))
