"""Who is on a random site, and what they do: a script for each, made for the moments looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from sim.dataset.layouts import Site, spot
from sim.world.config import Doing, Load, PersonConfig, Point, StepConfig

LASTS_MS = 12_000
"""Scripts are made for this long; after it their last step goes on."""
DIRECTIONS: tuple[Literal["forward", "back", "left", "right"], ...] = (
    "forward", "back", "left", "right",
)  # fmt: skip
SHARES: dict[Doing, float] = {
    "walk": 0.18, "stand": 0.12, "work": 0.11, "bend": 0.07, "squat": 0.06, "sit": 0.07,
    "tie_shoes": 0.05, "run": 0.05, "crawl": 0.04, "arms_raised": 0.04, "wave": 0.04,
    "climb": 0.05, "fall": 0.07, "lie": 0.07,
}  # fmt: skip
"""How often each is what somebody mainly does. More of what a real site seldom shows than there
is: a network shall know it; and enough of what only looks like it."""
NEAR_M, FAR_M = 4.0, 25.0
CROWD = (0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8)
"""How many people; one is drawn."""
SEAT_M = 0.45
"""Height of a bench."""
GAP_M = 0.8
"""People do not begin in each other."""


@dataclass(frozen=True)
class Place:
    """Where somebody begins: the spot, and the way to look (None: any)."""

    at_m: Point
    heading_deg: float | None = None


def people(rng: Random, site: Site, moments_ms: Sequence[int]) -> list[PersonConfig]:
    """Nobody to eight people.

    Args:
        rng: of the seed.
        site: put up already.
        moments_ms: when pictures will be taken; falls are timed to be seen in one of them.
    """
    count = rng.choice(CROWD)
    strict = rng.choice((0.95, 0.8, 0.5, 0.2))
    cast: list[PersonConfig] = []
    for number in range(count):
        doing = rng.choices(list(SHARES), list(SHARES.values()))[0]
        if site.ladders and rng.random() < 0.2:
            doing = "climb"
        place = _place(rng, site, doing, [person.at_m for person in cast])
        if place is None:
            continue
        script = SCRIPTS.get(doing, _on_the_spot)(rng, site, place, doing, moments_ms)
        cast.append(_person(rng, f"person_{number + 1}", place, script, strict))
    return cast


def _person(
    rng: Random, name: str, place: Place, script: list[StepConfig], strict: float
) -> PersonConfig:
    """Somebody with a body, clothes and equipment; most of the colours are the person's own."""
    heading = rng.uniform(0, 360) if place.heading_deg is None else place.heading_deg
    loads: tuple[Load, ...] = ("box", "plank", "bucket", "pipe")
    may_carry = script[0].do in ("walk", "stand", "run")
    return PersonConfig(
        name=name,
        at_m=place.at_m,
        script=script,
        heading_deg=round(heading % 360, 1),
        height_m=round(min(2.0, max(1.5, rng.gauss(1.72, 0.09))), 2),
        girth=round(min(1.35, max(0.8, rng.gauss(1.03, 0.12))), 2),
        helmet=rng.random() < strict,
        vest=rng.random() < strict * 0.95,
        carries=rng.choice(loads) if may_carry and rng.random() < 0.25 else "",
    )


def _place(rng: Random, site: Site, doing: Doing, others: list[Point]) -> Place | None:
    """A free spot in the picture, mostly in plain sight; a ladder or seat where it needs one."""
    if doing == "climb":
        return _taken_over(rng, [Place(at, heading) for at, heading, _ in site.ladders], others)
    if doing == "sit" and site.seats and rng.random() < 0.7:
        seat = _taken_over(rng, [Place(at, heading) for at, heading in site.seats], others)
        if seat is not None:
            return seat
    hidden_is_fine = rng.random() < 0.2
    for _ in range(20):
        at = spot(rng, site.plan, NEAR_M, FAR_M if rng.random() < 0.4 else 14.0, 0.06)
        if at is None or not site.plan.is_walkable(at, at):
            continue
        if min((math.dist(at, other) for other in others), default=9.0) < GAP_M:
            continue
        if hidden_is_fine or site.plan.is_in_sight(at):
            return Place(at)
    return None


def _taken_over(rng: Random, places: list[Place], others: list[Point]) -> Place | None:
    """One of the places at which nobody is."""
    free = [place for place in places if all(math.dist(place.at_m, o) >= GAP_M for o in others)]
    return rng.choice(free) if free else None


def _goal(rng: Random, site: Site, start: Point) -> Point:
    """Somewhere to go straight to: in the picture, nothing in the way; else on the spot."""
    for _ in range(20):
        end = spot(rng, site.plan, NEAR_M, FAR_M, 0.04)
        if end and 2.0 < math.dist(start, end) < 14.0 and site.plan.is_walkable(start, end):
            return end
    return start[0] + 0.3, start[1]


def _to_and_fro(
    rng: Random, site: Site, place: Place, doing: Doing, moments_ms: Sequence[int]
) -> list[StepConfig]:
    """Walk, run or crawl between places, with a halt now and then."""
    speed = {"walk": (0.9, 1.7), "run": (2.5, 4.5), "crawl": (0.35, 0.7)}[doing]
    steps, here, left_ms = [], place.at_m, float(LASTS_MS)
    while left_ms > 0 and len(steps) < 12:
        goal = _goal(rng, site, here)
        pace = round(rng.uniform(*speed), 2)
        steps.append(StepConfig(do=doing, to_m=goal, speed_m_s=pace))
        left_ms -= 1000 * math.dist(here, goal) / pace
        here = goal
        if rng.random() < 0.25:
            halt_ms = rng.randrange(500, 2000)
            steps.append(StepConfig(do="stand", for_ms=halt_ms))
            left_ms -= halt_ms
    return steps


def _on_the_spot(
    rng: Random, site: Site, place: Place, doing: Doing, moments_ms: Sequence[int]
) -> list[StepConfig]:
    """Mostly one thing; sometimes up again and something else."""
    first = StepConfig(do=doing, for_ms=rng.randrange(4000, 9000))
    if doing in ("sit", "lie") or rng.random() < 0.5:
        on_a_seat = doing == "sit" and any(at == place.at_m for at, _ in site.seats)
        return [StepConfig(do=doing, to_height_m=SEAT_M if on_a_seat else 0.0)]
    others: tuple[Doing, ...] = ("stand", "work", "bend", "squat", "tie_shoes")
    return [first, StepConfig(do=rng.choice(others))]


def _climbing(
    rng: Random, site: Site, place: Place, doing: Doing, moments_ms: Sequence[int]
) -> list[StepConfig]:
    """Up a ladder and down again; now and then a fall from it."""
    high = next(h for at, _, h in site.ladders if at == place.at_m)
    up = round(rng.uniform(0.4, 0.8) * high, 2)
    wait = StepConfig(do="stand", for_ms=rng.randrange(0, 1500))
    climb = StepConfig(do="climb", to_height_m=up, speed_m_s=round(rng.uniform(0.3, 0.7), 2))
    if rng.random() < 0.2:
        return [wait, climb, StepConfig(do="fall", direction="back"), StepConfig(do="lie")]
    down = StepConfig(do="climb_down", speed_m_s=0.4)
    return [wait, climb, down, climb, down]


def _falling(
    rng: Random, site: Site, place: Place, doing: Doing, moments_ms: Sequence[int]
) -> list[StepConfig]:
    """Something harmless until shortly before a moment that is looked at, then down."""
    at_ms = max(200, rng.choice(moments_ms) - rng.randrange(150, 1100))
    before: tuple[Doing, ...] = ("stand", "work", "stand", "bend")
    fall = StepConfig(do="fall", direction=rng.choice(DIRECTIONS))
    if rng.random() < 0.5:
        goal = _goal(rng, site, place.at_m)
        distance = math.dist(place.at_m, goal)
        pace = round(max(0.2, min(1.5, 1000 * distance / at_ms)), 2)
        return [StepConfig(do="walk", to_m=goal, speed_m_s=pace, for_ms=at_ms), fall]
    return [StepConfig(do=rng.choice(before), for_ms=at_ms), fall, StepConfig(do="lie")]


Script = Callable[[Random, Site, Place, Doing, Sequence[int]], list[StepConfig]]
SCRIPTS: dict[Doing, Script] = {
    "walk": _to_and_fro,
    "run": _to_and_fro,
    "crawl": _to_and_fro,
    "climb": _climbing,
    "fall": _falling,
}
"""How each is made; the others happen on the spot."""
