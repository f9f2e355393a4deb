"""Making the next key ring, before anybody signs it: pure functions for `haetae keys`.

A draft is a ring without enough signatures. Each holder of a root key signs a copy of it, and the
copies are merged; so no two root keys are ever on one machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, TypeVar

from msgspec.structs import replace as with_fields

from ota.key_files import PublicKey
from ota.key_ring import (
    MAX_RING_BYTES,
    Body,
    Key,
    KeyRing,
    OperatorKey,
    body_bytes,
    parse_body,
    parse_ring,
    ring_bytes,
)
from ota.keys import DOMAIN_RING, KEY_ID_BYTES, Signature, key_id, public_of, sign, signers
from ota.refusal import Refused

K = TypeVar("K", bound=Key)
RankName = Literal["viewer", "technician", "vendor"]
_ROOM_FOR: int = 11
"""Signatures that must fit beside a body: eight new roots and three old ones."""


@dataclass(frozen=True)
class Change:
    """What the next ring has that the last one has not.

    Attributes:
        roots, bundle_keys, channel_keys, operators: to add.
        drop, revoke: names or ids of keys that go; those revoked may never come back.
        threshold, bundle_threshold: None leaves them.
    """

    roots: Sequence[PublicKey] = ()
    bundle_keys: Sequence[PublicKey] = ()
    channel_keys: Sequence[PublicKey] = ()
    operators: Sequence[tuple[PublicKey, RankName]] = ()
    drop: Sequence[str] = ()
    revoke: Sequence[str] = ()
    threshold: int | None = None
    bundle_threshold: int | None = None


def first_body(product: str, change: Change) -> Body:
    """The body of ring 1.

    Raises:
        Refused: "argument", "malformed" or "too_long".
    """
    start = Body(
        version=1, product=product, threshold=2, roots=[], bundle_threshold=1, bundle_keys=[]
    )
    return _changed(start, change)


def next_body(last: KeyRing, change: Change) -> Body:
    """The body of the ring that comes after `last`.

    Raises:
        Refused: "argument", "malformed" or "too_long".
    """
    body = parse_body(last.body)
    return _changed(with_fields(body, version=body.version + 1), change)


def find(body: Body, word: str) -> bytes:
    """The id of the key with this name or id; an id that no key has is taken as it is.

    Raises:
        Refused: "argument".
    """
    keys = [*body.roots, *body.bundle_keys, *body.channel_keys, *body.operators]
    found = [key_id(key.public) for key in keys if key.name == word]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise Refused("argument", f"{len(found)} keys have the name {word}; give the id")
    try:
        id_ = bytes.fromhex(word)
    except ValueError:
        id_ = b""
    if len(id_) != KEY_ID_BYTES:
        names = ", ".join(sorted(key.name for key in keys))
        raise Refused("argument", f"no key {word} in key ring {body.version - 1}; it has {names}")
    return id_


def signed(ring: KeyRing, last: KeyRing | None, seed: bytes) -> bytes:
    """The ring's file with one more signature.

    Args:
        ring: what to sign.
        last: the ring before, whose roots have to sign too.
        seed: a root key of one of the two.

    Raises:
        Refused: "not_permitted": the key is a root of neither.
    """
    id_ = key_id(public_of(seed))
    if id_ not in ring.roots and (last is None or id_ not in last.roots):
        which = f"key ring {ring.version}" + (f" or {last.version}" if last else "")
        hint = "" if last or ring.version == 1 else "; a root of the ring before needs --last"
        raise Refused("not_permitted", f"{id_.hex()} is no root of {which}{hint}")
    return _with_signatures(ring, [*ring.signatures, sign(seed, DOMAIN_RING, ring.body)])


def merged(copies: Sequence[KeyRing]) -> bytes:
    """One file with the signatures of several copies.

    Raises:
        Refused: "ring_conflict": the copies are not of one draft.
    """
    if len({copy.body for copy in copies}) != 1:
        prints = ", ".join(sorted({fingerprint(copy) for copy in copies}))
        raise Refused("ring_conflict", f"these are different drafts: {prints}")
    return _with_signatures(copies[0], [one for copy in copies for one in copy.signatures])


def missing(ring: KeyRing, by: KeyRing) -> int:
    """How many signatures of roots of `by` the ring still needs."""
    good = signers(by.roots, DOMAIN_RING, ring.body, ring.signatures)
    return max(0, by.threshold - len(good))


def fingerprint(ring: KeyRing) -> str:
    """What two people compare over a telephone before they sign: 80 bits of the body's SHA-256."""
    digits = sha256(ring.body).hexdigest()[:20]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _with_signatures(ring: KeyRing, signatures: Iterable[Signature]) -> bytes:
    return ring_bytes(ring.body, list(dict.fromkeys(signatures)))


def _changed(body: Body, change: Change) -> Body:
    revoked = [find(body, word) for word in change.revoke]
    gone = {*revoked, *(find(body, word) for word in change.drop)}
    kept = with_fields(
        body,
        roots=_kept(body.roots, gone) + _keys(change.roots, "root"),
        bundle_keys=_kept(body.bundle_keys, gone) + _keys(change.bundle_keys, "bundle"),
        channel_keys=_kept(body.channel_keys, gone) + _keys(change.channel_keys, "channel"),
        operators=_kept(body.operators, gone) + _operators(change.operators),
        revoked=sorted({*body.revoked, *revoked}),
        threshold=body.threshold if change.threshold is None else change.threshold,
        bundle_threshold=(
            body.bundle_threshold if change.bundle_threshold is None else change.bundle_threshold
        ),
    )
    data = body_bytes(kept)
    full = ring_bytes(data, [Signature(bytes(8), bytes(64))] * _ROOM_FOR)
    if len(full) > MAX_RING_BYTES:
        raise Refused("too_long", f"it would have {len(full)} bytes; at most {MAX_RING_BYTES}")
    _names_differ(kept)
    return parse_body(data)


def _names_differ(body: Body) -> None:
    keys = [*body.roots, *body.bundle_keys, *body.channel_keys, *body.operators]
    names = [key.name for key in keys]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refused("argument", f"two keys have the name {twice[0]}; names are for people")


def _kept(keys: Sequence[K], gone: set[bytes]) -> list[K]:
    return [key for key in keys if key_id(key.public) not in gone]


def _keys(keys: Sequence[PublicKey], kind: str) -> list[Key]:
    for key in keys:
        if key.kind != kind:
            raise Refused("argument", f"{key.name} is a {key.kind} key, not a {kind} key")
    return [Key(public=key.public, name=key.name) for key in keys]


def _operators(keys: Sequence[tuple[PublicKey, RankName]]) -> list[OperatorKey]:
    _keys([key for key, _ in keys], "operator")
    return [OperatorKey(public=key.public, name=key.name, rank=rank) for key, rank in keys]


def read_ring(data: bytes, what: str) -> KeyRing:
    """Parse a ring's file and say which file it was when it cannot be.

    Raises:
        Refused: as `parse_ring`.
    """
    try:
        return parse_ring(data)
    except Refused as refused:
        raise Refused(refused.reason, f"{what}: {refused.detail}") from refused
