"""The camera's side of an update, from the offer to students that may be built.

    offer -> chunk, chunk, ... -> staged -> Store.begin_trial -> load_set -> Store.confirm
                                                                    \\-> Store.roll_back

At most one transfer at a time, named by the digest of its manifest, so that another carrier or a
later day goes on with it. It survives resets by nothing but the slot: what is there is found by
hashing. What was decided beyond that:

- Key rings that an offer brings are kept as soon as they prove themselves, even where the bundle
  itself is refused: a revocation must not be stopped by the bundle that it comes with.
- A set that failed its trial is refused with the reason of that, so that a stick left in the camera
  does not bring it again and again; `abandon` forgets it.
- An offer takes the place of a transfer that is silent, or of an older release; else it is "busy".
- For a delta the base set is read for each chunk and let go again: memory for one more set is
  needed for that moment, see `Facts.can_unpack`. Otherwise one chunk is held, and one unpacked.

Belongs to the thread of its store. Everything raises `Refused` and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from drivers.interfaces import Clock
from ota import steps
from ota.admission import Admitted, Facts, admit
from ota.head import parse_head
from ota.key_ring import parse_chain
from ota.manifest import Chunk, Taken
from ota.pack_delta import unpack_chunk
from ota.refusal import REASONS, Refused
from ota.state import NONE, SlotInfo
from ota.store import Store
from ota.students import Students

SESSION_BYTES: Final = 16
SILENT_MS: Final = 60_000.0
"""After so long without a part another bundle may take a transfer's place."""
MAX_REPAIRS: Final = 3
"""Chunks of one transfer that may be found wrong after they were written, before it is given up."""


@dataclass
class Transfer:
    """What is under way.

    Attributes:
        slot, digest, taken: of the set. base: digest of what it is against; b"" for none.
        missing: a 1 for each chunk that is not there.
        repairs: chunks that were found wrong after they were written.
    """

    slot: int
    digest: bytes
    base: bytes
    taken: Taken
    missing: bytearray
    repairs: int = 0

    @property
    def next(self) -> int:
        """Lowest missing chunk; -1: none."""
        return self.missing.find(1)

    @property
    def all_bytes(self) -> int:
        """Bytes of all chunks."""
        return sum(chunk.size for chunk in self.taken.chunks)

    @property
    def done_bytes(self) -> int:
        """Bytes that are there, as they lie in the slot."""
        parts = zip(self.taken.chunks, self.missing, strict=True)
        return sum(chunk.size for chunk, is_missing in parts if not is_missing)


class Updater(Students):
    """Takes bundles; `Students` says which of them may run.

    Args:
        store: where they go.
        facts: what this camera is.
        ring_trusted: the key ring that came with the image.
        clock: tells a silent transfer; without one every transfer counts as silent.

    Attributes:
        transfer: under way in this run; None.

    Raises:
        Refused: the image's own key ring is wrong.
    """

    def __init__(
        self, store: Store, facts: Facts, ring_trusted: bytes, clock: Clock | None = None
    ) -> None:
        super().__init__(store, facts, ring_trusted)
        self.transfer: Transfer | None = None
        self._clock = clock
        self._heard_ms = 0.0

    def offer(self, head: bytes, allow_older: bool = False) -> dict[str, Any]:
        """Begin an update, or go on with it. See `ota.service.Service.ask`.

        Returns:
            session, next (-1: complete), chunks, bytes, done, and state: "receiving", "staged" or
            "trial".

        Raises:
            Refused: "nothing": it runs already, or it is the set before; why it failed its trial;
                "busy"; and what `ota.admission.admit` says.
        """
        parsed = parse_head(head)
        self.settle()
        self.rings(parse_chain(parsed.rings))
        self._check_known(parsed.digest, allow_older)
        admitted = admit(parsed, self.facts, self.ring, self.store.state, allow_older)
        self._check_busy(parsed.digest, admitted.manifest.release)
        transfer = self._open(parsed.digest, admitted)
        if self.store.state.slots[transfer.slot].status == "receiving":
            self.transfer = transfer
            self._heard_ms = self._now_ms()
            if transfer.next < 0:
                self._finish(transfer)
        return self._answer(transfer)

    def chunk(self, session: bytes, index: int, data: bytes) -> int:
        """Take one chunk, as it lies in the bundle; durable on return.

        Returns:
            Index of the chunk wanted next; -1: all are there and the set is staged. A chunk that is
            not the wanted one is passed over.

        Raises:
            Refused: "session", "chunk": not the signed one, "storage", "argument".
        """
        transfer = self._under_way(session)
        if transfer is None:
            return self._ended(session)
        if not 0 <= index < len(transfer.missing):
            raise Refused("argument", f"chunk {index}; there are {len(transfer.missing)}")
        self._heard_ms = self._now_ms()
        if transfer.next == index:
            chunk = transfer.taken.chunks[index]
            self.store.write_chunk(transfer.slot, chunk, self._plain(transfer, chunk, data))
            transfer.missing[index] = 0
        if transfer.next < 0:
            self._finish(transfer)
        return transfer.next

    def abandon(self) -> None:
        """Give up what is half received, waits for its trial, or failed it.

        Raises:
            Refused: "busy": it is on trial; "nothing"; "storage".
        """
        self.store.abandon()
        self.transfer = None

    def _check_known(self, digest: bytes, allow_older: bool) -> None:
        """Refuse what was decided on before."""
        state = self.store.state
        for slot, info in enumerate(state.slots):
            if info.digest != digest:
                continue
            named = f"{info.version} (release {info.release})"
            if slot == state.active:
                raise Refused("nothing", f"{named} runs already")
            if slot == state.previous and not allow_older:
                raise Refused("nothing", f"{named} is the set before: roll back to go there")
            if info.status == "bad":
                reason = info.why if info.why in REASONS else "student"
                raise Refused(reason, f"{named} has failed its trial here; abandon it to try again")

    def _check_busy(self, digest: bytes, release: int) -> None:
        """Refuse a second transfer beside one that is alive, or newer and waits for its trial."""
        state = self.store.state
        if state.trial != NONE:
            if state.slots[state.trial].digest == digest:
                return
            raise Refused("busy", f"{state.slots[state.trial].version} is on trial")
        for info in state.slots:
            if info.digest == digest or info.status not in ("receiving", "staged"):
                continue
            is_alive = info.status == "staged" or self._is_heard(info.digest)
            if is_alive and release <= info.release:
                raise Refused("busy", f"{info.version} (release {info.release}) is {info.status}")

    def _is_heard(self, digest: bytes) -> bool:
        if self.transfer is None or self.transfer.digest != digest or self._clock is None:
            return False
        return self._clock.now_ms() - self._heard_ms < SILENT_MS

    def _waiting(self, digest: bytes) -> int:
        """The slot that receives or holds this set, not confirmed yet; NONE."""
        for slot, info in enumerate(self.store.state.slots):
            if info.digest == digest and info.status in ("receiving", "staged"):
                return slot
        return NONE

    def _open(self, digest: bytes, admitted: Admitted) -> Transfer:
        """Find out what is there; the slot is prepared where there is nothing."""
        slot = self._waiting(digest)
        manifest, taken = admitted.manifest, admitted.taken
        base = manifest.base.digest if manifest.base else b""
        if slot != NONE and self.store.state.slots[slot].status == "staged":
            return Transfer(slot, digest, base, taken, bytearray(len(taken.chunks)))
        if slot == NONE or not self.store.holds_head(slot, admitted.head):
            slot = steps.free_slot(self.store.state) if slot == NONE else slot
            info = SlotInfo(
                digest=digest,
                release=manifest.release,
                counter=manifest.counter,
                version=manifest.version,
                head_bytes=len(admitted.head),
            )
            self.store.receive(slot, info, admitted.head)
        missing = self.store.missing(slot, taken, trust_doubtful=False)
        return Transfer(slot, digest, base, taken, missing)

    def _finish(self, transfer: Transfer) -> None:
        """Hash all of it once more, and only then call it staged."""
        missing = self.store.missing(transfer.slot, transfer.taken)
        if missing.find(1) >= 0:
            transfer.missing = missing
            transfer.repairs += missing.count(1)
            if transfer.repairs > MAX_REPAIRS:
                self.transfer = None
                raise Refused("storage", "parts read otherwise than written, again and again")
            return
        self.store.set_staged(transfer.slot)
        self.transfer = None

    def _plain(self, transfer: Transfer, chunk: Chunk, data: bytes) -> bytes:
        """The chunk as it goes to flash, verified."""
        if len(data) != chunk.stored_size:
            raise Refused("chunk", f"{len(data)} bytes; the manifest says {chunk.stored_size}")
        if chunk.is_packed:
            base = self.base_payload(transfer.base) if transfer.base else b""
            data = unpack_chunk(data, chunk.size, base)
        if hashlib.sha256(data).digest() != chunk.sha256:
            raise Refused("chunk", f"chunk {chunk.index} is not the signed one")
        return data

    def _under_way(self, session: bytes) -> Transfer | None:
        """The transfer of this name, if its slot is still its own."""
        transfer = self.transfer
        if transfer is None or transfer.digest[:SESSION_BYTES] != session:
            return None
        info = self.store.state.slots[transfer.slot]
        is_ours = info.status == "receiving" and info.digest == transfer.digest
        return transfer if is_ours else None

    def _ended(self, session: bytes) -> int:
        """-1 for a set that is complete; the sender has missed the answer."""
        for info in self.store.state.slots:
            is_complete = info.status in ("staged", "confirmed")
            if is_complete and info.digest[:SESSION_BYTES] == session:
                return -1
        raise Refused("session", "no such transfer is under way: offer the bundle again")

    def _answer(self, transfer: Transfer) -> dict[str, Any]:
        status = self.store.state.slots[transfer.slot].status
        return {
            "session": transfer.digest[:SESSION_BYTES],
            "next": transfer.next,
            "chunks": len(transfer.missing),
            "bytes": transfer.all_bytes,
            "done": transfer.done_bytes,
            "state": "trial" if transfer.slot == self.store.state.trial else status,
        }

    def _now_ms(self) -> float:
        return self._clock.now_ms() if self._clock else 0.0
