"""The site from above: where everybody went, and what the camera sees of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runtime.report.markup import Element, add, node
from sim.report.items import seconds
from sim.scenario.result import Eye, Plan, Result, Track

WIDTH, MOST_HEIGHT = 340.0, 420.0
"""Of the drawing, in its own units: one is never less than a pixel, so 12 stays readable."""
MARGIN = 22.0
VIEW_M = 14.0
"""How far the field of view is drawn where nothing lies further away."""
TICK_MS = 2000.0
"""Between two time ticks on a way."""
LEAST_SPAN_M = 6.0
Point = tuple[float, float]


class _Scale:
    """Metres to the drawing: +y, away from the camera, is up."""

    def __init__(self, points: Sequence[Point]) -> None:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        self._left, self._top = min(xs), max(ys)
        span_x = max(max(xs) - self._left, LEAST_SPAN_M)
        span_y = max(self._top - min(ys), LEAST_SPAN_M)
        inner = WIDTH - 2 * MARGIN
        self.per_m = min(inner / span_x, (MOST_HEIGHT - 2 * MARGIN) / span_y)
        self._indent = MARGIN + (inner - span_x * self.per_m) / 2
        self.height = round(span_y * self.per_m + 2 * MARGIN + 18)

    def __call__(self, point: Point) -> Point:
        x = self._indent + (point[0] - self._left) * self.per_m
        return round(x, 1), round(MARGIN + (self._top - point[1]) * self.per_m, 1)

    def path(self, points: Sequence[Point], closed: bool) -> str:
        """Of an SVG path."""
        placed = [self(point) for point in points]
        text = "M" + "L".join(f"{x} {y}" for x, y in placed)
        return text + "Z" if closed else text


def draw(result: Result) -> tuple[Element, dict[str, object]]:
    """The drawing, and where people are at each moment for the script: name -> [t, x, y, ...]."""
    plan = result.plan
    sight = _sight(plan.camera, _far(result))
    scale = _Scale([*_points(result), *sight])
    svg = node("svg", class_="plan", role="img")
    svg.set("viewBox", f"0 0 {WIDTH:.0f} {scale.height}")
    svg.set("aria-label", "plan of the site in metres")
    add(svg, node("path", class_="sight", d=scale.path(sight, closed=True)))
    for shape in plan.structures:
        path = node("path", class_="structure", d=scale.path(shape.points_m, closed=True))
        add(svg, add(path, node("title", shape.kind)))
    for shape in plan.zones:
        add(svg, node("path", class_="zone", d=scale.path(shape.points_m, closed=True)))
    for shape in plan.lines:
        add(svg, node("path", class_="gate", d=scale.path(shape.points_m, closed=False)))
    for index, track in enumerate(result.tracks):
        add(svg, *_way(track, scale, index))
    add(svg, *_names(plan, scale), _camera(plan.camera, scale), _ruler(scale))
    places: dict[str, object] = {}
    for index, track in enumerate(result.tracks):
        placed = [scale(p) for p in zip(track.x_m, track.y_m, strict=True)]
        places[str(index)] = [[round(t) for t in track.t_ms], placed]
        add(svg, node("circle", class_="here", r=5, data_track=index))
    return svg, places


def _points(result: Result) -> Iterator[Point]:
    """What the drawing has to hold; structures may stick out."""
    plan = result.plan
    yield plan.camera.at_m
    for shape in (*plan.zones, *plan.lines):
        yield from shape.points_m
    for track in result.tracks:
        yield from zip(track.x_m, track.y_m, strict=True)


def _far(result: Result) -> float:
    at = result.plan.camera.at_m
    return max([VIEW_M, *(math.dist(at, point) + 1.5 for point in _points(result))])


def _sight(eye: Eye, far_m: float) -> list[Point]:
    """The field of view on the ground: a sector as wide as the picture."""
    half = eye.across_deg / 2 or 1.0
    steps = range(-6, 7)
    angles = [math.radians(eye.pan_deg + half * step / 6) for step in steps]
    x, y = eye.at_m
    return [eye.at_m, *((x + far_m * math.sin(a), y + far_m * math.cos(a)) for a in angles)]


def _way(track: Track, scale: _Scale, index: int) -> Iterator[Element]:
    """The way of one person or machine, dashed for machines, with a dot each so often."""
    points = list(zip(track.x_m, track.y_m, strict=True))
    if not points:
        return
    kind = "way" if track.kind == "person" else "way machine"
    moving = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    yield node("path", class_=f"{kind} w{index % 4}", d=scale.path(moving, closed=False))
    due_ms = track.t_ms[0]
    last: Point | None = None
    for t_ms, point in zip(track.t_ms, points, strict=True):
        if t_ms < due_ms:
            continue
        due_ms += TICK_MS
        if last is not None and math.dist(point, last) * scale.per_m < 8:
            continue
        last = point
        x, y = scale(point)
        dot = node("circle", class_="tick", cx=x, cy=y, r=2.5)
        yield add(dot, node("title", f"{track.name} at {seconds(t_ms)}"))
    x, y = scale(points[0])
    yield node("text", track.name, class_="name", x=x + 6, y=y - 4)


def _names(plan: Plan, scale: _Scale) -> Iterator[Element]:
    for shape in plan.zones:
        placed = [scale(point) for point in shape.points_m]
        x, y = min(p[0] for p in placed) + 4, max(p[1] for p in placed) - 5
        yield node("text", shape.name, class_="place", x=x, y=y)
    for shape in plan.lines:
        x, y = scale(shape.points_m[0])
        yield node("text", shape.name, class_="place", x=x + 4, y=y - 4)


def _camera(eye: Eye, scale: _Scale) -> Element:
    x, y = scale(eye.at_m)
    mark = node("path", class_="camera", d=f"M{x - 7} {y + 6}h14l-4 -11h-6z")
    return add(mark, node("title", f"camera, {eye.height_m:.1f} m high"))


def _ruler(scale: _Scale) -> Element:
    """How long some metres are."""
    metres = next((m for m in (1, 2, 5, 10, 20, 50) if m * scale.per_m >= 36), 100)
    x, y, long = 10.0, scale.height - 8.0, round(metres * scale.per_m, 1)
    line = node("path", d=f"M{x} {y - 4}v4h{long}v-4")
    return node("g", line, node("text", f"{metres} m", x=x + long + 6, y=y), class_="ruler")
