"""How long the firmware takes for a picture: a histogram on a logarithmic axis."""

from __future__ import annotations

import math

from runtime.report.markup import Element, add, node
from sim.scenario.result import Result

WIDTH, HEIGHT, BASE = 340, 170, 140
BINS_PER_DECADE = 12
LEAST_MS, MOST_MS = 1.0, 1000.0
LEFT, RIGHT = 14, 14


def frame_ms(result: Result) -> list[float]:
    """Wall time of each tick without the drawing of its picture, ms, ascending.

    The first one of each boot is left out: its tick began with the boot.
    """
    frames = result.frames
    rows = zip(frames.t_ms, frames.tick_ms, frames.render_ms, strict=False)
    kept, boots_ms = [], [0.0, *(reset.boot_ms for reset in result.resets)]
    for t_ms, tick_ms, render_ms in rows:
        if boots_ms and t_ms >= boots_ms[0]:
            boots_ms.pop(0)
            continue
        kept.append(max(tick_ms - render_ms, 0.01))
    return sorted(kept)


def percentile(ascending: list[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed; 0 for none."""
    if not ascending:
        return 0.0
    return ascending[max(0, math.ceil(len(ascending) * percent / 100.0) - 1)]


def budget_ms(result: Result) -> float:
    """One period of the camera: a loop that takes longer loses pictures."""
    return 1000.0 / result.fps


def draw(result: Result) -> Element:
    """The histogram with p50, p99 and the budget."""
    times = frame_ms(result)
    svg = node("svg", class_="latency", role="img")
    svg.set("viewBox", f"0 0 {WIDTH} {HEIGHT}")
    svg.set("aria-label", "histogram of the time per picture")
    counts: dict[int, int] = {}
    for time in times:
        index = math.floor(_decades(time) * BINS_PER_DECADE)
        counts[index] = counts.get(index, 0) + 1
    for index, count in sorted(counts.items()):
        height = 92.0 * count / max(counts.values())
        left, right = _x_at(index / BINS_PER_DECADE), _x_at((index + 1) / BINS_PER_DECADE)
        bar = node("rect", class_="count", x=left + 0.5, width=round(right - left - 1, 1))
        bar.set("y", f"{BASE - height:.1f}")
        bar.set("height", f"{height:.1f}")
        add(svg, bar)
    add(svg, node("path", class_="rule", d=f"M{LEFT} {BASE}H{WIDTH - RIGHT}"))
    for tick in (1, 3, 10, 30, 100, 300, 1000):
        x = _x_at(_decades(tick))
        anchor = "end" if tick == MOST_MS else "middle" if tick > 1 else "start"
        add(svg, node("text", f"{tick}", x=x, y=BASE + 18, text_anchor=anchor))
    levels = [(percentile(times, 50), "p50"), (percentile(times, 99), "p99")]
    for row, (value, name) in enumerate([*levels, (budget_ms(result), "period")]):
        if times:
            add(svg, *_line(value, name, row))
    return svg


def _line(value: float, name: str, row: int) -> list[Element]:
    """One value across the histogram, its words in a row of their own."""
    x, y = _x_at(_decades(value)), 12 + 14 * row
    is_right = x > WIDTH * 0.55
    words = node("text", f"{name} {value:.1f} ms", x=x - 4 if is_right else x + 4, y=y)
    words.set("text-anchor", "end" if is_right else "start")
    return [node("path", class_=f"at {name}", d=f"M{x} {y - 9}V{BASE}"), words]


def _decades(time_ms: float) -> float:
    return math.log10(min(max(time_ms, LEAST_MS), MOST_MS * 0.999) / LEAST_MS)


def _x_at(decades: float) -> float:
    span = math.log10(MOST_MS / LEAST_MS)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * decades / span, 1)
