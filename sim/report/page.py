"""The report: one page that needs nothing but a browser."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from runtime.report import markup
from runtime.report.markup import Child, Element, node, table
from sim.report.pictures import PAGE_BYTES, SCENARIO_BYTES, folder_of
from sim.report.section import BAD, section, verdict
from sim.scenario.result import Checked, Result

FILE = "index.html"
HERE = Path(__file__).resolve().parent
PARTS = ("haetae", "numpy", "numba", "opencv-python-headless")
"""Whose versions stand in the header."""
TOOK, ALLOWED = re.compile(r"(\d+(?:\.\d+)?) ms"), re.compile(r".*\.\.(\d+(?:\.\d+)?) ms")
"""How an expectation words a time, and the time it allows."""


def write(results: Sequence[Result], folder: Path) -> Path:
    """Write the report.

    Args:
        results: in the order of the page.
        folder: where the runs left their folders, and where the page goes.

    Returns:
        The page.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_text(page(results, folder), encoding="utf-8")
    return file


def page(results: Sequence[Result], folder: Path) -> str:
    """The page as text."""
    share = min(SCENARIO_BYTES, PAGE_BYTES // max(len(results), 1))
    sections = [
        section(result, number, folder_of(result, folder), share)
        for number, result in enumerate(results, start=1)
    ]
    main = node("main", _header(results), _overview(results), *sections)
    script = node("script")
    script.text = (HERE / "page.js").read_text(encoding="utf-8")
    root = node("html", _head(results), node("body", _patterns(), main, script), lang="en")
    return markup.html(root)


def _head(results: Sequence[Result]) -> Element:
    title = results[0].scenario if len(results) == 1 else f"{len(results)} scenarios"
    style = node("style")
    style.text = (HERE / "page.css").read_text(encoding="utf-8")
    return node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="color-scheme", content="light dark"),
        node("title", f"Haetae: {title}"),
        style,
    )


def _header(results: Sequence[Result]) -> Element:
    count = {name: sum(r.verdict == name for r in results) for name in ("passed", "waits")}
    bad = sum(result.verdict in BAD for result in results)
    words = [f"{count['passed']} passed"]
    words += [f"{count['waits']} wait"] if count["waits"] else []
    failed = node("span", f"{bad} failed", class_="bad" if bad else None)
    virtual_s = sum(result.duration_ms for result in results) / 1000
    return node(
        "header",
        node("h1", "Scenario report"),
        node("p", ", ".join(words) + ", ", failed, f"; {virtual_s:.0f} s of virtual time"),
        node("p", _versions(), class_="versions"),
    )


def _versions() -> str:
    found = []
    for name in PARTS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return " · ".join([*found, f"Python {platform.python_version()}"])


def _overview(results: Sequence[Result]) -> Element:
    rows: list[list[Child]] = []
    for number, result in enumerate(results, start=1):
        met = sum(check.ok for check in result.expectations)
        purpose = node("span", result.purpose)
        rows.append(
            [
                verdict(result),
                node("a", result.scenario, href=f"#s{number}"),
                purpose,
                f"{met} of {len(result.expectations)}",
                _slowest(result.expectations),
                f"{result.speed:.1f} ×" if result.speed else "",
            ]
        )
    head = ("verdict", "scenario", "purpose", "met", "slowest", "real time")
    return table(head, rows, "overview")


def _slowest(checks: Sequence[Checked]) -> str:
    """The reaction that used most of the time it was allowed."""
    used = []
    for check in checks:
        took, allowed = TOOK.fullmatch(check.measured), ALLOWED.fullmatch(check.allowed)
        if check.ok and took and allowed and float(allowed[1]) > 0:
            used.append((float(took[1]) / float(allowed[1]), check))
    if not used:
        return ""
    share, check = max(used, key=lambda pair: pair[0])
    return f"{check.measured} of {check.allowed} ({share:.0%})"


def _patterns() -> Element:
    """Hatches, so that no state is told by its colour alone."""
    hatch = node("pattern", node("path", d="M-1 1l2 -2M0 6l6 -6M5 7l2 -2"), id="hatch")
    dots = node("pattern", node("circle", cx=2, cy=2, r=1.1), id="dots")
    for pattern, size in ((hatch, "6"), (dots, "5")):
        pattern.set("patternUnits", "userSpaceOnUse")
        pattern.set("width", size)
        pattern.set("height", size)
    defs = node("defs", hatch, dots)
    return node("svg", defs, width=0, height=0, aria_hidden="true", class_="defs")
