"""k-anonymity: what fewer than k people account for is withheld before anything is added up.

The rules, hour by hour:

- A cell of the picture, or a zone, with 1 to k-1 different tracks is withheld; so is a count of
  crossings in or out of 1 to k-1.
- Of two zones that share a part of the picture, both are shown only if their tracks differ by at
  least k: otherwise one could be subtracted from the other. The smaller one is shown. The whole
  picture shares with every zone; without the site file all zones are taken to share.
- Cells are shown in five steps, each twice the last, never as figures, and mean occupancy in tenths
  of a person: a withheld cell cannot be found by subtracting the others from its zone.
- Sums hold only what is shown, so no sum gives away what was left out of it.
- Classes of stays are joined with their neighbours until each holds at least k stays.
- Hazards and alarms are safety events, not counts of people, and are told in full, but for how long
  a rule of severity "info" was active: that is a count like any other.

A track is one person followed without a break: whoever leaves and comes back is counted again, so k
tracks may be fewer than k people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from runtime.counts import WHOLE_PICTURE
from runtime.counts_record import Period

STEPS = 5
Overlaps = Callable[[str, str], bool]


def overlap_all(one: str, other: str) -> bool:
    """Where no site file says where the zones are."""
    return True


@dataclass
class Heat:
    """The grid over the picture.

    Attributes:
        grid: columns, rows.
        steps: cell -> 1 ... STEPS, for cells with something to show.
        withheld: cells in which every hour with somebody was withheld.
        partly: cells with a step in which some hours were withheld.
        edges_min: upper edges of the steps, person-minutes.
    """

    grid: tuple[int, int] = (0, 0)
    steps: dict[int, int] = field(default_factory=dict)
    withheld: list[int] = field(default_factory=list)
    partly: list[int] = field(default_factory=list)
    edges_min: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Flow:
    """Crossings of a line in one hour; None: withheld."""

    from_ms: int
    count_in: int | None
    count_out: int | None


@dataclass
class ZoneShown:
    """A zone over all hours that are shown.

    Attributes:
        hours, withheld: how many hours with somebody are shown, and are not.
        entries, appeared, exits, vanished: sums; None where one is withheld.
        most: most people inside at a time.
        mean: people inside at a time, in tenths; None where nothing is shown.
        stays: (from s, to s or None, count), joined so that each holds at least k or none.
    """

    hours: int = 0
    withheld: int = 0
    entries: int | None = 0
    appeared: int | None = 0
    exits: int | None = 0
    vanished: int | None = 0
    most: int = 0
    mean: float | None = None
    stays: list[tuple[int, int | None, int]] = field(default_factory=list)


@dataclass
class RuleShown:
    """How long a rule was active; hours of a rule of severity "info" may be withheld."""

    severity: str
    ms: float = 0.0
    raised: int = 0
    withheld: int = 0


def heat(periods: Iterable[Period], k: int, grid: tuple[int, int]) -> Heat:
    """The heat map over all hours that were counted on this grid."""
    sums: dict[int, float] = {}
    hidden: set[int] = set()
    for period in periods:
        if period.grid != grid:
            continue
        for cell, (ms, tracks) in period.cells.items():
            if tracks >= k:
                sums[cell] = sums.get(cell, 0.0) + ms
            elif tracks:
                hidden.add(cell)
    top_min = nice(max(sums.values(), default=0.0) / 60_000)
    edges = [top_min / 2 ** (STEPS - step) for step in range(1, STEPS + 1)]
    steps = {cell: 1 + sum(ms / 60_000 > edge for edge in edges[:-1]) for cell, ms in sums.items()}
    return Heat(grid, steps, sorted(hidden - set(sums)), sorted(hidden & set(sums)), edges)


def nice(value: float) -> float:
    """The next of 1, 2, 5, 10, ... that is not smaller; 1 for nothing."""
    step = 1.0
    if value <= 0:
        return step
    while step > value:
        step /= 10
    while True:
        for factor in (1, 2, 5):
            if step * factor >= value:
                return step * factor
        step *= 10


def flows(periods: Iterable[Period], k: int) -> dict[str, list[Flow]]:
    """Crossings per line and hour."""
    found: dict[str, list[Flow]] = {}
    for period in periods:
        for name, (count_in, count_out) in period.lines.items():
            flow = Flow(period.from_ms, _shown(count_in, k), _shown(count_out, k))
            found.setdefault(name, []).append(flow)
    return found


def _shown(count: int, k: int) -> int | None:
    return None if 0 < count < k else count


def zones(
    periods: Sequence[Period], k: int, overlaps: Overlaps = overlap_all
) -> dict[str, ZoneShown]:
    """Every zone that anybody was in, the whole picture last."""
    names = {name for period in periods for name in period.zones}
    shown = [(period, _shown_zones(period, k, overlaps)) for period in periods]
    edges = next((p.dwell_s for p in reversed(periods) if p.dwell_s), [])
    order = sorted(names, key=lambda name: (name == WHOLE_PICTURE, name))
    return {name: _zone(name, shown, k, edges) for name in order}


def _zone(
    name: str, shown: Sequence[tuple[Period, set[str]]], k: int, edges_s: list[int]
) -> ZoneShown:
    """One zone; an hour with nobody in it is one with a mean of 0."""
    told = [period.zones[name] for period, names in shown if name in names]
    open_ = [period for period, names in shown if name in names or name not in period.zones]
    watched_ms = sum(max(period.observed_ms, 0) for period in open_)
    classes = [
        period.zones[name].dwell
        for period, names in shown
        if name in names and period.dwell_s == edges_s
    ]
    fitting = [counts for counts in classes if len(counts) == len(edges_s) + 1]
    stays = [sum(column) for column in zip(*fitting, strict=True)]
    return ZoneShown(
        hours=len(told),
        withheld=len(shown) - len(open_),
        entries=_shown(sum(hour.entries for hour in told), k),
        appeared=_shown(sum(hour.appeared for hour in told), k),
        exits=_shown(sum(hour.exits for hour in told), k),
        vanished=_shown(sum(hour.vanished for hour in told), k),
        most=max((hour.most for hour in told), default=0),
        mean=round(sum(hour.ms for hour in told) / watched_ms, 1) if told and watched_ms else None,
        stays=join_classes(edges_s, stays, k),
    )


def _shown_zones(period: Period, k: int, overlaps: Overlaps) -> set[str]:
    """Zones of one hour that may be told, the smallest first."""
    shown: dict[str, int] = {}
    by_tracks = sorted(period.zones.items(), key=lambda item: (item[1].tracks, item[0]))
    for name, hour in by_tracks:
        is_near = any(
            hour.tracks - tracks < k and _may_overlap(name, other, overlaps)
            for other, tracks in shown.items()
        )
        if hour.tracks >= k and (k == 1 or not is_near):
            shown[name] = hour.tracks
    return set(shown)


def _may_overlap(one: str, other: str, overlaps: Overlaps) -> bool:
    return WHOLE_PICTURE in (one, other) or overlaps(one, other)


def join_classes(
    edges_s: Sequence[int], counts: Sequence[int], k: int
) -> list[tuple[int, int | None, int]]:
    """Classes of stays, neighbours joined until each holds at least k; no class for fewer than k.

    What is left at the end joins the class before; nothing left is a class of 0.
    """
    if sum(counts) < k or not counts:
        return []
    joined: list[tuple[int, int | None, int]] = []
    start, total = 0, 0
    for index, count in enumerate(counts):
        total += count
        end = edges_s[index] if index < len(edges_s) else None
        if total >= k:
            joined.append((start, end, total))
            start, total = end or 0, 0
    if joined[-1][1] is not None and total:
        first, _, count = joined.pop()
        joined.append((first, None, count + total))
    elif joined[-1][1] is not None:
        joined.append((start, None, 0))
    return joined


def rules(periods: Iterable[Period], k: int) -> dict[str, RuleShown]:
    """How long each rule was active."""
    found: dict[str, RuleShown] = {}
    for period in periods:
        for name, (ms, raised, severity) in period.rules.items():
            rule = found.setdefault(name, RuleShown(severity))
            if severity == "info" and raised < k and k > 1:
                rule.withheld += 1
                continue
            rule.ms += ms
            rule.raised += raised
    return found
