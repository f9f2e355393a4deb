"""The key ring: which keys a camera trusts, and for what. Root keys sign it, on paper and offline.

A camera is provisioned with one ring and goes up from there version by version: each ring is signed
by enough roots of the one before and by enough of its own, so that roots can be replaced. Newer
rings come inside bundles, all of them since long ago, or alone over a link. There is no date in
them: a camera has no clock to trust, so a fleet finds by its status who holds an old ring.

    ring:  msgpack {"body": bytes, "signatures": [[key id, Ed25519 signature], ...]}
    body:  msgpack map of the fields of `Body`; the signatures are over its bytes
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain as chained
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from ota import wire
from ota.head import MAX_RINGS_BYTES, Head
from ota.keys import (
    DOMAIN_BUNDLE,
    DOMAIN_RING,
    KEY_ID_BYTES,
    PUBLIC_BYTES,
    Signature,
    key_id,
    parse_signatures,
    signatures_from,
    signers,
)
from ota.manifest import Word
from ota.refusal import Refused
from ota.service import Rank

FORMAT: Final = 1
MAX_RING_BYTES: Final = 4096
MAX_CHAIN: Final = 16
"""Rings in one bundle."""

Public = Annotated[bytes, Meta(min_length=PUBLIC_BYTES, max_length=PUBLIC_BYTES)]
KeyId = Annotated[bytes, Meta(min_length=KEY_ID_BYTES, max_length=KEY_ID_BYTES)]
Threshold = Annotated[int, Meta(ge=1, le=8)]


class Key(Struct, frozen=True, kw_only=True):
    """A key in a ring: `name` is for people."""

    public: Public
    name: Word


class OperatorKey(Key, frozen=True, kw_only=True):
    """An operator's key with what it may do."""

    rank: Literal["viewer", "technician", "vendor"]


class Body(Struct, frozen=True, kw_only=True):
    """What the roots sign. Unknown keys are passed over; a newer `format` is refused."""

    format: Annotated[int, Meta(ge=1)] = FORMAT
    version: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    product: Word
    threshold: Threshold
    roots: Annotated[list[Key], Meta(min_length=1, max_length=8)]
    bundle_threshold: Threshold
    bundle_keys: Annotated[list[Key], Meta(max_length=8)] = []
    channel_keys: Annotated[list[Key], Meta(max_length=8)] = []
    operators: Annotated[list[OperatorKey], Meta(max_length=32)] = []
    revoked: Annotated[list[KeyId], Meta(max_length=64)] = []


class Operator(NamedTuple):
    """Who may command a camera."""

    public: bytes
    rank: Rank
    name: str


@dataclass(frozen=True)
class KeyRing:
    """A parsed ring; that it is one says nothing about who signed it.

    Attributes:
        version: from 1, without gaps.
        product: whose cameras it is for.
        threshold, roots: so many of these sign the next ring.
        bundle_threshold, bundle_keys: so many of these sign a bundle; no keys: no bundle is taken.
        channel_keys: any one signs a channel file.
        operators: who may command a camera.
        revoked: keys that must not come back.
        names: for people; id -> name.
        body, signatures: as signed.
        data: the whole file.
    """

    version: int
    product: str
    threshold: int
    roots: Mapping[bytes, bytes]
    bundle_threshold: int
    bundle_keys: Mapping[bytes, bytes]
    channel_keys: Mapping[bytes, bytes]
    operators: Mapping[bytes, Operator]
    revoked: frozenset[bytes]
    names: Mapping[bytes, str] = field(repr=False)
    body: bytes = field(repr=False)
    signatures: tuple[Signature, ...] = field(repr=False)
    data: bytes = field(repr=False)


def ring_bytes(body: bytes, signatures: Sequence[Signature]) -> bytes:
    """A ring's file."""
    return wire.pack({"body": body, "signatures": [list(one) for one in signatures]})


def body_bytes(body: Body) -> bytes:
    """The canonical bytes, which are signed."""
    return wire.pack(msgspec.to_builtins(body, builtin_types=(bytes,)))


def parse_ring(data: bytes) -> KeyRing:
    """Read a ring; its signatures are not checked here.

    Raises:
        Refused: "malformed", "too_long", "too_deep" or "newer_format".
    """
    raw = wire.unpack(data, MAX_RING_BYTES, "key ring")
    if not isinstance(raw, dict) or not isinstance(raw.get("body"), bytes):
        raise Refused("malformed", "key ring: no body")
    body = parse_body(raw["body"])
    return KeyRing(
        version=body.version,
        product=body.product,
        threshold=body.threshold,
        roots=_by_id(body.roots),
        bundle_threshold=body.bundle_threshold,
        bundle_keys=_by_id(body.bundle_keys),
        channel_keys=_by_id(body.channel_keys),
        operators={key_id(key.public): _operator(key) for key in body.operators},
        revoked=frozenset(body.revoked),
        names={key_id(key.public): key.name for key in _all_keys(body)},
        body=raw["body"],
        signatures=signatures_from(raw.get("signatures")),
        data=bytes(data),
    )


def parse_body(data: bytes) -> Body:
    """Read what the roots sign.

    Raises:
        Refused: as `parse_ring`.
    """
    return wire.read(data, Body, MAX_RING_BYTES, "key ring", FORMAT, complaints)


def complaints(body: Body) -> Iterator[str]:
    """What is wrong between the values."""
    ids: set[bytes] = set()
    for key in _all_keys(body):
        name = key_id(key.public)
        if name in ids:
            yield f"the key {key.name} ({name.hex()}) is there twice"
        if name in body.revoked:
            yield f"the key {key.name} ({name.hex()}) is listed and revoked"
        ids.add(name)
    if body.threshold > len(body.roots):
        yield f"{body.threshold} of {len(body.roots)} roots cannot sign"
    if body.bundle_keys and body.bundle_threshold > len(body.bundle_keys):
        yield f"{body.bundle_threshold} of {len(body.bundle_keys)} bundle keys cannot sign"


def trust_first(data: bytes) -> KeyRing:
    """The ring that a camera was provisioned with: signed by enough of its own roots.

    Raises:
        Refused: "ring_signature", or as `parse_ring`.
    """
    ring = parse_ring(data)
    _check_roots(ring, ring)
    return ring


def advance(current: KeyRing, chain: Sequence[bytes]) -> KeyRing:
    """Walk up a chain of rings, oldest first; those not newer than `current` are passed over.

    Returns:
        The newest ring that is trusted; `current` itself where there is nothing newer.

    Raises:
        Refused: "ring_signature", "ring_gap", "ring_conflict" (another ring of the same version),
            "product", or as `parse_ring`. One bad ring refuses the whole chain.
    """
    if len(chain) > MAX_CHAIN:
        raise Refused("too_long", f"{len(chain)} key rings; at most {MAX_CHAIN}")
    for data in chain:
        ring = parse_ring(data)
        if ring.product != current.product:
            raise Refused("product", f"a key ring for {ring.product}; this is {current.product}")
        if ring.version > current.version + 1:
            raise Refused("ring_gap", f"key ring {ring.version} after {current.version}")
        if ring.version == current.version and ring.body != current.body:
            raise Refused("ring_conflict", f"two key rings of version {ring.version}")
        if ring.version == current.version + 1:
            _check_roots(current, ring)
            _check_roots(ring, ring)
            current = ring
    return current


def check_bundle(ring: KeyRing, head: Head) -> None:
    """See that enough bundle keys of the ring have signed the manifest.

    Raises:
        Refused: "signature"; "revoked_key" where a revoked key is among those that are too few.
    """
    signatures = parse_signatures(head.signatures)
    good = signers(ring.bundle_keys, DOMAIN_BUNDLE, head.manifest, signatures)
    if ring.bundle_keys and len(good) >= ring.bundle_threshold:
        return
    revoked = sorted(one.key_id.hex() for one in signatures if one.key_id in ring.revoked)
    if revoked:
        raise Refused("revoked_key", f"signed with {', '.join(revoked)}, revoked")
    detail = f"{len(good)} known bundle keys of key ring {ring.version} have signed"
    raise Refused("signature", f"{detail}; needed: {ring.bundle_threshold}")


def chain_bytes(rings: Sequence[bytes]) -> bytes:
    """The rings of a bundle's head, oldest first.

    Raises:
        Refused: "too_long": no camera would take so many; leave the oldest out.
    """
    data = wire.pack(list(rings))
    if len(rings) > MAX_CHAIN or len(data) > MAX_RINGS_BYTES:
        most = f"at most {MAX_CHAIN} and {MAX_RINGS_BYTES}"
        raise Refused("too_long", f"{len(rings)} key rings of {len(data)} bytes; {most}")
    return data


def parse_chain(data: bytes) -> list[bytes]:
    """The rings of a bundle's head, not yet looked into; no bytes at all are none.

    Raises:
        Refused: "malformed" or "too_long".
    """
    if not data:
        return []
    raw = wire.unpack(data, MAX_RINGS_BYTES, "key rings")
    if not isinstance(raw, list) or not all(isinstance(ring, bytes) for ring in raw):
        raise Refused("malformed", "key rings: no list of rings")
    if len(raw) > MAX_CHAIN:
        raise Refused("too_long", f"{len(raw)} key rings; at most {MAX_CHAIN}")
    return raw


def _check_roots(by: KeyRing, ring: KeyRing) -> None:
    good = signers(by.roots, DOMAIN_RING, ring.body, ring.signatures)
    if len(good) < by.threshold:
        detail = f"key ring {ring.version}: {len(good)} of the roots of key ring {by.version}"
        raise Refused("ring_signature", f"{detail} have signed; needed: {by.threshold}")


def _all_keys(body: Body) -> Iterator[Key]:
    return chained(body.roots, body.bundle_keys, body.channel_keys, body.operators)


def _by_id(keys: Sequence[Key]) -> dict[bytes, bytes]:
    return {key_id(key.public): key.public for key in keys}


def _operator(key: OperatorKey) -> Operator:
    return Operator(key.public, Rank[key.rank.upper()], key.name)
