"""The whole way from a picture to detections, on both runtimes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.npu.stale import StaleCheck
from models.detector import Detector
from models.pack import pack
from models.package import load_package, read_info, shipped_packages
from models.signature import open_session
from models.tables import Detections
from tests.models import float_decoder, tiny_tflite

RUNTIMES = tuple(tiny_tflite.RUNTIMES)


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tiny(tmp_path: Path, runtime: str) -> Detector:
    content = tiny_tflite.build()
    tables = tiny_tflite.description(content, ["person"])
    package = load_package(tiny_tflite.write_package(tmp_path, tables, content), "tflite")
    session = open_session(package, tiny_tflite.npu(runtime))
    return Detector(package, session, 150, 100, 256, 0.6)


def test_every_picture_is_decoded_from_the_real_tensors(tiny: Detector) -> None:
    detections = Detections(256)
    rng = np.random.default_rng(4)
    counts = set()
    for _ in range(5):
        tiny(rng.integers(0, 256, (100, 150, 3), np.uint8), detections)
        rows = float_decoder.candidates(tiny.package.info, list(tiny.session.outputs))
        assert detections.scores[0] == pytest.approx(max(row.score for row in rows), abs=1e-5)
        counts.add((detections.count, detections.scores[: detections.count].tobytes()))
    assert len(counts) == 5
    assert tiny.classes == ("person",)


def test_the_three_steps_are_the_whole(tiny: Detector) -> None:
    whole, steps = Detections(256), Detections(256)
    picture = np.random.default_rng(5).integers(0, 256, (100, 150, 3), np.uint8)
    tiny(picture, whole)
    tiny.prepare(picture)
    tiny.session.invoke()
    tiny.decode(steps)
    assert whole.count == steps.count > 0
    assert np.array_equal(whole.boxes, steps.boxes)


def test_a_real_session_is_not_stale(tiny: Detector) -> None:
    check = StaleCheck(tiny.session)
    detections = Detections(256)
    rng = np.random.default_rng(6)
    for step in range(20):
        tiny(rng.integers(0, 256, (100, 150, 3), np.uint8), detections)
        check.check(step * 100)


@pytest.mark.data
@pytest.mark.parametrize("size", ["320x256", "416x416"])
def test_the_reference_detector_sees_the_person_in_the_video(
    shared_data: Path, tmp_path: Path, runtime: str, size: str
) -> None:
    description = shared_data / f"models/reference/yolox_nano_person_{size}_int8.json"
    package = pack(description, tmp_path / "package", 0.3, 0.6)
    session = open_session(package, tiny_tflite.npu(runtime))
    video = cv2.VideoCapture(
        str(shared_data / "video/intel/one-by-one-person-detection.mp4"),
        cv2.CAP_FFMPEG,
        [cv2.CAP_PROP_N_THREADS, 1],
    )
    detections = Detections(64)
    detector = Detector(package, session, 768, 432, 64)
    seen = []
    for index in range(160):
        _, picture = video.read()
        if index in (0, 100, 120, 140):
            detector(picture, detections)
            seen.append(detections.count)
    video.release()
    assert seen[1:] == [1, 1, 1]
    assert seen[0] == 0


def test_the_shipped_student_runs(runtime: str) -> None:
    folders = [f for f in shipped_packages() if read_info(f).role == "detector"]
    if not folders:
        pytest.skip("no student is shipped yet")
    for folder in folders:
        package = load_package(folder, "tflite")
        session = open_session(package, tiny_tflite.npu(runtime))
        detector = Detector(package, session, 640, 360, 64)
        detections = Detections(64)
        detector(np.full((360, 640, 3), 90, np.uint8), detections)
        assert detections.count == 0
