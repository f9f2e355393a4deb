"""The process that holds the fault relay for `drivers.dead_man`: it waits for the next beat only.

Commands come as single bytes on standard input and are answered with the same byte on standard
output; REFUSED is followed by the reason. The end of the input is the end of whoever beat.
"""

from __future__ import annotations

import os
import select
import signal
import time
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from drivers.faults import HardwareFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.interfaces import Output

READY, ON, OFF, BEAT, RELEASE, REFUSED = b"R", b"1", b"0", b".", b"r", b"!"
COMMANDS, ANSWERS = 0, 1
MAX_REASON = 200


class Clock:
    """The kernel's monotonic clock, for drivers that want one."""

    def now_ms(self) -> float:
        """Monotonic time, ms."""
        return time.monotonic_ns() / 1e6


def main(driver: str, config: dict[str, Any], silent_ms: int) -> None:
    """Hold one output until the input ends.

    Args:
        driver: "module:class" of the output.
        config: its part of the board file.
        silent_ms: the line falls after this long without a command.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its input, after everybody else
    clock = Clock()
    module, _, name = driver.partition(":")
    try:
        output: Output = getattr(import_module(module), name)(SimpleNamespace(**config), clock)
    except HardwareFault as error:
        _refuse(error)
        return
    os.write(ANSWERS, READY)
    try:
        _Keeper(output, clock, config.get("on_release") == "on").run(silent_ms)
    finally:
        output.release(clock.now_ms())


class _Keeper:
    """Drives the line as it is told, and lets it fall when it is told nothing."""

    def __init__(self, output: Output, clock: Clock, fallen_level: bool) -> None:
        self._output, self._clock = output, clock
        self._check: Callable[[float], None] | None = getattr(output, "check", None)
        self._fallen_level = fallen_level
        self._wanted: bool | None = None
        self._has_fallen = False

    def run(self, silent_ms: int) -> None:
        """Until the input ends."""
        poll = select.poll()
        poll.register(COMMANDS, select.POLLIN | select.POLLHUP)
        while True:
            if not poll.poll(-1 if self._has_fallen else silent_ms):
                self._fall()
                continue
            commands = os.read(COMMANDS, 64)
            if not commands:
                return
            for command in commands:
                self._obey(bytes((command,)))

    def _fall(self) -> None:
        self._has_fallen = True
        try:
            self._output.set(self._fallen_level, self._clock.now_ms())
        except HardwareFault:
            os._exit(1)  # then the kernel lets go of the line

    def _obey(self, command: bytes) -> None:
        now_ms = self._clock.now_ms()
        try:
            if command == RELEASE:
                self._wanted = None
                self._output.release(now_ms)
            elif command in (ON, OFF):
                self._wanted = command == ON
                self._output.set(self._wanted, now_ms)
            elif self._has_fallen and self._wanted is not None:
                self._output.set(self._wanted, now_ms)
            elif self._check is not None:
                self._check(now_ms)
        except HardwareFault as error:
            _refuse(error)
            return
        self._has_fallen = command == RELEASE  # there is nothing left to let fall
        os.write(ANSWERS, command)


def _refuse(error: HardwareFault) -> None:
    os.write(ANSWERS, REFUSED + str(error).encode()[: MAX_REASON - 1])
