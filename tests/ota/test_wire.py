"""Bounded msgpack: everything that it is, and nothing beyond its bounds."""

from __future__ import annotations

import tracemalloc

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ota import wire
from ota.refusal import Refused

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)
MOST = 1 << 16


def refusal(data: bytes, most: int = MOST) -> str:
    with pytest.raises(Refused) as refused:
        wire.unpack(data, most)
    return refused.value.reason


def depth(value) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES)
@example([0, -1, 127, 128, 255, 256, 65535, 65536, 2**32, 2**63, -33, -129, -32769, -(2**31) - 1])
@example(["x" * 31, "x" * 32, "x" * 256, "x" * 65000])
@example([b"x" * 255, b"x" * 256, b"x" * 65000])
@example([list(range(15)), list(range(16)), {str(number): number for number in range(16)}])
def test_values_come_back_as_they_went(value):
    data = wire.pack(value)
    if depth(value) > wire.MAX_DEPTH:
        assert refusal(data, 1 << 20) == "too_deep"
    else:
        assert wire.unpack(data, 1 << 20) == value


@given(st.binary(max_size=100))
@example(b"\xc1")
def test_bytes_from_anywhere_are_a_value_or_refused(data):
    """What the walk lets through is what the library reads, and neither raises anything else."""
    try:
        value = wire.unpack(data, MOST)
    except Refused:
        return
    assert repr(value) == repr(msgpack.unpackb(data, raw=False))


@given(VALUES, st.data())
def test_a_value_that_is_cut_short_is_refused(value, data):
    whole = wire.pack(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Refused):
        wire.unpack(whole[:cut], MOST)


def test_the_same_map_has_the_same_bytes():
    assert wire.pack({"a": 1, "b": {"c": 2, "d": 3}}) == wire.pack({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (b"\x01\x02", "malformed"),
        (b"\xc1", "malformed"),
        (b"\xd4\x01\x00", "malformed"),
        (b"\xc7\x00\x01", "malformed"),
        (b"\xd6\xff\x00\x00\x00\x00", "malformed"),
        (b"\x81\x01\x02", "malformed"),
        (b"\x81\xc4\x01a\x02", "malformed"),
        (b"\xa1\xff", "malformed"),
        (b"\xdb\xff\xff\xff\xff", "malformed"),
        (b"\xdd\xff\xff\xff\xff", "too_long"),
        (b"\xdf\xff\xff\xff\xff", "too_long"),
        (b"\xdc\x10\x01" + bytes(4097), "too_long"),
        (b"\x92" + (b"\xdc\x0f\xfe" + bytes(4094)) * 2, None),
        (b"\x92" + (b"\xdc\x0f\xff" + bytes(4095)) * 2, "too_long"),
        (b"\x91" * 8 + b"\x00", None),
        (b"\x91" * 9 + b"\x00", "too_deep"),
        (b"\x91" * 8 + b"\x90", "too_deep"),
        (b"\x81\xa1a" * 9 + b"\x00", "too_deep"),
        (b"\x91" * 60_000, "too_deep"),
        (bytes(MOST + 1), "too_long"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bounds(data, reason):
    if reason:
        assert refusal(data) == reason
    else:
        wire.unpack(data, MOST)


@pytest.mark.parametrize(
    "data",
    [b"\xdc\x10\x00" * 1000, b"\xdc\x10\x00" * 20_000, b"\x80" * 60_000, b"\xde\x10\x00" * 1000],
    ids=["arrays in arrays", "more of them", "maps", "maps in maps"],
)
def test_no_message_takes_more_memory_than_a_megabyte(data):
    tracemalloc.start()
    with pytest.raises(Refused):
        wire.unpack(data, MOST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
