"""docs/wiring.md: its board file is one, and cut and welded contacts are told as its table says."""

from __future__ import annotations

import math
import re

import pytest

from drivers.board import load_board
from drivers.clock import VirtualClock
from drivers.faults import OutputFault
from drivers.output import gpio
from drivers.output.gpio import GpioOutput
from runtime.outputs import Outputs
from tests.drivers.output.chip import LINES, Chip
from tests.drivers.test_devices_page import REST
from tests.places import REPOSITORY
from tests.typed import blocks

PAGE = (REPOSITORY / "docs" / "wiring.md").read_text()
CAMERA = '[camera]\ndriver = "stream"\n[npu]\ndriver = "tflite"\n[watchdog]\ndriver = "linux"\n'
RELAY, BREAK_CONTACT = 13 % LINES, 14 % LINES


@pytest.fixture
def board(tmp_path):
    file = tmp_path / "board.toml"
    file.write_text(REST + "\n".join(blocks(PAGE, "toml")) + CAMERA)
    return load_board(file)


@pytest.fixture
def chip(board, monkeypatch):
    """The circuit of the page: the break contact opens, and its line rises, when K1 is on."""
    made = Chip(board.outputs[1].chip, reverts_to=None)
    made.contacts[BREAK_CONTACT] = (RELAY, 0.0)

    def request(chip, consumer, config):
        return made.request(chip, consumer, {line % LINES: each for line, each in config.items()})

    monkeypatch.setattr(gpio.gpiod, "request_lines", request)
    monkeypatch.setattr(gpio, "chip_path", lambda name, _: name)
    return made


@pytest.fixture
def relay(board, chip):
    made = GpioOutput(board.outputs[1], VirtualClock())
    made._line, made._feedback = RELAY, BREAK_CONTACT
    return made


def test_the_page_is_a_board_file(board):
    assert [output.role for output in board.outputs] == ["siren", "fault"]
    assert board.outputs[1].readback_line and board.dead_man


def test_a_relay_that_moves_is_no_fault(relay):
    relay.set(True, 0.0)
    relay.set(False, 0.0)


def test_a_cut_coil_wire_is_told_when_it_should_be_on(relay, chip):
    chip.stuck[BREAK_CONTACT] = False
    with pytest.raises(OutputFault, match="no_feedback"):
        relay.set(True, 0.0)


@pytest.mark.parametrize("what", ["make contact welded", "read-back wire cut", "Q1 shorted"])
def test_one_that_does_not_drop_is_told_when_it_should(what, relay, chip):
    """In each case R5 holds the line of the break contact high."""
    chip.stuck[BREAK_CONTACT] = True
    relay.set(True, 0.0)
    with pytest.raises(OutputFault, match="no_feedback"):
        relay.set(False, 0.0)


def test_a_welded_contact_is_found_at_the_start(relay, chip):
    """The boot drives every output off before the first picture."""
    chip.stuck[BREAK_CONTACT] = True
    outputs = Outputs([("fault", relay)])
    assert not outputs.drive("fault", False, 0.0)
    assert outputs.reason == "no_feedback"


def test_the_drawing_is_whole():
    """Each part of the table is in it, and nothing is cut off at its edges."""
    drawing = (REPOSITORY / "docs" / "wiring.svg").read_text()
    named = re.findall(r"\b(?:R\d|[QDK]\d)\b", PAGE.partition("## Why")[2].partition("## What")[0])
    assert {"R1", "R2", "Q1", "D1", "K1"} <= set(named)
    assert {part for part in named if part not in drawing} == set()
    size = re.search(r'width="(\d+)" height="(\d+)"', drawing)
    numbers = [float(n) for points in re.findall(r'points="([^"]+)"', drawing)
               for n in re.split("[ ,]", points)]  # fmt: skip
    assert size and max(numbers[::2]) < float(size[1]) and max(numbers[1::2]) < float(size[2])
    assert min(numbers) > 0 and math.isfinite(max(numbers))
