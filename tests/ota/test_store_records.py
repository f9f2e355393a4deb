"""Records, the state, and the site file, on flash that works."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.faults import StorageFault
from ota import records, wire
from ota.records import Records, decode, encode
from ota.refusal import Refused
from ota.state import SlotInfo, State, from_bytes, to_bytes
from ota.state_store import STATE_MAGIC
from ota.store import Store
from sim.board.flash import Flash
from tests.ota.camera import SLOT_BYTES, UNIT, bundle, install, new_flash, start

NAMES = [*State.__struct_fields__, *SlotInfo.__struct_fields__, "confirmed", "digests", "colour"]


def test_a_record_is_found_again_and_the_newest_counts():
    flash = Flash(bytes(4 * UNIT))
    places = Records(flash, (0, 2 * UNIT), 2 * UNIT, b"TEST")
    assert places.newest is None
    for number in range(5):
        places.write(b"%d" % number * 300)
        again = Records(flash, (0, 2 * UNIT), 2 * UNIT, b"TEST").newest
        assert again == places.newest
        assert again is not None
        assert again.body == b"%d" % number * 300
    with pytest.raises(StorageFault, match="full"):
        places.write(bytes(2 * UNIT))


@pytest.mark.parametrize("at", [0, 4, 9, 16, 20, 30, 33])
def test_a_record_with_one_wrong_bit_is_none(at):
    data = bytearray(encode(b"TEST", 7, b"ten bytes.", UNIT))
    assert decode(bytes(data), b"TEST") == (7, 1, 0, b"ten bytes.")
    data[at] ^= 1
    assert decode(bytes(data), b"TEST") is None
    assert decode(bytes(data[:at]), b"TEST") is None


def test_storage_that_is_too_small_is_refused():
    with pytest.raises(StorageFault, match="too_small"):
        Store(Flash(bytes(8192)), SLOT_BYTES)


def test_what_a_newer_runtime_has_written_is_kept():
    newer = {
        "floor": 4,
        "colour": "red",
        "slots": [{"status": "confirmed", "half_life": 3}, {}],
        "active": 0,
        "site": {"tries": 2, "mood": [1, 2]},
    }
    state = from_bytes(wire.pack(newer))
    assert (state.floor, state.active, state.site.tries) == (4, 0, 2)
    again = wire.unpack(to_bytes(state), 4096)
    assert again["colour"] == "red"
    assert again["slots"][0]["half_life"] == 3
    assert again["site"]["mood"] == [1, 2]
    assert from_bytes(to_bytes(state)) == state
    assert from_bytes(to_bytes(State())) == State()


def write_as(flash: Flash, body: bytes, major: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(records, "MAJOR", major)
        store = Store(flash, SLOT_BYTES)
        store._states.write(body)


def test_a_state_of_another_major_format_is_left_alone_and_the_factory_runs(monkeypatch):
    flash = new_flash()
    install(start(flash), bundle(1))
    write_as(flash, wire.pack({"floor": 9}), 2, monkeypatch)
    before = bytes(flash.visible)
    camera = start(flash)
    assert camera.load_active().slot == -1
    for change in (
        lambda: camera.offer(bundle(2).head),
        lambda: camera.store.save_site("x = 1"),
        lambda: camera.rings([]) and camera.store.begin_trial(),
        lambda: camera.store.go_back(),
        lambda: camera.abandon(),
    ):
        with pytest.raises(Refused, match=r"newer_format|nothing"):
            change()
    assert bytes(flash.visible) == before
    assert camera.store.locked


def test_a_state_with_values_that_are_not_known_is_left_alone(monkeypatch):
    flash = new_flash()
    write_as(flash, wire.pack({"slots": [{"status": "frozen"}, {}]}), 1, monkeypatch)
    assert Store(flash, SLOT_BYTES).locked


def test_the_longest_state_fits_its_record():
    info = SlotInfo(
        status="confirmed", digest=bytes(32), version="v" * 64, why="w" * 64,
        release=2**32 - 1, counter=2**32 - 1, head_bytes=2**17,
    )  # fmt: skip
    flash = new_flash()
    store = Store(flash, SLOT_BYTES)
    store.commit(State(slots=(info, info), active=0))
    store.save_site("a")
    store.drop_site("r" * 400, "\U0001f525" * 400)
    store.set_aside(0, "r" * 400, "\U0001f525" * 400)
    assert Store(flash, SLOT_BYTES).state == store.state
    assert bytes(flash.visible[:4]) == STATE_MAGIC


def test_a_site_file_is_tried_confirmed_and_dropped():
    flash = new_flash()
    store = Store(flash, SLOT_BYTES)
    store.save_site("first")
    assert (store.site.text, store.site.is_trial, store.site.tries) == ("first", True, 0)
    assert store.site_started() == 1
    assert Store(flash, SLOT_BYTES).site.tries == 1
    store.confirm_site()
    assert (store.site.text, store.site.is_trial) == ("first", False)
    store.save_site("second")
    store.save_site("third")
    assert store.site.text == "third"
    store.drop_site("reset", "twice")
    assert store.site.text == "first"
    assert store.state.site.last.reason == "reset"
    assert Store(flash, SLOT_BYTES).site.text == "first"
    for step in (store.site_started, store.confirm_site, lambda: store.drop_site("reset")):
        with pytest.raises(Refused, match="nothing"):
            step()


def test_a_damaged_site_file_on_trial_gives_way_to_the_confirmed_one():
    flash = new_flash()
    store = Store(flash, SLOT_BYTES)
    store.save_site("first")
    store.confirm_site()
    store.save_site("second")
    flash.visible[store._layout.sites[store.state.site.trial] + 22] ^= 1
    assert Store(flash, SLOT_BYTES).site.text == "first"


def test_a_site_file_that_is_too_long_or_empty_changes_nothing():
    store = Store(new_flash(), SLOT_BYTES)
    for text, reason in (("x" * 40_000, "too_long"), ("", "argument")):
        with pytest.raises(Refused, match=reason):
            store.save_site(text)
    assert store.site.text == ""


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.binary(max_size=40)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_any_valid_record_is_a_state_or_none_of_ours(value):
    try:
        state = from_bytes(wire.pack(value))
    except Refused:
        return
    assert from_bytes(to_bytes(state)) == state


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_none(data):
    for head in (b"", b"HTST\x01\x00", encode(b"HTST", 1, b"", 1)[:20]):
        decode(head + data, STATE_MAGIC)
