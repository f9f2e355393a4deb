"""The system calls of an open video device, and nothing else: a test puts another one here."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import time
from ctypes import Structure
from typing import Protocol

GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class VideoDevice(Protocol):
    """An open /dev/video*. Each call but `poll` and `now_ms` raises OSError; none of them waits."""

    def ioctl(self, request: int, argument: Structure) -> None:
        """Fill or take `argument`, in place."""
        ...

    def map(self, length: int, offset: int) -> mmap.mmap:
        """Map one of its buffers."""
        ...

    def poll(self, timeout_ms: int) -> int:
        """POLLIN when a picture is ready, bits of GONE when it is not well, 0 after the time."""
        ...

    def now_ms(self) -> float:
        """The clock of its time stamps, ms."""
        ...

    def close(self) -> None:
        """Close it; mappings live on until they are closed."""
        ...


class KernelDevice:
    """The real one. Implements `VideoDevice`.

    Args:
        path: of the device; a stable one, such as /dev/v4l/by-path/..., finds it again.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def ioctl(self, request: int, argument: Structure) -> None:
        """Raises OSError."""
        fcntl.ioctl(self._fd, request, argument)

    def map(self, length: int, offset: int) -> mmap.mmap:
        """Raises OSError."""
        return mmap.mmap(self._fd, length, offset=offset)

    def poll(self, timeout_ms: int) -> int:
        """Events of the device."""
        events = self._poll.poll(timeout_ms)
        return events[0][1] if events else 0

    def now_ms(self) -> float:
        """CLOCK_MONOTONIC."""
        return time.monotonic_ns() / 1e6

    def close(self) -> None:
        """Raises OSError."""
        os.close(self._fd)
