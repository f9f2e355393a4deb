"""A script laid out in time: where the person goes, what is done when, what is worn."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

from sim.people.acts import Act
from sim.people.feet import Feet
from sim.people.gait import Manner
from sim.people.path import Path


@dataclass
class Plan:
    """All of one person's time."""

    path: Path
    feet: Feet
    manner: Manner
    acts: list[Act] = field(default_factory=list)
    doings: list[tuple[float, str]] = field(default_factory=list)
    """From when on, what."""
    wear: list[tuple[float, bool, bool]] = field(default_factory=list)
    """From when on, helmet, vest."""
    downs: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    """From when on a load would lie at x, y, heading, floor."""

    def doing(self, t_ms: float) -> str:
        """The step that goes on."""
        return self.doings[max(bisect.bisect_right(self.doings, (t_ms, "~")) - 1, 0)][1]

    def worn(self, t_ms: float) -> tuple[bool, bool]:
        """Helmet and vest."""
        at = bisect.bisect_right(self.wear, t_ms, key=lambda row: row[0]) - 1
        return self.wear[max(at, 0)][1:]

    def helmet_taken(self, t_ms: float) -> bool:
        """Whether the helmet was taken off before."""
        return any(row[1] for row in self.wear if row[0] <= t_ms)

    def act(self, t_ms: float) -> Act:
        """The last act that began."""
        return [act for act in self.acts if act.start_ms <= t_ms][-1]

    def put_down(self, t_ms: float) -> tuple[float, float, float, float]:
        """Where the load lies."""
        at = bisect.bisect_right(self.downs, t_ms, key=lambda row: row[0]) - 1
        return self.downs[max(at, 0)][1:]
