"""The head of a bundle: everything before the payload, which a device gets first.

    offset  size  field
         0     8  magic b"HAETAE\\x1a\\x01"; the last byte is the format of the head
         8     4  length m of the manifest, little-endian as all numbers
        12     4  length s of the signatures
        16     4  length r of the key rings
        20     4  CRC-32 of bytes 0 ... 20
        24     m  manifest: see `ota.manifest`
      24+m     s  signatures: msgpack [[key id, Ed25519 signature], ...]
     ...       r  key rings: msgpack [ring, ...], oldest first; see `ota.keys`
               p  payload: the files of the manifest, one after the other

Lengths are checked against their bounds before anything is read, so that a bundle may come from a
stream. A bundle is identified by `digest`, the SHA-256 of its manifest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from struct import Struct
from typing import Final
from zlib import crc32

from ota.manifest import MAX_MANIFEST_BYTES
from ota.refusal import Refused

MAGIC: Final = b"HAETAE\x1a\x01"
FIXED: Final = Struct("<8sIIII")
MAX_SIGNATURES_BYTES: Final = 4096
MAX_RINGS_BYTES: Final = 1 << 15
MAX_HEAD_BYTES: Final = FIXED.size + MAX_MANIFEST_BYTES + MAX_SIGNATURES_BYTES + MAX_RINGS_BYTES


@dataclass(frozen=True)
class Head:
    """The three parts of a head, not yet looked into."""

    manifest: bytes
    signatures: bytes
    rings: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the manifest: the bundle's name among machines."""
        return hashlib.sha256(self.manifest).digest()

    def to_bytes(self) -> bytes:
        """As it lies in the file."""
        parts = self.manifest, self.signatures, self.rings
        fixed = FIXED.pack(MAGIC, *map(len, parts), 0)[:-4]
        return fixed + crc32(fixed).to_bytes(4, "little") + b"".join(parts)


def head_bytes(fixed: bytes) -> int:
    """Length of the whole head, from its first FIXED.size bytes.

    Raises:
        Refused: "malformed", "newer_format", "too_long" or "truncated".
    """
    if len(fixed) < FIXED.size:
        raise Refused("truncated", f"{len(fixed)} bytes are no bundle")
    magic, manifest, signatures, rings, crc = FIXED.unpack_from(fixed)
    if magic[:-1] != MAGIC[:-1]:
        raise Refused("malformed", "no bundle: it begins with other bytes")
    if magic != MAGIC:
        raise Refused("newer_format", f"bundle of format {magic[-1]}; known: {MAGIC[-1]}")
    if crc32(fixed[: FIXED.size - 4]) != crc:
        raise Refused("malformed", "the first bytes of the bundle are damaged")
    bounds = MAX_MANIFEST_BYTES, MAX_SIGNATURES_BYTES, MAX_RINGS_BYTES
    for length, most in zip((manifest, signatures, rings), bounds, strict=True):
        if length > most:
            raise Refused("too_long", f"a part of the head has {length} bytes; at most {most}")
    return FIXED.size + int(manifest) + int(signatures) + int(rings)


def parse_head(data: bytes) -> Head:
    """A whole head; what follows it is passed over.

    Raises:
        Refused: as `head_bytes`.
    """
    end = head_bytes(data[: FIXED.size])
    if len(data) < end:
        raise Refused("truncated", f"the head has {end} bytes, here are {len(data)}")
    _, manifest, signatures, _, _ = FIXED.unpack_from(data)
    first = FIXED.size + manifest
    second = first + signatures
    return Head(data[FIXED.size : first], data[first:second], data[second:end])
