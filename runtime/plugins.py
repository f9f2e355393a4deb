"""Find drivers and commands by name, through the entry points of what is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

DRIVERS = "haetae.drivers"
COMMANDS = "haetae.commands"


class UnknownPlugin(Exception):
    """A name that no installed package provides; the message says which there are."""


def names(group: str, kind: str = "") -> list[str]:
    """Names in an entry-point group; those of one `kind` ("camera", ...) come without prefix."""
    prefix = f"{kind}." if kind else ""
    found = {point.name for point in entry_points(group=group)}
    return sorted(name.removeprefix(prefix) for name in found if name.startswith(prefix))


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
    for point in entry_points(group=group, name=name):
        found: Callable[..., Any] = point.load()
        return found
    raise UnknownPlugin(f"{what}: allowed is one of {', '.join(allowed)}")
