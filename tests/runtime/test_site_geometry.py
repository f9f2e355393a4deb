"""Zones and lines laid over a picture: pixels, the map of zones, and what lies outside."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.toml_strict import ConfigErrors
from runtime.geometry import ResolvedZone, polygon_problem, rasterise, resolve_site
from runtime.site import LineConfig, Site, ZoneConfig
from runtime.site_rules import ZoneRuleConfig

WHOLE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
Points = list[tuple[float, float]]


def site(*polygons: Points, lines: list[Points] | None = None, units: str = "fraction") -> Site:
    zones = [ZoneConfig(name=f"z{n}", polygon=points) for n, points in enumerate(polygons)]
    gates = [LineConfig(name=f"l{n}", start=a, end=b) for n, (a, b) in enumerate(lines or [])]
    rules: list[Any] = [ZoneRuleConfig(zone="z0")]
    return Site(format=1, name="x", units=units, rules=rules, zones=zones, lines=gates)  # type: ignore[arg-type]


def refused(of: Site, width_px: int = 640, height_px: int = 360) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        resolve_site(of, width_px, height_px, "site.toml")
    return [str(mistake) for mistake in caught.value.mistakes]


def zones(*polygons: Points) -> list[ResolvedZone]:
    return [ResolvedZone("z", np.array(points, np.float32), "foot") for points in polygons]


def test_fractions_become_pixels_of_the_picture() -> None:
    laid = resolve_site(
        site([(0, 0), (0.5, 0), (1, 1)], lines=[[(0.5, 0), (0.25, 1)]]), 640, 360, "f"
    )
    assert laid.zones[0].polygon_px.tolist() == [[0, 0], [320, 0], [640, 360]]
    assert laid.zones[0].polygon_px.dtype == np.float32
    assert laid.lines[0].start_px.tolist() == [320, 0]
    assert laid.lines[0].end_px.tolist() == [160, 360]
    assert (laid.lines[0].name, laid.lines[0].in_side, laid.lines[0].anchor) == (
        "l0",
        "right",
        "foot",
    )


def test_pixels_stay_pixels() -> None:
    laid = resolve_site(site([(10, 20), (30, 20), (30, 40)], units="pixel"), 640, 360, "f")
    assert laid.zones[0].polygon_px.tolist() == [[10, 20], [30, 20], [30, 40]]


@pytest.mark.parametrize(
    ("width_px", "height_px"), [(1, 1), (3, 2), (640, 360), (641, 357), (1920, 1080)]
)
def test_a_zone_of_the_whole_picture_holds_every_pixel(width_px: int, height_px: int) -> None:
    zone_map = resolve_site(site(WHOLE), width_px, height_px, "f").zone_map
    assert zone_map.shape == (height_px, width_px)
    assert zone_map.dtype == np.uint8
    assert (zone_map == 1).all()


def test_a_zone_at_the_lower_edge_holds_the_last_row() -> None:
    zone_map = resolve_site(site([(0, 0.5), (1, 0.5), (1, 1), (0, 1)]), 640, 360, "f").zone_map
    assert (zone_map[-1] == 1).all()
    assert (zone_map[:178] == 0).all()


def test_each_zone_is_a_bit_of_its_own() -> None:
    left, right = [(0, 0), (20, 0), (20, 9), (0, 9)], [(10, 0), (30, 0), (30, 9), (10, 9)]
    zone_map = rasterise(zones(left, right), 40, 10)
    assert zone_map[5, [5, 15, 25, 35]].tolist() == [1, 3, 2, 0]


def test_32_zones_fit_and_33_do_not() -> None:
    square = [(0, 0), (9, 0), (9, 9), (0, 9)]
    assert (rasterise(zones(*[square] * 32), 4, 4) == 0xFFFFFFFF).all()
    with pytest.raises(ValueError, match="at most 32"):
        rasterise(zones(*[square] * 33), 4, 4)


def test_a_polygon_that_leaves_the_picture_is_cut_at_its_edge() -> None:
    zone_map = resolve_site(
        site([(0.5, -0.5), (1.5, -0.5), (1.5, 1.5), (0.5, 1.5)]), 64, 36, "f"
    ).zone_map
    assert (zone_map[:, 33:] == 1).all()
    assert (zone_map[:, :31] == 0).all()


@pytest.mark.parametrize("turns", range(4))
def test_an_edge_far_outside_does_not_paint_the_border(turns: int) -> None:
    points = [(0.0, 100.0), (0.0, 110.0), (-300.0, 0.0)]  # beside the picture, save for its edge
    for _ in range(turns):
        points = [(120.0 - y, x) for x, y in points]
    assert (rasterise(zones(points), 120, 120) != 0).sum() <= 12


def test_a_polygon_that_falls_apart_at_the_edge_of_the_picture_is_drawn_in_parts() -> None:
    prongs = [(-50, 5), (20, 5), (20, 9), (-20, 9), (-20, 20), (20, 20), (20, 25), (-50, 25)]
    column = rasterise(zones(prongs), 40, 30)[:, 2]
    assert [y for y in range(30) if column[y]] == [*range(5, 10), *range(20, 26)]


OUTSIDE = [
    [(1.1, 0), (1.5, 0), (1.5, 1)],
    [(-0.5, 0), (-0.1, 0), (-0.1, 1)],
    [(0, 1.2), (1, 1.2), (1, 1.9)],
    [(-1, 0), (0, 0), (0, 1), (-1, 1)],
    [(1, 0), (2, 0), (2, 1), (1, 1)],
    [(-0.9, 0.5), (0.45, 1.9), (-0.9, 1.9)],
]


@pytest.mark.parametrize("points", OUTSIDE)
def test_a_zone_outside_of_the_picture_is_refused(points: Points) -> None:
    (text,) = refused(site(points))
    assert text.startswith("site.toml: zones[0].polygon = ")
    assert "lies outside of the picture of 640 x 360 pixels" in text


@pytest.mark.parametrize("far", [1e9, 3000, -1e9])
def test_pixels_far_outside_are_refused(far: float) -> None:
    (text,) = refused(site([(0, 0), (far, 0), (100, 100)], units="pixel"))
    assert "too far outside" in text


@pytest.mark.parametrize(
    "line",
    [
        [(1.1, 0), (1.1, 1)],
        [(-0.5, 0.5), (-0.1, 0.5)],
        [(0, -0.5), (1, -0.1)],
        [(0.8, -0.5), (1.9, 0.6)],
        [(0, 0), (0, 1)],
        [(1, 0), (1, 1)],
        [(0, 1), (1, 1)],
        [(-0.5, 0.5), (0, 0.5)],
    ],
)
def test_a_line_outside_of_the_picture_is_refused(line: Points) -> None:
    (text,) = refused(site(WHOLE, lines=[line]))
    assert text.startswith("site.toml: lines[0] = ")
    assert "this line can never trigger" in text


@pytest.mark.parametrize(
    "line", [[(-0.5, 0.5), (1.5, 0.5)], [(0.5, -1), (0.5, 0.1)], [(0, 0), (1, 1)]]
)
def test_a_line_that_enters_the_picture_is_taken(line: Points) -> None:
    assert resolve_site(site(WHOLE, lines=[line]), 640, 360, "f").lines


def test_all_shapes_outside_are_named_at_once() -> None:
    found = refused(site(OUTSIDE[0], WHOLE, OUTSIDE[1], lines=[[(0, 0), (0, 1)]]))
    assert [text.split(" =")[0] for text in found] == [
        "site.toml: zones[0].polygon",
        "site.toml: zones[2].polygon",
        "site.toml: lines[0]",
    ]


COORDINATE = st.floats(-40, 80, width=32)


@settings(max_examples=150)
@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=6))
def test_the_map_agrees_with_the_polygon_away_from_its_edge(points: Points) -> None:
    if polygon_problem(points):
        return
    contour = np.array(points, np.float32)
    zone_map = rasterise(zones(points), 40, 30)
    for y in range(0, 30, 3):
        for x in range(0, 40, 3):
            inside_px = cv2.pointPolygonTest(contour, (x + 0.5, y + 0.5), True)
            if abs(inside_px) > 1.5:
                assert bool(zone_map[y, x]) == (inside_px > 0)
