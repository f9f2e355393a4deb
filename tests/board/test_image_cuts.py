"""Cuts of a whole flash: parts of it, the table, the boot state, and promises seen from outside."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from ota.image.boot_state import SlotState, factory, misc_image
from ota.image.gpt import Part
from tests.board.block_log import BlockLog, Disk, Flag, write_log
from tests.board.image_cuts import TABLE_BYTES, FlashLook, stray_writes
from tests.board.image_watch import Seen, Watch, marks
from tests.board.marks import Mark

SECTOR = 512
DATA_AT = 4 << 20
PARTS = {"misc": Part(1 << 20, 1 << 20), "data": Part(DATA_AT, 1 << 20)}


def table(last: int) -> bytes:
    """A table of one partition, from DATA_AT to a block."""
    entry = bytes([1] * 32) + struct.pack("<QQ8x", DATA_AT // SECTOR, last)
    entries = (entry + "data".encode("utf-16-le")).ljust(128, b"\0").ljust(128 * 128, b"\0")
    fields = (92, 0, 0, 1, 0, 0, 0, bytes(16), 2, 128, 128, zlib.crc32(entries))
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, *fields)
    head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
    return (bytes(SECTOR) + head.ljust(SECTOR, b"\0") + entries).ljust(TABLE_BYTES, b"\0")


def left(state=None, of_table=None):
    """What is left of `data`, the table, and `misc`."""
    last = (DATA_AT + (1 << 20)) // SECTOR - 1
    whole = table(last) if of_table is None else of_table
    return bytearray(2 << 20), bytearray(whole), bytearray(misc_image(state or factory()))


def test_the_file_system_is_as_large_as_the_table_says():
    found, wrong = FlashLook(DATA_AT)(left())
    assert (len(found), wrong) == (1 << 20, [])


def test_a_torn_table_is_seen():
    torn = bytearray(table(5000))
    torn[1024 + 41] ^= 1
    _, wrong = FlashLook(DATA_AT)(left(of_table=torn))
    assert [text.partition(":")[0] for text in wrong] == ["table"]


def test_a_boot_state_that_cannot_be_read_is_seen():
    tail, of_table, misc = left()
    for at in (0, 512 << 10):
        misc[at + 3] ^= 1
    _, wrong = FlashLook(DATA_AT)((tail, of_table, misc))
    assert [text.partition(":")[0] for text in wrong] == ["boot state"]


def test_a_slot_without_tries_is_seen():
    state = replace(factory(), a=SlotState(0, True))
    assert FlashLook(DATA_AT)(left(state))[1] == ["boot state: the slot that runs has no try left"]


@pytest.mark.parametrize("chance", [1.0, 0.0])
def test_a_part_of_a_disk_takes_what_lies_in_it(chance):
    """Requests before, across both edges, inside and behind."""
    at, size = 8 * SECTOR, 4 * SECTOR
    requests = [
        (first * SECTOR, bytes([number]) * count * SECTOR, Flag(0))
        for number, (first, count) in enumerate([(0, 8), (6, 4), (9, 1), (11, 3), (12, 2)], start=1)
    ]
    log = BlockLog(write_log(requests))
    whole = Disk(log, bytes(20 * SECTOR)).cut(5, chance)
    part = Disk(log, bytes(size), at=at).cut(5, chance)
    assert part == whole[at : at + size]
    assert any(part) == (chance == 1.0)


def test_what_is_written_beside_is_found():
    def requests(*places):
        return BlockLog(write_log([(at, bytes(SECTOR), Flag(0)) for at in places]))

    fine = (0, TABLE_BYTES - SECTOR, PARTS["misc"].at, DATA_AT, DATA_AT + (9 << 20))
    assert not stray_writes(requests(*fine), PARTS)
    assert stray_writes(requests(*fine, TABLE_BYTES, 3 << 20), PARTS) == [TABLE_BYTES, 3 << 20]


def test_a_promise_lies_behind_what_was_in_the_log_when_it_was_seen():
    data = write_log([(0, bytes(SECTOR), Flag(0))] * 3)
    log = BlockLog(data)
    event = ["event", "1", "update", "trial", "2"]
    ends = [entry.data_at + SECTOR for entry in log.entries]
    assert marks([Seen(ends[1], event), Seen(ends[1] + 1, event), Seen(ends[2], event)], log) == [
        Mark(1, event), Mark(1, event), Mark(2, event),
    ]  # fmt: skip


class Pages:
    """Stands in for a camera whose journal has so many records."""

    def __init__(self, *_: str) -> None:
        pass

    last = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def status(self):
        return {"update": {"phase": "idle"}}

    def ask(self, command, arguments):
        body = {"state": "on", "why": {"release": 7}}
        kept = {"boot": 1, "mono_ms": 0.0, "wall_ms": 0, "kind": "update", "body": body}
        numbers = range(max(1, arguments["from_seq"]), self.last + 1)
        return {"records": [{"seq": n, **kept} for n in numbers], "last": self.last}


def test_the_newest_event_counts_when_it_is_seen_once_more(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.board.image_watch.Camera", Pages)
    log = tmp_path / "log"
    log.write_bytes(bytes(100))
    watch = Watch("serial:/dev/none", Path("key"), Path("phrase"), log)

    def seen(last):
        monkeypatch.setattr(Pages, "last", last)
        assert watch.phase() == "idle"
        return [int(each.words[1]) for each in watch.seen]

    assert seen(0) == []
    assert seen(2) == [1]
    log.write_bytes(bytes(200))
    assert seen(3) == [1, 2]
    assert seen(3) == [1, 2, 3]
    assert seen(3) == [1, 2, 3]
    assert [each.log_bytes for each in watch.seen] == [100, 200, 200]
    assert watch.seen[0].words == ["event", "1", "update", "on", "7"]
