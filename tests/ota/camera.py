"""A camera without a lens: flash, store and updater; and bundles of a few hundred bytes for it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from drivers.interfaces import Clock, Storage
from ota.admission import Facts
from ota.area import needed_bytes
from ota.build import Source, assemble
from ota.head import Head
from ota.manifest import Base as BaseName
from ota.manifest import Manifest, parse_manifest, take
from ota.store import Store
from ota.updater import Updater
from sim.board.flash import Flash
from tests.ota import vendor

UNIT = 512
SLOT_BYTES = 8 * 1024
TARGET = "tflite"
FACTS = Facts(
    device="mast-7",
    product=vendor.PRODUCT,
    board="sim",
    soc="pc",
    target=TARGET,
    runtime="0.1.0",
    memory_mb=32,
    slot_bytes=SLOT_BYTES,
    unit_bytes=UNIT,
    can_unpack=True,
)
SIZES = 30, 600, 1300
"""Of a set's files: one, two and three units."""


class Bundle(NamedTuple):
    """A signed bundle in memory."""

    head: bytes
    payload: bytes
    manifest: Manifest
    digest: bytes
    plain: dict[str, dict[str, bytes]]
    """The files for TARGET, unpacked, by role and name."""

    def chunk(self, index: int, target: str = TARGET) -> bytes:
        chunk = take(self.manifest, target, UNIT).chunks[index]
        return self.payload[chunk.bundle_at : chunk.bundle_at + chunk.stored_size]


def small_files(number: int, sizes: Sequence[int] = SIZES, target: str = TARGET) -> list[Source]:
    """A detector that no network is in."""
    chance = random.Random(number)
    names = ("model.toml", ""), ("golden.msgpack", ""), ("net.bin", target)
    return [
        Source("detector", name, where, chance.randbytes(size))
        for (name, where), size in zip(names, sizes, strict=True)
    ]


@lru_cache
def bundle(
    release: int,
    counter: int = 0,
    rings: tuple[bytes, ...] = (),
    signed_by: tuple[str, ...] = ("bundle 1",),
    sizes: tuple[int, ...] = SIZES,
) -> Bundle:
    """A small one; its contents follow from the release."""
    return make(small_files(release, sizes), release, counter, rings, signed_by)


class Base(NamedTuple):
    """What a delta is against, as `ota.build` wants it."""

    name: BaseName
    whole: Bundle

    def payload(self, target: str) -> bytes:
        return b"".join(
            self.whole.plain[entry.role][entry.name] for entry in self.whole.manifest.files
        )


def delta(release: int, counter: int, base: Bundle) -> Bundle:
    """Half of what it holds is what `base` held."""
    mixed = [
        file._replace(data=base.plain["detector"][file.name][:400] + file.data[400:])
        for file in small_files(release)
    ]
    name = BaseName(digest=base.digest, release=base.manifest.release)
    return make(mixed, release, counter, base=Base(name, base))


def make(
    files: Sequence[Source],
    release: int,
    counter: int = 0,
    rings: Sequence[bytes] = (),
    signed_by: Sequence[str] = ("bundle 1",),
    base: Any = None,
    **changes: Any,
) -> Bundle:
    values: dict[str, Any] = {
        "product": vendor.PRODUCT,
        "boards": [],
        "socs": [],
        "version": f"1.{release}",
        "release": release,
        "counter": counter,
        "min_runtime": "0.1.0",
        "memory_mb": 16,
        "notes": "",
    }
    head, payload = assemble(files, base=base, rings=rings, **(values | changes))
    signed = Head(head.manifest, vendor.bundle_signatures(head.manifest, *signed_by), head.rings)
    plain: dict[str, dict[str, bytes]] = {}
    for file in files:
        if file.target in ("", TARGET):
            plain.setdefault(file.role, {})[file.name] = file.data
    return Bundle(signed.to_bytes(), payload, parse_manifest(head.manifest), head.digest, plain)


@lru_cache
def ring(version: int, **fields: Any) -> bytes:
    return vendor.ring(version, **fields)


def new_flash(fill: bytes = b"\xff", slot_bytes: int = SLOT_BYTES, unit: int = UNIT) -> Flash:
    return Flash(fill * needed_bytes(slot_bytes, unit), unit)


def start(
    storage: Storage, facts: Facts = FACTS, clock: Clock | None = None, store: type[Store] = Store
) -> Updater:
    """A camera that starts on this flash."""
    return Updater(store(storage, facts.slot_bytes), facts, ring(1), clock)


def push(updater: Updater, new: Bundle, allow_older: bool = False) -> None:
    """All of a bundle, until it is staged."""
    answer = updater.offer(new.head, allow_older)
    wanted = answer["next"]
    while wanted >= 0:
        wanted = updater.chunk(answer["session"], wanted, new.chunk(wanted))


def install(updater: Updater, new: Bundle, allow_older: bool = False) -> None:
    """All of a bundle, until it is confirmed."""
    push(updater, new, allow_older)
    updater.store.begin_trial()
    updater.store.confirm()
    updater.load_active()
