"""The pictures students learn from: one reader per data set, all giving the same record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from models.training.boxes import F32, U8
from models.training.kinds import BARE_HEAD, CLASSES, EVERY, HELMET, IGNORE, PERSON, VEST

TEST_CLIPS = ("one-by-one-person-detection", "worker-zone-detection", "gmdcsa24", "ambianic")
"""Clips and stills whose people are only ever tested on: no reader below may open them."""
VIDEO_STEP_MS = 200.0
"""Neighbouring frames are alike; one in this time is enough."""
HEAD_TALL = 1.12
"""Height of a head with its helmet, in widths of the helmet."""


@dataclass
class Picture:
    """One picture as a data set gives it.

    Attributes:
        source: name of the data set, as in the model card.
        pixels: uint8[H, W, 3] BGR.
        objects: float32[N, 5] xyxy pixels and kind.
        labelled: classes that the set labels wherever they are seen.
        split: "train", "held_out", or "" to let the picture's hash decide.
        close: the teacher looks at parts of it too, enlarged: there are small people.
        name: of its file, without the ending; "" for a frame of a clip.
    """

    source: str
    pixels: U8
    objects: F32 = field(default_factory=lambda: np.zeros((0, 5), np.float32))
    labelled: frozenset[int] = frozenset()
    split: str = ""
    close: bool = False
    name: str = ""


def _files(folder: Path) -> list[Path]:
    """Sorted content of a folder; none where the set was left out of the data."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def yolo_objects(label: Path, kinds: dict[int, int], width: int, height: int) -> F32:
    """Rows of a YOLO text file whose number `kinds` maps, xyxy pixels and kind."""
    rows = [line.split() for line in label.read_text().splitlines()] if label.exists() else []
    found = [
        [*(float(v) for v in row[1:5]), kinds[int(row[0])]]
        for row in rows
        if len(row) >= 5 and int(row[0]) in kinds
    ]
    boxes = np.array(found, np.float32).reshape(-1, 5)
    middle, half = boxes[:, :2], boxes[:, 2:4] / 2
    corners = np.concatenate((middle - half, middle + half), 1) * (width, height, width, height)
    return np.c_[corners, boxes[:, 4]].astype(np.float32)


@dataclass(frozen=True)
class _Set:
    """A folder of pictures with YOLO labels beside them."""

    source: str
    folder: str
    kinds: dict[int, int]
    labelled: frozenset[int]
    images: str = "images"
    labels: str = "labels"
    split: str = ""
    close: bool = False

    def read(self, data: Path) -> Iterator[Picture]:
        root = data / "images" / self.folder
        for path in _files(root / self.images):
            pixels = cv2.imread(str(path))
            if pixels is None:
                continue
            height, width = pixels.shape[:2]
            label = root / self.labels / f"{path.stem}.txt"
            objects = yolo_objects(label, self.kinds, width, height)
            yield Picture(
                self.source, pixels, objects, self.labelled, self.split, self.close, path.stem
            )


_COCO = [
    _Set(
        "coco128x2", "coco128x2", {0: PERSON}, frozenset({PERSON, VEST}), f"images/{part}",
        f"object_detection/labels/{part}", split, close=True,
    )
    for part, split in (("train2017", "train"), ("val2017", "held_out"))
]  # fmt: skip
_MINHNKB = _Set(
    "ppe_minhnkb", "ppe_minhnkb", {0: PERSON, 1: PERSON, 2: PERSON, 3: HELMET, 4: VEST},
    frozenset({PERSON, HELMET, VEST}),
)  # fmt: skip
_HARDHAT = _Set(
    "ppe_hardhat", "ppe_hardhat/train", {0: HELMET, 1: BARE_HEAD, 2: BARE_HEAD, 3: PERSON},
    frozenset({PERSON, HELMET, BARE_HEAD}), close=True,
)  # fmt: skip
_SITES = _Set(
    "helmet_sites", "helmet_sites", {0: HELMET, 1: BARE_HEAD}, frozenset({HELMET, BARE_HEAD}),
    close=True,
)  # fmt: skip
_POSTURE = _Set(
    "fall_posture", "fall_posture/train", {0: PERSON, 1: PERSON, 2: PERSON},
    frozenset({PERSON, VEST}),
)  # fmt: skip


def _coco(data: Path) -> Iterator[Picture]:
    for part in _COCO:
        yield from part.read(data)


def _minhnkb(data: Path) -> Iterator[Picture]:
    """Its helmet is the shell alone: the box is drawn down to the chin."""
    for picture in _MINHNKB.read(data):
        shell = picture.objects[:, 4] == HELMET
        picture.objects[shell] = head_below(picture.objects[shell], picture.pixels.shape[0])
        yield picture


def head_below(shells: F32, height_px: int) -> F32:
    """Boxes of heads from boxes of helmet shells: as tall as HEAD_TALL shell widths, at least."""
    heads = shells.copy()
    tall = np.maximum(HEAD_TALL * (shells[:, 2] - shells[:, 0]), shells[:, 3] - shells[:, 1])
    heads[:, 3] = np.minimum(shells[:, 1] + tall, height_px)
    return heads


def video_frames(path: Path, step_ms: float) -> Iterator[U8]:
    """Frames of a clip about `step_ms` apart."""
    clip = cv2.VideoCapture(str(path))
    due_ms, period_ms, at = 0.0, 1000.0 / max(clip.get(cv2.CAP_PROP_FPS), 1.0), 0
    while True:
        read, frame = clip.read()
        if not read:
            break
        if at * period_ms >= due_ms:
            due_ms += step_ms
            yield frame
        at += 1
    clip.release()


def _clips(data: Path) -> Iterator[Picture]:
    """One clip only: those that students are accepted on teach them nothing (see TEST_CLIPS)."""
    for frame in video_frames(data / "video/intel/people-detection.gif", VIDEO_STEP_MS):
        yield Picture("intel_sample_gif", frame, split="train", close=True)


def simulated(folder: Path) -> Iterator[Picture]:
    """What `haetae sim dataset` wrote; every tenth world is held out.

    Args:
        folder: holds images/, labels/ and annotations/person_keypoints.json.
    """
    written = json.loads((folder / "annotations/person_keypoints.json").read_text())
    hidden: dict[int, list[list[float]]] = {}
    for row in written["annotations"]:
        if row["category_id"] == 1 and row["iscrowd"]:
            x, y, w, h = row["bbox"]
            hidden.setdefault(row["image_id"], []).append([x, y, x + w, y + h, IGNORE + PERSON])
    for image in written["images"]:
        pixels = cv2.imread(str(folder / "images" / Path(image["file_name"]).name))
        height, width = pixels.shape[:2]
        label = folder / "labels" / f"{Path(image['file_name']).stem}.txt"
        objects = yolo_objects(label, dict(enumerate(range(len(CLASSES)))), width, height)
        unclear = np.array(hidden.get(image["id"], []), np.float32).reshape(-1, 5)
        split = "held_out" if image["attributes"]["world_seed"] % 10 == 0 else "train"
        objects = np.concatenate((objects, unclear))
        source = "deserted" if image["attributes"].get("deserted") else "simulated"
        yield Picture(source, pixels, objects, EVERY, split, name=label.stem)


READERS: dict[str, Callable[[Path], Iterator[Picture]]] = {
    "coco128x2": _coco,
    "ppe_minhnkb": _minhnkb,
    "ppe_hardhat": _HARDHAT.read,
    "helmet_sites": _SITES.read,
    "fall_posture": _POSTURE.read,
    "clips": _clips,
}


def read_all(data: Path) -> Iterator[Picture]:
    """Every real picture of every data set.

    Args:
        data: the shared data folder.
    """
    for reader in READERS.values():
        yield from reader(data)


def postures(data: Path) -> dict[str, int]:
    """What the one person of each fall_posture picture does: 0 fallen, 1 sitting, 2 standing.

    Args:
        data: the shared data folder.

    Returns:
        By name of the picture; pictures with several people or none are left out.
    """
    found = {}
    for label in _files(data / "images" / _POSTURE.folder / _POSTURE.labels):
        rows = [line.split()[0] for line in label.read_text().splitlines() if line.strip()]
        if len(rows) == 1:
            found[label.stem] = int(rows[0])
    return found
