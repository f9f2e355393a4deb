"""The boot state: two copies, one of which always counts, in text that U-Boot reads."""

import random
import zlib
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.faults import StorageFault
from ota.image import boot_state
from ota.image.boot_state import (
    COPIES_AT,
    LOST,
    MISC_BYTES,
    SECTOR_BYTES,
    BootState,
    BootStateFault,
    SlotState,
    bad,
    factory,
    from_sector,
    good,
    misc_image,
    newest,
    primary,
    to_sector,
    tried,
    up,
)
from ota.image.misc import MiscPartition, change, read
from sim.board.cuts import outcomes, take
from sim.board.flash import Flash

slot_names = st.sampled_from(boot_state.SLOTS)
slot_states = st.builds(SlotState, st.integers(0, boot_state.TRIES), st.booleans())
states = st.builds(
    BootState,
    st.sampled_from([("a", "b"), ("b", "a")]),
    slot_states,
    slot_states,
    st.integers(0, boot_state.MOST_SEQ),
)
STEPS = {
    "good": good,
    "up": up,
    "bad": bad,
    "primary": primary,
    "tried": lambda state, slot: tried(state)[0],
}
steps = st.tuples(st.sampled_from(sorted(STEPS)), slot_names)


@given(states)
def test_what_is_written_is_read(state):
    assert from_sector(to_sector(state)) == state


def test_the_text_is_as_u_boot_exports_it():
    text = to_sector(BootState(("b", "a"), SlotState(2, True), SlotState(0, False), 0x1F))
    assert text[:108].rstrip(b"\0") == (
        b"haetae_a_left=2\nhaetae_a_proved=1\nhaetae_b_left=0\nhaetae_b_proved=0\n"
        b"haetae_order=b a\nhaetae_seq=1f\n"
    )
    assert len(text) == SECTOR_BYTES


@given(states, st.integers(0, 8 * SECTOR_BYTES - 1))
def test_one_bit_that_has_turned_is_noticed(state, bit):
    sector = bytearray(to_sector(state))
    sector[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BootStateFault, match="crc"):
        from_sector(bytes(sector))


@given(st.binary(min_size=SECTOR_BYTES, max_size=SECTOR_BYTES))
def test_garbage_is_refused(sector):
    with pytest.raises(BootStateFault):
        from_sector(sector)


def sealed(text: bytes) -> bytes:
    """A copy with a right CRC, whatever it says."""
    text = text.ljust(boot_state.TEXT_BYTES, b"\0")
    return text + zlib.crc32(text).to_bytes(4, "big")


GOOD = to_sector(factory())[: boot_state.TEXT_BYTES].rstrip(b"\0")


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        (b"", "text", "haetae_a_left, haetae_a_proved"),
        (GOOD.replace(b"haetae_seq=1\n", b""), "text", "haetae_seq missing"),
        (GOOD + b"\0more", "text", "zeros"),
        (GOOD + b"x=\xff\n", "text", "ASCII"),
        (GOOD.replace(b"a_left=3", b"a_left=4"), "value", "haetae_a_left='4'"),
        (GOOD.replace(b"a_left=3", b"a_left="), "value", "haetae_a_left=''"),
        (GOOD.replace(b"b_left=3", b"b_left=-1"), "value", "haetae_b_left='-1'"),
        (GOOD.replace(b"b_proved=1", b"b_proved=2"), "value", "haetae_b_proved='2'"),
        (GOOD.replace(b"a b", b"a c"), "value", "haetae_order='a c'"),
        (GOOD.replace(b"seq=1", b"seq=80000000"), "value", "haetae_seq='80000000'"),
    ],
)
def test_a_copy_that_nobody_of_us_writes_is_refused(text, reason, told):
    with pytest.raises(BootStateFault) as fault:
        from_sector(sealed(text))
    assert fault.value.reason == reason
    assert told in fault.value.detail


def test_a_copy_of_another_size_is_refused():
    with pytest.raises(BootStateFault, match="size"):
        from_sector(b"\0" * 100)


def test_variables_of_a_newer_runtime_are_passed_over():
    assert from_sector(sealed(b"haetae_new=7\n" + GOOD)) == factory()


@given(states, states)
def test_the_higher_number_counts(one, other):
    state, which, faults = newest((to_sector(one), to_sector(other)))
    assert not faults
    assert state == (one, other)[which]
    assert state.seq == max(one.seq, other.seq)


def test_what_is_wrong_with_each_copy_is_told():
    state, which, faults = newest((b"\0" * SECTOR_BYTES, to_sector(factory())))
    assert (state, which) == (factory(), 1)
    assert faults == ["copy 0: crc: 00000000 does not fit the text"]
    assert newest((b"\0" * SECTOR_BYTES,) * 2)[0] is None


def test_a_new_image_holds_two_copies_of_which_the_second_counts():
    image = misc_image(factory())
    sectors = tuple(image[at : at + SECTOR_BYTES] for at in COPIES_AT)
    assert len(image) == MISC_BYTES
    assert newest(sectors)[:2] == (replace(factory(), seq=2), 1)


def test_an_empty_second_slot_has_no_tries():
    assert factory("a").b == SlotState(0, False)
    assert factory("a").a == SlotState(3, True)


def test_three_tries_then_the_other_slot():
    state = primary(factory(), "b")
    booted = []
    for _ in range(4):
        state, slot = tried(state)
        booted.append(slot)
    assert booted == ["b", "b", "b", "a"]


def test_marking_the_way_back_good_does_not_undo_an_install():
    """RAUC has written b while the camera, up from a, was still to prove itself."""
    state = primary(bad(factory(), "b"), "b")
    assert good(state, "a").primary == "b"
    assert up(state, "a").primary == "b"


def test_a_slot_that_led_and_is_spent_gives_the_lead_away():
    state = BootState(("b", "a"), SlotState(2, True), SlotState(0, False))
    assert good(state, "a").order == ("a", "b")


def test_a_slot_that_is_written_over_has_to_prove_itself_again():
    state = primary(bad(factory(), "b"), "b")
    assert state.b == SlotState(3, False)
    assert up(tried(state)[0], "b").b == SlotState(2, False)
    assert good(state, "b").b == SlotState(3, True)


def test_where_all_is_spent_the_proved_slot_leads():
    spent = BootState(("b", "a"), SlotState(0, True), SlotState(0, False))
    assert tried(spent) == (BootState(("a", "b"), SlotState(2, True), SlotState(3, False)), "a")
    nothing_known = BootState(("b", "a"), SlotState(0), SlotState(0))
    assert tried(nothing_known)[1] == "b"


@given(states, st.lists(steps, max_size=12))
def test_whatever_happens_something_boots_and_numbers_stay_in_their_bounds(state, done):
    for name, slot in done:
        state = STEPS[name](state, slot)
    after, slot = tried(state)
    assert slot in boot_state.SLOTS
    assert from_sector(to_sector(after)) == after
    assert (after.seq, sorted(after.order)) == (state.seq, ["a", "b"])


@given(states)
def test_a_slot_that_never_comes_up_is_left_within_its_tries(state):
    """Whatever the state: seven boots that end in nothing have tried both slots."""
    booted = set()
    for _ in range(2 * boot_state.TRIES + 1):
        state, slot = tried(state)
        booted.add(slot)
    assert booted == {"a", "b"}


# -- on flash

APART = 4096


class Misc:
    """The two copies on a small flash that can be cut, each in units of its own."""

    def __init__(self, image: bytes = b"", unit: int = SECTOR_BYTES):
        whole = misc_image(factory())
        parts = (whole[at : at + SECTOR_BYTES].ljust(APART, b"\0") for at in COPIES_AT)
        self.flash = Flash(image or b"".join(parts), unit)
        self.sync = self.flash.sync

    def read_at(self, offset, length):
        return self.flash.read_at(COPIES_AT.index(offset) * APART, length)

    def write_at(self, offset, data):
        self.flash.write_at(COPIES_AT.index(offset) * APART, data)

    def cuts(self, step):
        """Change the state; every moment at which the power could have gone meanwhile."""
        found = []
        self.flash.before = lambda flash, units: found.append(take(flash, units))
        change(self, step)
        self.flash.before = None
        return found


@pytest.mark.parametrize("unit", [512, 4096, 128])
def test_no_cut_leaves_neither_state(unit):
    """At each write and sync of eight changes; units torn, erased, garbage; also below a sector."""
    misc = Misc(unit=unit)
    tries = 0
    for name, slot in [("tried", "a"), ("good", "a"), ("bad", "b"), ("primary", "b")] * 2:
        before, _ = read(misc)
        step = (
            (lambda state: tried(state)[0]) if name == "tried" else partial(STEPS[name], slot=slot)
        )
        after = replace(step(before), seq=before.seq + 1)
        for cut in misc.cuts(step):
            for patch in outcomes(cut, seeds=2, points=(0.0, 0.1, 0.9)):
                assert read(Misc(bytes(cut.image(patch)), unit))[0] in (before, after)
                tries += 1
    assert tries > 100


def test_a_writer_over_the_copy_that_counts_is_caught(monkeypatch):
    """The planted fault."""
    found = boot_state.newest
    monkeypatch.setattr("ota.image.misc.newest", lambda two: (found(two)[0], 1 - found(two)[1], []))
    cuts = Misc().cuts(partial(bad, slot="b"))
    monkeypatch.undo()
    left = {read(Misc(bytes(cut.image(patch))))[0].seq for cut in cuts for patch in outcomes(cut)}
    assert left == {1, 2, 3}, "torn, it would fall back behind what was durable"


def test_what_does_not_change_is_not_written():
    misc = Misc()
    change(misc, lambda state: good(state, "a"))
    assert misc.flash.operations == 0


def test_where_both_copies_are_lost_a_change_writes_one():
    misc = Misc(bytes(2 * APART))
    assert read(misc)[0] == LOST
    change(misc, lambda state: state)
    assert read(misc)[0] == replace(LOST, seq=1)


def test_a_write_that_reads_otherwise_is_a_fault():
    class Deaf(Misc):
        def write_at(self, offset, data):
            pass

    with pytest.raises(StorageFault, match="reads otherwise"):
        change(Deaf(), partial(bad, slot="b"))


def test_the_partition_is_read_and_written_in_place(tmp_path):
    path = tmp_path / "misc"
    path.write_bytes(misc_image(factory()))
    with MiscPartition(path) as misc:
        change(misc, lambda state: primary(bad(state, "b"), "b"))
    assert path.stat().st_size == MISC_BYTES
    with MiscPartition(path) as misc:
        assert read(misc)[0] == BootState(("b", "a"), SlotState(3, True), SlotState(3, False), 3)


def test_a_partition_that_is_missing_or_too_small_is_refused(tmp_path):
    with pytest.raises(StorageFault, match="missing"):
        MiscPartition(tmp_path / "none")
    (tmp_path / "small").write_bytes(bytes(512))
    with pytest.raises(StorageFault, match="too_small"):
        MiscPartition(tmp_path / "small")


def test_many_random_sectors_never_pass():
    chance = random.Random(7)
    for _ in range(2000):
        sector = bytearray(to_sector(factory()))
        at, length = chance.randrange(SECTOR_BYTES), chance.randrange(1, 64)
        spoilt = sector[:at] + chance.randbytes(length) + sector[at + length :]
        sector = bytes(spoilt[:SECTOR_BYTES]).ljust(SECTOR_BYTES, b"\0")
        if sector != to_sector(factory()):
            with pytest.raises(BootStateFault):
                from_sector(sector)
