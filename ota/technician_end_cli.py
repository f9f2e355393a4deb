"""`haetae ota confirm|rollback|ring`: end a trial, go back, or bring newer key rings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ota.key_ring import chain_bytes, parse_ring
from ota.refusal import REASONS, Refused
from ota.status_words import TRIAL, next_step, outcome, phase, students
from ota.technician import (
    DONE,
    EPILOG,
    EPILOG_8,
    REFUSED,
    ROLLED_BACK,
    Action,
    Camera,
    WrongArgument,
    add_link_arguments,
    make_parser,
    run,
)
from ota.technician_progress import Meter
from ota.technician_watch import LOOK_MS
from ota.technician_words import Table, number, plain, table, text

SETTLE_MS: Final = 20_000.0
"""For the swap after confirm or rollback."""
COMING: Final = ("receiving", "staged")
ABOUT: Final = {
    "confirm": "End the trial now: the new students stay. Where they do not drive the camera yet,"
    " it waits until they do.",
    "rollback": "Give up the students that come in or are on trial; without such, go back to the"
    " ones before.",
    "ring": "Bring newer key rings, e.g. one that revokes a key, without a bundle.",
}


def confirm(argv: Sequence[str]) -> int:
    """Run `haetae ota confirm`; `argv` begins after these words.

    Returns:
        0, 1 refused, 2 wrong arguments, 7 no camera, 8 it was rolled back meanwhile, 130 Ctrl-C.
    """
    return _run("confirm", argv, _confirm, EPILOG_8)


def rollback(argv: Sequence[str]) -> int:
    """Run `haetae ota rollback`; `argv` begins after these words. Returns as `confirm`, but 8."""
    return _run("rollback", argv, _roll_back, EPILOG)


def ring(argv: Sequence[str]) -> int:
    """Run `haetae ota ring`; `argv` begins after these words. Returns as `confirm`, but 8."""
    parser = make_parser("haetae ota ring", ABOUT["ring"])
    parser.add_argument("rings", nargs="+", type=Path, metavar="RING", help="oldest first")
    add_link_arguments(parser)
    return run(parser, argv, _ring)


def _run(word: str, argv: Sequence[str], action: Action, epilog: str) -> int:
    parser = make_parser(f"haetae ota {word}", ABOUT[word], epilog)
    add_link_arguments(parser)
    return run(parser, argv, action)


def _confirm(arguments: argparse.Namespace) -> int:
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        first: Table = camera.status()
        before = _taken_over(camera, first, is_quiet=arguments.json)
        last = table(before, "last")
        if not _is_idle(first) and _is_idle(before) and last.get("outcome") == "rolled_back":
            return _tell(arguments, f"{students(last)}: {outcome(last)}", before, ROLLED_BACK)
        camera.ask("confirm")
        return _end(arguments, camera, before, "confirmed")


def _roll_back(arguments: argparse.Namespace) -> int:
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        before: Table = camera.status()
        found = text(table(before, "update"), "phase")
        _give_up(camera, found)
        given_up = found in COMING or found in TRIAL
        return _end(arguments, camera, before, "given up; it runs" if given_up else "gone back to")


def _give_up(camera: Camera, found: str) -> None:
    try:
        camera.ask("abandon" if found in COMING else "rollback")
    except Refused as refused:
        if found not in COMING or refused.reason != "busy":
            raise
        camera.ask("rollback")  # its trial has begun in between


def _end(arguments: argparse.Namespace, camera: Camera, before: Table, done: str) -> int:
    """Wait for the swap, and tell what runs then."""
    until_ms = camera.clock.now_ms() + SETTLE_MS
    was_idle = _is_idle(before)
    while camera.clock.now_ms() < until_ms:
        after: Table = camera.status()
        is_other = after.get("students") != before.get("students")
        if _is_idle(after) and (is_other or not was_idle):
            return _tell(arguments, f"{done}: {students(table(after, 'students'))}", after)
        camera.clock.sleep_until_ms(camera.clock.now_ms() + LOOK_MS / 2)
    return _tell(arguments, "the camera has taken it and is not done yet", after, REFUSED)


def _tell(arguments: argparse.Namespace, said: str, status: Table, code: int = DONE) -> int:
    if arguments.json:
        print(json.dumps(plain({"ok": code == DONE, "text": said, "status": status})))
    else:
        print(f"{said}\nnext: {next_step(status)}")
    return code


def _taken_over(camera: Camera, status: Table, *, is_quiet: bool) -> Table:
    """The status once the new students drive the camera, or nothing is on its way to that."""
    meter = Meter(sys.stderr, camera.clock, is_quiet=is_quiet)
    told = ""
    while (found := text(table(status, "update"), "phase")) in ("staged", "shadow"):
        update = table(status, "update")
        if found != told:
            meter.say(f"{students(update)}: waiting until they drive the camera (Ctrl-C stops)")
        meter.tell(phase(update), is_news=found != told)
        told = found
        camera.clock.sleep_until_ms(camera.clock.now_ms() + LOOK_MS)
        status = camera.status()
    meter.end()
    return status


def _is_idle(status: Table) -> bool:
    return text(table(status, "update"), "phase") in ("", "idle")


def _ring(arguments: argparse.Namespace) -> int:
    chain = [_read(path) for path in arguments.rings]
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        answer = camera.ask("ring", {"rings": chain_bytes(chain)})
    version = number(answer, "ring") or 0
    if arguments.json:
        print(json.dumps({"ok": True, "ring": round(version)}))
    else:
        print(f"the camera trusts key ring {version:.0f}")
    return DONE


def _read(path: Path) -> bytes:
    """A ring file, looked at before it is sent. Raises WrongArgument."""
    try:
        return parse_ring(path.read_bytes()).data
    except Refused as refused:
        raise WrongArgument(f"{path}: {refused.detail or REASONS[refused.reason]}") from refused
    except OSError as error:
        raise WrongArgument(f"{path}: {error.strerror or error}") from error
