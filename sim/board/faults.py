"""The catalogue of faults: what can break on the virtual board, and what is broken now.

A device keeps the table of its own component and looks into it at each call, so a fault costs
nothing while there is none. What is not in the catalogue is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from drivers.board import Board
from sim.board.flash import TAILS

Options = dict[str, Any]
OUTPUT = "output"
"""Catalogue entry of every output; a fault names the output itself: siren, strobe, fault_relay."""


class Option(NamedTuple):
    """One option of a fault: the words or the range of numbers that it takes."""

    words: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    required: bool = False

    @property
    def allowed(self) -> str:
        """What it may be, for people."""
        if self.words:
            return "must be " + " or ".join(f'"{word}"' for word in self.words)
        return f"must be a whole number from {self.least} to {self.most}"

    def takes(self, value: object) -> bool:
        """Whether a value may stand here."""
        if self.words:
            return value in self.words
        return type(value) is int and self.least <= value <= self.most


class Kind(NamedTuple):
    """One type of fault.

    Attributes:
        text: what it is, for people.
        options: by name.
        is_moment: it happens and is over; it has no length.
    """

    text: str
    options: Mapping[str, Option] = MappingProxyType({})
    is_moment: bool = False


_TAIL = {"tail": Option(words=TAILS)}
_ALL = 1_000_000_000
CATALOGUE: dict[str, dict[str, Kind]] = {
    "camera": {
        "unplugged": Kind("the camera is gone, and cannot be opened"),
        "silent": Kind("the camera is there and gives no picture"),
        "frozen": Kind("the same picture again and again, with new numbers"),
        "covered": Kind("something lies over the lens: dark, with a little noise"),
        "garbage": Kind("pictures of noise"),
        "hidden": Kind(
            "a bag or tape over a part of the lens, from the left: flat, out of focus, of one grey",
            {"percent": Option((), 1, 100), "level": Option((), 0, 255)},
        ),
        "dim": Kind("the light goes down to so many percent", {"percent": Option((), 0, 99, True)}),
        "still": Kind("the same picture again and again, encoded anew each time"),
    },
    "npu": {
        "error": Kind("every inference fails"),
        "hang": Kind("an inference does not come back"),
        "stale": Kind("outputs of an old picture, as if they were new"),
        "slow": Kind("an inference takes longer", {"ms": Option((), 1, 60_000, True)}),
    },
    "thermal": {
        "hot": Kind("the board is as hot as that", {"celsius": Option((), 0, 150, True)}),
        "silent": Kind("the thermometers do not answer"),
    },
    "memory": {"refused": Kind("the kernel gives no memory")},
    "storage": {
        "full": Kind("no space is left"),
        "io": Kind("writes fail"),
        "read_only": Kind("the file system has gone read-only"),
        "torn_record": Kind("the newest record is damaged at the next start", {}, True),
    },
    OUTPUT: {"refused": Kind("the output does not take its level")},
    "watchdog": {"refused": Kind("the watchdog does not take the feed")},
    "power": {
        "cut": Kind(
            "the power goes; with at_operation: in the n-th write or sync of the flash from now on",
            {
                **_TAIL,
                "at_operation": Option((), 1, _ALL),
                "of": Option(words=("journal", "updates")),
            },
            True,
        ),
        "kill": Kind("the process is killed", {}, True),
    },
    "serial": {
        "noise": Kind("bytes are damaged", {"percent": Option((), 1, 100)}),
        "cut": Kind("the cable is out"),
        "slow": Kind("bytes come more slowly", {"percent": Option((), 1, 99, True)}),
    },
}
"""Component -> type -> what it is."""


class FaultRefused(Exception):
    """A fault that this board does not have; the message says which part, and what is allowed."""


class Faults:
    """What is broken now.

    Args:
        board: names the outputs.
    """

    def __init__(self, board: Board) -> None:
        self.outputs = tuple(output.name for output in board.outputs)
        names = [name for name in CATALOGUE if name != OUTPUT]
        self._active: dict[str, dict[str, Options]] = {name: {} for name in (*names, *self.outputs)}

    def of(self, component: str) -> dict[str, Options]:
        """The live table of a component: type -> options of what is broken in it now."""
        return self._active[component]

    def begin(self, component: str, type_: str, options: Options) -> None:
        """Break it; a second time changes the options."""
        self._active[component][type_] = options

    def end(self, component: str, type_: str) -> None:
        """Mend it."""
        self._active[component].pop(type_, None)


def kinds_of(component: str, outputs: tuple[str, ...]) -> dict[str, Kind]:
    """Types of a component by name; empty where there is no such component."""
    if component in outputs:
        return CATALOGUE[OUTPUT]
    return {} if component == OUTPUT else CATALOGUE.get(component, {})


def components(outputs: tuple[str, ...]) -> list[str]:
    """All that can break."""
    return [name for name in CATALOGUE if name != OUTPUT] + list(outputs)


def complaints(
    component: str, type_: str, options: Options, outputs: tuple[str, ...]
) -> Iterator[tuple[str, object, str]]:
    """All that is wrong with a fault that somebody asks for: (key, value, what is allowed)."""
    kinds = kinds_of(component, outputs)
    if not kinds:
        yield "component", component, f"must be one of {', '.join(components(outputs))}"
        return
    if type_ not in kinds:
        yield "type", type_, f"of {component} must be one of {', '.join(kinds)}"
        return
    known = kinds[type_].options
    for name, value in options.items():
        if name not in known:
            allowed = f"allowed are {', '.join(known)}" if known else "there are no options"
            yield f"options.{name}", value, f"unknown option of {component} {type_}; {allowed}"
        elif not known[name].takes(value):
            yield f"options.{name}", value, known[name].allowed
    for name, option in known.items():
        if option.required and name not in options:
            yield f"options.{name}", None, f"is missing; {option.allowed}"
