"""`python -m sim.render.bench`: milliseconds of one core per picture of 640x360."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from sim.render.warm import compile_all, forget_stale
from sim.world.config import (
    MachineConfig,
    PersonConfig,
    StepConfig,
    StructureConfig,
    WeatherConfig,
    WorldConfig,
)
from sim.world.world import World

WIDTH_PX, HEIGHT_PX = 640, 360
FRAME_MS = 100
YARD = [
    StructureConfig(kind="container", at_m=(-7.0, 17.0), heading_deg=70.0),
    StructureConfig(kind="scaffold", at_m=(2.0, 22.0)),
    StructureConfig(kind="pallets", at_m=(4.0, 13.0)),
    StructureConfig(kind="cone", at_m=(1.0, 9.0)),
]


def main(arguments: list[str] | None = None) -> int:
    """Prints a line a scene: CPU time of the median, the worst and the first picture."""
    parser = argparse.ArgumentParser("python -m sim.render.bench", description=main.__doc__)
    parser.add_argument("--frames", type=int, default=60)
    frames: int = parser.parse_args(arguments).frames
    start = time.perf_counter()
    forget_stale()
    compile_all()
    write = sys.stdout.write
    write(f"kernels ready in {time.perf_counter() - start:.1f} s\n")
    columns = ("median", "worst", "people", "optics", "truth", "first")
    write(f"{'scene':34}" + "".join(f"{column:>9}" for column in columns) + "  ms\n")
    for name, config in scenes().items():
        figures = measure(config, frames)
        write(f"{name:34}" + "".join(f"{figure:9.1f}" for figure in figures) + "\n")
    return 0


def scenes() -> dict[str, WorldConfig]:
    """What is measured."""
    storm = WeatherConfig(wind=0.8, rain=0.8)
    digger = [MachineConfig(name="digger", kind="excavator", at_m=(6.0, 17.0), swing_deg=60.0)]
    return {
        "empty yard": WorldConfig(structures=YARD),
        "3 people": WorldConfig(structures=YARD, people=crowd(3)),
        "3 people, wind": WorldConfig(
            structures=YARD, people=crowd(3), weather=WeatherConfig(wind=0.5)
        ),
        "3 people, excavator": WorldConfig(structures=YARD, people=crowd(3), machines=digger),
        "10 people": WorldConfig(structures=YARD, people=crowd(10)),
        "10 people, wind and rain": WorldConfig(
            structures=YARD, people=crowd(10), weather=storm, machines=digger
        ),
    }


def crowd(count: int) -> list[PersonConfig]:
    """People who walk across the yard, 8 to 18 m away."""
    rng = np.random.default_rng(3)
    people = []
    for i in range(count):
        x, y = float(rng.uniform(-5, 5)), float(rng.uniform(8, 18))
        script = [StepConfig(do="walk", to_m=(-x, y + 2)), StepConfig(do="stand")]
        people.append(PersonConfig(name=f"person {i}", at_m=(x, y), script=script))
    return people


def measure(config: WorldConfig, frames: int) -> list[float]:
    """Median and worst picture, share of the people's poses and of optics, truth, first picture."""
    world = World(config, WIDTH_PX, HEIGHT_PX, 1)
    pixels = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    first = _ms(lambda: world.render(0, pixels))
    world.warm_up()
    pictures = [_ms(lambda k=k: world.render(k * FRAME_MS, pixels)) for k in range(frames)]
    poses = [_ms(lambda k=k: world.pose(k * FRAME_MS)) for k in range(frames)]
    optics = [_ms(lambda k=k: world.optics.apply(pixels, k * FRAME_MS)) for k in range(frames)]
    world.render(0, pixels)
    truth = _ms(world.truth)
    return [
        float(np.median(pictures)), max(pictures), float(np.median(poses)),
        float(np.median(optics)), truth, first,
    ]  # fmt: skip


def _ms(run) -> float:  # type: ignore[no-untyped-def]
    start = time.process_time()
    run()
    return (time.process_time() - start) * 1e3


if __name__ == "__main__":
    raise SystemExit(main())
