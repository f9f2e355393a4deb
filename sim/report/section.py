"""One scenario on the page: what was asked, what happened, and what it looked like."""

from __future__ import annotations

from pathlib import Path

from runtime.report.markup import Child, Element, add, data, node, table
from sim.report import lanes, latency, plan, timeline
from sim.report.items import seconds
from sim.report.pictures import album
from sim.scenario.result import Checked, Result

LEGEND = (
    ("active_unacked", "active, not acknowledged"),
    ("active_acked", "active, acknowledged"),
    ("returned_unacked", "returned, not acknowledged"),
    ("shelved", "shelved"),
)
BAD = ("failed", "early", "refused")
VERDICTS = {
    "passed": "PASS",
    "failed": "FAIL",
    "waits": "WAIT",
    "early": "EARLY",
    "refused": "REFUSED",
}


def verdict(result: Result) -> Element:
    """The verdict as a word; red only for a failure."""
    look = "verdict bad" if result.verdict in BAD else f"verdict {result.verdict}"
    return node("span", VERDICTS[result.verdict], class_=look)


def section(result: Result, number: int, folder: Path | None, picture_bytes: int) -> Element:
    """Everything about one scenario.

    Args:
        result: of one run.
        number: on this page, from 1; part of every id.
        folder: where the run left its clips.
        picture_bytes: most that its pictures may take up.
    """
    groups = lanes.groups(result)
    marks_ms = [item.shown_ms for group in groups for lane in group.lanes for item in lane.items]
    pictures = album(result, folder, marks_ms, lanes.moments_ms(result), picture_bytes)
    drawing, places = plan.draw(result)
    content = {"t": pictures.times_ms, "uri": pictures.uris, "places": places}
    body = node(
        "div",
        _story(result),
        _expectations(result),
        node("h3", "Timeline"),
        _legend(),
        node(
            "div",
            timeline.draw(groups, result.duration_ms, pictures.at),
            _viewer(bool(pictures.uris)),
            class_="stage",
        ),
        node(
            "div",
            node("figure", node("h3", "Plan"), drawing),
            node(
                "figure",
                node("h3", "Time per picture, ms"),
                latency.draw(result),
                node("figcaption", _latency_words(result)),
            ),
            node("figure", node("h3", "Run"), _facts(result)),
            class_="figures",
        ),
        data(f"d{number}", content),
    )
    head = node("summary", verdict(result), node("h2", result.scenario), id=f"s{number}")
    made = node("details", head, body, class_="scenario", data_pictures=f"d{number}")
    if result.verdict in BAD or number == 1:
        made.set("open", "open")
    return made


def _story(result: Result) -> Element:
    story = node("p", result.purpose, class_="purpose")
    if result.why:
        look = "why bad" if result.verdict in BAD else "why"
        return node("div", story, node("p", result.why, class_=look))
    return story


def _expectations(result: Result) -> Element:
    rows: list[list[Child]] = []
    for number, check in enumerate(result.expectations, start=1):
        word = node("span", "PASS" if check.ok else "FAIL", class_="" if check.ok else "bad")
        sentence = node("span", check.sentence)
        if check.note:
            add(sentence, node("small", check.note))
        rows.append([str(number), word, sentence, check.measured, check.allowed, _window(check)])
    head = ("#", "verdict", "expected", "measured", "allowed", "window")
    return table(head, rows, "expectations")


def _window(check: Checked) -> str:
    if check.from_ms is None:
        return "its moment never came"
    to_ms = check.from_ms if check.to_ms is None else check.to_ms
    return f"{check.from_ms / 1000:.1f} to {seconds(to_ms)}"


def _legend() -> Element:
    legend = node("p", class_="legend")
    for look, words in LEGEND:
        swatch = node("svg", width=26, height=16, aria_hidden="true")
        height = 5 if look == "shelved" else 14
        bar = node("rect", class_="bar", x=1, y=(16 - height) / 2, width=24, height=height, rx=2)
        add(swatch, node("g", bar, class_=f"mark {look}"))
        add(legend, node("span", swatch, words))
    return legend


def _viewer(has_pictures: bool) -> Element:
    """The picture of the mark that was chosen."""
    if has_pictures:
        image = node("img", alt="", class_="still", width=400, height=225)
    else:
        image = node("p", "No clip of this run: play it with --video.", class_="still none")
    hint = "Choose a mark. Arrow keys go to the next one. People are made unrecognisable."
    words = node("p", hint, class_="caption", aria_live="polite")
    step = [
        node("button", text, class_="step", type_="button", data_step=step, aria_label=label)
        for text, step, label in (("←", -1, "mark before"), ("→", 1, "next mark"))
    ]
    return node("div", image, node("div", *step, class_="steps"), words, class_="viewer")


def _latency_words(result: Result) -> str:
    count = len(latency.frame_ms(result))
    return (
        f"{count} pictures: wall time of the loop on the computer that played this, without drawing"
        f" the world. The budget is the camera's period, {latency.budget_ms(result):.0f} ms."
    )


def _facts(result: Result) -> Element:
    speed = f"{result.speed:.1f} × real time" if result.speed else "not played"
    rows: list[tuple[str, str]] = [
        ("seed", str(result.seed)),
        ("duration", seconds(result.duration_ms)),
        ("pictures", f"{result.width_px} × {result.height_px}, {result.fps:g} per second"),
        ("board, site", " · ".join(filter(None, (result.board, result.site)))),
        ("played", speed),
        ("ended", result.end or "was not played"),
    ]
    rows += [(f"SHA-256 {name}", value) for name, value in result.hashes.items()]
    terms = node("dl", class_="facts")
    for name, value in rows:
        is_hash = name.startswith("SHA")
        add(terms, node("dt", name), node("dd", value, class_="hash" if is_hash else None))
    return terms
