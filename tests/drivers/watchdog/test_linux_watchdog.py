"""The kernel's watchdog against a stand-in with its rules; the numbers against its header."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from drivers.board import WatchdogConfig
from drivers.clock import VirtualClock
from drivers.faults import WatchdogFault
from drivers.interfaces import Watchdog
from drivers.watchdog import linux
from drivers.watchdog.linux import LinuxWatchdog


class Dog:
    """A watchdog of the kernel: armed by opening, stopped by "V" then close, else it bites.

    Attributes:
        now_s: time of the test.
        steps_s: times that it can hold; anything between is rounded up. Empty: any up to `most_s`.
        fails: requests that fail, with their errno.
    """

    def __init__(self, no_way_out: bool = False) -> None:
        self.now_s = 0.0
        self.steps_s: list[int] = []
        self.most_s = 2046
        self.options = linux.WDIOF_SETTIMEOUT | linux.WDIOF_MAGICCLOSE
        self.bootstatus = 0
        self.no_way_out = no_way_out
        self.fails: dict[int, int] = {}
        self.timeout_s = 30
        self.feeds = 0
        self.is_armed = False
        self.is_open = False
        self._magic = False
        self._fed_s = 0.0

    def open(self, path: str) -> Dog:
        if self.is_open:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self.is_open = self.is_armed = True
        self._magic = False
        self._fed_s = self.now_s
        return self

    @property
    def has_bitten(self) -> bool:
        return self.is_armed and self.now_s - self._fed_s > self.timeout_s

    def ioctl(self, request: int, data: bytearray) -> None:
        assert self.is_open
        if request in self.fails:
            raise OSError(self.fails[request], os.strerror(self.fails[request]))
        match request:
            case linux.WDIOC_GETSUPPORT:
                linux.INFO.pack_into(data, 0, self.options, 1, b"i6300ESB timer")
            case linux.WDIOC_GETBOOTSTATUS:
                linux.INT.pack_into(data, 0, self.bootstatus)
            case linux.WDIOC_SETTIMEOUT:
                self._set_timeout(data)
            case linux.WDIOC_KEEPALIVE:
                self.feeds += 1
                self._fed_s = self.now_s
            case _:
                raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    def _set_timeout(self, data: bytearray) -> None:
        wanted_s = linux.INT.unpack(data)[0]
        if not 1 <= wanted_s <= self.most_s:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.timeout_s = next((step for step in self.steps_s if step >= wanted_s), wanted_s)
        linux.INT.pack_into(data, 0, self.timeout_s)
        self._fed_s = self.now_s

    def write(self, data: bytes) -> None:
        assert self.is_open
        self._magic = linux.MAGIC_CLOSE in data

    def close(self) -> None:
        assert self.is_open
        self.is_open = False
        may = self._magic and self.options & linux.WDIOF_MAGICCLOSE and not self.no_way_out
        self.is_armed = not may


@pytest.fixture
def dog() -> Dog:
    return Dog()


def watchdog(dog: Dog, sysfs: Path = Path("/nowhere"), **config) -> LinuxWatchdog:
    made = WatchdogConfig(driver="linux", **config)
    return LinuxWatchdog(made, VirtualClock(), dog.open, sysfs)


def test_it_is_a_watchdog_and_says_what_it_is(dog):
    dog.bootstatus = linux.WDIOF_CARDRESET
    made = watchdog(dog)
    assert isinstance(made, Watchdog)
    assert (made.identity, made.can_stop, made.was_reset) == ("i6300ESB timer", True, True)


def test_the_boot_has_its_own_time_and_nobody_feeds_but_the_loop(dog):
    made = watchdog(dog, timeout_ms=5000, boot_ms=40_000)
    assert (dog.timeout_s, dog.feeds, dog.is_armed) == (40, 0, True)
    dog.now_s = 39.0
    assert not dog.has_bitten
    made.feed(39_000.0)
    assert (dog.timeout_s, dog.feeds) == (5, 1)
    dog.now_s = 43.0
    made.feed(43_000.0)
    assert (dog.timeout_s, dog.feeds) == (5, 2)
    dog.now_s = 49.0
    assert dog.has_bitten


def test_a_boot_that_hangs_is_reset(dog):
    watchdog(dog, boot_ms=20_000)
    dog.now_s = 21.0
    assert dog.has_bitten


def test_times_are_whole_seconds_rounded_up(dog):
    made = watchdog(dog, timeout_ms=4001)
    made.feed(0.0)
    assert dog.timeout_s == 5


@pytest.mark.parametrize("key", ["timeout_ms", "boot_ms"])
def test_a_time_that_the_driver_rounds_is_refused_and_told(dog, key):
    dog.steps_s = [1, 2, 5, 11, 22, 44] if key == "boot_ms" else [3, 6, 60]
    with pytest.raises(WatchdogFault, match=f"{key} is .* i6300ESB timer makes .* s of it"):
        watchdog(dog, timeout_ms=5000, boot_ms=20_000)
    assert not dog.is_armed, "a refused board must not be reset"


def test_a_time_that_the_driver_does_not_take_is_refused(dog):
    dog.most_s = 16
    with pytest.raises(WatchdogFault, match=r"timeout: /dev/watchdog: refuses 60 s \(boot_ms\)"):
        watchdog(dog)
    assert not dog.is_armed


def test_one_with_a_fixed_time_is_refused(dog):
    dog.options = linux.WDIOF_MAGICCLOSE
    with pytest.raises(WatchdogFault, match="fixed_timeout"):
        watchdog(dog)
    assert not dog.is_armed


def test_a_planned_end_stops_it(dog):
    made = watchdog(dog)
    made.feed(0.0)
    made.disarm()
    made.disarm()
    assert not dog.is_armed
    with pytest.raises(WatchdogFault, match="closed"):
        made.feed(1.0)


def test_a_crash_does_not(dog):
    made = watchdog(dog)
    made.feed(0.0)
    dog.close()
    dog.now_s = 6.0
    assert dog.has_bitten


@pytest.mark.parametrize("device", ["/dev/watchdog", "/dev/watchdog0"])
@pytest.mark.parametrize("no_way_out", [False, True])
def test_no_way_out_is_told(tmp_path, device, no_way_out):
    (tmp_path / "watchdog0").mkdir()
    (tmp_path / "watchdog0" / "nowayout").write_text(f"{int(no_way_out)}\n")
    dog = Dog(no_way_out)
    made = watchdog(dog, tmp_path, device=device)
    assert made.can_stop is not no_way_out
    made.disarm()
    assert dog.is_armed is no_way_out


def test_one_without_the_magic_letter_cannot_be_stopped(dog):
    dog.options = linux.WDIOF_SETTIMEOUT
    assert not watchdog(dog).can_stop


def test_one_that_does_not_take_a_feed_is_a_fault(dog):
    made = watchdog(dog)
    dog.fails[linux.WDIOC_KEEPALIVE] = errno.EIO
    with pytest.raises(WatchdogFault, match="not_fed: /dev/watchdog"):
        made.feed(0.0)


def test_one_that_somebody_else_feeds_is_a_fault(dog):
    watchdog(dog)
    with pytest.raises(WatchdogFault, match="in_use"):
        watchdog(dog)


def test_one_that_is_not_there_is_a_fault(tmp_path):
    config = WatchdogConfig(driver="linux", device=str(tmp_path / "watchdog"))
    with pytest.raises(WatchdogFault, match="missing"):
        LinuxWatchdog(config, VirtualClock())


def test_a_file_that_is_no_watchdog_is_a_fault(tmp_path):
    """Through the real system calls."""
    (tmp_path / "watchdog").touch()
    config = WatchdogConfig(driver="linux", device=str(tmp_path / "watchdog"))
    with pytest.raises(WatchdogFault, match="cannot_open"):
        LinuxWatchdog(config, VirtualClock())


HEADER = Path("/usr/include/linux/watchdog.h")
NAMES = (
    *("WDIOC_GETSUPPORT", "WDIOC_GETBOOTSTATUS", "WDIOC_KEEPALIVE", "WDIOC_SETTIMEOUT"),
    *("WDIOF_CARDRESET", "WDIOF_SETTIMEOUT", "WDIOF_MAGICCLOSE"),
)


@pytest.mark.skipif(not HEADER.exists() or not shutil.which("cc"), reason="no compiler or header")
def test_the_numbers_are_those_of_the_kernel(tmp_path):
    source, binary = tmp_path / "numbers.c", tmp_path / "numbers"
    prints = "".join(f'printf("%lu\\n", (unsigned long){name});' for name in NAMES)
    source.write_text(
        "#include <stdio.h>\n#include <sys/ioctl.h>\n#include <linux/watchdog.h>\n"
        f'int main(void) {{ {prints} printf("%zu\\n", sizeof(struct watchdog_info)); }}\n'
    )
    subprocess.run(["cc", "-o", binary, source], check=True)
    numbers = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.split()
    ours = [getattr(linux, name) for name in NAMES] + [linux.INFO.size]
    assert [int(number) for number in numbers] == ours
