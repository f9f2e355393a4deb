"""Flash as a file: a block of fixed size, written in place, with an explicit and honest sync."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.durable import make_folders, sync_folder
from drivers.faults import StorageFault

_REASONS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
    errno.ENOENT: "missing",
}
_ZEROS = bytes(1 << 16)


class FileStorage:
    """A preallocated file that one process owns. Implements `Storage`.

    The file is made at first use, under another name, filled with zeros and synced before it gets
    its own: a power cut leaves either no file or a whole one. Zeros are written rather than only
    reserved, so that no later write changes the file system's own tables.

    Args:
        path: of the file; missing folders are made.
        size_bytes: of the block; an existing file of another size is refused, never wiped.
        atomic_unit_bytes: smallest write that a power cut cannot tear, from the flash's data sheet.

    Raises:
        StorageFault: reason "size_mismatch", "in_use" (by another process), "not_a_file",
            "too_small" (the size is not a multiple of the unit), "full", "read_only" or "io".
    """

    def __init__(self, path: str | Path, size_bytes: int, atomic_unit_bytes: int) -> None:
        self.path = Path(path)
        self.size_bytes = size_bytes
        self.atomic_unit_bytes = atomic_unit_bytes
        self._fd = -1
        if size_bytes < atomic_unit_bytes or size_bytes % atomic_unit_bytes:
            detail = f"{size_bytes} bytes is not a multiple of the unit of {atomic_unit_bytes}"
            raise StorageFault("too_small", f"{path}: {detail}")
        with _faults(self.path):
            if not self.path.exists():
                self._create()
            if self._fd < 0:
                self._fd = _open_alone(self.path, os.O_RDWR)
        found = os.fstat(self._fd).st_size
        if found != size_bytes:
            self.close()
            detail = f"holds {found} bytes, the board file says {size_bytes}: move it away"
            raise StorageFault("size_mismatch", f"{path}: {detail}")

    def _create(self) -> None:
        """Make the file durable before it gets its name; its lock keeps a second maker out."""
        make_folders(self.path.parent)
        draft = self.path.with_name(self.path.name + ".new")
        fd = _open_alone(draft, os.O_RDWR | os.O_CREAT)
        try:
            if not self.path.exists():  # else: another process was faster, between two looks
                os.ftruncate(fd, 0)
                os.posix_fallocate(fd, 0, self.size_bytes)
                for offset in range(0, self.size_bytes, len(_ZEROS)):
                    _write_all(fd, _ZEROS[: self.size_bytes - offset], offset)
                os.fsync(fd)
                draft.rename(self.path)
                sync_folder(self.path.parent)
                self._fd, fd = fd, -1
        finally:
            if fd >= 0:
                draft.unlink(missing_ok=True)
                os.close(fd)

    def read_at(self, offset: int, length: int) -> bytes:
        """Read `length` bytes.

        Raises:
            StorageFault: "io", or "out_of_range".
        """
        self._check_range(offset, length)
        with _faults(self.path):
            return _read_all(self._fd, length, offset)

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write in place; durable only after `sync`.

        Raises:
            StorageFault: "full", "io", "read_only", or "out_of_range": the file never grows.
        """
        self._check_range(offset, len(data))
        with _faults(self.path):
            _write_all(self._fd, data, offset)

    def sync(self) -> None:
        """Make all writes durable. After a fault the kernel forgets what it could not write.

        Raises:
            StorageFault: "full", "io" or "read_only".
        """
        with _faults(self.path):
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the file and give up the lock. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _check_range(self, offset: int, length: int) -> None:
        if offset < 0 or offset + length > self.size_bytes:
            detail = f"{length} bytes at {offset} of {self.size_bytes}"
            raise StorageFault("out_of_range", f"{self.path}: {detail}")


class FileReader:
    """A ring that another process may be writing, or a copy of one: read only, no lock.

    Implements `Storage`; `write_at` and `sync` always fail.

    Raises:
        StorageFault: reason "missing", "not_a_file", "read_only" (not permitted) or "io".
    """

    atomic_unit_bytes = 512

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with _faults(self.path):
            self._fd = _open_file(self.path, os.O_RDONLY)
        self.size_bytes = os.fstat(self._fd).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises StorageFault."""
        with _faults(self.path):
            return _read_all(self._fd, length, offset)

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Refuse. Raises StorageFault("read_only")."""
        raise StorageFault("read_only", f"{self.path}: opened for reading")

    def sync(self) -> None:
        """Refuse. Raises StorageFault("read_only")."""
        raise StorageFault("read_only", f"{self.path}: opened for reading")

    def close(self) -> None:
        """Close. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn operating system errors into StorageFault."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, "io")
        raise StorageFault(reason, f"{path}: {error.strerror or error}") from error


def _open_file(path: Path, flags: int) -> int:
    """Open a regular file, never a device, a pipe or a folder."""
    if path.exists() and not path.is_file():
        raise StorageFault("not_a_file", str(path))
    fd = os.open(path, flags | os.O_NONBLOCK, 0o640)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise StorageFault("not_a_file", str(path))
    return fd


def _open_alone(path: Path, flags: int) -> int:
    """Open a regular file with an exclusive lock that ends with the process."""
    fd = _open_file(path, flags)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise StorageFault("in_use", f"{path}: another process has it open") from error
    return fd


def _write_all(fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write everything; the kernel may take it in pieces."""
    done = os.pwrite(fd, data, offset)
    while done < len(data):
        written = os.pwrite(fd, memoryview(data)[done:], offset + done)
        if written == 0:
            raise OSError(errno.EIO, "nothing was written")
        done += written


def _read_all(fd: int, length: int, offset: int) -> bytes:
    """Read exactly `length` bytes."""
    data = os.pread(fd, length, offset)
    while len(data) < length:
        more = os.pread(fd, length - len(data), offset + len(data))
        if not more:
            raise OSError(errno.EIO, f"ends after {offset + len(data)} bytes")
        data += more
    return data
