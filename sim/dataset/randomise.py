"""A random but plausible site from one seed, and the moments at which it is looked at."""

from __future__ import annotations

from random import Random

from sim.dataset import cast, conditions
from sim.dataset.layouts import LAYOUTS, Site
from sim.dataset.plan import Plan
from sim.world.config import WorldConfig

MOMENTS = 4
"""Pictures of one world: building it costs as much as drawing several."""
FIRST_MS, LAST_MS = 700, 11_000


def random_moments(seed: int, count: int = MOMENTS) -> list[int]:
    """When to look, ms, ascending: one somewhere in each of `count` equal parts of the time."""
    rng = Random(seed ^ 0x5EED)
    part = (LAST_MS - FIRST_MS) / count
    return [int(FIRST_MS + part * (n + rng.random())) for n in range(count)]


def random_world(seed: int, deserted: bool = False) -> WorldConfig:
    """A site with camera, light, weather, structures, machines and people.

    Args:
        seed: the same gives the same world, on every machine.
        deserted: nobody is there.
    """
    rng = Random(seed)
    camera = conditions.camera(rng)
    site = Site(Plan(camera))
    rng.choice(LAYOUTS)(rng, site)
    everybody = cast.people(rng, site, random_moments(seed))
    kind = conditions.time_of_day(rng)
    light = conditions.light(rng, kind, site.plan)
    weather, wet = conditions.weather(rng)
    return WorldConfig(
        ground=rng.choice(site.ground),
        wet=wet,
        camera=camera,
        light=light,
        weather=weather,
        lens=conditions.lens(rng, weather.rain),
        sensor=conditions.sensor(rng, kind),
        structures=site.structures,
        machines=site.machines,
        people=[] if deserted else everybody,
    )
