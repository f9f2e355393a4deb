"""People to learn skeletons from, each cut out with its surroundings, in one memory-mapped file.

    python -m models.training.skeleton_sources CACHE [--only SOURCE]     shared pictures, teacher
    python -m models.training.skeleton_sources CACHE --simulated FOLDER  `haetae sim dataset`

Real people get the teacher's joints with its confidence, simulated ones the truth.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.skeletons import JOINTS
from models.training import dedupe
from models.training.boxes import F32, U8
from models.training.skeleton_cache import LABELLED, Writer
from models.training.skeleton_teacher import SkeletonTeacher
from models.training.teacher import Teacher

log = logging.getLogger(__name__)

SURE_BOX: Final = 0.45
"""A teacher's box with this score is a person."""
SMALLEST_PX: Final = 24.0
"""People smaller than this, in the longer side of the box, teach no skeleton."""
MOST_PEOPLE: Final = 3
"""Per picture, the largest."""
WORLDS_HELD_OUT: Final = 8
"""Every so many-th simulated world is held out."""
CLIP_STEP: Final = 2


@dataclass(frozen=True)
class Set:
    """A folder of pictures, with YOLO labels of people or without.

    Attributes:
        pictures: folder below the data root.
        labels: likewise; "" where nobody is labelled.
        people: numbers of the classes that are people.
        held_out: True or False where the set says so itself, None to let the hash decide.
    """

    pictures: str
    labels: str = ""
    people: frozenset[int] = frozenset()
    held_out: bool | None = None


SETS: Final[dict[str, tuple[Set, ...]]] = {
    "fall_posture": (
        Set(
            "images/fall_posture/train/images",
            "images/fall_posture/train/labels",
            frozenset((0, 1, 2)),
        ),
    ),
    "coco128x2": tuple(
        Set(
            f"images/coco128x2/images/{part}",
            f"images/coco128x2/object_detection/labels/{part}",
            frozenset((0,)),
            held_out,
        )
        for part, held_out in (("train2017", False), ("val2017", True))
    ),
    "ppe_minhnkb": (
        Set("images/ppe_minhnkb/images", "images/ppe_minhnkb/labels", frozenset((0, 1, 2))),
    ),
    "ppe_hardhat": (
        Set("images/ppe_hardhat/train/images", "images/ppe_hardhat/train/labels", frozenset((3,))),
    ),
    "helmet_sites": (Set("images/helmet_sites/images"),),
}
CLIP_SOURCE: Final = "intel_sample_gif"
CLIPS: Final = ("video/intel/people-detection.gif",)
"""The clips that end-to-end tests play are not among these."""


def yolo_boxes(label: Path, classes: frozenset[int], width: int, height: int) -> F32:
    """Boxes of some classes from a YOLO text file, float32[N, 4] xyxy pixels."""
    rows = [line.split() for line in label.read_text().splitlines()] if label.exists() else []
    found = [[float(v) for v in row[1:5]] for row in rows if row and int(row[0]) in classes]
    boxes = np.array(found, np.float32).reshape(-1, 4)
    half = boxes[:, 2:] / 2
    corners = np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), 1)
    return (corners * (width, height, width, height)).astype(np.float32)


def largest(boxes: F32) -> F32:
    """At most MOST_PEOPLE boxes that are large enough, the largest first."""
    side = (boxes[:, 2:4] - boxes[:, :2]).max(1)
    order = np.argsort(-side, kind="stable")[:MOST_PEOPLE]
    return boxes[order[side[order] >= SMALLEST_PX], :4]


def _frames(path: Path) -> Iterator[U8]:
    clip, number = cv2.VideoCapture(str(path)), 0
    while True:
        read, frame = clip.read()
        if not read:
            break
        if number % CLIP_STEP == 0:
            yield frame
        number += 1
    clip.release()


def add_real(data: Path, writer: Writer, only: str = "") -> None:
    """Shared pictures, with the teacher's skeletons; those of one source, or all."""
    finder, teacher = Teacher(data), SkeletonTeacher(data)
    for source, parts in SETS.items():
        if only not in ("", source):
            continue
        files = [(p, f) for p in parts for f in sorted((data / p.pictures).glob("*.jpg"))]
        pictures = [(part, file, cv2.imread(str(file))) for part, file in files]
        pictures = [entry for entry in pictures if entry[2] is not None]
        sides = _sides([part.held_out for part, _, _ in pictures], [p for *_, p in pictures])
        for (part, file, pixels), held_out in zip(pictures, sides, strict=True):
            if part.labels:
                height, width = pixels.shape[:2]
                label = data / part.labels / f"{file.stem}.txt"
                boxes = yolo_boxes(label, part.people, width, height)
            else:
                boxes = finder.find(pixels, SURE_BOX)
            _add_people(writer, teacher, source, pixels, boxes, held_out)
        log.info("%s: %d people so far", source, len(writer))
    for clip in CLIPS if only in ("", CLIP_SOURCE) else ():
        for pixels in _frames(data / clip):
            boxes = finder.find(pixels, SURE_BOX)
            _add_people(writer, teacher, CLIP_SOURCE, pixels, boxes, False)


def _sides(declared: list[bool | None], pictures: list[U8]) -> list[bool]:
    """Whether each picture is held out; near-duplicates never part."""
    hashes = [dedupe.difference_hashes(pixels) for pixels in pictures]
    groups = dedupe.group(hashes)
    told: dict[int, bool] = {}
    for root, side in zip(groups.tolist(), declared, strict=True):
        if side is not None:
            told[root] = told.get(root, False) or side
    return [told.get(root, dedupe.is_held_out(hashes[root][0])) for root in groups.tolist()]


def _add_people(
    writer: Writer,
    teacher: SkeletonTeacher,
    source: str,
    pixels: U8,
    boxes: F32,
    held_out: bool,
) -> None:
    height, width = pixels.shape[:2]
    for box in largest(np.clip(boxes[:, :4], 0, (width, height, width, height))):
        found = teacher.look(pixels, box)
        outside = ((found[:, :2] < 0) | (found[:, :2] > (width, height))).any(1)
        found[outside, 2] = 0
        writer.add(source, held_out, pixels, box, found, None, "")


class Frame(NamedTuple):
    """A simulated picture and the people in it who are large enough.

    Attributes:
        file: the picture.
        held_out: never trained on.
        boxes: float32[N, 4] xyxy.
        joints: float32[N, 17, 3] x, y, COCO's visibility.
        actions: of each person.
    """

    file: Path
    held_out: bool
    boxes: F32
    joints: F32
    actions: list[str]


def simulated_frames(folder: Path) -> Iterator[Frame]:
    """Pictures of a folder that `haetae sim dataset` wrote; worlds are held out whole."""
    table = json.loads((folder / "annotations/person_keypoints.json").read_text())
    people: dict[int, list[dict[str, Any]]] = {}
    for entry in table["annotations"]:
        labelled = entry["category_id"] == LABELLED and not entry["iscrowd"]
        if labelled and max(entry["bbox"][2:]) >= SMALLEST_PX:
            people.setdefault(entry["image_id"], []).append(entry)
    worlds = sorted({image["attributes"]["world_seed"] for image in table["images"]})
    held_out = set(worlds[::WORLDS_HELD_OUT])
    for image in table["images"]:
        found = people.get(image["id"], [])
        boxes = np.array([entry["bbox"] for entry in found], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        yield Frame(
            folder / "images" / image["file_name"],
            image["attributes"]["world_seed"] in held_out,
            boxes,
            np.array([entry["keypoints"] for entry in found], np.float32).reshape(-1, JOINTS, 3),
            [entry["attributes"]["action"] for entry in found],
        )


def add_simulated(folder: Path, writer: Writer, name: str = "simulated") -> None:
    """People of a folder that `haetae sim dataset` wrote, with the truth."""
    for frame in simulated_frames(folder):
        pixels = cv2.imread(str(frame.file))
        for box, joints, action in zip(frame.boxes, frame.joints, frame.actions, strict=True):
            seen: npt.NDArray[np.int8] = joints[:, 2].astype(np.int8)
            writer.add(name, frame.held_out, pixels, box, joints, seen, action)


def main() -> None:
    """Build a cache from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from models.training.dataset import data_folder

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--simulated", type=Path, help="a folder that `haetae sim dataset` wrote")
    parser.add_argument("--only", default="", choices=("", *SETS, CLIP_SOURCE), help="one source")
    arguments = parser.parse_args()
    with Writer(arguments.cache) as writer:
        if arguments.simulated:
            add_simulated(arguments.simulated, writer)
        else:
            add_real(data_folder(), writer, arguments.only)
    log.info("%s: %d people", arguments.cache, len(writer))


if __name__ == "__main__":
    main()
