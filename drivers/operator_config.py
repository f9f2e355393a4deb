"""Parts of a board file that an operator touches, and the dead man that needs none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from drivers.toml_strict import Check, Complaint

Name = Annotated[str, Meta(min_length=1)]
MAX_SOCKET_PATH = 107
"""Bytes that a Unix socket's path may have (Linux, unix(7))."""


class InputConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[inputs]]`: one push button."""

    name: Name
    role: Literal["acknowledge", "mute", "self_test"]
    """acknowledge: every alarm; mute: what sounds now; self_test: exercises the outputs."""
    driver: Name
    chip: Name = "/dev/gpiochip0"
    """Of the driver gpio: the chip's label, such as "gpio3" (gpiodetect), or its device file."""
    line: str = ""
    """Of the driver gpio: the line's name or number."""
    active_low: bool = True
    """Pressed pulls the line to ground."""
    bias: Literal["as_is", "pull_up", "pull_down", "disabled"] = "pull_up"
    debounce_ms: Annotated[int, Meta(ge=0, le=1000)] = 30
    """A press counts when the button was released for this long before it."""
    stuck_ms: Annotated[int, Meta(ge=1000, le=600_000)] = 30_000
    """Pressed for longer than this is a fault: it hangs, or something leans on it."""


class ControlConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[control]`: commands from programs on the camera itself, such as `haetae alarm`."""

    socket: str = ""
    """Path of a Unix datagram socket, made with mode 0660; "" = none."""


class DeadManConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[dead_man]`: lets the fault relay drop when the loop is silent, long before the watchdog."""

    driver: Name
    silent_ms: Annotated[int, Meta(ge=300, le=900)] = 800
    """The relay drops after this long without a sign of the loop: always within 1 s."""


def _inputs(inputs: dict[str, InputConfig]) -> Iterator[Complaint]:
    first: dict[str, str] = {}
    for key, config in inputs.items():
        if first.setdefault(config.name, key) != key:
            allowed = f"must be unique; {first[config.name]} has this name too"
            yield f"{key}.name", config.name, allowed
        if config.driver == "gpio" and not config.line:
            yield f"{key}.line", config.line, "must name the line, or say its number on the chip"


def _control(control: ControlConfig) -> Iterator[Complaint]:
    if len(control.socket.encode()) > MAX_SOCKET_PATH:
        yield "control.socket", control.socket, f"must be at most {MAX_SOCKET_PATH} bytes long"
    elif control.socket and not control.socket.startswith("/"):
        yield "control.socket", control.socket, "must be a path from the root, such as /run/..."


CHECKS = (Check(("inputs[]",), _inputs), Check(("control",), _control))
