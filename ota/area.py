"""Where everything that may change in the field lies in one block of flash.

    state    3 x STATE_BYTES   records written in turn: what runs, tries, floor; see `ota.state`
    ring     3 x RING_BYTES    records written in turn: the newest key ring
    site     3 x SITE_BYTES    the site file that is confirmed, one on trial, one being written
    slots    2 x slot_bytes    whole student sets; see `ota.slots`

Every part begins at a multiple of the storage's atomic unit, so that a power cut can only harm the
part being written. What lies where does not depend on what is in it: there is no header to lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.faults import StorageFault
from drivers.interfaces import Storage

STATE_BYTES: Final = 4096
RING_BYTES: Final = 8192
SITE_BYTES: Final = 1 << 15
STATES: Final = 3
"""Two are enough for power cuts. The third is for a sync that failed and a process that started
anew: then the newest record may be in the kernel's memory alone, and the one before it must stay
while the next is written."""
RINGS: Final = 3
SITES: Final = 3
SLOTS: Final = 2


@dataclass(frozen=True)
class Layout:
    """Offsets in the block, and sizes in whole units, bytes."""

    unit_bytes: int
    states: tuple[int, ...]
    state_bytes: int
    rings: tuple[int, ...]
    ring_bytes: int
    sites: tuple[int, ...]
    site_bytes: int
    slots: tuple[int, ...]
    slot_bytes: int
    end: int


def units_up(count: int, unit_bytes: int) -> int:
    """`count` bytes, rounded up to whole units."""
    return -(-count // unit_bytes) * unit_bytes


def lay_out(slot_bytes: int, unit_bytes: int) -> Layout:
    """Where things lie for slots of `slot_bytes` on flash with this atomic unit."""
    at = 0
    found: list[tuple[tuple[int, ...], int]] = []
    parts = (STATES, STATE_BYTES), (RINGS, RING_BYTES), (SITES, SITE_BYTES), (SLOTS, slot_bytes)
    for copies, wanted in parts:
        size = units_up(wanted, unit_bytes)
        found.append((tuple(at + size * copy for copy in range(copies)), size))
        at += size * copies
    (states, state), (rings, ring), (sites, site), (slots, slot) = found
    return Layout(unit_bytes, states, state, rings, ring, sites, site, slots, slot, at)


def needed_bytes(slot_bytes: int, unit_bytes: int) -> int:
    """Least size of the storage, for the board file."""
    return lay_out(slot_bytes, unit_bytes).end


def fit(storage: Storage, slot_bytes: int) -> Layout:
    """The layout on this storage.

    Raises:
        StorageFault: "too_small".
    """
    layout = lay_out(slot_bytes, storage.atomic_unit_bytes)
    if storage.size_bytes < layout.end:
        detail = f"{storage.size_bytes} bytes; two slots of {slot_bytes} need {layout.end}"
        raise StorageFault("too_small", detail)
    return layout
