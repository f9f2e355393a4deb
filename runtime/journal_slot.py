"""One journal slot: how an event lies in flash.

A slot is `slot_bytes` long (512 ... 16384, the storage's atomic unit) and describes itself; there
is no other structure in the ring. All numbers are little-endian.

    offset  size  field
         0     4  magic b"HTJR"
         4     1  format major: a change of it means that the body cannot be read by older readers
         5     1  format minor: more body keys, readable by all
         6     1  flags: bit 0 = TRUNCATED, the body did not fit and lost some values
         7     1  kind: see `Kind`; numbers not known to this reader are shown as numbers
         8     8  seq: rises with every attempt to append, never used twice
        16     8  boot_id: the same for all records of one run
        24     8  monotonic time, ms, float64
        32     8  wall time, ms since 1970, signed: a label, it may jump
        40     1  log2 of slot_bytes, so that a copy can be read without its board file
        41     1  zero
        42     2  length n of the body
        44     n  body: a msgpack map
      44+n     4  CRC-32 (zlib) of all bytes before it
      48+n        zeros to the end of the slot

Offsets 0 ... 44, the place of the CRC and what it covers stay as they are in every later format.
A slot of zeros (new), of 0xFF (erased), with a wrong CRC (torn) or of another kind holds no record.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgpack

MAGIC: Final = b"HTJR"
MAJOR, MINOR = 1, 0
TRUNCATED: Final = 1
SLOT_SIZES = tuple(1 << n for n in range(9, 15))
HEADER: Final = Struct("<4sBBBBQQdqBBH")
CRC: Final = Struct("<I")
OVERHEAD_BYTES: Final = HEADER.size + CRC.size

Buffer = bytes | bytearray | memoryview


class Kind(IntEnum):
    """What a record is about."""

    HAZARD = 1
    ALARM = 2
    OUTPUT = 3
    FAULT = 4
    BOOT = 5
    SHUTDOWN = 6
    COUNTS = 7
    OPERATOR = 8
    UPDATE = 9


class Record(NamedTuple):
    """One event as it was read.

    Attributes:
        seq: rising; a gap is an append that was not acknowledged.
        boot_id: which run wrote it.
        mono_ms: monotonic time, ms.
        wall_ms: wall time, ms since 1970; may have jumped.
        kind: number of the kind, see `Kind`.
        is_truncated: the body lost values that did not fit.
        format: (major, minor) of the writer.
        body: empty where this reader cannot read it.
    """

    seq: int
    boot_id: int
    mono_ms: float
    wall_ms: int
    kind: int
    is_truncated: bool
    format: tuple[int, int]
    body: dict[str, Any]

    @property
    def kind_name(self) -> str:
        """ "hazard", "alarm", ...; the number where this reader does not know it."""
        return (
            Kind(self.kind).name.lower() if self.kind in Kind._value2member_map_ else str(self.kind)
        )


def find_seq(data: Buffer, offset: int, slot_bytes: int) -> int | None:
    """Sequence number of the record at `offset`, or None; for a quick scan.

    Only a slot with the magic has its CRC computed.
    """
    if data[offset : offset + 4] != MAGIC or len(data) < offset + slot_bytes:
        return None
    if slot_bytes not in SLOT_SIZES:
        return None
    _, _, _, _, _, seq, _, _, _, log2, _, length = HEADER.unpack_from(data, offset)
    end = offset + HEADER.size + length
    if 1 << log2 != slot_bytes or end + CRC.size > offset + slot_bytes:
        return None
    if crc32(memoryview(data)[offset:end]) != CRC.unpack_from(data, end)[0]:
        return None
    return int(seq)


def decode(slot: Buffer) -> Record | None:
    """The record in a slot, or None where there is none. Never raises, whatever the bytes."""
    if find_seq(slot, 0, len(slot)) is None:
        return None
    fields = HEADER.unpack_from(slot)
    _, major, minor, flags, kind, seq, boot_id, mono_ms, wall_ms, _, _, length = fields
    body = _decode_body(slot[HEADER.size : HEADER.size + length]) if major == MAJOR else {}
    is_truncated = bool(flags & TRUNCATED)
    return Record(seq, boot_id, mono_ms, wall_ms, kind, is_truncated, (major, minor), body)


def _decode_body(data: Buffer) -> dict[str, Any]:
    try:
        body = msgpack.unpackb(data, strict_map_key=False, unicode_errors="replace")
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        return {}
    return {str(key): value for key, value in body.items()} if isinstance(body, dict) else {}


class SlotWriter:
    """Packs records into one buffer that is used again and again.

    Attributes:
        slot: bytearray[slot_bytes], valid after `encode` until the next one.
    """

    def __init__(self, slot_bytes: int, boot_id: int) -> None:
        if slot_bytes not in SLOT_SIZES:
            raise ValueError(f"slot_bytes = {slot_bytes}: must be one of {SLOT_SIZES}")
        if not 0 <= boot_id < 1 << 64:
            raise ValueError(f"boot_id = {boot_id}: must be >= 0 and < 2**64")
        self.slot = bytearray(slot_bytes)
        self._view = memoryview(self.slot)
        self._zeros = bytes(slot_bytes)
        self._end = 0
        self._boot_id = boot_id
        self._packer = msgpack.Packer(default=_plain, autoreset=False, buf_size=4 * slot_bytes)

    def encode(
        self, seq: int, kind: int, mono_ms: float, wall_ms: int, body: dict[str, Any]
    ) -> None:
        """Fill `slot`. A body that does not fit, or that msgpack cannot hold, loses values."""
        flags = 0
        if not self._pack(body):
            flags = TRUNCATED
            self._pack_part(body)
        packed = self._packer.getbuffer()
        length = len(packed)
        end = HEADER.size + length
        log2 = len(self.slot).bit_length() - 1
        HEADER.pack_into(
            self.slot, 0, MAGIC, MAJOR, MINOR, flags, kind, seq, self._boot_id,
            mono_ms, wall_ms, log2, 0, length,
        )  # fmt: skip
        self._view[HEADER.size : end] = packed
        packed.release()
        CRC.pack_into(self.slot, end, crc32(self._view[:end]))
        end += CRC.size
        if end < self._end:
            self._view[end : self._end] = self._zeros[: self._end - end]
        self._end = end

    def _pack(self, body: dict[str, Any]) -> bool:
        """Pack the whole body; False where it cannot be done or does not fit."""
        self._packer.reset()
        try:
            self._packer.pack(body)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return False
        return self._packed_bytes() <= len(self.slot) - OVERHEAD_BYTES

    def _pack_part(self, body: dict[str, Any]) -> None:
        """Pack as many values as fit: the small ones first, `why` last."""
        packed: list[tuple[bool, int, str, Any]] = []
        for key, value in body.items():
            if self._pack({key: value}):
                packed.append((key == "why", self._packed_bytes(), key, value))
        packed.sort(key=lambda item: item[:2])
        part: dict[str, Any] = {}
        for _, _, key, value in packed:
            part[key] = value
            if not self._pack(part):
                del part[key]
        self._pack(part)

    def _packed_bytes(self) -> int:
        with self._packer.getbuffer() as packed:
            return len(packed)


def _plain(value: Any) -> Any:
    """What msgpack does not know: numpy numbers and arrays as Python's own, the rest as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
