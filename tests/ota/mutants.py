"""Cameras with one mistake each, which the power cuts must find."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from ota import area, records, site_steps, slots, steps
from ota.records import Records
from ota.site_store import SITE_MAGIC
from ota.slots import SlotArea
from ota.state import SlotInfo
from ota.store import Store

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], object]


def tries_in_ram(patch: Patch) -> None:
    def begin_trial(store: Store) -> int:
        store.state = steps.trial_begun(store.state)
        return store.state.trial

    patch.setattr(Store, "begin_trial", begin_trial)


def site_tries_in_ram(patch: Patch) -> None:
    def site_started(store: Store) -> int:
        store.state = site_steps.started(store.state)
        return store.state.site.tries

    patch.setattr(Store, "site_started", site_started)


def single_state_record(patch: Patch) -> None:
    patch.setattr(area, "STATES", 1)


def ring_in_place(patch: Patch) -> None:
    patch.setattr(area, "RINGS", 1)


def no_crc(patch: Patch) -> None:
    def decode(data: bytes, magic: bytes) -> records.Record | None:
        if data[:4] != magic:
            return None
        _, major, minor, _, seq, length, _ = records.HEADER.unpack_from(data)
        body = data[records.HEADER.size :][:length]
        return records.Record(seq, major, minor, body)

    patch.setattr(records, "decode", decode)


def records_without_salt(patch: Patch) -> None:
    patch.setattr(Records, "_salt", lambda places, place: 0)


def records_without_sync(patch: Patch) -> None:
    def write(places: Records, body: bytes) -> None:
        places._seq += 1
        at = (places._at + 1) % len(places._places)
        unit = places._storage.atomic_unit_bytes
        data = records.encode(places._magic, places._seq, body, unit)
        places._storage.write_at(places._places[at], data)
        places._at = at
        places.newest = records.Record(places._seq, records.MAJOR, records.MINOR, body)

    patch.setattr(Records, "write", write)


def data_without_sync(patch: Patch) -> None:
    def write_only(storage: Any, at: int, data: bytes) -> None:
        storage.write_at(at, data)

    patch.setattr(slots, "write_through", write_only)


def no_hash_at_load(patch: Patch) -> None:
    def read_file(area: SlotArea, head_bytes: int, placed: Any) -> bytes:
        at = area._payload(head_bytes) + placed.slot_at
        return area._storage.read_at(at, placed.entry.bytes)

    patch.setattr(SlotArea, "read_file", read_file)


def data_without_sync_nor_hash(patch: Patch) -> None:
    data_without_sync(patch)
    no_hash_at_load(patch)


def floor_before_confirm(patch: Patch) -> None:
    def confirm(store: Store) -> None:
        counter = store.state.slots[store.state.trial].counter
        store.commit(replace(store.state, floor=max(store.state.floor, counter)))
        store.commit(steps.confirmed(store.state))

    patch.setattr(Store, "confirm", confirm)


def floor_after_confirm(patch: Patch) -> None:
    def confirm(store: Store) -> None:
        state = steps.confirmed(store.state)
        store.commit(replace(state, floor=store.state.floor))
        store.commit(state)

    patch.setattr(Store, "confirm", confirm)


def invalidated_after(patch: Patch) -> None:
    def receive(store: Store, slot: int, info: SlotInfo, head: bytes) -> None:
        store.slots[slot].write_head(head)
        store.commit(steps.receiving(store.state, slot, info))

    patch.setattr(Store, "receive", receive)


def into_the_active_slot(patch: Patch) -> None:
    patch.setattr(steps, "free_slot", lambda state: max(state.active, 0))
    patch.setattr(
        steps,
        "receiving",
        lambda state, slot, info: steps.with_slot(state, slot, replace(info, status="receiving")),
    )


def staged_before_the_last_chunk(patch: Patch) -> None:
    write_chunk, set_staged = Store.write_chunk, Store.set_staged

    def early(store: Store, slot: int, chunk: Any, plain: bytes) -> None:
        if chunk.index == 2:
            set_staged(store, slot)
            store.slots[slot].write_chunk(store._info(slot).head_bytes, chunk, plain)
        else:
            write_chunk(store, slot, chunk, plain)

    patch.setattr(Store, "write_chunk", early)
    patch.setattr(Store, "set_staged", lambda store, slot: None)


def resume_without_hashing(patch: Patch) -> None:
    patch.setattr(SlotArea, "missing", lambda area, head, taken: bytearray(len(taken.chunks)))


def site_in_place(patch: Patch) -> None:
    patch.setattr(site_steps, "free_place", lambda site: max(site.trial, site.confirmed, 0))


def site_named_before_it_is_there(patch: Patch) -> None:
    def save_site(store: Store, text: str) -> None:
        place = site_steps.free_place(store.state.site)
        body = text.encode()
        store.commit(site_steps.saved(store.state, place, hashlib.sha256(body).digest()))
        data = records.encode(SITE_MAGIC, 0, body, store._layout.unit_bytes)
        records.write_through(store._storage, store._layout.sites[place], data)

    patch.setattr(Store, "save_site", save_site)


def confirm_in_two_steps(patch: Patch) -> None:
    def confirm(store: Store) -> None:
        state = steps.confirmed(store.state)
        store.commit(replace(state, active=store.state.active, previous=store.state.previous))
        store.commit(state)

    patch.setattr(Store, "confirm", confirm)


class Mutation(NamedTuple):
    """A mistake.

    Attributes:
        make: plants it.
        lives: that it is played in.
        harm: what the cuts must find: a part of a complaint.
    """

    make: Mutant
    lives: tuple[str, ...]
    harm: str


TRIALS = ("receive", "trial and confirm", "rollback")
MUTANTS: dict[str, Mutation] = {
    "tries in RAM": Mutation(tries_in_ram, TRIALS[1:], "half a step"),
    "tries of the site file in RAM": Mutation(site_tries_in_ram, ("site",), "half a step"),
    "single state record": Mutation(single_state_record, (*TRIALS, "site"), "active=b'factory'"),
    "key ring written in place": Mutation(ring_in_place, ("key rings",), "ring is 1"),
    "no CRC": Mutation(no_crc, TRIALS, "locked: state"),
    "records without sync": Mutation(records_without_sync, TRIALS, "half a step"),
    "no sync of the data": Mutation(
        data_without_sync, ("first receive", "receive"), "chunk 0 is damaged"
    ),
    "no sync of the data, chunks lost": Mutation(
        data_without_sync, ("receive",), "chunks that were taken are lost"
    ),
    "no sync of the data, no hash at load": Mutation(
        data_without_sync_nor_hash, ("first receive", "receive"), "other bytes"
    ),
    "floor raised before the confirm": Mutation(floor_before_confirm, TRIALS[1:2], "half a step"),
    "floor raised after the confirm": Mutation(floor_after_confirm, TRIALS[1:2], "half a step"),
    "confirm in two steps": Mutation(confirm_in_two_steps, TRIALS[1:2], "half a step"),
    "slot invalidated after its first byte": Mutation(
        invalidated_after, ("receive", "go back"), "another one"
    ),
    "the active slot is written": Mutation(into_the_active_slot, ("receive",), "set is gone"),
    "staged before the last chunk is there": Mutation(
        staged_before_the_last_chunk, ("first receive",), "is damaged"
    ),
    "resume without hashing": Mutation(resume_without_hashing, ("resume",), "is damaged"),
    "site file written in place": Mutation(site_in_place, ("site",), "half a step"),
    "site file named before it is there": Mutation(
        site_named_before_it_is_there, ("site",), "half a step"
    ),
}
"""By name."""
