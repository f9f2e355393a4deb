"""`haetae ota inspect` and `verify`: what a bundle says, and whether a device takes it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ota.bundle import BundleFile
from ota.head import Head
from ota.host import back_ends
from ota.key_ring import parse_chain, parse_ring
from ota.keys import parse_signatures
from ota.manifest import FileEntry, Manifest, take
from ota.refusal import REASONS, Refused
from ota.verify import NOT_ASKED, NOT_REACHED, REFUSED, Check, Device, targets_of, verify

NUMBERS: Final = ("memory_mb", "slot_bytes", "floor", "release")
FACTS: Final = {
    "product": "", "board": "", "soc": "", "target": "(all of the bundle)", "runtime": "version",
    "memory_mb": "what a trial may take", "slot_bytes": "of its storage",
    "floor": "its security counter", "release": "that runs", "digest": "of what runs, hexadecimal",
}  # fmt: skip


def hexadecimal(text: str) -> str:
    """The text itself. Raises ValueError: it is something else."""
    bytes.fromhex(text)
    return text


KINDS: Final[dict[str, Callable[[Any], Any]]] = {
    "product": str, "board": str, "runtime": str, "floor": int, "release": int,
    "digest": hexadecimal,
}  # fmt: skip
"""What a camera's status tells."""


def add_inspect(commands: Any) -> None:
    """`haetae ota inspect`."""
    parser = commands.add_parser("inspect", help="what a bundle says; nothing is checked")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_inspect)


def add_verify(commands: Any) -> None:
    """`haetae ota verify`."""
    parser = commands.add_parser(
        "verify",
        help="all that a camera would check, in its order",
        description="Walks the checks of a camera. Those that hang on a fact about it which was "
        "not given are not asked.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--ring", type=Path, required=True, help="that the camera came with")
    parser.add_argument(
        "--base", type=Path, action="append", default=[], metavar="BUNDLE",
        help="of a delta; where that is a delta itself, again for its own base",
    )  # fmt: skip
    parser.add_argument(
        "--camera", type=Path, metavar="STATUS.json",
        help="what `haetae status --json` said; the flags below count before it",
    )  # fmt: skip
    for name, about in FACTS.items():
        kind = int if name in NUMBERS else KINDS.get(name, str)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=kind, help=f"the camera's {about}".strip())
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_verify)


def _inspect(arguments: argparse.Namespace) -> int:
    with BundleFile(arguments.bundle) as bundle:
        said = describe(bundle.head, bundle.manifest) | {"bytes": bundle.size}
    if arguments.json:
        print(json.dumps(said))
        return 0
    files = said.pop("files")
    for name, value in said.items():
        shown = value
        if isinstance(value, list):
            shown = ", ".join(map(str, value)) or "-"
        elif isinstance(value, dict):
            shown = ", ".join(f"{key} {number}" for key, number in value.items()) or "-"
        print(f"{name:<12} {'-' if shown in ('', None) else shown}")
    print(f"\n{'role':<9} {'file':<28} {'target':<8} {'bytes':>9} {'in bundle':>9}  chunks")
    for row in files:
        where = row["target"] or "all"
        print(
            f"{row['role']:<9} {row['name']:<28} {where:<8} {row['bytes']:>9} "
            f"{row['stored']:>9}  {row['chunks']}"
        )
    return 0


def describe(head: Head, manifest: Manifest) -> dict[str, Any]:
    """A bundle in plain values."""
    base = manifest.base
    return {
        "product": manifest.product,
        "version": manifest.version,
        "release": manifest.release,
        "counter": manifest.counter,
        "boards": manifest.boards,
        "socs": manifest.socs,
        "min_runtime": manifest.min_runtime,
        "memory_mb": manifest.memory_mb,
        "notes": manifest.notes,
        "digest": head.digest.hex(),
        "base": {"release": base.release, "digest": base.digest.hex()} if base else None,
        "signatures": [one.key_id.hex() for one in parse_signatures(head.signatures)],
        "rings": [parse_ring(ring).version for ring in parse_chain(head.rings)],
        "targets": {
            target: sum(chunk.stored_size for chunk in take(manifest, target, 1).chunks)
            for target in targets_of(manifest)
        },
        "files": [_row(entry) for entry in manifest.files],
    }


def _row(entry: FileEntry) -> dict[str, Any]:
    return {
        "role": entry.role,
        "name": entry.name,
        "target": entry.target,
        "bytes": entry.bytes,
        "stored": sum(entry.stored) or entry.bytes,
        "chunks": len(entry.chunks),
    }


def _verify(arguments: argparse.Namespace) -> int:
    told = facts_of(arguments.camera.read_bytes()) if arguments.camera else {}
    given = {name: getattr(arguments, name) for name in FACTS}
    device = Device(**told | {name: fact for name, fact in given.items() if fact is not None})
    ring = arguments.ring.read_bytes()
    checks = verify(arguments.bundle, ring, device, arguments.base, back_ends())
    wrong = [check for check in checks if check.result == REFUSED]
    if arguments.json:
        print(json.dumps({"ok": not wrong, "checks": [check._asdict() for check in checks]}))
    else:
        for check in checks:
            if check.result != NOT_REACHED:
                why = f"{check.reason}: " if check.reason not in ("", check.name) else ""
                print(f"{check.result:<10} {check.name:<10} {why}{check.detail}".rstrip())
        print(_verdict(checks, wrong))
    return 1 if wrong else 0


def facts_of(status: bytes) -> dict[str, Any]:
    """What a camera's status says about it. Raises Refused: "malformed"."""
    try:
        told = json.loads(status)
        found = {name: told.get(name) for name in ("product", "board", "runtime", "floor")}
        found |= {name: told["students"].get(name) for name in ("release", "digest")}
        return {name: kind(found[name]) for name, kind in KINDS.items() if found[name] is not None}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("malformed", f"no status of a camera: {error!r}") from error


def _verdict(checks: list[Check], wrong: list[Check]) -> str:
    if wrong:
        return f"a camera would refuse it: {REASONS[wrong[0].reason]}"
    open_ones = dict.fromkeys(check.name for check in checks if check.result == NOT_ASKED)
    return "a camera would take it" + (f"; not asked: {', '.join(open_ones)}" if open_ones else "")
