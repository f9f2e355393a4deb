"""The report as one page: a label for the unit's box on A6, a record on A4."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from runtime.report import markup
from runtime.report.markup import Element, node
from runtime.unit_test.result import Report, Row

STYLE: Final = Path(__file__).resolve().with_name("page.css")
MARKS: Final = {"pass": "pass", "fail": "FAIL", "not tested": "–"}


def page(report: Report) -> str:
    """The page as text."""
    main = node("main", _header(report), _facts(report), _rows(report), _steps(report))
    title = f"{_name(report)}: {_verdict(report)}"
    head = markup.page_head(title, STYLE.read_text(encoding="utf-8"), schemes="light")
    return markup.html(node("html", head, node("body", main), lang="en"))


def _name(report: Report) -> str:
    return report.device or report.serial or "unit without a name"


def _verdict(report: Report) -> str:
    return "PASS" if report.passed else "FAIL"


def _header(report: Report) -> Element:
    counts = {mark: sum(row.verdict == mark for row in report.rows) for mark in MARKS}
    words = [f"{counts['pass']} passed"]
    words += [f"{counts['fail']} failed"] if counts["fail"] else []
    words += [f"{counts['not tested']} not tested"] if counts["not tested"] else []
    return node(
        "header",
        node(
            "div",
            node("p", "Haetae unit test", class_="quiet"),
            node("h1", _name(report)),
            node("p", ", ".join(words), class_="counts"),
        ),
        node("strong", _verdict(report), class_=f"stamp {_verdict(report).lower()}"),
    )


def _facts(report: Report) -> Element:
    when = report.utc.replace("T", " ").replace("Z", " UTC")
    facts = {
        "Board": f"{report.board} ({report.soc})",
        "Serial": report.serial or "none",
        "Runtime": report.runtime,
        "Kernel": f"{report.kernel} {report.machine}",
        "Students": ", ".join(report.models.values()),
        "Tested": f"{when}, {report.lasted_ms / 1e3:.0f} s",
    }
    pairs = (node("div", node("dt", key), node("dd", value)) for key, value in facts.items())
    return node("dl", *pairs)


def _rows(report: Report) -> Element:
    head = ("Item", "Measured", "Limit", "")
    titles = node("thead", node("tr", *(node("th", title, scope="col") for title in head)))
    body = node("tbody", *(_row(row) for row in report.rows))
    return node("table", titles, body)


def _row(row: Row) -> Element:
    return node(
        "tr",
        node("th", row.name, scope="row"),
        node("td", row.measured),
        node("td", row.limit, class_="limit"),
        node("td", MARKS[row.verdict], class_="mark"),
        class_=row.verdict.replace(" ", "-"),
    )


def _steps(report: Report) -> Element | None:
    """What to do about what failed."""
    steps = [row for row in report.rows if row.verdict == "fail" and row.next]
    if not steps:
        return None
    lines = (node("li", node("b", row.name), f": {row.next}") for row in steps)
    return node("section", node("h2", "Next"), node("ul", *lines))
