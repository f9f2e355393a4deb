"""A camera in memory, operators' keys, and bundles of random bytes for the tests of the link."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path as File
from typing import Any

from ota.head import Head, parse_head
from ota.keys import key_id, public_of
from ota.manifest import CHUNK_BYTES, FileEntry, Manifest, parse_manifest, take, to_bytes
from ota.refusal import Refused
from ota.service import Asker, Rank

SEEDS = {rank: bytes([rank]) * 32 for rank in (Rank.VIEWER, Rank.TECHNICIAN, Rank.VENDOR)}
STRANGER_SEED = b"s" * 32


def write_bundle(path: File, total_bytes: int, product: str = "mast", seed: int = 1, **more: Any):
    """A bundle of three files, unsigned."""
    chance = random.Random(seed)
    sizes = [total_bytes // 2, total_bytes // 3]
    sizes.append(total_bytes - sum(sizes))
    payload, files = b"", []
    for role, size in zip(("detector", "skeleton", "action"), sizes, strict=True):
        data = chance.randbytes(size)
        hashes = [
            hashlib.sha256(data[at : at + CHUNK_BYTES]).digest()
            for at in range(0, size, CHUNK_BYTES)
        ]
        files.append(FileEntry(role=role, name="m.tflite", bytes=size, chunks=hashes))
        payload += data
    manifest = Manifest(
        format=1,
        product=product,
        version="1.0",
        release=1,
        counter=1,
        min_runtime="0.1.0",
        memory_mb=8,
        files=files,
        **more,
    )
    head = Head(to_bytes(manifest), chance.randbytes(200), chance.randbytes(600))
    path.write_bytes(head.to_bytes() + payload)
    return payload


class Camera:
    """Takes what it is sent and checks it. Implements `ota.service.Service`."""

    def __init__(self, product: str = "mast", device: str = "cam-7") -> None:
        self.product, self.device = product, device
        self.asked: list[tuple[str, Asker]] = []
        self.operators = {
            key_id(public_of(seed)): (public_of(seed), rank, rank.name.lower())
            for rank, seed in SEEDS.items()
        }
        self.answer: dict[str, Any] = {"text": "fine"}
        self.stored: dict[int, bytes] = {}
        self.digest = b""
        self.taken: Any = None
        self.spoil_chunks = 0

    @property
    def payload(self) -> bytes:
        return b"".join(self.stored[index] for index in sorted(self.stored))

    def hello(self) -> dict[str, Any]:
        return {
            "device": self.device,
            "product": self.product,
            "board": "sim",
            "runtime": "0.2.0",
            "target": "tflite",
            "unpack": True,
        }

    def operator(self, key: bytes) -> tuple[bytes, Rank, str] | None:
        return self.operators.get(key)

    def ask(self, command: str, arguments: dict[str, Any], by: Asker) -> dict[str, Any]:
        self.asked.append((command, by))
        match command:
            case "offer":
                return self._offer(arguments["head"])
            case "chunk":
                return {"next": self._chunk(**arguments)}
            case _:
                return self.answer

    def _offer(self, data: bytes) -> dict[str, Any]:
        head = parse_head(data)
        manifest = parse_manifest(head.manifest)
        if manifest.product != self.product:
            raise Refused("product", f"for {manifest.product}; this is {self.product}")
        if head.digest != self.digest:
            self.digest, self.stored = head.digest, {}
        self.taken = take(manifest, "tflite", 1)
        chunks = self.taken.chunks
        return {
            "session": self.digest[:16],
            "next": self._next(),
            "chunks": len(chunks),
            "bytes": sum(chunk.stored_size for chunk in chunks),
            "done": sum(len(data) for data in self.stored.values()),
            "state": "receiving",
        }

    def _chunk(self, session: bytes, index: int, data: bytes) -> int:
        if session != self.digest[:16]:
            raise Refused("session")
        if self.spoil_chunks:
            self.spoil_chunks -= 1
            raise Refused("chunk", "planted")
        if hashlib.sha256(data).digest() != self.taken.chunks[index].sha256:
            raise Refused("chunk", f"chunk {index}")
        self.stored[index] = bytes(data)
        return self._next()

    def _next(self) -> int:
        missing = (c.index for c in self.taken.chunks if c.index not in self.stored)
        return next(missing, -1)
