"""Which students may run, by the newest key ring that is trusted.

A revoked or unknown key does not stop the active set, whose digest the state pins: a blind camera
helps nobody. `Students.distrust` says so, and once the set is replaced there is no way back to it.
Whoever can write the flash directly is not held up here; that is for the board's secure boot.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from ota import steps
from ota.admission import Facts
from ota.key_ring import KeyRing, advance, check_bundle, parse_ring, trust_first
from ota.manifest import Manifest
from ota.refusal import Refused
from ota.state import FACTORY
from ota.store import Store

Files = dict[str, dict[str, bytes]]


class LoadedSet(NamedTuple):
    """What to build students from.

    Attributes:
        slot: where it came from; FACTORY: nothing else is filled in.
        manifest: of the bundle.
        files: role -> name -> bytes.
    """

    slot: int
    manifest: Manifest | None
    files: Files


class Students:
    """The sets in the slots, and the key ring.

    Args:
        store: where they are.
        facts: what this camera is.
        ring_trusted: the key ring that came with the image.

    Attributes:
        ring: the newest key ring that is trusted.
        running: slot that `load_active` gave; FACTORY before.

    Raises:
        Refused: the image's own key ring is wrong.
    """

    def __init__(self, store: Store, facts: Facts, ring_trusted: bytes) -> None:
        self.store = store
        self.facts = facts
        self.ring = _newest(trust_first(ring_trusted), store.ring)
        self.running = FACTORY
        self._failed: Refused | None = None
        self._distrusted = b"", ""

    def rings(self, chain: list[bytes]) -> int:
        """Take newer key rings, oldest first; durable on return.

        Returns:
            The version that is trusted now.

        Raises:
            Refused: "storage", "newer_format", and as `ota.key_ring.advance`.
        """
        newer = advance(self.ring, chain)
        if newer.version > self.ring.version:
            self.store.save_ring(newer.data)
            self.ring = newer
            self._judge_active()
        return self.ring.version

    def load_set(self, slot: int) -> tuple[Manifest, Files]:
        """Read a set to build students from: signature, floor and every hash are looked at now.

        Raises:
            Refused: "nothing" in it, "chunk": damaged, "counter", "signature" or "revoked_key"
                (not for the active set), "storage".
        """
        if slot != self.store.state.active:
            self.check_trust(slot)
        manifest, taken = self.store.contents(slot, self.facts.target)
        steps.check_floor(self.store.state, manifest.counter)
        files: Files = {}
        for placed in sorted(taken.files, key=lambda placed: placed.entry.target):
            role = files.setdefault(placed.entry.role, {})
            role[placed.entry.name] = self.store.read_placed(slot, placed)
        return manifest, files

    def load_active(self) -> LoadedSet:
        """At the start: the active set, or where it cannot be used the one before, or the factory.

        First it sees whether a new image has brought newer students: see `steps.image_changed`.
        What cannot be used is set aside durably. What cannot be read is not before the next offer:
        it may be read then. Never raises: a camera always starts.
        """
        with suppress(Refused):  # flash takes nothing now: what ran goes on
            self.store.follow_image(self.facts.factory_release)
        active, before = self.store.state.active, steps.fall_back(self.store.state)
        loaded = self._load(active) or self._load(before) or LoadedSet(FACTORY, None, {})
        self.running = loaded.slot
        with suppress(Refused):  # flash takes or gives nothing now
            self.settle(is_patient=True)
        self._judge_active()
        return loaded

    def settle(self, is_patient: bool = False) -> None:
        """Set aside durably an active set that could not be used at the start, if it still cannot.

        Args:
            is_patient: leave it where flash cannot be read; it may be later.

        Raises:
            Refused: "storage" or "newer_format".
        """
        if self._failed is None:
            return
        slot = self.store.state.active
        try:
            self.load_set(slot)
        except Refused as refused:
            if is_patient and refused.reason == "storage":
                raise
            self.set_aside(slot, refused.reason, refused.detail, is_patient)
        self._failed = None

    def set_aside(self, slot: int, reason: str, detail: str, is_patient: bool = False) -> None:
        """A set cannot be used: where it is active, the one before it is, or the factory's.

        The one before has to be trusted and whole now, since nobody asks again once it is active.

        Raises:
            Refused: "nothing" in that slot, "storage" or "newer_format".
        """
        before = steps.fall_back(self.store.state)
        if before != FACTORY and slot == self.store.state.active:
            try:
                self.load_set(before)
            except Refused as refused:
                if is_patient and refused.reason == "storage":
                    raise
                before = FACTORY
        self.store.set_aside(slot, reason, detail, before)

    def _load(self, slot: int) -> LoadedSet | None:
        """A set, or None where there is none or it cannot be used."""
        if slot == FACTORY:
            return None
        try:
            manifest, files = self.load_set(slot)
        except Refused as refused:
            if slot == self.store.state.active:
                self._failed = refused
            return None
        return LoadedSet(slot, manifest, files)

    def go_back(self) -> int:
        """To the set before, which is looked at first; durable on return.

        Returns:
            Its slot, to be loaded by `load_active`; FACTORY.

        Raises:
            Refused: "busy", "nothing", "counter", "signature", "revoked_key", "chunk", "storage".
        """
        state = self.store.state
        if state.previous not in (FACTORY, state.active):
            self.load_set(state.previous)
        self.store.go_back()
        return self.store.state.active

    def check_trust(self, slot: int) -> None:
        """See that the newest key ring trusts a set.

        Raises:
            Refused: "signature", "revoked_key", and as `Store.head`.
        """
        check_bundle(self.ring, self.store.head(slot))

    @property
    def distrust(self) -> str:
        """Why the active set would not be taken today: "revoked_key", ...; "" where it would.

        Found out at the start and with every new key ring; a set that became active since was
        looked at then. Reads no flash.
        """
        digest, reason = self._distrusted
        active = self.store.state.active
        return (
            reason if active != FACTORY and self.store.state.slots[active].digest == digest else ""
        )

    def _judge_active(self) -> None:
        active = self.store.state.active
        self._distrusted = b"", ""
        if active == FACTORY:
            return
        try:
            self.check_trust(active)
        except Refused as refused:
            self._distrusted = self.store.state.slots[active].digest, refused.reason

    def base_payload(self, digest: bytes) -> bytes:
        """What a delta is against: the files of the active set, without padding between them.

        Raises:
            Refused: "base": another set is active, "chunk": damaged, "storage".
        """
        slot = self.store.state.active
        if slot == FACTORY or self.store.state.slots[slot].digest != digest:
            raise Refused("base", "other students run by now")
        _, taken = self.store.contents(slot, self.facts.target)
        return b"".join(self.store.read_placed(slot, placed) for placed in taken.files)


def _newest(trusted: KeyRing, stored: bytes) -> KeyRing:
    """The image's ring, or the one that was taken since; that one was proved when it came."""
    if not stored:
        return trusted
    try:
        ring = parse_ring(stored)
    except Refused:
        return trusted
    is_newer = ring.product == trusted.product and ring.version > trusted.version
    return ring if is_newer else trusted
