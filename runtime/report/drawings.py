"""The drawings of the page: heat over the picture, crossings by hour, the line of time watched."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.geometry import ResolvedLine, ResolvedSite
from runtime.report.markup import Element, add, node
from runtime.report.summary import Hour, Strip
from runtime.report.withheld import Heat

WIDTH, HALF = 720, 84
"""Of the chart of crossings: its width, and the height of its upper and of its lower half."""
LEFT, HEAD, AXIS = 34, 10, 22
STUB = 16
"""Height of a bar whose count is withheld: it tells that there were some, and not how many."""
STRIP_WIDTH, STRIP_HEIGHT = 720, 26
TEXT_PART = 44
"""Letters over a picture are this part of its width high."""


def heat_map(
    heat: Heat, size: tuple[int, int], resolved: ResolvedSite | None, background: str
) -> Element:
    """The grid over the picture.

    Args:
        heat: what to show.
        size: of the picture, pixels.
        resolved: zones and lines to draw; None: not known.
        background: data URL of a picture, or "".
    """
    width, height = size
    svg = _svg(width, height, "heat", "heat map: where people were, see the table below")
    svg.set("style", f"--text: {max(width / TEXT_PART, 1):.1f}px; --line: {width / 400:.2f}px")
    if background:
        image = node("image", class_="scene", width=width, height=height)
        image.set("href", background)
        image.set("preserveAspectRatio", "none")
        add(svg, image)
    else:
        add(svg, node("rect", class_="plain", width=width, height=height))
    for cell, step in sorted(heat.steps.items()):
        add(svg, _cell(cell, heat, size, f"h{step}"))
    for cell in heat.partly:
        add(svg, _cell(cell, heat, size, "partly"))
    for cell in heat.withheld:
        add(svg, _cell(cell, heat, size, "withheld"))
    if resolved is not None:
        for zone in resolved.zones:
            points = " ".join(f"{x:.0f},{y:.0f}" for x, y in zone.polygon_px.tolist())
            x, y = zone.polygon_px.mean(axis=0).tolist()
            add(svg, node("polygon", class_="zone", points=points), _name(zone.name, x, y, size))
        for line in resolved.lines:
            add(svg, *_line(line, size))
    return svg


def _cell(cell: int, heat: Heat, size: tuple[int, int], class_: str) -> Element:
    columns, rows = heat.grid
    wide, high = size[0] / columns, size[1] / rows
    x, y = cell % columns * wide, cell // columns * high
    return node(
        "rect",
        class_=class_,
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        width=f"{wide + 0.05:.2f}",
        height=f"{high + 0.05:.2f}",
    )


def _name(text: str, x: float, y: float, size: tuple[int, int]) -> Element:
    """A name inside of the picture."""
    x, y = min(max(x, 0.06 * size[0]), 0.94 * size[0]), min(max(y, 20), size[1] - 8)
    return node("text", text, x=f"{x:.0f}", y=f"{y:.0f}", text_anchor="middle", class_="place")


def _line(line: ResolvedLine, size: tuple[int, int]) -> list[Element]:
    """The gate, and an arrow that says where "in" is."""
    (x1, y1), (x2, y2) = line.start_px.tolist(), line.end_px.tolist()
    x, y, length = (x1 + x2) / 2, (y1 + y2) / 2, max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
    sign = 1 if line.in_side == "right" else -1
    across_x, across_y = -(y2 - y1) / length * sign, (x2 - x1) / length * sign
    reach = size[0] / 14
    tip_x, tip_y = x + across_x * reach, y + across_y * reach
    back = reach / 3
    wings = [
        (tip_x - across_x * back + side * across_y * back / 1.5,
         tip_y - across_y * back - side * across_x * back / 1.5)
        for side in (1, -1)
    ]  # fmt: skip
    path = f"M{x:.1f} {y:.1f}L{tip_x:.1f} {tip_y:.1f}"
    for wing_x, wing_y in wings:
        path += f"M{tip_x:.1f} {tip_y:.1f}L{wing_x:.1f} {wing_y:.1f}"
    told = f"{line.name}: in"
    words = _name(told, _fitting(tip_x, across_x, told, size), tip_y + across_y * back - 8, size)
    gate = node("path", class_="gate", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
    return [gate, node("path", class_="arrow", d=path), words]


def _fitting(x: float, across_x: float, text: str, size: tuple[int, int]) -> float:
    """Middle of a text that begins at x, or ends there, and lies in the picture."""
    half = 0.3 * len(text) * size[0] / TEXT_PART
    middle = x + half * (across_x > 0.3) - half * (across_x < -0.3)
    return min(max(middle, half), size[0] - half)


def crossings(hours: Sequence[Hour], name: str) -> Element:
    """In upwards and out downwards, hour by hour, on one scale."""
    height = HEAD + 2 * HALF + AXIS + HEAD
    svg = _svg(WIDTH, height, "crossings", f"in and out across {name} by hour, see the table below")
    most = max((max(hour.count_in, hour.count_out) for hour in hours), default=0)
    scale = (HALF - 6) / max(most, 1)
    middle = HEAD + HALF
    pitch = (WIDTH - LEFT) / max(len(hours), 1)
    for number, hour in enumerate(hours):
        x, wide = LEFT + number * pitch, max(min(pitch - 3, 40), 2)
        left = x + (pitch - wide) / 2
        if not hour.is_counted:
            add(svg, _box("none", left, middle - 4, wide, AXIS + 8, f"{hour.title}: no record"))
        else:
            for bar in _bars(hour, left, wide, middle, scale):
                add(svg, bar)
        if len(hours) <= 24 or number % (len(hours) // 24 + 1) == 0:
            add(svg, _text(hour.label, x + pitch / 2, middle + AXIS - 7, "middle"))
    add(
        svg,
        node("path", class_="rule", d=f"M{LEFT} {middle}H{WIDTH}M{LEFT} {middle + AXIS}H{WIDTH}"),
    )
    if most:
        for y in (HEAD + HALF - most * scale, middle + AXIS + most * scale):
            add(svg, node("path", class_="rule", d=f"M{LEFT} {y:.1f}H{WIDTH}"))
            add(svg, _text(str(most), LEFT - 6, y + 4, "end"))
    add(svg, _text("in", LEFT - 6, middle - 4, "end"))
    add(svg, _text("out", LEFT - 6, middle + AXIS + 12, "end"))
    return svg


def _bars(hour: Hour, left: float, wide: float, middle: float, scale: float) -> list[Element]:
    made = []
    for word, count, hidden, is_up in (
        ("in", hour.count_in, hour.withheld_in, True),
        ("out", hour.count_out, hour.withheld_out, False),
    ):
        high = count * scale
        top = middle - high if is_up else middle + AXIS
        title = f"{hour.title}: {count} {word}"
        if count:
            made.append(_box(f"bar {word}", left, top, wide, high, title))
        if hidden:
            y = top - STUB if is_up else top + high
            made.append(_box("withheld", left, y, wide, STUB, f"{title} shown, the rest withheld"))
    return made


def _box(class_: str, x: float, y: float, wide: float, high: float, title: str) -> Element:
    made = node("rect", node("title", title), class_=class_, x=f"{x:.1f}", y=f"{y:.1f}")
    made.set("width", f"{wide:.1f}")
    made.set("height", f"{high:.1f}")
    return made


def time_line(strips: Sequence[Strip]) -> Element:
    """When it watched, was blind, was off."""
    svg = _svg(STRIP_WIDTH, STRIP_HEIGHT, "strip", "when the camera watched, see the table below")
    svg.set("preserveAspectRatio", "none")
    for strip in strips:
        wide = max((strip.end - strip.start) * STRIP_WIDTH, 1.5 if strip.kind == "blind" else 0.0)
        add(svg, _box(strip.kind, strip.start * STRIP_WIDTH, 0, wide, STRIP_HEIGHT, strip.kind))
    return svg


def patterns() -> Element:
    """Hatches, so that nothing is told by its colour alone."""
    hatch = node("pattern", node("path", d="M-1 1l2 -2M0 8l8 -8M7 9l2 -2"), id="hatch")
    thin = node("pattern", node("path", d="M0 12l12 -12"), id="thin")
    for pattern, size in ((hatch, "8"), (thin, "12")):
        pattern.set("patternUnits", "userSpaceOnUse")
        pattern.set("width", size)
        pattern.set("height", size)
    svg = node("svg", node("defs", hatch, thin), width=0, height=0, aria_hidden="true")
    svg.set("class", "defs")
    return svg


def _svg(width: float, height: float, class_: str, label: str) -> Element:
    svg = node("svg", class_=class_, role="img", aria_label=label)
    svg.set("viewBox", f"0 0 {width:g} {height:g}")
    return svg


def _text(text: str, x: float, y: float, anchor: str) -> Element:
    return node("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
