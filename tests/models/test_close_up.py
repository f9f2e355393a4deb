"""A look at one person alone: where its boxes lie, and what it leaves behind in the input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.close_up import MARGIN, CloseUp
from models.detector import Detector
from models.package import load_package
from models.signature import open_session
from models.tables import Detections
from tests.models import tiny_tflite

WIDTH, HEIGHT = 200, 60
BOX = np.array([90.0, 10.0, 110.0, 50.0], np.float32)


@pytest.fixture(params=tuple(tiny_tflite.RUNTIMES))
def detector(tmp_path: Path, request: pytest.FixtureRequest) -> Detector:
    content = tiny_tflite.build()
    tables = tiny_tflite.description(content, ["person"])
    package = load_package(tiny_tflite.write_package(tmp_path, tables, content), "tflite")
    session = open_session(package, tiny_tflite.npu(str(request.param)))
    return Detector(package, session, WIDTH, HEIGHT, 256, 0.0)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def test_the_detector_sees_the_same_after_a_look_as_before(detector, picture):
    before, after, close = Detections(256), Detections(256), Detections(256)
    detector(picture, before)
    whole = detector.session.inputs[0].copy()
    CloseUp(detector, 256).look(picture, BOX, close)
    detector(picture, after)
    assert np.array_equal(detector.session.inputs[0], whole)
    assert np.array_equal(before.boxes[: before.count], after.boxes[: after.count])


def test_without_cleaning_up_the_detector_would_see_the_person_twice(
    detector, picture, monkeypatch
):
    detector(picture, Detections(256))
    whole = detector.session.inputs[0].copy()
    monkeypatch.setattr(Detector, "clear", lambda self: None)
    CloseUp(detector, 256).look(picture, BOX, Detections(256))
    detector.prepare(picture)
    assert not np.array_equal(detector.session.inputs[0], whole)


def test_boxes_come_back_in_pixels_of_the_picture(detector, picture):
    """What is found lies in the part that was cut out: the box, widened, in the input's form."""
    found = Detections(256)
    CloseUp(detector, 256).look(picture, BOX, found)
    height, width = detector.package.info.input.shape[1:3]
    step = (1 + MARGIN) * max(20 / width, 40 / height)
    middle = np.array([100.0, 30.0])
    half = step * np.array([width, height]) / 2
    low, high = middle - half - 0.01, middle + half + 0.01
    assert found.count > 0
    boxes = found.boxes[: found.count]
    assert (boxes[:, :2] >= low).all() and (boxes[:, 2:] <= high).all()
    assert np.ptp(boxes[:, 0]) > 0


def test_a_network_that_fails_leaves_nothing_found_and_a_clean_input(
    detector, picture, monkeypatch
):
    from drivers.faults import NpuFault

    found = Detections(256)
    close = CloseUp(detector, 256)
    detector(picture, Detections(256))
    whole = detector.session.inputs[0].copy()
    close.look(picture, BOX, found)

    def fail() -> None:
        raise NpuFault("error")

    monkeypatch.setattr(detector.session, "invoke", fail, raising=False)
    with pytest.raises(NpuFault):
        close.look(picture, BOX, found)
    assert found.count == 0
    detector.prepare(picture)
    assert np.array_equal(detector.session.inputs[0], whole)
