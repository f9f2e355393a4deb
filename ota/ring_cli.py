"""`haetae keys ring ...` and `haetae keys revoke`: drafts, signatures, and what a ring says."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ota.key_files import add_passphrase_option, ask_passphrase, open_key, read_public, write_new
from ota.key_ring import MAX_RING_BYTES, Body, KeyRing, advance, body_bytes, ring_bytes, trust_first
from ota.keys import DOMAIN_RING, signers
from ota.refusal import Refused
from ota.ring_draft import (
    Change,
    RankName,
    fingerprint,
    first_body,
    merged,
    missing,
    next_body,
    read_ring,
    signed,
)

RANKS: tuple[RankName, ...] = ("viewer", "technician", "vendor")


def add_ring(commands: Any) -> None:
    """Add `ring` and its own commands to argparse's sub-parsers."""
    ring = commands.add_parser("ring", help="new, sign, merge, show, verify a key ring")
    own = ring.add_subparsers(required=True, metavar="COMMAND")
    new = own.add_parser("new", help="draft the first ring, or with --last the next one")
    new.add_argument("--last", type=Path, help="the newest ring; it is taken over with changes")
    new.add_argument("--product", help="whose cameras it is for; of a first ring")
    new.add_argument("--drop", action="append", default=[], metavar="ID|NAME", help="leave out")
    _add_changes(new)
    new.set_defaults(run=_new, words=[])
    sign = own.add_parser("sign", help="add a root's signature to a ring file")
    sign.add_argument("ring", type=Path)
    sign.add_argument("--key", type=Path, required=True, help="a root's .key")
    sign.add_argument("--last", type=Path, help="the ring before; for its old roots")
    add_passphrase_option(sign)
    sign.add_argument("--yes", action="store_true", help="do not ask whether the ring is right")
    sign.set_defaults(run=_sign)
    merge = own.add_parser("merge", help="unite the signatures of several copies of one draft")
    merge.add_argument("copies", nargs="+", type=Path, metavar="RING")
    merge.add_argument("--out", type=Path, required=True)
    merge.set_defaults(run=_merge)
    show = own.add_parser("show", help="what a ring says and who has signed it")
    show.add_argument("ring", type=Path)
    show.add_argument("--last", type=Path, help="the ring before; for its roots' signatures")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    verify = own.add_parser("verify", help="go the way of a camera: trust the first, walk the rest")
    verify.add_argument("rings", nargs="+", type=Path, metavar="RING", help="oldest first")
    verify.set_defaults(run=_verify)


def add_revoke(commands: Any) -> None:
    """Add `revoke` to argparse's sub-parsers."""
    revoke = commands.add_parser("revoke", help="draft the next ring without these keys")
    revoke.add_argument("words", nargs="+", metavar="ID|NAME", help="keys that must not come back")
    revoke.add_argument("--last", type=Path, required=True, help="the newest ring")
    _add_changes(revoke)
    revoke.set_defaults(run=_new, product=None, drop=[])


def read(path: Path) -> KeyRing:
    """Read a ring's file; its signatures are not checked.

    Raises:
        Refused: it is none.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return read_ring(stream.read(MAX_RING_BYTES + 1), str(path))


def said(ring: KeyRing) -> dict[str, Any]:
    """What a ring says, as plain values for scripts."""
    good = signers(ring.roots, DOMAIN_RING, ring.body, ring.signatures)
    return {
        "version": ring.version,
        "product": ring.product,
        "fingerprint": fingerprint(ring),
        "threshold": ring.threshold,
        "roots": _named(ring, ring.roots),
        "bundle_threshold": ring.bundle_threshold,
        "bundle_keys": _named(ring, ring.bundle_keys),
        "channel_keys": _named(ring, ring.channel_keys),
        "operators": {
            id_.hex(): {"name": one.name, "rank": one.rank.name.lower()}
            for id_, one in ring.operators.items()
        },
        "revoked": sorted(id_.hex() for id_ in ring.revoked),
        "signed_by": sorted(id_.hex() for id_ in good),
        "complete": len(good) >= ring.threshold,
    }


def lines(ring: KeyRing, last: KeyRing | None) -> Iterator[str]:
    """What a ring says, for people; with `last`, also what is new."""
    good = signers(ring.roots, DOMAIN_RING, ring.body, ring.signatures)
    old = last.names if last else ring.names
    yield f"key ring {ring.version} of {ring.product}   fingerprint {fingerprint(ring)}"
    yield f"  roots, {ring.threshold} sign a ring"
    for id_ in ring.roots:
        yield _line(ring, old, id_, "signed" if id_ in good else "not signed")
    yield f"  bundle keys, {ring.bundle_threshold} sign a bundle"
    for id_ in ring.bundle_keys:
        yield _line(ring, old, id_)
    yield "  channel keys"
    for id_ in ring.channel_keys:
        yield _line(ring, old, id_)
    yield "  operators"
    for id_, one in ring.operators.items():
        yield _line(ring, old, id_, one.rank.name.lower())
    yield "  revoked"
    for id_ in sorted(ring.revoked):
        is_new = last is not None and id_ not in last.revoked
        name = last.names.get(id_, "") if last else ""
        yield f"    {name:<20} {id_.hex()}  {'new' if is_new else ''}".rstrip()
    if last:
        for id_ in sorted(set(last.names) - set(ring.names) - ring.revoked):
            yield f"  dropped {last.names[id_]} {id_.hex()}"
    yield "  " + _progress(ring, last)


def _add_changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the draft; must not be there")
    for option, about in (
        ("root", "root key to add"),
        ("bundle", "bundle key to add"),
        ("channel", "channel key to add"),
        *((rank, f"operator to add as {rank}") for rank in RANKS),
    ):
        parser.add_argument(
            f"--{option}", type=Path, action="append", default=[], metavar="PUB", help=about
        )
    parser.add_argument("--threshold", type=int, metavar="M", help="roots that sign a ring (2)")
    parser.add_argument("--bundle-threshold", type=int, metavar="M", help="of a bundle (1)")


def _new(arguments: argparse.Namespace) -> None:
    change = Change(
        roots=[read_public(path) for path in arguments.root],
        bundle_keys=[read_public(path) for path in arguments.bundle],
        channel_keys=[read_public(path) for path in arguments.channel],
        operators=[
            (read_public(path), rank) for rank in RANKS for path in getattr(arguments, rank)
        ],
        drop=arguments.drop,
        revoke=arguments.words,
        threshold=arguments.threshold,
        bundle_threshold=arguments.bundle_threshold,
    )
    last = read(arguments.last) if arguments.last else None
    body = _drafted(last, arguments.product, change)
    data = ring_bytes(body_bytes(body), [])
    write_new(arguments.out, data, 0o644)
    print("\n".join(lines(read(arguments.out), last)))
    print(f"draft: {arguments.out}; now `haetae keys ring sign` it with the roots")


def _drafted(last: KeyRing | None, product: str | None, change: Change) -> Body:
    if last is None:
        if product is None:
            raise Refused("argument", "a first ring needs --product, a next one --last")
        return first_body(product, change)
    if product not in (None, last.product):
        raise Refused("argument", f"--product: the last ring is for {last.product}")
    return next_body(last, change)


def _sign(arguments: argparse.Namespace) -> None:
    ring, key = read(arguments.ring), read_public(arguments.key)
    last = read(arguments.last) if arguments.last else None
    if last and last.version + 1 != ring.version:
        raise Refused("argument", f"--last: key ring {last.version}; needed: {ring.version - 1}")
    print("\n".join(lines(ring, last)))
    if not arguments.yes and _answer("Is this right? Type yes to sign: ") != "yes":
        raise Refused("operator", "not signed")
    phrase = ask_passphrase(arguments.passphrase_file, f"{key.kind} key {key.name}")
    data = signed(ring, last, open_key(arguments.key, phrase))
    _replace(arguments.ring, data)
    print(f"signed: {arguments.ring}; {_progress(read(arguments.ring), last)}")


def _answer(question: str) -> str:
    """What somebody types; "" where nobody is there."""
    try:
        return input(question).strip()
    except EOFError:
        return ""


def _merge(arguments: argparse.Namespace) -> None:
    data = merged([read(path) for path in arguments.copies])
    write_new(arguments.out, data, 0o644)
    print(f"merged: {arguments.out}; {_progress(read(arguments.out), None)}")


def _show(arguments: argparse.Namespace) -> None:
    ring = read(arguments.ring)
    if arguments.json:
        print(json.dumps(said(ring)))
    else:
        print("\n".join(lines(ring, read(arguments.last) if arguments.last else None)))


def _verify(arguments: argparse.Namespace) -> None:
    rings = [read(path) for path in arguments.rings]
    current = trust_first(rings[0].data)
    for path, ring in zip(arguments.rings, rings, strict=True):
        if ring is not rings[0]:
            newer = advance(current, [ring.data])
            if newer is current:
                raise Refused("ring_old", f"{path}: {ring.version} after {current.version}")
            current = newer
        print(f"{path}: key ring {ring.version}, {fingerprint(ring)}, signed by enough roots")
    if rings[0].version > 1:
        print("the first of these was trusted as it is", file=sys.stderr)


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".part")
    write_new(beside, data, 0o644)
    beside.replace(path)


def _progress(ring: KeyRing, last: KeyRing | None) -> str:
    own = missing(ring, ring)
    text = f"{own} more of its own roots must sign" if own else "enough of its own roots signed"
    if last and missing(ring, last):
        return f"{text}; {missing(ring, last)} more of the roots of ring {last.version} must sign"
    if ring.version > 1 and last is None:
        text += f"; whether enough roots of ring {ring.version - 1} did, `ring verify` says"
    return text


def _line(ring: KeyRing, old: Any, id_: bytes, note: str = "") -> str:
    new = "" if id_ in old else "new"
    return f"    {ring.names[id_]:<20} {id_.hex()}  {note} {new}".rstrip()


def _named(ring: KeyRing, ids: Any) -> dict[str, str]:
    return {id_.hex(): ring.names[id_] for id_ in ids}
