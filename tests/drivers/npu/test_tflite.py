"""The TFLite back end on both runtimes: fixed tensors, refusals, faults, no leaks."""

from __future__ import annotations

import gc
import importlib
import os
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from drivers.board import NpuConfig
from drivers.faults import ModelRefused, NpuFault
from drivers.npu.guarded import GuardedSession
from drivers.npu.tflite import TfliteNpu, TfliteSession
from tests.models import tiny_tflite

RUNTIMES = tuple(tiny_tflite.RUNTIMES)


@pytest.fixture(scope="module")
def tiny() -> bytes:
    return tiny_tflite.build()


@pytest.fixture
def tiny_file(tiny: bytes, tmp_path: Path) -> str:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny)
    return str(file)


@pytest.fixture(params=RUNTIMES)
def npu(request: pytest.FixtureRequest) -> TfliteNpu:
    return tiny_tflite.npu(request.param)


def test_tensors_are_described(npu: TfliteNpu, tiny_file: str) -> None:
    session = npu.load(tiny_file)
    assert [array.shape for array in session.inputs] == [tiny_tflite.INPUT]
    assert session.inputs[0].dtype == np.int8
    assert [array.shape for array in session.outputs][:2] == [(1, 8, 12, 4), (1, 8, 12, 1)]
    box = session.output_details[0]
    assert (box.name, box.dtype, box.zero_point) == ("box8", "int8", tiny_tflite.BOX_ZERO)
    assert box.scale == pytest.approx(tiny_tflite.BOX_SCALE)


def test_writing_the_input_changes_the_output_in_place(npu: TfliteNpu, tiny_file: str) -> None:
    session = npu.load(tiny_file)
    rng = np.random.default_rng(1)
    seen = set()
    before = [array.__array_interface__["data"][0] for array in session.outputs]
    for _ in range(5):
        session.inputs[0][:] = rng.integers(-128, 128, tiny_tflite.INPUT)
        session.invoke()
        seen.add(session.outputs[0].tobytes())
    assert len(seen) == 5
    assert [array.__array_interface__["data"][0] for array in session.outputs] == before


def test_both_runtimes_agree_within_a_few_steps(tiny_file: str) -> None:
    sessions = [tiny_tflite.npu(runtime).load(tiny_file) for runtime in RUNTIMES]
    picture = np.random.default_rng(2).integers(-128, 128, tiny_tflite.INPUT)
    for session in sessions:
        session.inputs[0][:] = picture
        session.invoke()
    for one, other in zip(sessions[0].outputs, sessions[1].outputs, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 2


def test_two_thousand_invokes_leave_no_object_behind(npu: TfliteNpu, tiny_file: str) -> None:
    session = npu.load(tiny_file)
    session.invoke()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(2000):
            session.invoke()
        grown = len(gc.get_objects()) - before
    finally:
        gc.enable()
    assert grown <= 0


def test_closing_frees_the_network_without_the_collector(npu: TfliteNpu, tiny_file: str) -> None:
    session = npu.load(tiny_file)
    assert isinstance(session, TfliteSession)
    network = weakref.ref(session._interpreter)
    gc.disable()
    try:
        session.close()
        assert network() is None
    finally:
        gc.enable()


def test_loading_writes_nothing_to_stderr(
    npu: TfliteNpu, tiny_file: str, capfd: pytest.CaptureFixture[str]
) -> None:
    npu.load(tiny_file)
    assert capfd.readouterr().err == ""


JUNK = {
    "empty": (b"", "0 bytes"),
    "text": (b"person\nbicycle\ncar\n" * 9, "not a TFLite file"),
    "identifier only": (b"\x1c\0\0\0TFL3" + bytes(40), "damaged"),
    "offset past the end": (b"\xff\xff\xff\x7fTFL3" + bytes(40), "outside the file"),
    "noise": (b"\x10\0\0\0TFL3" + np.random.default_rng(3).bytes(4000), "damaged"),
}


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_with_path_and_reason(npu: TfliteNpu, tmp_path: Path, name: str) -> None:
    content, reason = JUNK[name]
    file = tmp_path / "junk.tflite"
    file.write_bytes(content)
    with pytest.raises(ModelRefused, match=reason) as refused:
        npu.load(str(file))
    assert refused.value.path == str(file)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_a_truncated_model_is_refused(
    npu: TfliteNpu, tiny: bytes, tmp_path: Path, share: float
) -> None:
    file = tmp_path / "cut.tflite"
    file.write_bytes(tiny[: int(len(tiny) * share)])
    with pytest.raises(ModelRefused):
        npu.load(str(file))


def test_what_is_no_plain_file_is_refused(npu: TfliteNpu, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "missing.tflite", "No such file"),
        (tmp_path, "not a plain file"),
        (tmp_path / "pipe", "not a plain file"),
        ("nul\0byte", "not a path"),
    ):
        with pytest.raises(ModelRefused, match=reason):
            npu.load(str(path))


def test_an_operator_that_is_not_there_is_refused(npu: TfliteNpu, tmp_path: Path) -> None:
    file = tmp_path / "custom.tflite"
    file.write_bytes(tiny_tflite.build(custom_op="no-such-operator"))
    with pytest.raises(ModelRefused, match="no-such-operator"):
        npu.load(str(file))


@pytest.mark.data
@pytest.mark.parametrize(
    "path",
    [
        "models/coral/invalid_models/model_invoking_error.tflite",
        "models/person_detect_vww/person_detect.tflite",
    ],
)
def test_known_bad_models_are_refused(npu: TfliteNpu, shared_data: Path, path: str) -> None:
    with pytest.raises(ModelRefused, match="cannot run it"):
        npu.load(str(shared_data / path))


def test_a_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(NpuFault, match="ai-edge-litert") as fault:
        TfliteNpu(NpuConfig(driver="npu.tflite", runtime="litert"))
    assert fault.value.reason == "no_runtime"
    with pytest.raises(NpuFault, match="or tflite-runtime"):
        TfliteNpu(NpuConfig(driver="npu.tflite"))


@pytest.mark.parametrize(
    ("library", "reason"),
    [("/nonexistent/libvx.so", "libvx.so"), ("libm.so.6", "not a TFLite delegate")],
)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_broken_delegate_is_a_fault(
    tiny_file: str, runtime: str, library: str, reason: str
) -> None:
    tiny_tflite.npu(runtime)
    config = NpuConfig(driver="npu.tflite", runtime=runtime, delegate=library)
    with pytest.raises(NpuFault, match=reason) as fault:
        TfliteNpu(config).load(tiny_file)
    assert fault.value.reason == "delegate_failed"


def test_a_failing_invoke_is_a_fault(npu: TfliteNpu, tiny_file: str) -> None:
    class Failing:
        def invoke(self) -> None:
            raise RuntimeError("delegate returned an error\nand more")

    session = npu.load(tiny_file)
    assert isinstance(session, TfliteSession)
    session._interpreter = Failing()
    with pytest.raises(NpuFault, match=r"delegate returned an error$") as fault:
        session.invoke()
    assert fault.value.reason == "invoke_failed"


def test_a_closed_session_does_not_run(npu: TfliteNpu, tiny_file: str) -> None:
    session = npu.load(tiny_file)
    session.close()
    session.close()
    assert session.inputs == ()
    with pytest.raises(NpuFault, match="closed"):
        session.invoke()


def test_a_deadline_puts_the_session_on_a_thread(tiny_file: str) -> None:
    tiny_tflite.npu("litert")
    config = NpuConfig(driver="npu.tflite", runtime="litert", call_deadline_ms=5000)
    session = TfliteNpu(config).load(tiny_file)
    assert isinstance(session, GuardedSession)
    session.inputs[0][:] = 5
    session.invoke()
    assert session.output_details[0].name == "box8"
    session.close()


def test_a_delegate_that_does_not_start_is_a_fault_in_time(
    tiny_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for its device; the CPU alone would not."""
    go = threading.Event()
    monkeypatch.setattr(TfliteNpu, "_delegates", lambda self: go.wait(20) and [])
    hanging = {"delegate": "libslow.so", "call_deadline_ms": 300, "load_deadline_ms": 500}
    config = NpuConfig(driver="tflite", **hanging)
    with pytest.raises(NpuFault, match="hung: the NPU did not start within 500 ms"):
        TfliteNpu(config).load(tiny_file)
    go.set()
    for left in [one for one in threading.enumerate() if one.name == "npu load"]:
        left.join(20)
    TfliteNpu(config).load(tiny_file).close()
