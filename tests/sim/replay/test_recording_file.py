"""A recording is read whole and checked, or refused with a reason."""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.replay import recording
from sim.replay.recording import MAGIC, Model, Network, Recording, RecordingRefused, Rows, Tensor
from sim.replay.thin import thin_grids
from tests.sim.replay.test_compare import run

MODEL = Model("net", "1", "tflite", "0" * 64)
rows_of_bytes = st.lists(st.binary(min_size=6, max_size=6), min_size=1, max_size=8)


def small() -> Recording:
    keys = [(1, 0.0, 0), (1, 100.0, 0)]
    grids = Rows.of(dict.fromkeys([(0, 0.0, 0), (0, 100.0, 0)], bytes(range(12))), 12)
    network = Network(
        Tensor([1, 2, 2, 3], "int8"),
        Rows.of(dict.fromkeys(keys, b"abcdef"), 6),
        [Tensor([1, 2], "int8"), Tensor([1, 4], "uint8")],
        Rows.of(dict.fromkeys(keys, b"123456"), 6),
    )
    did = run()
    return Recording(
        scenario={}, board={}, site={}, file="x", model=MODEL, grid_rows=2, grid_columns=2,
        grids=grids, networks=[network], did=did,
    )  # fmt: skip


def packed(made: object) -> bytes:
    return MAGIC + zlib.compress(msgspec.msgpack.encode(made))


@given(rows_of_bytes)
def test_rows_come_back_as_they_were(rows):
    table = {(1, 10.0 * n, 0): row for n, row in enumerate(rows)}
    back = Rows.of(table, 6).unpack()
    assert {key: row.tobytes() for key, row in back.items()} == table


def test_a_recording_comes_back_as_it_was(tmp_path):
    recording.save(small(), tmp_path / "a.rec")
    assert recording.load(tmp_path / "a.rec") == small()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin as one"),
        (b"junk" * 100, "does not begin as one"),
        (MAGIC, "does not end"),
        (MAGIC + b"junk", "damaged"),
        (packed(small())[:-3], "does not end"),
        (packed(small()) + b"x", "does not end"),
        (packed([1, 2]), "format 1"),
        (packed({**msgspec.to_builtins(small()), "format": 2}), "format"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_reason(data, why):
    with pytest.raises(RecordingRefused, match=why):
        recording.decode(data)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: setattr(r.grids, "width", 6), "grids.width = 6: must be 12"),
        (lambda r: setattr(r, "grid_rows", 9), "must be 54"),
        (lambda r: r.grids.t_ms.pop(), "announced"),
        (lambda r: setattr(r.networks[0].tensors, "packed", b""), "announced"),
        (lambda r: setattr(r, "grids", Rows([], [], [], 12, b"")), "not one picture"),
        (lambda r: setattr(r, "model", Model("net", "1", "tflite", "ab")), "model.sha256"),
        (lambda r: r.did.frames[0].scores.pop(), r"did.frames\[0\]: each box must have a score"),
        (lambda r: r.did.frames[0].track_id.clear(), r"did.frames\[0\]: .* each track an id"),
        (lambda r: r.did.frames[0].boxes[0].pop(), r"did.frames\[0\]: boxes must have 4 sides"),
        (lambda r: r.did.events[0].pop("zone"), r"did.events\[0\]: must have kind, rule, zone"),
        (lambda r: r.did.events[0].update(t_ms="now"), r"did.events\[0\]: must have .* t_ms"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(change, why):
    made = small()
    change(made)
    with pytest.raises(RecordingRefused, match=why):
        recording.decode(packed(made))


def test_a_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(recording, "MOST_BYTES", 1 << 16)
    with pytest.raises(RecordingRefused, match="larger"):
        recording.decode(MAGIC + zlib.compress(bytes(1 << 20)))


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_body_is_refused_or_read_never_crashes(data):
    """The container is whole, so that the damage reaches the decoder."""
    body = bytearray(msgspec.msgpack.encode(small()))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    body = body[:cut] if data.draw(st.booleans()) else body
    with contextlib.suppress(RecordingRefused):
        recording.check(recording.decode(MAGIC + zlib.compress(bytes(body))))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    with pytest.raises(RecordingRefused):
        recording.decode(data)
    with pytest.raises(RecordingRefused):
        recording.decode(MAGIC + data)


@given(
    st.lists(st.sampled_from([0, 3, 15, 16, 17, 18, 31, 32, 200, 255]), min_size=1, max_size=9),
    st.sampled_from([0, 16, 20, 40]),
)
def test_thin_grids_stay_dark_and_stay_changed(values, dark_level):
    exact = {(0, 100.0 * n, 0): bytes([value] * 12) for n, value in enumerate(values)}
    coarse = [row.tobytes() for row in thin_grids(Rows.of(exact, 12), dark_level).unpack().values()]
    whole = list(exact.values())
    for n, (thin, full) in enumerate(zip(coarse, whole, strict=True)):
        assert (max(thin) > dark_level) == (max(full) > dark_level)
        if n:
            assert (thin != coarse[n - 1]) == (full != whole[n - 1])


def test_nothing_in_a_reference_is_a_picture():
    """24 x 32 samples are all there is of what was seen."""
    for file in (Path(__file__).parent / "references").glob("*.rec"):
        kept = recording.load(file)
        assert (kept.grid_rows, kept.grid_columns) == (24, 32)
        assert kept.networks[0].samples.width <= 520
        assert np.prod(kept.networks[0].input.shape) > 100_000
