"""Skeletons of simulated people as a file that the action student learns from.

    python -m sim.dataset.skeletons --seed 1 --count 40000 --out simulated.npz

Random people do each action with random ways of it, seen by a random pinhole camera. No picture is
rendered; noise and lost joints are left to training. Every fifth person is held out whole.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.people.person import Person
from sim.world.config import Doing, PersonConfig, StepConfig

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
ROWS_PER_PERSON = 8
HELD_OUT_EVERY = 5
DOINGS: tuple[Doing, ...] = (
    "stand", "walk", "run", "bend", "squat", "sit", "climb", "fall", "lie", "crawl",
    "arms_raised", "work", "tie_shoes", "wave", "get_up",
)  # fmt: skip
TRAVELS = ("walk", "run", "crawl")
FIRST_MS, LAST_MS = 1500, 9000
"""When somebody is looked at: after they have begun, before they have arrived."""
STAND_MS = 500
FAR_M = 60.0
HEIGHT_M, DISTANCE_M = (2.5, 9.0), (2.5, 25.0)
FOCAL_PX, ROLL_DEG = 1000.0, 2.0


class Row(NamedTuple):
    """One skeleton: float32[17, 3], the action seen, what the script asked for."""

    keypoints: F32
    action: str
    doing: str


def person_of(seed: int, doing: Doing) -> Person:
    """Somebody who stands for a moment and then does one thing."""
    rng = np.random.default_rng((11, seed))
    heading = float(rng.uniform(-180, 180))
    ahead = (FAR_M * math.sin(math.radians(heading)), FAR_M * math.cos(math.radians(heading)))
    step = StepConfig(
        do=doing,
        to_m=ahead if doing in TRAVELS else None,
        to_height_m=5.0 if doing == "climb" else 0.0,
        heading_deg=heading,
    )
    script = [StepConfig(do="stand", for_ms=STAND_MS), step]
    if doing == "get_up":
        script.insert(1, StepConfig(do="lie", for_ms=STAND_MS))
    name = f"person {seed}"
    config = PersonConfig(name=name, at_m=(0.0, 0.0), script=script, heading_deg=heading)
    return Person(config, seed)


def look(rng: np.random.Generator, keypoints_m: F64) -> F32:
    """Project one person with a random camera that has them somewhere in its picture.

    Args:
        rng: source of the camera.
        keypoints_m: float64[17, 3], z up.

    Returns:
        float32[17, 3] x, y in pixels (y downwards) and 2, COCO's visible.
    """
    turn, distance = rng.uniform(0, 2 * math.pi), math.exp(rng.uniform(*np.log(DISTANCE_M)))
    height, aside = rng.uniform(*HEIGHT_M), rng.uniform(-0.5, 0.5)
    roll = math.radians(rng.normal(0, ROLL_DEG))
    middle = keypoints_m.mean(0)
    camera = middle + np.array((distance * math.cos(turn), distance * math.sin(turn), 0.0))
    camera[2] = height
    ahead = middle - camera
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    ahead = ahead * math.cos(aside) + right * math.sin(aside)
    right = np.cross(ahead, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    right, down = (
        right * math.cos(roll) + down * math.sin(roll),
        down * math.cos(roll) - right * math.sin(roll),
    )
    seen = (keypoints_m - camera) @ np.stack((right, down, ahead)).T
    out = np.full((len(seen), 3), 2, np.float32)
    out[:, :2] = FOCAL_PX * seen[:, :2] / np.maximum(seen[:, 2:], 0.3)
    return out


def rows_of(seed: int, doing: Doing) -> Iterator[Row]:
    """Some moments of one person, each from another camera."""
    rng, person = np.random.default_rng((12, seed)), person_of(seed, doing)
    for t_ms in np.sort(rng.uniform(FIRST_MS if doing in TRAVELS else STAND_MS, LAST_MS,
                                    ROWS_PER_PERSON)):  # fmt: skip
        person.pose(float(t_ms))
        yield Row(look(rng, np.array(person.keypoints_m)), person.action, doing)


def write(seed: int, count: int, path: Path) -> None:
    """Write `count` skeletons: keypoints, action, group, held_out, doing."""
    people = math.ceil(count / ROWS_PER_PERSON)
    rows, groups = [], []
    for i in range(people):
        found = list(rows_of(seed * 1_000_003 + i, DOINGS[i % len(DOINGS)]))
        rows += found
        groups += [i // len(DOINGS)] * len(found)
    group = np.array(groups[:count])
    np.savez_compressed(
        path,
        keypoints=np.stack([row.keypoints for row in rows[:count]]),
        action=np.array([row.action for row in rows[:count]]),
        group=group,
        held_out=group % HELD_OUT_EVERY == HELD_OUT_EVERY - 1,
        doing=np.array([row.doing for row in rows[:count]]),
    )


def main() -> None:
    """Write a file from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    write(arguments.seed, arguments.count, arguments.out)


if __name__ == "__main__":
    main()
