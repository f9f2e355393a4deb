"""Everything that may change in the field, durable: students, key ring, site file.

The promises, wherever the power is cut or the storage fails:

- What a method has returned from is durable: it says so only after sync and read-back.
- What a method has raised from counts as not done. `state` is as before; after a reset the step
  may turn out to be done or not, never half.
- Nothing that counts is written over: records, site files and student sets go to another place,
  which is given up durably before its first byte is written.
- What cannot be read is empty, so that the factory students run. What a newer runtime of another
  major format has written is not written over: `locked` says so, and every change is refused.

Faults of the storage are `Refused("storage")` here, except in the constructor. Belongs to one
thread; `state` may be read from others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.faults import StorageFault
from drivers.interfaces import Storage
from ota import records, site_steps, steps
from ota.area import fit
from ota.head import Head
from ota.manifest import Chunk, Manifest, Placed, Taken, parse_manifest, take
from ota.records import Records, write_through
from ota.refusal import Refused
from ota.slots import SlotArea
from ota.state import FACTORY, SlotInfo, State, from_bytes, to_bytes

STATE_MAGIC = b"HTST"
RING_MAGIC = b"HTRG"
SITE_MAGIC = b"HTSF"


class SiteFile:
    """The site file to use now.

    Attributes:
        text: of the file; "" where none was stored: use the one that came with the image.
        digest: SHA-256 of it, b"" without one.
        is_trial: it has not proved itself yet.
        tries: how often it was started.
    """

    def __init__(self, text: str = "", is_trial: bool = False, tries: int = 0) -> None:
        self.text = text
        self.digest = hashlib.sha256(text.encode()).digest() if text else b""
        self.is_trial = is_trial
        self.tries = tries


class Store:
    """One Storage block.

    Args:
        storage: all of it belongs to the store, which does not close it.
        slot_bytes: of each of the two slots.
        factory_counter: security counter of the students that came with the image.

    Attributes:
        state: the last durable one.
        locked: why nothing may be changed here; "" where it may.

    Raises:
        StorageFault: "too_small".
    """

    def __init__(self, storage: Storage, slot_bytes: int, factory_counter: int = 0) -> None:
        self._storage = storage
        self._layout = layout = fit(storage, slot_bytes)
        self._factory_counter = factory_counter
        self._states = Records(storage, layout.states, layout.state_bytes, STATE_MAGIC)
        self._rings = Records(storage, layout.rings, layout.ring_bytes, RING_MAGIC)
        self.slots = tuple(SlotArea(storage, at, layout.slot_bytes) for at in layout.slots)
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

    # the key ring

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

    # what a slot holds

    def head(self, slot: int) -> Head:
        """The head in a slot; its digest is the one in the state.

        Raises:
            Refused: "nothing" in it, "chunk": damaged, "storage": cannot be read.
        """
        info = self._info(slot)
        with refusing():
            return self.slots[slot].read_head(info.head_bytes, info.digest)

    def contents(self, slot: int, target: str) -> tuple[Manifest, Taken]:
        """What a slot says that it holds for a target. Raises Refused as `head`."""
        manifest = parse_manifest(self.head(slot).manifest)
        return manifest, take(manifest, target, self._layout.unit_bytes)

    def read_file(self, slot: int, role: str, name: str, target: str) -> bytes:
        """One file, hashed now; of two with this name the one for the very target.

        Raises:
            Refused: "nothing" of that name, "chunk": damaged, "storage": cannot be read.
        """
        _, taken = self.contents(slot, target)
        found = [one for one in taken.files if (one.entry.role, one.entry.name) == (role, name)]
        if not found:
            raise Refused("nothing", f"slot {slot} holds no {role}/{name} for {target}")
        return self.read_placed(slot, max(found, key=lambda one: one.entry.target))

    def read_placed(self, slot: int, placed: Placed) -> bytes:
        """A file whose place is known, hashed now. Raises Refused: "chunk" or "storage"."""
        with refusing():
            return self.slots[slot].read_file(self._info(slot).head_bytes, placed)

    def missing(self, slot: int, taken: Taken, trust_doubtful: bool = True) -> bytearray:
        """Per chunk 1 where it is not in the slot, by its hash.

        Args:
            slot, taken: what belongs where.
            trust_doubtful: believe what reads well where a write has failed in this run.

        Raises:
            Refused: "storage".
        """
        area, head_bytes = self.slots[slot], self._info(slot).head_bytes
        with refusing():
            found = area.missing(head_bytes, taken)
        if not trust_doubtful:
            for chunk in taken.chunks:
                found[chunk.index] |= area.is_doubtful(head_bytes, chunk)
        return found

    def holds_head(self, slot: int, head: bytes) -> bool:
        """Whether these very bytes are the head in a slot. Raises Refused: "storage"."""
        with refusing():
            return self._info(slot).head_bytes == len(head) and self.slots[slot].holds_head(head)

    def write_chunk(self, slot: int, chunk: Chunk, plain: bytes) -> None:
        """Make a verified chunk durable. Raises Refused: "storage"."""
        if self.state.slots[slot].status != "receiving":
            raise ValueError(f"slot {slot} is {self.state.slots[slot].status}")
        self.settle()
        with refusing():
            self.slots[slot].write_chunk(self._info(slot).head_bytes, chunk, plain)

    def _info(self, slot: int) -> SlotInfo:
        if slot == FACTORY or self.state.slots[slot].status == "empty":
            raise Refused("nothing", f"slot {slot} is empty")
        return self.state.slots[slot]

    # the life of a student set

    def receive(self, slot: int, info: SlotInfo, head: bytes) -> None:
        """Give the slot up for a new set, durably, and only then write its head.

        Raises Refused: "storage" or "newer_format".
        """
        self.commit(steps.receiving(self.state, slot, info))
        with refusing():
            self.slots[slot].write_head(head)

    def set_staged(self, slot: int) -> None:
        """All of it is there and was hashed. Raises Refused: "storage"."""
        self.commit(steps.staged(self.state, slot))
        self.slots[slot].clear_doubts()

    def begin_trial(self) -> int:
        """Count a try, durably; only then may the set be built and run.

        Returns:
            Its slot.

        Raises:
            Refused: "nothing" is staged or on trial, "counter", "storage".
        """
        self.commit(steps.trial_begun(self.state))
        return self.state.trial

    def confirm(self) -> None:
        """The set on trial stays, and the floor rises. Raises Refused: "nothing", "storage"."""
        self.commit(steps.confirmed(self.state))

    def roll_back(self, reason: str, detail: str = "") -> None:
        """End the trial; `state.last` says why. Raises Refused: "nothing", "storage"."""
        self.commit(steps.rolled_back(self.state, reason, detail))

    def go_back(self) -> None:
        """To the set before. See `Updater.go_back`, which looks at it first.

        Raises Refused: "busy", "nothing", "counter", "storage".
        """
        self.commit(steps.gone_back(self.state, self._factory_counter))

    def abandon(self) -> None:
        """Give up what is not running. Raises Refused: "busy", "nothing", "storage"."""
        self.commit(steps.abandoned(self.state))

    def set_aside(self, slot: int, reason: str, detail: str = "", before: int = FACTORY) -> None:
        """A set cannot be used: it is gone. See `Students.set_aside`, which looks for `before`.

        Raises Refused: "nothing" in that slot, "storage".
        """
        self.commit(steps.set_aside(self.state, slot, reason, detail, before))

    # the site file

    @property
    def site(self) -> SiteFile:
        """The site file to use: the one on trial, else the confirmed one, else that of the image.

        One that is damaged counts as not there.
        """
        site = self.state.site
        for place, is_trial in ((site.trial, True), (site.confirmed, False)):
            text = self._site_text(place) if place >= 0 else ""
            if text:
                return SiteFile(text, is_trial, site.tries if is_trial else 0)
        return SiteFile()

    def _site_text(self, place: int) -> str:
        try:
            data = self._storage.read_at(self._layout.sites[place], self._layout.site_bytes)
        except StorageFault:
            return ""
        record = records.decode(data, SITE_MAGIC)
        wanted = self.state.site.digests[place]
        if record is None or hashlib.sha256(record.body).digest() != wanted:
            return ""
        return record.body.decode()

    def save_site(self, text: str) -> None:
        """Store a site file, to be tried at the next start. Whoever calls has checked it.

        The confirmed one stays, and so does another one on trial until this one is durable.

        Raises:
            Refused: "too_long", "argument": empty, "storage", "newer_format".
        """
        self.settle()
        body = text.encode()
        most = self._layout.site_bytes - records.OVERHEAD_BYTES
        if len(body) > most:
            raise Refused("too_long", f"site file: {len(body)} bytes; at most {most}")
        if not body:
            raise Refused("argument", "the site file is empty")
        place = site_steps.free_place(self.state.site)
        data = records.encode(SITE_MAGIC, 0, body, self._layout.unit_bytes)
        with refusing():
            write_through(self._storage, self._layout.sites[place], data)
        self.commit(site_steps.saved(self.state, place, hashlib.sha256(body).digest()))

    def site_started(self) -> int:
        """Count a try of the site file on trial, durably, before it is used.

        Returns:
            The tries with this one.

        Raises:
            Refused: "nothing" is on trial, "storage".
        """
        self.commit(site_steps.started(self.state))
        return self.state.site.tries

    def confirm_site(self) -> None:
        """The site file on trial stays. Raises Refused: "nothing", "storage"."""
        self.commit(site_steps.confirmed(self.state))

    def drop_site(self, reason: str, detail: str = "") -> None:
        """Give up the one on trial; `state.site.last` says why. Raises Refused as above."""
        self.commit(site_steps.dropped(self.state, reason, detail))


@contextmanager
def refusing() -> Iterator[None]:
    """Turn faults of the storage into refusals."""
    try:
        yield
    except StorageFault as fault:
        raise Refused("storage", f"{fault.reason}: {fault.detail}"[:200]) from fault
