"""`haetae keys`: make keys, say in a key ring who is trusted with what, and take that back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ota import ring_cli
from ota.key_files import KINDS, add_passphrase_option, ask_passphrase, make_key, read_public
from ota.keys import key_id
from ota.refusal import Refused
from ota.run_cli import run_command

SHORTEST_PASSPHRASE: Final = 8

ABOUT: Final = """Keys of a vendor, and the key ring that says which of them a camera trusts.

  root      signs key rings and nothing else; three, on three machines that are never connected,
            held by three people. Any two can replace everything, also a lost root.
  bundle    signs updates (haetae ota sign).
  channel   signs the file that says which update is current (haetae ota channel).
  operator  a person who commands cameras: viewer, technician or vendor."""

EPILOG: Final = """day one
  # on three offline machines, one each; carry only the .pub files away
  haetae keys new root-1 --kind root
  haetae keys new root-2 --kind root
  haetae keys new root-3 --kind root
  # where releases are made, and on each technician's machine
  haetae keys new release-1 --kind bundle
  haetae keys new channel-1 --kind channel
  haetae keys new kim --kind operator
  # the first ring: a draft, and a copy of it on a stick for each of two roots
  haetae keys ring new --product haetae-cam --root root-1.pub --root root-2.pub \\
      --root root-3.pub --bundle release-1.pub --channel channel-1.pub \\
      --technician kim.pub --out ring-1.draft
  cp ring-1.draft stick-1.ring
  cp ring-1.draft stick-2.ring
  # on two of the offline machines: read it, compare its fingerprint by telephone, sign
  haetae keys ring sign stick-1.ring --key root-1.key
  haetae keys ring sign stick-2.ring --key root-2.key
  # at the desk again; every camera is made with ring-1.ring
  haetae keys ring merge stick-1.ring stick-2.ring --out ring-1.ring
  haetae keys ring verify ring-1.ring

a bundle or operator key has leaked (one stick that goes round does as well as two)
  haetae keys new release-2 --kind bundle
  haetae keys revoke release-1 --last ring-1.ring --bundle release-2.pub --out ring-2.ring
  haetae keys ring sign ring-2.ring --key root-1.key
  haetae keys ring sign ring-2.ring --key root-2.key
  haetae keys ring verify ring-1.ring ring-2.ring
  # from now on each bundle brings them all (haetae ota build ... --ring ring-1.ring --ring ...);
  # to cameras that cannot wait for one: haetae ota ring ring-1.ring ring-2.ring --link ...

a root key has leaked or is lost: two roots of the last ring sign, and two of the new one
  haetae keys new root-4 --kind root
  haetae keys revoke root-1 --last ring-2.ring --root root-4.pub --out ring-3.ring
  haetae keys ring sign ring-3.ring --key root-2.key
  haetae keys ring sign ring-3.ring --key root-3.key
  haetae keys ring verify ring-1.ring ring-2.ring ring-3.ring

A camera learns of a revocation with the next bundle or ring that reaches it, and no sooner: it has
no clock to trust. `haetae status` tells the version of its ring.

exit codes: 0 done, 1 refused (a file, passphrase or signature; the line says why),
2 wrong arguments, or a file that cannot be read or is there already"""


def keys(argv: Sequence[str]) -> int:
    """`haetae keys new | ring | revoke | show`; `argv` begins after the word "keys".

    Returns:
        0, 1 (refused) or 2 (wrong arguments or files).
    """
    return run_command(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae keys",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    making = commands.add_parser("new", help="make a key pair: NAME.key, sealed, and NAME.pub")
    making.add_argument("name", metavar="NAME", help="for people; also the name of the files")
    making.add_argument("--kind", choices=KINDS, required=True)
    making.add_argument("--folder", type=Path, default=Path(), help="where to (here)")
    add_passphrase_option(making)
    making.set_defaults(run=_new)
    ring_cli.add_ring(commands)
    ring_cli.add_revoke(commands)
    showing = commands.add_parser("show", help="what .pub, .key and ring files say")
    showing.add_argument("files", nargs="+", type=Path, metavar="FILE")
    showing.add_argument("--json", action="store_true")
    showing.set_defaults(run=_show)
    return parser


def _new(arguments: argparse.Namespace) -> None:
    path = arguments.folder / f"{arguments.name}.key"
    for file in (path, path.with_suffix(".pub")):
        if file.exists():
            raise FileExistsError(17, "is there", str(file))
    phrase = ask_passphrase(arguments.passphrase_file, f"the new key {arguments.name}", True)
    if len(phrase) < SHORTEST_PASSPHRASE:
        raise Refused("passphrase", f"shorter than {SHORTEST_PASSPHRASE} characters")
    public = make_key(path, arguments.kind, arguments.name, phrase)
    print(f"{arguments.kind} key {arguments.name}, id {key_id(public).hex()}")
    print(f"  {path}  private: keep it here, and the passphrase elsewhere")
    print(f"  {path.with_suffix('.pub')}  public: carry this one away")


def _show(arguments: argparse.Namespace) -> None:
    said = [_said(path) for path in arguments.files]
    if arguments.json:
        print(json.dumps(said if len(said) > 1 else said[0]))
        return
    for path, one in zip(arguments.files, said, strict=True):
        if "version" in one:
            print("\n".join(ring_cli.lines(ring_cli.read(path), None)))
        else:
            print(f"{one['kind']:<9} {one['name']:<20} {one['id']}  {one['public']}")


def _said(path: Path) -> dict[str, object]:
    if path.suffix in (".pub", ".key"):
        key = read_public(path)
        id_ = key_id(key.public).hex()
        return {"kind": key.kind, "name": key.name, "id": id_, "public": key.public.hex()}
    return ring_cli.said(ring_cli.read(path))
