"""Drawings of a fleet's page: lines over time, with a linear or a logarithmic height."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.report.markup import Element, add, node

WIDTH, HEIGHT = 980, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 30
STEPS = (1, 2, 2.5, 5, 10)
MOST_POINTS = 700


@dataclass(frozen=True)
class Line:
    """One line. `look` is a class of the style sheet; `text` stands in the legend."""

    x: Sequence[float]
    y: Sequence[float]
    look: str
    text: str


@dataclass(frozen=True)
class Mark:
    """A moment, with a word on it."""

    x: float
    text: str
    look: str = ""


@dataclass(frozen=True)
class Axes:
    """From data to the drawing.

    Attributes:
        x_to: the largest x; the least is 0.
        y_to: the largest y.
        x_step: between ticks.
        x_unit, y_unit: words at the axes.
        is_log: the height is logarithmic from 1.
    """

    x_to: float
    y_to: float
    x_step: float
    x_unit: str
    y_unit: str
    is_log: bool = False

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(value / self.x_to, 0.0), 1.0)

    def y(self, value: float) -> float:
        """Pixels from above."""
        if self.is_log:
            part = math.log10(max(value, 1.0)) / math.log10(self.y_to)
        else:
            part = value / self.y_to
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(part, 0.0), 1.0)


def nice(most: float) -> float:
    """A round number not below `most`."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in STEPS if step * power >= most * 0.999)


def chart(
    axes: Axes, lines: Iterable[Line], marks: Iterable[Mark] = (), label: str = ""
) -> Element:
    """The drawing, its legend included."""
    lines = list(lines)
    svg = node("svg", class_="chart", role="img")
    svg.set("viewBox", f"0 0 {WIDTH} {HEIGHT}")
    svg.set("aria-label", label)
    add(svg, *_grid(axes))
    for number, mark in enumerate(marks):
        x, y = axes.x(mark.x), TOP + 12 + 15 * (number % 4)
        add(svg, node("path", class_=f"mark {mark.look}", d=f"M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"))
        end = x > WIDTH - 130
        words = node("text", mark.text, x=f"{x - 4 if end else x + 4:.1f}", y=y)
        words.set("text-anchor", "end" if end else "start")
        add(svg, words)
    for line in lines:
        add(svg, node("path", class_=f"line {line.look}", d=_path(axes, line)))
    add(svg, *_legend(lines))
    return node("div", svg, class_="scroll")


def _path(axes: Axes, line: Line) -> str:
    stride = max(1, len(line.x) // MOST_POINTS)
    points = list(zip(line.x, line.y, strict=True))
    kept = points[::stride]
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    text = "L".join(f"{axes.x(x):.1f} {axes.y(y):.1f}" for x, y in kept)
    if "area" in line.look.split() and kept:
        base = axes.y(0)
        return f"M{axes.x(kept[0][0]):.1f} {base:.1f}L{text}L{axes.x(kept[-1][0]):.1f} {base:.1f}Z"
    return f"M{text}"


def _grid(axes: Axes) -> Iterable[Element]:
    base = HEIGHT - BOTTOM
    if axes.is_log:
        heights = [10.0**power for power in range(round(math.log10(axes.y_to)) + 1)]
    else:
        heights = [axes.y_to * part / 4 for part in range(5)]
    for height in heights:
        y = axes.y(height)
        yield node("path", class_="rule", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}")
        yield node("text", f"{height:,.10g}", x=LEFT - 8, y=f"{y + 4:.1f}", text_anchor="end")
    ticks = int(axes.x_to / axes.x_step + 1e-9)
    for tick in range(ticks + 1):
        x = axes.x(tick * axes.x_step)
        yield node("path", class_="rule", d=f"M{x:.1f} {base}v5")
        anchor = "end" if tick == ticks else "middle"
        unit = f" {axes.x_unit}" if tick == ticks else ""
        text = f"{tick * axes.x_step:g}{unit}"
        yield node("text", text, x=f"{x:.1f}", y=base + 19, text_anchor=anchor)
    yield node("text", axes.y_unit, x=LEFT - 8, y=14, text_anchor="start", class_="unit")


def _legend(lines: Sequence[Line]) -> Iterable[Element]:
    x = WIDTH - RIGHT
    for line in reversed(lines):
        x -= 7 * len(line.text)
        yield node("text", line.text, x=x, y=14)
        yield node("path", class_=f"line {line.look}", d=f"M{x - 34} 10h26")
        x -= 56
