"""Marks: what the board says is done, among the writes of its disk, in their order.

On the board `python3.11 -m tests.board.marks DISK` reads lines and writes each to a sector of its
own at the end of the disk, behind the file system, past every cache and without a flush: a mark
stands in the log of the disk behind what it tells of, and makes nothing durable.

A line is taken as it is, or as an event of `haetae run --events`:

    event SEQ KIND STATE RELEASE
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.board.block_log import TEAR_BYTES, BlockLog

AREA_BYTES: Final = 4 << 20
"""At the end of the disk; the file system ends before it."""
MAGIC: Final = b"HTMK"


class Mark(NamedTuple):
    """A mark in a log.

    Attributes:
        position: of its entry; a cut at a higher one comes after what it tells of.
        words: of its line.
    """

    position: int
    words: list[str]


def marks_of(log: BlockLog, disk_bytes: int) -> Iterator[Mark]:
    """All marks, in their order."""
    for position, entry in enumerate(log.entries):
        if entry.at >= disk_bytes - AREA_BYTES and entry.is_write:
            data = log.data(entry)
            if data.startswith(MAGIC):
                yield Mark(position, data[len(MAGIC) :].rstrip(b"\0").decode().split())


def pack(line: str) -> bytes:
    """A line as a sector."""
    data = MAGIC + line.encode()
    assert len(data) <= TEAR_BYTES, line
    return data.ljust(TEAR_BYTES, b"\0")


def told(line: str) -> str:
    """What is marked of a line."""
    if not line.startswith("{"):
        return line
    event = json.loads(line)
    release = event["why"].get("release", 0)
    return f"event {event['seq']} {event['kind']} {event['state']} {release}"


class Marker:
    """Writes marks to a disk.

    Args:
        device: of the whole disk.
    """

    def __init__(self, device: str) -> None:
        self._disk = os.open(device, os.O_RDWR | os.O_DIRECT)
        self._start = os.lseek(self._disk, 0, os.SEEK_END) - AREA_BYTES
        self._sector = mmap.mmap(-1, mmap.PAGESIZE)  # O_DIRECT wants whole pages, well placed
        self._next = 0

    def mark(self, line: str) -> None:
        """Returns when the disk was told."""
        self._sector[:TEAR_BYTES] = pack(line)
        with memoryview(self._sector) as view:
            os.pwrite(self._disk, view[:TEAR_BYTES], self._start + self._next)
        self._next = (self._next + TEAR_BYTES) % AREA_BYTES


def device_of(name: str) -> str:
    """Of the virtio disk with this serial number."""
    for block in Path("/sys/block").glob("vd*"):
        if (block / "serial").read_text().strip() == name:
            return f"/dev/{block.name}"
    raise FileNotFoundError(name)


def main(name: str) -> None:
    """Mark what comes, line by line, until it ends."""
    marker = Marker(device_of(name))
    for line in sys.stdin:
        marker.mark(told(line.strip()))
    print("end", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
