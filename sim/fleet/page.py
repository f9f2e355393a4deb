"""The page of a simulated fleet: what the CDN carries, and how a good and a bad roll-out go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from runtime.report import markup
from runtime.report.markup import Child, Element, node, table
from runtime.report.page import STYLE
from sim.fleet.charts import Axes, Line, Mark, chart, nice
from sim.fleet.run import Outcome
from sim.fleet.summary import STORM_WINDOW_H, Study
from sim.fleet.words import NAMES, lines

FILE = "index.html"
SMOOTH_S = 10


def write(found: Study, figures: dict[str, Any], folder: Path) -> Path:
    """Write the page into `folder`; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_text(page(found, figures), encoding="utf-8")
    return file


def page(found: Study, figures: dict[str, Any]) -> str:
    """The page as text."""
    main = node(
        "main",
        node("h1", f"A fleet of {figures['settings']['cameras']:,} cameras"),
        node("p", next(lines(figures)), class_="quiet"),
        _head_figures(figures),
        _rollouts(found, figures),
        _load(found.good, figures["runs"]["good"]["load"]),
        _storm(found, figures),
        node("section", node("h2", "In words"), node("pre", "\n".join(lines(figures)))),
    )
    style = STYLE.read_text("utf-8") + Path(__file__).with_name("page.css").read_text("utf-8")
    head = markup.page_head("Haetae: a simulated fleet", style)
    return markup.html(node("html", head, node("body", main), lang="en"))


def _head_figures(figures: dict[str, Any]) -> Element:
    good, bad, once = (figures["runs"][name] for name in ("good", "bad", "bad_at_once"))
    reached = good["reached_99_h"]
    shown = [
        ("99 % of the cameras reached", f"{reached:.0f} h" if reached else "not in this time"),
        ("tried a bad release, in stages", f"{bad['tried']:,}"),
        ("the same, to all at once", f"{once['tried']:,}"),
        ("requests/s, mean and peak", _pair(good["load"]["requests_per_s"])),
        ("Mbit/s, mean and peak", _pair(good["load"]["mbit_per_s"])),
        ("one release to all", f"{figures['cost']['one_release']:,.0f} $"),
    ]
    pairs = (node("div", node("dt", name), node("dd", value)) for name, value in shown)
    return node("dl", *pairs, class_="figures")


def _pair(of: dict[str, float]) -> str:
    return f"{of['mean']:.0f} / {of['peak']:,.0f}"


def _rollouts(found: Study, figures: dict[str, Any]) -> Element:
    looks = {"good": "", "bad": "bad", "bad_at_once": "once"}
    runs = {"good": found.good, "bad": found.bad, "bad_at_once": found.at_once}
    drawn = [
        Line(run.at_h.tolist(), run.tried.tolist(), looks[name], NAMES[name])
        for name, run in runs.items()
    ]
    settings = found.good.settings
    axes = Axes(
        settings.hours, 10 ** np.ceil(np.log10(settings.cameras)), *_days(), "cameras", True
    )
    marks = [Mark(m.at_ms / 3.6e6, _mark(m.share)) for m in found.good.rollout.moments]
    marks += [
        Mark(m.at_ms / 3.6e6, "halt", "halt") for m in found.bad.rollout.moments if m.what == "halt"
    ]
    head = ("fails on", "tried it", "reports at the halt", "halted after")
    return node(
        "section",
        node("h2", "How many cameras have tried a release"),
        chart(axes, drawn, marks, "cameras that tried a release, over time"),
        node("h3", "A bad release, by the share of cameras on which it fails"),
        table(head, [_swept(each) for each in figures["sweep"]], "sweep"),
    )


def _swept(each: dict[str, Any]) -> list[Child]:
    last, after_h = each["changes"][-1], each["halted_after_h"]
    reports = last["confirmed"] + last["failed"] + last["overdue"]
    halted = f"{after_h * 60:.0f} min" if after_h is not None else "not halted"
    return [f"{each['fails_on']:.0%}", f"{each['tried']:,}", f"{reports:,}", halted]


def _load(good: Outcome, load: dict[str, Any]) -> Element:
    by_hour, hours = load["by_hour"], list(range(len(load["by_hour"]["mbit_per_s_mean"])))
    marks = [Mark(m.at_ms / 3.6e6, _mark(m.share)) for m in good.rollout.moments]
    section = node("section", node("h2", "Load on the CDN, by the hour, a release that works"))
    for name, unit in (("requests_per_s", "requests/s"), ("mbit_per_s", "Mbit/s")):
        mean, peak = by_hour[f"{name}_mean"], by_hour[f"{name}_peak"]
        axes = Axes(good.settings.hours, nice(max(peak)), *_days(), unit)
        drawn = [
            Line(hours, mean, "area", "mean of the hour"),
            Line(hours, peak, "peak", "highest second of the hour"),
        ]
        markup.add(section, chart(axes, drawn, marks, f"{unit} over time"))
    return section


def _storm(found: Study, figures: dict[str, Any]) -> Element:
    spread, at_once = (np.convolve(each, np.ones(SMOOTH_S) / SMOOTH_S) for each in found.storm)
    minutes = (np.arange(spread.size) / 60.0 - STORM_WINDOW_H * 20).tolist()
    start = -minutes[0]
    x = [minute + start for minute in minutes]
    axes = Axes(STORM_WINDOW_H * 60, nice(max(at_once.max(), 1)), 5, "min", "requests/s")
    drawn = [
        Line(x, spread.tolist(), "", "spread after a start, as cameras do"),
        Line(x, at_once.tolist(), "quiet", "not spread"),
    ]
    share = figures["settings"]["storm_share"]
    return node(
        "section",
        node("h2", f"Power returns for {share:.0%} of the sites at once"),
        chart(axes, drawn, [Mark(start, "power returns")], "requests per second, ten-second mean"),
    )


def _days() -> tuple[float, str]:
    return 24.0, "h"


def _mark(share: float) -> str:
    return f"{share:.0%} of the cameras"
