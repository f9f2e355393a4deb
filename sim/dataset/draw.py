"""Pictures of one random world with their labels: the unit of work of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.dataset.labels import Labels, labels_of, yolo_lines
from sim.dataset.pictures import write_picture
from sim.dataset.randomise import MOMENTS, random_moments, random_world
from sim.world.config import WorldConfig
from sim.world.world import World

SEEDS_APART = 1_000_003
"""A prime: data sets of neighbouring seeds share no world."""


@dataclass(frozen=True)
class Job:
    """One world of a data set.

    Attributes:
        seed: of the world.
        first: number of its first picture.
        count: how many pictures of it, at most MOMENTS.
        width_px, height_px: of the pictures.
        min_visible: see `labels_of`.
        folder: of the data set.
        ending: "jpg" or "png".
        deserted: nobody is there.
    """

    seed: int
    first: int
    count: int
    width_px: int
    height_px: int
    min_visible: float
    folder: Path
    ending: str
    deserted: bool = False


def world_seed(seed: int, number: int) -> int:
    """The seed of the n-th world of a data set."""
    return seed * SEEDS_APART + number


def jobs_of(
    seed: int,
    frames: int,
    size: tuple[int, int],
    min_visible: float,
    folder: Path,
    ending: str = "jpg",
    deserted: bool = False,
) -> list[Job]:
    """Share the pictures out to worlds, MOMENTS each."""
    return [
        Job(
            world_seed(seed, first // MOMENTS),
            first,
            min(MOMENTS, frames - first),
            *size,
            min_visible,
            folder,
            ending,
            deserted,
        )
        for first in range(0, frames, MOMENTS)
    ]


def draw(job: Job) -> tuple[list[dict[str, Any]], list[Labels]]:
    """Draw and write the pictures and YOLO labels of one world.

    Returns:
        COCO's image tables and the labels, one of each per picture.
    """
    config = random_world(job.seed, job.deserted)
    world = World(config, job.width_px, job.height_px, job.seed)
    pixels = np.zeros((job.height_px, job.width_px, 3), np.uint8)
    images, all_labels = [], []
    for number, t_ms in enumerate(random_moments(job.seed)[: job.count], job.first):
        world.render(t_ms, pixels)
        labels = labels_of(world.truth(), job.width_px, job.height_px, job.min_visible)
        name = f"{number:06d}"
        write_picture(job.folder / "images" / f"{name}.{job.ending}", pixels)
        lines = yolo_lines(labels, job.width_px, job.height_px)
        (job.folder / "labels" / f"{name}.txt").write_text(lines, encoding="ascii")
        images.append(_image(number, f"{name}.{job.ending}", job, config, t_ms))
        all_labels.append(labels)
    return images, all_labels


def _image(number: int, name: str, job: Job, config: WorldConfig, t_ms: int) -> dict[str, Any]:
    weather, light = config.weather, config.light
    return {
        "id": number + 1,
        "file_name": name,
        "width": job.width_px,
        "height": job.height_px,
        "license": 1,
        "attributes": {
            "world_seed": job.seed,
            "deserted": job.deserted,
            "t_ms": t_ms,
            "hour": light.hour,
            "lamps": len(light.lamps),
            "cloud": light.cloud,
            "rain": weather.rain,
            "snow": weather.snow,
            "fog_visibility_m": weather.visibility_m,
            "wind": weather.wind,
        },
    }
