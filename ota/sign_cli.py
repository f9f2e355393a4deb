"""`haetae ota sign`: put signatures into a bundle, or into a file beside it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ota.bundle import BundleFile
from ota.key_files import add_passphrase_option, ask_passphrase, open_key, read_public
from ota.keys import DOMAIN_BUNDLE, key_id, parse_signatures, sign, signatures_bytes
from ota.refusal import Refused
from ota.signing import read_detached, rewrite, with_signatures


def add_sign(commands: Any) -> None:
    """`haetae ota sign`."""
    parser = commands.add_parser(
        "sign",
        help="sign a bundle; again with another key for a second signature",
        description="Signs a bundle's manifest, which holds the hash of everything else. The "
        "second person needs only the bundle, and may send back the signature alone.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--key", type=Path, help="NAME.key of a bundle key")
    add_passphrase_option(parser)
    parser.add_argument(
        "--detached", type=Path, metavar="OUT.sig", help="write it here; leave the bundle as it is"
    )
    parser.add_argument(
        "--attach", type=Path, action="append", default=[], metavar="FILE.sig",
        help="put in signatures that others made",
    )  # fmt: skip
    parser.set_defaults(run=_sign)


def _sign(arguments: argparse.Namespace) -> int:
    if not arguments.key and not arguments.attach:
        raise Refused("argument", "nothing to put in: give --key or --attach")
    if arguments.detached and (arguments.attach or not arguments.key):
        raise Refused("argument", "--detached goes with --key alone")
    with BundleFile(arguments.bundle) as bundle:
        manifest = bundle.manifest
        print(
            f"{arguments.bundle}: {manifest.product} {manifest.version}, release "
            f"{manifest.release}, counter {manifest.counter}, digest {bundle.head.digest.hex()}"
        )
        added = [one for path in arguments.attach for one in read_detached(path)]
        if arguments.key:
            added.append(sign(_seed(arguments), DOMAIN_BUNDLE, bundle.head.manifest))
        if arguments.detached:
            arguments.detached.write_bytes(signatures_bytes(added))
            print(f"{arguments.detached}: send it back; haetae ota sign BUNDLE --attach it")
            return 0
        head = with_signatures(bundle.head, added)
        rewrite(bundle, head)
    names = ", ".join(one.key_id.hex() for one in parse_signatures(head.signatures))
    print(f"signed with {names}")
    return 0


def _seed(arguments: argparse.Namespace) -> bytes:
    key = read_public(arguments.key)
    if key.kind != "bundle":
        raise Refused("argument", f"{arguments.key}: a {key.kind} key; bundle keys sign bundles")
    phrase = ask_passphrase(arguments.passphrase_file, f"the key {key.name}")
    seed = open_key(arguments.key, phrase)
    print(f"with the key {key.name} ({key_id(key.public).hex()})")
    return seed
