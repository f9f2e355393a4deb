"""A file as flash: durable creation, one owner, nothing wiped, and every error with its reason."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.faults import StorageFault
from drivers.interfaces import Storage
from drivers.storage import FileReader, FileStorage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.ring"


def failing(number: int) -> Any:
    def call(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


def test_it_is_a_storage(path: Path) -> None:
    storage = FileStorage(path, 4096, 512)
    assert isinstance(storage, Storage)
    storage.close()
    storage.close()


def test_a_new_file_is_zeros_with_all_its_blocks(path: Path) -> None:
    FileStorage(path, 1 << 18, 4096).close()
    assert path.read_bytes() == bytes(1 << 18)
    assert path.stat().st_blocks * 512 >= 1 << 18
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "ring"
    FileStorage(path, 4096, 512).close()
    assert path.stat().st_size == 4096


def test_the_file_is_durable_before_it_has_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    sync, rename = os.fsync, Path.rename
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: (steps.append(Path(f"/proc/self/fd/{fd}").readlink().name), sync(fd)),
    )
    monkeypatch.setattr(
        Path, "rename", lambda self, to: (steps.append(f"rename {self.name}"), rename(self, to))
    )
    FileStorage(path, 4096, 512).close()
    assert steps == ["journal.ring.new", "rename journal.ring.new", path.parent.name]


def test_a_draft_left_by_a_power_cut_is_no_hindrance(path: Path) -> None:
    path.with_name("journal.ring.new").write_bytes(b"half")
    FileStorage(path, 4096, 512).close()
    assert path.read_bytes() == bytes(4096)


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    first = FileStorage(path, 4096, 512)
    first.write_at(512, bytearray(b"a" * 512))
    first.sync()
    first.close()
    second = FileStorage(path, 4096, 512)
    assert second.read_at(512, 512) == b"a" * 512
    second.close()


def test_a_file_of_another_size_is_refused_and_not_wiped(path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(StorageFault, match="size_mismatch"):
        FileStorage(path, 4096, 512)
    assert path.read_bytes() == b"precious"


def test_two_runtimes_cannot_share_a_ring(path: Path) -> None:
    first = FileStorage(path, 4096, 512)
    with pytest.raises(StorageFault, match="in_use"):
        FileStorage(path, 4096, 512)
    first.close()
    FileStorage(path, 4096, 512).close()


def test_the_owner_of_a_draft_keeps_others_out(path: Path) -> None:
    draft = FileStorage(path.with_name("journal.ring.new"), 4096, 512)
    with pytest.raises(StorageFault, match="in_use"):
        FileStorage(path, 4096, 512)
    draft.close()


@pytest.mark.parametrize("size", [0, 256, 1000])
def test_a_size_that_is_no_multiple_of_the_unit_is_refused(path: Path, size: int) -> None:
    with pytest.raises(StorageFault, match="too_small"):
        FileStorage(path, size, 512)
    assert not path.exists()


def test_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StorageFault, match="not_a_file"):
            FileStorage(path, 4096, 512)
        with pytest.raises(StorageFault, match="not_a_file"):
            FileReader(path)


@pytest.mark.parametrize(("offset", "length"), [(4096, 1), (3585, 512), (-1, 4)])
def test_the_file_never_grows(path: Path, offset: int, length: int) -> None:
    storage = FileStorage(path, 4096, 512)
    with pytest.raises(StorageFault, match="out_of_range"):
        storage.write_at(offset, bytes(length))
    with pytest.raises(StorageFault, match="out_of_range"):
        storage.read_at(offset, length)
    storage.close()
    assert path.stat().st_size == 4096


REASONS = [
    (errno.ENOSPC, "full"),
    (errno.EDQUOT, "full"),
    (errno.EROFS, "read_only"),
    (errno.EACCES, "read_only"),
    (errno.EIO, "io"),
    (errno.EBADF, "io"),
]
CALLS: dict[str, Callable[[FileStorage], object]] = {
    "pwrite": lambda storage: storage.write_at(0, b"x"),
    "fdatasync": lambda storage: storage.sync(),
    "pread": lambda storage: storage.read_at(0, 1),
}


@pytest.mark.parametrize(("number", "reason"), REASONS)
@pytest.mark.parametrize("call", CALLS)
def test_errors_have_a_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, reason: str
) -> None:
    storage = FileStorage(path, 4096, 512)
    monkeypatch.setattr(os, call, failing(number))
    with pytest.raises(StorageFault) as caught:
        CALLS[call](storage)
    assert caught.value.reason == reason
    assert str(path) in caught.value.detail
    storage.close()


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite", "fsync"])
def test_a_disk_too_full_for_the_ring_is_left_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    with pytest.raises(StorageFault, match="full"):
        FileStorage(path, 4096, 512)
    assert list(path.parent.iterdir()) == []


def test_what_the_kernel_takes_in_pieces_is_written_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(path, 4096, 512)
    whole, read = os.pwrite, os.pread
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: whole(fd, bytes(data)[:100], at))
    monkeypatch.setattr(os, "pread", lambda fd, n, at: read(fd, min(n, 100), at))
    storage.write_at(0, b"ab" * 256)
    assert storage.read_at(0, 512) == b"ab" * 256
    storage.close()


def test_a_reader_needs_no_lock_and_cannot_write(path: Path) -> None:
    owner = FileStorage(path, 4096, 512)
    reader = FileReader(path)
    owner.write_at(0, b"now")
    assert reader.read_at(0, 3) == b"now"
    assert reader.size_bytes == 4096
    for act in (lambda: reader.write_at(0, b"x"), reader.sync):
        with pytest.raises(StorageFault, match="read_only"):
            act()
    reader.close()
    reader.close()
    owner.close()


def test_a_missing_file_cannot_be_read(path: Path) -> None:
    with pytest.raises(StorageFault, match="missing"):
        FileReader(path)
    assert not path.exists()
