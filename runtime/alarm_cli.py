"""`haetae alarm`: see and command alarms, over a link or the socket of a camera that runs here."""

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

from ota.technician import (
    DONE,
    REFUSED,
    UNREACHABLE,
    Camera,
    WrongArgument,
    add_link_arguments,
    make_parser,
    run,
)
from ota.technician_words import plain, printable

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


class Unreachable(Exception):
    """No camera answers; the message says where and why."""


def alarm(argv: Sequence[str]) -> int:
    """Run the command; `argv` begins after the word "alarm".

    Returns:
        0, 1 (refused), 2 (wrong arguments) or 7 (no answer).
    """
    return run(_parser(), argv, _do)


def _do(arguments: argparse.Namespace) -> int:
    try:
        answer = _ask(arguments)
    except Unreachable as nobody:
        print(nobody, file=sys.stderr)
        return UNREACHABLE
    if arguments.json:
        print(json.dumps(plain(answer)))
    elif answer.get("ok"):
        _print(arguments.command, answer)
    else:
        print(f"refused: {answer.get('reason', 'without a reason')}", file=sys.stderr)
    return DONE if answer.get("ok") else REFUSED


def _ask(arguments: argparse.Namespace) -> dict[str, Any]:
    message = _message(arguments)
    if arguments.socket:
        return ask(arguments.socket, {**message, "by": arguments.by})
    if not arguments.link:
        raise WrongArgument("say which camera: --link serial:/dev/ttyUSB0, or --socket PATH")
    do = message.pop("do")
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        return {"ok": True, **camera.ask({"list": "alarms"}.get(do, do), message)}


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
    parser = make_parser("haetae alarm", __doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        add_link_arguments(sub, is_required=False)
        sub.add_argument("--socket", help="on the camera itself: as [control] of its board file")
        sub.add_argument("--by", default=_user(), help="who asks, with --socket (default: you)")
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
    message: dict[str, Any] = {"do": do}
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
        print(line.format(*map(printable, cells), printable("; ".join(why))).rstrip())
