"""Every shipped detector still sees what it saw when it was accepted, on both runtimes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.package import find_package, load_package, read_info, shipped_packages
from models.signature import open_session
from tests.models import golden_pictures, tiny_tflite
from tests.models.golden_pictures import FOLDER, MARGIN, detect

DETECTORS = [p.name for p in shipped_packages() if read_info(p).role == "detector"]
SAME_PLACE = 0.7
"""Overlap of a golden box and the box found."""


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return golden_pictures.pictures()


def _overlap(a: list[float], b: list[float]) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inter = float(np.prod(np.clip(high - low, 0, None)))
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return inter / (area - inter)


def differences(golden: list[dict[str, Any]], found: list[dict[str, Any]], score: float) -> list:
    """Golden rows that were lost, and sure rows that are new."""

    def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
        alike = a["class"] == b["class"] and abs(a["score"] - b["score"]) <= MARGIN
        return alike and _overlap(a["box"], b["box"]) >= SAME_PLACE

    lost = [("lost", row) for row in golden if not any(same(row, other) for other in found)]
    sure = [row for row in found if row["score"] > score + MARGIN]
    return lost + [("new", row) for row in sure if not any(same(row, g) for g in golden)]


@pytest.mark.parametrize("runtime", tuple(tiny_tflite.RUNTIMES))
@pytest.mark.parametrize("name", DETECTORS)
def test_it_sees_what_it_saw(name: str, runtime: str, pictures: dict[str, np.ndarray]) -> None:
    package = load_package(find_package(name), "tflite")
    golden = json.loads((FOLDER / f"{name}.json").read_text())
    assert golden["sha256"] == package.info.targets[0].sha256, (
        "python -m tests.models.golden_pictures"
    )
    session = open_session(package, tiny_tflite.npu(runtime))
    score = package.info.thresholds.score
    for key, picture in pictures.items():
        found = detect(package, session, picture, max(score - MARGIN, 0.02))
        assert differences(golden["pictures"][key], found, score) == [], key
    session.close()


def test_somebody_lost_and_somebody_new_are_told() -> None:
    row = {"class": "person", "box": [0.0, 0.0, 10.0, 20.0], "score": 0.8}
    moved = row | {"box": [30.0, 0.0, 40.0, 20.0]}
    assert differences([row], [row | {"score": 0.75}], 0.4) == []
    assert [word for word, _ in differences([row], [moved], 0.4)] == ["lost", "new"]
    assert [word for word, _ in differences([row], [row | {"class": "vest"}], 0.4)] == [
        "lost",
        "new",
    ]
    assert [word for word, _ in differences([row], [row | {"score": 0.5}], 0.4)] == ["lost"]
    assert differences([], [row | {"score": 0.45}], 0.4) == []
