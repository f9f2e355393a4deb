"""The report: one page for a site manager that needs nothing but a browser, and asks nobody."""

from __future__ import annotations

from pathlib import Path

from runtime.geometry import ResolvedSite
from runtime.report import markup, sections
from runtime.report.drawings import patterns
from runtime.report.markup import Element, node
from runtime.report.summary import Summary
from runtime.report.words import duration, percent, plural

STYLE = Path(__file__).resolve().with_name("page.css")


def page(summary: Summary, resolved: ResolvedSite | None = None, background: str = "") -> str:
    """The page as text.

    Args:
        summary: what it tells.
        resolved: zones and lines to draw.
        background: data URL of a picture of the empty scene, or "".
    """
    main = node(
        "main",
        _header(summary),
        _figures(summary),
        sections.heat(summary, resolved, background),
        sections.crossings(summary),
        sections.zones(summary),
        sections.alarms(summary),
        sections.watch(summary),
        sections.limits(summary),
    )
    title = f"{summary.site or 'Haetae'}: site report"
    head = markup.page_head(title, STYLE.read_text(encoding="utf-8"), with_images=True)
    return markup.html(node("html", head, node("body", patterns(), main), lang="en"))


def _header(summary: Summary) -> Element:
    when = f"{summary.span}, times in {summary.timezone}" if summary.span else ""
    if not summary.has_dates:
        when = "The camera's clock was never set: times count from its start."
    where = f"Camera board {summary.board}" if summary.board else ""
    return node(
        "header",
        node("h1", summary.site or "Site report"),
        node("p", when or "The journal holds no records of this time.", class_="when"),
        node("p", where, class_="quiet") if where else None,
    )


def _figures(summary: Summary) -> Element:
    """The figures at a glance."""
    alarms = sum(row.alarms for row in summary.alarms)
    waiting = sum(row.waiting for row in summary.alarms)
    watch = summary.watch
    tiles = [
        *_crossed(summary),
        ("Alarms", str(alarms), f"{waiting} never acknowledged" if waiting else "none left open"),
        (
            "Watching",
            percent(watch.watched_ms, watch.span_ms if watch.span_ms else watch.ran_ms),
            f"{duration(watch.watched_ms)} of {duration(watch.span_ms or watch.ran_ms)}",
        ),
        (
            "Blind",
            duration(watch.blind_ms),
            plural(len(summary.faults), "time"),
        ),
    ]
    return node(
        "dl",
        *(
            node("div", node("dt", name), node("dd", value), node("dd", note, class_="quiet"))
            for name, value, note in tiles
        ),
        class_="figures",
    )


def _crossed(summary: Summary) -> list[tuple[str, str, str]]:
    """In and out over all lines together."""
    hours = [hour for line in summary.lines.values() for hour in line]
    if not hours:
        return []
    hidden = sum((hour.withheld_in > 0) + (hour.withheld_out > 0) for hour in hours)
    note = f"{plural(hidden, 'count')} withheld" if hidden else "all counts shown"
    return [
        ("In", str(sum(hour.count_in for hour in hours)), note),
        ("Out", str(sum(hour.count_out for hour in hours)), note),
    ]
