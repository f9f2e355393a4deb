"""Records of counts: nothing is lost on the way to the journal, and junk harms nobody."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from runtime.counts_config import CountsConfig
from runtime.counts_record import DS_MS, Encoder, Period, ZoneHour, decode, key_of
from runtime.event import Events
from runtime.journal import Journal, read_all
from runtime.journal_slot import SLOT_SIZES, Kind
from runtime.record import KIND_NUMBERS, Recorder
from sim.board.flash import Flash

COUNTS = st.integers(0, 1 << 40)
NAMES = st.text(max_size=24)
TIMES = st.integers(0, 1 << 40).map(lambda ds: ds * DS_MS)
ZONES = st.builds(
    ZoneHour,
    tracks=COUNTS,
    ms=TIMES,
    entries=COUNTS,
    appeared=COUNTS,
    exits=COUNTS,
    vanished=COUNTS,
    most=COUNTS,
    dwell=st.lists(COUNTS, max_size=13).map(tuple),
)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    columns, rows = draw(st.integers(1, 40)), draw(st.integers(1, 30))
    cell = st.integers(0, columns * rows - 1)
    return Period(
        from_ms=draw(st.integers(-(1 << 50), 1 << 50)),
        period_ms=draw(st.integers(0, 1 << 32)),
        observed_ms=draw(st.integers(0, 1 << 32)),
        grid=(columns, rows),
        picture=(draw(st.integers(1, 8192)), draw(st.integers(1, 8192))),
        k=draw(st.integers(1, 100)),
        dwell_s=draw(st.lists(st.integers(1, 86_400), max_size=12)),
        cells=draw(st.dictionaries(cell, st.tuples(TIMES, COUNTS), max_size=20)),
        zones=draw(st.dictionaries(NAMES, ZONES, max_size=3)),
        lines=draw(st.dictionaries(NAMES, st.tuples(COUNTS, COUNTS), max_size=3)),
        rules=draw(
            st.dictionaries(NAMES, st.tuples(TIMES, COUNTS, st.just("warning")), max_size=3)
        ),
    )


def through_a_journal(parts: list[dict[str, object]], slot_bytes: int) -> list[dict[str, object]]:
    """As the loop writes them, and as a reader finds them."""
    storage = Flash(bytes(slot_bytes * max(len(parts) + 1, 2)), slot_bytes)
    recorder = Recorder(Journal(storage, VirtualClock(), 1), None)
    events = Events()
    for part in parts:
        events.add("counts", 9e14, 1 << 40, "hour", part)
    recorder.write(events, 0.0)
    records = list(read_all(storage))
    assert not any(record.is_truncated for record in records)
    assert {record.kind for record in records} == {Kind.COUNTS}
    return [record.body["why"] for record in records]


@settings(deadline=None, max_examples=25)
@given(period=periods(), slot_bytes=st.sampled_from(SLOT_SIZES))
def test_what_goes_into_the_journal_comes_out_of_it(period: Period, slot_bytes: int) -> None:
    parts = Encoder(slot_bytes).encode(period)
    found = through_a_journal(parts, slot_bytes)
    assert decode(reversed(found)) == period
    assert len({key_of(why) for why in found}) == 1


def test_a_full_grid_fits_few_slots() -> None:
    cells = {cell: (60_000.0 + 100 * cell, 3 + cell % 9) for cell in range(24 * 14)}
    period = Period(1_763_700_000_000, 3_600_000, 3_599_000, (24, 14), (640, 360), 5, [5], cells)
    sizes = {unit: len(Encoder(unit).encode(period)) for unit in (512, 4096)}
    assert sizes == {512: 8, 4096: 1}


def test_the_largest_possible_hour_still_fits_the_smallest_slots() -> None:
    cells = {cell: (1e14, 1 << 40) for cell in range(1536)}
    hour = ZoneHour(1 << 40, 1e14, *([1 << 40] * 5), dwell=(1 << 40,) * 13)
    names = [f"{number:02}" + "ä" * 60 for number in range(32)]
    period = Period(
        *(1 << 50, 1 << 40, 1 << 40, (64, 24), (8192, 8192), 100, [86_400] * 12, cells),
        {name[:48]: hour for name in names},
        {name[:48]: (1 << 40, 1 << 40) for name in names},
        {name[:48]: (1e14, 1 << 40, "warning") for name in names},
    )
    assert decode(through_a_journal(Encoder(512).encode(period), 512)) == period


def test_a_lost_part_is_told() -> None:
    cells = {cell: (1e6, 9) for cell in range(336)}
    period = Period(0, 1, 1, (24, 14), (640, 360), 5, [5], cells)
    parts = Encoder(512).encode(period)
    for lost in range(len(parts)):
        found = decode(part for part in parts if part["part"] != lost)
        assert found is not None and not found.is_whole
        assert found.cells.items() <= period.cells.items()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
KEYS = (
    "part",
    "parts",
    "from_ms",
    "grid",
    "cells",
    "zones",
    "lines",
    "rules",
    "dwell_s",
    "picture",
)


@settings(deadline=None, max_examples=40)
@given(bodies=st.lists(st.dictionaries(st.sampled_from(KEYS), JSON), max_size=3))
def test_junk_is_passed_over(bodies: list[dict[str, object]]) -> None:
    for body in bodies:
        key_of(body)
    decode(bodies)


@settings(deadline=None, max_examples=40)
@given(junk=JSON, key=st.sampled_from(KEYS[4:]), period=periods())
def test_junk_in_one_place_harms_no_other(junk: object, key: str, period: Period) -> None:
    (part, *_) = Encoder(16384).encode(period)
    found = decode([part | {key: junk}])
    assert found is not None
    assert found.from_ms == period.from_ms


def test_the_kind_has_its_number() -> None:
    assert KIND_NUMBERS["counts"] == Kind.COUNTS == 7


@pytest.mark.parametrize("unit", SLOT_SIZES)
def test_a_record_of_nobody_is_small(unit: int) -> None:
    config = CountsConfig()
    grid = (config.columns, config.rows)
    period = Period(1 << 41, 3_600_000, 0, grid, (1920, 1080), 5, config.dwell_s)
    (part,) = Encoder(unit).encode(period)
    assert len(msgpack.packb(part)) < 200
