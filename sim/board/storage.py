"""The board's flash as the firmware sees it: faults on a timeline, and a cut at any operation."""

from __future__ import annotations

from collections.abc import Callable

from drivers.faults import StorageFault
from runtime.journal_slot import find_seq
from sim.board.faults import Options
from sim.board.flash import Flash, Tail
from sim.board.power import Power

FAILING = ("full", "io", "read_only")
DAMAGE = bytes.fromhex("5aa5") * 8
"""Written into the middle of a record that a fault tears."""


class Cuts:
    """Power cuts that wait for an operation of the storage. Set as `Flash.before`.

    Args:
        strike: ends the run of the firmware, with the count that was asked for and what is left on
            flash; it does not come back.
    """

    def __init__(self, strike: Callable[[int, bytes], None]) -> None:
        self._strike = strike
        self._waiting: dict[int, tuple[int, Tail]] = {}

    def add(self, flash: Flash, count: int, tail: Tail) -> None:
        """Cut inside the count-th operation from now on; 1 is the next write or sync."""
        self._waiting[flash.operations + count] = (count, tail)

    def __call__(self, flash: Flash, units: set[int]) -> None:
        """Inside an operation: strike when it is one of them."""
        if flash.operations in self._waiting:
            count, tail = self._waiting.pop(flash.operations)
            self._strike(count, flash.after_cut(flash.operations, units, tail))


class SimStorage:
    """One boot's hold on the flash. Implements `Storage`."""

    def __init__(self, flash: Flash, power: Power, faults: dict[str, Options]) -> None:
        self._flash = flash
        self._power = power
        self._faults = faults
        self.size_bytes = flash.size_bytes
        self.atomic_unit_bytes = flash.atomic_unit_bytes
        flash.is_failing = lambda _: self._reason() or None

    def read_at(self, offset: int, length: int) -> bytes:
        """Read."""
        return self._flash.read_at(offset, length)

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write. Raises StorageFault."""
        self._check_power()
        if self._reason() == "read_only":
            raise StorageFault("read_only", "asked for by the scenario")
        self._flash.write_at(offset, data)

    def sync(self) -> None:
        """Make it durable. Raises StorageFault."""
        self._check_power()
        self._flash.sync()

    def close(self) -> None:
        """Nothing to close; may be called twice."""

    def _reason(self) -> str:
        if not self._faults:
            return ""
        return next((name for name in FAILING if name in self._faults), "")

    def _check_power(self) -> None:
        if not self._power.is_on:
            raise StorageFault("io", "the power is off")


def tear_newest(flash: Flash) -> int | None:
    """Damage the newest record of a journal ring; returns its sequence number, None if none is."""
    size = flash.unit_bytes
    found = [
        (seq, offset)
        for offset in range(0, flash.size_bytes, size)
        if (seq := find_seq(flash.visible, offset, size)) is not None
    ]
    if not found:
        return None
    seq, offset = max(found)
    for image in (flash.visible, flash.durable):
        image[offset + 48 : offset + 48 + len(DAMAGE)] = DAMAGE
    return seq
