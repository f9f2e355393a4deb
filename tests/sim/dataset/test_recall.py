"""Simulated people look like people to a network that was trained on photographs."""

from __future__ import annotations

import numpy as np
import pytest

from sim.dataset.recall import Sighting, contrast, detector, iou, recall, sightings, table
from tests.machine import reference

FRAMES = 40
MIN_RECALL = 0.8


@pytest.mark.data
def test_the_reference_detector_finds_the_simulated_people(tmp_path):
    find = detector(reference(tmp_path / "reference", "416x416"))
    found = list(sightings(1, FRAMES, find, None))
    assert len(found) >= 20
    assert recall(found) >= MIN_RECALL, table(found)


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (30, 30, 40, 40), 0.0),
    ],
)
def test_overlap(first, second, share):
    assert iou(first, second) == pytest.approx(share)


def test_contrast_is_what_the_eye_has_to_go_by():
    picture = np.full((200, 200, 3), 60, np.uint8)
    assert contrast(picture, (80, 40, 120, 160)) == 0
    picture[40:160, 80:120] = 66
    assert contrast(picture, (80, 40, 120, 160)) == pytest.approx(6, abs=0.1)
    picture[60:100, 80:120] = (60, 60, 110)  # a vest on a dark coat
    assert contrast(picture, (80, 40, 120, 160)) == pytest.approx(50, abs=0.1)


def test_noise_alone_is_no_contrast():
    noise = np.random.default_rng(1).normal(60, 12, (200, 200, 3)).clip(0, 255)
    assert contrast(noise.astype(np.uint8), (70, 20, 130, 180)) < 5


def test_the_table_counts():
    def seen(action: str, overlap: float) -> Sighting:
        return Sighting(1, 0, (0, 0, 1, 1), action, "day", "dry", overlap)

    group = [seen("walk", 0.9), seen("walk", 0.4), seen("lie", 0.5)]
    assert recall(group) == pytest.approx(2 / 3)
    lines = [line.split() for line in table(group).splitlines()]
    assert ["walk", "0.500", "1", "of", "2"] in lines and ["lie", "1.000", "1", "of", "1"] in lines
