"""A bundle is built, read back, and the same bytes every time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ota import pack_delta
from ota.build import Source, assemble
from ota.bundle import BundleFile
from ota.delta import read_base
from ota.head import parse_head
from ota.manifest import CHUNK_BYTES, ROLES, parse_manifest, payload_bytes, take, to_bytes
from ota.pack_delta import can_unpack, pack_chunk, unpack_chunk
from ota.refusal import Refused
from tests.ota.bundles import fake_files, shipped_files, signed, values, write

TARGETS = ("rk3566", "rk3588", "tflite")


def contents(path: Path, target: str) -> dict[tuple[str, str], bytes]:
    """What a device with this target would hold."""
    with BundleFile(path) as bundle:
        taken = take(bundle.manifest, target, 1)
        payload = b"".join(bundle.chunk(chunk) for chunk in taken.chunks)
    return {
        (f.entry.role, f.entry.name): payload[f.slot_at : f.slot_at + f.entry.bytes]
        for f in taken.files
    }


def test_a_device_takes_only_what_is_for_its_target(tmp_path):
    files = fake_files(TARGETS)
    path = write(tmp_path / "a.bundle", signed(files))
    for target in TARGETS:
        wanted = {(f.role, f.name): f.data for f in files if f.target in ("", target)}
        assert contents(path, target) == wanted


def test_the_order_of_the_files_does_not_change_the_bytes():
    files = fake_files(TARGETS)
    assert signed(files) == signed(files[::-1]) == signed(fake_files(TARGETS))
    assert signed(files) != signed(files, version="1.0.1")


def test_shipped_students_travel_whole(tmp_path):
    path = write(tmp_path / "a.bundle", signed(shipped_files()))
    found = contents(path, "tflite")
    assert {role for role, _ in found} == set(ROLES)
    assert len(found) == 9
    assert path.stat().st_size < 1_520_000


@pytest.mark.parametrize("cut", [0, 10, 23, 24, 500, -1])
def test_a_file_that_ends_early_is_told(tmp_path, cut):
    data = signed(fake_files())
    path = write(tmp_path / "a.bundle", data[:cut])
    with pytest.raises(Refused) as refused:
        BundleFile(path)
    assert refused.value.reason == "truncated"


def test_a_file_that_is_too_long_is_told(tmp_path):
    path = write(tmp_path / "a.bundle", signed(fake_files()) + b"\0")
    with pytest.raises(Refused) as refused:
        BundleFile(path)
    assert refused.value.reason == "too_long"


def test_something_else_is_told(tmp_path):
    path = write(tmp_path / "a.bundle", b"\x7fELF" + bytes(1000))
    with pytest.raises(Refused) as refused:
        BundleFile(path)
    assert refused.value.reason == "malformed"


WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,20}", fullmatch=True)


def long_file(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


SOURCES = st.lists(
    st.builds(
        Source,
        st.sampled_from(ROLES),
        WORDS,
        st.from_regex(r"[a-z0-9_-]{0,8}", fullmatch=True),
        st.one_of(
            st.binary(min_size=1, max_size=300),
            st.integers(CHUNK_BYTES - 1, 2 * CHUNK_BYTES + 1).map(long_file),
        ),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda source: source[:3],
)
VALUES = st.fixed_dictionaries(
    {
        "product": WORDS,
        "boards": st.lists(WORDS, max_size=4),
        "socs": st.lists(WORDS, max_size=4),
        "version": WORDS,
        "release": st.integers(1, 2**32 - 1),
        "counter": st.integers(0, 2**32 - 1),
        "min_runtime": st.tuples(*[st.integers(0, 9999)] * 3).map(
            lambda parts: ".".join(map(str, parts))
        ),
        "memory_mb": st.integers(1, 65536),
        "notes": st.text(max_size=50),
    }
)


@given(files=SOURCES, said=VALUES)
def test_what_is_built_is_what_is_read(files, said):
    head, payload = assemble(files, **said)
    again = parse_head(head.to_bytes() + payload)
    assert again == head
    manifest = parse_manifest(again.manifest)
    assert to_bytes(manifest) == head.manifest
    assert payload_bytes(manifest) == len(payload)
    assert {key: getattr(manifest, key) for key in said} == said
    assert {(e.role, e.name, e.target): e.bytes for e in manifest.files} == {
        source[:3]: len(source.data) for source in files
    }
    for target in {source.target for source in files}:
        for chunk in take(manifest, target, 1).chunks:
            data = payload[chunk.bundle_at : chunk.bundle_at + chunk.stored_size]
            assert hashlib.sha256(data).digest() == chunk.sha256


@pytest.mark.parametrize(
    ("key", "value"),
    [("product", "two words"), ("release", 0), ("counter", -1), ("min_runtime", "1.2")],
)
def test_a_value_that_cannot_be_is_refused_when_building(key, value):
    with pytest.raises(Refused) as refused:
        assemble(fake_files(), **values(**{key: value}))
    assert refused.value.reason == "malformed"


def test_an_older_reader_passes_over_newer_keys():
    head, _ = assemble(fake_files(), **values())
    raw = msgspec.msgpack.decode(head.manifest) | {"from_the_future": 1}
    assert parse_manifest(msgspec.msgpack.encode(raw)).version == "1.0.0"


def changed(files: list[Source], role: str) -> list[Source]:
    """Some bytes of one role's networks are others."""
    return [
        file._replace(data=file.data[:1000] + b"other" + file.data[1005:])
        if file.role == role and file.target
        else file
        for file in files
    ]


def test_a_delta_gives_what_the_whole_bundle_gives(tmp_path):
    assert can_unpack()
    old, new = fake_files(TARGETS), changed(fake_files(TARGETS), "detector")
    base_path = write(tmp_path / "old.bundle", signed(old))
    base = read_base([base_path], TARGETS)
    whole = write(tmp_path / "whole.bundle", signed(new, release=2))
    delta = write(tmp_path / "delta.bundle", signed(new, release=2, base=base))
    assert delta.stat().st_size < 0.05 * whole.stat().st_size
    assert signed(new, release=2, base=base) == delta.read_bytes()
    with BundleFile(delta) as opened:
        assert all(entry.target and entry.stored for entry in opened.manifest.files)
    again = read_base([delta, base_path], TARGETS)
    for target in TARGETS:
        held = contents(whole, target)
        assert again.payload(target) == b"".join(held.values())


CONTENT = st.one_of(st.binary(min_size=1, max_size=300), st.just(long_file(CHUNK_BYTES + 1)))
ONE_SET = st.tuples(CONTENT, CONTENT, CONTENT).map(
    lambda three: [
        Source("detector", "model.toml", "", three[0]),
        Source("detector", "net.rknn", "rk3588", three[1]),
        Source("detector", "net.tflite", "tflite", three[2]),
    ]
)


@settings(max_examples=25)
@given(sets=st.lists(ONE_SET, min_size=2, max_size=3))
def test_a_chain_of_deltas_gives_what_was_packed(tmp_path_factory, sets):
    """Each release a delta against the one before, as a fleet might get them."""
    folder = tmp_path_factory.mktemp("chain", numbered=True)
    targets = ["rk3588", "tflite"]
    chain: list[Path] = []
    for number, files in enumerate(sets):
        base = read_base(chain, targets) if chain else None
        head, payload = assemble(files, base=base, **values(release=number + 1))
        chain.insert(0, write(folder / f"{number}.bundle", head.to_bytes() + payload))
        held = read_base(chain, targets)
        for target in targets:
            ours = [file.data for file in files if file.target in ("", target)]
            assert held.payload(target) == b"".join(ours)


def test_without_the_library_a_delta_is_refused(monkeypatch):
    monkeypatch.setattr(pack_delta, "zstandard", None)
    assert not can_unpack()
    with pytest.raises(Refused) as refused:
        unpack_chunk(b"\x28\xb5\x2f\xfd", 10, b"")
    assert refused.value.reason == "delta"


def test_a_delta_needs_its_own_base(tmp_path):
    files = fake_files()
    first = write(tmp_path / "1.bundle", signed(files))
    other = write(tmp_path / "2.bundle", signed(fake_files(number=1), release=2))
    base = read_base([first], ["tflite"])
    delta = write(tmp_path / "3.bundle", signed(files, release=3, base=base))
    for paths in ([delta], [delta, other]):
        with pytest.raises(Refused) as refused:
            read_base(paths, ["tflite"])
        assert refused.value.reason == "base"


def unpacked(stored: bytes, size: int, base: bytes) -> bytes | None:
    """None where it is refused as a damaged chunk."""
    try:
        return unpack_chunk(stored, size, base)
    except Refused as refused:
        return None if refused.reason == "chunk" else b"another reason"


def test_a_chunk_is_packed_with_its_base_only():
    base, plain = fake_files()[2].data, fake_files()[2].data[:CHUNK_BYTES]
    stored = pack_chunk(plain, base)
    assert len(stored) < 100
    assert unpacked(stored, len(plain), base) == plain
    assert unpacked(stored, len(plain), base[:-1]) != plain
    assert unpacked(stored, len(plain), b"") is None
    assert unpacked(stored, len(plain) - 1, base) is None
    assert unpacked(stored + b"\0", len(plain), base) is None


@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 7)), max_size=5))
def test_a_damaged_chunk_never_unpacks_to_more_than_was_said(flips):
    plain = bytes(range(256)) * 20
    stored = bytearray(pack_chunk(plain, b"base" * 1000))
    for at, bit in flips:
        stored[at % len(stored)] ^= 1 << bit
    found = unpacked(bytes(stored), len(plain), b"base" * 1000)
    assert found is None or len(found) == len(plain)


@given(data=st.binary(max_size=200), size=st.integers(-1, 70000))
def test_junk_is_no_packed_chunk(data, size):
    assert unpacked(data, size, b"base") is None
