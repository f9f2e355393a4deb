"""All rules of a site, judged in one call; the table says what each rule index means."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.rules.entry import EntryRules
from runtime.rules.line import LineRules
from runtime.rules.man_down import ManDownRules
from runtime.rules.zone import ZoneRules
from runtime.site import Severity
from runtime.tables import Hazards, Tracks

Group = ZoneRules | LineRules | EntryRules | ManDownRules


@dataclass(frozen=True)
class RuleInfo:
    """What a rule index stands for: kind, the zone or line it watches, and its severity."""

    kind: str
    place: str
    severity: Severity


class Rules:
    """Groups of rules, each vectorised over the track table.

    Attributes:
        table: RuleInfo per rule index, in the order of the site file.
    """

    def __init__(self, table: tuple[RuleInfo, ...], groups: tuple[Group, ...]):
        self.table = table
        self._groups = groups

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame at source time `t_ms`."""
        for group in self._groups:
            group.update(tracks, t_ms, hazards)
