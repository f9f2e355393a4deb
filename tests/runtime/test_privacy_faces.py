"""Stock face finders see faces in pictures, and none once they are anonymised."""

from __future__ import annotations

import random

import numpy as np
import pytest

from drivers.board import NpuConfig
from models.evaluation import pictures
from models.package import find_package, load_package
from models.signature import open_session
from runtime import plugins
from runtime.privacy_evaluation import MODES, Count, Evaluation
from runtime.privacy_faces import Face, Haar, distinct, face_finders, touch
from tests.places import data_root

PICTURES = 200
SETS = ("ppe_minhnkb/images", "fall_posture/train/images")
MODELS = data_root() / "models" / "mediapipe"


@pytest.fixture(scope="module")
def detector():
    npu = plugins.driver("npu", "tflite")(NpuConfig(driver="tflite"))
    package = load_package(find_package("ppe_s"), npu.target)
    return package, open_session(package, npu)


def needs(path):
    if not path.exists():
        pytest.skip(f"{path} is not there: set HAETAE_DATA")
    return path


@pytest.mark.data
@pytest.mark.timeout(1200)
def test_in_200_anonymised_pictures_of_people_no_face_is_found(detector):
    models = [needs(MODELS), *MODELS.glob("face_detection_short*.tflite")][1:]
    finders = face_finders(models)
    cheap = {name: finders[name] for name in finders if name != "haar profileface"}
    files = [file for each in SETS for file in pictures(needs(data_root() / "images" / each))]
    random.Random(0).shuffle(files)
    count = Count(cheap)
    assert Evaluation(*detector, count).look_at_pictures(files, PICTURES) == PICTURES
    assert count.total("raw") >= PICTURES, "the finders do find faces"
    for mode in MODES:
        assert count.pictures[mode] == PICTURES
        assert count.total(mode) == 0, count.table()
        assert sum(n for (_, each), n in count.windows.items() if each == mode) <= 2


def test_the_count_tells_a_face_from_a_window_beside_it():
    real = {"a": [Face(10, 10, 20, 20, 1.0)], "b": []}
    count = Count({})
    count.add("people", {"a": [Face(50, 50, 60, 60, 1.0)], "b": [Face(15, 15, 30, 30, 1.0)]}, real)
    assert count.total("people") == 1
    assert count.windows == {("a", "people"): 1, ("b", "people"): 1}


def test_boxes_that_overlap_are_one_face():
    faces = [Face(0, 0, 10, 10, 0.6), Face(1, 0, 11, 10, 0.9), Face(30, 0, 40, 10, 0.7)]
    assert [face.score for face in distinct(faces)] == [0.9, 0.7]
    assert touch(faces[0], faces[1]) and not touch(faces[0], faces[2])


def test_a_cascade_finds_nothing_in_an_empty_picture():
    assert Haar("frontalface_default")(np.full((120, 160, 3), 90, np.uint8)) == []
