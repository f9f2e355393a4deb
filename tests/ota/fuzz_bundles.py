"""Mutated bundles against the real device side.

Outsiders have no key: nothing that they change may be taken. Insiders sign what they like (a stolen
key, a vendor's mistake): nothing may crash, and what is taken must be in order by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from typing import Any
from zlib import crc32

import msgpack

from ota import wire
from ota.build import NO_SIGNATURES
from ota.bundle import BundleFile
from ota.head import FIXED, MAGIC, Head, parse_head
from ota.key_ring import chain_bytes, ring_bytes
from ota.keys import DOMAIN_RING, sign
from ota.manifest import parse_manifest, payload_bytes, take
from ota.refusal import Refused
from tests.ota import vendor
from tests.ota.attacked import (
    FACTS,
    RING_1,
    RING_2,
    Bundle,
    Camera,
    camera_bundle,
    chunks_of,
    signed,
    working,
)
from tests.ota.mutate import EXTREMES, mutated, mutated_value, packed

RING_3 = vendor.ring(3, bundle_keys=["bundle 1", "bundle 3"], revoked=["bundle 0"])
RING_4 = vendor.ring(4, bundle_keys=["bundle 4"])
RINGS = (RING_1, RING_2, RING_3)
VALID = (
    camera_bundle(rings=RINGS[:2]),
    camera_bundle(release=7, rings=RINGS),
    camera_bundle(release=8, signers=["bundle 1", "bundle 2"]),
)
BAD = (
    camera_bundle(signers=["bundle 0"], rings=[RING_1]),
    camera_bundle(counter=3),
    camera_bundle(product="other-cam"),
    camera_bundle(signers=["thief"]),
)
MANIFESTS = {bundle.head.manifest for bundle in VALID}
BODIES = {msgpack.unpackb(ring)["body"] for ring in (*RINGS, RING_4)}
PARTS = ("manifest", "signatures", "rings")
MUTANTS = 20
"""In one run."""


class Found(AssertionError):
    """A mutant did what it must not."""


class Bundles:
    """A camera that is offered one mutant after another, and is made anew when one is taken.

    Attributes:
        outcomes: (kind of mutant, reason or "taken") -> how often.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._idle_image = working()
        receiving = Camera(working())
        self._first = receiving.offer(VALID[0])
        self._receiving_image = bytes(receiving.flash.image)
        self._renew()

    def run(self, rng: Random) -> int:
        """Some mutants; returns how many."""
        for _ in range(MUTANTS):
            rng.choice(_KINDS)(self, rng)
        return MUTANTS

    def _renew(self) -> None:
        self._idle = Camera(self._idle_image)
        self._receiving = Camera(self._receiving_image)
        self._receiving.offer(VALID[0])

    def _count(self, kind: str, outcome: str) -> None:
        self.outcomes[kind, outcome] += 1

    def raw(self, rng: Random) -> None:
        """The bytes of a head, changed anywhere."""
        data = rng.choice(VALID + BAD).head.to_bytes()
        self._outsider("raw", mutated(rng, data, rng.choice(VALID).head.to_bytes()))

    def lengths(self, rng: Random) -> None:
        """Lengths at their extremes, and a right CRC."""
        head = rng.choice(VALID).head
        lengths = [len(head.manifest), len(head.signatures), len(head.rings)]
        for _ in range(rng.choice((1, 1, 2))):
            place = rng.randrange(3)
            near = (lengths[place] + rng.choice((-1, 1, 16))) & 0xFFFFFFFF
            lengths[place] = rng.choice((*EXTREMES, near))
        fixed = FIXED.pack(MAGIC, *lengths, 0)[:-4]
        data = fixed + crc32(fixed).to_bytes(4, "little") + head.to_bytes()[FIXED.size :]
        self._outsider("lengths", data + rng.randbytes(rng.choice((0, 20))))

    def part(self, rng: Random) -> None:
        """One part of the head changed as bytes, the head in order."""
        head, name = rng.choice(VALID).head, rng.choice(PARTS)
        part = mutated(rng, getattr(head, name), getattr(rng.choice(VALID + BAD).head, name))
        self._outsider("part", _with(head, name, part).to_bytes())

    def value(self, rng: Random) -> None:
        """One part changed as msgpack values."""
        head, name = rng.choice(VALID).head, rng.choice(PARTS)
        tree = msgpack.unpackb(getattr(head, name))
        other = msgpack.unpackb(getattr(rng.choice(VALID + BAD).head, name))
        if name == "rings" and tree and rng.random() < 0.7:
            tree[-1] = _changed_ring(rng, tree[-1])
        else:
            tree = mutated_value(rng, tree, other)
        self._outsider("value", _with(head, name, packed(tree)).to_bytes())

    def mixed(self, rng: Random) -> None:
        """Parts of several bundles, each in order by itself."""
        heads = [rng.choice(VALID + BAD).head for _ in PARTS]
        rings = chain_bytes([rng.choice((*RINGS, *STRANGE_RINGS)) for _ in range(rng.randrange(4))])
        parts = [heads[0].manifest, heads[1].signatures, rng.choice((heads[2].rings, rings))]
        self._outsider("mixed", Head(*parts).to_bytes())

    def chunk(self, rng: Random) -> None:
        """A part of the payload, its number, or the name of its transfer."""
        chunks, session = chunks_of(VALID[0]), self._first["session"]
        right = VALID[0].stored(chunks[0])
        small = VALID[0].stored(chunks[-1])
        index, data = rng.choice(((0, right), (0, small), (len(chunks) - 1, small)))
        match rng.randrange(4):
            case 0:
                session = mutated(rng, session, b"x")
            case 1:
                index = rng.choice((-1, 1, len(chunks), 1 << 40, *EXTREMES))
            case _:
                data = mutated(rng, data, VALID[1].payload[:2000])
        self._try_chunk(session, index, data, right)

    def file(self, rng: Random) -> None:
        """A whole file, as a carrier reads it: what it finds in there has the length it says."""
        with TemporaryFile(dir=_IN_MEMORY) as file:
            file.write(mutated(rng, VALID[0].to_bytes(), VALID[1].to_bytes()))
            file.flush()
            try:
                with BundleFile(f"/proc/self/fd/{file.fileno()}") as bundle:
                    chunks = take(bundle.manifest, FACTS.target, FACTS.unit_bytes).chunks
                    if any(len(bundle.chunk(one)) != one.stored_size for one in chunks):
                        raise Found("a chunk of another length")
            except Refused as refused:
                self._count("file", refused.reason)
            else:
                self._count("file", "read")

    def insider(self, rng: Random) -> None:
        """A manifest changed as values or bytes, and signed with the right key."""
        head = rng.choice(VALID).head
        tree, other = (msgpack.unpackb(one.manifest) for one in (head, rng.choice(VALID).head))
        for _ in range(rng.choice((1, 1, 2))):
            tree = mutated_value(rng, tree, other)
        manifest = packed(tree) if rng.random() < 0.8 else mutated(rng, head.manifest, _OTHER_BYTES)
        bundle = signed(manifest, VALID[0].payload, ["bundle 1"], NO_SIGNATURES)
        self._insider("insider", bundle, rng)

    def root(self, rng: Random) -> None:
        """A ring changed and signed by two roots, in a bundle that is in order."""
        body = msgpack.unpackb(msgpack.unpackb(RING_3)["body"])
        data = packed(mutated_value(rng, body, msgpack.unpackb(RING_1)))
        ring = ring_bytes(
            data, [sign(vendor.seed(name), DOMAIN_RING, data) for name in vendor.ROOTS]
        )
        head = _with(VALID[0].head, "rings", chain_bytes([ring]))
        self._insider("root", Bundle(head, VALID[0].payload), rng)

    def _outsider(self, kind: str, data: bytes) -> None:
        camera = self._idle
        writes, state = camera.flash.writes, camera.store.state
        try:
            camera.updater.offer(data)
        except Refused as refused:
            self._count(kind, refused.reason)
            if camera.store.state != state:
                raise Found(f"{kind}: refused, and the state changed") from refused
        else:
            self._count(kind, "taken")
            if parse_head(data).manifest not in MANIFESTS:
                raise Found(f"{kind}: a changed manifest was taken")
        if camera.updater.ring.body not in BODIES:
            raise Found(f"{kind}: a changed key ring was taken")
        if camera.flash.writes != writes:
            again = Camera(bytes(camera.flash.image))
            if again.updater.ring.body not in BODIES or again.store.state.active != state.active:
                raise Found(f"{kind}: flash holds what must not be there")
            self._renew()

    def _try_chunk(self, session: bytes, index: int, data: bytes, right: bytes) -> None:
        camera = self._receiving
        writes = camera.flash.writes
        try:
            camera.updater.chunk(session, index, data)
        except Refused as refused:
            self._count("chunk", refused.reason)
            if camera.flash.writes != writes:
                raise Found("a refused chunk was written") from refused
            return
        self._count("chunk", "taken")
        if camera.flash.writes != writes:
            if (session, index, data) != (self._first["session"], 0, right):
                raise Found("a changed chunk was written")
            self._renew()

    def _insider(self, kind: str, bundle: Bundle, rng: Random) -> None:
        camera = self._idle
        writes, active = camera.flash.writes, camera.store.state.active
        try:
            camera.push(bundle) if rng.random() < 0.5 else camera.offer(bundle, allow_older=True)
            self._count(kind, "taken")
            check_in_order(camera)
        except Refused as refused:
            self._count(kind, refused.reason)
        if camera.store.state.active != active or camera.store.state.floor != 4:
            raise Found(f"{kind}: what runs, or the floor, was changed without a trial")
        if camera.flash.writes != writes:
            Camera(bytes(camera.flash.image)).updater.load_active()
            self._renew()


def check_in_order(camera: Camera) -> None:
    """What a signed bundle may leave behind: a manifest that can be read, and no more than fits."""
    for slot, info in enumerate(camera.store.state.slots):
        if info.status != "empty":
            manifest = parse_manifest(camera.store.head(slot).manifest)
            if payload_bytes(manifest) < 1 or manifest.counter < camera.store.state.floor:
                raise Found(f"slot {slot} holds what must not be there")


def _with(head: Head, name: str, part: bytes) -> Head:
    return Head(**({one: getattr(head, one) for one in PARTS} | {name: part}))


def _changed_ring(rng: Random, ring: bytes) -> bytes:
    """A ring changed inside, with the signatures that it had."""
    outer = msgpack.unpackb(ring)
    if rng.random() < 0.5:
        return packed(mutated_value(rng, outer, msgpack.unpackb(RING_1)))
    body = packed(mutated_value(rng, msgpack.unpackb(outer["body"]), {}))
    return packed(outer | {"body": body})


_IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_OTHER_BYTES = wire.pack({"format": 1})
STRANGE_RINGS = (
    vendor.ring(3, ["root 1"], bundle_keys=["thief"]),
    vendor.ring(3, ["thief 1", "thief 2"], roots=["thief 1", "thief 2"], bundle_keys=["thief"]),
    RING_4,
    vendor.ring(2, ["root 1"], bundle_keys=["thief"]),
)
_KINDS: tuple[Callable[[Bundles, Random], Any], ...] = (
    Bundles.raw, Bundles.lengths, Bundles.part, Bundles.part, Bundles.value, Bundles.value,
    Bundles.mixed, Bundles.chunk, Bundles.insider, Bundles.root, Bundles.file,
)  # fmt: skip
