"""`--loop-back FILE`: which input line reads which output's contact, on a bench with wires.

format = 1
[[pins]]
output = "siren"              # of the board file
chip = "/dev/gpiochip0"
line = "22"                   # number or name; wired to the output's contact
active_low = false            # true: the line is at ground while the output is on
bias = "pull_down"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from drivers.board import Board
from drivers.operator_config import InputConfig, Name
from drivers.toml_strict import Check, Complaint, load_strict


class Pin(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[pins]]`: one wire; the other keys are those of `[[inputs]]` of a board file."""

    output: Name
    driver: Name = "gpio"
    chip: str = "/dev/gpiochip0"
    line: Name
    active_low: bool = False
    bias: Literal["as_is", "pull_up", "pull_down", "disabled"] = "pull_down"


class LoopBack(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    format: Literal[1]
    pins: Annotated[list[Pin], Meta(min_length=1)]


def load_loops(path: str, board: Board) -> dict[str, InputConfig]:
    """Output -> the input that reads it. Raises ConfigErrors: all mistakes."""
    names = [output.name for output in board.outputs]

    def known(outputs: dict[str, str]) -> Iterator[Complaint]:
        for key, name in outputs.items():
            if name not in names:
                yield key, name, f"must be an output of the board file: {', '.join(names)}"
            elif list(outputs.values()).count(name) > 1:
                yield key, name, "must be named once"

    found = load_strict(path, LoopBack, (Check(("pins[].output",), known),))
    return {pin.output: _input(pin) for pin in found.pins}


def _input(pin: Pin) -> InputConfig:
    return InputConfig(
        name=f"loop-back of {pin.output}", role="self_test", driver=pin.driver, chip=pin.chip,
        line=pin.line, active_low=pin.active_low, bias=pin.bias, debounce_ms=0,
    )  # fmt: skip
