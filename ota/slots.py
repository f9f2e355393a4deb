"""One slot: a student set as it lies in flash.

    head     the bundle's head without its key rings, filled up to whole units
    payload  the files that this camera takes, each at a multiple of the unit: `ota.manifest.take`

Nothing here is trusted: what a slot holds is hashed at every look.
"""

from __future__ import annotations

import hashlib

from drivers.faults import StorageFault
from drivers.interfaces import Storage
from ota.area import units_up
from ota.head import Head, parse_head
from ota.manifest import CHUNK_BYTES, Chunk, Placed, Taken
from ota.records import write_through
from ota.refusal import Refused


class SlotArea:
    """The bytes of one slot.

    Args:
        storage: where it lies. at: offset. size: bytes, whole units.
    """

    def __init__(self, storage: Storage, at: int, size: int) -> None:
        self._storage = storage
        self._at = at
        self.size = size
        self._unit = storage.atomic_unit_bytes
        self._doubtful = range(0)

    def write_head(self, head: bytes) -> None:
        """Make the head durable. Raises StorageFault."""
        self._write(0, head)

    def holds_head(self, head: bytes) -> bool:
        """Whether these bytes are there, surely. Raises StorageFault."""
        is_doubtful = self._doubtful and self._doubtful.start < len(head)
        return not is_doubtful and self._storage.read_at(self._at, len(head)) == head

    def read_head(self, length: int, digest: bytes) -> Head:
        """The head, if it is the one with this digest.

        Raises:
            Refused: "chunk" where it is another one, or damaged.
            StorageFault: it cannot be read.
        """
        data = self._storage.read_at(self._at, min(length, self.size))
        try:
            head = parse_head(data)
        except Refused as refused:
            raise Refused("chunk", f"head in the slot: {refused.detail}") from refused
        if head.digest != digest:
            raise Refused("chunk", "the head in the slot is another one")
        return head

    def write_chunk(self, head_bytes: int, chunk: Chunk, plain: bytes) -> None:
        """Make a verified chunk durable, and read it back.

        Raises:
            StorageFault: the storage's own, or "io" where it reads otherwise.
        """
        self._write(units_up(head_bytes, self._unit) + chunk.slot_at, plain)

    def has(self, head_bytes: int, chunk: Chunk) -> bool:
        """Whether the right bytes are in the place of a chunk. Raises StorageFault."""
        at = self._payload(head_bytes) + chunk.slot_at
        return hashlib.sha256(self._storage.read_at(at, chunk.size)).digest() == chunk.sha256

    def missing(self, head_bytes: int, taken: Taken) -> bytearray:
        """Per chunk 1 where it is not there. Raises StorageFault."""
        return bytearray(not self.has(head_bytes, chunk) for chunk in taken.chunks)

    def is_doubtful(self, head_bytes: int, chunk: Chunk) -> bool:
        """Whether a write there has failed: then it may read well and still not be on flash."""
        at = units_up(head_bytes, self._unit) + chunk.slot_at
        return at < self._doubtful.stop and self._doubtful.start < at + chunk.size

    def clear_doubts(self) -> None:
        """All of it was written again."""
        self._doubtful = range(0)

    def read_file(self, head_bytes: int, placed: Placed) -> bytes:
        """A whole file, every part of it hashed.

        Raises:
            Refused: "chunk" where a part is not the signed one.
            StorageFault: it cannot be read.
        """
        entry = placed.entry
        data = self._storage.read_at(self._payload(head_bytes) + placed.slot_at, entry.bytes)
        view = memoryview(data)
        for number, sha256 in enumerate(entry.chunks):
            part = view[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            if hashlib.sha256(part).digest() != sha256:
                raise Refused("chunk", f"{entry.role}/{entry.name}: chunk {number} is damaged")
        return data

    def _payload(self, head_bytes: int) -> int:
        return self._at + units_up(head_bytes, self._unit)

    def _write(self, at: int, data: bytes) -> None:
        end = at + units_up(len(data), self._unit)
        if end > self.size:
            raise ValueError(f"{len(data)} bytes at {at}: a slot has {self.size}")
        try:
            write_through(self._storage, self._at + at, data.ljust(end - at, b"\0"))
        except StorageFault:
            doubt = self._doubtful or range(at, end)
            self._doubtful = range(min(doubt.start, at), max(doubt.stop, end))
            raise
