"""Why an alarm stands: who, by which values, since when; and who has only flickered."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from runtime.tables import HazardEdge

RECENT = 16
"""People per rule who are remembered after they have gone; the oldest give way."""
HELD = ("inside_ms", "stay_ms", "missing_ms", "for_ms", "down_ms", "held_ms")
"""Values of a `why` that say for how long the cause has already lasted, the first that is there."""


class Cause(NamedTuple):
    """One raised hazard.

    Attributes:
        track: who; 0 where it is nobody in particular.
        since_ms: source time from which on its cause has held.
        why: values against limits, as the rule gave them.
    """

    track: int
    since_ms: float
    why: dict[str, object]


class Edges(NamedTuple):
    """Rules whose causes came in this frame: of another person, or of one who has flickered."""

    fresh: list[int]
    again: list[int]


class Causes:
    """The last cause of every rule. Fixed in size.

    Args:
        retrigger_ms: per rule: the same person back within this time is no new cause.

    Attributes:
        last: per rule the newest cause; None before the first.
    """

    def __init__(self, retrigger_ms: Sequence[float]) -> None:
        self._hold_ms = tuple(retrigger_ms)
        self._track = [array("q", [-1] * RECENT) for _ in retrigger_ms]
        self._gone_ms = [array("d", bytes(8 * RECENT)) for _ in retrigger_ms]
        self._next = [0] * len(self._hold_ms)
        self.last: list[Cause | None] = [None] * len(self._hold_ms)

    def sort(self, edges: Sequence[HazardEdge], t_ms: float) -> Edges:
        """Take a frame's edges over, and say which rules they make sound."""
        fresh: list[int] = []
        again: list[int] = []
        for edge in edges:
            rule, track = edge.rule, edge.track_id
            if edge.state != "cleared":
                known = self._is_back(rule, track, t_ms)
                (again if known else fresh).append(rule)
                self.last[rule] = Cause(track, t_ms - held_ms(edge.why), edge.why)
            if edge.state != "raised":
                self._went(rule, track, t_ms)
        return Edges(fresh, again)

    def _is_back(self, rule: int, track: int, t_ms: float) -> bool:
        tracks, gone_ms = self._track[rule], self._gone_ms[rule]
        hold_ms = self._hold_ms[rule]
        return any(tracks[i] == track and t_ms - gone_ms[i] < hold_ms for i in range(RECENT))

    def _went(self, rule: int, track: int, t_ms: float) -> None:
        at = self._next[rule]
        self._next[rule] = (at + 1) % RECENT
        self._track[rule][at], self._gone_ms[rule][at] = track, t_ms


def held_ms(why: dict[str, object]) -> float:
    """For how long a cause had lasted when it became a hazard; 0 where it does not say."""
    for name in HELD:
        value = why.get(name)
        if isinstance(value, int | float):
            return float(value)
    return 0.0
