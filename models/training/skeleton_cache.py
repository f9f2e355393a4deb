"""The cache of people on disk: crops as raw bytes in one memory-mapped file, joints beside it.

Per joint two numbers: how much its place may teach (weight 0..1), and whether it is to be seen
(0..1, -1 where nobody knows).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.training.boxes import F32, U8

LABELLED: Final = 1
"""COCO's category of people."""
AROUND: Final = 0.45
"""Surroundings kept on each side of the box, as a share of its longer side."""
LONGEST_PX: Final = 220.0
"""Longer side of a box in the cache; larger people are shrunk to it."""
TAUGHT, HIDDEN, VISIBLE = -1, 1, 2
"""Instead of a truth, and as COCO numbers them."""
UNKNOWN: Final = -1.0
HIDDEN_WEIGHT, HIDDEN_SEEN = 0.4, 0.35
"""A joint behind something: where it is can be guessed, and that it is hidden should show."""
SURE, LOST = 0.45, 0.15
"""The teacher's confidence from which on a joint is certainly there, and below which it is not."""


class Person(NamedTuple):
    """One cached person.

    Attributes:
        pixels: uint8[H, W, 3] BGR, a view into the cache.
        box: float32[4] xyxy, pixels of the crop.
        joints: float32[17, 2] x, y, pixels of the crop.
        weight: float32[17], see the module.
        seen: float32[17], see the module.
    """

    pixels: U8
    box: F32
    joints: F32
    weight: F32
    seen: F32


class Writer:
    """Writes a cache folder. A context manager: the index is written when it is left."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._file = folder, (folder / "people.u8").open("wb")
        self._rows: dict[str, list[object]] = {
            name: [] for name in ("source", "held_out", "place", "box", "joints", "truth", "action")
        }

    def __len__(self) -> int:
        return len(self._rows["source"])

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None:
            rows = {name: np.array(values) for name, values in self._rows.items()}
            np.savez(self._folder / "index.npz", **rows)

    def add(
        self,
        source: str,
        held_out: bool,
        pixels: U8,
        box: F32,
        joints: F32,
        truth: npt.NDArray[np.int8] | None,
        action: str,
    ) -> None:
        """Cut one person out and write it.

        Args:
            source: name of the data set.
            held_out: never trained on.
            pixels: uint8[H, W, 3] BGR, the whole picture.
            box: float32[4] xyxy.
            joints: float32[17, 3] x, y, confidence of the teacher.
            truth: int8[17] COCO visibility; None where a teacher looked.
            action: what the person does, "" where unknown.
        """
        part, origin, shrink = _cut(pixels, box)
        corner = np.append(origin, np.float32(0))
        rows = {
            "source": source,
            "held_out": held_out,
            "place": (self._file.tell(), *part.shape[:2]),
            "box": ((box.reshape(2, 2) - origin) * shrink).reshape(4).astype(np.float32),
            "joints": ((joints - corner) * (shrink, shrink, 1)).astype(np.float32),
            "truth": np.full(len(joints), TAUGHT, np.int8) if truth is None else truth,
            "action": action,
        }
        for name, value in rows.items():
            self._rows[name].append(value)
        self._file.write(np.ascontiguousarray(part).tobytes())


class People:
    """Reads one or more cache folders as one. Cheap to open: the pictures are shared pages.

    Attributes:
        folders: where they lie.
        sources: str[N]; actions: str[N]; held_out: bool[N].
        box, joints, weight, seen: as in `Person`, of everybody.
        confidence: float32[N, 17], the teacher's, or COCO's number of the truth.
        truth: int8[N, 17], COCO's visibility; TAUGHT where a teacher looked.
    """

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self._bytes = [np.memmap(folder / "people.u8", np.uint8, "r") for folder in folders]
        tables = [dict(np.load(folder / "index.npz")) for folder in folders]
        whole = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
        self._file = np.repeat(np.arange(len(tables)), [len(t["source"]) for t in tables])
        self._place = whole["place"]
        self.sources, self.actions = whole["source"], whole["action"]
        self.held_out: npt.NDArray[np.bool_] = whole["held_out"].astype(bool)
        self.box: F32 = whole["box"]
        self.joints: F32 = whole["joints"][:, :, :2].copy()
        self.confidence: F32 = whole["joints"][:, :, 2].copy()
        self.truth: npt.NDArray[np.int8] = whole["truth"]
        self.weight, self.seen = _lessons(self.confidence, self.truth)

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, i: int) -> Person:
        start, height, width = (int(v) for v in self._place[i])
        pixels = self._bytes[self._file[i]][start : start + height * width * 3]
        return Person(
            pixels.reshape(height, width, 3),
            self.box[i],
            self.joints[i],
            self.weight[i],
            self.seen[i],
        )


def _cut(pixels: U8, box: F32) -> tuple[U8, F32, float]:
    """The surroundings of a box, its top left corner in the picture, and how much it was shrunk."""
    height, width = pixels.shape[:2]
    side = float(max(box[2] - box[0], box[3] - box[1]))
    low = np.floor(np.maximum(box[:2] - AROUND * side, 0)).astype(int)
    high = np.ceil(np.minimum(box[2:] + AROUND * side, (width, height))).astype(int)
    part, shrink = pixels[low[1] : high[1], low[0] : high[0]], min(LONGEST_PX / side, 1.0)
    if shrink < 1:
        part = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return part, low.astype(np.float32), shrink


def _lessons(confidence: F32, truth: npt.NDArray[np.int8]) -> tuple[F32, F32]:
    """Weight and visibility of every joint, float32[N, 17] each.

    A teacher's weight grows with its confidence; in between nobody knows whether a joint is seen.
    """
    known = np.array([0.0, HIDDEN_WEIGHT, 1.0], np.float32)[np.maximum(truth, 0)]
    guessed = np.clip((confidence - LOST) / (SURE - LOST), 0, 1)
    weight = np.where(truth == TAUGHT, guessed, known).astype(np.float32)
    known = np.array([0.0, HIDDEN_SEEN, 1.0], np.float32)[np.maximum(truth, 0)]
    guessed = np.where(confidence >= SURE, 1.0, np.where(confidence < LOST, 0.0, UNKNOWN))
    seen = np.where(truth == TAUGHT, guessed, known).astype(np.float32)
    return weight, seen
