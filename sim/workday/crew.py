"""The crew that works all hour and does nothing wrong: on their spots, to and fro, in and out."""

from __future__ import annotations

import math
import random
from typing import Any

from sim.workday.planted import OUTSIDE_M, Person, Step

SPOTS_M = (
    ((-2.3, 7.0), (-1.7, 9.3)),
    ((-0.5, 11.2), (-0.7, 13.6)),
    ((-3.6, 12.3), (-2.7, 10.2)),
    ((-0.3, 8.4), (0.0, 10.2)),
)
"""Each worker's own: nobody stands in another's way, and every straight way between them keeps
clear of the pit and of the machine."""
DOES = {
    "work": (0.42, 15_000, 60_000), "bend": (0.15, 2500, 9000), "squat": (0.12, 4000, 20_000),
    "stand": (0.21, 3000, 20_000), "tie_shoes": (0.10, 5000, 9000),
}  # fmt: skip
"""What they do on a spot: how often, and from how long to how long, ms."""
SHIFT_MS, AWAY_MS = (240_000, 540_000), (30_000, 120_000)
"""How long somebody is there, and away in between."""
SPEEDS_M_S = (0.9, 1.5)
LOADS = ("", "", "box", "bucket", "plank")


def crew(rng: random.Random, until_ms: int) -> list[Person]:
    """Everybody's shifts of one hour; each shift is a person of its own in the world."""
    people: list[Person] = []
    for worker, spots in enumerate(SPOTS_M):
        begins_ms = worker * 9000
        for shift in range(1000):
            if begins_ms > until_ms - 60_000:
                break
            name = f"worker_{worker + 1}_{shift + 1}"
            lasts_ms = rng.randint(*SHIFT_MS)
            person = _shift(rng, name, spots, begins_ms, lasts_ms)
            people.append(person)
            begins_ms = person["leave_ms"] + rng.randint(*AWAY_MS)
    return people


def _shift(
    rng: random.Random,
    name: str,
    spots: tuple[tuple[float, float], ...],
    begins_ms: int,
    lasts_ms: int,
) -> Person:
    """Come in, work here and there, leave."""
    out_m = (OUTSIDE_M[0], round(rng.uniform(8.0, 10.5), 1))
    script: list[Step] = []
    at_m, spent_ms = out_m, 0.0
    while spent_ms < lasts_ms:
        to_m = rng.choice(spots)
        if to_m != at_m:
            spent_ms += _go(rng, script, at_m, to_m)
            at_m = to_m
        what = rng.choices(list(DOES), [share for share, _, _ in DOES.values()])[0]
        for_ms = rng.randint(*DOES[what][1:])
        script.append({"do": what, "for_ms": for_ms})
        spent_ms += for_ms
    spent_ms += _go(rng, script, at_m, out_m)
    person: dict[str, Any] = {
        "name": name,
        "at_m": list(out_m),
        "heading_deg": 90,
        "enter_ms": begins_ms,
        "leave_ms": begins_ms + round(spent_ms) + 20_000,
        "carries": rng.choice(LOADS) if rng.random() < 0.4 else "",
        "script": [*script, {"do": "stand"}],
    }
    return person


def _go(
    rng: random.Random, script: list[Step], at_m: tuple[float, float], to_m: tuple[float, float]
) -> float:
    """Add a walk; returns about how long it takes, ms."""
    speed_m_s = round(rng.uniform(*SPEEDS_M_S), 2)
    script.append({"do": "walk", "to_m": list(to_m), "speed_m_s": speed_m_s})
    return 1000 * (math.dist(at_m, to_m) / speed_m_s + 1.5)
