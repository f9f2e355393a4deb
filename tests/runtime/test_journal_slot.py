"""The slot format: what goes in comes out, and no bytes make the reader fall over."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.journal_slot import (
    CRC,
    HEADER,
    MAGIC,
    OVERHEAD_BYTES,
    Kind,
    SlotWriter,
    crc32,
    decode,
    find_seq,
)

U64 = st.integers(0, 2**64 - 1)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def sealed(
    body: bytes, major: int = 1, minor: int = 0, kind: int = 1, length: int | None = None
) -> bytes:
    """A slot of 512 bytes with any body and a right CRC."""
    size = len(body) if length is None else length
    head = HEADER.pack(MAGIC, major, minor, 0, kind, 5, 6, 7.0, 8, 9, 0, size) + body
    return (head + CRC.pack(crc32(head))).ljust(512, b"\0")


def test_the_header_lies_as_documented() -> None:
    assert HEADER.size == 44
    writer = SlotWriter(512, 0x0102030405060708)
    writer.encode(0x1112131415161718, Kind.FAULT, 1.5, -2, {"a": 1})
    slot = bytes(writer.slot)
    assert slot[:8] == b"HTJR\x01\x00\x00\x04"
    assert slot[8:16] == bytes.fromhex("1817161514131211")
    assert slot[16:24] == bytes.fromhex("0807060504030201")
    assert slot[24:32] == bytes.fromhex("000000000000f83f")
    assert slot[32:40] == bytes.fromhex("feffffffffffffff")
    assert slot[40:44] == bytes([9, 0, 4, 0])
    assert slot[44:48] == msgpack.packb({"a": 1})
    assert slot[48:52] == CRC.pack(crc32(slot[:48]))
    assert slot[52:] == bytes(460)


@settings(max_examples=60)
@given(U64, U64, st.integers(0, 255), st.floats(0, 1e15), st.integers(-(2**62), 2**62), st.data())
def test_what_goes_in_comes_out(
    seq: int, boot_id: int, kind: int, mono_ms: float, wall_ms: int, data: st.DataObject
) -> None:
    body = data.draw(st.dictionaries(st.text(max_size=8), PLAIN, max_size=5))
    writer = SlotWriter(16384, boot_id)
    writer.encode(seq, kind, mono_ms, wall_ms, body)
    record = decode(writer.slot)
    assert record is not None
    assert record[:5] == (seq, boot_id, mono_ms, wall_ms, kind)
    if not record.is_truncated:
        assert record.body == body


@given(st.binary(max_size=600))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    assert decode(data) is None
    assert decode((MAGIC + data).ljust(1024, b"\xff")) is None


@given(st.binary(max_size=464))
def test_no_body_with_a_right_crc_makes_the_reader_raise(body: bytes) -> None:
    record = decode(sealed(body))
    assert record is not None
    assert isinstance(record.body, dict)


@pytest.mark.parametrize("body", [b"\x91" * 464, b"\x81\x90\x01", b"\xd6\xff\x00\x00\x00\x00", b""])
def test_odd_bodies_are_read_as_empty(body: bytes) -> None:
    record = decode(sealed(body))
    assert record is not None
    assert record.body == {}


@given(st.integers(0, 511), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    writer = SlotWriter(512, 1)
    writer.encode(9, 1, 0.0, 0, {"text": "x" * 440})
    end = HEADER.size + HEADER.unpack_from(writer.slot)[-1] + CRC.size
    slot = bytearray(writer.slot)
    slot[position] ^= change
    assert (find_seq(slot, 0, 512) is None) == (position < end)


@pytest.mark.parametrize("length", [465, 500, 65535])
def test_a_length_beyond_the_slot_is_no_record(length: int) -> None:
    assert decode(sealed(b"", length=length)) is None


def test_a_slot_of_another_size_is_no_record() -> None:
    assert decode(sealed(b"\x80").ljust(1024, b"\0")) is None
    assert decode(sealed(b"\x80")[:511]) is None


def test_a_newer_minor_format_is_read_with_its_new_keys() -> None:
    record = decode(sealed(msgpack.packb({"rule": "zone", "new": 1}), minor=7))
    assert record is not None
    assert record.body == {"rule": "zone", "new": 1}


def test_a_newer_major_format_counts_but_its_body_is_not_read() -> None:
    record = decode(sealed(msgpack.packb({"rule": 1}), major=2))
    assert record is not None
    assert (record.seq, record.format, record.body) == (5, (2, 0), {})


def test_an_unknown_kind_is_shown_as_a_number() -> None:
    record = decode(sealed(b"\x80", kind=99))
    assert record is not None
    assert record.kind_name == "99"


def written(body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    writer = SlotWriter(512, 1)
    writer.encode(1, 1, 0.0, 0, body)
    record = decode(writer.slot)
    assert record is not None
    return record.body, record.is_truncated


def test_a_body_that_just_fits_is_whole() -> None:
    room = 512 - OVERHEAD_BYTES - len(msgpack.packb({"why": "x" * 300})) + 300
    assert written({"why": "x" * room}) == ({"why": "x" * room}, False)
    assert written({"why": "x" * (room + 1)}) == ({}, True)


def test_a_body_too_large_loses_why_first() -> None:
    body = {"rule": "zone", "text": "y" * 200, "why": {"values": list(range(200))}}
    assert written(body) == ({"rule": "zone", "text": "y" * 200}, True)


def test_then_it_loses_the_largest() -> None:
    body = {"rule": "zone", "text": "y" * 900, "why": {"a": 1}, "zone": "view"}
    assert written(body) == ({"rule": "zone", "why": {"a": 1}, "zone": "view"}, True)


@pytest.mark.parametrize("bad", ["\ud800", "x" * 70000], ids=["surrogate", "long"])
def test_what_msgpack_cannot_hold_is_dropped(bad: object) -> None:
    assert written({"rule": "zone", "bad": bad}) == ({"rule": "zone"}, True)


def test_numpy_and_other_values_become_plain() -> None:
    body = {
        "f": np.float32(0.5),
        "n": np.int64(3),
        "b": np.bool_(True),
        "a": np.arange(3),
        "i": 2**64,
    }
    assert written(body) == ({"f": 0.5, "n": 3, "b": True, "a": [0, 1, 2], "i": str(2**64)}, False)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(max_size=4), PLAIN, max_size=4), min_size=2, max_size=5))
def test_a_slot_holds_nothing_of_the_records_before(bodies: list[dict[str, Any]]) -> None:
    reused = SlotWriter(1024, 1)
    for body in bodies:
        reused.encode(1, 1, 0.0, 0, body)
    fresh = SlotWriter(1024, 1)
    fresh.encode(1, 1, 0.0, 0, bodies[-1])
    assert reused.slot == fresh.slot


@pytest.mark.parametrize(("slot_bytes", "boot_id"), [(500, 1), (256, 1), (512, -1), (512, 2**64)])
def test_wrong_parameters_are_refused(slot_bytes: int, boot_id: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        SlotWriter(slot_bytes, boot_id)
