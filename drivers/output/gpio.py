"""A siren, strobe or relay on a line of a GPIO chip, through libgpiod 2 (character device).

The line is asked for with its level on release, so that nothing glitches when it is taken over. The
kernel keeps a level only while the line is held: afterwards the pin is what the board makes of it,
which is what `on_release` states and the bench has to show. One ioctl per edge and per check.
The tests have a stand-in of the chip; by hand it was tried on a PL061 under QEMU (Linux 6.1), with
the pins read from outside, also behind the dead man.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Any

import gpiod
from gpiod.line import Direction, Drive, Value

from drivers.faults import OutputFault
from drivers.gpio_chip import chip_path

if TYPE_CHECKING:  # it is also imported by the small process of the dead man
    from drivers.interfaces import Clock
    from drivers.output_config import OutputConfig

CONSUMER = "haetae"
POLL_S = 0.001
"""Between two looks at a contact that has not moved yet."""
DRIVES = {
    "push_pull": Drive.PUSH_PULL,
    "open_drain": Drive.OPEN_DRAIN,
    "open_source": Drive.OPEN_SOURCE,
}
REASONS = {
    errno.EBUSY: ("in_use", "somebody else holds the line: another program, or the device tree"),
    errno.ENOENT: ("missing", "there is no such chip, or no line of that name on it"),
    errno.EACCES: ("no_access", "no right to open the chip; a udev rule gives it to a group"),
}


class GpioOutput:
    """One output line. Implements `Output` and `Checked`.

    Args:
        config: chip, line, polarity, drive, read-back and levels.

    Raises:
        OutputFault: reason "in_use", "missing", "no_access" or "cannot_request".

    Attributes:
        name: from the board file.
        level: last level set; True = energised, whatever the polarity.
    """

    def __init__(self, config: OutputConfig, _: Clock) -> None:
        self.name = config.name
        self._release_level = config.on_release == "on"
        self.level = self._release_level
        self._line = _line(config.line)
        self._feedback = _line(config.readback_line) if config.readback_line else None
        self._reads_pin = config.read_back
        self._wait_ms = config.readback_ms
        self._odd_since_ms: float | None = None
        self._request: Any = _request(config, self._line, self._feedback)

    def set(self, level: bool, now_ms: float) -> None:
        """Drive the line and read it back; waits `readback_ms` at most, for a wired contact.

        Raises:
            OutputFault: reason "released", "cannot_drive", "cannot_read", "differs" when the pin
                does not take the level, "no_feedback" when the contact does not follow.
        """
        self._odd_since_ms = None
        self._drive(level)
        self._compare(self._wait_ms)

    def check(self, now_ms: float) -> None:
        """Whether the line still has the level set last. Raises OutputFault, as `set`.

        A contact may bounce: it is odd for `readback_ms` before that is a fault. The level is then
        driven again: a port expander that was reset has forgotten it.
        """
        if not self._request:
            return
        try:
            self._compare(0)
        except OutputFault:
            since_ms = self._odd_since_ms if self._odd_since_ms is not None else now_ms
            self._odd_since_ms = since_ms
            if now_ms - since_ms >= self._wait_ms:
                self._drive(self.level)
                raise
        else:
            self._odd_since_ms = None

    def release(self, now_ms: float) -> None:
        """Drive the stated level, then let go of the line. May be called twice."""
        if not self._request:
            return
        try:
            self._drive(self._release_level)
        finally:
            self._request.release()
            self._request = None

    def _drive(self, level: bool) -> None:
        if not self._request:
            raise OutputFault("released", f"{self.name}: the line has been let go of")
        try:
            self._request.set_value(self._line, Value.ACTIVE if level else Value.INACTIVE)
        except (OSError, ValueError) as error:
            raise OutputFault("cannot_drive", f"{self.name}: {error}") from error
        self.level = bool(level)

    def _compare(self, wait_ms: int) -> None:
        """What the pin and the contact read is what was set; the contact may take its time."""
        word = "on" if self.level else "off"
        if self._reads_pin and self._read(self._line) is not self.level:
            raise OutputFault("differs", f"{self.name}: set {word}, and the pin does not read so")
        if self._feedback is None:
            return
        end_s = time.monotonic() + wait_ms / 1000  # real time: a contact is real
        while self._read(self._feedback) is not self.level:
            if time.monotonic() >= end_s:
                detail = f"{self.name}: set {word}, and the line {self._feedback} does not say so"
                raise OutputFault("no_feedback", detail)
            time.sleep(POLL_S)

    def _read(self, line: int | str) -> bool:
        try:
            return bool(self._request.get_value(line) is Value.ACTIVE)
        except (OSError, ValueError) as error:
            raise OutputFault("cannot_read", f"{self.name}: line {line}: {error}") from error


def _line(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _request(config: OutputConfig, line: int | str, feedback: int | str | None) -> Any:
    """Both lines in one request: they are had together, or not at all."""
    safe = Value.ACTIVE if config.on_release == "on" else Value.INACTIVE
    wanted = {
        line: gpiod.LineSettings(
            direction=Direction.OUTPUT,
            drive=DRIVES[config.drive],
            active_low=config.active_low,
            output_value=safe,
        )
    }
    if feedback is not None:
        wanted[feedback] = gpiod.LineSettings(
            direction=Direction.INPUT, active_low=config.readback_active_low
        )
    where = f"{config.name}: {config.chip} line {config.line}"
    try:
        chip = chip_path(config.chip, gpiod.Chip)
        return gpiod.request_lines(chip, consumer=CONSUMER, config=wanted)
    except ValueError as error:
        raise OutputFault("cannot_request", f"{where}: {error}") from error
    except OSError as error:
        reason, advice = REASONS.get(error.errno or 0, ("cannot_request", str(error)))
        advice = advice if config.chip.startswith("/") else f"{advice} ({error.strerror})"
        raise OutputFault(reason, f"{where}: {advice}") from error
