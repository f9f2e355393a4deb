"""Zones and lines in pixels of the source picture, and the map of the zones each pixel is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from drivers.toml_strict import Complaint, ConfigErrors, Mistake
from runtime.ground import fit_ground, in_pixels, polygon_m
from runtime.site import Point, Site
from runtime.site_reach import unreachable
from runtime.site_rules import ABOUT_ANOTHER_PLACE

MAX_ZONES = 32
"""One bit each in a uint32."""
FAR = 1.0
"""How many picture sizes a corner may lie outside of the picture."""
_MARGIN_PX = 8
"""Drawn around the picture and thrown away."""
_SHIFT = 4
"""Corners are drawn to 1/16 pixel."""

F32 = npt.NDArray[np.float32]
ZoneMap = npt.NDArray[np.unsignedinteger[Any]]
Anchor = Literal["foot", "centre"]


class ResolvedZone(NamedTuple):
    """A zone; `polygon_px: float32[N, 2]` xy corners in pixels of the source picture."""

    name: str
    polygon_px: F32
    anchor: Anchor


class ResolvedLine(NamedTuple):
    """A line; `start_px, end_px: float32[2]` xy in pixels of the source picture."""

    name: str
    start_px: F32
    end_px: F32
    in_side: Literal["left", "right"]
    anchor: Anchor


class ResolvedSite(NamedTuple):
    """A site laid over a picture.

    Attributes:
        zones: in the order of the file; zone z is bit z of `zone_map`.
        lines: in the order of the file.
        zone_map: unsigned[H, W], see `rasterise`.
    """

    zones: tuple[ResolvedZone, ...]
    lines: tuple[ResolvedLine, ...]
    zone_map: ZoneMap


def resolve_site(site: Site, width_px: int, height_px: int, file: str) -> ResolvedSite:
    """Lay a site over a picture of this size.

    Args:
        site: from `load_site`.
        width_px: width of the source picture.
        height_px: its height.
        file: name of the site file, for the mistakes.

    Raises:
        ConfigErrors: every zone or line that cannot work in a picture of this size, then every rule
            that could judge nobody.
    """
    scale = (width_px, height_px) if site.units == "fraction" else (1, 1)
    size = (width_px, height_px)
    complaints: list[Complaint] = []
    for z, zone in enumerate(site.zones):
        if problem := _zone_problem(_pixels(zone.polygon, scale), *size):
            complaints.append((f"zones[{z}].polygon", zone.polygon, problem))
    complaints.extend(_beyond_horizon(site, scale))
    for i, line in enumerate(site.lines):
        if problem := _line_problem(_pixels((line.start, line.end), scale), *size):
            complaints.append((f"lines[{i}]", [line.start, line.end], problem))
    _refuse(file, complaints)
    zones = tuple(ResolvedZone(z.name, _pixels(z.polygon, scale), z.anchor) for z in site.zones)
    ends = [_pixels((line.start, line.end), scale) for line in site.lines]
    lines = tuple(
        ResolvedLine(line.name, start_px, end_px, line.in_side, line.anchor)
        for line, (start_px, end_px) in zip(site.lines, ends, strict=True)
    )
    zone_map = rasterise(zones, *size)
    _refuse(file, list(unreachable(site, zone_map)))
    return ResolvedSite(zones, lines, zone_map)


def _refuse(file: str, complaints: Sequence[Complaint]) -> None:
    if complaints:
        raise ConfigErrors([Mistake(file, *complaint) for complaint in complaints])


def _beyond_horizon(site: Site, scale: tuple[int, int]) -> Iterator[Complaint]:
    """Zones that a rule measures in metres, but that reach beyond the horizon."""
    if site.ground is None:
        return
    homography = in_pixels(fit_ground(site.ground), scale)
    measured = {rule.zone for rule in site.rules if isinstance(rule, ABOUT_ANOTHER_PLACE)}
    for z, zone in enumerate(site.zones):
        if zone.name in measured and polygon_m(homography, _pixels(zone.polygon, scale)) is None:
            allowed = (
                "reaches beyond the horizon that [ground] gives: nobody comes near to it there"
            )
            yield f"zones[{z}].polygon", zone.polygon, allowed


def rasterise(zones: Sequence[ResolvedZone], width_px: int, height_px: int) -> ZoneMap:
    """Draw all zones into one map, for a lookup at int(x), int(y) clipped to the picture.

    Returns:
        unsigned[H, W], as narrow as the number of zones allows: bit z is set where the pixel lies
        in `zones[z]` or on its edge. A zone that reaches the edge of the picture holds the last
        row and column.

    Raises:
        ValueError: more than MAX_ZONES zones.
    """
    if len(zones) > MAX_ZONES:
        raise ValueError(f"at most {MAX_ZONES} zones are possible, there are {len(zones)}")
    zone_map = np.zeros((height_px, width_px), _narrowest(len(zones)))
    for z, zone in enumerate(zones):
        inside = _mask(zone.polygon_px, width_px, height_px)
        bit = zone_map.dtype.type(1 << z)
        np.bitwise_or(zone_map, bit, out=zone_map, where=inside.view(np.bool_))
    return zone_map


def _narrowest(bits: int) -> type[np.unsignedinteger[Any]]:
    """The smallest unsigned type with so many bits: the map is as large as the picture."""
    return np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32


def polygon_problem(corners: Sequence[Point]) -> str | None:
    """What is wrong with a polygon of any unit, or None: too few corners, no area, or crossing."""
    n = len(corners)
    if n < 3:
        return f"must have at least 3 corners, has {n}"
    for i, corner in enumerate(corners):
        if corner == corners[i - 1]:
            closing = ": do not close the polygon, that happens by itself" if i == 0 else ""
            return f"corner {(i - 1) % n + 1} and corner {i + 1} are the same{closing}"
    if all(_turn(corners[0], corners[1], corner) == 0 for corner in corners[2:]):
        return "must have an area; all corners lie on one straight line"
    for i, j in combinations(range(n), 2):
        if j == i + 1 or (i == 0 and j == n - 1):
            continue  # neighbours share a corner; one that folds back also meets the edge after
        if _touch(corners[i], corners[i + 1], corners[j], corners[(j + 1) % n]):
            return (
                f"must not cross itself; edges {i + 1} and {j + 1} meet: check the order of corners"
            )
    return None


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive, zero or negative as a, b, c turn one way, go straight, or turn the other."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    """True when the segments ab and cd have a point in common."""
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    return _turn(a, b, c) * _turn(a, b, d) <= 0 and _turn(c, d, a) * _turn(c, d, b) <= 0


def _pixels(points: Sequence[Point], scale: tuple[int, int]) -> F32:
    """float32[N, 2] xy: fractions (or pixels, with scale 1, 1) as pixels of the source picture."""
    return (np.asarray(points, np.float64) * scale).astype(np.float32)


def _mask(polygon_px: F32, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """uint8[H, W], 1 inside. OpenCV counts from pixel centres, hence the half pixel.

    Edges that leave the image make fillPoly paint its border, so the polygon is cut first, a little
    outside of the picture, and drawn with that margin.
    """
    canvas = np.zeros((height_px + 2 * _MARGIN_PX, width_px + 2 * _MARGIN_PX), np.uint8)
    corners: list[Point] = [(x, y) for x, y in polygon_px.tolist()]
    for axis, size_px in ((0, width_px), (1, height_px)):
        corners = _cut(corners, axis, -_MARGIN_PX + 1, 1)
        corners = _cut(corners, axis, size_px + _MARGIN_PX - 1, -1)
    if corners:
        shifted = (np.array(corners) + (_MARGIN_PX - 0.5)) * (1 << _SHIFT)
        cv2.fillPoly(canvas, [np.rint(shifted).astype(np.int32)], 1, shift=_SHIFT)
    return canvas[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX].copy()


def _cut(corners: list[Point], axis: int, limit: float, side: int) -> list[Point]:
    """What is left of a polygon on one side (1: above, -1: below) of a limit on an axis.

    Sutherland and Hodgman 1974; parts that fall apart stay joined along the limit.
    """
    kept: list[Point] = []
    for i, b in enumerate(corners):
        a = corners[i - 1]
        room_a, room_b = side * (a[axis] - limit), side * (b[axis] - limit)
        if (room_a < 0) != (room_b < 0):
            t = room_a / (room_a - room_b)
            kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        if room_b >= 0:
            kept.append(b)
    return kept


def _zone_problem(polygon_px: F32, width_px: int, height_px: int) -> str | None:
    if _is_far(polygon_px, width_px, height_px):
        return f"lies too far outside of the picture of {width_px} x {height_px} pixels"
    low, high = polygon_px.min(axis=0), polygon_px.max(axis=0)
    beside = (high <= 0).any() or (low >= (width_px, height_px)).any()
    if beside or not _mask(polygon_px, width_px, height_px).any():
        return (
            f"lies outside of the picture of {width_px} x {height_px} pixels: nobody can be in it"
        )
    return None


def _line_problem(ends_px: F32, width_px: int, height_px: int) -> str | None:
    if _is_far(ends_px, width_px, height_px):
        return f"lies too far outside of the picture of {width_px} x {height_px} pixels"
    if not _enters(ends_px, width_px, height_px):
        size = f"{width_px} x {height_px} pixels"
        return f"lies outside of the picture of {size}: this line can never trigger"
    return None


def _is_far(points_px: F32, width_px: int, height_px: int) -> bool:
    """True when a point is more than FAR picture sizes away: a wrong unit, or a slip of the pen."""
    fractions = points_px / np.array([width_px, height_px], np.float32)
    return bool((fractions < -FAR).any() or (fractions > 1 + FAR).any())


def _enters(ends_px: F32, width_px: int, height_px: int) -> bool:
    """True when a part of the segment is strictly inside of the picture (Liang and Barsky 1984)."""
    (x, y), (dx, dy) = ends_px[0].tolist(), (ends_px[1] - ends_px[0]).tolist()
    first, last = 0.0, 1.0
    for step, room in ((-dx, x), (dx, width_px - x), (-dy, y), (dy, height_px - y)):
        if step == 0 and room <= 0:
            return False
        if step < 0:
            first = max(first, room / step)
        elif step > 0:
            last = min(last, room / step)
    return first < last
