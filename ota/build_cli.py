"""`haetae ota build` and `haetae ota golden`: a bundle of packages, checked as a device would."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drivers.faults import ModelRefused
from models.package import find_package, read_info
from ota.admission import version
from ota.build import build, check_roles, write_bundle
from ota.bundle import BundleFile
from ota.delta import read_base
from ota.host import Tried, back_ends, default_memory_mb, runtime_version, try_package
from ota.key_files import add_passphrase_option, ask_passphrase, open_key, read_public
from ota.key_ring import advance, parse_ring, trust_first
from ota.keys import key_id
from ota.manifest import GOLDEN_FILE, take
from ota.refusal import Refused
from ota.signing import sign_head


def add_build(commands: Any) -> None:
    """`haetae ota build`."""
    parser = commands.add_parser(
        "build",
        help="make a bundle of packages",
        description="Makes a bundle of packages. The same packages, options and golden files give "
        "the same bytes on every machine; golden inputs that are made here also hang on the "
        "runtime and the processor: `haetae ota golden` puts them into the package once.",
    )
    parser.add_argument("packages", nargs="+", metavar="PACKAGE", help="folder, or a shipped name")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--product", required=True)
    parser.add_argument("--version", required=True, help="for people")
    parser.add_argument("--release", type=int, required=True, help="rises with every bundle")
    parser.add_argument(
        "--counter", type=int, required=True, help="rises when older students must never come back"
    )
    parser.add_argument("--target", action="append", help="again for each (all of the packages)")
    parser.add_argument("--board", action="append", default=[], help="again for each (any)")
    parser.add_argument("--soc", action="append", default=[], help="again for each (any)")
    parser.add_argument("--min-runtime", help="(the one that is installed here)")
    parser.add_argument("--memory-mb", type=int, help="what a trial takes (estimated)")
    parser.add_argument(
        "--ring", type=Path, action="append", default=[], help="key ring; all, oldest first"
    )
    parser.add_argument(
        "--base", type=Path, action="append", default=[], metavar="BUNDLE",
        help="make a delta against it; where it is a delta itself, again for its own base",
    )  # fmt: skip
    parser.add_argument("--notes", default="", help="for people, what changed")
    parser.add_argument("--key", type=Path, help="sign at once; else see `haetae ota sign`")
    add_passphrase_option(parser)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_build)


def add_golden(commands: Any) -> None:
    """`haetae ota golden`."""
    parser = commands.add_parser(
        "golden",
        help="put golden inputs into a package, so that every build has the same",
        description=f"Writes {GOLDEN_FILE} into a package: inputs drawn by code, and what the "
        "package's own network answers here. A camera asks them before a trial.",
    )
    parser.add_argument("packages", nargs="+", metavar="PACKAGE", help="folder")
    parser.set_defaults(run=_golden)


def _build(arguments: argparse.Namespace) -> int:
    folders = [find_package(name) for name in arguments.packages]
    targets = arguments.target or common_targets(folders)
    least = arguments.min_runtime or runtime_version()
    if version(least) > version(runtime_version()):
        raise Refused("runtime", f"for {least}; packages are tried with {runtime_version()} here")
    npus = back_ends()
    tried = [try_package(folder, targets, npus) for folder in folders]
    check_roles([one.role for one in tried])
    rings = checked_rings([path.read_bytes() for path in arguments.ring], arguments.product)
    head, payload = build(
        folders,
        targets,
        product=arguments.product,
        boards=arguments.board,
        socs=arguments.soc,
        version=arguments.version,
        release=arguments.release,
        counter=arguments.counter,
        min_runtime=least,
        memory_mb=arguments.memory_mb or default_memory_mb(_set_bytes(folders, tried, targets)),
        goldens={one.role: one.golden for one in tried},
        base=read_base(arguments.base, targets) if arguments.base else None,
        rings=rings,
        notes=arguments.notes,
    )
    if arguments.key:
        check_key(arguments.key, rings)
        phrase = ask_passphrase(arguments.passphrase_file, str(arguments.key))
        head = sign_head(head, open_key(arguments.key, phrase))
    write_bundle(arguments.out, head, payload)
    _say(arguments, tried, targets)
    return 0


def common_targets(folders: Sequence[Path]) -> list[str]:
    """Targets that every package has a file for. Raises Refused: "student" or "target"."""
    try:
        of_each = [{entry.npu for entry in read_info(folder).targets} for folder in folders]
    except ModelRefused as refused:
        raise Refused("student", str(refused)) from refused
    common = sorted(set.intersection(*of_each))
    if not common:
        raise Refused("target", "the packages have no target in common")
    return common


def checked_rings(rings: Sequence[bytes], product: str) -> Sequence[bytes]:
    """Key rings that a camera which trusts the first would follow to the last.

    Raises:
        Refused: as `ota.key_ring.trust_first` and `advance`, or "product".
    """
    if rings:
        first = trust_first(rings[0])
        advance(first, rings)
        if first.product != product:
            raise Refused("product", f"key rings for {first.product}, a bundle for {product}")
    return rings


def check_key(key: Path, rings: Sequence[bytes]) -> None:
    """The newest key ring must know the key. Raises Refused: "signature" or "revoked_key"."""
    if rings:
        newest, id_ = parse_ring(rings[-1]), key_id(read_public(key).public)
        if id_ in newest.revoked:
            raise Refused("revoked_key", f"{key} is revoked in key ring {newest.version}")
        if id_ not in newest.bundle_keys:
            raise Refused("signature", f"{key} is no bundle key of key ring {newest.version}")


def _set_bytes(folders: Sequence[Path], tried: Sequence[Tried], targets: Sequence[str]) -> int:
    """The largest set that a device would hold."""
    sizes = [
        sum(entry.bytes for f in folders for entry in read_info(f).targets if entry.npu == target)
        for target in targets
    ]
    return max(sizes) + sum(len(one.golden) for one in tried)


def _say(arguments: argparse.Namespace, tried: Sequence[Tried], targets: Sequence[str]) -> None:
    with BundleFile(arguments.out) as bundle:
        sizes = {
            target: sum(chunk.stored_size for chunk in take(bundle.manifest, target, 1).chunks)
            for target in targets
        }
        digest, size = bundle.head.digest.hex(), bundle.size
    packages = [
        {"package": str(one.folder), "role": one.role, "loaded": one.loaded, "unseen": one.unseen}
        for one in tried
    ]
    if arguments.json:
        made = {"file": str(arguments.out), "bytes": size, "digest": digest}
        print(json.dumps(made | {"targets": sizes, "packages": packages}))
        return
    for one in tried:
        unseen = f"; no back end here for {', '.join(one.unseen)}: not loaded" if one.unseen else ""
        print(f"{one.role:<9} {one.folder}: {', '.join(one.loaded) or 'none'} loaded{unseen}")
    print(f"{arguments.out}: {size} bytes, digest {digest[:16]}")
    for target, taken in sizes.items():
        print(f"  {target}: a camera takes {taken} bytes")
    if not arguments.key:
        print(f"not signed yet: haetae ota sign {arguments.out} --key NAME.key")


def _golden(arguments: argparse.Namespace) -> int:
    npus = back_ends()
    for name in arguments.packages:
        folder = find_package(name)
        (folder / GOLDEN_FILE).unlink(missing_ok=True)
        targets = [target for target in common_targets([folder]) if target in npus]
        tried = try_package(folder, targets or common_targets([folder]), npus)
        (folder / GOLDEN_FILE).write_bytes(tried.golden)
        print(f"{folder / GOLDEN_FILE}: {len(tried.golden)} bytes, answered by {targets[0]}")
    return 0
