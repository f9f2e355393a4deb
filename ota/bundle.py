"""A bundle file, as a PC or a carrier reads it: its parts, never whether they can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from drivers.closing import Closing
from ota.head import FIXED, Head, head_bytes, parse_head
from ota.manifest import Chunk, Manifest, parse_manifest, payload_bytes
from ota.refusal import Refused


class Bundle(Protocol):
    """A bundle wherever it lies: what a push needs of it; attributes as `BundleFile`."""

    @property
    def head(self) -> Head:
        """Its three parts."""
        ...

    @property
    def head_data(self) -> bytes:
        """The same, as they lie in the file."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        ...

    @property
    def size(self) -> int:
        """Of the whole file, bytes."""
        ...

    def chunk(self, chunk: Chunk) -> bytes:
        """The stored bytes of one chunk. Raises Refused or OSError."""
        ...

    def close(self) -> None:
        """Let go of it. May be called twice."""
        ...


class BundleFile(Closing):
    """An open bundle; a context manager.

    Attributes:
        path: of the file.
        head: its three parts. head_data: the same, as they lie in the file.
        manifest: what it says; its signatures are not looked at here.
        size: of the whole file, bytes.
    """

    def __init__(self, path: str | Path) -> None:
        """Open it and read its head; the file's length must be what the manifest says.

        Raises:
            Refused: "malformed", "newer_format", "too_deep", "too_long" or "truncated".
            OSError: it cannot be read.
        """
        self.path = Path(path)
        self._file = self.path.open("rb")
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _read(self) -> None:
        self.size = self.path.stat().st_size
        fixed = self._file.read(FIXED.size)
        length = head_bytes(fixed)
        self.head_data = fixed + self._file.read(length - len(fixed))
        self.head = parse_head(self.head_data)
        self.manifest = parse_manifest(self.head.manifest)
        wanted = length + payload_bytes(self.manifest)
        if self.size != wanted:
            reason = "truncated" if self.size < wanted else "too_long"
            raise Refused(reason, f"{self.path}: {self.size} bytes; the manifest says {wanted}")

    def chunk(self, chunk: Chunk) -> bytes:
        """The stored bytes of one chunk, as they lie in the bundle.

        Raises:
            Refused: "truncated": the file became shorter since it was opened.
            OSError: it cannot be read.
        """
        self._file.seek(len(self.head_data) + chunk.bundle_at)
        data = self._file.read(chunk.stored_size)
        if len(data) != chunk.stored_size:
            raise Refused("truncated", f"{self.path}: ends inside chunk {chunk.index}")
        return data

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()
