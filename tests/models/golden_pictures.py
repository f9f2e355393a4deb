"""Pictures for golden tests, drawn by seed, and what a detector found in them when it was accepted.

python -m tests.models.golden_pictures ppe_s
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.camera.synthetic_scene import SyntheticScene
from drivers.interfaces import Session
from models.detector import Detector
from models.package import Package, find_package, load_package
from models.signature import open_session
from models.tables import Detections
from sim.dataset.randomise import random_moments, random_world
from sim.world.world import World
from tests.models import tiny_tflite

WIDTH_PX, HEIGHT_PX = 640, 360
ROOM_MS = (500.0, 5000.0, 7000.0)
WORLDS = (9_000_011, 9_000_023, 9_000_031, 9_000_047, 9_000_059)
"""Seeds that no data set of random sites reaches."""
CAPACITY = 256
MARGIN = 0.12
"""Scores of the two runtimes, and of other processors, differ by up to about this much."""
FOLDER = Path(__file__).with_name("goldens")


def pictures() -> dict[str, np.ndarray]:
    """uint8[360, 640, 3] BGR by name: the drawn room, and simulated sites."""
    found = {}
    for t_ms in ROOM_MS:
        found[f"room {t_ms:g} ms"] = pixels = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        SyntheticScene(WIDTH_PX, HEIGHT_PX).render(t_ms, pixels)
    for seed in WORLDS:
        world = World(random_world(seed), WIDTH_PX, HEIGHT_PX, seed)
        found[f"site {seed}"] = pixels = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        world.render(random_moments(seed)[1], pixels)
    return found


def detect(
    package: Package, session: Session, picture: np.ndarray, score: float
) -> list[dict[str, Any]]:
    """What a detector finds at or over a score: class, box, score."""
    detector = Detector(package, session, WIDTH_PX, HEIGHT_PX, CAPACITY, score)
    detections = Detections(CAPACITY)
    detector(picture, detections)
    return [
        {
            "class": detector.classes[int(detections.classes[i])],
            "box": [round(float(v), 1) for v in detections.boxes[i]],
            "score": round(float(detections.scores[i]), 3),
        }
        for i in range(detections.count)
    ]


def main() -> None:
    """Write the golden file of a shipped detector, with LiteRT."""
    name = sys.argv[1]
    package = load_package(find_package(name), "tflite")
    session = open_session(package, tiny_tflite.npu("litert"))
    score = package.info.thresholds.score
    seen = {key: detect(package, session, p, score) for key, p in pictures().items()}
    golden = {"sha256": package.info.targets[0].sha256, "pictures": seen}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")
    for key, picture in pictures().items():
        for row in seen[key]:
            x1, y1, x2, y2 = (int(v) for v in row["box"])
            cv2.rectangle(picture, (x1, y1), (x2, y2), (0, 0, 255), 1)
        print(key, [(row["class"], row["score"]) for row in seen[key]])


if __name__ == "__main__":
    main()
