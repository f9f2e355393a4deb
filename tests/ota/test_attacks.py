"""The attack table: what a camera refuses, with which reason, and that nothing has changed then.

All against the real device side. The camera runs release 5 with a floor of 4, trusts key ring 2, in
which `bundle 0` is revoked, and has a slot to lose.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import msgpack
import pytest

from ota import wire
from ota.bundle import BundleFile
from ota.head import FIXED, MAGIC, MAX_RINGS_BYTES, MAX_SIGNATURES_BYTES, Head
from ota.key_ring import MAX_RING_BYTES, Body, body_bytes, chain_bytes, ring_bytes
from ota.keys import DOMAIN_RING, Signature, sign, signatures_bytes
from ota.manifest import MAX_MANIFEST_BYTES
from ota.refusal import Refused
from tests.ota import vendor
from tests.ota.attacked import (
    RING_1,
    RING_2,
    Bundle,
    Camera,
    camera_bundle,
    chunks_of,
    signed,
    working,
)

GOOD = camera_bundle()
OTHER = camera_bundle(release=7)


@pytest.fixture
def camera() -> Camera:
    return Camera(working())


@contextmanager
def refused(camera: Camera, reason: str) -> Iterator[None]:
    """What happens inside is refused with this reason, and flash and key ring are as before."""
    before, ring, slots = bytes(camera.flash.image), camera.updater.ring, camera.store.state
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.reason == reason, caught.value
    assert camera.flash.image == before
    assert camera.updater.ring is ring
    assert camera.store.state == slots
    again = Camera(before)
    assert again.store.state == slots
    assert again.updater.ring.data == ring.data


def with_head(bundle: Bundle, **parts: bytes) -> Bundle:
    old = bundle.head
    new = {"manifest": old.manifest, "signatures": old.signatures, "rings": old.rings} | parts
    return Bundle(Head(**new), bundle.payload)


def changed(bundle: Bundle, **values: object) -> bytes:
    """The manifest with other values, whatever they are."""
    manifest = msgpack.unpackb(bundle.head.manifest) | values
    return msgpack.packb(manifest, use_bin_type=True)


def resigned(**values: object) -> Bundle:
    """Such a manifest, signed with the right key: the vendor's mistake, or a stolen key."""
    return signed(changed(GOOD, **values), GOOD.payload, ["bundle 1"])


def head_of(manifest: int, signatures: int, rings: int, magic: bytes = MAGIC) -> bytes:
    """The fixed part with lengths as said, its CRC right."""
    fixed = FIXED.pack(magic, manifest, signatures, rings, 0)[:-4]
    return fixed + crc32(fixed).to_bytes(4, "little")


def test_the_bundle_that_is_not_attacked_is_taken(camera):
    """Otherwise each test below could pass for a reason that is not its own."""
    camera.push(GOOD)
    assert camera.store.state.slots[1].status == "staged"
    camera.try_out()
    manifest, files = camera.updater.load_set(camera.store.state.active)
    assert manifest.release == 6
    assert len(files["detector"]["detector.bin"]) == 70_000


# -- the bytes


def test_tampered_chunk(camera):
    for chunk in chunks_of(GOOD):
        answer = camera.offer(GOOD)
        assert answer["next"] == chunk.index
        data = GOOD.stored(chunk)
        for bit in (0, 8 * len(data) - 1):
            bad = bytearray(data)
            bad[bit // 8] ^= 1 << bit % 8
            with refused(camera, "chunk"):
                camera.updater.chunk(answer["session"], chunk.index, bytes(bad))
        camera.updater.chunk(answer["session"], chunk.index, data)
    assert camera.store.state.slots[1].status == "staged"


def test_chunk_in_anothers_place(camera):
    session = camera.offer(GOOD)["session"]
    with refused(camera, "chunk"):
        camera.updater.chunk(session, 0, GOOD.stored(chunks_of(GOOD)[1]))


def test_chunk_that_does_not_exist(camera):
    session = camera.offer(GOOD)["session"]
    for index in (-1, len(chunks_of(GOOD)), 1 << 62):
        with refused(camera, "argument"):
            camera.updater.chunk(session, index, b"x")


def test_chunk_without_an_offer(camera):
    with refused(camera, "session"):
        camera.updater.chunk(GOOD.head.digest[:16], 0, GOOD.stored(chunks_of(GOOD)[0]))


def test_tampered_manifest(camera):
    for at in range(0, len(GOOD.head.manifest), 7):
        manifest = bytearray(GOOD.head.manifest)
        manifest[at] ^= 1
        with refused(camera, "signature"):
            camera.offer(with_head(GOOD, manifest=bytes(manifest)))


def test_tampered_signature(camera):
    for at in range(64):
        (one,) = (sign(vendor.seed("bundle 1"), "haetae bundle 1", GOOD.head.manifest),)
        value = bytearray(one.value)
        value[at] ^= 0x10
        bad = signatures_bytes([Signature(one.key_id, bytes(value))])
        with refused(camera, "signature"):
            camera.offer(with_head(GOOD, signatures=bad))


def test_no_signature(camera):
    for signatures in (b"", wire.pack([])):
        with refused(camera, "signature"):
            camera.offer(with_head(GOOD, signatures=signatures))


def test_signature_for_something_else(camera):
    wrong = sign(vendor.seed("bundle 1"), "haetae channel 1", GOOD.head.manifest)
    with refused(camera, "signature"):
        camera.offer(with_head(GOOD, signatures=signatures_bytes([wrong])))


def test_truncated_head(camera):
    head = GOOD.head.to_bytes()
    for length in (0, 1, FIXED.size - 1, FIXED.size, len(head) // 2, len(head) - 1):
        with refused(camera, "truncated"):
            camera.updater.offer(head[:length])


def test_truncated_chunk(camera):
    chunk = chunks_of(GOOD)[0]
    session = camera.offer(GOOD)["session"]
    for length in (0, 1, chunk.size - 1):
        with refused(camera, "chunk"):
            camera.updater.chunk(session, 0, GOOD.stored(chunk)[:length])


def test_truncated_file(tmp_path):
    path = tmp_path / "cut.bundle"
    whole = GOOD.to_bytes()
    for length in (0, 10, FIXED.size, 300, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(Refused) as caught, BundleFile(path):
            pass
        assert caught.value.reason == "truncated"


def test_too_long_file(tmp_path):
    path = tmp_path / "long.bundle"
    path.write_bytes(GOOD.to_bytes() + b"\0")
    with pytest.raises(Refused) as caught, BundleFile(path):
        pass
    assert caught.value.reason == "too_long"


def test_too_long_chunk(camera):
    session = camera.offer(GOOD)["session"]
    data = GOOD.stored(chunks_of(GOOD)[0])
    for bad in (data + b"\0", data * 2, bytes(1 << 20)):
        with refused(camera, "chunk"):
            camera.updater.chunk(session, 0, bad)


def test_huge_lengths(camera):
    most = (MAX_MANIFEST_BYTES, MAX_SIGNATURES_BYTES, MAX_RINGS_BYTES)
    for part in range(3):
        for length in (most[part] + 1, 1 << 31, (1 << 32) - 1):
            lengths = [0, 0, 0]
            lengths[part] = length
            with refused(camera, "too_long"):
                camera.updater.offer(head_of(*lengths) + bytes(100))


def test_lengths_whose_sum_overflows(camera):
    """2^32 together, so that a sum in 32 bits would be small; see CVE-2026-34155."""
    with refused(camera, "too_long"):
        camera.updater.offer(head_of(1 << 31, 1 << 31, 16) + GOOD.head.to_bytes()[FIXED.size :])


def test_another_file(camera):
    for data in (b"\x7fELF" + bytes(200), b"PK\3\4" + bytes(200), bytes(200)):
        with refused(camera, "malformed"):
            camera.updater.offer(data)


def test_damaged_fixed_part(camera):
    head = bytearray(GOOD.head.to_bytes())
    head[9] ^= 0x40
    with refused(camera, "malformed"):
        camera.updater.offer(bytes(head))


def test_newer_format(camera):
    head = GOOD.head
    lengths = len(head.manifest), len(head.signatures), len(head.rings)
    data = head_of(*lengths, magic=MAGIC[:-1] + b"\2") + head.to_bytes()[FIXED.size :]
    with refused(camera, "newer_format"):
        camera.updater.offer(data)
    with refused(camera, "newer_format"):
        camera.offer(resigned(format=2))


def test_deep_msgpack(camera):
    """In every part that is looked into before a signature was checked, and in the manifest."""
    deep = b"\x91" * 3000 + b"\xc0"
    with refused(camera, "too_deep"):
        camera.offer(with_head(GOOD, rings=deep))
    with refused(camera, "too_deep"):
        camera.offer(with_head(GOOD, rings=chain_bytes([deep])))
    with refused(camera, "too_deep"):
        camera.offer(with_head(GOOD, rings=chain_bytes([ring_bytes(deep, [])])))
    with refused(camera, "too_long"):
        camera.offer(with_head(GOOD, signatures=deep))
    with refused(camera, "too_deep"):
        camera.offer(with_head(GOOD, signatures=deep[-1000:]))
    with refused(camera, "too_deep"):
        camera.offer(signed(deep, GOOD.payload, ["bundle 1"]))


def test_msgpack_that_swells(camera):
    """3 KB of headers of arrays, each of which says that it is long."""
    tracemalloc.start()
    for part in ("signatures", "rings"):
        swelling = b"\xdc\x10\x00" * (400 if part == "signatures" else 1300)
        with refused(camera, "too_long"):
            camera.offer(with_head(GOOD, **{part: swelling}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(camera.flash.image)


# -- whom it is for


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"product": "other-cam"}, "product"),
        ({"boards": ["board-b"]}, "board"),
        ({"socs": ["soc-b"]}, "soc"),
        ({"min_runtime": "1.4.1"}, "runtime"),
        ({"memory_mb": 65}, "memory"),
    ],
    ids=["wrong product", "wrong board", "wrong SoC", "newer runtime", "too much memory"],
)
def test_not_for_this_camera(camera, values, reason):
    with refused(camera, reason):
        camera.offer(camera_bundle(**values))


def test_wrong_target(camera):
    with refused(camera, "target"):
        camera.offer(camera_bundle(targets=["rk3588"]))


def test_larger_than_the_slot(camera):
    """The vendor's mistake, or a stolen key: lengths that no hash was ever made of."""
    (first, *rest) = msgpack.unpackb(GOOD.head.manifest)["files"]
    chunks = 1024
    huge = first | {"bytes": chunks << 16, "chunks": [bytes(32)] * chunks}
    with refused(camera, "size"):
        camera.offer(resigned(files=[huge, *rest]))


# -- in what order


def test_old_counter(camera):
    with refused(camera, "counter"):
        camera.offer(camera_bundle(counter=3))


def test_old_counter_even_where_older_is_allowed(camera):
    with refused(camera, "counter"):
        camera.offer(camera_bundle(release=4, counter=3), allow_older=True)


def test_older_release(camera):
    with refused(camera, "older"):
        camera.offer(camera_bundle(release=4))


def test_the_set_that_runs_already(camera):
    with refused(camera, "nothing"):
        camera.offer(camera_bundle(release=5, rings=[RING_1, RING_2]))


def test_floor_is_not_raised_by_what_was_not_confirmed(camera):
    camera.push(camera_bundle(counter=9))
    camera.store.begin_trial()
    camera.store.roll_back("health")
    assert camera.store.state.floor == 4
    camera.push(OTHER)


# -- who made it


def test_foreign_bundle_key(camera):
    with refused(camera, "signature"):
        camera.offer(camera_bundle(signers=["thief"]))


def test_foreign_key_under_a_known_id(camera):
    stolen_name = Signature(
        vendor.name_id("bundle 1"), vendor.bundle_signature(GOOD.head.manifest, "thief").value
    )
    with refused(camera, "signature"):
        camera.offer(with_head(GOOD, signatures=signatures_bytes([stolen_name])))


def test_root_key_does_not_sign_bundles(camera):
    with refused(camera, "signature"):
        camera.offer(camera_bundle(signers=["root 1", "root 2"]))


def test_revoked_key(camera):
    with refused(camera, "revoked_key"):
        camera.offer(camera_bundle(signers=["bundle 0"]))


def test_replayed_key_ring(camera):
    """The ring in which the leaked key was still good, with a bundle that it signed."""
    with refused(camera, "revoked_key"):
        camera.offer(camera_bundle(signers=["bundle 0"], rings=[RING_1]))
    assert camera.updater.rings([RING_1]) == 2
    assert camera.updater.ring.version == 2


def test_replayed_key_ring_after_a_restart():
    again = Camera(working())
    with refused(again, "revoked_key"):
        again.offer(camera_bundle(signers=["bundle 0"], rings=[RING_1]))


def test_ring_of_the_same_version(camera):
    other = vendor.ring(2, bundle_keys=["thief"])
    with refused(camera, "ring_conflict"):
        camera.offer(camera_bundle(signers=["thief"], rings=[RING_1, other]))


def test_one_of_two_root_signatures(camera):
    short = vendor.ring(3, ["root 1"], bundle_keys=["thief"])
    with refused(camera, "ring_signature"):
        camera.offer(camera_bundle(signers=["thief"], rings=[short]))
    with refused(camera, "ring_signature"):
        camera.updater.rings([short])


def test_one_root_that_signs_twice(camera):
    body = vendor.body(3, bundle_keys=["thief"])
    data = ring_bytes_of(body, ["root 1", "root 1"])
    with refused(camera, "ring_signature"):
        camera.offer(camera_bundle(signers=["thief"], rings=[data]))


def test_one_root_under_two_names(camera):
    body = vendor.body(3, bundle_keys=["thief"])
    data = ring_bytes_of(body, ["root 1"], borrowed="root 2")
    with refused(camera, "ring_signature"):
        camera.offer(camera_bundle(signers=["thief"], rings=[data]))


def test_foreign_root(camera):
    thieves = ["thief 1", "thief 2"]
    ring = vendor.ring(3, thieves, roots=thieves, bundle_keys=["thief"])
    with refused(camera, "ring_signature"):
        camera.offer(camera_bundle(signers=["thief"], rings=[ring]))
    one_of_ours = vendor.ring(3, ["root 1", "thief 1"], bundle_keys=["thief"])
    with refused(camera, "ring_signature"):
        camera.offer(camera_bundle(signers=["thief"], rings=[one_of_ours]))


def test_gap_in_the_rings(camera):
    with refused(camera, "ring_gap"):
        camera.offer(camera_bundle(rings=[vendor.ring(4)]))


def test_ring_of_another_product(camera):
    with refused(camera, "product"):
        camera.updater.rings([vendor.ring(3, product="other-cam")])


def test_ring_longer_than_its_bound(camera):
    with refused(camera, "too_long"):
        camera.offer(with_head(GOOD, rings=chain_bytes([bytes(MAX_RING_BYTES + 1)])))


def test_too_many_rings(camera):
    with refused(camera, "too_long"):
        camera.offer(with_head(GOOD, rings=wire.pack([b""] * 17)))


def test_revocation_holds_although_its_bundle_is_refused(camera):
    """The one thing that a refused bundle may leave behind: a ring that proved itself."""
    third = vendor.ring(3, bundle_keys=["bundle 2"], revoked=["bundle 0", "bundle 1"])
    with pytest.raises(Refused):
        camera.offer(camera_bundle(signers=["bundle 1"], rings=[third]))
    again = Camera(bytes(camera.flash.image))
    assert again.updater.ring.version == 3
    with refused(again, "revoked_key"):
        again.offer(GOOD)


# -- mixtures


def test_mix_of_two_bundles_heads(camera):
    with refused(camera, "signature"):
        camera.offer(with_head(GOOD, signatures=OTHER.head.signatures))
    with refused(camera, "signature"):
        camera.offer(with_head(GOOD, manifest=OTHER.head.manifest))


def test_mix_of_two_bundles_payloads(camera):
    session = camera.offer(GOOD)["session"]
    for chunk in chunks_of(OTHER):
        with refused(camera, "chunk"):
            camera.updater.chunk(session, 0, OTHER.stored(chunk))


def test_mix_of_two_bundles_sessions(camera):
    camera.offer(GOOD)
    with refused(camera, "session"):
        camera.updater.chunk(OTHER.head.digest[:16], 0, OTHER.stored(chunks_of(OTHER)[0]))


def test_mix_of_two_bundles_in_one_slot(camera):
    """Half of one, then all of the other: what is staged is the other alone."""
    answer = camera.offer(GOOD)
    camera.updater.chunk(answer["session"], 0, GOOD.stored(chunks_of(GOOD)[0]))
    camera.push(OTHER)
    camera.try_out()
    manifest, files = camera.updater.load_set(camera.store.state.active)
    assert manifest.release == 7
    assert files == loaded(OTHER)


# -- a delta


def test_delta_against_another_base(camera):
    base = {"digest": bytes(32), "release": 5}
    with refused(camera, "base"):
        camera.offer(resigned(base=base))


def test_delta_that_swells(camera):
    """A chunk that unpacks to a thousand times what the manifest says."""
    zstandard = pytest.importorskip("zstandard")
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 26))
    raw = msgpack.unpackb(GOOD.head.manifest)
    for entry in raw["files"]:
        entry["stored"] = [len(bomb)] * len(entry["chunks"])
    active = camera.store.state.slots[camera.store.state.active]
    base = {"digest": active.digest, "release": active.release}
    session = camera.offer(resigned(files=raw["files"], base=base))["session"]
    tracemalloc.start()
    with refused(camera, "chunk"):
        camera.updater.chunk(session, 0, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 23


# -- what the vendor's own hand could do wrong


@pytest.mark.parametrize(
    "values",
    [
        {"files": []},
        {"files": "all"},
        {"release": 0},
        {"release": -1},
        {"release": 1 << 32},
        {"counter": True},
        {"counter": 1 << 63},
        {"version": "../../etc"},
        {"version": ""},
        {"product": b"haetae-cam"},
        {"min_runtime": "1.2"},
        {"memory_mb": 0},
        {"base": {}},
        {"base": {"digest": b"short", "release": 1}},
        {"notes": "x" * 2001},
        {"format": 0},
        {"format": "1"},
    ],
    ids=lambda values: repr(values)[:40],
)
def test_signed_values_that_cannot_be(camera, values):
    with refused(camera, "malformed"):
        camera.offer(resigned(**values))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../model.toml"},
        {"name": ".."},
        {"name": "a/b"},
        {"name": "a\0b"},
        {"role": "king"},
        {"target": "TFLITE"},
        {"bytes": 0},
        {"bytes": 1 << 16},
        {"bytes": 1 << 40},
        {"chunks": []},
        {"chunks": [b"short"]},
        {"stored": [1, 2, 3, 4, 5]},
        {"stored": [1 << 20]},
        {"stored": [0]},
    ],
    ids=lambda values: repr(values)[:40],
)
def test_signed_files_that_cannot_be(camera, change):
    (first, *rest) = msgpack.unpackb(GOOD.head.manifest)["files"]
    with refused(camera, "malformed"):
        camera.offer(resigned(files=[first | change, *rest, *rest[:1]]))


def test_every_attack_leaves_a_camera_that_takes_the_next_bundle(camera):
    """A refusal must not leave anything behind in memory either."""
    attacks: list[Callable[[], object]] = [
        lambda: camera.offer(with_head(GOOD, signatures=b"")),
        lambda: camera.offer(camera_bundle(counter=3)),
        lambda: camera.updater.chunk(b"x" * 16, 0, b"x"),
        lambda: camera.updater.offer(b"x" * 100),
    ]
    for attack in attacks:
        with pytest.raises(Refused):
            attack()
    camera.push(GOOD)
    assert camera.store.state.slots[1].status == "staged"


def ring_bytes_of(body: Body, names: list[str], borrowed: str = "") -> bytes:
    data = body_bytes(body)
    signatures = [sign(vendor.seed(name), DOMAIN_RING, data) for name in names]
    if borrowed:
        signatures.append(Signature(vendor.name_id(borrowed), signatures[0].value))
    return ring_bytes(data, signatures)


def loaded(bundle: Bundle) -> dict[str, dict[str, bytes]]:
    """What a camera shall load of it."""
    found: dict[str, dict[str, bytes]] = {}
    at = 0
    for entry in msgpack.unpackb(bundle.head.manifest)["files"]:
        data = bundle.payload[at : at + entry["bytes"]]
        found.setdefault(entry["role"], {})[entry["name"]] = data
        at += entry["bytes"]
    return found


def test_nothing_here_writes_outside_of_flash(tmp_path: Path, camera, monkeypatch):
    """A name in a manifest is a word, never a path: an update opens no file at all."""
    monkeypatch.chdir(tmp_path)
    camera.push(GOOD)
    assert list(tmp_path.iterdir()) == []
