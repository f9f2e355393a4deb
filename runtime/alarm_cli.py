"""`haetae alarm`: see and command the alarms of the camera that runs here, through its socket."""

from __future__ import annotations

import argparse
import getpass
import json
import re
import socket
import sys
from collections.abc import Sequence
from typing import Any

import msgpack

OK, REFUSED, ARGUMENTS, UNREACHABLE = 0, 1, 2, 7
WAIT_S = 2.0
"""For an answer: some ticks of the loop, also of a slow one."""
MAX_ANSWER_BYTES = 1 << 17
UNITS_MS = {"s": 1000, "min": 60_000, "h": 3_600_000}
COMMANDS = {
    "list": "the alarms, those that stand first",
    "ack": "acknowledge alarms; without a choice all of them",
    "mute": "silence what sounds now; lamps stay, and a new alarm sounds",
    "shelve": "take an alarm off siren and lamp for a time",
    "unshelve": "end shelvings",
    "test": "self test of the outputs",
}
EPILOG = """exit codes: 0 done, 1 refused by the camera (it says why), 2 wrong arguments,
7 no camera answers at the socket"""


class Unreachable(Exception):
    """No camera answers; the message says where and why."""


def alarm(argv: Sequence[str]) -> int:
    """Run the command; `argv` begins after the word "alarm".

    Returns:
        0, 1 (refused), 2 (wrong arguments) or 7 (no answer).
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else OK
    try:
        answer = ask(arguments.socket, _message(arguments))
    except Unreachable as nobody:
        print(nobody, file=sys.stderr)
        return UNREACHABLE
    if arguments.json:
        print(json.dumps(answer))
    elif answer.get("ok"):
        _print(arguments.command, answer)
    else:
        print(f"refused: {answer.get('reason', 'without a reason')}", file=sys.stderr)
    return OK if answer.get("ok") else REFUSED


def ask(path: str, message: dict[str, Any]) -> dict[str, Any]:
    """One message and its answer.

    Raises:
        Unreachable: nobody listens, may be asked, or answers in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.settimeout(WAIT_S)
        try:
            link.bind("")  # a name of the kernel's choice, so that there is somewhere to answer
            link.connect(path)
            link.send(msgpack.packb(message))
            answer = msgpack.unpackb(link.recv(MAX_ANSWER_BYTES))
        except TimeoutError:
            raise Unreachable(f"{path}: no answer within {WAIT_S:g} s") from None
        except (OSError, ValueError, msgpack.UnpackException) as error:
            raise Unreachable(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(answer, dict):
        raise Unreachable(f"{path}: the answer makes no sense")
    return answer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae alarm",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--socket", required=True, help="as [control] of the board file says")
        sub.add_argument("--json", action="store_true", help="the answer as one JSON object")
        sub.add_argument("--by", default=_user(), help="who asks, for the journal (default: you)")
        if name in ("ack", "shelve", "unshelve"):
            sub.add_argument("number", nargs="?", type=int, help="of the alarm, as list says")
            sub.add_argument("--place", help="zone or line")
            sub.add_argument("--rule", help="kind of rule, where a place has several")
        if name == "shelve":
            sub.add_argument(
                "--for", dest="for_ms", required=True, type=_duration, help="e.g. 90s, 10min, 2h"
            )
    return parser


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without a name
        return "somebody"


def _duration(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})(s|min|h)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number and s, min or h")
    return int(found[1]) * UNITS_MS[found[2]]


def _message(arguments: argparse.Namespace) -> dict[str, Any]:
    do = {"test": "self_test"}.get(arguments.command, arguments.command)
    message = {"do": do, "by": arguments.by}
    for name in ("number", "place", "rule", "for_ms"):
        value = getattr(arguments, name, None)
        if value is not None:
            message[name] = value
    return message


def _print(command: str, answer: dict[str, Any]) -> None:
    match command:
        case "list":
            _print_list(answer.get("alarms") or [])
        case "ack":
            print(f"acknowledged; {answer.get('alarms')} stood")
        case "shelve":
            print(f"{answer.get('alarms')} shelved")
        case "unshelve":
            print(f"{answer.get('alarms')} taken off the shelf")
        case "mute":
            print("muted: lamps stay, and a new alarm sounds")
        case "test":
            print("the self test runs; its result goes to the journal")


def _print_list(alarms: list[dict[str, Any]]) -> None:
    line = "{:>3}  {:<9}  {:<17}  {:<16}  {:<16}  {}"
    print(line.format("nr", "severity", "state", "rule", "place", "why"))
    for row in alarms:
        shelved_ms = row.get("shelved_ms") or 0
        why = [f"shelved for another {shelved_ms / 60_000:.1f} min"] if shelved_ms else []
        if row.get("text"):
            why.append(f"{row['text']}, for {row.get('for_ms', 0) / 1000:.0f} s")
        cells = (row.get(name, "") for name in ("number", "severity", "state", "rule", "place"))
        print(line.format(*(str(cell) for cell in cells), "; ".join(why)).rstrip())
