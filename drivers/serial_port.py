"""A serial port of the kernel: a UART of the board, or the technician's USB adapter."""

from __future__ import annotations

import errno
import os
import select
from contextlib import suppress
from typing import Any

import serial

from drivers.faults import LinkFault

BAUD = 921_600
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_REASONS = {
    errno.EACCES: ("no_access", "no right to open it; on most systems: join the group dialout"),
    errno.ENOENT: ("missing", "there is no such port; is the adapter plugged in?"),
    errno.EBUSY: ("in_use", "another program has it open"),
    errno.EAGAIN: ("in_use", "another program has it open"),
}


class SerialPort:
    """8 data bits, no parity, no flow control; nobody else can have it open. Implements `Serial`.

    Where the kernel can, it hands bytes over at once (ASYNC_LOW_LATENCY) instead of every 16 ms.

    Args:
        path: "/dev/ttyS2", "/dev/ttyUSB0".
        baud: bits per second.

    Raises:
        LinkFault: reason "missing", "no_access", "in_use" or "open_failed".
    """

    def __init__(self, path: str, baud: int = BAUD) -> None:
        self._path = path
        self._port = _opened(path, baud)
        self._fd: int = self._port.fileno()
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        with suppress(ValueError, NotImplementedError):  # a port that cannot: a pty, some gadgets
            self._port.set_low_latency_mode(True)

    def read(self, max_bytes: int) -> bytes:
        """Bytes that have arrived. Raises LinkFault "gone" when the adapter was pulled."""
        events = self._poll.poll(0)
        if not events:
            return b""
        try:
            data = os.read(self._fd, max_bytes) if events[0][1] & select.POLLIN else b""
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LinkFault("gone", f"{self._path}: {error.strerror}") from error
        if not data and events[0][1] & _GONE:
            raise LinkFault("gone", f"{self._path}: the port has hung up")
        return data

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hand over bytes to send. Raises LinkFault "gone" when the adapter was pulled."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LinkFault("gone", f"{self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Close. May be called twice, and after the adapter was pulled."""
        if self._fd >= 0:
            self._poll.unregister(self._fd)
            self._fd = -1
            self._port.close()


def _opened(path: str, baud: int) -> Any:
    try:
        return serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
    except ValueError as error:
        raise LinkFault("open_failed", f"{path}: {error}") from error
    except OSError as error:  # serial.SerialException is one
        reason, advice = _REASONS.get(error.errno or 0, ("open_failed", str(error)))
        raise LinkFault(reason, f"{path}: {advice}") from error
