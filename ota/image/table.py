"""The partition table of an image: both copies, and what has to be in it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ota.image.gpt import BLOCK_BYTES, Part
from ota.image.layout import FIRST_MIB, MIB, PARTITIONS, SIZES_MIB

_COPY: Final = struct.Struct("<8s4xII4xQQ")
"""Signature, length, CRC, own block, block of the other copy (UEFI 2.10, table 5.5)."""
_CRC_AT: Final = 16


def problems(image: Path, parts: dict[str, Part]) -> Iterator[str]:
    """What is wrong with the table, beyond what reading it has refused."""
    names = [each.name for each in PARTITIONS]
    if list(parts) != names:
        yield f"has {', '.join(parts) or 'no partitions'}; must have {', '.join(names)}"
        return
    at = FIRST_MIB * MIB
    for name, part in parts.items():
        if part.at < at or part.size != SIZES_MIB[name] * MIB:
            yield f"{name} lies at byte {part.at} with {part.size}"
        at = part.at + part.size
    if at > image.stat().st_size:
        yield f"ends at byte {at}, the file at {image.stat().st_size}: copy it again"
    else:
        yield from _copy(image)


def _copy(image: Path) -> Iterator[str]:
    """The table's copy at the end of the disk."""
    with image.open("rb") as file:
        file.seek(BLOCK_BYTES)
        first = file.read(BLOCK_BYTES)
        other = _COPY.unpack_from(first)[4]
        file.seek(other * BLOCK_BYTES)
        block = file.read(BLOCK_BYTES)
    if len(block) < BLOCK_BYTES:
        yield "its copy at the end is not there: copy the file again"
        return
    signature, size, crc, own, back = _COPY.unpack_from(block)
    bare = block[:_CRC_AT] + bytes(4) + block[_CRC_AT + 4 : max(size, _COPY.size)]
    if signature != b"EFI PART" or zlib.crc32(bare) != crc or (own, back) != (other, 1):
        yield "its copy at the end is damaged"
