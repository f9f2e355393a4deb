"""A siren on a serial cable: real ports, a device of our own at the far end, faults of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

pytest.importorskip("minimalmodbus", reason="no Modbus library (extra: modbus)")

from drivers.clock import MonotonicClock
from drivers.faults import OutputFault
from drivers.interfaces import Checked, Output
from drivers.output import modbus, modbus_bus
from drivers.output.modbus import ModbusOutput
from drivers.output_config import OutputConfig
from runtime.outputs import Outputs
from tests.drivers.output.rtu_device import RtuDevice

CLOCK = MonotonicClock()
COIL_ON, COIL_OFF = 0xFF00, 0x0000
PATIENCE_S = 10.0


@pytest.fixture
def device():
    made = RtuDevice(1, 2)
    yield made
    if not made._ends:
        made.hang_up()


@pytest.fixture
def siren(device):
    """Makes outputs on the device's cable, and lets go of them."""
    made = []

    def make(**config) -> ModbusOutput:
        config = {
            "name": "siren",
            "role": "siren",
            "driver": "modbus",
            "port": device.path,
        } | config
        if "register" not in config:
            config.setdefault("coil", 0)
        times = {"answer_ms": 60, "fault_ms": 300, "repeat_ms": 150}
        made.append(ModbusOutput(OutputConfig(**(times | config)), CLOCK))
        return made[-1]

    yield make
    device.fault = ""
    for output in made:
        with suppress(OutputFault):
            output.release(0.0)
    assert modbus._buses == {}
    assert not [each for each in threading.enumerate() if each.name == "modbus"]


def until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def fault_of(output: ModbusOutput) -> str:
    try:
        output.check(CLOCK.now_ms())
    except OutputFault as fault:
        return fault.reason
    return ""


def test_it_is_an_output_that_can_be_checked(siren):
    made = siren()
    assert isinstance(made, Output) and isinstance(made, Checked)


def test_a_coil_goes_on_and_off(siren, device):
    made = siren(coil=7, unit=2)
    made.set(True, 0.0)
    until(lambda: device.coils.get((2, 7)) == COIL_ON, "the siren does not sound")
    made.set(False, 0.0)
    until(lambda: device.coils.get((2, 7)) == COIL_OFF, "the siren sounds on")
    assert fault_of(made) == "" and device.bad == 0


def test_a_register_takes_its_values(siren, device):
    made = siren(register=300, on_value=0x0102, off_value=9)
    made.set(True, 0.0)
    until(lambda: device.registers.get((1, 300)) == 0x0102, "the siren does not sound")
    made.set(False, 0.0)
    until(lambda: device.registers.get((1, 300)) == 9, "the siren sounds on")


def test_nothing_is_written_before_the_first_level(siren, device):
    siren()
    time.sleep(0.3)
    assert device.writes == []


def test_a_level_is_repeated_so_that_a_siren_with_a_time_out_stays_on(siren, device):
    made = siren()
    made.set(True, 0.0)
    until(lambda: len(device.writes) >= 4, "the level is written once only")
    assert set(device.writes) == {(1, 5, 0, COIL_ON)}
    assert fault_of(made) == ""


def test_setting_never_waits_for_the_cable(siren, device):
    device.fault = "silent"
    made = siren(answer_ms=1000, fault_ms=2000)
    slowest_s = 0.0
    for count in range(100):
        began = time.monotonic()
        made.set(bool(count % 2), 0.0)
        made.check(CLOCK.now_ms())
        slowest_s = max(slowest_s, time.monotonic() - began)
    assert slowest_s < 0.5, "a request takes a second"


def test_the_newest_wish_wins(siren, device):
    made = siren(repeat_ms=60_000)
    for level in (True, False, True, False, True):
        made.set(level, 0.0)
    until(lambda: device.coils.get((1, 0)) == COIL_ON, "the last wish is not written")
    time.sleep(0.2)
    assert device.writes[-1] == (1, 5, 0, COIL_ON) and len(device.writes) <= 5


FAULTS = [
    ("silent", "no_answer"),
    ("busy", "refused"),
    ("bad_crc", "bad_answer"),
    ("other_echo", "bad_answer"),
    ("half", "bad_answer"),
]


@pytest.mark.parametrize(("planted", "reason"), FAULTS)
def test_a_device_that_does_not_confirm_is_a_fault_until_it_does(siren, device, planted, reason):
    made = siren()
    made.set(True, 0.0)
    until(lambda: bool(device.writes), "the siren does not sound")
    device.fault = planted
    until(lambda: fault_of(made) == reason, f"the fault is {fault_of(made)!r}, not {reason!r}")
    device.fault = ""
    until(lambda: fault_of(made) == "", "the fault stays")


def test_one_lost_answer_is_no_fault(siren, device):
    device.fault = "silent"
    made = siren(fault_ms=5000)
    made.set(True, 0.0)
    time.sleep(0.25)
    device.fault = ""
    until(lambda: device.coils.get((1, 0)) == COIL_ON, "it is not tried again")
    assert fault_of(made) == ""


def test_an_adapter_that_was_pulled_is_a_fault(siren, device):
    made = siren()
    made.set(True, 0.0)
    until(lambda: bool(device.writes), "the siren does not sound")
    device.hang_up()
    until(lambda: fault_of(made) == "port_gone", f"the fault is {fault_of(made)!r}")


def test_a_port_that_comes_later_is_found(siren, device, tmp_path):
    """By its stable name: udev makes the link when the adapter is plugged in."""
    stable = tmp_path / "by-path"
    made = siren(port=str(stable))
    made.set(True, 0.0)
    until(lambda: fault_of(made) == "port_gone", "nobody misses the port")
    stable.symlink_to(device.path)
    until(lambda: device.coils.get((1, 0)) == COIL_ON, "the port is not opened")
    until(lambda: fault_of(made) == "", "the answer is not heard")


def test_a_port_that_does_not_return_is_a_fault_and_the_loop_goes_on(siren, device, monkeypatch):
    hangs, goes_on = threading.Event(), threading.Event()

    def hung(*_: object) -> None:
        hangs.set()
        goes_on.wait(PATIENCE_S)

    made = siren()
    monkeypatch.setattr(modbus_bus.minimalmodbus.Instrument, "write_bit", lambda *_, **__: hung())
    made.set(True, 0.0)
    assert hangs.wait(PATIENCE_S)
    until(lambda: fault_of(made) == "hung", "nobody notices")
    goes_on.set()


def test_outputs_on_one_cable_share_it_and_a_dead_one_does_not_silence_the_other(siren, device):
    dead, well = siren(name="dead", unit=9), siren(name="well", coil=3)
    dead.set(True, 0.0)
    well.set(True, 0.0)
    assert len(modbus._buses) == 1
    until(lambda: device.coils.get((1, 3)) == COIL_ON, "the other one is not reached")
    until(lambda: fault_of(dead) == "no_answer", "nobody misses the dead one")
    writes = len(device.writes)
    until(lambda: len(device.writes) > writes + 3, "the other one is not repeated")
    assert fault_of(well) == ""


def test_release_writes_the_stated_level_and_frees_the_port(siren, device):
    made = siren(role="strobe", on_release="on")
    made.set(False, 0.0)
    made.release(0.0)
    made.release(0.0)
    assert device.coils[1, 0] == COIL_ON
    with pytest.raises(OutputFault, match="released"):
        made.set(False, 0.0)
    again = siren()
    again.set(True, 0.0)
    until(lambda: fault_of(again) == "" and device.writes[-1][3] == COIL_ON, "the port is held")


def test_a_release_that_nobody_confirms_is_told_within_its_time(siren, device):
    made = siren()
    made.set(True, 0.0)
    until(lambda: bool(device.writes), "the siren does not sound")
    device.fault = "silent"
    began = time.monotonic()
    with pytest.raises(OutputFault, match="not_released"):
        made.release(0.0)
    assert time.monotonic() - began < 4.0


def test_what_a_check_finds_is_shown(siren, device):
    outputs = Outputs([("siren", siren())])
    assert outputs.drive("siren", True, CLOCK.now_ms())
    device.fault = "silent"

    def reason() -> str:
        outputs.beat(CLOCK.now_ms())
        return outputs.reason

    until(lambda: reason() == "no_answer", "the fault is not shown")
    device.fault = ""
    until(lambda: reason() == "", "the fault stays")
