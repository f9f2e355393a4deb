"""Ed25519 keys and signatures: who is who, and who has signed.

A key's id is the beginning of a hash of it, so that no key can stand under another's name. What is
signed begins with a domain, so that a signature for one kind of thing is worth nothing for another.

Source: RFC 8032; libsodium, which refuses keys of small order and signatures in other forms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from nacl import bindings
from nacl.exceptions import BadSignatureError

from ota import wire
from ota.refusal import Refused

KEY_ID_BYTES: Final = 8
PUBLIC_BYTES: Final = 32
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAX_SIGNATURES: Final = 16

DOMAIN_BUNDLE: Final = "haetae bundle 1"
DOMAIN_RING: Final = "haetae key ring 1"
DOMAIN_COMMAND: Final = "haetae command 1"
DOMAIN_CHANNEL: Final = "haetae channel 1"


class Signature(NamedTuple):
    """Whose it says it is (KEY_ID_BYTES), and an Ed25519 signature (SIGNATURE_BYTES)."""

    key_id: bytes
    value: bytes


def key_id(public: bytes) -> bytes:
    """The id of a public key of PUBLIC_BYTES."""
    return hashlib.sha256(b"haetae key 1\0" + public).digest()[:KEY_ID_BYTES]


def public_of(seed: bytes) -> bytes:
    """The public key of a private one, which is its SEED_BYTES."""
    public: bytes = bindings.crypto_sign_seed_keypair(seed)[0]
    return public


def sign(seed: bytes, domain: str, body: bytes) -> Signature:
    """Sign `body` as what `domain` says.

    Args:
        seed: SEED_BYTES, the private key.
        domain: one of the DOMAIN words.
        body: any bytes.
    """
    public, secret = bindings.crypto_sign_seed_keypair(seed)
    signed: bytes = bindings.crypto_sign(_message(domain, body), secret)
    return Signature(key_id(public), signed[:SIGNATURE_BYTES])


def signers(
    keys: Mapping[bytes, bytes], domain: str, body: bytes, signatures: Sequence[Signature]
) -> set[bytes]:
    """Ids of the keys that have signed; a key counts once, however often it signs.

    Args:
        keys: id -> public key, of those who may sign.
        domain, body: what is said to be signed.
        signatures: from outside; those of unknown keys and wrong ones are passed over.
    """
    message = _message(domain, body)
    found: set[bytes] = set()
    for name, value in signatures:
        public = keys.get(name)
        if public is not None and name not in found and _is_valid(public, message, value):
            found.add(name)
    return found


def parse_signatures(data: bytes, most: int = MAX_SIGNATURES) -> tuple[Signature, ...]:
    """Signatures of msgpack [[key id, value], ...]; no bytes at all are none.

    Raises:
        Refused: "malformed" or "too_long"; the signatures themselves are not looked at.
    """
    if not data:
        return ()
    bound = 8 + most * (KEY_ID_BYTES + SIGNATURE_BYTES + 8)
    return signatures_from(wire.unpack(data, bound, "signatures"), most)


def signatures_from(raw: object, most: int = MAX_SIGNATURES) -> tuple[Signature, ...]:
    """Signatures of what msgpack gave.

    Raises:
        Refused: "malformed" or "too_long".
    """
    if not isinstance(raw, list):
        raise Refused("malformed", "signatures: no list")
    if len(raw) > most:
        raise Refused("too_long", f"{len(raw)} signatures; at most {most}")
    return tuple(_signature(item) for item in raw)


def signatures_bytes(signatures: Sequence[Signature]) -> bytes:
    """As `parse_signatures` reads them."""
    return wire.pack([list(signature) for signature in signatures])


def _signature(item: object) -> Signature:
    if not isinstance(item, list) or len(item) != 2:
        raise Refused("malformed", "a signature is no pair of key id and value")
    for part, length in zip(item, (KEY_ID_BYTES, SIGNATURE_BYTES), strict=True):
        if not isinstance(part, bytes) or len(part) != length:
            raise Refused("malformed", f"a part of a signature is not {length} bytes")
    return Signature(*item)


def _message(domain: str, body: bytes) -> bytes:
    return domain.encode() + b"\0" + body


def _is_valid(public: bytes, message: bytes, value: bytes) -> bool:
    if len(value) != SIGNATURE_BYTES:  # what is longer would push the domain away from the front
        return False
    try:
        bindings.crypto_sign_open(value + message, public)
    except (BadSignatureError, ValueError):  # ValueError: a public key of another length
        return False
    return True
