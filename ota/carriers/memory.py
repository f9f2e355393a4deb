"""What the carrier process remembers over restarts, in one small file.

Nothing in it is secret, and the camera does not depend on it: lost, an older channel file could be
followed once more, and a bundle that failed here be offered once more, which the camera refuses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from drivers.durable import write_file
from ota import wire
from ota.carriers.channel import Seen
from ota.manifest import Sha256
from ota.refusal import Refused

MAX_MEMORY_BYTES: Final = 1 << 15
MAX_GIVEN_UP: Final = 64


class Offer(Struct, frozen=True, kw_only=True):
    """A bundle that was offered and has no outcome yet."""

    digest: Sha256
    release: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
    version: Annotated[str, Meta(max_length=64)]


class Memory(Struct, kw_only=True):
    """Attributes are plain; unknown ones are passed over.

    Attributes:
        ring: newest key ring; b"" for the provisioned one.
        sequence, body: of the newest channel file, see `channel.Seen`.
        runtime: of the camera; another one may take what this one did not.
        offer: under way; its outcome may come after a restart.
        given_up: digests of bundles that this camera did not keep, oldest first.
    """

    ring: Annotated[bytes, Meta(max_length=4096)] = b""
    sequence: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    body: Annotated[bytes, Meta(max_length=32)] = b""
    runtime: Annotated[str, Meta(max_length=64)] = ""
    offer: Offer | None = None
    given_up: Annotated[list[Sha256], Meta(max_length=MAX_GIVEN_UP)] = []

    @property
    def seen(self) -> Seen:
        """The newest channel file."""
        return Seen(self.sequence, self.body)

    def give_up(self, digest: bytes) -> None:
        """Do not offer this bundle again; the oldest is forgotten where there are too many."""
        if digest not in self.given_up:
            self.given_up = [*self.given_up, digest][-MAX_GIVEN_UP:]

    def meet(self, runtime: str) -> None:
        """The camera has this runtime now."""
        if runtime != self.runtime:
            self.runtime, self.given_up = runtime[:64], []


def load(path: Path) -> Memory:
    """Read it; a new one where there is none or it is damaged.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_MEMORY_BYTES + 1)
        return msgspec.convert(wire.unpack(data, MAX_MEMORY_BYTES, "memory"), Memory)
    except (FileNotFoundError, Refused, msgspec.ValidationError):
        return Memory()


def save(path: Path, memory: Memory) -> None:
    """Write it; after a power cut the old one or the new one is there.

    Raises:
        OSError: it cannot be written.
    """
    raw: Any = msgspec.to_builtins(memory, builtin_types=(bytes,))
    write_file(path, wire.pack(raw))
