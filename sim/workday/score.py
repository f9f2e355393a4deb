"""What the camera made of an hour: hazards found, how soon, and alarms for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sim.scenario.result import Track
from sim.workday.planted import Planted
from sim.workday.workday import bound_ms

BEFORE_MS, AFTER_MS = 4000.0, 6000.0
"""Around a planted hazard: people who take part are on their way, and clear times run."""
HOUR_MS = 3_600_000.0


@dataclass
class Found:
    """One planted hazard. `onset_ms` None: it never came to it; `delay_ms` None: not found."""

    hazard: Planted
    onset_ms: float | None
    delay_ms: float | None
    bound_ms: int

    @property
    def in_time(self) -> bool:
        """Told no later than it may take."""
        return self.delay_ms is not None and self.delay_ms <= self.bound_ms


@dataclass
class Score:
    """All of one hour.

    Attributes:
        found: one entry per planted hazard.
        false: hazards that were raised while nobody had planted one of that kind.
        severities: of the false ones, in the same order.
        minutes: of work.
    """

    found: list[Found]
    false: list[dict[str, Any]] = field(default_factory=list)
    severities: list[str] = field(default_factory=list)
    minutes: float = 60.0

    def false_by(self, severity: str) -> int:
        """How many were raised for nothing, of one severity."""
        return self.severities.count(severity)

    def late_share_ms(self, percent: float) -> float:
        """Percentile of delay less bound, ms, over the found ones: at most 0 is in time."""
        over = sorted(f.delay_ms - f.bound_ms for f in self.found if f.delay_ms is not None)
        return over[min(len(over) - 1, int(len(over) * percent / 100))] if over else 0.0


class Outcome(Protocol):
    """What a run leaves: of the whole camera, or of its judgement alone."""

    events: list[dict[str, Any]]
    tracks: list[Track]
    duration_ms: int


def score(result: Outcome, planted: Sequence[Planted], severities: dict[str, str]) -> Score:
    """Judge a run.

    Args:
        result: of the scenario that `workday` made.
        planted: as it made them.
        severities: of the site's rules, by kind.
    """
    tracks = {track.name: track for track in result.tracks}
    raised = [event for event in result.events if _is_raised(event)]
    found = [_find(hazard, tracks, raised) for hazard in planted]
    score = Score(found, minutes=result.duration_ms / 60_000)
    for event in raised:
        if not any(_belongs(event, hazard) for hazard in planted):
            score.false.append(event)
            score.severities.append(severities[event["rule"]])
    return score


def _is_raised(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "hazard" and event["state"] == "raised")


def _belongs(event: dict[str, Any], hazard: Planted) -> bool:
    """In the time of a planted hazard, its own rule or what comes with it may be told."""
    is_then = hazard.begins_ms <= event["t_ms"] <= hazard.ends_ms + AFTER_MS
    return is_then and event["rule"] in COMES_WITH.get(hazard.rule, (hazard.rule,))


COMES_WITH = {
    "zone": ("zone", "entry_predicted"),
    "man_down": ("man_down", "immobile"),
    "posture": ("posture",),
}
"""Who walks into a zone was about to; who lies there does not move."""


def _find(hazard: Planted, tracks: dict[str, Track], raised: list[dict[str, Any]]) -> Found:
    onset_ms = _onset_ms(hazard, tracks)
    if onset_ms is None:
        return Found(hazard, None, None, bound_ms(hazard))
    delays = [
        event["t_ms"] - onset_ms
        for event in raised
        if event["rule"] == hazard.rule
        and event["zone"] == hazard.zone
        and onset_ms - BEFORE_MS <= event["t_ms"] <= hazard.ends_ms + AFTER_MS
    ]
    return Found(hazard, onset_ms, min(delays, default=None), bound_ms(hazard))


def _onset_ms(hazard: Planted, tracks: dict[str, Track]) -> float | None:
    track = tracks.get(hazard.who)
    if track is None:
        return None
    zone, action = hazard.onset.get("enters"), hazard.onset.get("action")
    for i, t_ms in enumerate(track.t_ms):
        if zone in track.zones[i] if zone else track.action[i] == action:
            return t_ms
    return None


def table(score: Score) -> str:
    """For people."""
    lines = [f"{'planted':16} {'at':>7}  {'told after':>10}  {'allowed':>8}"]
    for each in score.found:
        at = f"{each.hazard.begins_ms / 60_000:5.1f} m"
        told = "never" if each.delay_ms is None else f"{each.delay_ms:.0f} ms"
        mark = "" if each.in_time else "  late" if each.delay_ms is not None else "  MISSED"
        lines.append(f"{each.hazard.kind:16} {at:>7}  {told:>10}  {each.bound_ms:>5} ms{mark}")
    for event, severity in zip(score.false, score.severities, strict=True):
        where = f" in {event['zone']}" if event["zone"] else ""
        lines.append(
            f"for nothing: {severity} {event['rule']}{where}, track {event['track']},"
            f" at {event['t_ms'] / 1000:.1f} s"
        )
    return "\n".join([*lines, summary(score)])


def summary(score: Score) -> str:
    """In one line."""
    found = sum(each.delay_ms is not None for each in score.found)
    in_time = sum(each.in_time for each in score.found)
    return (
        f"{score.minutes:.0f} minutes: {found} of {len(score.found)} hazards found,"
        f" {in_time} in time (99 %: {score.late_share_ms(99):+.0f} ms);"
        f" for nothing: {score.false_by('danger')} danger, {score.false_by('warning')} warning"
    )
