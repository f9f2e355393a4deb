"""Listens to a run, or stands in for a part of it, without the firmware knowing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime import plugins
from runtime.machine import Machine


class Tap:
    """Does nothing; a recording and a replay do."""

    def back_end(self, kind: str, name: str) -> Callable[..., Any]:
        """The installed driver behind a device of the virtual board.

        Raises:
            UnknownPlugin: there is none of that name.
        """
        return plugins.driver(kind, name)

    def device(self, kind: str, made: Callable[..., Any]) -> Callable[..., Any]:
        """What the firmware gets for a device that the virtual board made."""
        return made

    def booted(self, machine: Machine, boot: int) -> None:
        """A boot is done, its loop is about to run; `boot` counts from 1."""
