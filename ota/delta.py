"""The set that a delta is against, as a device holds it: what packs and unpacks its chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from ota.bundle import BundleFile
from ota.manifest import Base, take
from ota.pack_delta import unpack_chunk
from ota.refusal import Refused


class DeltaBase:
    """An older bundle, unpacked.

    Attributes:
        name: how a delta's manifest names it.
    """

    def __init__(self, name: Base, payloads: dict[str, bytes]) -> None:
        """Use `read_base`; `payloads` is by target."""
        self.name = name
        self._payloads = payloads

    def payload(self, target: str) -> bytes:
        """What a device with this target holds, without padding; empty for a target not in it."""
        return self._payloads.get(target, b"")


def read_base(paths: Sequence[Path], targets: Sequence[str]) -> DeltaBase:
    """Read a base bundle; where it is a delta itself, the ones below it follow in `paths`.

    Raises:
        Refused: "base": the next bundle is not its base, or one is missing; "chunk": damaged.
        OSError: a file cannot be read.
    """
    if not paths:
        raise Refused("base", "it is a delta itself: name its own base after it (--base again)")
    with BundleFile(paths[0]) as bundle:
        name = Base(digest=bundle.head.digest, release=bundle.manifest.release)
        below = DeltaBase(name, {})
        if bundle.manifest.base is not None:
            below = read_base(paths[1:], targets)
            if below.name.digest != bundle.manifest.base.digest:
                raise Refused("base", f"{paths[1]} is not what {paths[0]} is against")
        payloads = {target: plain_payload(bundle, target, below) for target in targets}
        return DeltaBase(name, payloads)


def plain_payload(bundle: BundleFile, target: str, base: DeltaBase) -> bytes:
    """The files that a device with this target takes, one after the other, checked.

    Raises:
        Refused: "chunk": one is not the one of the manifest.
    """
    parts = []
    for chunk in take(bundle.manifest, target, 1).chunks:
        data = bundle.chunk(chunk)
        if chunk.is_packed:
            data = unpack_chunk(data, chunk.size, base.payload(target))
        if hashlib.sha256(data).digest() != chunk.sha256:
            raise Refused("chunk", f"{bundle.path}: chunk {chunk.index} for {target} is damaged")
        parts.append(data)
    return b"".join(parts)
