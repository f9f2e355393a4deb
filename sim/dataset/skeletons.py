"""Skeletons of simulated people as a file that the action student learns from.

    python -m sim.dataset.skeletons --seed 1 --count 120000 --out simulated.npz

A cast of people does each action in random ways, each moment seen by a random pinhole camera, from
eye level to a mast. No picture is rendered and a body is made once for many scripts; noise and
lost joints are left to training. Every fifth person of the cast is held out whole.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.dataset.seen_as import names_of
from sim.people.person import Person
from sim.world.config import Doing, PersonConfig, StepConfig

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
ROWS_PER_SCRIPT: Final = 8
CAST: Final = 60
HELD_OUT_EVERY: Final = 5
DOINGS: Final[tuple[Doing, ...]] = (
    "stand", "walk", "run", "bend", "squat", "sit", "climb", "fall", "lie", "crawl",
    "arms_raised", "work", "tie_shoes", "wave", "get_up", "climb_down",
)  # fmt: skip
TRAVELS: Final = ("walk", "run", "crawl")
SPEED_M_S: Final = {"walk": (0.7, 1.9), "run": (2.3, 5.0), "crawl": (0.3, 0.7)}
DIRECTIONS: Final = ("forward", "back", "left", "right")
SEAT_M: Final = (0.25, 0.75)
GROUND_SHARE: Final = 0.35
"""Of those who sit: on the ground."""
STAND_MS: Final = 500
FIRST_MS, LAST_MS = 1500, 9000
"""When travellers are looked at: after they have begun, before they have arrived."""
LOOK_MS: Final = {"fall": 1700, "get_up": 4200}
"""For how long some are looked at: afterwards they only lie or stand."""
FAR_M: Final = 60.0
CLIMB_M: Final = 5.0
HEIGHT_M, DISTANCE_M = (1.2, 9.0), (2.5, 30.0)
STEEPEST_DEG: Final = 58.0
"""Below the horizon: nobody looks straight down on people."""
FOCAL_PX, ROLL_DEG, ASIDE_RAD, NEAREST_M = 1000.0, 3.0, 0.5, 0.3


class Row(NamedTuple):
    """One moment: float64[17, 3] metres, what may be said of it, what the script asked for."""

    keypoints_m: F64
    action: str
    doing: str


def script_of(rng: np.random.Generator, doing: Doing, heading_deg: float) -> list[StepConfig]:
    """Standing for a moment, then one thing in a random way of doing it."""
    way = math.radians(heading_deg)
    ahead = (FAR_M * math.sin(way), FAR_M * math.cos(way))
    seat = 0.0 if rng.random() < GROUND_SHARE else float(rng.uniform(*SEAT_M))
    direction = DIRECTIONS[rng.integers(len(DIRECTIONS))]
    step = StepConfig(
        do=doing,
        to_m=ahead if doing in TRAVELS else None,
        to_height_m=CLIMB_M if doing == "climb" else seat if doing == "sit" else 0.0,
        speed_m_s=float(rng.uniform(*SPEED_M_S[doing])) if doing in TRAVELS else None,
        heading_deg=heading_deg,
        direction=direction if doing in ("fall", "lie") else "",  # type: ignore[arg-type]
    )
    stand = StepConfig(do="stand", for_ms=STAND_MS)
    match doing:
        case "get_up":
            return [stand, StepConfig(do="lie", for_ms=STAND_MS, direction=direction), step]  # type: ignore[arg-type]
        case "climb_down":
            up = StepConfig(do="climb", to_height_m=2.0, speed_m_s=2.0, heading_deg=heading_deg)
            return [stand, up, step]
        case _:
            return [stand, step]


def member(seed: int) -> Person:
    """Somebody of the cast."""
    still = [StepConfig(do="stand", for_ms=STAND_MS)]
    return Person(PersonConfig(name=f"person {seed}", at_m=(0.0, 0.0), script=still), seed)


def rows_of(person: Person, seed: int, doing: Doing) -> Iterator[Row]:
    """Some moments of one script."""
    rng = np.random.default_rng((12, seed))
    heading = float(rng.uniform(-180, 180))
    config = PersonConfig(
        name=person.config.name, at_m=(0.0, 0.0), heading_deg=heading,
        script=script_of(rng, doing, heading),
    )  # fmt: skip
    person.follow(config, seed)
    first = FIRST_MS if doing in TRAVELS else STAND_MS
    last = STAND_MS + LOOK_MS[doing] if doing in LOOK_MS else LAST_MS
    for t_ms in rng.uniform(first, last, ROWS_PER_SCRIPT):
        person.pose(float(t_ms))
        yield Row(person.keypoints_m.copy(), names_of(person, float(t_ms)), doing)


def _unit(vectors: F64) -> F64:
    long: F64 = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / long


def _turned(a: F64, b: F64, angle: F64) -> F64:
    """Each of `a` turned towards `b`, radians float64[N]."""
    turned: F64 = a * np.cos(angle)[:, None] + b * np.sin(angle)[:, None]
    return turned


def cameras(rng: np.random.Generator, middle: F64) -> tuple[F64, F64]:
    """A camera for each person, with them somewhere in its picture.

    Args:
        rng: source of the cameras.
        middle: float64[N, 3] metres, where the people are.

    Returns:
        float64[N, 3] places, and float64[N, 3, 3] axes: right, down, ahead.
    """
    count = len(middle)
    height = np.exp(rng.uniform(*np.log(HEIGHT_M), count))
    steep = (height - middle[:, 2]) / math.tan(math.radians(STEEPEST_DEG))
    nearest = np.maximum(DISTANCE_M[0], steep)
    distance = nearest * (DISTANCE_M[1] / nearest) ** rng.random(count)
    turn = rng.uniform(0, 2 * math.pi, count)
    at = middle + np.stack((distance * np.cos(turn), distance * np.sin(turn), 0 * turn), 1)
    at[:, 2] = height
    up = np.array((0.0, 0.0, 1.0))
    ahead = _unit(middle - at)
    ahead = _turned(ahead, _unit(np.cross(ahead, up)), rng.uniform(-ASIDE_RAD, ASIDE_RAD, count))
    right = _unit(np.cross(ahead, up))
    down = np.cross(ahead, right)
    roll = np.deg2rad(rng.normal(0, ROLL_DEG, count))
    right, down = _turned(right, down, roll), _turned(down, -right, roll)
    return at, np.stack((right, down, ahead), 1)


def look(rng: np.random.Generator, keypoints_m: F64) -> F32:
    """Project each person with a camera of their own.

    Args:
        rng: source of the cameras.
        keypoints_m: float64[N, 17, 3], z up.

    Returns:
        float32[N, 17, 3] x, y in pixels (y downwards) and 2, COCO's visible.
    """
    at, axes = cameras(rng, keypoints_m.mean(1))
    seen = np.einsum("nij,nkj->nki", axes, keypoints_m - at[:, None])
    out = np.full(seen.shape, 2, np.float32)
    out[:, :, :2] = FOCAL_PX * seen[:, :, :2] / np.maximum(seen[:, :, 2:], NEAREST_M)
    return out


def people(seed: int, count: int) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of a file: keypoints, action, group (the person), held_out, doing.

    Args:
        seed: of everything.
        count: rows.
    """
    scripts = math.ceil(count / ROWS_PER_SCRIPT)
    size = min(CAST, max(HELD_OUT_EVERY, scripts // len(DOINGS)))
    rows: list[Row] = []
    groups: list[int] = []
    for who in range(size):
        person = member(seed * 1_000_003 + who)
        for i in range(who * scripts // size, (who + 1) * scripts // size):
            rows += rows_of(person, seed * 1_000_003 + i, DOINGS[i % len(DOINGS)])
            groups += [who] * ROWS_PER_SCRIPT
    rows, group = rows[:count], np.array(groups[:count])
    keypoints_m = np.stack([row.keypoints_m for row in rows])
    return {
        "keypoints": look(np.random.default_rng((11, seed)), keypoints_m),
        "action": np.array([row.action for row in rows]), "group": group,
        "held_out": group % HELD_OUT_EVERY == HELD_OUT_EVERY - 1,
        "doing": np.array([row.doing for row in rows]),
    }  # fmt: skip


def main() -> None:
    """Write a file from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=120_000)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, **people(arguments.seed, arguments.count))


if __name__ == "__main__":
    main()
