"""The storage: how fast it writes, whether a sync waits for the flash, whether it is worn.

A sync that does not wait is found in two ways: each record must have reached the device (the
kernel counts its writes), and what was written is read from the device again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Final

from runtime import live_check
from runtime.unit_test.block import IN_MEMORY, MOUNTS, BlockDevice
from runtime.unit_test.result import Bench, Row, judged, untested

BULK_BYTES, PIECE_BYTES = 4 << 20, 1 << 16
RECORDS: Final = 64
LEAST_MB_S: Final = 2.0
"""New students of 8 MB come in within seconds; class 4 cards and any eMMC do more."""
MOST_LIFE, MOST_RESERVE = 8, 1
"""Of an eMMC: 80 % used, and its spare blocks as new."""
NAME: Final = "haetae-unit-test.tmp"
CARD: Final = "exchange the card or flash"
LIES: Final = (
    "records would be lost in a power cut: look at the mount options, or exchange the flash"
)


class Disk:
    """The calls of an open file. Tests have one that lies."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes, offset: int) -> None:
        """Raises OSError."""
        if os.pwrite(self._fd, data, offset) != len(data):
            raise OSError(28, "No space left on device")

    def sync(self) -> None:
        """Wait until it is durable. Raises OSError."""
        os.fdatasync(self._fd)

    def read_anew(self, length: int, offset: int) -> bytes:
        """From the device, as far as the kernel lets go of what it remembers. Raises OSError."""
        os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        """Close."""
        os.close(self._fd)


def storage(bench: Bench, make: type[Disk] = Disk, mounts: Path = MOUNTS) -> Iterator[Row]:
    """Write beside the journal, and take it away again.

    Args:
        bench: as ever.
        make: opens the file to write.
        mounts: /proc/self/mountinfo.
    """
    found = next(live_check.storage(bench.board))
    if found.problem:
        step = "make room, or mount the data partition"
        yield judged("storage.there", "storage", False, found.problem, next=step)
        return
    folder = Path(bench.board.storage.path).absolute().parent
    device, path = BlockDevice(folder, bench.sys, mounts), folder / NAME
    disk: Disk | None = None
    try:
        disk = make(path)
        yield _bulk(bench, disk)
        yield from _records(bench, disk, device)
        yield _read_back(disk, bench.board.storage.atomic_unit_bytes)
    except OSError as error:
        yield judged("storage.there", "storage", False, error.strerror or str(error), next=CARD)
    finally:
        if disk is not None:
            disk.close()
        with suppress(FileNotFoundError):
            path.unlink()
    yield _wear(device)


def _bulk(bench: Bench, disk: Disk) -> Row:
    """A long write, until it is durable."""
    piece = _pattern(PIECE_BYTES, 1)
    began_ms = bench.clock.now_ms()
    for offset in range(0, BULK_BYTES, PIECE_BYTES):
        disk.write(piece, offset)
    disk.sync()
    speed = BULK_BYTES / 1e6 / max(bench.clock.now_ms() - began_ms, 1e-3) * 1e3
    return judged(
        "storage.write", "storage: write", speed >= LEAST_MB_S, f"{speed:.1f} MB/s",
        f">= {LEAST_MB_S:g} MB/s", value=speed, unit="MB/s", next=CARD,
    )  # fmt: skip


def _records(bench: Bench, disk: Disk, device: BlockDevice) -> Iterator[Row]:
    """As the journal writes: one record, one sync."""
    unit = bench.board.storage.atomic_unit_bytes
    took_ms: list[float] = []
    reached: int | None = 0
    for number in range(RECORDS):
        before, began_ms = device.writes(), bench.clock.now_ms()
        disk.write(_pattern(unit, number), number * unit)
        disk.sync()
        took_ms.append(bench.clock.now_ms() - began_ms)
        after = device.writes()
        if before is None or after is None or reached is None:
            reached = None
        else:
            reached += after > before
    yield _sync(bench, sorted(took_ms))
    yield _cut_safe(device, reached)


def _sync(bench: Bench, took_ms: list[float]) -> Row:
    """The loop waits for each: a picture may be late now and then, and none may be missed."""
    usual_ms, longest_ms = took_ms[len(took_ms) * 95 // 100], took_ms[-1]
    period_ms, blind_ms = 1e3 / bench.board.camera.fps, bench.board.camera.no_frame_ms
    text = f"{median(took_ms):.1f} ms, 95 % within {usual_ms:.1f} ms, longest {longest_ms:.0f} ms"
    return judged(
        "storage.sync", "storage: sync", usual_ms <= period_ms and longest_ms < blind_ms, text,
        f"95 % <= {period_ms:.4g} ms, all < {blind_ms} ms", value=usual_ms, unit="ms", next=CARD,
    )  # fmt: skip


def _cut_safe(device: BlockDevice, reached: int | None) -> Row:
    item, name, limit = "storage.cut_safe", "storage: cut-safe", f"{RECORDS} of {RECORDS}"
    kind, options = device.mount()
    if kind in IN_MEMORY:
        text = f"{kind}: it lies in memory, and is gone with the power"
        return judged(item, name, False, text, limit, next="mount the data partition")
    if {"nobarrier", "barrier=0"} & set(options.split(",")):
        return judged(item, name, False, "mounted without barriers", limit, next=LIES)
    if reached is None:
        return untested(item, name, f"{kind or 'this file system'} has no device that counts")
    text = f"{reached} of {RECORDS} synced records reached {device.name}"
    is_good = reached == RECORDS
    return judged(item, name, is_good, text, limit, value=reached, unit="1", next=LIES)


def _read_back(disk: Disk, unit: int) -> Row:
    good = sum(
        disk.read_anew(unit, number * unit) == _pattern(unit, number) for number in range(RECORDS)
    )
    text, limit = f"{good} of {RECORDS} records", f"{RECORDS} of {RECORDS}"
    name, ok = "storage: read back", good == RECORDS
    return judged("storage.read_back", name, ok, text, limit, value=good, unit="1", next=CARD)


def _wear(device: BlockDevice) -> Row:
    item, name = "storage.wear", "storage: wear"
    wear = device.wear()
    if wear is None:
        return untested(item, name, f"{device.name or 'the storage'} does not tell its wear")
    text = "says nothing of it"
    if wear.life:
        text = (
            f"{10 * (wear.life - 1)} to {10 * wear.life} % used" if wear.life < 11 else "worn out"
        )
    reserve = {2: ", reserve low", 3: ", reserve nearly gone"}.get(wear.reserve, "")
    ok = wear.life <= MOST_LIFE and wear.reserve <= MOST_RESERVE
    limit, share = f"<= {10 * MOST_LIFE} %", float(10 * wear.life)
    return judged(item, name, ok, text + reserve, limit, value=share, unit="%", next=CARD)


def _pattern(length: int, seed: int) -> bytes:
    """Bytes that no two records share."""
    return (seed * 2_654_435_761 % (1 << 32)).to_bytes(4, "little") * (length // 4)
