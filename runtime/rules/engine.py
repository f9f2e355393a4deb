"""All rules of a site, judged in one call; the table says what each rule index means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime.rules.scope import Scope
from runtime.schedule import Hours
from runtime.site_rules import Severity
from runtime.tables import Hazards, Tracks


class Group(Protocol):
    """One or more rules of a kind."""

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date."""


@dataclass(frozen=True)
class RuleInfo:
    """What a rule index stands for.

    Attributes:
        kind, name: as in the site file.
        place: the zone or line that it watches; of an override without one, the override's zone.
        severity: of its hazards.
        source: index into the site file's rules; the overrides of a rule have the same.
    """

    kind: str
    place: str
    severity: Severity
    name: str = ""
    source: int = 0


class Rules:
    """Groups of rules.

    Args:
        table: what each rule index means.
        groups: in the order of judgement.
        scope: looked up once per frame, before the groups.
        hours: what keeps `scope.asleep`; None: every rule always holds.

    Attributes:
        table: RuleInfo per rule index, in the order of the site file; the overrides of a rule
            follow it.
        hours: as given.
        scope: who is in which zone in this frame.
    """

    def __init__(
        self,
        table: tuple[RuleInfo, ...],
        groups: tuple[Group, ...],
        scope: Scope,
        hours: Hours | None = None,
    ) -> None:
        self.table = table
        self.hours = hours
        self._groups = groups
        self.scope = scope

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame at source time `t_ms`."""
        if self.hours is not None:
            self.scope.turned = self.hours.look()
        self.scope.update(tracks)
        for group in self._groups:
            group.update(tracks, t_ms, hazards)
