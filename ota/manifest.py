"""The manifest: what a bundle says about itself. The signatures are over its bytes.

A bundle carries one whole student set for several NPU targets. A device takes the files that are
for its own target or for all (`target = ""`), and nothing else: `take` says which chunks these are
and where they lie, in the bundle and in the slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from ota import wire

FORMAT: Final = 1
CHUNK_BYTES: Final = 1 << 16
"""Of a file; the last chunk of each file is shorter."""
MAX_MANIFEST_BYTES: Final = 1 << 16
MAX_FILE_BYTES: Final = 1 << 26

Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
Target = Annotated[str, Meta(max_length=32, pattern=r"^[a-z0-9_-]*$")]
Sha256 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Number = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Size = Annotated[int, Meta(ge=1, le=MAX_FILE_BYTES)]
Role = Literal["detector", "skeleton", "action"]
ROLES: Final[tuple[Role, ...]] = ("detector", "skeleton", "action")
GOLDEN_FILE: Final = "golden.msgpack"
"""In each role's package: inputs, and the outputs that they must give; see ota/FORMAT.md."""


class FileEntry(Struct, frozen=True, kw_only=True):
    """One file of one role's package.

    Attributes:
        role, name: `model.toml`, the model files that it names, and GOLDEN_FILE.
        target: the NPU target that it is for; "" for all.
        bytes: as it lies in the slot.
        chunks: SHA-256 of each CHUNK_BYTES of it.
        stored: bytes of each chunk as it lies in the bundle, where that differs: compressed.
    """

    role: Role
    name: Word
    target: Target = ""
    bytes: Size
    chunks: Annotated[list[Sha256], Meta(min_length=1, max_length=1024)]
    stored: Annotated[list[Size], Meta(max_length=1024)] = []


class Base(Struct, frozen=True, kw_only=True):
    """The student set that a delta is against: `digest` of its manifest."""

    digest: Sha256
    release: Number


class Manifest(Struct, frozen=True, kw_only=True):
    """All that a device has to know before it takes a byte. Unknown keys are passed over.

    Attributes:
        product: must be the device's.
        boards, socs: names that it is for; empty: any.
        version: for people. release: rises with every bundle of the product.
        counter: security counter; a device never runs less than what it once confirmed.
        min_runtime: least version of the runtime, "major.minor.patch".
        memory_mb: what building it may take beside the present students.
        files: the student set.
        base: of a delta.
        notes: for people, what changed.
    """

    format: Annotated[int, Meta(ge=1)]
    product: Word
    boards: Annotated[list[Word], Meta(max_length=64)] = []
    socs: Annotated[list[Word], Meta(max_length=64)] = []
    version: Word
    release: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    counter: Number
    min_runtime: Annotated[str, Meta(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    memory_mb: Annotated[int, Meta(ge=1, le=65536)]
    files: Annotated[list[FileEntry], Meta(min_length=1, max_length=64)]
    base: Base | None = None
    notes: Annotated[str, Meta(max_length=2000)] = ""


@dataclass(frozen=True)
class Chunk:
    """One chunk that a device takes.

    Attributes:
        index: among the chunks that it takes, from 0: what it asks for by.
        bundle_at, stored_size: where it lies in the bundle's payload, bytes.
        slot_at, size: where it goes in the slot's payload, bytes.
        sha256: of these `size` bytes, unpacked.
        is_packed: compressed in the bundle.
    """

    index: int
    bundle_at: int
    stored_size: int
    slot_at: int
    size: int
    sha256: bytes
    is_packed: bool


@dataclass(frozen=True)
class Placed:
    """A file that a device takes, and where it goes in the slot's payload."""

    entry: FileEntry
    slot_at: int


@dataclass(frozen=True)
class Taken:
    """What a device takes of a bundle.

    Attributes:
        files: in the manifest's order.
        chunks: in the order in which they are written.
        slot_bytes: the payload's length in the slot.
    """

    files: tuple[Placed, ...]
    chunks: tuple[Chunk, ...]
    slot_bytes: int


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest; its signatures are not looked at here.

    Raises:
        Refused: "malformed", "too_long", "too_deep" or "newer_format".
    """
    return wire.read(data, Manifest, MAX_MANIFEST_BYTES, "manifest", FORMAT, complaints)


def to_bytes(manifest: Manifest) -> bytes:
    """The canonical bytes, which are signed."""
    raw: Any = msgspec.to_builtins(manifest, builtin_types=(bytes,))
    if manifest.base is None:
        del raw["base"]
    return wire.pack(raw)


def complaints(manifest: Manifest) -> Iterator[str]:
    """What is wrong between the values."""
    seen = set()
    for number, entry in enumerate(manifest.files):
        where = f"files[{number}]"
        wanted = -(-entry.bytes // CHUNK_BYTES)
        if len(entry.chunks) != wanted:
            yield f"{where}: {len(entry.chunks)} chunks; {entry.bytes} bytes have {wanted}"
        if entry.stored and len(entry.stored) != len(entry.chunks):
            yield f"{where}: {len(entry.stored)} stored sizes for {len(entry.chunks)} chunks"
        if any(size > 2 * CHUNK_BYTES for size in entry.stored):
            yield f"{where}: a stored chunk has more than {2 * CHUNK_BYTES} bytes"
        key = entry.role, entry.name, entry.target
        if key in seen:
            yield f"{where}: {entry.role}/{entry.name} for target {entry.target!r} is there twice"
        seen.add(key)


def take(manifest: Manifest, target: str, unit_bytes: int) -> Taken:
    """What a device with this NPU target takes.

    Args:
        manifest: parsed.
        target: an `Npu.target`.
        unit_bytes: each file begins at a multiple of it in the slot.
    """
    files: list[Placed] = []
    chunks: list[Chunk] = []
    bundle_at = slot_at = 0
    for entry in manifest.files:
        is_ours = entry.target in ("", target)
        if is_ours:
            slot_at = -(-slot_at // unit_bytes) * unit_bytes
            files.append(Placed(entry, slot_at))
        for number, sha256 in enumerate(entry.chunks):
            size = min(CHUNK_BYTES, entry.bytes - number * CHUNK_BYTES)
            stored = entry.stored[number] if entry.stored else size
            if is_ours:
                chunks.append(
                    Chunk(len(chunks), bundle_at, stored, slot_at, size, sha256, bool(entry.stored))
                )
                slot_at += size
            bundle_at += stored
    return Taken(tuple(files), tuple(chunks), slot_at)


def payload_bytes(manifest: Manifest) -> int:
    """Length of the bundle's payload, all targets together."""
    return sum(sum(entry.stored) if entry.stored else entry.bytes for entry in manifest.files)
