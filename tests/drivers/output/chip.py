"""A stand-in of a GPIO chip and of `gpiod.request_lines`, with the rules that the kernel keeps.

A line has one holder; without one its level is what the board makes of it.
Faults are planted by line: stuck ones, dead ioctls, contacts that follow late or not at all.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

from gpiod.line import Direction, Value

from drivers.output import gpio
from drivers.output.gpio import GpioOutput

NAMES = {"SIREN": 3, "RELAY": 4, "CONTACT": 5}
LINES = 8


class Chip:
    """Levels are electrical: True = high.

    Attributes:
        levels, edges: of each line; an edge is (line, level).
        stuck: line -> level that it reads, whatever is driven.
        contacts: contact line -> (relay line, s until it follows).
        fails: ioctls that fail from now on, "get" or "set".
        reverts_to: level of a driven line that nobody holds any more; None: it stays.
    """

    def __init__(self, path: str = "/dev/gpiochip0", reverts_to: bool | None = False) -> None:
        self.path, self.reverts_to = path, reverts_to
        self.levels = [False] * LINES
        self.moved_s = [0.0] * LINES
        self.edges: list[tuple[int, bool]] = []
        self.held: dict[int, Any] = {}
        self.stuck: dict[int, bool] = {}
        self.contacts: dict[int, tuple[int, float]] = {}
        self.fails: set[str] = set()

    def request(self, chip: str, consumer: str, config: dict[int | str, Any]) -> Request:
        if chip != self.path:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), chip)
        return Request(self, {number(line): settings for line, settings in config.items()})

    def drive(self, line: int, level: bool) -> None:
        if level != self.levels[line]:
            self.levels[line] = level
            self.moved_s[line] = time.monotonic()
            self.edges.append((line, level))

    def read(self, line: int) -> bool:
        if line in self.stuck:
            return self.stuck[line]
        if line in self.contacts:
            relay, after_s = self.contacts[line]
            has_moved = time.monotonic() - self.moved_s[relay] >= after_s
            return self.levels[relay] is has_moved
        return self.levels[line]


class Request:
    """What the kernel hands out: a file whose end is the end of the lines."""

    def __init__(self, chip: Chip, config: dict[int, Any]) -> None:
        self._chip, self._config = chip, config
        self.is_live = True
        if set(config) & set(chip.held):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for line, settings in config.items():
            chip.held[line] = settings
            if settings.direction is Direction.OUTPUT:
                self._put(line, settings.output_value)

    def __bool__(self) -> bool:
        return self.is_live

    def set_value(self, line: int | str, value: Value) -> None:
        self._fail("set")
        assert self._config[number(line)].direction is Direction.OUTPUT
        self._put(number(line), value)

    def get_value(self, line: int | str) -> Value:
        self._fail("get")
        is_high = self._chip.read(number(line))
        return Value(int(is_high is not self._config[number(line)].active_low))

    def release(self) -> None:
        assert self.is_live
        self.is_live = False
        for line, settings in self._config.items():
            del self._chip.held[line]
            if settings.direction is Direction.OUTPUT and self._chip.reverts_to is not None:
                self._chip.drive(line, self._chip.reverts_to)

    def _put(self, line: int, value: Value) -> None:
        self._chip.drive(line, (value is Value.ACTIVE) is not self._config[line].active_low)

    def _fail(self, what: str) -> None:
        assert self.is_live
        if what in self._chip.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def number(line: int | str) -> int:
    if isinstance(line, int) and line >= LINES:
        raise ValueError("line offset of out range")
    if isinstance(line, int):
        return line
    if line not in NAMES:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))  # as libgpiod 2.5 does
    return NAMES[line]


class FileChip(Chip):
    """Its path is a file that shows the level of the line RELAY: another process can look."""

    def drive(self, line: int, level: bool) -> None:
        super().drive(line, level)
        Path(self.path).write_text(str(int(self.read(NAMES["RELAY"]))))


class FileGpioOutput(GpioOutput):
    """On a FileChip, for the process of the dead man. A file "stuck" beside it plants a fault."""

    def __init__(self, config: Any, clock: Any) -> None:
        self._chip = FileChip(config.chip)
        gpio.gpiod.request_lines = self._chip.request
        super().__init__(config, clock)

    def check(self, now_ms: float) -> None:
        if Path(self._chip.path).with_name("stuck").exists():
            self._chip.stuck[NAMES["RELAY"]] = False
        super().check(now_ms)
