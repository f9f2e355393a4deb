"""`haetae provision`: give a unit its name, its keys and its site, once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET

from drivers.board import Board, load_board
from drivers.toml_strict import ConfigErrors, Mistake
from drivers.update_config import Word
from ota.key_ring import MAX_RING_BYTES, KeyRing, trust_first
from ota.refusal import REASONS, Refused
from runtime.geometry import resolve_site
from runtime.needs import check_needs
from runtime.provision import (
    RING_FILE,
    AlreadyProvisioned,
    Identity,
    Provision,
    damage,
    read_identity,
    unit_folder,
    write_provision,
)
from runtime.site_choice import parse_site

DONE, REFUSED, ARGUMENTS, STORAGE = 0, 1, 2, 6
MAX_SITE_BYTES: Final = 1 << 20
T = TypeVar("T")
EPILOG: Final = """on the unit, with its data partition in place
  haetae provision --board /etc/haetae/board.toml --id cam-0017 --ring ring-1.ring --site yard.toml

at the production line, over a card in a reader
  mount /dev/disk/by-partlabel/data /mnt
  haetae provision --board radxa-rock-5b.toml --folder /mnt/haetae --id cam-0017 \\
      --ring ring-1.ring --site yard.toml

A power cut in between leaves the unit unprovisioned: run the same command again. `haetae run` then
needs no --site, signs on as this device, and trusts this key ring. Key rings come from
`haetae keys ring`; the site file of a unit that is provisioned is changed by `haetae site push`.

exit codes: 0 done, 1 refused: this unit has been provisioned (with --show: it has not been),
2 wrong arguments or files, 6 the storage does not take it, or (with --show) is not what it was"""


def provision(argv: Sequence[str]) -> int:
    """Run `haetae provision`; `argv` begins after the word.

    Returns:
        0, 1 provisioned already (--show: not yet), 2 wrong arguments or files, 6 storage.
    """
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else DONE
    try:
        return _show(arguments) if arguments.show else _provision(arguments)
    except ConfigErrors as refused:
        return _fail(arguments, ARGUMENTS, str(refused))
    except AlreadyProvisioned as refused:
        text = f"{refused}: this unit is provisioned, once and for all; look with --show"
        return _fail(arguments, REFUSED, text)
    except OSError as error:
        text = f"{error.filename}: {error.strerror}; this unit is not provisioned"
        return _fail(arguments, STORAGE, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae provision",
        description="Give a unit its name, the vendor's key ring and its first site file: once.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--board", help="board file of the unit")
    parser.add_argument(
        "--folder", type=Path, help="of the unit's own files; default: where its journal lies"
    )
    parser.add_argument("--id", help="the unit's name, as on its label; operators sign for it")
    parser.add_argument("--ring", type=Path, help="key ring, signed by the vendor's roots")
    parser.add_argument("--site", type=Path, help="site file that it starts with")
    parser.add_argument("--show", action="store_true", help="only tell what a unit was given")
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    return parser


class _Mistakes:
    """All of them, before anything is written."""

    def __init__(self) -> None:
        self.found: list[Mistake] = []

    def attempt(self, look: Callable[[], T]) -> T | None:
        """What a look finds; its mistakes are kept, and None is found then."""
        try:
            return look()
        except ConfigErrors as errors:
            self.found += errors.mistakes
            return None

    def need(self, name: str, value: object) -> bool:
        """Whether an argument is there."""
        if value is None:
            self.found.append(Mistake("", f"--{name}", UNSET, "is missing"))
        return value is not None


def _provision(arguments: argparse.Namespace) -> int:
    given, folder = _checked(arguments)
    identity = write_provision(folder, given)
    return _tell(arguments, folder, identity, [])


def _checked(arguments: argparse.Namespace) -> tuple[Provision, Path]:
    """All that a unit gets. Raises ConfigErrors: all mistakes at once."""
    mistakes = _Mistakes()
    board = ring = site = None
    if mistakes.need("board", arguments.board):
        board = mistakes.attempt(lambda: load_board(arguments.board))
    if mistakes.need("id", arguments.id):
        mistakes.attempt(lambda: _check_id(arguments.id))
    if mistakes.need("ring", arguments.ring):
        ring = mistakes.attempt(lambda: _read_ring(arguments.ring, board))
    if mistakes.need("site", arguments.site):
        site = mistakes.attempt(lambda: _read_site(arguments.site, board))
    if mistakes.found or board is None or ring is None or site is None:
        raise ConfigErrors(mistakes.found)
    folder = arguments.folder or unit_folder(board)
    return Provision(arguments.id, board.name, ring.data, site.encode()), folder


def _check_id(device: str) -> None:
    try:
        msgspec.convert(device, Word)
    except msgspec.ValidationError:
        allowed = "must be 1 to 64 of A-Z a-z 0-9 . _ + -, and begin with a letter or digit"
        raise ConfigErrors([Mistake("", "--id", device, allowed)]) from None


def _read_ring(path: Path, board: Board | None) -> KeyRing:
    """Signed by enough of its own roots, and of the product of the board."""
    try:
        ring = trust_first(_read(path, MAX_RING_BYTES))
    except Refused as refused:
        allowed = f"{REASONS[refused.reason]} ({refused.detail or refused.reason})"
        raise ConfigErrors([Mistake(str(path), "", UNSET, allowed)]) from None
    updates = board.updates if board else None
    if updates is not None and ring.product != updates.product:
        allowed = f"must be {updates.product!r}, as updates.product of the board file"
        raise ConfigErrors([Mistake(str(path), "product", ring.product, allowed)])
    return ring


def _read_site(path: Path, board: Board | None) -> str:
    """A file by which this board can run."""
    data = _read(path, MAX_SITE_BYTES)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ConfigErrors([Mistake(str(path), "", UNSET, f"is no text: {error}")]) from None
    site = parse_site(text, str(path))
    if board is not None:
        check_needs(board, site, str(path))
        resolve_site(site, board.camera.width_px, board.camera.height_px, str(path))
    return text


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(most_bytes + 1)
    except OSError as error:
        allowed = f"cannot be read: {error.strerror}"
        raise ConfigErrors([Mistake(str(path), "", UNSET, allowed)]) from None
    if len(data) > most_bytes:
        allowed = f"must be at most {most_bytes} bytes long"
        raise ConfigErrors([Mistake(str(path), "", UNSET, allowed)])
    return data


def _show(arguments: argparse.Namespace) -> int:
    if arguments.board is None and arguments.folder is None:
        raise ConfigErrors([Mistake("", "--board", UNSET, "or --folder must be named")])
    folder = arguments.folder or unit_folder(load_board(arguments.board))
    identity = read_identity(folder)
    if identity is None:
        return _fail(arguments, REFUSED, f"{folder}: this unit has not been provisioned")
    return _tell(arguments, folder, identity, damage(folder, identity))


def _tell(
    arguments: argparse.Namespace, folder: Path, identity: Identity, damaged: list[str]
) -> int:
    ring = 0 if RING_FILE in damaged else trust_first((folder / RING_FILE).read_bytes()).version
    if arguments.json:
        told = {**msgspec.to_builtins(identity), "folder": str(folder), "ring": ring}
        print(json.dumps({"ok": not damaged, **told, "changed": damaged}))
    else:
        print(f"device  {identity.device}, board {identity.board}")
        print(f"keys    key ring {ring or 'unknown'}, file {identity.ring_sha256[:8]}")
        print(f"site    file {identity.site_sha256[:8]}")
        for name in damaged:
            print(f"changed since it was provisioned: {folder / name}", file=sys.stderr)
    return STORAGE if damaged else DONE


def _fail(arguments: argparse.Namespace, code: int, text: str) -> int:
    if arguments.json:
        print(json.dumps({"ok": False, "text": text}))
    print(text, file=sys.stderr)
    return code
