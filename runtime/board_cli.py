"""`haetae board`: look at a board file, write a new one, list those that are there."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import msgspec

from drivers.board import Board, load_board
from drivers.toml_strict import ConfigErrors
from runtime.board_check import check_board, notes
from runtime.board_scaffold import scaffold, shipped_boards
from runtime.cli import OK, REFUSED_CONFIG, look

EPILOG = """exit codes: 0 done; 1 --live: something of the board is not there, or not as the file
says; 2 a mistake in the file or in the arguments: nothing was changed"""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def board(argv: list[str]) -> int:
    """`haetae board check|new|list|schema`.

    Returns:
        0 done, 1 something is not there, 2 mistakes.
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ConfigErrors as errors:
        sys.stderr.write(f"{errors}\n")
        return REFUSED_CONFIG
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return REFUSED_CONFIG


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "haetae board", description="Board files.", epilog=EPILOG, formatter_class=form
    )
    commands = parser.add_subparsers(required=True, metavar="check|new|list|schema")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=text, description=text, epilog=EPILOG, formatter_class=form
        )
        made.set_defaults(run=run)
        return made

    check = add("check", _check, "all mistakes of a board file at once")
    check.add_argument("file", type=Path, metavar="FILE", help="board file")
    check.add_argument("--live", action="store_true", help="look at the devices of this board, too")
    new = add("new", _new, "write a board file to fill in")
    new.add_argument("name", metavar="NAME", help="of the board; the file's name, too")
    new.add_argument("--like", metavar="BOARD", help="shipped board, or file, of the same SoC")
    new.add_argument("--out", type=Path, metavar="FILE", help="default: NAME.toml; - prints it")
    listing = add("list", _list, "the boards that come with the runtime")
    listing.add_argument("--json", action="store_true", help="for programs")
    add("schema", _schema, "JSON Schema of a board file, for editors")
    return parser


def _check(arguments: argparse.Namespace) -> int:
    found = check_board(arguments.file)
    print(f"{arguments.file}: no mistakes")
    for note in notes(found):
        print(f"note  {note}")
    return look(found) if arguments.live else OK


def _new(arguments: argparse.Namespace) -> int:
    if not NAME.fullmatch(arguments.name):
        sys.stderr.write(f"{arguments.name!r}: must be letters, digits, dots, _ and -\n")
        return REFUSED_CONFIG
    text = scaffold(arguments.name, _like(arguments.like) if arguments.like else None)
    if str(arguments.out) == "-":
        sys.stdout.write(text)
        return OK
    out = arguments.out or Path(f"{arguments.name}.toml")
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        sys.stderr.write(f"{out}: is there already; choose another --out, or remove it\n")
        return REFUSED_CONFIG
    print(f"{out}: written. To be filled:")
    _tell_places(out)
    print(f"Then: haetae board check {out}, and on the board: haetae board check {out} --live")
    return OK


def _like(name: str) -> Board:
    """A shipped board by its name, or any file."""
    shipped = {path.stem: path for path in shipped_boards()}
    return load_board(shipped.get(name, Path(name)))


def _tell_places(file: Path) -> None:
    try:
        load_board(file)
    except ConfigErrors as errors:
        for wrong in errors.mistakes:
            print(f"  {wrong.key}: {wrong.allowed}")


def _list(arguments: argparse.Namespace) -> int:
    boards = [load_board(path) for path in shipped_boards()]
    if arguments.json:
        fields = ("name", "soc", "supported", "verified")
        print(json.dumps([{name: getattr(each, name) for name in fields} for each in boards]))
        return OK
    for each in boards:
        verified = f"{len(each.verified)} things tried" if each.verified else "nothing tried"
        print(f"{each.name:<18} {each.soc:<10} {verified:<15} {' '.join(each.supported)}")
    return OK


def _schema(_: argparse.Namespace) -> int:
    schema = msgspec.json.schema(Board)
    print(
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema, indent=1)
    )
    return OK
