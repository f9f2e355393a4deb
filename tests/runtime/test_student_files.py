"""Students out of a slot: bytes become packages that load, or are refused with the place."""

from pathlib import Path

import numpy as np
import pytest

from drivers.board import NpuConfig
from drivers.faults import ModelRefused
from drivers.npu.tflite import TfliteNpu
from models.package import STUDENTS, load_package
from models.signature import open_session
from runtime.student_files import student_packages

FOLDERS = {"detector": "ppe_s", "skeleton": "skeleton_s", "action": "action_xs"}


@pytest.fixture
def files():
    return {
        role: {path.name: path.read_bytes() for path in (STUDENTS / name).iterdir()}
        for role, name in FOLDERS.items()
    }


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_loaded_answers_as_the_package_on_disk(files):
    npu, before = TfliteNpu(NpuConfig(driver="tflite")), open_files()
    with student_packages(files, "tflite", True, "slot 1") as packages:
        session = open_session(packages.action, npu)
        assert packages.detector.info.role == "detector"
    assert open_files() == before, "a back end has read its file whole"
    on_disk = open_session(load_package(STUDENTS / "action_xs", "tflite"), npu)
    rng = np.random.default_rng(1)
    for one in (session, on_disk):
        one.inputs[0][:] = 0
    for _ in range(5):
        values = rng.integers(-128, 128, session.inputs[0].shape, np.int8)
        for one in (session, on_disk):
            one.inputs[0][:] = values
            one.invoke()
        np.testing.assert_array_equal(session.outputs[0], on_disk.outputs[0])
    session.close()
    on_disk.close()


def test_bodies_are_left_out_where_no_rule_asks(files):
    del files["skeleton"], files["action"]
    with student_packages(files, "tflite", False, "slot 0") as packages:
        assert packages.skeleton is None and packages.action is None


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda files: files.pop("skeleton"), r"slot 1/skeleton: there is no model.toml"),
        (lambda files: files["detector"].pop("model.toml"), r"slot 1/detector: there is no"),
        (lambda files: files["detector"].pop("ppe_s_int8.tflite"), r"no ppe_s_int8.tflite"),
        (
            lambda files: files["detector"].update({"ppe_s_int8.tflite": b"x" * 1000}),
            "1000 bytes",
        ),
        (
            lambda files: files.update(detector=files["action"]),
            'role = "action"; allowed here: "detector"',
        ),
        (
            lambda files: files["detector"].update({"model.toml": b"format = 1\n"}),
            r"slot 1/detector/model.toml: .*name",
        ),
    ],
    ids=["role", "description", "network", "other bytes", "other role", "wrong description"],
)
def test_what_is_wrong_is_refused_with_its_place(files, spoil, words):
    spoil(files)
    before = open_files()
    with (
        pytest.raises(ModelRefused, match=words),
        student_packages(files, "tflite", True, "slot 1"),
    ):
        pass
    assert open_files() == before


def test_another_npu_is_refused(files):
    with (
        pytest.raises(ModelRefused, match="no file for target 'rk3588'"),
        student_packages(files, "rk3588", False, "slot 1"),
    ):
        pass
