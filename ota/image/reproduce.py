"""Two builds of the same image, held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ota.image.gpt import Part, partitions
from ota.image.sparse import stretches

_BYTES = 1 << 20


def compare(first: Path, second: Path) -> list[str]:
    """Names of the partitions in which two images differ; "elsewhere" for the rest of the disk.

    Raises:
        Refused: "malformed": one has no partition table.
        OSError: one cannot be read.
    """
    parts, others = partitions(first), partitions(second)
    if parts != others:
        return ["the partition table"]
    found = [name for name, part in parts.items() if not _same(first, second, part)]
    end = min(part.at for part in parts.values())
    if first.stat().st_size != second.stat().st_size or not _same(first, second, Part(0, end)):
        found.append("elsewhere")
    return found


def _same(first: Path, second: Path, part: Part) -> bool:
    end = part.at + part.size
    with first.open("rb") as one, second.open("rb") as other:
        for file in (one, other):
            for at, stop in stretches(file.fileno(), part.at, end):
                if not _same_bytes(one, other, at, stop):
                    return False
    return True


def _same_bytes(one: BinaryIO, other: BinaryIO, at: int, stop: int) -> bool:
    one.seek(at)
    other.seek(at)
    sizes = (min(_BYTES, stop - start) for start in range(at, stop, _BYTES))
    return all(one.read(size) == other.read(size) for size in sizes)
