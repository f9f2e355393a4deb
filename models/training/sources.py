"""The pictures students learn from: one reader per data set, all giving the same record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from models.training.boxes import F32, U8

HELD_OUT_CLIPS = ("Subject_2/Fall/14", "Subject_1/ADL/16")
VIDEO_STEP_MS = 400.0
"""Neighbouring frames are alike; one in this time is enough."""


@dataclass
class Picture:
    """One picture as a data set gives it.

    Attributes:
        source: name of the data set, as in the model card.
        pixels: uint8[H, W, 3] BGR.
        people: float32[N, 4] xyxy pixels, labelled people; None when the set labels no people.
        heads: float32[M, 4] xyxy pixels, heads whose owners may lack a box.
        split: "train", "held_out", or "" to let the picture's hash decide.
    """

    source: str
    pixels: U8
    people: F32 | None = None
    heads: F32 = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    split: str = ""


def _files(folder: Path) -> list[Path]:
    """Sorted content of a folder; none where the set was left out of the data."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _yolo_boxes(label: Path, classes: set[int], width: int, height: int) -> F32:
    """Boxes of some classes from a YOLO text file, xyxy pixels."""
    rows = [line.split() for line in label.read_text().splitlines()] if label.exists() else []
    found = [
        [float(v) for v in row[1:5]] for row in rows if len(row) >= 5 and int(row[0]) in classes
    ]
    boxes = np.array(found, np.float32).reshape(-1, 4)
    corners = np.concatenate((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), 1)
    return (corners * (width, height, width, height)).astype(np.float32)


def _labelled(
    source: str,
    images: Path,
    labels: Path,
    people: set[int] | None,
    heads: set[int],
    split: str = "",
) -> Iterator[Picture]:
    for path in _files(images):
        pixels = cv2.imread(str(path))
        if pixels is None:
            continue
        height, width = pixels.shape[:2]
        label = labels / f"{path.stem}.txt"
        yield Picture(
            source,
            pixels,
            None if people is None else _yolo_boxes(label, people, width, height),
            _yolo_boxes(label, heads, width, height),
            split,
        )


def _coco(data: Path) -> Iterator[Picture]:
    root = data / "images/coco128x2"
    for part, split in (("train2017", "train"), ("val2017", "held_out")):
        labels = root / "object_detection/labels" / part
        yield from _labelled("coco128x2", root / "images" / part, labels, {0}, set(), split)


def _minhnkb(data: Path) -> Iterator[Picture]:
    root = data / "images/ppe_minhnkb"
    return _labelled("ppe_minhnkb", root / "images", root / "labels", {0, 1, 2}, {3})


def _hardhat(data: Path) -> Iterator[Picture]:
    root = data / "images/ppe_hardhat/train"
    return _labelled("ppe_hardhat", root / "images", root / "labels", {3}, {0, 1, 2})


def _helmet_sites(data: Path) -> Iterator[Picture]:
    root = data / "images/helmet_sites"
    return _labelled("helmet_sites", root / "images", root / "labels", None, {0, 1})


def _posture(data: Path) -> Iterator[Picture]:
    root = data / "images/fall_posture/train"
    return _labelled("fall_posture", root / "images", root / "labels", {0, 1, 2}, set())


def _ambianic(data: Path) -> Iterator[Picture]:
    for path in _files(data / "images/ambianic_fall"):
        if path.suffix in (".jpg", ".png"):
            yield Picture("ambianic_fall", cv2.imread(str(path)))


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


def _gmdcsa24(data: Path) -> Iterator[Picture]:
    for path in sorted((data / "video/gmdcsa24").glob("*/*/*.mp4")):
        held_out = any(str(path.with_suffix("")).endswith(name) for name in HELD_OUT_CLIPS)
        frames = list(video_frames(path, VIDEO_STEP_MS))
        for frame in frames:
            yield Picture("gmdcsa24", frame, split="held_out" if held_out else "train")
        if not held_out:
            empty = np.median(np.stack(frames), axis=0).astype(np.uint8)
            yield Picture("gmdcsa24", empty, split="train")


def _intel_gifs(data: Path) -> Iterator[Picture]:
    """The acceptance clip, one-by-one-person-detection.mp4, is not among these and must not be."""
    for name, split in (("people-detection.gif", "train"), ("worker-zone-detection.gif", "train")):
        for frame in video_frames(data / "video/intel" / name, VIDEO_STEP_MS / 2):
            yield Picture("intel_sample_gifs", frame, split=split)
    for frame in video_frames(data / "video/ambianic/test2-cam-person1.mkv", 2 * VIDEO_STEP_MS):
        yield Picture("ambianic_clip", frame, split="train")


READERS: dict[str, Callable[[Path], Iterator[Picture]]] = {
    "coco128x2": _coco,
    "ppe_minhnkb": _minhnkb,
    "ppe_hardhat": _hardhat,
    "helmet_sites": _helmet_sites,
    "fall_posture": _posture,
    "ambianic_fall": _ambianic,
    "gmdcsa24": _gmdcsa24,
    "clips": _intel_gifs,
}


def read_all(data: Path) -> Iterator[Picture]:
    """Every picture of every data set.

    Args:
        data: the shared data folder.
    """
    for reader in READERS.values():
        yield from reader(data)
