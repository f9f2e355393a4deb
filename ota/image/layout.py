"""Where things lie on the flash: the partitions of an image, as `genimage` takes them.

The first 16 MiB are left to the SoC's own loader, which its boot ROM wants at fixed places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from ota.refusal import Refused

MIB: Final = 1 << 20
FIRST_MIB: Final = 16
TABLE_BYTES: Final = 34 * 512
"""Protective MBR, header and entries of a GPT: no loader may lie there (UEFI 2.10, 5.3)."""
_FAMILY: Final = UUID("7a0e4c3e-6f57-4ad1-9a29-6861657461e0")
"""Name space of the identifiers: the same board and name give the same one in every build."""
_PLAIN: Final = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
_RESERVED: Final = "8DA63339-0007-60C0-C436-083AC8230908"
_ROOT: Final = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"
_LINUX: Final = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
_OFFSET: Final = re.compile(r"(?P<number>0x[0-9a-fA-F]+|[0-9]+)(?P<unit>[KM]?)")


class Partition(NamedTuple):
    """One of the GPT. `kind`: its type (Discoverable Partitions Specification)."""

    name: str
    mib: int
    kind: str


class Blob(NamedTuple):
    """Part of a loader: a file, and its offset on the flash in bytes."""

    file: Path
    offset: int


PARTITIONS: Final = (
    Partition("boot", 16, _PLAIN),
    Partition("misc", 1, _RESERVED),
    Partition("boot_a", 64, _PLAIN),
    Partition("boot_b", 64, _PLAIN),
    Partition("root_a", 256, _ROOT),
    Partition("root_b", 256, _ROOT),
    Partition("data", 64, _LINUX),
)
"""In this order. `data` is the only one of its type, and grows to the end of the flash."""
SIZES_MIB: Final = {each.name: each.mib for each in PARTITIONS}


def identifier(board: str, name: str) -> UUID:
    """Of a partition, or of the disk itself; fixed, so that builds are alike."""
    return uuid5(_FAMILY, f"{board}/{name}")


def parse_blob(text: str) -> Blob:
    """FILE@OFFSET, such as u-boot.itb@8M. Raises Refused "argument"."""
    file, _, offset = text.rpartition("@")
    found = _OFFSET.fullmatch(offset)
    if not file or found is None:
        raise Refused("argument", f"--bootloader {text}: must be FILE@OFFSET, e.g. u-boot.itb@8M")
    unit = {"": 1, "K": 1 << 10, "M": MIB}[found["unit"]]
    return Blob(Path(file), int(found["number"], 0) * unit)


def check_blobs(blobs: Sequence[Blob]) -> None:
    """Raises Refused "argument" where a loader lies on the table, a partition or another one."""
    end, before = TABLE_BYTES, "the partition table"
    for blob in sorted(blobs, key=lambda each: each.offset):
        if blob.offset < end:
            detail = f"{blob.file} at byte {blob.offset} lies on {before}, which ends at {end}"
            raise Refused("argument", f"--bootloader: {detail}")
        end, before = blob.offset + blob.file.stat().st_size, str(blob.file)
    if end > FIRST_MIB * MIB:
        raise Refused("argument", f"--bootloader: {before} goes beyond {FIRST_MIB} MiB")


def genimage_config(board: str, blobs: Sequence[Blob]) -> str:
    """The configuration of `genimage` for a disk of files named as the partitions."""
    return "\n".join(_lines(board, blobs)) + "\n"


def vfat_config(name: str, board: str, files: Sequence[str]) -> str:
    """The configuration of `genimage` for a vfat file system with `files` at its top."""
    serial = identifier(board, f"{name} vfat").hex[:8]
    lines = [f"image {name} {{", f"  size = {SIZES_MIB[name]}M", "  vfat {"]
    lines.append(f'    extraargs = "--invariant -i {serial}"')
    lines.append(f"    files = {{ {', '.join(_quoted(file) for file in files)} }}")
    return "\n".join([*lines, "  }", "}"]) + "\n"


def _lines(board: str, blobs: Sequence[Blob]) -> Iterator[str]:
    yield "image disk.img {"
    yield "  hdimage {"
    yield "    partition-table-type = gpt"
    yield f'    disk-uuid = "{identifier(board, "disk")}"'
    yield "  }"
    for number, blob in enumerate(blobs):
        yield f"  partition loader{number} {{"
        yield "    in-partition-table = false"
        yield f"    offset = {blob.offset}"
        yield f"    image = {_quoted(f'loader{number}')}"
        yield "  }"
    for number, each in enumerate(PARTITIONS):
        yield f"  partition {each.name} {{"
        if number == 0:
            yield f"    offset = {FIRST_MIB}M"
        yield f"    size = {each.mib}M"
        yield f'    partition-type-uuid = "{each.kind}"'
        yield f'    partition-uuid = "{identifier(board, each.name)}"'
        yield f"    image = {_quoted(each.name)}"
        yield "  }"
    yield "}"


def _quoted(text: str) -> str:
    return f'"{text}"'
