"""What a unit test says: a row per thing that was measured, and the report of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from drivers.board import Board
from drivers.interfaces import Clock
from drivers.operator_config import InputConfig
from runtime import plugins
from runtime.options import FindDriver

FORMAT: Final = 1
"""Of the report; keys are only ever added."""
Verdict = Literal["pass", "fail", "not tested"]


class Row(Struct, frozen=True, kw_only=True):
    """One thing that was measured.

    Attributes:
        item: stable name for scripts: "camera.rate", "output.siren".
        name: the same for people.
        verdict: how it is; "not tested" says why in `measured`.
        measured: what was found, with its unit.
        limit: what is allowed; "" where there is no number.
        value, unit: the measured number; None where it is not one.
        next: what to do where it failed.
    """

    item: str
    name: str
    verdict: Verdict
    measured: str
    limit: str = ""
    value: float | None = None
    unit: str = ""
    next: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """The whole test of one unit; written as JSON as it stands.

    Attributes:
        passed: nothing failed.
        device: name that the unit was provisioned with; "" where it was not.
        serial: of the hardware, where the system knows one.
        models: student and version by role.
        utc: when it began, ISO 8601; whether it can be right is the row "clock.wall".
    """

    format: int
    passed: bool
    device: str
    serial: str
    board: str
    soc: str
    runtime: str
    kernel: str
    machine: str
    models: dict[str, str]
    utc: str
    lasted_ms: int
    rows: list[Row]


@dataclass(frozen=True)
class Bench:
    """What the checks work with.

    Attributes:
        board: of the unit.
        clock: real time; tests bring their own.
        find: finds drivers.
        sys: /sys.
        ask: shows an operator a question and tells whether the answer was yes; None: nobody there.
        loops: output -> input line that its contact is wired to.
        board_file, site_file: for the process that seals memory; "" where there is no site.
        open_chip: opens a GPIO chip, as `gpiod.Chip` does.
    """

    board: Board
    clock: Clock
    find: FindDriver = plugins.driver
    sys: Path = Path("/sys")
    ask: Callable[[str], bool] | None = None
    loops: Mapping[str, InputConfig] = field(default_factory=dict)
    board_file: str = ""
    site_file: str = ""

    def wait(self, ms: float) -> None:
        """Let time pass."""
        self.clock.sleep_until_ms(self.clock.now_ms() + ms)


def judged(
    item: str,
    name: str,
    ok: bool,
    measured: str,
    limit: str = "",
    *,
    value: float | None = None,
    unit: str = "",
    next: str = "",
) -> Row:
    """A row that passed or failed; what to do next is told only where it failed."""
    return Row(
        item=item,
        name=name,
        verdict="pass" if ok else "fail",
        measured=measured,
        limit=limit,
        value=value if value is None else round(value, 4),
        unit=unit,
        next="" if ok else next,
    )


def untested(item: str, name: str, why: str) -> Row:
    """A row that says why nothing was measured."""
    return Row(item=item, name=name, verdict="not tested", measured=why)


def word(path: Path) -> str:
    """A value in sysfs; "" where there is none."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
