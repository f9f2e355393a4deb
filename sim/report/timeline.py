"""Lanes as a drawing: one SVG that scrolls in its own box, and its titles beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.report.markup import Element, add, node
from sim.report.items import Group, Item, Lane

ROW_PX, HEAD_PX, AXIS_PX = 24, 26, 28
"""Height of a row, of a group's heading, of the axis."""
LEAST_PX, LEAST_PX_S, MOST_PX_S = 640, 8.0, 90.0
"""Width of the drawing, and of a second: a long scenario scrolls, a short one is not blown up."""
BAR_PX = 16
CHARACTER_PX = 8.0
"""Of the 12 px text: a capital in bold."""
HIT_PX = 14
"""Least width that a finger or pointer can hit."""
MOST_ROWS = 4
"""Items that overlap share a lane of at most this many rows."""


def draw(groups: Sequence[Group], duration_ms: float, frame_of: Callable[[float], int]) -> Element:
    """The whole timeline.

    Args:
        groups: from `sim.report.lanes`.
        duration_ms: end of the axis.
        frame_of: moment in ms -> number of the picture that shows it; -1: none.
    """
    drawing = _Drawing(duration_ms, frame_of)
    for group in groups:
        drawing.add_group(group)
    return drawing.finish()


class _Drawing:
    def __init__(self, duration_ms: float, frame_of: Callable[[float], int]) -> None:
        self._duration_ms = max(duration_ms, 1.0)
        seconds = self._duration_ms / 1000.0
        self._px_s = min(MOST_PX_S, max(LEAST_PX_S, LEAST_PX / seconds))
        self._width = round(self._px_s * seconds) + 24
        self._frame_of = frame_of
        self._titles = node("div", class_="titles", aria_hidden="true")
        self._titles.append(node("div", class_="axis"))
        self._body = node("g")
        self._y = AXIS_PX

    def add_group(self, group: Group) -> None:
        """A heading and its lanes."""
        self._titles.append(node("div", group.title, class_="head"))
        y = self._y + HEAD_PX
        add(self._body, node("path", class_="rule", d=f"M0 {y - 0.5}H{self._width}"))
        self._y = y
        for lane in group.lanes:
            self._add_lane(lane)

    def finish(self) -> Element:
        """The box with titles and drawing."""
        height = self._y + 8
        svg = node("svg", class_="timeline", width=self._width, height=height, role="group")
        svg.set("aria-label", "timeline")
        cursor = node("path", class_="cursor", d=f"M0 {AXIS_PX}V{height}")
        add(svg, self._axis(height), self._body, cursor)
        svg.set("data-px-ms", str(self._px_s / 1000))
        scroll = node("div", svg, class_="scroll", tabindex="-1")
        return node("div", self._titles, scroll, class_="lanes")

    def _x(self, t_ms: float) -> float:
        return round(8 + min(max(t_ms, 0.0), self._duration_ms) * self._px_s / 1000.0, 1)

    def _axis(self, height: float) -> Element:
        axis = node("g", class_="ticks")
        step_s = next((s for s in (1, 2, 5, 10, 30, 60, 300) if s * self._px_s >= 48), 600)
        for second in range(0, int(self._duration_ms / 1000) + 1, step_s):
            x = self._x(second * 1000.0)
            words = node("text", f"{second} s", x=x + 3, y=18)
            add(axis, node("path", d=f"M{x} 6V{height}"), words)
        return axis

    def _add_lane(self, lane: Lane) -> None:
        rows = _rows(lane.items)
        count = max(rows, default=0) + 1
        title = node("div", node("span", lane.title), class_="lane", title=lane.title)
        title.set("style", f"height:{count * ROW_PX}px")
        if lane.title.endswith("FAIL"):
            title.set("class", "lane bad")
        self._titles.append(title)
        if lane.has_steps:
            add(self._body, self._trace(lane))
        order = sorted(zip(lane.items, rows, strict=True), key=lambda pair: pair[0].is_moment)
        for item, row in order:
            add(self._body, self._mark(item, self._y + row * ROW_PX))
        self._y += count * ROW_PX

    def _trace(self, lane: Lane) -> Element:
        """A logic trace: high is energised."""
        low, high = self._y + 19, self._y + 6
        level = lane.steps[0][1]
        path = f"M{self._x(0)} {high if level else low}"
        for t_ms, level in lane.steps[1:]:
            path += f"H{self._x(t_ms)}V{high if level else low}"
        path += f"H{self._x(self._duration_ms)}"
        return node("path", class_="trace", d=path)

    def _mark(self, item: Item, y: float) -> Element:
        """A button of the drawing."""
        mark = node("g", class_=f"mark {item.look}", role="button", tabindex="-1")
        mark.set("aria-label", item.label)
        mark.set("data-t", f"{item.shown_ms:.0f}")
        mark.set("data-frame", str(self._frame_of(item.shown_ms)))
        add(mark, node("title", item.label))
        x, wide = self._x(item.from_ms), self._x(item.to_ms) - self._x(item.from_ms)
        hit, left = max(wide, HIT_PX), x - max(0.0, HIT_PX - wide) / 2
        add(mark, node("rect", class_="hit", x=left, y=y + 1, width=hit, height=ROW_PX - 2))
        if item.is_moment and item.look not in ("passed", "failed"):
            return add(mark, _shape(item.look, x, y + ROW_PX / 2))
        if item.look in ("passed", "failed"):
            return self._bracket(mark, item, x, max(wide, 2.0), y)
        height = 5 if item.look == "shelved" else BAR_PX
        top = y + 4 if height == BAR_PX else y + 10
        bar = node("rect", class_="bar", x=x, y=top, width=max(wide, 2), height=height, rx=2)
        return add(mark, bar, _words(item.text, x + 5, y + 16.5, wide - 8))

    def _bracket(self, mark: Element, item: Item, x: float, wide: float, y: float) -> Element:
        """The window of an expectation, with its verdict, and where it was met or broken."""
        path = f"M{x} {y + 4}V{y + 20}M{x} {y + 12}H{x + wide}M{x + wide} {y + 4}V{y + 20}"
        add(mark, node("path", class_="window", d=path))
        if item.at_ms is not None:
            at = self._x(item.at_ms)
            sign = f"M{at - 4} {y + 12}l3 4l6 -9" if item.look == "passed" else _cross(at, y + 12)
            add(mark, node("path", class_="sign", d=sign))
        return mark


def _cross(x: float, y: float) -> str:
    return f"M{x - 4} {y - 4}l8 8M{x + 4} {y - 4}l-8 8"


def _shape(look: str, x: float, y: float) -> Element:
    """A moment: a shape for each kind of thing."""
    if look == "enter":
        return node("path", class_="point", d=f"M{x} {y - 6}l5 6l-5 6l-5 -6z")
    if look == "cross":
        return node("path", class_="point", d=f"M{x - 5} {y - 6}l10 6l-10 6z")
    if look == "operator":
        return node("path", class_="point", d=f"M{x - 5} {y - 5}h10v10h-10z")
    if look in ("asked", "raised", "reset"):
        return node("path", class_="point", d=f"M{x} {y - 6}l6 11h-12z")
    return node("circle", class_="point", cx=x, cy=y, r=4)


def _words(text: str, x: float, y: float, room_px: float) -> Element | None:
    """The text, or as much of it as there is room for; nothing rather than a letter or two."""
    letters = int(room_px / CHARACTER_PX)
    if len(text) > letters:
        text = text[: letters - 1] + "…" if letters >= 5 else ""
    return node("text", text, x=x, y=y) if text else None


def _rows(items: Sequence[Item]) -> list[int]:
    """A row for each item, so that what lasts at the same time does not lie on each other."""
    ends, rows = [0.0] * MOST_ROWS, []
    lasting = [item for item in items if not item.is_moment]
    for item in items:
        if item.is_moment or item.look == "shelved":
            rows.append(int(item.look == "shelved"))
            continue
        free = [row for row in range(MOST_ROWS) if ends[row] <= max(item.from_ms, 0.0) + 1e-6]
        row = free[0] if free else MOST_ROWS - 1
        ends[row] = max(ends[row], item.to_ms)
        rows.append(row)
    return rows if lasting else [0] * len(items)
