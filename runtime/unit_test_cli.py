"""`haetae selftest`: test this very unit; over a link, ask a camera that runs how it is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from drivers.board import Board, load_board
from drivers.clock import MonotonicClock
from drivers.toml_strict import ConfigErrors
from ota import status_cli
from runtime.provision import read_identity, take_on, unit_folder
from runtime.unit_test.loop_back import load_loops
from runtime.unit_test.page import page
from runtime.unit_test.result import Bench, Report, Row
from runtime.unit_test.run import CHECKS, Busy, run_checks

PASS, FAIL, ARGUMENTS, BUSY, STORAGE, STOPPED = 0, 1, 2, 3, 6, 130
BOARD: Final = "/etc/haetae/board.toml"
LINK: Final = "--link"
EPILOG: Final = """on the line, with the camera stopped (systemctl stop haetae)
  haetae selftest --html label.html --json unit.json --ask
  haetae selftest --board board.toml --loop-back wires.toml --strict

FILE of --loop-back: see runtime/unit_test/loop_back.py. An output that nobody and nothing looks at
is not tested; with --strict that is no pass. The watchdog is armed only where it can be stopped.

over a link a camera that runs is asked instead: haetae selftest --link ... (see --link ... --help)

exit codes: 0 everything that was tested passed, 1 something failed, 2 wrong arguments or files,
3 the camera runs: stop it first, 6 a report cannot be written, 130 Ctrl-C"""


def selftest(argv: Sequence[str]) -> int:
    """Run `haetae selftest`; `argv` begins after the word.

    Returns:
        0 passed, 1 failed, 2 wrong arguments or files, 3 the camera runs, 6 no report; over a link
        as `ota.status_cli.selftest`.
    """
    if any(word == LINK or word.startswith(f"{LINK}=") for word in argv):
        return status_cli.selftest(argv)
    is_here = any(word.partition("=")[0] == "--board" for word in argv)
    if os.environ.get("HAETAE_LINK") and not is_here:
        return status_cli.selftest(argv)
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else PASS
    try:
        return _test(arguments)
    except ConfigErrors as errors:
        return _fail(ARGUMENTS, str(errors))
    except Busy as busy:
        text = f"the camera runs (it holds {busy}): stop it first, systemctl stop haetae"
        return _fail(BUSY, text)
    except OSError as error:
        return _fail(STORAGE, f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        return _fail(STOPPED, "\nstopped; every output has been let go of")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae selftest",
        description="Test this unit: camera, NPU, outputs, watchdog, storage, memory, heat, clock.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--board", default=BOARD, help=f"board file (default {BOARD})")
    parser.add_argument("--site", help="site file for the memory seal; default: the unit's own")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="the report as JSON; - or none: here"
    )
    parser.add_argument("--html", metavar="FILE", help="the report as a page, for A6 or A4")
    parser.add_argument("--ask", action="store_true", help="ask what you see and hear")
    parser.add_argument("--loop-back", metavar="FILE", help="wires from outputs to input lines")
    parser.add_argument("--strict", action="store_true", help="what was not tested has failed")
    parser.add_argument(
        "--only", action="append", default=[], choices=[*CHECKS, "clock"], help="this check alone"
    )
    return parser


def _test(arguments: argparse.Namespace) -> int:
    board = load_board(arguments.board)
    is_quiet = arguments.json == "-"
    if arguments.ask and not sys.stdin.isatty():
        return _fail(ARGUMENTS, "--ask: there is nobody to ask; leave it out in a script")
    bench = Bench(
        board=board,
        clock=MonotonicClock(),
        ask=_ask if arguments.ask else None,
        loops=load_loops(arguments.loop_back, board) if arguments.loop_back else {},
        board_file=arguments.board,
        site_file=_site(arguments.site, board),
    )
    tell: Callable[[Row], None] = (lambda row: None) if is_quiet else _print
    report = run_checks(bench, tuple(arguments.only), tell)
    left = [row.name for row in report.rows if row.verdict == "not tested"]
    if arguments.strict and left:
        report = msgspec.structs.replace(report, passed=False)
    _write(arguments, report)
    if not is_quiet:
        _summary(report, left, is_strict=arguments.strict)
    return PASS if report.passed else FAIL


def _site(given: str | None, board: Board) -> str:
    """The unit's own, where it was provisioned with one; "": a plain one."""
    if given:
        return given
    return take_on(board, None)[1] if read_identity(unit_folder(board)) else ""


def _ask(question: str) -> bool:
    answer = ""
    while answer not in ("y", "n"):
        answer = input(question).strip().lower()[:1]
    return answer == "y"


def _print(row: Row) -> None:
    limit = f"   [{row.limit}]" if row.limit else ""
    print(f"{row.verdict:<10}  {row.name:<24}  {row.measured}{limit}", flush=True)


def _summary(report: Report, left: list[str], *, is_strict: bool) -> None:
    failed = [row for row in report.rows if row.verdict == "fail"]
    for row in failed:
        if row.next:
            print(f"next: {row.name}: {row.next}")
    if left:
        print(f"not tested: {', '.join(left)}")
    if failed:
        print(f"FAIL: {len(failed)} of {len(report.rows)}")
    else:
        print("FAIL: not everything was tested" if left and is_strict else "PASS")


def _write(arguments: argparse.Namespace, report: Report) -> None:
    """Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"
    if arguments.json == "-":
        sys.stdout.write(text)
    elif arguments.json:
        Path(arguments.json).write_text(text, encoding="utf-8")
    if arguments.html:
        Path(arguments.html).write_text(page(report), encoding="utf-8")


def _fail(code: int, text: str) -> int:
    print(text, file=sys.stderr)
    return code
