"""Golden inputs tell a wrong network from another runtime, and junk is refused."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.faults import NpuFault
from drivers.interfaces import Session
from models.package import Package, find_package, load_package, shipped_packages
from models.signature import open_session
from ota import wire
from ota.golden import MAX_GOLDEN_BYTES, GoldenCheck, check_golden
from ota.golden_make import make_golden
from ota.refusal import Refused
from sim.board.students import make
from tests.models import tiny_tflite

NAMES = [path.name for path in shipped_packages()]
ROOM = 0.5
"""Between what another runtime uses of what is allowed, and all of it."""


class Fake:
    """A network of one input and two outputs that gives what it is told."""

    def __init__(self, answer: Callable[[np.ndarray], np.ndarray], dtype: Any = np.float32) -> None:
        self.inputs = [np.zeros((1, 4, 4, 3), np.uint8)]
        self.outputs = [np.zeros((1, 6), dtype), np.zeros((1, 2), np.int8)]
        self._answer = answer

    def invoke(self) -> None:
        self.outputs[0][:] = self._answer(self.inputs[0])
        self.outputs[1][:] = 3

    def close(self) -> None: ...


def right(picture: np.ndarray) -> np.ndarray:
    return picture.reshape(-1)[:6] / 255.0


def fake_golden(mean: float = 0.01, **changes: Any) -> bytes:
    """What `Fake(right)` answers to three pictures."""
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 256, (1, 4, 4, 3), np.uint8) for _ in range(3)]
    answers = np.stack([right(one) for one in pictures]).astype(np.float32)
    raw = {
        "format": 1,
        "inputs": [zlib.compress(one.tobytes()) for one in pictures],
        "outputs": [
            ["float32", zlib.compress(answers.tobytes())],
            ["int8", zlib.compress(b"\3" * 6)],
        ],
        "allowed": {"tflite": [mean, 1], "": [2 * mean, 1]},
    }
    return wire.pack(raw | changes)


def reason(data: bytes, session: Session, target: str = "tflite") -> str:
    try:
        check_golden(data, session, target)
    except Refused as refused:
        return refused.reason
    return ""


def opened(name: str | Path, runtime: str = "litert") -> tuple[Package, Session]:
    package = load_package(find_package(str(name)), "tflite")
    return package, open_session(package, tiny_tflite.npu(runtime))


@pytest.fixture(scope="module")
def goldens() -> dict[str, bytes]:
    """Of the shipped students, made with LiteRT."""
    found = {}
    for name in NAMES:
        package, session = opened(name)
        found[name] = make_golden(session, package.info, "tflite")
        session.close()
    return found


@pytest.mark.parametrize("runtime", tuple(tiny_tflite.RUNTIMES))
@pytest.mark.parametrize("name", NAMES)
def test_both_runtimes_answer_as_expected_with_room_to_spare(name, runtime, goldens):
    _, session = opened(name, runtime)
    assert check_golden(goldens[name], session, "tflite") < ROOM
    assert check_golden(goldens[name], session, "rk3588") < ROOM / 2 + 0.01
    session.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_is_small_and_always_the_same(name, goldens):
    package, session = opened(name)
    assert make_golden(session, package.info, "tflite") == goldens[name]
    assert len(goldens[name]) < 60_000
    session.close()


@pytest.mark.parametrize("runtime", tuple(tiny_tflite.RUNTIMES))
@pytest.mark.parametrize("kind", ["random", "blind", "everywhere"])
def test_a_wrong_network_fails_the_right_golden(kind, runtime, goldens, tmp_path):
    _, session = opened(make(kind, tmp_path), runtime)
    for target in ("tflite", "another"):
        assert reason(goldens["ppe_s"], session, target) == "golden"
    session.close()


class FirstAnswer:
    """A back end that runs once and then hands out that answer."""

    def __init__(self, session: Session) -> None:
        self.inputs, self.outputs, self._run = session.inputs, session.outputs, session.invoke

    def invoke(self) -> None:
        self._run()
        self._run = lambda: None

    def close(self) -> None: ...


@pytest.mark.parametrize("name", NAMES)
def test_old_answers_for_new_pictures_fail(name, goldens):
    _, session = opened(name)
    for target in ("tflite", "another"):
        assert reason(goldens[name], FirstAnswer(session), target) == "golden"
    session.close()


def test_a_harmless_change_passes_the_right_golden(goldens, tmp_path):
    _, session = opened(make("good", tmp_path))
    assert check_golden(goldens["ppe_s"], session, "tflite") < ROOM
    session.close()


def test_another_students_golden_is_refused(goldens):
    _, session = opened("ppe_s")
    assert reason(goldens["skeleton_s"], session) == "golden"
    assert reason(goldens["action_xs"], session) == "golden"
    session.close()


def test_the_right_answers_pass():
    assert check_golden(fake_golden(), Fake(right), "tflite") < 1e-6


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(wrong):
    def answer(picture: np.ndarray) -> np.ndarray:
        found = right(picture)
        found[2] = wrong
        return found

    assert reason(fake_golden(mean=255), Fake(answer)) == "golden"


def test_what_is_allowed_is_a_mean_over_all_pictures():
    def off_by(error: float) -> Fake:
        return Fake(lambda picture: right(picture) + error)

    assert check_golden(fake_golden(), off_by(0.009), "tflite") == pytest.approx(0.9, abs=0.01)
    assert reason(fake_golden(), off_by(0.011)) == "golden"
    assert reason(fake_golden(), off_by(0.019), "rk3588") == ""
    assert reason(fake_golden(), off_by(0.021), "rk3588") == "golden"


def test_a_network_that_fails_is_refused():
    def fail(_: np.ndarray) -> np.ndarray:
        raise NpuFault("invoke_failed", "as the test asks")

    assert reason(fake_golden(), Fake(fail)) == "golden"


def test_the_loop_can_go_on_between_two_pictures():
    check = GoldenCheck(fake_golden(), Fake(right), "tflite")
    assert [check.step(), check.step(), check.step()] == [False, False, True]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"format": 2}, "newer_format"),
        ({"format": "1"}, "malformed"),
        ({"inputs": []}, "malformed"),
        ({"inputs": [zlib.compress(bytes(48))] * 17}, "malformed"),
        ({"inputs": [zlib.compress(bytes(47))] * 3}, "golden"),
        ({"inputs": [zlib.compress(bytes(10**6))] * 3}, "golden"),
        ({"inputs": [b"junk"] * 3}, "malformed"),
        ({"outputs": []}, "golden"),
        ({"outputs": [["object", b""], ["int8", b""]]}, "malformed"),
        ({"outputs": [["int8", zlib.compress(bytes(72))]] * 2}, "golden"),
        ({"allowed": {}}, "golden"),
        ({"allowed": {"": [1]}}, "golden"),
        ({"allowed": {"": [float("nan"), 1]}}, "malformed"),
        ({"allowed": {"": [float("inf"), 1]}}, "malformed"),
        ({"allowed": {"": [0, 1]}}, "malformed"),
        ({"allowed": []}, "malformed"),
    ],
)
def test_a_golden_file_that_cannot_be_is_refused(changes: dict[str, Any], wanted: str):
    assert reason(fake_golden(**changes), Fake(right)) == wanted


def test_a_golden_file_that_is_too_long_is_refused():
    assert reason(bytes(MAX_GOLDEN_BYTES + 1), Fake(right)) == "too_long"


@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 7)), min_size=1, max_size=8))
def test_a_damaged_golden_file_never_crashes(flips: Sequence[tuple[int, int]]):
    data = bytearray(fake_golden())
    for at, bit in flips:
        data[at % len(data)] ^= 1 << bit
    assert reason(bytes(data), Fake(right)) in (
        "",
        "golden",
        "malformed",
        "newer_format",
        "too_deep",
    )


def test_the_check_imports_nothing_when_it_runs_and_brings_no_drawing():
    code = "import sys, ota.golden; print(*sys.modules)"
    asked = [sys.executable, "-c", code]
    loaded = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert not {"cv2", "ota.golden_make", "models.package"} & set(loaded)
    before = set(sys.modules)
    check_golden(fake_golden(), Fake(right), "tflite")
    assert set(sys.modules) == before


def test_a_network_that_never_moves_gets_no_golden():
    package, _ = opened("action_xs")
    _, session = opened("action_xs")
    still = Still(session)
    with pytest.raises(Refused) as refused:
        make_golden(still, package.info, "tflite")
    assert refused.value.reason == "golden"


class Still:
    """Always the same answer."""

    def __init__(self, session: Session) -> None:
        self.inputs, self.outputs = session.inputs, [np.zeros((1, 12), np.int8)]

    def invoke(self) -> None: ...

    def close(self) -> None: ...
