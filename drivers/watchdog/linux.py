"""The board's own watchdog: /dev/watchdog, through the kernel's ioctl interface.

It is armed from its opening on: until the first feed it leaves the boot `boot_ms`, from then on the
loop `timeout_ms`. A planned end closes it with the letter that stops it, where it can be stopped.
Source: Linux, Documentation/watchdog/watchdog-api.rst; numbers from <linux/watchdog.h>, the same on
x86-64, arm64, arm and riscv. The tests have a stand-in with the kernel's rules; by hand it was
tried on an i6300esb under QEMU (Linux 6.1): refusal, feeding, magic close, kill -9 and the bite.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from drivers.board import WatchdogConfig
from drivers.faults import WatchdogFault
from drivers.interfaces import Clock

INFO = struct.Struct("=II32s")
"""struct watchdog_info: options, firmware version, identity."""
INT = struct.Struct("=i")
WDIOC_GETSUPPORT = 0x80285700
WDIOC_GETBOOTSTATUS = 0x80045702
WDIOC_KEEPALIVE = 0x80045705
WDIOC_SETTIMEOUT = 0xC0045706
WDIOF_CARDRESET = 0x0020
WDIOF_SETTIMEOUT = 0x0080
WDIOF_MAGICCLOSE = 0x0100
MAGIC_CLOSE = b"V"
SYSFS = Path("/sys/class/watchdog")
REASONS = {
    errno.EBUSY: ("in_use", "another program feeds it; is it systemd's RuntimeWatchdogSec?"),
    errno.ENOENT: ("missing", "there is no such device; is the kernel module loaded?"),
    errno.EACCES: ("no_access", "no right to open it; a udev rule gives it to a group"),
}


class Device(Protocol):
    """The system calls of an open watchdog. Each raises OSError."""

    def ioctl(self, request: int, data: bytearray) -> None:
        """Fill or take `data`, in place."""
        ...

    def write(self, data: bytes) -> None:
        """Write."""
        ...

    def close(self) -> None:
        """Close: without the magic letter before, it goes on and bites."""
        ...


class KernelDevice:
    """The real one. Implements `Device`."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)

    def ioctl(self, request: int, data: bytearray) -> None:
        """Raises OSError."""
        fcntl.ioctl(self._fd, request, data)

    def write(self, data: bytes) -> None:
        """Raises OSError."""
        os.write(self._fd, data)

    def close(self) -> None:
        """Raises OSError."""
        os.close(self._fd)


class LinuxWatchdog:
    """A kernel watchdog. Implements `Watchdog`.

    Args:
        config: device, `timeout_ms`, `boot_ms`; both are rounded up to whole seconds.
        open_with: opens the device.
        sysfs: where the kernel describes watchdogs.

    Raises:
        WatchdogFault: reason "missing", "in_use", "no_access", "cannot_open", "fixed_timeout",
            "timeout" when it cannot hold a time of the board file; it is stopped then.

    Attributes:
        identity: how the driver calls itself.
        can_stop: False when the kernel never stops it (nowayout, or no magic close).
        was_reset: it was this watchdog that reset the board last, where it remembers.
    """

    def __init__(
        self,
        config: WatchdogConfig,
        _: Clock,
        open_with: Callable[[str], Device] = KernelDevice,
        sysfs: Path = SYSFS,
    ) -> None:
        self._path = config.device
        self._timeout_s = -(-config.timeout_ms // 1000)
        self._is_fed = False
        self._number = bytearray(INT.size)
        self._device: Device | None = self._opened(open_with)
        try:
            options = self._describe(sysfs)
            if not options & WDIOF_SETTIMEOUT:
                raise WatchdogFault("fixed_timeout", f"{self._path}: its time cannot be set")
            self._hold("timeout_ms", self._timeout_s)
            self._hold("boot_ms", -(-config.boot_ms // 1000))
        except WatchdogFault:
            self.disarm()
            raise

    def feed(self, now_ms: float) -> None:
        """Feed it; the first time ends the boot. Raises WatchdogFault "not_fed", "closed"."""
        if not self._is_fed:
            self._hold("timeout_ms", self._timeout_s)
            self._is_fed = True
        self._ioctl(WDIOC_KEEPALIVE, self._number, "not_fed")

    def disarm(self) -> None:
        """Stop and close it, where it can be stopped. May be called twice. Raises WatchdogFault."""
        device, self._device = self._device, None
        if device is None:
            return
        try:
            try:
                device.write(MAGIC_CLOSE)
            finally:
                device.close()
        except OSError as error:
            raise WatchdogFault("not_stopped", f"{self._path}: {error.strerror}") from error

    def _opened(self, open_with: Callable[[str], Device]) -> Device:
        try:
            return open_with(self._path)
        except OSError as error:
            reason, advice = REASONS.get(error.errno or 0, ("cannot_open", str(error)))
            raise WatchdogFault(reason, f"{self._path}: {advice}") from error

    def _describe(self, sysfs: Path) -> int:
        """Ask what it is and can; returns its options."""
        info = bytearray(INFO.size)
        self._ioctl(WDIOC_GETSUPPORT, info, "cannot_open")
        options, _, identity = INFO.unpack(info)
        self.identity = identity.partition(b"\0")[0].decode(errors="replace")
        self.can_stop = bool(options & WDIOF_MAGICCLOSE) and not self._no_way_out(sysfs)
        self._ioctl(WDIOC_GETBOOTSTATUS, self._number, "cannot_open")
        self.was_reset = bool(INT.unpack(self._number)[0] & WDIOF_CARDRESET)
        return int(options)

    def _no_way_out(self, sysfs: Path) -> bool:
        """/dev/watchdog is the first one; a kernel without the file in sysfs does not say."""
        name = Path(self._path).name
        name = "watchdog0" if name == "watchdog" else name
        try:
            return (sysfs / name / "nowayout").read_text().strip() == "1"
        except OSError:
            return False

    def _hold(self, key: str, wanted_s: int) -> None:
        """Set a time; drivers round, and what they made of it comes back."""
        INT.pack_into(self._number, 0, wanted_s)
        self._ioctl(WDIOC_SETTIMEOUT, self._number, "timeout", f"refuses {wanted_s} s ({key})")
        held_s = INT.unpack(self._number)[0]
        if held_s != wanted_s:
            detail = f"{key} is {wanted_s} s, and {self.identity} makes {held_s} s of it"
            raise WatchdogFault("timeout", f"{self._path}: {detail}")

    def _ioctl(self, request: int, data: bytearray, reason: str, doing: str = "") -> None:
        if self._device is None:
            raise WatchdogFault("closed", f"{self._path} has been closed")
        try:
            self._device.ioctl(request, data)
        except OSError as error:
            self._refuse(reason, doing, error)

    def _refuse(self, reason: str, doing: str, error: OSError) -> NoReturn:
        detail = ": ".join(part for part in (self._path, doing, error.strerror) if part)
        raise WatchdogFault(reason, detail) from error
