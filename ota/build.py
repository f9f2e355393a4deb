"""Makes a bundle of packages: the same packages always give the same bytes, on any machine.

    head, payload = build([Path("models/students/ppe_s")], ["tflite"], product="haetae", ...)
    write_bundle(Path("new.bundle"), head, payload)

It is not signed yet: see `ota.signing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from drivers.faults import ModelRefused
from models.package import DESCRIPTION, load_package, read_info
from ota import wire
from ota.delta import DeltaBase
from ota.head import Head
from ota.key_ring import chain_bytes
from ota.manifest import (
    CHUNK_BYTES,
    FORMAT,
    GOLDEN_FILE,
    ROLES,
    FileEntry,
    Manifest,
    Role,
    parse_manifest,
    to_bytes,
)
from ota.pack_delta import Packer
from ota.refusal import Refused

NO_SIGNATURES: bytes = wire.pack([])


class Source(NamedTuple):
    """One file that travels; target "" means for all."""

    role: Role
    name: str
    target: str
    data: bytes


def build(
    packages: Sequence[Path],
    targets: Sequence[str],
    *,
    product: str,
    boards: Sequence[str] = (),
    socs: Sequence[str] = (),
    version: str,
    release: int,
    counter: int,
    min_runtime: str,
    memory_mb: int,
    goldens: Mapping[str, bytes] | None = None,
    base: DeltaBase | None = None,
    rings: Sequence[bytes] = (),
    notes: str = "",
) -> tuple[Head, bytes]:
    """An unsigned bundle.

    Args:
        packages: folders, one for each role; each has a file for every target.
        targets: NPU targets that it shall be for.
        product, boards, socs, version, release, counter, min_runtime, memory_mb, notes: as in
            `ota.manifest.Manifest`.
        goldens: by role, instead of the GOLDEN_FILE in the package's folder.
        base: makes a delta against it.
        rings: signed key rings that a device may need, oldest first.

    Raises:
        Refused: "student": a package is wrong, a role is there twice, or the set is no whole
            one; "target": a package has no file for one; "malformed": a value that cannot be.
        OSError: a file cannot be read.
    """
    files = [source for folder in packages for source in collect(folder, targets, goldens or {})]
    check_roles([read_info(folder).role for folder in packages])
    return assemble(
        files,
        base=base,
        rings=rings,
        product=product,
        boards=sorted(set(boards)),
        socs=sorted(set(socs)),
        version=version,
        release=release,
        counter=counter,
        min_runtime=min_runtime,
        memory_mb=memory_mb,
        notes=notes,
    )


def check_roles(roles: Sequence[str]) -> None:
    """A set is a detector, or all three roles. Raises Refused: "student"."""
    if sorted(roles) not in (["detector"], sorted(ROLES)):
        raise Refused(
            "student",
            f"a set is one detector, or one each of {', '.join(ROLES)}; here: {', '.join(roles)}",
        )


def collect(folder: Path, targets: Sequence[str], goldens: Mapping[str, bytes]) -> list[Source]:
    """The files of one package that travel. Raises Refused, OSError."""
    files: dict[str, set[str]] = {}
    try:
        info = read_info(folder)
        have = {entry.npu for entry in info.targets}
        if missing := sorted(set(targets) - have):
            raise Refused(
                "target",
                f"{folder} has no file for {', '.join(missing)}; it has {', '.join(sorted(have))}",
            )
        for target in sorted(set(targets)):
            files.setdefault(load_package(folder, target).file.name, set()).add(target)
    except ModelRefused as refused:
        raise Refused("student", str(refused)) from refused
    found = [Source(info.role, DESCRIPTION, "", (folder / DESCRIPTION).read_bytes())]
    golden = goldens.get(info.role) or _golden(folder)
    found.append(Source(info.role, GOLDEN_FILE, "", golden))
    for name, wanted_by in sorted(files.items()):
        data = (folder / name).read_bytes()
        found += [Source(info.role, name, target, data) for target in sorted(wanted_by)]
    return found


def _golden(folder: Path) -> bytes:
    path = folder / GOLDEN_FILE
    if not path.is_file():
        raise Refused("student", f"{folder} has no {GOLDEN_FILE}: see `haetae ota golden`")
    return path.read_bytes()


def assemble(
    files: Iterable[Source],
    *,
    base: DeltaBase | None = None,
    rings: Sequence[bytes] = (),
    **values: Any,
) -> tuple[Head, bytes]:
    """A manifest over files as they are, whatever is in them, and the payload.

    Args:
        files: in any order.
        base: makes a delta against it.
        rings: signed key rings, oldest first.
        values: the other values of the manifest.

    Raises:
        Refused: "malformed" or "too_long": values that no device would take.
    """
    ordered = sorted(files, key=lambda file: (ROLES.index(file.role), file[1:3]))
    if base is not None:
        ordered = for_each_target(ordered)
    packers: dict[str, Packer] = {}
    entries, parts = [], []
    for file in ordered:
        plain = [file.data[at : at + CHUNK_BYTES] for at in range(0, len(file.data), CHUNK_BYTES)]
        stored = plain
        if base is not None:
            if file.target not in packers:
                packers[file.target] = Packer(base.payload(file.target))
            stored = [packers[file.target].pack(chunk) for chunk in plain]
        entries.append(
            FileEntry(
                role=file.role,
                name=file.name,
                target=file.target,
                bytes=len(file.data),
                chunks=[hashlib.sha256(chunk).digest() for chunk in plain],
                stored=[] if base is None else [len(chunk) for chunk in stored],
            )
        )
        parts += stored
    against = None if base is None else base.name
    manifest = to_bytes(Manifest(format=FORMAT, files=entries, base=against, **values))
    parse_manifest(manifest)
    return Head(manifest, NO_SIGNATURES, chain_bytes(rings)), b"".join(parts)


def for_each_target(files: Sequence[Source]) -> list[Source]:
    """Files for all targets once for each: in a delta every target has another dictionary."""
    targets = sorted({file.target for file in files} - {""})
    return [
        file._replace(target=target)
        for file in files
        for target in ([file.target] if file.target else targets)
    ]


def write_bundle(path: Path, head: Head, payload: bytes) -> None:
    """Write the file whole or not at all. Raises OSError."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(head.to_bytes() + payload)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
