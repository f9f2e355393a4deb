"""The state and the key ring on flash: what was durable is found, what is new becomes durable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from drivers.faults import StorageFault
from drivers.interfaces import Storage
from ota import records
from ota.area import fit
from ota.records import Records
from ota.refusal import Refused
from ota.state import State, from_bytes, to_bytes

STATE_MAGIC: Final = b"HTST"
RING_MAGIC: Final = b"HTRG"


class StateStore:
    """The records of one Storage block; see `ota.store`.

    Args:
        storage: all of it belongs to the store, which does not close it.
        slot_bytes: of each of the two slots.

    Attributes:
        state: the last durable one.
        locked: why nothing may be changed here; "" where it may.

    Raises:
        StorageFault: "too_small".
    """

    def __init__(self, storage: Storage, slot_bytes: int) -> None:
        self._storage = storage
        self._layout = layout = fit(storage, slot_bytes)
        self._states = Records(storage, layout.states, layout.state_bytes, STATE_MAGIC)
        self._rings = Records(storage, layout.rings, layout.ring_bytes, RING_MAGIC)
        self.locked = ""
        self._is_settled = False
        self.state = self._load()

    def _load(self) -> State:
        for found in (self._states.newest, self._rings.newest):
            if found is not None and found.major > records.MAJOR:
                self.locked = (
                    f"flash holds format {found.major}; this runtime knows {records.MAJOR}"
                )
                return State()
        if self._states.newest is None:
            return State()
        try:
            return from_bytes(self._states.newest.body)
        except Refused as refused:
            self.locked = refused.detail
            return State()

    def commit(self, state: State) -> None:
        """Make a state durable. Raises Refused: "storage" or "newer_format"."""
        self.settle()
        with refusing():
            self._states.write(to_bytes(state))
        self.state = state

    def settle(self) -> None:
        """Before the first change of a run: make surely durable what was found at the start.

        After a sync that failed, a process that starts anew may read what is in the kernel's memory
        alone. What that says must not be built upon.

        Raises:
            Refused: "storage"; "newer_format" where nothing may be changed.
        """
        if self.locked:
            raise Refused("newer_format", self.locked)
        if self._is_settled:
            return
        newest = self._states.newest
        if newest is not None:
            with refusing():
                self._states.write(newest.body)
        self._is_settled = True

    @property
    def ring(self) -> bytes:
        """The newest key ring that was stored; b"": none."""
        newest = self._rings.newest
        return newest.body if newest is not None and newest.major == records.MAJOR else b""

    def save_ring(self, data: bytes) -> None:
        """Make a verified key ring durable. Raises Refused: "storage" or "newer_format"."""
        self.settle()
        with refusing():
            self._rings.write(data)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn faults of the storage into refusals."""
    try:
        yield
    except StorageFault as fault:
        raise Refused("storage", f"{fault.reason}: {fault.detail}"[:200]) from fault
