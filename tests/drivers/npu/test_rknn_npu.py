"""The Rockchip back end on a virtual NPU: nothing that it does goes unseen.

With rknn-toolkit-lite2 installed (arm64; `make npu-test` does so) the real RKNNLite runs on
librknnrt.c, else its twin; the tests are the same.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.faults import ModelRefused, NpuFault
from drivers.interfaces import Npu, Session
from drivers.npu import rockchip
from drivers.npu.guarded import GuardedSession
from drivers.npu.rknn import RknnNpu
from drivers.npu.rknn_session import RknnSession
from drivers.npu.stale import StaleCheck
from drivers.npu_config import NpuConfig
from tests.drivers.npu import virtual_npu as virtual
from tests.drivers.npu.virtual_npu import DETECTOR, FLOATS, SKELETON, Control

LONG = os.environ.get("HAETAE_LONG") == "1"


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The device tree that the driver sees; the real RKNNLite sees the machine's own."""
    file = tmp_path / "compatible"
    file.write_bytes(b"radxa,rock-5b\0rockchip,rk3588\0")
    monkeypatch.setattr(rockchip, "DEVICE_TREE", file)
    return file


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    made, others = virtual.install(tmp_path, monkeypatch), set(threading.enumerate())
    yield made
    made()
    for thread in set(threading.enumerate()) - others:
        thread.join(5)  # a hung call comes back, while its control file is there


def config(**change: Any) -> NpuConfig:
    told: dict[str, Any] = {
        "driver": "rknn", "target": "rk3588", "core_mask": 7, "load_deadline_ms": 60_000,
        "rknn_runtimes": ["2.3.1", "2.3.2"], "rknn_drivers": ["0.9.8"],
    }  # fmt: skip
    return NpuConfig(**(told | change))


def file_of(
    control: Control, body: str = DETECTOR, platforms: tuple[str, ...] = ("rk3588",)
) -> str:
    file = control.file.with_name("network.rknn")
    file.write_bytes(virtual.model(body, platforms))
    return str(file)


def opened(control: Control, body: str = DETECTOR, **change: Any) -> Session:
    return RknnNpu(config(**change)).load(file_of(control, body))


def show(session: Session, seed: int) -> np.ndarray:
    """Put a new picture into the inputs; returns the bytes that the NPU should see."""
    rng = np.random.default_rng(seed)
    seen = []
    for array in session.inputs:
        if array.dtype == np.float32:
            array[:] = rng.normal(0, 1, array.shape)
            seen.append(array.reshape(-1).view(np.uint8))
        else:
            array[:] = rng.integers(-128, 128, array.shape)
            seen.append((array.reshape(-1).astype(np.int16) + 128).astype(np.uint8))
    return np.concatenate(seen)


def right(session: Session, body: str, x: np.ndarray) -> None:
    """The outputs are those of this input, channels-last."""
    for array, wanted in zip(session.outputs, virtual.answers(body, x), strict=True):
        if wanted.ndim == 4:
            wanted = wanted.transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(array, wanted)


def fault_of(session: Session) -> NpuFault:
    with pytest.raises(NpuFault) as caught:
        session.invoke()
    return caught.value


# What the API gives, in both worlds.


def test_rknnlite_drops_the_code_of_a_failed_run(control: Control) -> None:
    """The trap that all of this is for: the outputs of the picture before, as if they were new."""
    lite = importlib.import_module("rknnlite.api").RKNNLite()
    assert lite.load_rknn(file_of(control)) == 0
    assert lite.init_runtime() == 0
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (1, 8, 12, 3), np.uint8) for _ in range(2))
    before = lite.inference([first])
    assert all(one.dtype == np.float32 for one in before)
    control(run=-1)
    for old, new in zip(before, lite.inference([second]), strict=True):
        np.testing.assert_array_equal(old, new)
    control()
    assert any((a != b).any() for a, b in zip(before, lite.inference([second]), strict=True))
    control(get=-1)
    assert lite.inference([second]) is None
    lite.release()


def test_rknnlite_loads_junk(control: Control) -> None:
    junk = control.file.with_name("junk")
    junk.write_bytes(b"junk" * 100)
    lite = importlib.import_module("rknnlite.api").RKNNLite()
    assert lite.load_rknn(str(junk)) == 0
    assert lite.init_runtime() == -1
    assert lite.load_rknn("/nonexistent") == -1


# Loading.


def test_the_back_end_is_an_npu_and_its_session_a_session(control: Control) -> None:
    npu = RknnNpu(config())
    assert isinstance(npu, Npu)
    assert npu.target == "rk3588"
    session = npu.load(file_of(control))
    assert isinstance(session, RknnSession) and isinstance(session, Session)


def test_tensors_are_channels_last_and_stay_quantized(control: Control) -> None:
    session = opened(control)
    assert isinstance(session, RknnSession)
    assert [(a.shape, a.dtype.name) for a in session.inputs] == [((1, 8, 12, 3), "int8")]
    assert [(a.shape, a.dtype.name) for a in session.outputs] == [
        ((1, 4, 6, 4), "int8"),
        ((1, 4, 6, 2), "int8"),
        ((1, 2, 3, 4), "uint8"),
    ]
    assert session.input_details[0] == ("image", (1, 8, 12, 3), "int8", 0.0078125, 0)
    assert session.output_details[0] == ("box", (1, 4, 6, 4), "int8", 0.5, -3)


@pytest.mark.parametrize("body", [DETECTOR, SKELETON, FLOATS], ids=["bytes", "numbers", "floats"])
def test_outputs_are_those_of_the_input_in_place(control: Control, body: str) -> None:
    session = opened(control, body)
    places = [array.__array_interface__["data"][0] for array in session.outputs]
    for seed in range(5):
        x = show(session, seed)
        session.invoke()
        right(session, body, x)
    assert [array.__array_interface__["data"][0] for array in session.outputs] == places


def test_loading_writes_nothing_to_stderr(
    control: Control, capfd: pytest.CaptureFixture[str]
) -> None:
    opened(control)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "begins with b''"),
        (b"junk" * 100, "begins with b'junkjunk'"),
        (virtual.model()[:-1], "description of"),
        (virtual.model()[:100], "body of"),
        (virtual.model(platforms=("rk3566", "rk3568")), "compiled for rk3566, rk3568; this NPU is"),
        (virtual.model("nonsense\n"), "RKNN_ERR_MODEL_INVALID"),
        (virtual.model(DETECTOR.replace("box 2", "box 8")), "tensor box: type 8"),
    ],
)
def test_a_file_that_is_none_is_refused(control: Control, content: bytes, says: str) -> None:
    if says.startswith("RKNN_ERR"):
        control(init=-6)
    file = control.file.with_name("network.rknn")
    file.write_bytes(content)
    with pytest.raises(ModelRefused, match=says) as refused:
        RknnNpu(config()).load(str(file))
    assert refused.value.path == str(file)
    assert str(refused.value).count(str(file)) == 1


def test_a_missing_file_is_refused(control: Control) -> None:
    with pytest.raises(ModelRefused, match="No such file"):
        RknnNpu(config()).load("/nonexistent.rknn")


def refused_start(control: Control, **change: Any) -> NpuFault:
    with pytest.raises(NpuFault) as caught:
        opened(control, **change)
    return caught.value


def test_a_failed_start_tells_what_was_printed(control: Control) -> None:
    control(init=-3, say="E RKNN: failed to open rknpu module, need to insmod rknpu dirver!")
    fault = refused_start(control)
    assert fault.reason == "init_failed"
    assert fault.detail.startswith("init_runtime returned -1: ")
    assert "RKNN_ERR_DEVICE_UNAVAILABLE" in fault.detail


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        ({"runtime": "1.5.2 (c6b7b351a@2023)"}, "librknnrt.so is '1.5.2 (c6b7b351a@2023)'"),
        (
            {"driver": "0.9.2"},
            "the NPU driver is '0.9.2'; npu.rknn_drivers of the board file: 0.9.8",
        ),
    ],
)
def test_versions_that_were_not_tried_are_a_fault(
    control: Control, words: dict[str, str], detail: str
) -> None:
    control(**words)
    fault = refused_start(control)
    assert fault.reason == "wrong_version" and fault.detail.startswith(detail)
    opened(control, rknn_runtimes=[], rknn_drivers=[]).close()


@pytest.mark.parametrize(
    ("words", "mask"),
    [
        *(({"run": -1}, mask) for mask in (0, 4, 7)),
        *(({"repeats": "*"}, mask) for mask in (0, 4, 7)),
        *(({"off": 3}, mask) for mask in (0, 7)),
    ],
    ids=str,
)
def test_each_core_that_may_be_used_is_tried(
    control: Control, words: dict[str, Any], mask: int
) -> None:
    control(core=4, say="E RKNN: failed to submit!", **words)
    fault = refused_start(control, core_mask=mask)
    assert "core 2" in fault.detail
    assert fault.reason == ("invoke_failed" if "run" in words else "self_test")
    assert ("failed to submit!" in fault.detail) == ("run" in words)
    opened(control, core_mask=3).close()


def test_the_cores_together_must_answer_as_each_does(control: Control) -> None:
    control(core=7, off=1)
    assert refused_start(control).detail.startswith(
        "cores 0 and 1 and 2: answers otherwise than core 0 before"
    )
    opened(control, core_mask=1).close()


def test_a_core_that_hangs_is_found_at_load(control: Control) -> None:
    control(core=2, hang_ms=20_000)
    began = time.monotonic()
    fault = refused_start(control, call_deadline_ms=300)
    control()
    assert (fault.reason, fault.detail[:6]) == ("hung", "core 1")
    assert time.monotonic() - began < 10


def test_a_start_that_hangs_is_a_fault_in_time(control: Control) -> None:
    """The call is left behind; what it brings late is undone, and the NPU is free again."""
    control(init_ms=20_000)
    began = time.monotonic()
    fault = refused_start(control, call_deadline_ms=300, load_deadline_ms=500)
    assert fault.reason == "hung"
    assert fault.detail.startswith("the NPU did not start within 500 ms")
    assert 0.45 < time.monotonic() - began < 10
    (left,) = [one for one in threading.enumerate() if one.name == "npu load"]
    control()
    left.join(10)
    assert not left.is_alive()
    session = opened(control, call_deadline_ms=300)
    right_again(session, 1)
    session.close()


def test_what_is_left_behind_writes_to_nobodys_descriptor(control: Control) -> None:
    """The file that held what was printed is closed, and its number is another's."""
    control(init_ms=20_000)
    refused_start(control, call_deadline_ms=300, load_deadline_ms=500)
    (left,) = [one for one in threading.enumerate() if one.name == "npu load"]
    control(run=-1, say="late")
    left.join(10)
    assert not left.is_alive()


def test_an_npu_that_never_computes_is_found_at_load(control: Control) -> None:
    control(repeats="*")
    fault = refused_start(control)
    assert (fault.reason, fault.detail) == (
        "self_test",
        "core 0: the same answer to different inputs",
    )


@pytest.mark.parametrize("soc", ["rk3588", "rk3568"])
def test_an_npu_that_does_not_agree_with_itself_is_found_at_load(
    control: Control, tree: Path, soc: str
) -> None:
    tree.write_bytes(f"rockchip,{soc}\0".encode())
    control(drift=1)
    npu = RknnNpu(config(target=soc, core_mask=0))
    with pytest.raises(NpuFault, match=r"answers otherwise than (core 0|the NPU) before") as caught:
        npu.load(file_of(control, platforms=(soc,)))
    assert caught.value.reason == "self_test"


def test_a_mask_that_is_refused_is_a_fault(control: Control) -> None:
    control(mask=-13)
    fault = refused_start(control)
    assert fault.reason == "self_test"
    assert "rknn_set_core_mask: RKNN_ERR_TARGET_PLATFORM_UNMATCH (-13)" in fault.detail


def test_a_soc_of_one_core_is_never_given_a_mask(control: Control, tree: Path) -> None:
    tree.write_bytes(b"radxa,rock3a\0rockchip,rk3568\0")
    control(mask=-13)
    npu = RknnNpu(config(target="rk3568", core_mask=0))
    npu.load(file_of(control, platforms=("rk3566", "rk3568"))).close()


# The machine.


def test_another_soc_than_the_board_file_s_is_a_fault(control: Control, tree: Path) -> None:
    tree.write_bytes(b"radxa,rock-3a\0rockchip,rk3568\0")
    with pytest.raises(NpuFault, match=r"this is a rk3568; npu\.target is 'rk3588'"):
        RknnNpu(config())
    assert RknnNpu(config(target="", core_mask=0)).target == "rk3568"
    tree.write_bytes(b"linux,dummy-virt\0")
    with pytest.raises(NpuFault, match="no Rockchip NPU that is known: none"):
        RknnNpu(config(target="", core_mask=0))


@pytest.mark.skipif(virtual.IS_REAL, reason="rknn-toolkit-lite2 is installed")
def test_a_missing_runtime_is_named() -> None:
    with pytest.raises(NpuFault, match="rknn-toolkit-lite2 on an arm64 board") as caught:
        RknnNpu(config())
    assert caught.value.reason == "no_runtime"


def test_nothing_is_imported_after_the_first_network(control: Control) -> None:
    npu = RknnNpu(config())
    npu.load(file_of(control)).close()
    before = set(sys.modules)
    session = npu.load(file_of(control))
    session.invoke()
    control(run=-1)
    fault_of(session)
    session.close()
    assert set(sys.modules) == before


# Each frame.


@pytest.mark.parametrize(
    ("words", "reason", "detail"),
    [
        ({"run": -1}, "invoke_failed", "rknn_run: RKNN_ERR_FAIL (-1)"),
        ({"run": -2}, "invoke_failed", "rknn_run: RKNN_ERR_TIMEOUT (-2)"),
        ({"run": -77}, "invoke_failed", "rknn_run: unknown code (-77)"),
        ({"set": -8}, "invoke_failed", "rknn_inputs_set: RKNN_ERR_INPUT_INVALID (-8)"),
        ({"get": -9}, "invoke_failed", "rknn_outputs_get: RKNN_ERR_OUTPUT_INVALID (-9)"),
        ({"release": -7}, "invoke_failed", "rknn_outputs_release: RKNN_ERR_CTX_INVALID (-7)"),
        ({"unwritten": 1}, "not_written", "box: no output was written"),
        ({"foreign": 1}, "not_written", "box: the library gave other memory than was asked for"),
    ],
)
def test_a_failed_step_is_a_fault_and_the_next_frame_is_right(
    control: Control, words: dict[str, int], reason: str, detail: str
) -> None:
    session = opened(control)
    right_again(session, 1)
    control(**words)
    for seed in (2, 3):
        show(session, seed)
        fault = fault_of(session)
        assert (fault.reason, fault.detail) == (reason, detail)
    control()
    right_again(session, 4)


def right_again(session: Session, seed: int, body: str = DETECTOR) -> None:
    x = show(session, seed)
    session.invoke()
    right(session, body, x)


def test_not_a_number_is_a_fault(control: Control) -> None:
    session = opened(control, FLOATS)
    right_again(session, 1, FLOATS)
    control(nan=1)
    show(session, 2)
    fault = fault_of(session)
    assert (fault.reason, fault.detail) == ("not_finite", "points: NaN or infinite values")
    control()
    right_again(session, 2, FLOATS)


@pytest.mark.parametrize("body", [DETECTOR, SKELETON, FLOATS], ids=["bytes", "numbers", "floats"])
def test_an_npu_that_repeats_itself_is_found_in_the_same_frame(control: Control, body: str) -> None:
    session = opened(control, body)
    right_again(session, 1, body)
    control(repeats="*")
    for seed in (2, 3):
        show(session, seed)
        assert fault_of(session).reason == "stale_output"
    control()
    right_again(session, 4, body)


@pytest.mark.parametrize("repeats", ["y", "yy", "yyy", "yny"])
def test_a_run_that_fails_silently_once_is_made_good_or_a_fault(
    control: Control, repeats: str
) -> None:
    session = opened(control)
    right_again(session, 1)
    control(repeats=repeats)
    x = show(session, 2)
    if repeats == "y":
        session.invoke()
        right(session, DETECTOR, x)
    else:
        assert fault_of(session).reason == "stale_output"
    control()
    right_again(session, 3)


def test_a_silent_failure_after_an_error_is_found_too(control: Control) -> None:
    session = opened(control)
    right_again(session, 1)
    show(session, 2)
    control(run=-1)
    fault_of(session)
    control(repeats="*")
    assert fault_of(session).reason == "stale_output"


def test_a_picture_that_stands_still_may_have_the_same_answer(control: Control) -> None:
    session = opened(control)
    x = show(session, 1)
    for _ in range(3):
        session.invoke()
        right(session, DETECTOR, x)
        control(repeats="nyyyy")  # it is run once: there is nothing to prove


def test_another_picture_may_have_the_same_answer(control: Control) -> None:
    """A network whose outputs do not depend on all of its input is believed after the exam."""
    small = "in image 2 1 0 0.0078125 1 8 12 3\nout class 2 0 0 0.5 1 2 1 1\n"
    session = opened(control, small)
    x = show(session, 1)
    session.invoke()
    session.inputs[0][0, 7, 11, 2] ^= 0x7F
    x[-1] ^= 0x7F
    session.invoke()
    right(session, small, x)


def test_an_npu_that_answers_wrong_while_it_is_examined_is_a_fault(control: Control) -> None:
    session = opened(control)
    right_again(session, 1)
    control(repeats="y", off=5)
    show(session, 2)
    assert fault_of(session).reason == "wrong_output"


def test_a_hang_is_a_fault_in_time_and_passes(control: Control) -> None:
    session = opened(control, call_deadline_ms=400)
    assert isinstance(session, GuardedSession)
    right_again(session, 1)
    control(hang_ms=20_000)
    show(session, 2)
    began = time.monotonic()
    assert fault_of(session).reason == "hung"
    assert 0.35 < time.monotonic() - began < 1.0
    began = time.monotonic()
    assert [fault_of(session).reason for _ in range(10)] == ["hung"] * 10
    assert time.monotonic() - began < 0.3
    control()
    x = show(session, 3)
    deadline = time.monotonic() + 10
    while True:
        try:
            session.invoke()
            break
        except NpuFault:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    right(session, DETECTOR, x)
    session.close()


def test_a_closed_session_does_not_run(control: Control) -> None:
    session = opened(control)
    session.close()
    session.close()
    assert session.inputs == ()
    assert fault_of(session).reason == "closed"


@pytest.mark.skipif(not virtual.IS_REAL, reason="rknn-toolkit-lite2 is not installed")
def test_rknnlite_leaks_without_the_collector(control: Control) -> None:
    """Why a frame does not go through it; with the collector's slot in each frame it does not."""
    lite = importlib.import_module("rknnlite.api").RKNNLite()
    lite.load_rknn(file_of(control))
    lite.init_runtime()
    picture = np.zeros((1, 8, 12, 3), np.uint8)
    gc.collect()
    gc.disable()
    try:
        objects = len(gc.get_objects())
        for _ in range(100):
            lite.inference([picture])
        grown = len(gc.get_objects()) - objects
        gc.collect()
        left = len(gc.get_objects()) - objects
    finally:
        gc.enable()
    lite.release()
    print(f"RKNNLite.inference, 100 times: {grown:+} objects, after a collection {left:+}")
    assert grown > 100 > left


def test_memory_is_flat_without_the_collector(control: Control) -> None:
    """10,000 inferences where HAETAE_LONG=1 or on the real RKNNLite, fewer on its twin."""
    session = opened(control)
    stale = StaleCheck(session)
    rounds = 10_000 if LONG or virtual.IS_REAL else 1_000
    gc.collect()
    gc.disable()
    objects, pages = [], []
    try:
        for i in range(rounds):
            if i % (rounds // 10) == 0:
                objects.append(len(gc.get_objects()))
                pages.append(_resident_kb())
            _frame(session, stale, i)
    finally:
        gc.enable()
    print(f"{rounds} inferences: objects {objects[0]} to {objects[-1]}, resident {pages} kB")
    assert objects[-1] <= objects[1]
    assert pages[-1] - pages[3] <= 256  # what an emulator translates settles first


def _frame(session: Session, stale: StaleCheck, i: int) -> None:
    session.inputs[0].fill(i * 37 % 251 - 125)
    session.inputs[0].reshape(-1)[i % 288] = 5
    session.invoke()
    stale.check(i * 100.0)


def _resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024
