"""A whole data set: worlds shared out to processes, one folder, the same bytes however many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sim.dataset.coco import coco
from sim.dataset.draw import Job, draw
from sim.dataset.labels import YOLO_CLASSES, Labels

README = """\
# Simulated people on construction sites

{frames} pictures of {width} x {height} pixels, drawn by

    haetae sim dataset --seed {seed} --frames {frames} --size {width}x{height} \\
        --min-visible {min_visible}

The same command writes the same bytes again. No camera took any of them, nobody in them exists.

- `images/`: the pictures.
- `annotations/person_keypoints.json`: COCO keypoint format. Category 1 is a person with 17
  keypoints, category 2 a machine. `bbox` is around what is visible; `attributes` hold the action,
  helmet, vest, share visible, box of the whole body and the place on the ground in metres. A person
  of whom less than {min_visible} is visible has `iscrowd` 1: to be ignored, not to be found.
- `labels/`, `classes.txt`: YOLO format: {classes}. "helmet" is a head with its helmet, "head" a
  bare one; boxes are around what is visible.

Pictures of one world stand next to each other ({moments} each, `world_seed` in the JSON): split
into training and test by world, never by picture.

Licence: Apache-2.0, as the simulator that drew them.
"""


class FolderInUse(Exception):
    """The folder holds something already."""


def claim(folder: Path) -> None:
    """Make the empty folders of a data set.

    Raises:
        FolderInUse: there is something in it; nothing was changed.
        OSError: it cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderInUse(f"--out {folder}: has to be a new or an empty folder")
    for name in ("images", "labels", "annotations"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def write_dataset(
    folder: Path,
    seed: int,
    jobs: Sequence[Job],
    processes: int,
    told: Callable[[int], None],
) -> tuple[int, int]:
    """Draw everything and write it.

    Args:
        folder: claimed.
        seed: of the data set, for the record.
        jobs: see `jobs_of`.
        processes: how many draw at a time.
        told: called with the number of pictures done, now and then.

    Returns:
        Number of pictures, and of people labelled.
    """
    images: list[dict[str, Any]] = []
    labels: list[Labels] = []
    for its_images, its_labels in _drawn(jobs, processes):
        images += its_images
        labels += its_labels
        told(len(images))
    info = {"description": "simulated people on construction sites", "version": "1", "seed": seed}
    table = coco(info, images, labels)
    with (folder / "annotations/person_keypoints.json").open("w", encoding="ascii") as file:
        json.dump(table, file)
    (folder / "classes.txt").write_text("\n".join(YOLO_CLASSES) + "\n", encoding="ascii")
    (folder / "README.md").write_text(_readme(seed, jobs, len(images)), encoding="ascii")
    return len(images), sum(1 - person["iscrowd"] for found in labels for person in found.people)


def _drawn(
    jobs: Sequence[Job], processes: int
) -> Iterable[tuple[list[dict[str, Any]], list[Labels]]]:
    """The results in the order of the jobs, whoever did them."""
    if processes <= 1:
        yield from map(draw, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(draw, jobs)


def _readme(seed: int, jobs: Sequence[Job], frames: int) -> str:
    return README.format(
        frames=frames,
        seed=seed,
        width=jobs[0].width_px,
        height=jobs[0].height_px,
        min_visible=jobs[0].min_visible,
        classes=", ".join(f"{number} {name}" for number, name in enumerate(YOLO_CLASSES)),
        moments=jobs[0].count,
    )
