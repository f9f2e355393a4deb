"""When outputs that repeat are a fault, and when they are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drivers.faults import NpuFault
from drivers.npu.stale import StaleCheck

Change = Callable[["Still", int], None]


class Still:
    """A session whose tensors the test writes."""

    def __init__(self, dtype: type = np.uint8) -> None:
        self.inputs = [np.full((1, 64, 96, 3), 60, dtype)]
        self.outputs = [np.zeros((1, 8, 12, 4), np.int8), np.zeros((1, 8, 12, 1), np.int8)]

    def invoke(self) -> None: ...

    def close(self) -> None: ...


def _another_picture(session: Still, step: int) -> None:
    session.inputs[0][:] = (20 + 40 * (step % 3)) % 256


def _noise(session: Still, step: int) -> None:
    rng = np.random.default_rng(step)
    session.inputs[0][:] = 60 + rng.integers(-6, 7, session.inputs[0].shape)


def _one_pixel(session: Still, step: int) -> None:
    session.inputs[0][0, 5, 5] = (step * 70) % 256


def _nothing(session: Still, step: int) -> None:
    pass


def _one_change_then_still(session: Still, step: int) -> None:
    session.inputs[0][:] = 60 if step == 0 else 200


def _slow_pan(session: Still, step: int) -> None:
    session.inputs[0][:] = 60 + 3 * step


def _fault_at(session: Still, change: Change, period_ms: float, steps: int) -> float | None:
    """Time of the first fault when the outputs never change, ms; None when there is none."""
    check = StaleCheck(session)
    for step in range(steps):
        change(session, step)
        try:
            check.check(step * period_ms)
        except NpuFault:
            return step * period_ms
    return None


@pytest.mark.parametrize(
    ("change", "period_ms", "is_fault"),
    [
        (_another_picture, 100, True),
        (_another_picture, 33, True),
        (_another_picture, 200, True),
        (_slow_pan, 100, True),
        (_noise, 100, False),
        (_one_pixel, 100, False),
        (_nothing, 100, False),
        (_one_change_then_still, 100, False),
    ],
)
def test_outputs_that_never_change(change: Change, period_ms: float, is_fault: bool) -> None:
    found_ms = _fault_at(Still(), change, period_ms, 40)
    assert (found_ms is not None) == is_fault
    if found_ms is not None:
        assert 300 <= found_ms <= 1000


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_outputs_that_change_are_never_a_fault(dtype: type) -> None:
    session = Still(dtype)
    check = StaleCheck(session)
    for step in range(60):
        session.inputs[0][:] = (step * 40) % 100
        session.outputs[1][0, 0, 0, 0] = step % 100
        check.check(step * 100)


def test_two_repeats_in_a_row_are_not_enough() -> None:
    session = Still()
    check = StaleCheck(session)
    for step in range(60):
        _another_picture(session, step)
        session.outputs[0][0, 0, 0, 0] = step // 3
        check.check(step * 500)


def test_it_goes_on_until_the_outputs_change() -> None:
    session = Still()
    check = StaleCheck(session)
    faults = []
    for step in range(20):
        _another_picture(session, step)
        if step >= 15:
            session.outputs[0][0, 0, 0, 0] = step
        try:
            check.check(step * 100)
        except NpuFault:
            faults.append(step)
    assert len(faults) >= 6
    assert max(faults) == 14


def test_the_fault_says_how_long() -> None:
    session = Still()
    check = StaleCheck(session, hold_ms=0, repeats=1)
    check.check(0)
    check.check(0)
    _another_picture(session, 2)
    with pytest.raises(NpuFault, match="same outputs for 1 new pictures") as fault:
        check.check(100)
    assert fault.value.reason == "stale_output"


def test_int8_pictures_around_mid_grey_are_not_a_material_change() -> None:
    session = Still(np.int8)

    def flicker(session: Still, step: int) -> None:
        session.inputs[0][:] = -3 if step % 2 else 3

    assert _fault_at(session, flicker, 100, 40) is None
