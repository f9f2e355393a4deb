"""The detector's confusion matrix as a picture: which class is found for which, and what is missed.

python -m models.training.confusion CACHE ppe_s_int8.tflite OUT.png --score 0.35
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.training.boxes import F32, iou
from models.training.dataset import Cache
from models.training.detect import Int8Student
from models.training.evaluate import samples_of
from models.training.kinds import CLASSES, IGNORE
from models.training.metrics import MATCH_IOU

REAL = ("ppe_minhnkb", "ppe_hardhat", "helmet_sites", "coco128x2", "fall_posture")
"""Pictures that a camera took: in the simulated ones most parts are too small to be seen."""
CELL_PX, MARGIN_PX = 118, 150
WHITE, INK = 255, (40, 40, 40)
Counts = npt.NDArray[np.int64]


def count(found: F32, truth: F32, into: Counts) -> None:
    """Add one picture: rows are the truth, columns what was found, the last of each is nothing.

    A detection is matched with the object that it overlaps most, whatever the class; one without
    an object counts as false only where its class is known to be absent.

    Args:
        found: float32[N, 6] xyxy, score, class, over the threshold, best first.
        truth: float32[M, 5] xyxy and kind.
        into: int64[C + 1, C + 1], added to.
    """
    objects = truth[truth[:, 4] < IGNORE]
    free = np.ones(len(objects), bool)
    overlaps = iou(found[:, :4], objects[:, :4])
    for i, row in enumerate(found):
        kind = int(row[5])
        candidates = np.where(free & (overlaps[i] >= MATCH_IOU), overlaps[i], 0.0)
        candidates += 0.5 * (candidates > 0) * (objects[:, 4] == kind)
        best = int(candidates.argmax()) if len(objects) else -1
        if best >= 0 and candidates[best] > 0:
            free[best] = False
            into[int(objects[best, 4]), kind] += 1
        elif not _unknown(row, truth[truth[:, 4] == IGNORE + kind]):
            into[-1, kind] += 1
    for kind in objects[free, 4].astype(int):
        into[kind, -1] += 1


def _unknown(row: F32, regions: F32) -> bool:
    """The middle of the box lies where its class is neither there nor not there."""
    x, y = (row[0] + row[2]) / 2, (row[1] + row[3]) / 2
    inside = (regions[:, 0] <= x) & (x <= regions[:, 2])
    inside &= (regions[:, 1] <= y) & (y <= regions[:, 3])
    return bool(inside.any())


def draw(counts: Counts) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3]: shares of each row as shades, counts as text."""
    names = (*CLASSES, "nothing")
    side = len(names) * CELL_PX
    canvas = np.full((side + MARGIN_PX, side + MARGIN_PX, 3), WHITE, np.uint8)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for i, name in enumerate(names):
        _text(canvas, name, (8, MARGIN_PX + i * CELL_PX + CELL_PX // 2 + 6))
        _text(canvas, name, (MARGIN_PX + i * CELL_PX + 10, MARGIN_PX - 14))
        for j in range(len(names)):
            if i == j == len(names) - 1:
                continue
            x, y = MARGIN_PX + j * CELL_PX, MARGIN_PX + i * CELL_PX
            shade = int(255 - 150 * shares[i, j])
            colour = (shade, 255, shade) if i == j else (shade, shade, 255)
            cv2.rectangle(canvas, (x, y), (x + CELL_PX - 2, y + CELL_PX - 2), colour, -1)
            _text(canvas, str(counts[i, j]), (x + 14, y + 52))
            if i < len(names) - 1:
                _text(canvas, f"{shares[i, j]:.0%}", (x + 14, y + 84))
    _text(canvas, "found as", (MARGIN_PX, 40))
    _text(canvas, "truth", (8, MARGIN_PX - 14))
    return canvas


def _text(canvas: npt.NDArray[np.uint8], words: str, at: tuple[int, int]) -> None:
    cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.62, INK, 1, cv2.LINE_AA)


def main() -> None:
    """Write the picture from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--score", type=float, default=0.35)
    arguments = parser.parse_args()
    cache, student = Cache(arguments.cache), Int8Student(arguments.int8)
    counts = np.zeros((len(CLASSES) + 1, len(CLASSES) + 1), np.int64)
    for sample in (s for source in REAL for s in samples_of(cache, source)):
        count(student.find(sample.pixels, arguments.score), sample.boxes, counts)
    cv2.imwrite(str(arguments.out), draw(counts))


if __name__ == "__main__":
    main()
