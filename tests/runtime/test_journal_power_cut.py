"""No acknowledged record is lost, wherever the power is cut or the storage fails."""

from __future__ import annotations

import random

import pytest

from drivers.clock import VirtualClock
from drivers.faults import StorageFault
from runtime import journal, journal_slot
from runtime.journal import RETRY_SLOTS, Journal, read_all
from sim.board.flash import Flash

SLOTS = 16
APPENDS = 240  # the ring comes round 15 times
SEEDS = range(4)


def body_of(seq: int) -> dict[str, object]:
    """A body whose length and content tell the sequence number."""
    return {"n": seq, "text": chr(97 + seq % 26) * (seq * 37 % 400)}


def check(image: bytes, acked: list[int], kept: int, like: Flash) -> None:
    """Start on what a cut left: nothing wrong is read, the newest `kept` records are there."""
    storage = Flash(image, like.unit_bytes, like.atomic_unit_bytes)
    started = Journal(storage, VirtualClock(), 2)
    records = list(read_all(storage))
    seqs = [record.seq for record in records]
    assert seqs == sorted(set(seqs)), "two records share a sequence number"
    for record in records:
        assert record.body == body_of(record.seq), "a torn record was read"
    assert not set(acked[-kept:]) - set(seqs), "an acknowledged record is lost"
    assert started.next_seq > max(acked, default=0)
    seq = started.append(1, body_of(started.next_seq))
    assert [record.seq for record in read_all(storage)][-1] == seq


def cut_everywhere(storage: Flash, appends: int = APPENDS, kept: int = SLOTS - 1) -> int:
    """Cut the power at every operation of a run with several outcomes each; gives the cuts made."""
    acked: list[int] = []
    cuts = 0

    def cut(now: Flash, cut_units: set[int]) -> None:
        nonlocal cuts
        for seed in SEEDS:
            cuts += 1
            check(now.after_cut(seed * 7919 + now.operations, cut_units), acked, kept, now)

    storage.before = cut
    written = Journal(storage, VirtualClock(), 1)
    for _ in range(appends):
        acked.append(written.append(1, body_of(written.next_seq)))
    return cuts


@pytest.mark.parametrize("fill", [b"\x00", b"\xff", b"\x5a"], ids=["new", "erased", "garbage"])
def test_power_cut_at_every_operation_loses_no_acknowledged_record(fill: bytes) -> None:
    cuts = cut_everywhere(Flash(fill * (SLOTS * 512)))
    assert cuts == APPENDS * 2 * len(SEEDS)


def test_power_cut_at_every_operation_with_slots_of_4096_bytes() -> None:
    cut_everywhere(Flash(bytes(8 * 4096), 4096), appends=60, kept=7)


def test_chains_of_cuts_lose_no_acknowledged_record() -> None:
    for chain in range(200):
        chance = random.Random(chain)
        image, acked = bytes(SLOTS * 512), []
        for cuts in range(1, 6):
            storage = Flash(image)
            written = Journal(storage, VirtualClock(), cuts)
            for _ in range(chance.randrange(30)):
                acked.append(written.append(1, body_of(written.next_seq)))
            seq = written.next_seq
            images: list[bytes] = []
            storage.before = lambda now, units: images.append(now.after_cut(chain, units))  # noqa: B023
            written.append(1, body_of(seq))
            image = images[chance.randrange(2)]
            check(image, acked, SLOTS - 1 - cuts, storage)


class LyingStorage(Flash):
    """A storage whose sync does nothing."""

    def sync(self) -> None:
        self.dirty, dirty = set(), self.dirty
        super().sync()
        self.dirty = dirty


def test_the_cuts_catch_a_journal_without_crc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_slot, "crc32", lambda data: 0)
    with pytest.raises(AssertionError, match=r"torn record|share a sequence"):
        cut_everywhere(Flash(bytes(SLOTS * 512)))


def test_the_cuts_catch_a_journal_without_sync() -> None:
    with pytest.raises(AssertionError, match="acknowledged record is lost"):
        cut_everywhere(LyingStorage(bytes(SLOTS * 512)))


def test_the_cuts_catch_a_slot_smaller_than_the_atomic_unit() -> None:
    with pytest.raises(AssertionError, match="acknowledged record is lost"):
        cut_everywhere(Flash(bytes(SLOTS * 512), 2048, 512))


def run_with_faults(storage: Flash, appends: int) -> tuple[list[int], int]:
    """Append through faults; gives what was acknowledged and the number of faults met."""
    written = Journal(storage, VirtualClock(), 1)
    acked: list[int] = []
    faults = 0
    for _ in range(appends):
        try:
            acked.append(written.append(1, body_of(written.next_seq)))
        except StorageFault:
            faults += 1
    return acked, faults


@pytest.mark.parametrize("length", [1, 2, 7], ids=lambda n: f"{n}_operations")
@pytest.mark.parametrize("reason", ["io", "full"])
def test_fault_at_every_operation_loses_no_acknowledged_record(reason: str, length: int) -> None:
    for first in range(1, 72):
        storage = Flash(bytes(SLOTS * 512))
        storage.random.seed(first)
        storage.is_failing = lambda n: reason if first <= n < first + length else None  # noqa: B023
        acked, faults = run_with_faults(storage, 50)
        assert faults
        assert len(acked) + faults == 50
        for seed in SEEDS:
            check(storage.after_cut(seed, set()), acked, SLOTS - RETRY_SLOTS, storage)


def test_storage_that_fails_for_hours_does_not_eat_the_history() -> None:
    storage = Flash(bytes(SLOTS * 512))
    storage.is_failing = lambda n: "io" if n > 80 else None
    acked, faults = run_with_faults(storage, 1000)
    assert faults == 960
    check(storage.after_cut(0, set()), acked, SLOTS - RETRY_SLOTS, storage)


def test_the_hours_catch_a_journal_that_walks_on_at_every_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "RETRY_SLOTS", SLOTS)
    with pytest.raises(AssertionError, match="acknowledged record is lost"):
        test_storage_that_fails_for_hours_does_not_eat_the_history()


def test_a_run_after_faults_goes_on_behind_the_newest_record() -> None:
    storage = Flash(bytes(SLOTS * 512))
    storage.is_failing = lambda n: "io" if 60 < n <= 70 else None
    acked, faults = run_with_faults(storage, 44)
    assert faults == 10
    for _ in range(3):
        started = Journal(storage, VirtualClock(), 2)
        acked.append(started.append(1, body_of(started.next_seq)))
    check(storage.after_cut(0, set()), acked, SLOTS - RETRY_SLOTS, storage)


def test_a_bad_sector_is_passed() -> None:
    class BadSector(Flash):
        def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
            if offset == 5 * 512:
                raise StorageFault("io")
            super().write_at(offset, data)

    acked, faults = run_with_faults(BadSector(bytes(SLOTS * 512)), 100)
    assert faults == 6  # once per round
    assert len(acked) == 94


def test_sequence_numbers_are_never_given_twice_in_a_run() -> None:
    storage = Flash(bytes(SLOTS * 512))
    storage.is_failing = lambda n: "io" if n % 3 == 0 else None
    acked, faults = run_with_faults(storage, 60)
    assert faults
    assert acked == sorted(set(acked))
    assert acked[-1] >= len(acked) + faults - 1
