"""The judges of power cuts, on disks recorded here: what is right passes, each fault is seen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ota.area import needed_bytes
from runtime.journal import Journal
from runtime.journal_slot import Kind
from tests.board import planted
from tests.board.block_log import TEAR_BYTES, BlockLog, Disk, Flag, write_log
from tests.board.cut_judge import Camera, Promised, fold, how_far, judge
from tests.board.left_over import PATH, Beyond, has_tools, read_out
from tests.board.marks import AREA_BYTES, marks_of, pack, told
from tests.board.power_cuts import choose
from tests.ota.camera import FACTS, SLOT_BYTES, UNIT, Bundle, bundle, push, ring, start

JOURNAL_BYTES = 32 * UNIT
UPDATES_BYTES = needed_bytes(SLOT_BYTES, UNIT)
FILES_BYTES = JOURNAL_BYTES + UPDATES_BYTES
DISK_BYTES = FILES_BYTES + AREA_BYTES
OLD, NEW = bundle(2, counter=1), bundle(3, counter=2)


class Wall:
    """A clock that stands."""

    def now_ms(self) -> float:
        return 0.0

    def wall_ms(self) -> int:
        return 0


class Recorder:
    """A disk without a file system: two files at fixed places, and marks behind them."""

    def __init__(self) -> None:
        self.disk = bytearray(DISK_BYTES)
        self.requests: list[tuple[int, bytes, Flag]] = []

    def file(self, at: int, size_bytes: int, syncs: bool = True) -> RecordedFile:
        return RecordedFile(self, at, size_bytes, syncs)

    def write(self, at: int, data: bytes) -> None:
        self.disk[at : at + len(data)] = data
        self.requests.append((at, bytes(data), Flag(0)))

    def mark(self, line: str) -> None:
        used = sum(at >= FILES_BYTES for at, _, _ in self.requests)
        self.write(FILES_BYTES + used * TEAR_BYTES, pack(line))

    def log(self) -> BlockLog:
        return BlockLog(write_log(self.requests))


class RecordedFile:
    """Implements `Storage`; one that forgets to sync where asked to."""

    atomic_unit_bytes = UNIT

    def __init__(self, recorder: Recorder, at: int, size_bytes: int, syncs: bool) -> None:
        self._recorder, self._at, self._syncs = recorder, at, syncs
        self.size_bytes = size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        return bytes(self._recorder.disk[self._at + offset : self._at + offset + length])

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self._recorder.write(self._at + offset, bytes(data))

    def sync(self) -> None:
        if self._syncs:
            self._recorder.requests.append((0, b"", Flag.FLUSH))


class Life:
    """A camera that writes events and takes two updates, as `haetae run` would mark it."""

    def __init__(self, journal_syncs: bool = True, updates_sync: bool = True) -> None:
        self.recorder = recorder = Recorder()
        self.journal = Journal(recorder.file(0, JOURNAL_BYTES, journal_syncs), Wall(), 1)
        self.updates = start(recorder.file(JOURNAL_BYTES, UPDATES_BYTES, updates_sync))
        for new in (OLD, NEW):
            self.event("alarm", "active")
            self.take(new)
        for _ in range(20):  # comes round in the ring
            self.event("alarm", "returned")

    def event(self, kind: str, state: str, release: int = 0) -> None:
        seq = self.journal.append(Kind[kind.upper()], {"state": state})
        self.recorder.mark(f"event {seq} {kind} {state} {release}")

    def take(self, new: Bundle) -> None:
        push(self.updates, new)
        self.updates.store.begin_trial()
        self.event("update", "trial", new.manifest.release)
        self.updates.store.confirm()
        self.event("update", "confirmed", new.manifest.release)


@pytest.fixture
def camera(tmp_path) -> Camera:
    newest = tmp_path / "newest.bundle"
    newest.write_bytes(NEW.head + NEW.payload)
    return Camera(FACTS, ring(1), {2: 1, 3: 2}, newest, "journal.ring", "updates.area")


def wrong(camera: Camera, life: Life, folder: Path, lies: bool = False) -> list[str]:
    """Of all cuts, each with some sectors lost."""
    log = life.recorder.log()
    marks = list(marks_of(log, DISK_BYTES))
    found: list[str] = []
    for chance in (1.0, 0.5, 0.0):
        disk = Disk(log, bytes(DISK_BYTES), lies)
        for position in range(0, len(log.entries) + 1, 3):
            left = disk.cut(position, chance)
            (folder / camera.journal).write_bytes(left[:JOURNAL_BYTES])
            (folder / camera.updates).write_bytes(left[JOURNAL_BYTES:FILES_BYTES])
            goes_on = chance == 0.5 and position % 4 == 0
            found += judge(camera, folder, fold(marks, position), goes_on)
    return found


def test_what_is_right_survives_every_cut(camera, tmp_path):
    life = Life()
    assert wrong(camera, life, tmp_path) == []
    assert how_far(life.updates.store.state) == (3, 4)


def test_a_journal_that_is_not_synced_is_seen(camera, tmp_path):
    found = wrong(camera, Life(journal_syncs=False), tmp_path)
    assert found and all(text.startswith("journal: ") for text in found)


def test_updates_that_are_not_synced_are_seen(camera, tmp_path):
    found = {text.partition(":")[0] for text in wrong(camera, Life(updates_sync=False), tmp_path)}
    assert "updates" in found


def test_a_disk_that_lies_is_seen(camera, tmp_path):
    found = wrong(camera, Life(), tmp_path, lies=True)
    for word in ("journal", "updates: a downgrade", "updates: at (2, "):
        assert any(text.startswith(word) for text in found), word


def test_marks_are_found_in_their_order():
    recorder = Recorder()
    recorder.mark("file right 1")
    recorder.write(0, bytes(TEAR_BYTES))
    recorder.mark(told('{"seq":7,"kind":"update","state":"trial","why":{"release":3},"text":""}'))
    marks = list(marks_of(recorder.log(), DISK_BYTES))
    assert [mark.position for mark in marks] == [0, 2]
    promised = fold(marks, 3)
    assert promised == Promised({7: "update"}, 3, 3, 0, {"right": 1})
    assert fold(marks, 2).records == {}


@pytest.mark.parametrize("name", planted.WRITERS)
def test_writers_write_what_is_judged(tmp_path, name):
    for number in (1, 2):
        planted.WRITERS[name](tmp_path / name, planted.contents(number))
    assert list(planted.judge_file(tmp_path / name, 2)) == []
    assert "version 2; 3 was" in next(planted.judge_file(tmp_path / name, 3))


def test_a_file_of_two_versions_is_seen(tmp_path):
    path = tmp_path / "one"
    assert "gone" in next(planted.judge_file(path, 1))
    assert list(planted.judge_file(path, 0)) == []
    for data in (b"", planted.contents(1)[:4096], planted.contents(1)[:4096] + bytes(3904)):
        path.write_bytes(data)
        assert "not those of any one version" in next(planted.judge_file(path, 0))


def test_cuts_are_spread_and_rise():
    cuts = choose(100, 1100, 250)
    positions = [cut.position for cut in cuts]
    assert positions == sorted(positions) and positions[0] > 100 and positions[-1] <= 1100
    assert len(set(positions)) > 240 and {cut.chance for cut in cuts} == {1.0, 0.8, 0.5, 0.2, 0.0}


@pytest.mark.skipif(not has_tools(), reason="e2fsprogs are not installed")
def test_files_are_read_out_of_a_file_system(tmp_path):
    (tmp_path / "in/haetae").mkdir(parents=True)
    (tmp_path / "in/haetae/journal.ring").write_bytes(b"ring" * 1024)
    image = tmp_path / "disk.img"
    make = ["mke2fs", "-q", "-t", "ext4", "-d", str(tmp_path / "in"), str(image), "8M"]
    subprocess.run(make, env={"PATH": PATH}, check=True)
    data = image.read_bytes() + bytes(AREA_BYTES)
    files = read_out(data, tmp_path / "out")
    assert (files / "haetae/journal.ring").read_bytes() == b"ring" * 1024
    with pytest.raises(Beyond):
        read_out(bytes(len(data)), tmp_path / "out")
