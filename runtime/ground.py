"""The ground plane: from a point of the picture to metres on the ground, and how well it fits.

The homography is the least-squares one of the given point pairs (direct linear transformation with
normalised points: Hartley, "In defense of the eight-point algorithm", PAMI 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.site import GroundConfig, Point
from runtime.tables import Tracks

F64 = npt.NDArray[np.float64]
C128 = npt.NDArray[np.complex128]

LEAST_PAIRS, MOST_PAIRS = 4, 16
LEAST_HEIGHT = 0.02
"""Three points lie on a line when their triangle is flatter than this share of its longest side."""
FAR_M = 1000.0
"""A place at the horizon or beyond is put this far away: nobody is near to it."""
LEAST_DEPTH = 1e-9


class GroundFit(NamedTuple):
    """A homography and what it leaves over.

    Attributes:
        homography: float64[3, 3], units of the picture points to metres; its third row gives a
            positive depth to every given point.
        residual_m: root mean square distance of the given metres from the mapped points.
        worst_m, worst: the largest distance, and the index of its pair.
    """

    homography: F64
    residual_m: float
    worst_m: float
    worst: int


class GroundRefused(Exception):
    """Point pairs that give no ground plane: which key, and what is allowed."""

    def __init__(self, key: str, allowed: str) -> None:
        super().__init__(f"{key}: {allowed}")
        self.key = key
        self.allowed = allowed


def fit_ground(config: GroundConfig) -> GroundFit:
    """Fit the plane to the pairs of a site file.

    Raises:
        GroundRefused: too few or too many pairs, points on a line, points beyond the horizon that
            the others give, or a residual above `max_residual_m`.
    """
    n = len(config.picture)
    if not LEAST_PAIRS <= n <= MOST_PAIRS:
        raise GroundRefused("picture", f"must hold {LEAST_PAIRS} to {MOST_PAIRS} points, has {n}")
    if len(config.metres) != n:
        allowed = f"must hold one point for each of the {n} in picture, has {len(config.metres)}"
        raise GroundRefused("metres", allowed)
    for key, points in (("picture", config.picture), ("metres", config.metres)):
        if not _spans_a_plane(points):
            allowed = "must hold four points of which no three lie on a line: corners of an area"
            raise GroundRefused(key, allowed)
    fit = _solve(np.array(config.picture), np.array(config.metres))
    if fit.residual_m > config.max_residual_m:
        raise GroundRefused(
            "metres",
            f"the pairs must fit one plane within max_residual_m = {config.max_residual_m:g};"
            f" they miss it by {fit.residual_m:.2f} m, most at pair {fit.worst + 1}"
            f" ({fit.worst_m:.2f} m): check it",
        )
    return fit


def _spans_a_plane(points: Sequence[Point]) -> bool:
    xy = [complex(x, y) for x, y in points]
    return any(
        not any(_is_flat(*three) for three in combinations(four, 3))
        for four in combinations(xy, LEAST_PAIRS)
    )


def _is_flat(a: complex, b: complex, c: complex) -> bool:
    longest = max(abs(b - a), abs(c - b), abs(a - c))
    area = abs(((b - a).conjugate() * (c - a)).imag)
    return area <= LEAST_HEIGHT * longest * longest


def _solve(picture: F64, metres: F64) -> GroundFit:
    to_picture, to_metres = _normaliser(picture), _normaliser(metres)
    p, m = _map(to_picture, picture), _map(to_metres, metres)
    rows = []
    for (x, y), (u, v) in zip(p, m, strict=True):
        rows.append([-x, -y, -1.0, 0.0, 0.0, 0.0, u * x, u * y, u])
        rows.append([0.0, 0.0, 0.0, -x, -y, -1.0, v * x, v * y, v])
    solution = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    homography = np.linalg.inv(to_metres) @ solution @ to_picture
    depth = np.column_stack([picture, np.ones(len(picture))]) @ homography[2]
    homography = homography / depth[np.argmax(np.abs(depth))]
    depth = depth / depth[np.argmax(np.abs(depth))]
    if (depth < LEAST_DEPTH).any():
        beyond = int(np.argmin(depth)) + 1
        allowed = f"point {beyond} lies beyond the horizon that the others give: check its pair"
        raise GroundRefused("picture", allowed)
    missed = np.hypot(*(_map(homography, picture) - metres).T)
    worst = int(np.argmax(missed))
    rms = float(np.sqrt((missed**2).mean()))
    return GroundFit(homography, rms, float(missed[worst]), worst)


def _normaliser(points: F64) -> F64:
    """float64[3, 3]: moves the mean to 0 and the mean distance from it to the square root of 2."""
    middle = points.mean(axis=0)
    scale = np.sqrt(2.0) / np.hypot(*(points - middle).T).mean()
    return np.array(
        [[scale, 0.0, -scale * middle[0]], [0.0, scale, -scale * middle[1]], [0.0, 0.0, 1.0]]
    )


def _map(homography: F64, points: F64) -> F64:
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    result: F64 = mapped[:, :2] / mapped[:, 2:]
    return result


def in_pixels(fit: GroundFit, scale: tuple[float, float]) -> F64:
    """The homography from pixels, when one unit of the site file is `scale` pixels."""
    homography: F64 = fit.homography / np.array([scale[0], scale[1], 1.0])
    return homography


def polygon_m(homography: F64, corners: npt.NDArray[np.floating[Any]]) -> list[Point] | None:
    """Corners in metres, or None when one lies at the horizon or beyond."""
    depth = np.column_stack([corners, np.ones(len(corners))]) @ homography[2]
    if (depth < LEAST_DEPTH).any():
        return None
    return [(float(x), float(y)) for x, y in _map(homography, np.asarray(corners, np.float64))]


class Ground:
    """Turns foot points into metres. Nothing is allocated after `__init__`.

    Args:
        homography: float64[3, 3], from pixels of the source picture to metres.
        capacity: number of track slots, T.

    Attributes:
        place: complex128[T], x + iy in metres, of the last `locate`; FAR_M beyond the horizon.
        speed: float64[T], m/s, of the last `locate`; 0 beyond the horizon.
    """

    def __init__(self, homography: F64, capacity: int) -> None:
        self._homography = homography
        self._points: F64 = np.ones((3, capacity))
        self._moves: F64 = np.zeros((3, capacity))
        self._mapped: F64 = np.zeros((3, capacity))
        self._moved: F64 = np.zeros((3, capacity))
        self._is_beyond = np.zeros(capacity, np.bool_)
        self._way: C128 = np.zeros(capacity, np.complex128)
        self._turn: C128 = np.zeros(capacity, np.complex128)
        self.place: C128 = np.zeros(capacity, np.complex128)
        self.speed: F64 = np.zeros(capacity)

    def locate(self, tracks: Tracks) -> None:
        """Fill `place` and `speed` from the foot points and from how the boxes' feet move."""
        points, moves, mapped, moved = self._points, self._moves, self._mapped, self._moved
        points[0], points[1] = tracks.foot[:, 0], tracks.foot[:, 1]
        np.matmul(self._homography, points, out=mapped)
        np.add(tracks.velocity[:, 0], tracks.velocity[:, 2], out=moves[0])
        moves[0] *= 0.5
        moves[1] = tracks.velocity[:, 3]
        np.matmul(self._homography, moves, out=moved)
        depth, place, way, turn = mapped[2], self.place, self._way, self._turn
        np.less(depth, LEAST_DEPTH, out=self._is_beyond)
        np.maximum(depth, LEAST_DEPTH, out=depth)
        mapped[:2] /= depth
        moved /= depth
        place.real, place.imag = mapped[0], mapped[1]
        np.copyto(place, FAR_M, where=self._is_beyond)
        way.real, way.imag = moved[0], moved[1]
        np.multiply(place, moved[2], out=turn)
        way -= turn
        np.absolute(way, out=self.speed)
        self.speed *= 1000.0
        np.copyto(self.speed, 0.0, where=self._is_beyond)
