"""Outputs in the board file: every mistake has its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors
from tests.places import REPOSITORY

SIM = (REPOSITORY / "board_configs" / "sim.toml").read_text()
HEAD, TAIL = SIM[: SIM.index("# Outputs.")], SIM[SIM.index("[storage]") :]
GPIO = 'driver = "gpio"\nline = '
BUS = 'driver = "modbus"\nport = "/dev/ttyUSB0"\ncoil = '


def mistakes(tmp_path: Path, siren: str, relay: str, more: str = "") -> list[str]:
    text = f'[[outputs]]\nname = "siren"\nrole = "siren"\n{siren}\n'
    text += f'[[outputs]]\nname = "relay"\nrole = "fault"\n{relay}\n{more}\n'
    path = tmp_path / "board.toml"
    path.write_text(HEAD + text + TAIL)
    try:
        load_board(path)
    except ConfigErrors as refused:
        return [str(mistake).removeprefix(f"{path}: ") for mistake in refused.mistakes]
    return []


BUTTON = '[[inputs]]\nname = "ack"\nrole = "acknowledge"\ndriver = "gpio"\nline = "4"\n'

GOOD = [
    (GPIO + '"SIREN"\nactive_low = true', GPIO + '"4"\nreadback_line = "5"', ""),
    (GPIO + '"4"\nchip = "/dev/gpiochip1"', GPIO + '"4"', ""),
    (BUS + "0\nbaud = 19200", GPIO + '"5"', BUTTON),
    (BUS + "0", BUS + "1", ""),
    (BUS + "0", BUS.replace("coil", "unit = 2\ncoil") + "0", ""),
]


@pytest.mark.parametrize(("siren", "relay", "more"), GOOD)
def test_a_good_one(tmp_path, siren, relay, more):
    assert mistakes(tmp_path, siren, relay, more) == []


BAD = [
    (GPIO + '"3"', 'driver = "gpio"', "", ["outputs[1].line = '': must name the line"]),
    (GPIO + '"3"', GPIO + '"3"', "", ["outputs[1].line = '3': must be another line: outputs[0]"]),
    (
        GPIO + '"3"',
        GPIO + '"4"',
        BUTTON,
        ["outputs[1].line = '4': must be another line: inputs[0].line holds this one of /dev/gpio"],
    ),
    (
        GPIO + '"3"\nreadback_line = "4"',
        GPIO + '"4"\nreadback_line = "4"',
        "",
        ["outputs[0].readback_line = '4': must be ano", "outputs[1].readback_line = '4': must be"],
    ),
    (
        'driver = "recorded"\nline = "3"\nactive_low = true',
        GPIO + '"4"\nport = "/dev/ttyUSB0"',
        "",
        [
            "outputs[0].line = '3': must be left out: the driver is not \"gpio\"",
            "outputs[0].active_low = true: must be left out",
            "outputs[1].port = '/dev/ttyUSB0': must be left out: the driver is not \"modbus\"",
        ],
    ),
    (GPIO + '"3"\ndrive = "pull"', GPIO + '"4"', "", ["outputs[0].drive = 'pull': must be"]),
    (GPIO + '"3"\nreadback_ms = 51', GPIO + '"4"', "", ["outputs[0].readback_ms = 51: must be"]),
    (
        'driver = "modbus"\nport = "ttyUSB0"',
        GPIO + '"4"',
        "",
        [
            "outputs[0].port = 'ttyUSB0': must be a serial port",
            "outputs[0]: must have coil or register, one of them",
        ],
    ),
    (
        BUS + "0\nregister = 1\non_value = 5\noff_value = 5\nanswer_ms = 500",
        GPIO + '"4"',
        "",
        [
            "outputs[0]: must have coil or register",
            "outputs[0].off_value = 5: must differ",
            "outputs[0].fault_ms = 900: must be >= 1000",
        ],
    ),
    (
        BUS + "0",
        BUS + '0\nbaud = 19200\nparity = "even"',
        "",
        [
            "outputs[1].baud = 19200: must be 9600, as of outputs[0] on the same port",
            "outputs[1].parity = 'even': must be 'none'",
            "outputs[1]: must have another coil or register: outputs[0] has this one",
        ],
    ),
    (BUS + "65536", GPIO + '"4"', "", ["outputs[0].coil = 65536: must be"]),
]


@pytest.mark.parametrize(("siren", "relay", "more", "expected"), BAD)
def test_a_bad_one(tmp_path, siren, relay, more, expected):
    found = mistakes(tmp_path, siren, relay, more)
    assert len(found) == len(expected), found
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)
