"""A vendor with keys for tests: `seed("root 1")` is always the same key, in no other way secret."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from ota.key_ring import Body, Key, OperatorKey, body_bytes, ring_bytes
from ota.keys import (
    DOMAIN_BUNDLE,
    DOMAIN_RING,
    Signature,
    key_id,
    public_of,
    sign,
    signatures_bytes,
)

PRODUCT = "haetae-cam"
ROOTS = ("root 1", "root 2", "root 3")


def seed(name: str) -> bytes:
    return sha256(b"tests only: " + name.encode()).digest()


def public(name: str) -> bytes:
    return public_of(seed(name))


def name_id(name: str) -> bytes:
    return key_id(public(name))


def key(name: str) -> Key:
    return Key(public=public(name), name=name.replace(" ", "-"))


def operator(name: str, rank: str) -> OperatorKey:
    return OperatorKey(public=public(name), name=name.replace(" ", "-"), rank=rank)


def body(
    version: int,
    *,
    roots: Sequence[str] = ROOTS,
    threshold: int = 2,
    bundle_keys: Sequence[str] = ("bundle 1",),
    bundle_threshold: int = 1,
    revoked: Sequence[str] = (),
    operators: Sequence[OperatorKey] = (),
    product: str = PRODUCT,
) -> Body:
    return Body(
        version=version,
        product=product,
        threshold=threshold,
        roots=[key(name) for name in roots],
        bundle_threshold=bundle_threshold,
        bundle_keys=[key(name) for name in bundle_keys],
        channel_keys=[key("channel 1")],
        operators=list(operators),
        revoked=[name_id(name) for name in revoked],
    )


def ring(version: int, signed_by: Sequence[str] = ROOTS[:2], **fields: Any) -> bytes:
    data = body_bytes(body(version, **fields))
    return ring_bytes(data, [sign(seed(name), DOMAIN_RING, data) for name in signed_by])


def bundle_signatures(manifest: bytes, *names: str) -> bytes:
    return signatures_bytes([bundle_signature(manifest, name) for name in names])


def bundle_signature(manifest: bytes, name: str) -> Signature:
    return sign(seed(name), DOMAIN_BUNDLE, manifest)
