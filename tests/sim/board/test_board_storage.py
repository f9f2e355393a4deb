"""The board's flash: faults by name, cuts at an operation, and silence after the power has gone."""

from __future__ import annotations

import pytest

from drivers.clock import VirtualClock
from drivers.faults import StorageFault
from drivers.interfaces import Storage
from runtime.journal import Journal, read_all
from sim.board.flash import Flash
from sim.board.power import Power
from sim.board.storage import Cuts, SimStorage, tear_newest

UNIT, SLOTS = 512, 16


class Struck(BaseException):
    pass


def made(faults=None):
    flash, power = Flash(bytes(UNIT * SLOTS), UNIT), Power()
    return flash, power, SimStorage(flash, power, {} if faults is None else faults)


def test_it_is_a_storage():
    assert isinstance(made()[2], Storage)


@pytest.mark.parametrize("reason", ["full", "io", "read_only"])
def test_a_fault_has_its_reason_and_passes(reason):
    faults = {}
    flash, _, storage = made(faults)
    faults[reason] = {}
    with pytest.raises(StorageFault) as raised:
        storage.write_at(0, b"x" * UNIT)
    assert raised.value.reason == reason
    faults.clear()
    storage.write_at(0, b"y" * UNIT)
    storage.sync()
    assert flash.durable[:UNIT] == b"y" * UNIT


def test_a_read_only_flash_keeps_every_byte():
    flash, _, storage = made({"read_only": {}})
    with pytest.raises(StorageFault):
        storage.write_at(0, b"x" * UNIT)
    assert flash.visible == bytes(UNIT * SLOTS)


def test_after_the_power_has_gone_nothing_is_written():
    flash, power, storage = made()
    power.go()
    for operation in (lambda: storage.write_at(0, b"x"), storage.sync):
        with pytest.raises(StorageFault, match="power is off"):
            operation()
    assert flash.operations == 0
    assert flash.visible == bytes(UNIT * SLOTS)


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("tail", ["", "old", "erased", "garbage"])
def test_a_cut_at_any_operation_keeps_acknowledged_records(count, tail):
    flash, _, storage = made()
    left = []

    def strike(number, image):
        left.append((number, image))
        raise Struck

    cuts = Cuts(strike)
    flash.before = cuts
    cuts.add(flash, count, tail)
    written, acked = Journal(storage, VirtualClock(), 1), []

    def work():
        for _ in range(5):
            acked.append(written.append(1, {"n": written.next_seq}))

    with pytest.raises(Struck):
        work()
    ((number, image),) = left
    assert number == count == flash.operations
    assert len(acked) == (count - 1) // 2, "a write and a sync for each"
    seqs = [record.seq for record in read_all(Flash(image, UNIT))]
    assert set(acked) <= set(seqs) <= {*acked, len(acked) + 1}


def test_cuts_count_from_when_they_are_set():
    flash, _, storage = made()
    struck = []
    cuts = Cuts(lambda number, image: struck.append((number, flash.operations)))
    flash.before = cuts
    storage.write_at(0, b"x")
    cuts.add(flash, 2, "")
    cuts.add(flash, 3, "")
    for _ in range(6):
        storage.write_at(0, b"x")
    assert struck == [(2, 3), (3, 4)]


@pytest.mark.parametrize(("tail", "byte"), [("erased", 0xFF), ("old", 0x00)])
def test_a_torn_unit_has_the_tail_that_was_asked_for(tail, byte):
    flash = Flash(bytes(UNIT * SLOTS), UNIT)
    flash.visible[:UNIT] = b"\x55" * UNIT
    image = flash.after_cut(3, {0}, tail)
    head = image[:UNIT].rstrip(bytes([byte]))
    assert set(head) <= {0x55} and len(head) < UNIT
    assert image[UNIT:] == bytes(UNIT * (SLOTS - 1))


def test_the_newest_record_can_be_torn_and_only_that_one():
    flash, _, storage = made()
    assert tear_newest(flash) is None
    written = Journal(storage, VirtualClock(), 1)
    for _ in range(20):  # once round the ring
        written.append(1, {})
    assert tear_newest(flash) == 20
    assert [record.seq for record in read_all(flash)] == list(range(5, 20))
    assert Journal(storage, VirtualClock(), 2).append(1, {}) == 20, "the boot goes on"
