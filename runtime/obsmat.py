"""Trajectories and zones on the ground plane as files: ETH/UCY `obsmat.txt`, and polygons in JSON.

A line of an obsmat is: frame, id, x, z, y, and the velocities of the three, in metres; z is unused
(Pellegrini et al., "You'll never walk alone", ICCV 2009). Velocities are not read: theirs look
ahead in time.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runtime.geometry import polygon_problem

COLUMNS = 8
LINE = "frame id x z y vx vz vy: eight numbers, metres and metres per second"
MOST_MISTAKES = 20
Polygon = list[tuple[float, float]]


class DataRefused(Exception):
    """A file that cannot be used: each mistake with file, line or key, and what is allowed."""


class Observations(NamedTuple):
    """Places of people, in order of time.

    Attributes:
        frame: int64[N], as in the file.
        person: int64[N].
        place: complex128[N], x + iy, metres.
    """

    frame: npt.NDArray[np.int64]
    person: npt.NDArray[np.int64]
    place: npt.NDArray[np.complex128]


def read_obsmat(path: Path) -> Observations:
    """Read an obsmat file, lines in any order.

    Raises:
        DataRefused: every line that cannot be read, or that sees a person twice in a frame.
        OSError: the file cannot be opened.
    """
    rows: dict[tuple[int, int], complex] = {}
    mistakes = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        values = _numbers(line)
        if values is None:
            mistakes.append(f"{path}:{number}: {line.strip()[:60]!r}: must be {LINE}")
            continue
        key = int(values[0]), int(values[1])
        if key in rows:
            mistakes.append(f"{path}:{number}: person {key[1]} is in frame {key[0]} twice")
        rows[key] = complex(values[2], values[4])
    if not rows and not mistakes:
        mistakes.append(f"{path}: must have at least one line of {LINE}")
    if mistakes:
        raise DataRefused("\n".join(mistakes[:MOST_MISTAKES]))
    keys = sorted(rows)
    frame, person = np.array(keys, np.int64).T
    return Observations(frame, person, np.array([rows[key] for key in keys]))


def _numbers(line: str) -> list[float] | None:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        return None
    if len(values) != COLUMNS or not all(map(math.isfinite, values)):
        return None
    whole = values[0] == int(values[0]) and values[1] == int(values[1])
    return values if whole and abs(values[0]) < 2**53 and abs(values[1]) < 2**53 else None


def read_zones(path: Path) -> dict[str, Polygon]:
    """Read named polygons: {"name": [[x, y], ...]}, metres, corners in order, not closed.

    Raises:
        DataRefused: everything that is wrong with the file.
        OSError: the file cannot be opened.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path}: must be JSON: {error}") from None
    if not isinstance(raw, dict) or not raw:
        raise DataRefused(f'{path}: must be an object {{"name": [[x, y], ...]}} with a zone')
    mistakes = []
    for name, corners in raw.items():
        if problem := _corners_problem(name, corners):
            mistakes.append(f"{path}: {name!r} = {str(corners)[:60]}: {problem}")
    if mistakes:
        raise DataRefused("\n".join(mistakes[:MOST_MISTAKES]))
    return {name: [(float(x), float(y)) for x, y in corners] for name, corners in raw.items()}


def _corners_problem(name: str, corners: object) -> str | None:
    if not name or any(sign in name for sign in ',"\r\n'):
        return "a zone's name must not be empty, nor hold a comma, a quote or a line break"
    if not isinstance(corners, list) or not all(map(_is_point, corners)):
        return "must be a list of corners [x, y], metres"
    return polygon_problem([(float(x), float(y)) for x, y in corners])


def _is_point(point: object) -> bool:
    if not isinstance(point, list) or len(point) != 2:
        return False
    return all(type(value) in (int, float) and abs(value) < 1e6 for value in point)


def write_zones(path: Path, zones: dict[str, Polygon]) -> None:
    """Write polygons as `read_zones` reads them."""
    path.write_text(json.dumps(zones, indent=1) + "\n", encoding="utf-8")


def frame_ms(observations: Observations, step_ms: float) -> float:
    """Milliseconds per frame number, when people were annotated every `step_ms`.

    The annotated step is the smallest distance between two frames of one person.

    Raises:
        DataRefused: nobody was seen twice.
    """
    order = np.lexsort((observations.frame, observations.person))
    frame, person = observations.frame[order], observations.person[order]
    steps = np.diff(frame)[np.diff(person) == 0]
    if not steps.size:
        raise DataRefused("must hold somebody who was seen more than once")
    return step_ms / float(steps.min())


def quartile_squares(observations: Observations, side_m: float = 2.5) -> dict[str, Polygon]:
    """Four squares across the walkways, around the middle of where people were.

    Their centres are (25 % of x, median y), (75 % of x, median y), (median x, 25 % of y) and
    (median x, 75 % of y), quantiles over all places.
    """
    (x1, x2, x3), (y1, y2, y3) = (
        np.quantile(part, (0.25, 0.5, 0.75))
        for part in (observations.place.real, observations.place.imag)
    )
    centres = {"west": (x1, y2), "east": (x3, y2), "south": (x2, y1), "north": (x2, y3)}
    return {name: square(float(x), float(y), side_m) for name, (x, y) in centres.items()}


def grid_squares(observations: Observations, side_m: float = 2.5) -> dict[str, Polygon]:
    """Four squares with their centres at 25 % and 75 % of x and of y, quantiles over all places."""
    xs, ys = (
        np.quantile(part, (0.25, 0.75))
        for part in (observations.place.real, observations.place.imag)
    )
    return {
        f"{'we'[i]}{'sn'[j]}": square(float(x), float(y), side_m)
        for i, x in enumerate(xs)
        for j, y in enumerate(ys)
    }


def random_polygons(
    observations: Observations, count: int = 8, seed: int = 0
) -> dict[str, Polygon]:
    """Convex polygons of 3 to 6 corners and 1 to 5 m, near where people were."""
    random = np.random.default_rng(seed)
    zones: dict[str, Polygon] = {}
    while len(zones) < count:
        centre = random.choice(observations.place) + complex(*random.normal(0.0, 1.0, 2))
        angles = np.sort(random.uniform(0.0, 2 * np.pi, random.integers(3, 7)))
        radii = random.uniform(0.7, 2.5) * np.exp(1j * angles)
        corners = [(round(p.real, 3), round(p.imag, 3)) for p in (centre + radii).tolist()]
        if polygon_problem(corners) is None:
            zones[f"random{len(zones)}"] = corners
    return zones


def square(x: float, y: float, side_m: float) -> Polygon:
    """Corners of a square around a centre."""
    half = side_m / 2
    return [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
