"""GPIO outputs on a stand-in of a chip: no glitch, polarity, read-back, release, every refusal."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

gpiod = pytest.importorskip("gpiod")

from gpiod.line import Direction, Drive, Value  # noqa: E402

from drivers.clock import MonotonicClock, VirtualClock  # noqa: E402
from drivers.dead_man import ProcessDeadMan  # noqa: E402
from drivers.faults import OutputFault  # noqa: E402
from drivers.interfaces import Checked, Output  # noqa: E402
from drivers.operator_config import DeadManConfig  # noqa: E402
from drivers.output import gpio  # noqa: E402
from drivers.output_config import OutputConfig  # noqa: E402
from runtime.outputs import Outputs  # noqa: E402
from tests.drivers.output.chip import NAMES, Chip, FileGpioOutput  # noqa: E402

RELAY, CONTACT = NAMES["RELAY"], NAMES["CONTACT"]


@pytest.fixture
def chip(monkeypatch) -> Chip:
    chip = Chip()
    monkeypatch.setattr(gpio.gpiod, "request_lines", chip.request)
    return chip


def relay(**config) -> gpio.GpioOutput:
    config = {"name": "relay", "role": "fault", "driver": "gpio", "line": "RELAY", **config}
    return gpio.GpioOutput(OutputConfig(**config), VirtualClock())


def test_it_is_an_output_that_can_be_checked(chip):
    made = relay()
    assert isinstance(made, Output) and isinstance(made, Checked)


@pytest.mark.parametrize("line", ["RELAY", "4"])
def test_a_line_has_a_name_or_a_number(chip, line):
    relay(line=line).set(True, 0.0)
    assert chip.levels[RELAY]


@pytest.mark.parametrize("active_low", [False, True])
@pytest.mark.parametrize("on_release", ["off", "on"])
def test_taking_over_a_line_that_has_its_level_makes_no_edge(chip, active_low, on_release):
    """A normally energised relay must not drop for the time of a request."""
    chip.levels[RELAY] = (on_release == "on") is not active_low
    made = relay(role="strobe", on_release=on_release, active_low=active_low)
    assert chip.edges == []
    assert made.level == (on_release == "on")


def test_the_safe_level_is_in_the_request_itself(chip):
    relay(role="strobe", on_release="on", drive="open_drain")
    settings = chip.held[RELAY]
    assert settings.output_value is Value.ACTIVE
    assert settings.direction is Direction.OUTPUT and settings.drive is Drive.OPEN_DRAIN


def test_on_at_an_active_low_line_is_ground(chip):
    made = relay(active_low=True)
    assert chip.levels[RELAY]
    made.set(True, 0.0)
    assert not chip.levels[RELAY] and made.level


@pytest.mark.parametrize("on_release", ["off", "on"])
def test_release_drives_the_stated_level_then_lets_go_once(chip, on_release):
    chip.reverts_to = None
    made = relay(role="strobe", on_release=on_release)
    made.set(on_release == "off", 0.0)
    made.release(0.0)
    made.release(0.0)
    assert chip.levels[RELAY] == (on_release == "on")
    assert chip.held == {}
    with pytest.raises(OutputFault, match="released"):
        made.set(True, 0.0)
    made.check(0.0)


def test_a_line_that_cannot_be_driven_is_let_go_of_all_the_same(chip):
    made = relay()
    made.set(True, 0.0)
    chip.fails.add("set")
    with pytest.raises(OutputFault, match="cannot_drive"):
        made.release(0.0)
    assert chip.held == {} and not chip.levels[RELAY]


@pytest.mark.parametrize(("level", "stuck"), [(True, False), (False, True)])
def test_a_pin_that_does_not_take_the_level_is_a_fault(chip, level, stuck):
    made = relay()
    chip.stuck[RELAY] = stuck
    with pytest.raises(OutputFault, match="differs"):
        made.set(level, 0.0)
    del chip.stuck[RELAY]
    made.set(level, 0.0)


def test_a_chip_that_cannot_read_outputs_is_not_asked(chip):
    made = relay(read_back=False)
    chip.fails.add("get")
    made.set(True, 0.0)
    made.check(0.0)


def test_a_pin_that_cannot_be_read_is_a_fault(chip):
    made = relay()
    chip.fails.add("get")
    with pytest.raises(OutputFault, match="cannot_read"):
        made.set(True, 0.0)


def test_a_contact_may_take_its_time(chip):
    made = relay(readback_line="CONTACT", readback_ms=50)
    assert chip.held[CONTACT].direction is Direction.INPUT
    chip.contacts[CONTACT] = (RELAY, 0.005)
    made.set(True, 0.0)


def test_a_contact_that_does_not_follow_is_a_fault_within_its_time(chip):
    made = relay(readback_line="CONTACT", readback_ms=30)
    chip.stuck[CONTACT] = False
    began = time.monotonic()
    with pytest.raises(OutputFault, match="no_feedback"):
        made.set(True, 0.0)
    assert 0.03 <= time.monotonic() - began < 0.3
    made.set(False, 0.0)


def test_a_contact_at_ground_may_mean_on(chip):
    made = relay(readback_line="CONTACT", readback_active_low=True, readback_ms=0)
    chip.stuck[CONTACT] = False
    made.set(True, 0.0)
    with pytest.raises(OutputFault, match="no_feedback"):
        made.set(False, 0.0)


def test_a_relay_that_falls_between_edges_is_found_and_a_bounce_is_not(chip):
    made = relay(readback_line="CONTACT", readback_ms=20)
    chip.contacts[CONTACT] = (RELAY, 0.0)
    made.set(True, 0.0)
    made.check(10.0)
    chip.stuck[CONTACT] = False
    made.check(20.0)
    made.check(30.0)
    del chip.stuck[CONTACT]
    made.check(40.0)
    chip.stuck[CONTACT] = False
    made.check(50.0)
    with pytest.raises(OutputFault, match="no_feedback"):
        made.check(70.0)


def test_a_level_that_was_lost_is_driven_again(chip):
    made = relay(readback_ms=0)
    made.set(True, 0.0)
    chip.drive(RELAY, False)
    with pytest.raises(OutputFault, match="differs"):
        made.check(10.0)
    assert chip.levels[RELAY]
    made.check(20.0)


def test_what_a_check_finds_is_shown_and_goes_away(chip):
    siren = relay(name="siren", role="siren", readback_ms=0)
    outputs = Outputs([("siren", siren)])
    assert outputs.drive("siren", True, 0.0)
    outputs.beat(10.0)
    assert outputs.reason == ""
    chip.stuck[RELAY] = False
    outputs.beat(20.0)
    assert outputs.reason == "differs"
    chip.stuck.clear()
    outputs.beat(30.0)
    assert outputs.reason == ""


REFUSALS = [
    ({"chip": "/dev/gpiochip7"}, "missing.*no such chip"),
    ({"line": "NOBODY"}, "missing.*NOBODY.*no line of that name"),
    ({"line": "99"}, "cannot_request.*line offset"),
    ({"line": "3"}, "in_use.*line 3"),
    ({"readback_line": "SIREN"}, "in_use"),
]


@pytest.mark.parametrize(("config", "expected"), REFUSALS, ids=str)
def test_a_line_that_cannot_be_had_is_a_fault(chip, config, expected):
    relay(name="siren", role="siren", line="SIREN")
    with pytest.raises(OutputFault, match=expected):
        relay(**config)
    assert set(chip.held) == {NAMES["SIREN"]}


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EACCES, "no_access"), (errno.EINVAL, "cannot_request")]
)
def test_the_kernel_may_refuse_in_other_ways(monkeypatch, number, reason):
    def refuses(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(gpio.gpiod, "request_lines", refuses)
    with pytest.raises(OutputFault, match=f"{reason}: relay: /dev/gpiochip0 line RELAY"):
        relay()


def test_libgpiod_knows_all_that_is_asked_for():
    """The real library builds the real request; only the chip is not there."""
    config = {"drive": "open_source", "active_low": True, "readback_line": "CONTACT"}
    with pytest.raises(OutputFault, match="missing"):
        relay(chip="/dev/gpiochip_of_nobody", **config)


@pytest.fixture
def guarded(tmp_path: Path):
    """The driver in the small process that holds the fault relay."""
    dead_man = ProcessDeadMan(DeadManConfig(driver="process", silent_ms=300), MonotonicClock())
    config = OutputConfig(
        name="relay", role="fault", driver="gpio", line="RELAY", chip=str(tmp_path / "chip")
    )
    yield dead_man, dead_man.guard(config, FileGpioOutput, MonotonicClock()), tmp_path
    dead_man.close()


def test_a_dead_man_holds_it_and_lets_it_fall(guarded):
    _, output, folder = guarded
    output.set(True, 0.0)
    assert (folder / "chip").read_text() == "1"
    end = time.monotonic() + 3
    while (folder / "chip").read_text() != "0":
        assert time.monotonic() < end, "the loop is silent, and the relay stays up"
        time.sleep(0.01)


def test_a_dead_man_tells_of_a_relay_that_fell_and_releases_it(guarded):
    dead_man, output, folder = guarded
    output.set(True, 0.0)
    (folder / "stuck").touch()
    with pytest.raises(OutputFault, match="differs"):
        beat_for(dead_man, 3000)
    (folder / "stuck").unlink()
    output.release(0.0)
    time.sleep(0.5)
    output.release(0.0)
    assert (folder / "chip").read_text() == "0"


def beat_for(dead_man: ProcessDeadMan, ms: int) -> None:
    for now_ms in range(0, ms, 100):
        dead_man.beat(float(now_ms))
        time.sleep(0.02)
