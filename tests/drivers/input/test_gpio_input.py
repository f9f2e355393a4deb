"""The GPIO button against a stand-in of libgpiod: edges that came and went, polarity, refusals."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

gpiod = pytest.importorskip("gpiod")

from gpiod.line import Bias, Direction, Edge, Value  # noqa: E402

from drivers.clock import VirtualClock  # noqa: E402
from drivers.faults import InputFault  # noqa: E402
from drivers.input import gpio  # noqa: E402
from drivers.interfaces import Input  # noqa: E402
from drivers.operator_config import InputConfig  # noqa: E402


class StandIn:
    """What `gpiod.request_lines` gives, with edges that the test queues."""

    def __init__(self) -> None:
        self.asked: dict = {}
        self.edges: list[bool] = []
        self.level = Value.INACTIVE
        self.is_released = False

    def request(self, chip, consumer, config):
        self.asked = {"chip": chip, "consumer": consumer, "config": config}
        return self

    def get_value(self, line):
        return self.level

    def wait_edge_events(self, timeout):
        assert timeout == timedelta(0), "a look never waits"
        return bool(self.edges)

    def read_edge_events(self):
        kind = gpiod.EdgeEvent.Type
        found = [kind.RISING_EDGE if up else kind.FALLING_EDGE for up in self.edges]
        self.edges.clear()
        return [SimpleNamespace(event_type=each, Type=kind) for each in found]

    def release(self):
        self.is_released = True


@pytest.fixture
def line(monkeypatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(gpio.gpiod, "request_lines", stand_in.request)
    return stand_in


def button(**config) -> gpio.GpioInput:
    config = {"name": "ack", "role": "acknowledge", "driver": "gpio", "line": "17", **config}
    return gpio.GpioInput(InputConfig(**config), VirtualClock())


def test_the_line_is_asked_for_as_the_board_file_says(line):
    made = button(bias="pull_up", debounce_ms=30)
    assert isinstance(made, Input)
    ((number, settings),) = line.asked["config"].items()
    assert (line.asked["chip"], number) == ("/dev/gpiochip0", 17)
    assert settings.direction is Direction.INPUT and settings.edge_detection is Edge.BOTH
    assert settings.bias is Bias.PULL_UP and settings.active_low
    assert settings.debounce_period == timedelta(milliseconds=30)


def test_a_line_may_have_a_name(line):
    button(line="BUTTON_1")
    assert list(line.asked["config"]) == ["BUTTON_1"]


def test_a_press_is_seen_while_it_lasts(line):
    made = button()
    assert not made.pressed(0.0)
    line.edges = [True]
    assert made.pressed(10.0) and made.pressed(20.0)
    line.edges = [False]
    assert not made.pressed(30.0)


def test_a_press_that_came_and_went_is_seen_once(line):
    made = button()
    line.edges = [True, False]
    assert made.pressed(10.0)
    assert not made.pressed(20.0)


def test_one_that_is_held_at_the_start_is_pressed(line):
    line.level = Value.ACTIVE
    assert button().pressed(0.0)


@pytest.mark.parametrize("error", [OSError("busy"), ValueError("no such line")])
def test_a_line_that_cannot_be_had_is_a_fault(monkeypatch, error):
    def refuses(*_, **__):
        raise error

    monkeypatch.setattr(gpio.gpiod, "request_lines", refuses)
    with pytest.raises(InputFault, match="ack: /dev/gpiochip0 line 17"):
        button()


def test_one_that_cannot_be_read_is_a_fault(line, monkeypatch):
    def fails(_):
        raise OSError("gone")

    made = button()
    monkeypatch.setattr(line, "wait_edge_events", fails)
    with pytest.raises(InputFault, match="cannot_read"):
        made.pressed(0.0)


def test_it_lets_go_of_the_line_once(line):
    made = button()
    made.close()
    made.close()
    assert line.is_released
