"""Read a scenario file, and say all that is wrong with it, its board and its site at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from drivers import board as board_file
from drivers.board import Board
from drivers.toml_strict import Complaint, ConfigErrors, Mistake, check_strict
from drivers.toml_words import read_table
from runtime.plugins import UnknownPlugin, driver
from runtime.site import Site
from runtime.site_check import load_site
from sim.board import faults
from sim.scenario import cross_checks, inline_site
from sim.scenario.schema import BoardChoice, FaultConfig, Scenario

BOARDS = Path(board_file.__file__).resolve().parent.parent / "board_configs"
SUFFIX = ".scenario.toml"
SIM_OUTPUTS = ("siren", "strobe", "fault_relay")
"""Of the simulated board, where the scenario's own cannot be read."""


@dataclass(frozen=True)
class Loaded:
    """A scenario that has been checked.

    Attributes:
        scenario: as in the file.
        board: the board file with what the scenario changes in it.
        file: where it came from.
        site: of `site.file`; None: written in the scenario, see `sim.scenario.inline_site`.
    """

    scenario: Scenario
    board: Board
    file: Path
    site: Site | None


def load_scenario(path: Path) -> Loaded:
    """Read a scenario.

    Raises:
        ConfigErrors: every mistake in it, those of its board and its site included.
    """
    mistakes: list[Mistake] = []
    raw = read_table(path)
    if isinstance(raw, str):
        raise ConfigErrors([Mistake(str(path), "", UNSET, raw)])
    scenario = _attempt(mistakes, lambda: check_strict(str(path), raw, Scenario, cross_checks.ALL))
    board = _attempt(mistakes, lambda: _load_board(path, raw))
    site = _attempt(mistakes, lambda: _load_site(path, raw))
    outputs = tuple(output.name for output in board.outputs) if board else SIM_OUTPUTS
    mistakes += [Mistake(str(path), *found) for found in _faults(raw, outputs)]
    if scenario is not None:
        mistakes += [Mistake(str(path), *found) for found in _names(scenario, outputs)]
        buttons = [each.name for each in board.inputs] if board else []
        mistakes += [Mistake(str(path), *found) for found in _pressed(scenario, buttons)]
    if mistakes or scenario is None or board is None:
        raise ConfigErrors(mistakes)
    return Loaded(scenario, board, path, site)


def _attempt(mistakes: list[Mistake], load: Any) -> Any:
    try:
        return load()
    except ConfigErrors as errors:
        mistakes.extend(errors.mistakes)
        return None


def _load_board(path: Path, raw: dict[str, Any]) -> Board | None:
    """The board file with the scenario's own values in it; None where `[board]` is malformed."""
    try:
        choice = msgspec.convert(raw.get("board", {}), BoardChoice)
    except msgspec.ValidationError:
        return None  # reported with the scenario
    file = find_board(choice.file, path.parent)
    table = read_table(file)
    if isinstance(table, str):
        raise ConfigErrors([Mistake(str(path), "board.file", choice.file, f"{file}: {table}")])
    complaints = [found for key, value in _flat(choice.set) if (found := _put(table, key, value))]
    if complaints:
        raise ConfigErrors([Mistake(str(path), *found) for found in complaints])
    board = check_strict(str(file), table, Board, board_file.CHECKS)
    unknown = list(_unknown_drivers(board))
    if unknown:
        raise ConfigErrors([Mistake(str(file), *found) for found in unknown])
    return board


def find_board(name: str, folder: Path) -> Path:
    """A board file by its name in `board_configs`, or by a path from `folder`."""
    shipped = BOARDS / f"{name}.toml"
    return shipped if "/" not in name and shipped.is_file() else folder / name


def _unknown_drivers(board: Board) -> Iterator[Complaint]:
    """Drivers of the board file that are not installed: the board would not start."""
    named = {
        "camera.driver": ("camera", board.camera.driver),
        "npu.driver": ("npu", board.npu.driver),
        "storage.driver": ("storage", board.storage.driver),
        "watchdog.driver": ("watchdog", board.watchdog.driver),
    }
    for index, output in enumerate(board.outputs):
        named[f"outputs[{index}].driver"] = ("output", output.driver)
    for key, (kind, name) in named.items():
        try:
            driver(kind, name)
        except UnknownPlugin as unknown:
            yield key, name, str(unknown).partition(": ")[2]


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys; tables in tables are the same written in another way."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _put(table: dict[str, Any], key: str, value: Any) -> Complaint | None:
    """Set one dotted key of a board file; a list of tables is looked up by `name`."""
    node: Any = table
    *parts, last = key.split(".")
    for part in parts:
        if isinstance(node, list):
            found = [item for item in node if item.get("name") == part]
            names = ", ".join(str(item.get("name")) for item in node)
            if not found:
                return f"board.set.{key}", value, f"there is no {part}; there are {names}"
            node = found[0]
        else:
            node = node.setdefault(part, {})
            if not isinstance(node, dict | list):
                return f"board.set.{key}", value, f"{part} of the board file is no table"
    if not isinstance(node, dict):
        return f"board.set.{key}", value, f"{parts[-1]} of the board file needs a name after it"
    node[last] = value
    return None


def _load_site(path: Path, raw: dict[str, Any]) -> Site | None:
    """A site file, or the check of one that is written in the scenario."""
    table = raw.get("site", {})
    if not isinstance(table, dict):
        return None
    file = table.get("file", "")
    if not file:
        inline_site.check(str(path), raw)
        return None
    others = sorted(set(table) - {"file"})
    if others or not isinstance(file, str):
        allowed = "must be left out where site.file names a file"
        raise ConfigErrors([Mistake(str(path), f"site.{key}", UNSET, allowed) for key in others])
    return load_site(path.parent / file)


def _faults(raw: dict[str, Any], outputs: tuple[str, ...]) -> Iterator[Complaint]:
    """Faults that this board does not have."""
    listed = raw.get("faults", [])
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        try:
            fault = msgspec.convert(entry, FaultConfig)
        except msgspec.ValidationError:
            continue  # reported with the scenario
        for key, value, allowed in faults.complaints(
            fault.component, fault.type, fault.options, outputs
        ):
            yield f"faults[{index}].{key}", UNSET if value is None else value, allowed
        kind = faults.kinds_of(fault.component, outputs).get(fault.type)
        if kind is not None and kind.is_moment and fault.for_ms:
            yield f"faults[{index}].for_ms", fault.for_ms, f"{fault.type} has no length: leave out"


def _pressed(scenario: Scenario, buttons: list[str]) -> Iterator[Complaint]:
    """Buttons that this board has."""
    for index, action in enumerate(scenario.actions):
        if action.do == "press" and action.button not in buttons:
            known = f"the buttons are {', '.join(buttons)}" if buttons else "there are no buttons"
            yield f"actions[{index}].button", action.button, known


def _names(scenario: Scenario, outputs: tuple[str, ...]) -> Iterator[Complaint]:
    """Outputs that expectations name."""
    for index, expect in enumerate(scenario.expect):
        name = getattr(expect, "name", "")
        if name and name not in outputs:
            yield f"expect[{index}].name", name, f"the outputs are {', '.join(outputs)}"
