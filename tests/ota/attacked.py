"""A camera to attack: real store and updater on flash in memory, with a confirmed set to lose.

camera = Camera(WORKING)                  # a copy of flash with release 5 confirmed, key ring 2
camera.push(camera_bundle(release=6))     # as a carrier would
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ota.admission import Facts
from ota.area import needed_bytes
from ota.build import Source, assemble
from ota.head import Head
from ota.manifest import ROLES, Chunk, parse_manifest, take
from ota.store import Store
from ota.updater import Updater
from tests.ota import vendor

UNIT_BYTES = 512
SLOT_BYTES = 1 << 18
FACTS = Facts(
    device="mast-7",
    product=vendor.PRODUCT,
    board="board-a",
    soc="soc-a",
    target="tflite",
    runtime="1.4.0",
    memory_mb=64,
    slot_bytes=SLOT_BYTES,
    unit_bytes=UNIT_BYTES,
    can_unpack=True,
)
RING_1 = vendor.ring(1, bundle_keys=["bundle 0"])
RING_2 = vendor.ring(2, bundle_keys=["bundle 1", "bundle 2"], revoked=["bundle 0"])


class Flash:
    """Storage in memory that counts writes. Nothing is lost: power cuts are tested elsewhere."""

    atomic_unit_bytes = UNIT_BYTES

    def __init__(self, image: bytes = b"") -> None:
        self.size_bytes = needed_bytes(SLOT_BYTES, UNIT_BYTES)
        self.image = bytearray(image or bytes(self.size_bytes))
        self.writes = 0

    def read_at(self, offset: int, length: int) -> bytes:
        return bytes(self.image[offset : offset + length])

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        self.image[offset : offset + len(data)] = data

    def sync(self) -> None:
        self.writes += 1

    def close(self) -> None:
        pass


class Bundle(NamedTuple):
    """A bundle in its parts, to be changed."""

    head: Head
    payload: bytes

    def to_bytes(self) -> bytes:
        return self.head.to_bytes() + self.payload

    def stored(self, chunk: Chunk) -> bytes:
        return self.payload[chunk.bundle_at : chunk.bundle_at + chunk.stored_size]


class Camera:
    """The device side on a copy of `image`."""

    def __init__(self, image: bytes = b"") -> None:
        self.flash = Flash(image)
        self.store = Store(self.flash, SLOT_BYTES)
        self.updater = Updater(self.store, FACTS, RING_1)

    def offer(self, bundle: Bundle, allow_older: bool = False) -> dict[str, Any]:
        return self.updater.offer(bundle.head.to_bytes(), allow_older)

    def push(self, bundle: Bundle, allow_older: bool = False) -> None:
        """All of it, as a carrier that believes the manifest would."""
        answer = self.offer(bundle, allow_older)
        chunks = chunks_of(bundle)
        wanted = answer["next"]
        while wanted >= 0:
            data = bundle.stored(chunks[wanted])
            wanted = self.updater.chunk(answer["session"], wanted, data)

    def try_out(self) -> None:
        """A trial that goes well."""
        self.store.begin_trial()
        self.store.confirm()


def chunks_of(bundle: Bundle) -> tuple[Chunk, ...]:
    manifest = parse_manifest(bundle.head.manifest)
    return take(manifest, FACTS.target, UNIT_BYTES).chunks


def files(number: int, targets: Sequence[str] = ("tflite",)) -> list[Source]:
    """A small set whose bytes differ by number; one file has two chunks."""
    rng = np.random.default_rng(number)
    found = []
    for role in ROLES:
        found.append(Source(role, "model.toml", "", f"# {role} {number}\n".encode()))
        size = 70_000 if role == "detector" else 3000
        found += [Source(role, f"{role}.bin", target, rng.bytes(size)) for target in targets]
    return found


def camera_bundle(
    signers: Sequence[str] = ("bundle 1",),
    rings: Sequence[bytes] = (),
    targets: Sequence[str] = ("tflite",),
    base: Any = None,
    **changes: Any,
) -> Bundle:
    """A signed bundle for the camera, but for what is changed of its manifest."""
    values = {
        "product": vendor.PRODUCT,
        "boards": ["board-a"],
        "socs": ["soc-a"],
        "version": f"1.{changes.get('release', 6)}.0",
        "release": 6,
        "counter": 4,
        "min_runtime": "1.2.0",
        "memory_mb": 16,
        "notes": "",
    } | changes
    number = int(values["release"])
    head, payload = assemble(files(number, targets), base=base, rings=rings, **values)
    return signed(head.manifest, payload, signers, head.rings)


def signed(manifest: bytes, payload: bytes, signers: Sequence[str], rings: bytes = b"") -> Bundle:
    signatures = vendor.bundle_signatures(manifest, *signers)
    return Bundle(Head(manifest, signatures, rings), payload)


@cache
def working() -> bytes:
    """Flash of a camera that took key ring 2 and confirmed release 5, counter 4."""
    camera = Camera()
    camera.push(camera_bundle(release=5, rings=[RING_1, RING_2]))
    camera.try_out()
    return bytes(camera.flash.image)
