"""The event journal: a ring of self-describing slots on flash, without a header.

What a slot looks like is in `runtime.journal_slot`. The promises:

- `append` returns when the record is durable (acknowledged). An acknowledged record stays until
  the ring comes round to its slot. A slot is the storage's atomic unit, so that a power cut can
  only harm the slot being written, which holds the oldest record or none.
- A record whose append failed, or was cut, is not acknowledged: it may be there or not. Its
  sequence number is not given again in the same run, so two records never share one.
- After a fault the next append goes to the next slot, since the sector may be bad and since the
  kernel forgets data that it could not write. The tries go round in RETRY_SLOTS slots, so that
  storage which is gone for hours does not eat the history.
- At the start the ring is scanned for the highest sequence number. Torn, erased or foreign slots
  are passed over, and written when their turn comes; nothing is ever wiped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from heapq import nsmallest
from typing import Any

from drivers.faults import StorageFault
from drivers.interfaces import Clock, Storage
from runtime.journal_slot import MAGIC, SLOT_SIZES, Record, SlotWriter, decode, find_seq

RETRY_SLOTS = 4
"""Slots that a fault may use up: it costs at most the oldest 4 records, however long it lasts."""
_BLOCK_BYTES = 1 << 18
"""Bytes per read while scanning."""


class Journal:
    """Appends events. Belongs to one thread.

    Args:
        storage: the ring; the journal uses all of it, and does not close it.
        clock: labels the records.
        boot_id: 0 ... 2**64-1, marks the records of one run; None = a random one.

    Attributes:
        next_seq: number that the next append tries.
        slots: capacity in records.
        boot_id: of this run.
        wall_ms: wall time of the last record tried, ms since 1970.

    Raises:
        StorageFault: the storage cannot be read, is smaller than two slots ("too_small"), or holds
            a ring with another slot size ("slot_mismatch").
    """

    def __init__(self, storage: Storage, clock: Clock, boot_id: int | None = None) -> None:
        self._storage = storage
        self._clock = clock
        self.slot_bytes = storage.atomic_unit_bytes
        self.slots = storage.size_bytes // self.slot_bytes
        if self.slots < 2:
            raise StorageFault("too_small", f"{storage.size_bytes} bytes hold {self.slots} slots")
        self.boot_id = int.from_bytes(os.urandom(8), "little") if boot_id is None else boot_id
        self._writer = SlotWriter(self.slot_bytes, self.boot_id)
        self.wall_ms = 0
        self._retry_slots = min(RETRY_SLOTS, self.slots - 1)
        self._failures = 0
        last_seq, last_slot = self._recover()
        self.next_seq = last_seq + 1
        self._head = (last_slot + 1) % self.slots

    def _recover(self) -> tuple[int, int]:
        """Highest sequence number and its slot; (0, -1) for an empty ring."""
        newest = max(_scan(self._storage, self.slot_bytes), default=None)
        if newest is not None:
            return newest[0], newest[1] // self.slot_bytes
        other = find_slot_bytes(self._storage)
        if other is not None:
            detail = f"the ring has slots of {other} bytes, the board file says {self.slot_bytes}"
            raise StorageFault("slot_mismatch", f"{detail}: move it away")
        return 0, -1

    def read_all(self) -> Iterator[Record]:
        """All records that are there, in order. Raises StorageFault."""
        return read_all(self._storage)

    def read_from(self, seq: int, most: int) -> Iterator[Record]:
        """The first records with this number or a higher one; from any thread.

        Raises:
            StorageFault: the storage cannot be read.
        """
        found = (each for each in _scan(self._storage, self.slot_bytes) if each[0] >= seq)
        for number, offset in nsmallest(most, found):
            record = decode(self._storage.read_at(offset, self.slot_bytes))
            if record is not None and record.seq == number:
                yield record

    def append(self, kind: int, body: dict[str, Any]) -> int:
        """Write one event and wait until it is durable.

        A body that does not fit loses values (`why` first) and is marked so; that is no error.

        Returns:
            The record's sequence number.

        Raises:
            StorageFault: not acknowledged; the next append tries another slot.
        """
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        slot = (self._head + self._failures % self._retry_slots) % self.slots
        self._failures += 1  # until it is durable
        self.wall_ms = self._clock.wall_ms()
        self._writer.encode(seq, kind, self._clock.now_ms(), self.wall_ms, body)
        self._storage.write_at(slot * self.slot_bytes, self._writer.slot)
        self._storage.sync()
        self._failures = 0
        self._head = (slot + 1) % self.slots
        return seq


def read_all(storage: Storage) -> Iterator[Record]:
    """All records in the order of their sequence numbers; none for an empty ring.

    Needs no lock: a slot that is overwritten meanwhile is passed over.

    Raises:
        StorageFault: the storage cannot be read.
    """
    slot_bytes = find_slot_bytes(storage)
    if slot_bytes is None:
        return
    for seq, offset in sorted(_scan(storage, slot_bytes)):
        record = decode(storage.read_at(offset, slot_bytes))
        if record is not None and record.seq == seq:
            yield record


def find_slot_bytes(storage: Storage) -> int | None:
    """Slot size that the first record in the storage states; None where there is no record."""
    for start, block in _blocks(storage, SLOT_SIZES[-1]):
        offset = block.find(MAGIC)
        while offset >= 0:
            for slot_bytes in SLOT_SIZES:
                aligned = (start + offset) % slot_bytes == 0
                if aligned and find_seq(block, offset, slot_bytes) is not None:
                    return slot_bytes
            offset = block.find(MAGIC, offset + 1)
    return None


def _scan(storage: Storage, slot_bytes: int) -> Iterator[tuple[int, int]]:
    """(seq, offset) of every valid slot, in the order of the storage."""
    for start, block in _blocks(storage, slot_bytes):
        for offset in range(0, len(block), slot_bytes):
            seq = find_seq(block, offset, slot_bytes)
            if seq is not None:
                yield seq, start + offset


def _blocks(storage: Storage, unit_bytes: int) -> Iterator[tuple[int, bytes]]:
    """The storage in large pieces: (offset, bytes); a rest shorter than 512 bytes is left out."""
    step = max(_BLOCK_BYTES, unit_bytes)
    end = storage.size_bytes - storage.size_bytes % SLOT_SIZES[0]
    for start in range(0, end, step):
        yield start, storage.read_at(start, min(step, end - start))
