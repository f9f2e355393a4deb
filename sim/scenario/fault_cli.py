"""`haetae sim fault`: break something in a simulator that runs in real time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sim.board.faults import CATALOGUE, OUTPUT
from sim.scenario.fault_socket import ask

DONE, REFUSED = 0, 2
DEFAULT_SOCKET = Path("build/faults.sock")


def fault(argv: list[str]) -> int:
    """Run the command. Returns 0, or 2 where the simulator refuses or there is none."""
    arguments = _parser().parse_args(argv)
    if arguments.list or not (arguments.component and arguments.type):
        _print_catalogue()
        return DONE if arguments.list else REFUSED
    kinds = CATALOGUE.get(arguments.component)
    if kinds is not None and arguments.component != OUTPUT and arguments.type not in kinds:
        allowed = ", ".join(kinds)
        return _refuse(f"{arguments.component} {arguments.type}: type must be one of {allowed}")
    request: dict[str, object] = {
        "component": arguments.component,
        "type": arguments.type,
        "for_ms": arguments.for_ms,
        "options": dict(arguments.option),
    }
    try:
        answer = ask(arguments.socket, request)
    except OSError as error:
        how = "start one with: haetae sim run SCENARIO --realtime --faults"
        return _refuse(f"{arguments.socket}: no simulator listens ({error.strerror}); {how} SOCKET")
    print(answer)
    return DONE if answer == "ACK" else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("haetae sim fault", description=__doc__)
    parser.add_argument("component", nargs="?", help="what shall break, e.g. camera or siren")
    parser.add_argument("type", nargs="?", help="how, e.g. unplugged")
    parser.add_argument("--for-ms", type=_count, default=0, help="how long; 0: to the end")
    parser.add_argument("--option", type=_option, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--socket", type=Path, default=DEFAULT_SOCKET, help="as given to `run --faults`"
    )
    parser.add_argument("--list", action="store_true", help="show what can break")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number >= 0")
    return int(text)


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text}: must be NAME=VALUE")
    return name, int(value) if value.isascii() and value.isdigit() else value


def _print_catalogue() -> None:
    for component, kinds in CATALOGUE.items():
        who = "siren, strobe, fault_relay (each output by its name)"
        print(who if component == OUTPUT else component)
        for name, kind in kinds.items():
            options = "".join(f"; {key}: {o.allowed}" for key, o in kind.options.items())
            print(f"  {name:12} {kind.text}{options}")


def _refuse(words: str) -> int:
    print(words, file=sys.stderr)
    return REFUSED
