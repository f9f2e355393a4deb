"""Find drivers and commands by name, through the entry points of what is installed.

Reads `entry_points.txt` of each installed distribution itself: importlib.metadata would do the
same, but keeps 4 MB of parsers for e-mail and archives in a memory that is sealed afterwards.
Source: PyPA entry points specification.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

DRIVERS = "haetae.drivers"
COMMANDS = "haetae.commands"


class UnknownPlugin(Exception):
    """A name that no installed package provides; the message says which there are."""


def names(group: str, kind: str = "") -> list[str]:
    """Names in an entry-point group; those of one `kind` ("camera", ...) come without prefix."""
    prefix = f"{kind}." if kind else ""
    return sorted(n.removeprefix(prefix) for n in _points(group) if n.startswith(prefix))


def driver(kind: str, name: str) -> Callable[..., Any]:
    """The class of a driver.

    Args:
        kind: "camera", "npu", "output", "storage" or "watchdog".
        name: as in the board file.

    Raises:
        UnknownPlugin: there is none of that name.
    """
    return load(DRIVERS, f"{kind}.{name}", f"{kind}.driver = {name!r}", names(DRIVERS, kind))


def load(group: str, name: str, what: str, allowed: list[str]) -> Callable[..., Any]:
    """Import an entry point.

    Raises:
        UnknownPlugin: with `what` and `allowed` in the message.
    """
    value = _points(group).get(name)
    if value is None:
        raise UnknownPlugin(f"{what}: must be one of {', '.join(allowed)}")
    module, _, attribute = value.partition(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module.strip()), attribute.strip())
    except ModuleNotFoundError as error:
        missing = f"{what}: needs the library {error.name}, which is not installed"
        raise UnknownPlugin(f"{missing}; the extras of haetae bring such libraries") from error
    return found


@cache
def _points(group: str) -> dict[str, str]:
    """Name -> "module:attribute" of a group, over everything installed; the first found wins."""
    found: dict[str, str] = {}
    for folder in sys.path:
        for file in sorted(Path(folder or ".").glob("*.dist-info/entry_points.txt")):
            for name, value in _read(file, group):
                found.setdefault(name, value)
    return found


def _read(file: Path, group: str) -> Iterator[tuple[str, str]]:
    """Entries of one group in one file."""
    inside = False
    for line in file.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()
