"""Runs a detector over a folder of pictures, through the very class that the loop uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import cv2

from drivers.interfaces import Session
from models.detector import Detector
from models.package import Package
from models.tables import Detections

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
CAPACITY: Final = 256


class PictureResult(NamedTuple):
    """One picture's detections, best score first; `error` says why there are none to judge.

    Attributes:
        image: file name.
        boxes: xyxy, pixels of the picture.
        scores: 0..1.
        classes: names.
        error: empty when the picture was read.
    """

    image: str
    boxes: list[list[float]]
    scores: list[float]
    classes: list[str]
    error: str = ""


def pictures(folder: Path) -> list[Path]:
    """Picture files in a folder, sorted by name.

    Raises:
        OSError: the folder cannot be listed.
    """
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def detect_folder(
    folder: Path, package: Package, session: Session, min_score: float | None = None
) -> Iterator[PictureResult]:
    """Detect in every picture of a folder; the network is loaded once, whatever the sizes.

    Args:
        folder: holds the pictures.
        package: the detector.
        session: its loaded network.
        min_score: instead of the package's threshold.

    Yields:
        One result per picture, sorted by file name; an unreadable one with its `error`.

    Raises:
        OSError: the folder cannot be listed.
        NpuFault: the network failed.
    """
    detections = Detections(CAPACITY)
    detector: Detector | None = None
    for path in pictures(folder):
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if pixels is None:
            yield PictureResult(path.name, [], [], [], "cannot be read as a picture")
            continue
        height, width = pixels.shape[:2]
        if detector is None or not detector.letterbox.fits(width, height):
            detector = Detector(package, session, width, height, CAPACITY, min_score)
        detector(pixels, detections)
        yield _result(path.name, detections, detector)


def _result(image: str, detections: Detections, detector: Detector) -> PictureResult:
    rows = slice(0, detections.count)
    return PictureResult(
        image,
        [[round(value, 2) for value in box] for box in detections.boxes[rows].tolist()],
        [round(score, 5) for score in detections.scores[rows].tolist()],
        [detector.classes[index] for index in detections.classes[rows].tolist()],
    )
