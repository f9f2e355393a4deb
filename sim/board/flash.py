"""Flash that forgets: memory whose power is cut, or that fails, at any operation.

It keeps apart what is visible from what would survive. An operation is a write or a sync; they are
counted from 1.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, Literal

from drivers.faults import StorageFault

Tail = Literal["", "old", "erased", "garbage"]
"""What stands behind the part of a unit that was written when the power went; "": chosen by the
seed, and the unit may also come out whole."""
TAILS: Final = ("", "old", "erased", "garbage")


class Flash:
    """Storage in memory. Implements `Storage`.

    Un-synced units survive or not, one by one; a unit whose write was cut may also be torn: its
    beginning new, the rest old, erased (0xFF) or garbage. A fault in `sync` clears the dirty state
    as a kernel does: what was not written is never tried again.

    Args:
        image: what is on flash at first.
        unit_bytes: what a power cut really cannot harm apart.
        claimed_bytes: what the storage says its atomic unit is; None = the truth.

    Attributes:
        durable: what a power cut leaves at least.
        visible: what a read gives.
        operations: writes and syncs so far.
        before: called inside each operation, with the units being written: the moment of a cut.
        is_failing: operation -> reason of a fault, or None.
    """

    def __init__(
        self, image: bytes, unit_bytes: int = 512, claimed_bytes: int | None = None
    ) -> None:
        self.durable = bytearray(image)
        self.visible = bytearray(image)
        self.size_bytes = len(image)
        self.unit_bytes = unit_bytes
        self.atomic_unit_bytes = claimed_bytes or unit_bytes
        self.dirty: set[int] = set()
        self.operations = 0
        self.before: Callable[[Flash, set[int]], None] | None = None
        self.is_failing: Callable[[int], str | None] = lambda operation: None
        self.random = random.Random(0)

    def read_at(self, offset: int, length: int) -> bytes:
        """What is visible."""
        return bytes(self.visible[offset : offset + length])

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write, or a beginning of it where it fails. Raises StorageFault."""
        units = set(
            range(offset // self.unit_bytes, (offset + len(data) - 1) // self.unit_bytes + 1)
        )
        reason = self._begin()
        kept = len(data) if reason is None else self.random.randrange(len(data))
        if self.before:
            old, self.visible[offset : offset + len(data)] = self.read_at(offset, len(data)), data
            self.before(self, units)
            self.visible[offset : offset + len(data)] = old
        self.visible[offset : offset + kept] = data[:kept]
        self.dirty |= units
        if reason:
            raise StorageFault(reason)

    def sync(self) -> None:
        """Make it durable. Raises StorageFault."""
        reason = self._begin()
        if self.before:
            self.before(self, set())
        for unit in sorted(self.dirty):
            if reason is None or self.random.random() < 0.5:
                self._copy(self.durable, unit, self.visible)
        self.dirty.clear()
        if reason:
            raise StorageFault(reason)

    def close(self) -> None:
        """Nothing to close."""

    def after_cut(self, seed: int, cut_units: set[int], tail: Tail = "") -> bytes:
        """What is on flash after a power cut now.

        Args:
            seed: of what survives.
            cut_units: were being written.
            tail: tear each of those, with this behind the part that was written.
        """
        chance = random.Random(seed)
        image = bytearray(self.durable)
        for unit in sorted(self.dirty | cut_units):
            if unit in cut_units and (tail or chance.random() < 0.6):
                self._tear(image, unit, chance, tail)
            elif chance.random() < 0.5:
                self._copy(image, unit, self.visible)
        return bytes(image)

    def restart(self, image: bytes | bytearray) -> None:
        """Go on with what a reset has left."""
        self.durable[:] = image
        self.visible[:] = image
        self.dirty.clear()

    def _begin(self) -> str | None:
        self.operations += 1
        return self.is_failing(self.operations)

    def _copy(self, target: bytearray, unit: int, source: bytes | bytearray) -> None:
        part = slice(unit * self.unit_bytes, (unit + 1) * self.unit_bytes)
        target[part] = source[part]

    def _tear(self, image: bytearray, unit: int, chance: random.Random, tail: Tail) -> None:
        start, size = unit * self.unit_bytes, self.unit_bytes
        cut = chance.randrange(chance.choice((64, size)))
        old = bytes(image[start : start + size])
        ends = {"old": old, "erased": b"\xff" * size, "garbage": chance.randbytes(size)}
        rest = ends[tail or chance.choice(("old", "erased", "garbage"))]
        image[start : start + size] = bytes(self.visible[start : start + cut]) + rest[cut:]
