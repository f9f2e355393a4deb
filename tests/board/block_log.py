"""What a disk was told, in order, and what a power cut would have left on it.

The log is that of QEMU's `-blockdev driver=blklogwrites`, which has the format of Linux's
dm-log-writes (drivers/md/dm-log-writes.c); little-endian:

    sector 0    magic, version, number of entries (may lag behind), sector size
    then each   one sector: first sector, sectors, flags, data length; then the data, if it has any

A disk may keep what it was told in a cache until a flush. So a power cut leaves everything before
the last flush, and of what came after it any sectors, whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntFlag
from pathlib import Path
from random import Random
from struct import Struct
from typing import Final, NamedTuple

MAGIC: Final = 0x6A736677736872
VERSION: Final = 1
SUPER: Final = Struct("<QQQI")
ENTRY: Final = Struct("<QQQQ")
TEAR_BYTES: Final = 512
"""A disk writes so many bytes whole or not at all."""


class Flag(IntFlag):
    """Of an entry."""

    FLUSH = 1
    FUA = 2
    DISCARD = 4
    MARK = 8
    METADATA = 16


class Entry(NamedTuple):
    """One request, in bytes.

    Attributes:
        at: offset on the disk. length: of it. flags: of `Flag`.
        data_at: where in the log its data is.
    """

    at: int
    length: int
    flags: Flag
    data_at: int

    @property
    def is_write(self) -> bool:
        """It has data."""
        return bool(self.length) and not self.flags & (Flag.DISCARD | Flag.MARK)


class BrokenLog(ValueError):
    """It is no such log."""


class BlockLog:
    """A log in memory.

    Args:
        data: the log file's bytes; what a killed QEMU has not written of the end is left out.

    Attributes:
        entries: in the order in which the disk was told.

    Raises:
        BrokenLog: it is none.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < SUPER.size:
            raise BrokenLog(f"{len(data)} bytes")
        magic, version, _, unit = SUPER.unpack_from(data)
        if (magic, version) != (MAGIC, VERSION):
            raise BrokenLog(f"magic {magic:#x}, version {version}")
        if unit < TEAR_BYTES or unit & (unit - 1):
            raise BrokenLog(f"sectors of {unit} bytes")
        self._data = data
        self.entries = list(_entries(data, unit))

    @classmethod
    def read(cls, path: Path) -> BlockLog:
        """Of a file. Raises OSError, BrokenLog."""
        return cls(path.read_bytes())

    def data(self, entry: Entry) -> bytes:
        """What was to be written."""
        return self._data[entry.data_at : entry.data_at + entry.length]


def _entries(data: bytes, unit: int) -> Iterator[Entry]:
    at = unit
    while at + ENTRY.size <= len(data):
        sector, sectors, flags, data_length = ENTRY.unpack_from(data, at)
        if not (sectors or flags):
            return
        at += unit
        entry = Entry(sector * unit, sectors * unit, Flag(flags), at)
        held = entry.length if entry.is_write else data_length
        if at + held > len(data):
            return  # QEMU was killed while it wrote the data
        yield entry
        at += -(-held // unit) * unit


def write_log(requests: Iterable[tuple[int, bytes, Flag]], unit: int = TEAR_BYTES) -> bytes:
    """A log as QEMU writes it, for tests: (offset, data, flags) of each request."""
    parts = [SUPER.pack(MAGIC, VERSION, 0, unit).ljust(unit, b"\0")]
    for at, data, flags in requests:
        entry = ENTRY.pack(at // unit, len(data) // unit, flags, 0)
        parts.append(entry.ljust(unit, b"\0") + data)
    return b"".join(parts)


class Disk:
    """What is on a disk, or on a part of it, as it is told one request after the other.

    Args:
        log: what it is told.
        base: its bytes before that.
        lies: a disk that says of a flush that it was done and does nothing; for tests of tests.
        at: where on the disk `base` begins; what is written elsewhere is left out.
    """

    def __init__(self, log: BlockLog, base: bytes, lies: bool = False, at: int = 0) -> None:
        self._log, self._lies, self._at = log, lies, at
        self._durable = bytearray(base)
        self._told = 0
        self._pending: list[int] = []

    def cut(self, position: int, chance: float = 1.0, seed: int = 0) -> bytearray:
        """The disk after a power cut before the entry `position`; positions never fall.

        Args:
            position: 0 ... number of entries.
            chance: that a sector since the last flush has come through; 1: all of them have.
            seed: which.
        """
        if position < self._told:
            raise ValueError(f"cut at {position}, told up to {self._told}")
        while self._told < position:
            self._tell(self._told)
            self._told += 1
        left, random = bytearray(self._durable), Random(f"{seed} {position}")
        for index in self._pending:
            is_sure = self._log.entries[index].flags & Flag.FUA and index + 1 < position
            self._write(left, index, random, 1.0 if is_sure and not self._lies else chance)
        return left

    def _tell(self, index: int) -> None:
        entry = self._log.entries[index]
        if entry.flags & Flag.FLUSH and not self._lies:
            for earlier in self._pending:
                self._write(self._durable, earlier, Random(0), 1.0)
            self._pending = []
        if entry.is_write and self._at - entry.length < entry.at < self._at + len(self._durable):
            self._pending.append(index)

    def _write(self, disk: bytearray, index: int, random: Random, chance: float) -> None:
        entry = self._log.entries[index]
        data = self._log.data(entry)
        if chance >= 1.0:
            self._put(disk, entry.at, data)
            return
        for start in range(0, entry.length, TEAR_BYTES):
            if random.random() < chance:
                self._put(disk, entry.at + start, data[start : start + TEAR_BYTES])

    def _put(self, disk: bytearray, at: int, data: bytes) -> None:
        """As much of it as lies in this part."""
        first = max(0, self._at - at)
        start = at + first - self._at
        data = data[first : first + max(0, len(disk) - start)]
        disk[start : start + len(data)] = data
