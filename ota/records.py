"""Records that survive a power cut: each describes itself, and newer ones go to the other place.

    offset  size  field
         0     4  magic of the kind of record
         4     1  format major: a change of it means that the body cannot be read by older runtimes
         5     1  format minor: more keys in the body, which older runtimes pass over and keep
         6     2  zero
         8     8  seq: rises with every record; the newest valid one counts
        16     4  length n of the body
        20     4  salt: CRC-32 of what the place held before
        24     n  body
      24+n     4  CRC-32 (zlib) of all bytes before it
      28+n        zeros to the end of the atomic unit

Numbers are little-endian. A record that is torn, erased or foreign is none. The one that counts is
never written over: the next goes to another place, is synced, read back, and counts from then on.

The salt keeps apart two tries of the same number: where both were cut, the first units of one and
the last ones of the other must not make a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from drivers.faults import StorageFault
from drivers.interfaces import Storage
from ota.area import units_up

MAJOR: Final = 1
MINOR: Final = 0
HEADER: Final = Struct("<4sBBHQII")
CRC: Final = Struct("<I")
OVERHEAD_BYTES: Final = HEADER.size + CRC.size
READ_BACK_BYTES: Final = 4096


class Record(NamedTuple):
    """One valid record, of whatever format."""

    seq: int
    major: int
    minor: int
    body: bytes


def encode(magic: bytes, seq: int, body: bytes, unit_bytes: int, salt: int = 0) -> bytes:
    """A record, filled up to whole units."""
    start = HEADER.pack(magic, MAJOR, MINOR, 0, seq, len(body), salt) + body
    data = start + CRC.pack(crc32(start))
    return data.ljust(units_up(len(data), unit_bytes), b"\0")


def decode(data: bytes, magic: bytes) -> Record | None:
    """The record at the beginning of `data`, or None. Never raises, whatever the bytes."""
    if len(data) < OVERHEAD_BYTES or data[:4] != magic:
        return None
    _, major, minor, _, seq, length, _ = HEADER.unpack_from(data)
    end = HEADER.size + length
    if end + CRC.size > len(data):
        return None
    if crc32(memoryview(data)[:end]) != CRC.unpack_from(data, end)[0]:
        return None
    return Record(seq, major, minor, data[HEADER.size : end])


class Records:
    """Places for one kind of record, written in turn.

    Args:
        storage: where they lie. unit_bytes: its atomic unit.
        places: offsets, at least two. place_bytes: size of each.
        magic: 4 bytes.

    Attributes:
        newest: the record that counts; None where no place holds one.
    """

    def __init__(
        self, storage: Storage, places: Sequence[int], place_bytes: int, magic: bytes
    ) -> None:
        self._storage = storage
        self._places = places
        self._place_bytes = place_bytes
        self._magic = magic
        found = [self._read(place) for place in places]
        seqs = [-1 if record is None else record.seq for record in found]
        self._at = seqs.index(max(seqs)) if max(seqs) >= 0 else len(places) - 1
        self.newest = found[self._at]
        self._seq = max(seqs)

    @property
    def most_bytes(self) -> int:
        """Longest body that a place holds."""
        return self._place_bytes - OVERHEAD_BYTES

    def write(self, body: bytes) -> None:
        """Make a new record durable; the one before counts until then.

        Raises:
            StorageFault: it did not get there: "full" where it is too long, "io" where it reads
                otherwise than it was written. The next try goes to the same place.
        """
        if len(body) > self.most_bytes:
            raise StorageFault("full", f"a record of {len(body)} bytes; at most {self.most_bytes}")
        self._seq += 1  # a number is not given twice in a run, even where the write fails
        at = (self._at + 1) % len(self._places)
        place, unit_bytes = self._places[at], self._storage.atomic_unit_bytes
        salt = self._salt(place)
        data = encode(self._magic, self._seq, body, unit_bytes, salt)
        write_through(self._storage, place, data)
        self._at = at
        self.newest = Record(self._seq, MAJOR, MINOR, body)

    def _salt(self, place: int) -> int:
        try:
            return crc32(self._storage.read_at(place, self._place_bytes))
        except StorageFault:  # a sector that cannot be read may still be written
            return 0

    def _read(self, place: int) -> Record | None:
        try:
            return decode(self._storage.read_at(place, self._place_bytes), self._magic)
        except StorageFault:  # a sector that cannot be read holds no record
            return None


def write_through(storage: Storage, at: int, data: bytes) -> None:
    """Write, sync and read back, in small parts.

    Raises:
        StorageFault: the storage's own, or "io" where it reads otherwise.
    """
    storage.write_at(at, data)
    storage.sync()
    view = memoryview(data)
    for start in range(0, len(data), READ_BACK_BYTES):
        part = view[start : start + READ_BACK_BYTES]
        if storage.read_at(at + start, len(part)) != part:
            raise StorageFault("io", f"{len(data)} bytes at {at} read otherwise than written")
