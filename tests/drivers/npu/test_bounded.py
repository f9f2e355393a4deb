"""What may never come back has a deadline, and what comes late is undone."""

from __future__ import annotations

import threading
import time

import pytest

from drivers.faults import ModelRefused, NpuFault
from drivers.npu.bounded import within


def nothing(_: object) -> None:
    raise AssertionError("nothing to undo")


def test_what_is_done_in_time_is_handed_over() -> None:
    assert within(10_000, lambda: 7, nothing) == 7


@pytest.mark.parametrize("error", [NpuFault("self_test", "core 1"), ModelRefused("x", "junk")])
def test_what_is_raised_is_raised_here(error: Exception) -> None:
    def fail() -> int:
        raise error

    with pytest.raises(type(error)) as caught:
        within(10_000, fail, nothing)
    assert caught.value is error


def test_what_comes_late_is_undone_on_its_thread() -> None:
    go, undone = threading.Event(), []
    done = threading.Event()

    def undo(value: int) -> None:
        undone.append((value, threading.current_thread().name))
        done.set()

    began = time.monotonic()
    with pytest.raises(NpuFault, match="hung: the NPU did not start within 100 ms"):
        within(100, lambda: go.wait(20) and 7, undo)
    assert 0.09 < time.monotonic() - began < 5 and not undone
    go.set()
    assert done.wait(10) and undone == [(7, "npu load")]


def test_what_fails_late_is_nobodys_business() -> None:
    go = threading.Event()

    def fail() -> int:
        go.wait(20)
        raise NpuFault("init_failed", "late")

    with pytest.raises(NpuFault, match="hung"):
        within(100, fail, nothing)
    (left,) = [one for one in threading.enumerate() if one.name == "npu load"]
    go.set()
    left.join(10)
    assert not left.is_alive()


def test_the_stack_size_of_others_stays() -> None:
    before = threading.stack_size()
    within(10_000, lambda: 1, nothing)
    assert threading.stack_size() == before
