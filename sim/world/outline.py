"""Simple polygons on the ground plane."""

from __future__ import annotations

from collections.abc import Sequence


def anticlockwise(points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """The corners of a simple polygon, turned round when they run clockwise."""
    outline = [(float(p[0]), float(p[1])) for p in points]
    following = outline[1:] + outline[:1]
    doubled = sum(_cross((0.0, 0.0), *edge) for edge in zip(outline, following, strict=True))
    return outline if doubled >= 0 else outline[::-1]


def _cross(o: Sequence[float], a: Sequence[float], b: Sequence[float]) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def ears(outline: list[tuple[float, float]]) -> list[tuple[int, int, int]]:
    """Triangles of an anticlockwise simple polygon (ear clipping; Meisters, 1975)."""
    left, found = list(range(len(outline))), []
    while len(left) > 3:
        for k in range(len(left)):
            ear = (left[k - 1], left[k], left[(k + 1) % len(left)])
            if _is_ear(outline, ear, left):
                found.append(ear)
                del left[k]
                break
        else:
            break
    return [*found, (left[0], left[1], left[2])]


def _is_ear(outline: list[tuple[float, float]], ear: tuple[int, int, int], left: list[int]) -> bool:
    a, b, c = (outline[i] for i in ear)
    if _cross(a, b, c) <= 1e-12:
        return False
    others = (outline[i] for i in left if i not in ear)
    return not any(
        _cross(a, b, p) >= 0 and _cross(b, c, p) >= 0 and _cross(c, a, p) >= 0 for p in others
    )
