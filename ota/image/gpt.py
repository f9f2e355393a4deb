"""Where the partitions of an image lie: its GUID partition table, read and never written.

Source: UEFI Specification 2.10, section 5.3. Blocks are of 512 bytes.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from ota.refusal import Refused

BLOCK_BYTES: Final = 512
_HEADER: Final = struct.Struct("<8sIIIIQQQQ16sQIII")
_MOST_ENTRIES: Final = 1024


class Part(NamedTuple):
    """A partition: where it begins in the file, and how long it is, in bytes."""

    at: int
    size: int


def partitions(image: Path) -> dict[str, Part]:
    """Name -> partition.

    Raises:
        Refused: "malformed": there is no such table, or it is damaged.
        OSError: the file cannot be read.
    """
    with image.open("rb") as file:
        return read_table(file, str(image))


def read_table(file: BinaryIO, name: str, at: int = BLOCK_BYTES) -> dict[str, Part]:
    """The same, of an open file; `name` is for messages, and `at` is where the header lies."""
    file.seek(at)
    block = file.read(BLOCK_BYTES)
    if len(block) < BLOCK_BYTES or not block.startswith(b"EFI PART"):
        raise Refused("malformed", f"{name}: no GUID partition table")
    head = _HEADER.unpack_from(block)
    size, crc, first, count, each, entries_crc = head[2], head[3], *head[10:14]
    bare = block[:16] + bytes(4) + block[20 : max(size, 20)]
    if not _HEADER.size <= size <= BLOCK_BYTES or zlib.crc32(bare) != crc:
        raise Refused("malformed", f"{name}: the header of its partition table is damaged")
    if not 128 <= each <= 4096 or count > _MOST_ENTRIES:
        raise Refused("malformed", f"{name}: {count} partitions of {each} bytes each")
    file.seek(first * BLOCK_BYTES)
    table = file.read(count * each)
    if zlib.crc32(table) != entries_crc or len(table) != count * each:
        raise Refused("malformed", f"{name}: its partition table is damaged")
    found = (_entry(table[at : at + each]) for at in range(0, len(table), each))
    return dict(one for one in found if one is not None)


def _entry(raw: bytes) -> tuple[str, Part] | None:
    if raw[:16] == bytes(16):
        return None
    first, last = struct.unpack_from("<QQ", raw, 32)
    name = raw[56:128].decode("utf-16-le", "replace").split("\0")[0]
    return name, Part(first * BLOCK_BYTES, (last - first + 1) * BLOCK_BYTES)
