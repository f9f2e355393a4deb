"""The cache on disk: every picture as raw bytes in one memory-mapped file, with boxes and split."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from models.training import dedupe, pseudo_label, sources, synthetic
from models.training.boxes import F32, U8
from models.training.kinds import IGNORE, PERSON
from models.training.sources import Picture, read_all
from models.training.teacher import Teacher

log = logging.getLogger(__name__)

LONGEST_SIDE_PX = 416
SIMULATED_SIDE_PX = 640
"""Simulated people are far away: in training their pictures are looked at part by part."""
TRAIN, HELD_OUT = 0, 1


def data_folder() -> Path:
    """Where the shared data sets are: `HAETAE_DATA`, or ../shared/data beside the repository."""
    return Path(os.environ.get("HAETAE_DATA", "../shared/data"))


@dataclass(frozen=True)
class Sample:
    """One cached picture.

    Attributes:
        source: data set.
        split: TRAIN or HELD_OUT.
        pixels: uint8[H, W, 3] BGR, a view into the cache.
        boxes: float32[N, 5] xyxy pixels and kind (`kinds`).
        teacher: float32[M, 5] xyxy pixels, the teacher's score.
        name: of the picture's file, without the ending; "" where it has none.
    """

    source: str
    split: int
    pixels: U8
    boxes: F32
    teacher: F32
    name: str = ""


class Cache:
    """Reads what `build` wrote. Cheap to open in many processes: the pictures are shared pages.

    Args:
        folder: holds pictures.u8 and index.npz.
    """

    def __init__(self, folder: Path) -> None:
        self._bytes = np.memmap(folder / "pictures.u8", np.uint8, "r")
        with np.load(folder / "index.npz") as index:
            self._index = {name: index[name] for name in index.files}
        self.sources: list[str] = [str(s) for s in self._index["source"]]
        self.splits = self._index["split"]

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, i: int) -> Sample:
        start, height, width = (int(v) for v in self._index["place"][i])
        pixels = self._bytes[start : start + height * width * 3].reshape(height, width, 3)
        b0, b1 = self._index["box_end"][i : i + 2]
        t0, t1 = self._index["teacher_end"][i : i + 2]
        return Sample(
            self.sources[i],
            int(self.splits[i]),
            pixels,
            self._index["boxes"][b0:b1],
            self._index["teacher"][t0:t1],
            str(self._index["name"][i]),
        )

    def where(self, split: int, source: str | None = None) -> list[int]:
        """Indices of a split, of one data set or of all."""
        wanted = (i for i in range(len(self)) if self.splits[i] == split)
        return [i for i in wanted if source is None or self.sources[i] == source]


class _Writer:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._file = folder, (folder / "pictures.u8").open("wb")
        self.hashes: list[list[int]] = []
        self.split: list[str] = []
        self._source: list[str] = []
        self._name: list[str] = []
        self._place: list[tuple[int, int, int]] = []
        self._boxes: list[F32] = []
        self._teacher: list[F32] = []

    def add(
        self, source: str, pixels: U8, boxes: F32, teacher: F32, split: str, name: str = ""
    ) -> None:
        longest_px = SIMULATED_SIDE_PX if source in ("simulated", "deserted") else LONGEST_SIDE_PX
        ratio = min(longest_px / max(pixels.shape[:2]), 1.0)
        if ratio < 1.0:
            size = (round(pixels.shape[1] * ratio), round(pixels.shape[0] * ratio))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        scale = np.array((ratio, ratio, ratio, ratio, 1), np.float32)
        self.hashes.append(dedupe.difference_hashes(pixels))
        self._place.append((self._file.tell(), *pixels.shape[:2]))
        self._file.write(np.ascontiguousarray(pixels).tobytes())
        self._source.append(source)
        self._name.append(name)
        self.split.append(split)
        self._boxes.append((boxes * scale).astype(np.float32))
        self._teacher.append((teacher * scale).astype(np.float32))

    def close(self, split: list[int]) -> None:
        self._file.close()
        np.savez(
            self._folder / "index.npz",
            source=np.array(self._source),
            name=np.array(self._name),
            split=np.array(split, np.int8),
            place=np.array(self._place, np.int64),
            boxes=np.concatenate(self._boxes),
            box_end=np.cumsum([0] + [len(b) for b in self._boxes]),
            teacher=np.concatenate(self._teacher),
            teacher_end=np.cumsum([0] + [len(b) for b in self._teacher]),
        )


def _split(writer: _Writer) -> list[int]:
    """Keep what is declared; a group that touches a declared side goes there, the rest by hash."""
    groups = dedupe.group(writer.hashes)
    declared: dict[int, str] = {}
    for i, name in enumerate(writer.split):
        if name and declared.get(int(groups[i])) != "held_out":
            declared[int(groups[i])] = name
    sides = []
    for i, name in enumerate(writer.split):
        root = int(groups[i])
        side = name or declared.get(root, "")
        held = side == "held_out" if side else dedupe.is_held_out(writer.hashes[root][0])
        sides.append(HELD_OUT if held else TRAIN)
    return sides


def _taught(job: tuple[Picture, Path]) -> tuple[Picture, F32]:
    """A picture with what the teacher sees in it; runs in a process of its own."""
    picture, data = job
    return picture, _teacher(data).find_well(picture.pixels, picture.close)


@cache
def _teacher(data: Path) -> Teacher:
    return Teacher(data)


def build(data: Path, folder: Path, drawn: int, simulated: list[Path], jobs: int) -> None:
    """Write the cache: real pictures with teacher boxes, simulated ones, then drawn scenes.

    Args:
        data: the shared data folder.
        folder: where the cache goes.
        drawn: number of drawn scenes for training; a tenth as many are added as held out.
        simulated: folders that `haetae sim dataset` wrote.
        jobs: processes that run the teacher.
    """
    writer = _Writer(folder)
    empty: list[U8] = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for picture, found in pool.imap(_taught, ((p, data) for p in read_all(data)), 8):
            boxes = pseudo_label.merge(picture, found)
            if not (boxes[:, 4] % IGNORE == PERSON).any() and picture.split == "train":
                empty.append(picture.pixels)
            writer.add(picture.source, picture.pixels, boxes, found, picture.split, picture.name)
    log.info("%d pictures, %d of them empty enough to be backdrops", len(writer.split), len(empty))
    split = _split(writer)
    none = np.zeros((0, 5), np.float32)
    for picture in chain.from_iterable(map(sources.simulated, simulated)):
        writer.add(
            picture.source, picture.pixels, picture.objects, none, picture.split, picture.name
        )
        split.append(HELD_OUT if picture.split == "held_out" else TRAIN)
    for seed in range(drawn + drawn // 10):
        pixels, boxes = synthetic.draw(seed, empty)
        writer.add("synthetic", pixels, boxes, none, "train" if seed < drawn else "held_out")
        split.append(TRAIN if seed < drawn else HELD_OUT)
    writer.close(split)


def main() -> None:
    """Build the cache from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--drawn", type=int, default=1000)
    parser.add_argument("--simulated", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    build(data_folder(), arguments.cache, arguments.drawn, arguments.simulated, arguments.jobs)


if __name__ == "__main__":
    main()
