"""`haetae journal`: read, export or fetch the event journal, also while the camera runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from drivers.board import load_board
from drivers.faults import StorageFault
from drivers.storage import FileReader
from drivers.toml_strict import ConfigErrors
from runtime.alarm_words import sentence
from runtime.journal import read_all
from runtime.journal_export import WRITERS, as_row, export, to_json, wall_utc
from runtime.journal_pull_cli import add_pull
from runtime.journal_slot import Record

EXIT_OK, EXIT_ARGUMENTS, EXIT_STORAGE = 0, 2, 6


def journal(argv: Sequence[str]) -> int:
    """Run the command; `argv` begins after the word "journal".

    Returns:
        0, 2 (wrong arguments or board file) or 6 (the journal cannot be read, or OUT not written);
        of pull also 1 (refused by the camera), 7 (no camera answers) or 130 (Ctrl-C).
    """
    try:
        arguments = _parser().parse_args(argv)
        action: Callable[[argparse.Namespace], int] = arguments.action
        return action(arguments)
    except SystemExit as leave:  # argparse has said what is wrong
        return EXIT_ARGUMENTS if leave.code else EXIT_OK
    except BrokenPipeError:  # `| head`; what is left in the buffer must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except (ConfigErrors, ValueError, ModuleNotFoundError) as error:
        return _complain(error, EXIT_ARGUMENTS)
    except (StorageFault, OSError) as error:
        return _complain(error, EXIT_STORAGE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="haetae journal", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="show|export|pull")
    add_pull(actions)
    show = actions.add_parser("show", help="print the events in words")
    export_ = actions.add_parser("export", help="write the events to a file")
    for sub, action in ((show, _show), (export_, _export)):
        where = sub.add_mutually_exclusive_group(required=True)
        where.add_argument("--path", help="the journal ring, or a copy of it")
        where.add_argument("--board", help="the board file that says where the ring is")
        sub.set_defaults(action=action)
    show.add_argument("--last", type=_count, metavar="N", help="only the newest N events")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object per line")
    form.add_argument("--values", action="store_true", help="a table with every value")
    suffixes = ", ".join(WRITERS)
    export_.add_argument("--out", required=True, type=Path, help=f"file that ends in {suffixes}")
    return parser


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number >= 1")
    return int(text)


def _path(arguments: argparse.Namespace) -> Path:
    return Path(arguments.path or load_board(arguments.board).storage.path)


def _show(arguments: argparse.Namespace) -> int:
    path = _path(arguments)
    reader = FileReader(path)
    try:
        records = deque(read_all(reader), arguments.last)
    finally:
        reader.close()
    if not records:
        print(f"{path}: no events", file=sys.stderr)
    elif arguments.json:
        for record in records:
            print(to_json(as_row(record)))
    elif arguments.values:
        _print_table(records, sys.stdout)
    else:
        _print_sentences(records, sys.stdout)
    sys.stdout.flush()
    return EXIT_OK


def _print_table(records: Iterable[Record], out: TextIO) -> None:
    line = "{:>8}  {:<24}  {:>14}  {:<8}  {}"
    print(line.format("seq", "wall time (UTC)", "mono s", "kind", "summary"), file=out)
    boot_id = None
    for record in records:
        if record.boot_id != boot_id:
            boot_id = record.boot_id
            print(f"-- run {boot_id:016x}", file=out)
        when, mono_s = wall_utc(record.wall_ms), f"{record.mono_ms / 1e3:.3f}"
        row = (record.seq, when, mono_s, record.kind_name, _summary(record))
        print(line.format(*row), file=out)


def _print_sentences(records: Iterable[Record], out: TextIO) -> None:
    """One line per event: who, where, which rule, which values, since when. Times are UTC."""
    boot_id, day = None, ""
    for record in records:
        if record.boot_id != boot_id:
            boot_id = record.boot_id
            print(f"-- run {boot_id:016x}", file=out)
        today = wall_utc(record.wall_ms)[:10]
        if today != day:
            day = today
            print(f"-- {day} (UTC)", file=out)
        text = sentence(record.kind_name, as_row(record)["body"], record.wall_ms)
        print(f"{record.seq:>8}  {_printable(text)}", file=out)


def _printable(text: str) -> str:
    """Nothing in it may move the cursor of a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _summary(record: Record) -> str:
    """The body in one line, without what is empty or in another column."""
    body = as_row(record)["body"]
    shown = {key: value for key, value in body.items() if key != "kind" and value not in ("", None)}
    words = [
        f"{key}={value if _is_word(value) else to_json(value)}" for key, value in shown.items()
    ]
    return " ".join([*words, "(truncated)"] if record.is_truncated else words)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isidentifier()


def _export(arguments: argparse.Namespace) -> int:
    path, out = _path(arguments), arguments.out
    if out.exists() and path.exists() and out.samefile(path):
        raise ValueError(f"{out}: is the journal itself")
    reader = FileReader(path)
    try:
        count = export(read_all(reader), out)
    finally:
        reader.close()
    print(f"{out}: {count} events")
    return EXIT_OK


def _complain(error: Exception, code: int) -> int:
    print(error, file=sys.stderr)
    return code
