"""The sections of the page; every drawing has its table, for ears and for copying."""

from __future__ import annotations

from runtime.geometry import ResolvedSite
from runtime.report import drawings
from runtime.report.markup import Child, Element, node, table
from runtime.report.summary import Hour, Summary
from runtime.report.withheld import STEPS, ZoneShown
from runtime.report.words import (
    WHOLE_PICTURE,
    duration,
    fault_words,
    minutes,
    plural,
    rule_words,
    stay,
)

BUSIEST = 12
"""Cells that the table of the heat map names."""
NO_COUNTS = (
    "The journal holds no counts of this time: the camera's site file had no [counts] section then,"
    " or its records have been overwritten."
)
WITHHELD = "withheld"


def heat(summary: Summary, resolved: ResolvedSite | None, background: str) -> Element:
    """Where people were."""
    if not summary.has_counts:
        return _section("Where people were", node("p", NO_COUNTS))
    shown = summary.heat
    drawing = drawings.heat_map(shown, summary.picture, resolved, background)
    notes = [_legend(summary)]
    if not background:
        notes.append(node("p", "No background picture was given.", class_="quiet"))
    if summary.grid_changed:
        words = "Hours that were counted on another grid are left out of this map."
        notes.append(node("p", words))
    return _section(
        "Where people were",
        node("div", drawing, node("div", *notes), class_="beside"),
        _details("Busiest places", _busiest(summary)),
    )


def _legend(summary: Summary) -> Element:
    rows: list[tuple[str, str]] = []
    before = "0 s"
    for step, edge in enumerate(summary.heat.edges_min, start=1):
        after = minutes(round(edge, 3))
        rows.append((f"h{step}", f"{before} to {after}" if step > 1 else f"up to {after}"))
        before = after
    items = [node("li", _swatch(class_), words) for class_, words in rows]
    few = f"withheld: every hour had fewer than {summary.k} tracks here"
    part = "some hours withheld, more than shown"
    if summary.heat.withheld:
        items.append(node("li", _swatch(WITHHELD), few))
    if summary.heat.partly:
        items.append(node("li", _swatch("partly"), part))
    items.append(node("li", _swatch("plain"), "nobody"))
    title = node("p", "Time that people spent in a place, all together", class_="quiet")
    return node("div", title, node("ul", *items, class_="legend"))


def _swatch(class_: str) -> Element:
    box = node("rect", class_=class_, width=22, height=14)
    return node("svg", box, width=22, height=14, aria_hidden="true", class_="swatch")


def _busiest(summary: Summary) -> Element:
    heat = summary.heat
    columns = max(heat.grid[0], 1)
    cells = sorted(heat.steps.items(), key=lambda item: (-item[1], item[0]))[:BUSIEST]
    lows = [0.0, *heat.edges_min[: STEPS - 1]]
    rows: list[list[Child]] = [
        [
            f"{cell % columns + 1} of {columns} from the left",
            f"{cell // columns + 1} of {heat.grid[1]} from the top",
            f"{minutes(round(lows[step - 1], 3)) if step > 1 else '0 s'}"
            f" to {minutes(round(heat.edges_min[step - 1], 3))}",
        ]
        for cell, step in cells
    ]
    if not rows:
        return node("p", "No place had enough people in an hour to be shown.")
    return table(("column", "row", "time of all people together"), rows, "plain-table")


def crossings(summary: Summary) -> Element | None:
    """In and out by hour."""
    if not summary.has_counts:
        return None
    if not summary.lines:
        return _section("In and out", node("p", "The site has no rule that counts over a line."))
    parts: list[Child] = []
    for name, hours in summary.lines.items():
        words = "hour of the day, all days together" if summary.by_hour_of_day else "hour by hour"
        parts.append(node("h3", f"Line {name}, {words}"))
        parts.append(node("div", drawings.crossings(hours, name), class_="scroll"))
        parts.append(_details(f"Figures of line {name}", _flow_table(hours)))
    if any(_hidden(hour) for line in summary.lines.values() for hour in line):
        few = f"hatched: 1 to {summary.k - 1} people, withheld and in no sum"
        parts.append(node("p", _swatch(WITHHELD), " ", few, class_="key"))
    return _section("In and out", *parts)


def _hidden(hour: Hour) -> bool:
    return hour.withheld_in > 0 or hour.withheld_out > 0


def _flow_table(hours: list[Hour]) -> Element:
    rows: list[list[Child]] = []
    for hour in hours:
        if hour.is_counted:
            counted = (
                _flow(hour.count_in, hour.withheld_in),
                _flow(hour.count_out, hour.withheld_out),
            )
        else:
            counted = "no record", "no record"
        rows.append([hour.title, *counted])
    total_in, total_out = sum(h.count_in for h in hours), sum(h.count_out for h in hours)
    rows.append(["sum of what is shown", str(total_in), str(total_out)])
    return table(("hour", "in", "out"), rows, "numbers")


def _flow(count: int, hidden: int) -> str:
    if not hidden:
        return str(count)
    return f"{count}, and {plural(hidden, 'hour')} {WITHHELD}" if count else WITHHELD


def zones(summary: Summary) -> Element | None:
    """Entries, exits, occupancy and dwell."""
    if not summary.zones:
        return None
    rows: list[list[Child]] = []
    for name, zone in summary.zones.items():
        title = name or WHOLE_PICTURE
        if not zone.hours:
            rows.append([title, *([WITHHELD] * 4), "", _hours(zone)])
            continue
        rows.append(
            [
                title,
                _count(zone.entries, zone.appeared if name else None, "first seen inside"),
                _count(zone.exits, zone.vanished if name else None, "last seen inside"),
                "not known" if zone.mean is None else f"{zone.mean:.1f}",
                str(zone.most),
                _stays(zone),
                _hours(zone),
            ]
        )
    head = ("zone", "entries", "exits", "people at a time", "most at once", "stays", "hours")
    return _section("Zones", table(head, rows, "zones"))


def _count(count: int | None, inside: int | None, words: str) -> Element:
    told = WITHHELD if count is None else str(count)
    note = node("small", f"{inside} {words}") if inside else None
    return node("span", told, note)


def _hours(zone: ZoneShown) -> str:
    hidden = f", {zone.withheld} {WITHHELD}" if zone.withheld else ""
    return f"{zone.hours} shown{hidden}"


def _stays(zone: ZoneShown) -> Element | str:
    """A bar per class of stays."""
    if not zone.stays:
        return "too few to show"
    most = max(count for _, _, count in zone.stays)
    items = [
        node(
            "li",
            node("span", stay(start, end)),
            node("span", class_="track", style=f"--share: {count / most:.3f}"),
            node("span", str(count)),
        )
        for start, end, count in zone.stays
    ]
    return node("ul", *items, class_="stays")


def alarms(summary: Summary) -> Element:
    """Alarms by rule, and how long they waited."""
    names = dict.fromkeys([*(row.rule for row in summary.alarms), *summary.rules])
    names = {n: None for n in names if _is_alarming(n, summary)}
    if not names:
        return _section("Alarms", node("p", "There was no alarm."))
    by_rule = {row.rule: row for row in summary.alarms}
    most = max((row.alarms for row in summary.alarms), default=1)
    rows: list[list[Child]] = []
    for name in names:
        row, rule = by_rule.get(name), summary.rules.get(name)
        count = row.alarms if row else 0
        bar = node("span", class_="track", style=f"--share: {count / most:.3f}")
        rows.append(
            [
                rule_words(name),
                node("span", node("span", str(count)), bar, class_="counted"),
                _time(row.ack_median_ms if row else None),
                _time(row.ack_most_ms if row else None),
                _open(row.waiting if row else 0, row.returned if row else 0),
                duration(rule.ms) if rule else "not on record",
            ]
        )
    head = ("rule", "alarms", "acknowledged after", "at most", "left open", "hazard lasted")
    note = "Acknowledged after: half of the alarms were acknowledged sooner than this."
    return _section("Alarms", table(head, rows, "alarms"), node("p", note, class_="quiet"))


def _is_alarming(name: str, summary: Summary) -> bool:
    rule = summary.rules.get(name)
    return rule is None or rule.severity != "info"


def _time(ms: float | None) -> str:
    return "–" if ms is None else duration(ms)


def _open(waiting: int, returned: int) -> str:
    words = [f"{waiting} never acknowledged"] if waiting else []
    words += [f"{returned} over by themselves"] if returned else []
    return ", ".join(words) or "none"


def watch(summary: Summary) -> Element:
    """Uptime and blind minutes."""
    watched = summary.watch
    rows: list[list[Child]] = [["watching", duration(watched.watched_ms)]]
    rows.append(["running, but blind", duration(watched.blind_ms)])
    if watched.off_ms is not None:
        rows.append(["off, or nothing on record", duration(watched.off_ms)])
    rows.append(["starts", str(watched.starts)])
    rows.append(["ends without a planned stop", str(watched.cuts)])
    parts: list[Child] = []
    if summary.strips:
        keys = [
            node("li", _swatch(kind), words)
            for kind, words in (("watched", "watching"), ("blind", "blind"), ("off", "off"))
        ]
        parts = [drawings.time_line(summary.strips), node("ul", *keys, class_="legend row")]
    parts.append(table(("", "time or number"), rows, "numbers"))
    if summary.faults:
        faults: list[list[Child]] = [
            [when, fault_words(fault, reason), duration(ms)]
            for when, fault, reason, ms in summary.faults
        ]
        head = ("from", "why nobody watched", "for")
        title = f"{plural(len(faults), 'time')} blind"
        parts.append(_details(title, table(head, faults, "plain-table")))
    return _section("Uptime and blind minutes", *parts)


def limits(summary: Summary) -> Element:
    """How to read it."""
    k = summary.k
    words = [
        f"What fewer than {k} tracks account for in an hour is withheld, shown hatched or as"
        f" “{WITHHELD}”, and is in no sum. It does not mean zero."
        if k > 1
        else "k = 1: nothing is withheld. Somebody who was alone can be read from this page.",
        "A track is one person followed without a break: whoever leaves and comes back, or is"
        " hidden for long, is counted again. No picture, face or identity is kept.",
        "Alarms are safety events, not counts of people: they are told in full.",
        "People are counted where their feet are. A power cut loses the counts of its hour; the"
        " time from the last record to the cut counts as off.",
    ]
    if summary.partial:
        words.append(f"Of {plural(summary.partial, 'hour')} a record is missing: it shows too few.")
    return _section("How to read this page", node("ul", *(node("li", w) for w in words)))


def _section(title: str, *children: Child | None) -> Element:
    return node("section", node("h2", title), *children)


def _details(title: str, content: Element) -> Element:
    return node("details", node("summary", title), content)
