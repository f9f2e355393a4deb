"""Two builds of the same image, held against each other."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

from ota.image.gpt import Part, partitions

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
    with first.open("rb") as one, second.open("rb") as other:
        one.seek(part.at)
        other.seek(part.at)
        whole, rest = divmod(part.size, _BYTES)
        sizes = [*repeat(_BYTES, whole), rest]
        return all(one.read(size) == other.read(size) for size in sizes)
