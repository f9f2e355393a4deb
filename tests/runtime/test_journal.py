"""The ring: order, wrap-around, recovery among rubbish, and a process that is killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers.clock import VirtualClock
from drivers.faults import StorageFault
from drivers.storage import FileReader, FileStorage
from runtime.journal import Journal, find_slot_bytes, read_all
from sim.board.flash import Flash

REPOSITORY = Path(__file__).resolve().parents[2]


def ring(slots: int = 8, unit: int = 512, fill: bytes = b"\0") -> Flash:
    return Flash(fill * (slots * unit), unit)


def test_an_empty_ring_holds_nothing_and_starts_at_one() -> None:
    assert list(read_all(ring())) == []
    assert Journal(ring(), VirtualClock(), 1).append(1, {}) == 1


def test_records_come_back_as_they_were_appended() -> None:
    storage, clock = ring(), VirtualClock(1500.5, 1_700_000_000_000)
    Journal(storage, clock, 77).append(2, {"rule": "zone", "why": {"hold_ms": 300}})
    (record,) = read_all(storage)
    assert record.body == {"rule": "zone", "why": {"hold_ms": 300}}
    assert (record.seq, record.boot_id, record.kind, record.kind_name) == (1, 77, 2, "alarm")
    assert (record.mono_ms, record.wall_ms) == (1500.5, 1_700_000_000_000)


def test_the_ring_keeps_the_newest_and_gives_them_in_order() -> None:
    storage = ring(slots=8)
    written = Journal(storage, VirtualClock(), 1)
    for n in range(21):
        written.append(1, {"n": n})
    assert [record.body["n"] for record in read_all(storage)] == list(range(13, 21))


def test_a_new_run_goes_on_where_the_last_one_ended() -> None:
    storage = ring(slots=8)
    for run in range(7):
        started = Journal(storage, VirtualClock(), run)
        for _ in range(3):
            started.append(5, {"run": run})
    assert [record.seq for record in read_all(storage)] == list(range(14, 22))


def test_two_runs_have_different_boot_ids() -> None:
    first, second = (Journal(ring(), VirtualClock()) for _ in range(2))
    assert first.boot_id != second.boot_id


@pytest.mark.parametrize("seed", range(20))
def test_rubbish_in_any_slots_is_passed_over_and_nothing_else_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    storage = ring(slots=32)
    written = Journal(storage, VirtualClock(), 1)
    for n in range(50):
        written.append(1, {"n": n})
    bad = chance.sample(range(32), 10)
    for slot in bad:
        rubbish = chance.choice((bytes(512), b"\xff" * 512, chance.randbytes(512)))
        storage.visible[slot * 512 : (slot + 1) * 512] = rubbish
    expected = [n for n in range(18, 50) if n % 32 not in bad]
    assert [record.body["n"] for record in read_all(storage)] == expected
    assert Journal(storage, VirtualClock(), 2).next_seq == max(expected) + 2


def test_a_ring_with_another_slot_size_is_refused_and_left_alone() -> None:
    storage = ring(slots=16, unit=512)
    Journal(storage, VirtualClock(), 1).append(1, {})
    before = bytes(storage.visible)
    storage.atomic_unit_bytes = 4096
    with pytest.raises(StorageFault, match="slot_mismatch"):
        Journal(storage, VirtualClock(), 1)
    assert bytes(storage.visible) == before


def test_a_ring_of_one_slot_is_refused() -> None:
    with pytest.raises(StorageFault, match="too_small"):
        Journal(ring(slots=1), VirtualClock(), 1)


@pytest.mark.parametrize("unit", [512, 1024, 2048, 4096, 8192, 16384])
def test_a_reader_finds_the_slot_size_by_itself(unit: int) -> None:
    storage = ring(slots=8, unit=unit)
    written = Journal(storage, VirtualClock(), 1)
    for n in range(3):
        written.append(1, {"n": n})
    storage.visible[:unit] = b"\xff" * unit
    storage.atomic_unit_bytes = 512
    assert find_slot_bytes(storage) == unit
    assert [record.seq for record in read_all(storage)] == [2, 3]


def test_each_append_is_one_write_of_a_slot_and_one_sync() -> None:
    storage = ring()
    written = Journal(storage, VirtualClock(), 1)
    for n in range(1, 20):
        written.append(1, {"n": n})
        assert storage.operations == 2 * n
        assert not storage.dirty


def test_recovery_of_2000_slots_is_quick(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "ring", 2000 * 4096, 4096)
    written = Journal(storage, VirtualClock(), 1)
    storage.sync = lambda: None  # type: ignore[method-assign]  # only to fill it quickly
    for n in range(2000):
        written.append(1, {"n": n, "rule": "zone", "zone": "view", "why": {"hold_ms": 300}})
    times_ms = []
    for _ in range(5):
        start = time.perf_counter()
        assert Journal(storage, VirtualClock(), 2).next_seq == 2001
        times_ms.append((time.perf_counter() - start) * 1e3)
    storage.close()
    assert min(times_ms) < 50


CHILD = """
import os, sys
from drivers.clock import MonotonicClock
from drivers.storage import FileStorage
from runtime.journal import Journal
storage = FileStorage(sys.argv[1], 4096 * 512, 512)
journal = Journal(storage, MonotonicClock())
while True:
    os.write(1, b"%d\\n" % journal.append(1, {"n": journal.next_seq, "text": "x" * 100}))
"""


def test_a_killed_process_loses_no_record_that_it_acknowledged(tmp_path: Path) -> None:
    path, chance, last = tmp_path / "ring", random.Random(1), 0
    for _ in range(10):
        command = [sys.executable, "-c", CHILD, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as child:
            assert child.stdout is not None
            first = int(child.stdout.readline())
            time.sleep(chance.uniform(0.0, 0.06))
            child.send_signal(signal.SIGKILL)
            lines = child.stdout.read().split(b"\n")[:-1]
        acked = [first, *map(int, lines)]
        assert acked[0] > last, "a number was given twice"
        last = acked[-1]
        reader = FileReader(path)
        found = {record.seq: record.body["n"] for record in read_all(reader)}
        reader.close()
        assert all(found.get(seq) == seq for seq in acked[-4095:])
