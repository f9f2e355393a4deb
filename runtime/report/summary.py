"""Everything that the page tells, as plain data: what is withheld is not in it any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median

from runtime.counts import HOUR_MS
from runtime.geometry import ResolvedSite
from runtime.report import withheld
from runtime.report.history import OPEN, Alarm, History, union_ms
from runtime.report.withheld import Flow, Heat, RuleShown, ZoneShown

MOST_HOURS = 72
"""A longer time is shown by the hour of the day."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Watch:
    """How long the camera ran and watched, ms.

    Attributes:
        span_ms: from the first to the last moment of the report; None without dates.
        ran_ms, blind_ms, off_ms: `off_ms` is None without dates.
        starts, cuts: how often it started, and how often it stopped without a planned end.
    """

    span_ms: float | None
    ran_ms: float
    blind_ms: float
    off_ms: float | None
    starts: int
    cuts: int

    @property
    def watched_ms(self) -> float:
        """It ran, and was not blind."""
        return max(self.ran_ms - self.blind_ms, 0.0)


@dataclass(frozen=True)
class Strip:
    """A piece of the time line: "watched", "blind" or "off"; begin and end as parts of the span."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class Hour:
    """Crossings of one line in one hour, or in one hour of all days.

    Attributes:
        label, title: short, and in full.
        count_in, count_out: sums of what is shown.
        withheld_in, withheld_out: hours in it with somebody that are not shown.
        is_counted: there is a record of it.
    """

    label: str
    title: str
    count_in: int
    count_out: int
    withheld_in: int
    withheld_out: int
    is_counted: bool


@dataclass(frozen=True)
class AlarmRow:
    """All alarms of one rule; times in ms, None where none was acknowledged."""

    rule: str
    alarms: int
    acknowledged: int
    returned: int
    waiting: int
    ack_median_ms: float | None
    ack_most_ms: float | None


@dataclass(frozen=True)
class Summary:
    """The whole report.

    Attributes:
        has_counts: the journal holds records of counts in this time.
        grid_changed: some hours were counted on another grid, and are left out of the heat map.
        partial: hours of which a record is missing.
    """

    site: str
    board: str
    k: int
    timezone: str
    span: str
    records: int
    has_dates: bool
    has_counts: bool
    grid_changed: bool
    partial: int
    hours: int
    watch: Watch
    strips: list[Strip]
    faults: list[tuple[str, str, str, float]]
    heat: Heat
    picture: tuple[int, int]
    lines: dict[str, list[Hour]]
    by_hour_of_day: bool
    zones: dict[str, ZoneShown]
    rules: dict[str, RuleShown]
    alarms: list[AlarmRow]

    def as_json(self) -> dict[str, object]:
        """Plain values for JSON; cells as [column, row, step], columns and rows from 0."""
        found = asdict(self)
        columns = max(self.heat.grid[0], 1)
        found["heat"] |= {
            "steps": [[c % columns, c // columns, s] for c, s in sorted(self.heat.steps.items())],
            "withheld": [[cell % columns, cell // columns] for cell in self.heat.withheld],
            "partly": [[cell % columns, cell // columns] for cell in self.heat.partly],
        }
        found["watch"]["watched_ms"] = self.watch.watched_ms
        return {"format": 1, **found}


def summarise(
    history: History,
    k: int,
    zone: tzinfo = UTC,
    resolved: ResolvedSite | None = None,
    window: tuple[float | None, float | None] = (None, None),
) -> Summary:
    """Add up, and withhold.

    Args:
        history: of the whole journal.
        k: see `runtime.report.withheld`.
        zone: of the hours shown.
        resolved: the site over the picture, for what zones share; None: not known.
        window: wall time, ms; None: open.
    """
    history = history.window(*window)
    periods = history.periods
    grid = periods[-1].grid if periods else (0, 0)
    flows = withheld.flows(periods, k)
    lines, by_day = _hours(flows, zone, history.has_dates)
    start_ms, end_ms = _ends(history, window)
    return Summary(
        site=history.site,
        board=history.board,
        k=k,
        timezone=str(zone),
        span=_span(start_ms, end_ms, zone) if history.has_dates and history.runs else "",
        records=history.records,
        has_dates=history.has_dates,
        has_counts=bool(periods),
        grid_changed=any(period.grid != grid for period in periods),
        partial=sum(not period.is_whole for period in periods),
        hours=len(periods),
        watch=_watch(history, start_ms, end_ms),
        strips=list(_strips(history, start_ms, end_ms)) if history.has_dates else [],
        faults=[
            (moment(b.span.from_ms, zone, history.has_dates), b.fault, b.reason, b.span.length_ms)
            for b in history.blind
        ],
        heat=withheld.heat(periods, k, grid),
        picture=next((p.picture for p in reversed(periods) if p.picture[0]), (640, 360)),
        lines=lines,
        by_hour_of_day=by_day,
        zones=withheld.zones(periods, k, _overlaps(resolved)),
        rules=withheld.rules(periods, k),
        alarms=[_alarm_row(rule, history.alarms) for rule in _rules_of(history.alarms)],
    )


def _overlaps(resolved: ResolvedSite | None) -> withheld.Overlaps:
    """Whether two zones share a pixel; a zone that the site no longer has is taken to."""
    if resolved is None:
        return withheld.overlap_all
    shared = {int(bits) for bits in set(resolved.zone_map.ravel().tolist())}
    bit = {zone.name: 1 << index for index, zone in enumerate(resolved.zones)}

    def overlaps(one: str, other: str) -> bool:
        if one not in bit or other not in bit:
            return True
        both = bit[one] | bit[other]
        return any(bits & both == both for bits in shared)

    return overlaps


def _ends(history: History, window: tuple[float | None, float | None]) -> tuple[float, float]:
    spans = [run.span for run in history.runs]
    start = min((span.from_ms for span in spans), default=0)
    end = max((span.to_ms for span in spans), default=0)
    is_past = window[1] is not None and window[1] <= history.newest_ms
    return start if window[0] is None else window[0], window[1] if is_past else end  # type: ignore[return-value]  # is_past: not None


def _watch(history: History, start_ms: float, end_ms: float) -> Watch:
    ran_ms = sum(run.span.length_ms for run in history.runs)
    span_ms = max(end_ms - start_ms, 0.0) if history.has_dates else None
    return Watch(
        span_ms=span_ms,
        ran_ms=ran_ms,
        blind_ms=union_ms(one.span for one in history.blind),
        off_ms=None if span_ms is None else max(span_ms - ran_ms, 0.0),
        starts=len(history.runs),
        cuts=sum(run.end not in ("planned", OPEN) for run in history.runs),
    )


def _strips(history: History, start_ms: float, end_ms: float) -> list[Strip]:
    """What was when: later ones lie upon earlier ones."""
    length = max(end_ms - start_ms, 1.0)
    found = [Strip("off", 0.0, 1.0)]
    for kind, spans in (
        ("watched", [run.span for run in history.runs]),
        ("blind", [one.span for one in history.blind]),
    ):
        for span in spans:
            start, end = (span.from_ms - start_ms) / length, (span.to_ms - start_ms) / length
            found.append(Strip(kind, max(start, 0.0), min(end, 1.0)))
    return found


def _hours(
    flows: dict[str, list[Flow]], zone: tzinfo, has_dates: bool
) -> tuple[dict[str, list[Hour]], bool]:
    """Crossings per line by hour; by the hour of the day where there are too many."""
    starts = [flow.from_ms for line in flows.values() for flow in line]
    if not starts:
        return {}, False
    if not has_dates:
        return {name: _after_start(line) for name, line in flows.items()}, False
    first, last = min(starts) // HOUR_MS, max(starts) // HOUR_MS
    by_day = last - first >= MOST_HOURS
    found: dict[str, list[Hour]] = {}
    for name, line in flows.items():
        slots: dict[int, list[Flow]] = {}
        for flow in line:
            slot = _local(flow.from_ms, zone).hour if by_day else flow.from_ms // HOUR_MS
            slots.setdefault(slot, []).append(flow)
        keys = range(24) if by_day else range(first, last + 1)
        labels = [_label(key, by_day, zone) for key in keys]
        found[name] = [
            _hour(*label, slots.get(key, [])) for key, label in zip(keys, labels, strict=True)
        ]
    return found, by_day


def _label(slot: int, by_day: bool, zone: tzinfo) -> tuple[str, str]:
    if by_day:
        return f"{slot:02}", f"{slot:02}:00 to {(slot + 1) % 24:02}:00, all days"
    start = _local(slot * HOUR_MS, zone)
    end = _local((slot + 1) * HOUR_MS, zone)
    return f"{start:%H}", f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}"


def _after_start(line: Sequence[Flow]) -> list[Hour]:
    """Without dates: one after the other, numbered."""
    return [
        _hour(str(number), f"hour {number} on record", [flow])
        for number, flow in enumerate(line, start=1)
    ]


def _hour(label: str, title: str, flows: Sequence[Flow]) -> Hour:
    return Hour(
        label,
        title,
        count_in=sum(flow.count_in or 0 for flow in flows),
        count_out=sum(flow.count_out or 0 for flow in flows),
        withheld_in=sum(flow.count_in is None for flow in flows),
        withheld_out=sum(flow.count_out is None for flow in flows),
        is_counted=bool(flows),
    )


def _rules_of(alarms: Sequence[Alarm]) -> list[str]:
    return list(dict.fromkeys(alarm.rule for alarm in alarms))


def _alarm_row(rule: str, alarms: Sequence[Alarm]) -> AlarmRow:
    mine = [alarm for alarm in alarms if alarm.rule == rule]
    times = [alarm.ack_ms for alarm in mine if alarm.ack_ms is not None]
    return AlarmRow(
        rule,
        alarms=len(mine),
        acknowledged=len(times),
        returned=sum(alarm.end == "returned" for alarm in mine),
        waiting=sum(alarm.end == "open" for alarm in mine),
        ack_median_ms=median(times) if times else None,
        ack_most_ms=max(times, default=None),
    )


def moment(wall_ms: float, zone: tzinfo, has_dates: bool) -> str:
    """A date and time for people; without dates the time since the camera's clock began."""
    if has_dates:
        return f"{_local(wall_ms, zone):%Y-%m-%d %H:%M:%S}"
    seconds = round(wall_ms / 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} after start"


def _local(wall_ms: float, zone: tzinfo) -> datetime:
    return (EPOCH + timedelta(milliseconds=wall_ms)).astimezone(zone)


def _span(start_ms: float, end_ms: float, zone: tzinfo) -> str:
    start, end = _local(start_ms, zone), _local(end_ms, zone)
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
