"""Draw a person as a figure: from the joints where they are known, else from the box alone."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from drivers.interfaces import U8

BONES = (
    (0, 5), (0, 6), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12),
    (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip
"""Pairs of COCO joints."""
LIMBS = BONES[2:]
"""Without the neck: a head is drawn as a disc."""
TORSO = (5, 6, 12, 11)
HEAD = range(5)
SHOULDERS, HIPS = (5, 6), (11, 12)
STANDING = (
    *((0.50, 0.07),) * 5,
    (0.28, 0.19), (0.72, 0.19), (0.20, 0.35), (0.80, 0.35), (0.18, 0.49), (0.82, 0.49),
    (0.38, 0.50), (0.62, 0.50), (0.37, 0.73), (0.63, 0.73), (0.36, 0.96), (0.64, 0.96),
)  # fmt: skip
"""Joints of somebody who stands, as shares of the box."""
SLIM = 0.34
"""Width of a standing figure, in heights: arms and tools make a box wider than its person."""
LYING = 1.2
"""From this width on, in heights, a box is of somebody who lies."""
HEADS_HIGH = 7.5
LIMB_SHARE = 1 / 20
RIM_PX = 2

Point = tuple[float, float]
Colour = tuple[int, ...]


def standing_in(box: list[float]) -> list[Point]:
    """The joints of a figure that fills a box: upright, or lying where the box is wide.

    Args:
        box: xyxy, pixels.
    """
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    if width > LYING * height:
        slim = min(height, SLIM * width)
        top = (y1 + y2 - slim) / 2
        return [(x1 + y * width, top + x * slim) for x, y in STANDING]
    slim = min(width, SLIM * height)
    left = (x1 + x2 - slim) / 2
    return [(left + x * slim, y1 + y * height) for x, y in STANDING]


def draw_figure(
    pixels: U8, joints: Sequence[Point | None], size_px: float, colour: Colour, rim: Colour
) -> None:
    """Draw a solid figure with a rim.

    Args:
        pixels: drawn on.
        joints: 17 in COCO's order, pixels; None where one is not known.
        size_px: height of the body, for the thickness of the limbs.
    """
    thick = max(2, round(size_px * LIMB_SHARE))
    spots = [None if joint is None else _spot(joint) for joint in joints]
    for grown, shade in ((2 * RIM_PX, rim), (0, colour)):
        for a, b in LIMBS:
            start, end = spots[a], spots[b]
            if start and end:
                cv2.line(pixels, start, end, shade, thick + grown, cv2.LINE_AA)
        _draw_torso(pixels, spots, grown, shade)
        centre = _head(joints)
        if centre:
            radius = max(3, round(size_px / HEADS_HIGH / 2)) + grown // 2
            cv2.circle(pixels, _spot(centre), radius, shade, -1, cv2.LINE_AA)


def _draw_torso(pixels: U8, spots: list[tuple[int, int] | None], grown: int, shade: Colour) -> None:
    corners = [spot for spot in (spots[i] for i in TORSO) if spot]
    if len(corners) == len(TORSO):
        cv2.fillPoly(pixels, [cv2.convexHull(np.array(corners, np.int32))], shade, cv2.LINE_AA)


def _head(joints: Sequence[Point | None]) -> Point | None:
    """The middle of the face, or a point above the shoulders."""
    face = [joint for joint in (joints[i] for i in HEAD) if joint]
    if face:
        return _mean(face)
    shoulders = [joint for joint in (joints[i] for i in SHOULDERS) if joint]
    hips = [joint for joint in (joints[i] for i in HIPS) if joint]
    if not (shoulders and hips):
        return None
    (sx, sy), (hx, hy) = _mean(shoulders), _mean(hips)
    return sx + 0.35 * (sx - hx), sy + 0.35 * (sy - hy)


def _mean(points: list[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _spot(point: Point) -> tuple[int, int]:
    return round(point[0]), round(point[1])
