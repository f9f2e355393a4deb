"""Buttons: one press is one command; a button that hangs is a fault, not a stream of commands."""

from __future__ import annotations

import pytest

from drivers.clock import VirtualClock
from drivers.faults import InputFault
from drivers.operator_config import InputConfig
from runtime.inputs import Button, Inputs
from sim.board.inputs import RecordedInput

CONFIG = InputConfig(
    name="ack", role="acknowledge", driver="recorded", debounce_ms=50, stuck_ms=10_000
)


class Bench:
    def __init__(self) -> None:
        self.device = RecordedInput(CONFIG, VirtualClock())
        self.button = Button(CONFIG, self.device)
        self.inputs = Inputs([self.button])
        self.t_ms = 0.0
        self.wait(200, steps=2)

    def wait(self, ms: float, steps: int = 1) -> int:
        """Presses seen over some time."""
        seen = 0
        for _ in range(steps):
            self.t_ms += ms / steps
            seen += len(self.inputs.poll(self.t_ms))
        return seen


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_press_counts_once_however_long_it_lasts(bench):
    bench.device.press()
    assert bench.wait(2000, steps=20) == 1
    bench.device.let_go()
    assert bench.wait(500, steps=5) == 0
    bench.device.press()
    assert bench.wait(100) == 1


def test_a_press_between_two_looks_is_seen(bench):
    bench.device.press()
    bench.device.let_go()
    assert bench.wait(100) == 1
    assert bench.wait(100) == 0


def test_a_bouncing_contact_is_one_press(bench):
    seen = 0
    for _ in range(5):
        bench.device.press()
        seen += bench.wait(5)
        bench.device.let_go()
        seen += bench.wait(5)
    assert seen == 1


def test_a_button_held_down_at_the_start_is_no_press():
    device = RecordedInput(CONFIG, VirtualClock())
    device.press()
    button = Button(CONFIG, device)
    assert not any(button.poll(t_ms) for t_ms in range(0, 5000, 100))
    device.let_go()
    assert not button.poll(5100)
    device.press()
    assert button.poll(5200)


def test_a_button_that_hangs_is_a_fault_until_it_is_released(bench):
    bench.device.press()
    assert bench.wait(9_900, steps=99) == 1
    assert bench.inputs.reason == ""
    assert bench.wait(10_000, steps=100) == 0, "no stream of commands"
    assert bench.inputs.reason == "button_stuck: ack"
    bench.device.let_go()
    bench.wait(100)
    assert bench.inputs.reason == ""


def test_a_button_that_cannot_be_read_is_a_fault_and_is_tried_again(bench, monkeypatch):
    def fails(now_ms):
        raise InputFault("cannot_read")

    with monkeypatch.context() as broken:
        broken.setattr(bench.device, "pressed", fails)
        bench.wait(100)
        assert bench.inputs.reason == "cannot_read"
    bench.wait(500)
    assert bench.inputs.reason == "cannot_read", "not asked again so soon"
    bench.wait(1000)
    assert bench.inputs.reason == ""
    bench.device.press()
    assert bench.wait(100) == 1


def test_a_button_that_is_not_there_is_a_fault_of_its_own():
    assert Inputs([], "cannot_request: ack").reason == "cannot_request: ack"
