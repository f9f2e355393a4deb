"""`haetae status` and `haetae selftest`: how a camera is, over a link."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

from ota.self_test_words import Row, is_passed, rows
from ota.status_words import lines
from ota.technician import (
    DONE,
    EPILOG,
    Camera,
    WrongArgument,
    add_link_arguments,
    make_parser,
    run,
)
from ota.technician_words import Table, number, plain, table

TEST_MS: Final = 60_000.0
"""The outputs are switched one after the other; a site may let its siren chirp for some seconds."""
LOOK_MS: Final = 500.0
FAILED: Final = 1
ENDS: Final = ("passed", "failed", "interrupted")
FAR: Final = 1 << 62
"""No record has this number."""
MOST: Final = 32
"""Records that are asked for at once."""


def status(argv: Sequence[str]) -> int:
    """Run `haetae status`; `argv` begins after the word.

    Returns:
        0, 1 refused, 2 wrong arguments, 7 no camera answers, 130 Ctrl-C.
    """
    parser = make_parser("haetae status", "What a camera runs, what is on trial, what is wrong.")
    add_link_arguments(parser)
    return run(parser, argv, _status)


def selftest(argv: Sequence[str]) -> int:
    """Run `haetae selftest`; `argv` begins after the word.

    Returns:
        0 everything passed, 1 something failed or was refused, 2, 7 and 130 as `status`.
    """
    parser = make_parser(
        "haetae selftest",
        "Switch the outputs of a camera and look at everything else that it can tell.",
        EPILOG.replace("1 refused by the camera", "1 something failed, or refused by the camera"),
    )
    parser.add_argument("--ask", action="store_true", help="ask you what you saw and heard")
    add_link_arguments(parser)
    return run(parser, argv, _selftest)


def _status(arguments: argparse.Namespace) -> int:
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        told = camera.status()
    if arguments.json:
        print(json.dumps(plain(told)))
    else:
        print("\n".join(lines(told)))
    return DONE


def _selftest(arguments: argparse.Namespace) -> int:
    if arguments.ask and not sys.stdin.isatty():
        raise WrongArgument("--ask: there is nobody to ask; leave it out in a script")
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        if arguments.ask:
            print("the outputs are switched now: look and listen", file=sys.stderr)
        camera.status()  # from here on it counts its pictures
        outputs = _exercise(camera)
        found = rows(camera.status(), outputs)
    if arguments.ask:
        found += [_asked(question, name) for name, question in _questions(outputs)]
    is_good = is_passed(found)
    if arguments.json:
        told = [row._asdict() for row in found]
        print(json.dumps({"ok": is_good, "rows": plain(told)}))
    else:
        _print(found)
    return DONE if is_good else FAILED


def _exercise(camera: Camera) -> Table:
    """How the test of the outputs ended, from the camera's journal; empty where it has not."""
    after = number(camera.ask("journal", {"from_seq": FAR, "most": 1}), "last") or 0
    camera.ask("self_test")
    until_ms = camera.clock.now_ms() + TEST_MS
    while camera.clock.now_ms() < until_ms:
        page = camera.ask("journal", {"from_seq": int(after) + 1, "most": MOST})
        for record in page.get("records") or ():
            after = max(after, number(record, "seq") or 0)
            body = table(record, "body")
            if body.get("rule") == "self_test" and body.get("state") in ENDS:
                return {**table(body, "why"), "state": body["state"], "wall_ms": record["wall_ms"]}
        camera.clock.sleep_until_ms(camera.clock.now_ms() + LOOK_MS)
    return {}


def _questions(outputs: Table) -> list[tuple[str, str]]:
    return [(name, f"did the {name} work? [y/n] ") for name in outputs.get("outputs") or ()]


def _asked(question: str, name: str) -> Row:
    answer = ""
    while answer not in ("y", "n"):
        answer = input(question).strip().lower()[:1]
    if answer == "y":
        return Row(f"{name} seen", "pass", "you say so")
    return Row(f"{name} seen", "fail", "you say it did not", "look at its wires and its power")


def _print(found: list[Row]) -> None:
    width = max(len(row.name) for row in found)
    for row in found:
        print(f"{row.verdict:<8}  {row.name:<{width}}  {row.text}".rstrip())
    for row in found:
        if row.verdict == "fail":
            print(f"next: {row.name}: {row.next_step}")
    failed = sum(row.verdict == "fail" for row in found)
    print(f"{failed} of {len(found)} failed" if failed else "passed")
