"""`[[outputs]]` of a board file: sirens, strobes and relays, and what each driver has to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct

from drivers.operator_config import InputConfig, Name
from drivers.toml_strict import Check, Complaint

_RELEASE_OFF = {
    "fault": "the fault relay is normally energised, so a crash shows only when it drops",
    "siren": "a crash must not sound a siren",
    "buzzer": "a crash must not sound a buzzer",
}
_BOOT_OFF = "a board that never starts must show as a fault; wire or bias the line the other way"
ONLY_OF = {
    "gpio": ("line", "active_low", "drive", "read_back", "readback_line", "readback_active_low"),
    "modbus": ("port", "coil", "register"),
}
"""Keys that say nothing to another driver of ours: there they are a mistake."""
OURS = (*ONLY_OF, "recorded")
"""Drivers of another package take of all keys what they like."""

Level = Literal["off", "on"]
Address = Annotated[int, Meta(ge=0, le=65_535)]


class OutputConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[outputs]]`: one siren, strobe or relay."""

    name: Name
    role: Literal["siren", "strobe", "fault", "buzzer"]
    """buzzer: a small sounder beside the operator, on a GPIO line, with patterns of its own."""
    driver: Name
    on_boot: Level = "off"
    """Level from power-on until the runtime takes the output over (pull resistor, SoC default)."""
    on_release: Level = "off"
    """Level after the runtime has let go of it, crash included."""
    chip: Name = "/dev/gpiochip0"
    """Of the driver gpio: the chip's label, such as "gpio3" (gpiodetect), or its device file."""
    line: str = ""
    """Of the driver gpio: the line's name or number."""
    active_low: bool = False
    """On pulls the line to ground."""
    drive: Literal["push_pull", "open_drain", "open_source"] = "push_pull"
    read_back: bool = True
    """Compare what the chip reads on the line; false where it cannot read an output."""
    readback_line: str = ""
    """Line of the same chip on a free contact of the relay, or on the siren's supply; "" = none."""
    readback_active_low: bool = False
    """That line is at ground while the output is on."""
    readback_ms: Annotated[int, Meta(ge=0, le=50)] = 20
    """The loop waits for that contact for at most this long at an edge."""
    port: str = ""
    """Of the driver modbus: "/dev/ttyUSB0"."""
    baud: Literal[1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200] = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    unit: Annotated[int, Meta(ge=1, le=247)] = 1
    """Modbus address of the siren."""
    coil: Address | None = None
    """Coil that sounds it, counted from 0; or else `register`."""
    register: Address | None = None
    """Holding register that takes `on_value` and `off_value`, counted from 0."""
    on_value: Address = 1
    off_value: Address = 0
    repeat_ms: Annotated[int, Meta(ge=100, le=60_000)] = 1000
    """The level is written again so often: a siren may fall silent by itself without it."""
    answer_ms: Annotated[int, Meta(ge=20, le=1000)] = 200
    """A siren that has not answered one request within this time is asked again."""
    fault_ms: Annotated[int, Meta(ge=100, le=10_000)] = 900
    """Not confirmed for this long is a fault."""


def _outputs(outputs: dict[str, OutputConfig]) -> Iterator[Complaint]:
    first: dict[str, str] = {}
    for key, output in outputs.items():
        if output.name in first:
            allowed = f"must be unique; {first[output.name]} has this name too"
            yield f"{key}.name", output.name, allowed
        first.setdefault(output.name, key)
        if output.on_release == "on" and output.role in _RELEASE_OFF:
            yield f"{key}.on_release", "on", f'must be "off": {_RELEASE_OFF[output.role]}'
        if output.on_boot == "on" and output.role == "fault":
            yield f"{key}.on_boot", "on", f'must be "off": {_BOOT_OFF}'


def _drivers(outputs: dict[str, OutputConfig]) -> Iterator[Complaint]:
    """What a driver needs is there, and what it does not know is not."""
    defaults = OutputConfig(name="-", role="siren", driver="-")
    for key, output in outputs.items():
        for driver, names in ONLY_OF.items() if output.driver in OURS else ():
            for name in names:
                value = getattr(output, name)
                if driver != output.driver and value != getattr(defaults, name):
                    allowed = f'must be left out: the driver is not "{driver}"'
                    yield f"{key}.{name}", value, allowed
        if output.driver == "modbus":
            yield from _modbus(key, output)


def _named(drivers: dict[str, str], lines: dict[str, str]) -> Iterator[Complaint]:
    """Apart from the rest of an output, so that a file with empty places is told all of them."""
    for at, line in lines.items():
        if not line and drivers[at.removesuffix("line") + "driver"] == "gpio":
            yield at, line, "must name the line, or say its number on the chip"


def _modbus(key: str, output: OutputConfig) -> Iterator[Complaint]:
    if not output.port.startswith("/"):
        yield f"{key}.port", output.port, "must be a serial port, such as /dev/ttyUSB0"
    if (output.coil is None) == (output.register is None):
        yield key, UNSET, "must have coil or register, one of them"
    if output.on_value == output.off_value:
        yield f"{key}.off_value", output.off_value, "must differ from on_value"
    if output.fault_ms < 2 * output.answer_ms:
        allowed = f"must be >= {2 * output.answer_ms}: one request may be lost and asked again"
        yield f"{key}.fault_ms", output.fault_ms, allowed


def _lines(outputs: dict[str, OutputConfig], inputs: dict[str, InputConfig]) -> Iterator[Complaint]:
    """A line has one holder: the kernel refuses a second one."""
    first: dict[tuple[str, str], str] = {}
    for at, chip, line in _held(outputs, inputs):
        if first.setdefault((chip, line), at) != at:
            yield at, line, f"must be another line: {first[chip, line]} holds this one of {chip}"


def _held(
    outputs: dict[str, OutputConfig], inputs: dict[str, InputConfig]
) -> Iterator[tuple[str, str, str]]:
    """Key, chip and line of all lines, those of inputs first."""
    for key, button in inputs.items():
        if button.driver == "gpio" and button.line:
            yield f"{key}.line", button.chip, button.line
    for key, output in outputs.items():
        if output.driver == "gpio" and output.line:
            yield f"{key}.line", output.chip, output.line
    for key, output in outputs.items():
        if output.driver == "gpio" and output.readback_line:
            yield f"{key}.readback_line", output.chip, output.readback_line


def _buses(outputs: dict[str, OutputConfig]) -> Iterator[Complaint]:
    """Outputs on one cable talk at one speed, and each has its own coil or register."""
    first: dict[str, str] = {}
    places: dict[tuple[object, ...], str] = {}
    for key, output in outputs.items():
        if output.driver != "modbus":
            continue
        other = first.setdefault(output.port, key)
        for name in ("baud", "parity", "stop_bits"):
            expected = getattr(outputs[other], name)
            if getattr(output, name) != expected:
                allowed = f"must be {expected!r}, as of {other} on the same port"
                yield f"{key}.{name}", getattr(output, name), allowed
        place = (output.port, output.unit, output.coil, output.register)
        if places.setdefault(place, key) != key:
            yield key, UNSET, f"must have another coil or register: {places[place]} has this one"


def _roles(roles_by_key: dict[str, str]) -> Iterator[Complaint]:
    roles = list(roles_by_key.values())
    if roles.count("fault") != 1:
        allowed = f'exactly one output must have role = "fault"; {roles.count("fault")} have it'
        yield "outputs", UNSET, allowed
    if "siren" not in roles:
        yield "outputs", UNSET, 'at least one output must have role = "siren"'


CHECKS = (
    Check(("outputs[].role",), _roles),
    Check(("outputs[]",), _outputs),
    Check(("outputs[].driver", "outputs[].line"), _named),
    Check(("outputs[]",), _drivers),
    Check(("outputs[]",), _buses),
    Check(("outputs[]", "inputs[]"), _lines),
)
