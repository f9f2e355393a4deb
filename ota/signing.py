"""Signing a bundle: any number of keys, one after the other, in the file or beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ota.build import write_bundle
from ota.bundle import BundleFile
from ota.head import MAX_SIGNATURES_BYTES, Head
from ota.keys import (
    DOMAIN_BUNDLE,
    MAX_SIGNATURES,
    Signature,
    parse_signatures,
    sign,
    signatures_bytes,
)
from ota.refusal import Refused


def sign_head(head: Head, seed: bytes) -> Head:
    """The head with one more signature; a second one of the same key replaces the first."""
    return with_signatures(head, [sign(seed, DOMAIN_BUNDLE, head.manifest)])


def with_signatures(head: Head, added: Iterable[Signature]) -> Head:
    """The head with these too, in the order of the keys' ids.

    Raises:
        Refused: "malformed": what is there is none; "too_long": more than a device would read.
    """
    by_key = {one.key_id: one for one in (*parse_signatures(head.signatures), *added)}
    if len(by_key) > MAX_SIGNATURES:
        raise Refused("too_long", f"{len(by_key)} signatures; at most {MAX_SIGNATURES}")
    return Head(
        head.manifest, signatures_bytes([by_key[id_] for id_ in sorted(by_key)]), head.rings
    )


def read_detached(path: Path) -> tuple[Signature, ...]:
    """The signatures in a file beside a bundle.

    Raises:
        Refused: "malformed" or "too_long".
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_SIGNATURES_BYTES + 1)
    return parse_signatures(data)


def rewrite(bundle: BundleFile, head: Head) -> None:
    """Put another head before the same payload, whole or not at all. Raises OSError."""
    with bundle.path.open("rb") as file:
        file.seek(len(bundle.head_data))
        payload = file.read()
    write_bundle(bundle.path, head, payload)
