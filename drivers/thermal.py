"""How hot the board is and how fast its NPU may run: read from sysfs by name, never by number.

A zone's number and an NPU's place change with the kernel; its type and its name do not. Files stay
open, so that a reading is one system call. Source: Linux, Documentation/driver-api/thermal/
sysfs-api.rst and ABI/testing/sysfs-class-devfreq. Tested on trees of files only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.faults import ThermalFault
from drivers.thermal_config import ThermalConfig

SYSFS = Path("/sys/class")
MAX_BYTES = 64
"""A value in sysfs is a short word."""


@dataclass(frozen=True)
class Zone:
    """A place with a thermometer."""

    kind: str
    path: Path


@dataclass
class Reading:
    """What was read last; changed in place by `Thermal.read`.

    Attributes:
        hottest_c: of the zones of the board file, degrees Celsius.
        governor: of the NPU's clock; "" where the board file names none.
        clock_hz: of the NPU; 0 likewise.
    """

    hottest_c: float = 0.0
    governor: str = ""
    clock_hz: int = 0


class Thermometer(Protocol):
    """What the loop reads the board's heat from.

    Attributes:
        reading: what was read last; always the same object.
    """

    reading: Reading

    def read(self) -> Reading:
        """Read all of it now. Raises ThermalFault."""
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


class Thermal:
    """Thermometers and the NPU's clock, as the board file names them. A context manager.

    Args:
        config: zones and devfreq by name.
        sysfs: /sys/class.

    Raises:
        ThermalFault: reason "missing"; the detail says which there are.
    """

    def __init__(self, config: ThermalConfig, sysfs: Path = SYSFS) -> None:
        self.reading = Reading()
        self._config = config
        self._stack = ExitStack()
        try:
            found = {zone.kind: zone.path for zone in zones(sysfs)}
            self._temperatures = [
                (kind, self._open(_named("thermal zone", kind, found) / "temp"))
                for kind in config.zones
            ]
            self._clock: tuple[int, int] | None = None
            if config.devfreq:
                node = _named("devfreq", config.devfreq, devfreqs(sysfs))
                self._clock = self._open(node / "governor"), self._open(node / "cur_freq")
        except ThermalFault:
            self.close()
            raise

    def read(self) -> Reading:
        """Read all of it now.

        Returns:
            The same object at each call.

        Raises:
            ThermalFault: reason "cannot_read"; "too_hot" from `too_hot_c` on; "governor" when
                the NPU's is another one than stated; "slow_clock" when it runs below `least_mhz`.
                The reading is complete but for the first.
        """
        reading, config = self.reading, self._config
        hottest_c = -273.15
        where = ""
        for kind, file in self._temperatures:
            degrees_c = _number(file, kind) / 1000
            if degrees_c > hottest_c:
                hottest_c, where = degrees_c, kind
        if where:
            reading.hottest_c = hottest_c
        if self._clock is not None:
            governor, clock = self._clock
            reading.governor = _word(governor, config.devfreq)
            reading.clock_hz = _number(clock, config.devfreq)
        if where and hottest_c >= config.too_hot_c:
            raise ThermalFault("too_hot", f"{where}: {hottest_c:.1f} C, limit {config.too_hot_c:g}")
        if config.governor and reading.governor != config.governor:
            stated = f"{reading.governor!r}, the board file says {config.governor!r}"
            raise ThermalFault("governor", f"{config.devfreq}: {stated}")
        if reading.clock_hz < config.least_mhz * 1_000_000:
            stated = f"{reading.clock_hz / 1e6:g} MHz, at least {config.least_mhz} are needed"
            raise ThermalFault("slow_clock", f"{config.devfreq}: {stated}")
        return reading

    def close(self) -> None:
        """Close the files. May be called twice."""
        self._stack.close()

    def __enter__(self) -> Thermal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, path: Path) -> int:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ThermalFault("cannot_read", f"{path}: {error.strerror}") from error
        self._stack.callback(os.close, file)
        return file


def zones(sysfs: Path = SYSFS) -> Iterator[Zone]:
    """All zones of this machine; of two with one type the first comes last, and so wins."""
    found = (sysfs / "thermal").glob("thermal_zone[0-9]*")
    for path in sorted(found, key=lambda each: -int(each.name.removeprefix("thermal_zone"))):
        try:
            yield Zone((path / "type").read_text().strip(), path)
        except OSError:  # unregistered while we look
            continue


def devfreqs(sysfs: Path = SYSFS) -> dict[str, Path]:
    """Devices of this machine whose clock is governed, such as "fdab0000.npu"."""
    return {path.name: path for path in sorted((sysfs / "devfreq").glob("*"))}


def _named(what: str, name: str, found: dict[str, Path]) -> Path:
    if name in found:
        return found[name]
    there = ", ".join(sorted(found)) or "none"
    raise ThermalFault("missing", f"no {what} {name!r} on this board; there are: {there}")


def _word(file: int, name: str) -> str:
    try:
        return os.pread(file, MAX_BYTES, 0).decode("ascii", errors="replace").strip()
    except OSError as error:  # a sensor without power answers EAGAIN
        raise ThermalFault("cannot_read", f"{name}: {error.strerror}") from error


def _number(file: int, name: str) -> int:
    text = _word(file, name)
    try:
        return int(text)
    except ValueError as error:
        raise ThermalFault("cannot_read", f"{name}: {text!r} is no number") from error
