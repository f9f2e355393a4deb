"""The boot state on flash: read, change and write back under a lock, one copy after the other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from drivers.closing import Closing
from drivers.faults import StorageFault
from ota.image.boot_state import (
    COPIES_AT,
    LOST,
    MISC_BYTES,
    SECTOR_BYTES,
    BootState,
    newest,
    to_sector,
)

MISC: Final = Path("/dev/disk/by-partlabel/misc")


class Sectors(Protocol):
    """What the copies are on: the part of `drivers.interfaces.Storage` that is needed here."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Read. Raises StorageFault."""
        ...

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write; durable only after `sync`. Raises StorageFault."""
        ...

    def sync(self) -> None:
        """Make all writes durable. Raises StorageFault."""
        ...


def read(misc: Sectors) -> tuple[BootState, list[str]]:
    """The state that counts, and what is wrong with a copy; `LOST` where neither can be used.

    Raises:
        StorageFault: it cannot be read.
    """
    state, _, faults = newest(_copies(misc))
    return (LOST if state is None else state), faults


def change(misc: Sectors, step: Callable[[BootState], BootState]) -> BootState:
    """Change the state; durable on return. What does not differ is not written.

    Args:
        misc: the partition.
        step: makes the next state from the present one.

    Raises:
        StorageFault: the present state still counts, or the next one does; never neither.
    """
    copies = _copies(misc)
    state, counts, _ = newest(copies)
    before = LOST if state is None else state
    after = step(before)
    if after == before and state is not None:
        return before
    after = replace(after, seq=before.seq + 1)
    at = COPIES_AT[0] if state is None else COPIES_AT[1 - counts]
    sector = to_sector(after)
    misc.write_at(at, sector)
    misc.sync()
    if misc.read_at(at, SECTOR_BYTES) != sector:
        raise StorageFault("io", f"misc: the boot state at {at} reads otherwise than written")
    return after


def _copies(misc: Sectors) -> tuple[bytes, bytes]:
    first, second = (misc.read_at(at, SECTOR_BYTES) for at in COPIES_AT)
    return first, second


class MiscPartition(Closing):
    """Partition `misc`, locked for this process. Use it as a context manager.

    Args:
        path: the block device, or a file of that size in tests.

    Raises:
        StorageFault: "missing", "read_only" (not permitted), "too_small" or "io".
    """

    def __init__(self, path: Path = MISC) -> None:
        self._path = path
        with self._faults():
            self._fd = os.open(path, os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            size = os.lseek(self._fd, 0, os.SEEK_END)
        if size < MISC_BYTES:
            self.close()
            raise StorageFault("too_small", f"{path}: {size} bytes, not {MISC_BYTES}")

    def close(self) -> None:
        """Give up the lock. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read_at(self, offset: int, length: int) -> bytes:
        """Read from the flash itself, not from what the kernel remembers. Raises StorageFault."""
        with self._faults():
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
            return os.pread(self._fd, length, offset)

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write. Raises StorageFault."""
        with self._faults():
            if os.pwrite(self._fd, data, offset) != len(data):
                raise StorageFault("io", f"{self._path}: written in part")

    def sync(self) -> None:
        """Make it durable: a flush reaches the flash. Raises StorageFault."""
        with self._faults():
            os.fsync(self._fd)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reasons = {"FileNotFoundError": "missing", "PermissionError": "read_only"}
            reason = reasons.get(type(error).__name__, "io")
            raise StorageFault(reason, f"{self._path}: {error.strerror}") from error
