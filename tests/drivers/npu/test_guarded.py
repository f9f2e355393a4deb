"""One call at a time, a deadline, and a way back after a hang."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from drivers.clock import MonotonicClock
from drivers.faults import NpuFault
from drivers.npu.guarded import GuardedSession


class Slow:
    """A session that hangs while `gate` is closed, and counts calls that overlap."""

    def __init__(self) -> None:
        self.inputs = [np.zeros((1, 8, 8, 3), np.uint8)]
        self.outputs = [np.zeros((1, 1), np.int8)]
        self.gate = threading.Event()
        self.gate.set()
        self.inside = self.most = self.calls = 0
        self.error: Exception | None = None
        self.closed = threading.Event()

    def invoke(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.calls += 1
        self.gate.wait(5)
        self.outputs[0][:] = self.inputs[0][0, 0, 0, 0]
        self.inside -= 1
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def guarded(slow: Slow) -> GuardedSession:
    return GuardedSession(slow, 60, MonotonicClock())


def _reason(session: GuardedSession) -> str:
    with pytest.raises(NpuFault) as fault:
        session.invoke()
    return fault.value.reason


def _usable(session: GuardedSession) -> None:
    """Wait for an abandoned call to come back."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            return session.invoke()
        except NpuFault:
            time.sleep(0.01)
    raise AssertionError("never usable again")


def test_calls_run_in_order(guarded: GuardedSession) -> None:
    for value in range(50):
        guarded.inputs[0][:] = value
        guarded.invoke()
        assert guarded.outputs[0][0, 0] == value
    guarded.close()


def test_a_hang_is_a_fault_and_further_calls_fail_at_once(
    slow: Slow, guarded: GuardedSession
) -> None:
    slow.gate.clear()
    assert _reason(guarded) == "hung"
    started = time.monotonic()
    assert [_reason(guarded) for _ in range(20)] == ["hung"] * 20
    assert time.monotonic() - started < 0.05
    assert slow.calls == 1
    slow.gate.set()
    guarded.close()


def test_it_is_usable_again_and_never_answers_with_the_late_result(
    slow: Slow, guarded: GuardedSession
) -> None:
    for value in (3, 4, 5):
        slow.gate.clear()
        assert _reason(guarded) == "hung"
        slow.gate.set()
        guarded.inputs[0][:] = value
        _usable(guarded)
        assert guarded.outputs[0][0, 0] == value
    assert slow.most == 1
    guarded.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(NpuFault("core_lost"), "core_lost"), (RuntimeError("bad"), "invoke_failed")],
)
def test_the_session_s_own_errors_come_through(
    slow: Slow, guarded: GuardedSession, error: Exception, reason: str
) -> None:
    slow.error = error
    assert _reason(guarded) == reason
    slow.error = None
    guarded.invoke()
    guarded.close()


def test_closing_a_hung_session_frees_it_when_it_returns(
    slow: Slow, guarded: GuardedSession
) -> None:
    slow.gate.clear()
    assert _reason(guarded) == "hung"
    guarded.close()
    guarded.close()
    assert _reason(guarded) == "closed"
    assert not slow.closed.is_set()
    slow.gate.set()
    assert slow.closed.wait(5)


def test_the_stack_size_of_other_threads_is_left_alone(slow: Slow) -> None:
    before = threading.stack_size()
    GuardedSession(slow, 60, MonotonicClock()).close()
    assert threading.stack_size() == before
