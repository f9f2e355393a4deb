"""How far two boxes lie in one another. Plain numbers: few boxes are compared at a time."""

from __future__ import annotations

from collections.abc import Sequence

Box = Sequence[float]
"""x1, y1, x2, y2, pixels."""


def area(box: Box) -> float:
    """Of the box, at least 1."""
    return max((box[2] - box[0]) * (box[3] - box[1]), 1.0)


def shared_area(a: Box, b: Box) -> float:
    """Of the part that lies in both; 0 where none does."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0.0 and height > 0.0 else 0.0


def share_of_smaller(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other."""
    return shared_area(a, b) / min(area(a), area(b))


def share_of_first(a: Box, b: Box) -> float:
    """Share of the first box that lies in the other."""
    return shared_area(a, b) / area(a)


def share_of_both(a: Box, b: Box) -> float:
    """Intersection over union."""
    shared = shared_area(a, b)
    return shared / (area(a) + area(b) - shared)
