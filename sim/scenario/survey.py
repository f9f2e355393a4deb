"""The ground plane of a scenario's site: what somebody would measure there with a tape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sim.world.config import WorldConfig

Point = tuple[float, float]
Project = Callable[[Sequence[Point]], Sequence[Point]]

NEAR_M, FAR_M, STEP_M = 2.0, 20.0, 1.0
"""Distances from the camera at which there are marks to measure, and between two of them."""
EDGE_SHARE = 0.04
"""Of the picture's size: nobody marks points at its edge."""
DIGITS = 2
"""Centimetres, and hundredths of a pixel."""
OUTERMOST = ((-1, 1), (1, 1), (-1, -1), (1, -1), (0, 1), (0, -1))
"""Directions in the picture in which the outermost marks are taken: corners, near and far."""


def measure(world: WorldConfig, project: Project, size_px: tuple[int, int]) -> dict[str, Any]:
    """`[ground]` of a site in pixels: the outermost points in view, and the one in their middle.

    Args:
        world: where its camera stands and looks.
        project: points on the ground, metres, to pixels.
        size_px: of the picture.
    """
    marks = _in_view(_around(world), project, size_px)
    chosen = [
        max(
            marks, key=lambda mark: mark[0][0] * right / size_px[0] + mark[0][1] * down / size_px[1]
        )
        for right, down in OUTERMOST
    ]
    middle = [sum(mark[0][axis] for mark in chosen) / len(chosen) for axis in (0, 1)]
    chosen.append(min(marks, key=lambda mark: math.dist(mark[0], middle)))
    picture = list(dict.fromkeys(mark[0] for mark in chosen))
    there = dict(marks)
    return {"picture": [list(p) for p in picture], "metres": [list(there[p]) for p in picture]}


def _around(world: WorldConfig) -> list[Point]:
    """A grid on the ground in front of the camera."""
    x, y = world.camera.at_m
    reach = int(FAR_M / STEP_M)
    grid = [
        (i * STEP_M, j * STEP_M) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)
    ]
    return [(x + dx, y + dy) for dx, dy in grid if NEAR_M <= math.hypot(dx, dy) <= FAR_M]


def _in_view(
    points_m: Sequence[Point], project: Project, size_px: tuple[int, int]
) -> list[tuple[Point, Point]]:
    """(pixels, metres) of those inside the picture."""
    width, height = size_px
    left, top = EDGE_SHARE * width, EDGE_SHARE * height
    return [
        ((round(x, DIGITS), round(y, DIGITS)), (round(at[0], DIGITS), round(at[1], DIGITS)))
        for at, (x, y) in zip(points_m, project(points_m), strict=True)
        if left <= x <= width - left and top <= y <= height - top
    ]
