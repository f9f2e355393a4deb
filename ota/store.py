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

from drivers.interfaces import Storage
from ota import steps
from ota.head import Head
from ota.manifest import Chunk, Manifest, Placed, Taken, parse_manifest, take
from ota.refusal import Refused
from ota.site_store import SiteStore
from ota.slots import SlotArea
from ota.state import FACTORY, SlotInfo
from ota.state_store import refusing


class Store(SiteStore):
    """One Storage block: the state, the key ring and site files of its bases, and two slots.

    Args:
        storage: all of it belongs to the store, which does not close it.
        slot_bytes: of each of the two slots.
        factory_counter: security counter of the students that came with the image.

    Raises:
        StorageFault: "too_small".
    """

    def __init__(self, storage: Storage, slot_bytes: int, factory_counter: int = 0) -> None:
        super().__init__(storage, slot_bytes)
        self._factory_counter = factory_counter
        size = self._layout.slot_bytes
        self.slots = tuple(SlotArea(storage, at, size) for at in self._layout.slots)

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

    def follow_image(self, release: int) -> None:
        """See whether the image has changed, and with it which students are the newer ones.

        Args:
            release: of the students that came with the image.

        Raises:
            Refused: "storage" or "newer_format": what ran goes on.
        """
        if release != self.state.image:
            self.commit(steps.image_changed(self.state, release, self._factory_counter))

    def abandon(self) -> None:
        """Give up what is not running. Raises Refused: "busy", "nothing", "storage"."""
        self.commit(steps.abandoned(self.state))

    def set_aside(self, slot: int, reason: str, detail: str = "", before: int = FACTORY) -> None:
        """A set cannot be used: it is gone. See `Students.set_aside`, which looks for `before`.

        Raises Refused: "nothing" in that slot, "storage".
        """
        self.commit(steps.set_aside(self.state, slot, reason, detail, before))
