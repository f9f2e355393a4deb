"""`haetae site`: give a camera another site file over a link, or read the one that runs."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from drivers.toml_strict import ConfigErrors
from ota.link.lost import LinkLost
from ota.refusal import Refused
from ota.status_words import why
from ota.technician import (
    DONE,
    EPILOG_8,
    ROLLED_BACK,
    Camera,
    WrongArgument,
    add_link_arguments,
    make_parser,
    run,
)
from ota.technician_words import plain, printable, table, text
from runtime.geometry import resolve_site
from runtime.site_check import load_site

MAX_BYTES = 1 << 16
"""Of a site file that is pushed; the largest that is shipped has a tenth of it."""
ANY_PICTURE_PX = 640, 360
LOOK_MS: Final = 1000.0
WATCH_MS: Final = 180_000.0
"""A camera starts anew within some seconds, and has to be well for half a minute, maybe twice."""
WORDS: Final = {
    "confirmed": "it is well with it: the new site file stays",
    "rolled_back": "the site file before is back",
    "waiting": "it is not known yet whether it gets well with it. next: `haetae status`",
}


def site(argv: Sequence[str]) -> int:
    """Run the command; `argv` begins after the word "site".

    Returns:
        0, 1 (refused by the camera), 2 (wrong arguments, or mistakes in the file: all of them are
        told, and nothing was sent), 7 (no answer), 8 (the one before is back) or 130 (Ctrl-C).
    """
    return run(_parser(), argv, _do)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("haetae site", __doc__ or "", EPILOG_8)
    commands = parser.add_subparsers(dest="command", required=True, metavar="push|show")
    push = commands.add_parser("push", help="check a site file here, then give it to the camera")
    push.add_argument("file", metavar="FILE", help="e.g. board_configs/site/counting.toml")
    push.add_argument(
        "--watch",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty(),
        help="stay until the camera is well with it (on a terminal that is so by itself)",
    )
    show = commands.add_parser("show", help="print the site file that runs")
    show.add_argument("--out", type=Path, help="write it here instead")
    for sub in (push, show):
        add_link_arguments(sub)
    return parser


def _do(arguments: argparse.Namespace) -> int:
    if arguments.command == "push":
        checked = check(arguments.file)
        with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
            return _push(camera, checked, arguments)
    with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
        return _show(camera, arguments)


def check(file: str) -> str:
    """The text of a site file without a mistake.

    Raises:
        WrongArgument: every mistake in it.
    """
    path = Path(file)
    try:
        found = load_site(path)
        if found.units == "fraction":  # of any picture
            resolve_site(found, *ANY_PICTURE_PX, file)
        told = path.read_text(encoding="utf-8")
    except ConfigErrors as errors:
        count = len(errors.mistakes)
        mistakes = "1 mistake" if count == 1 else f"{count} mistakes"
        raise WrongArgument(f"{errors}\n{mistakes}: nothing was sent to the camera") from errors
    except OSError as error:
        raise WrongArgument(f"{file}: {error.strerror or error}") from error
    if (count := len(told.encode())) > MAX_BYTES:
        raise WrongArgument(f"{file}: has {count} bytes; at most {MAX_BYTES}")
    return told


def _push(camera: Camera, sent: str, arguments: argparse.Namespace) -> int:
    answer = camera.ask("site", {"text": sent})
    told, code = "sent", DONE
    if not arguments.json:
        print(f"the camera has checked and kept {arguments.file}")
        print("it starts anew with it, and goes back to the one before if it does not get well")
    if arguments.watch:
        told, why_ = _watch(camera, hashlib.sha256(sent.encode()).hexdigest())
        code = ROLLED_BACK if told == "rolled_back" else DONE
        said = WORDS[told] + (f": {why_}" if why_ else "")
    else:
        said = "next: `haetae status` in a minute tells which site file it watches by"
    if arguments.json:
        print(json.dumps({"ok": code == DONE, "outcome": told, **plain(answer)}))
    else:
        print(said)
    return code


def _watch(camera: Camera, digest: str) -> tuple[str, str]:
    """How the trial of a site file ended, and why: "confirmed", "rolled_back" or "waiting"."""
    until_ms = camera.clock.now_ms() + WATCH_MS
    while camera.clock.now_ms() < until_ms:
        try:
            now = table(camera.status(), "site")
        except LinkLost:  # it starts anew
            camera.close()
        else:
            last = table(now, "last")
            outcome = text(last, "outcome")
            is_ours = plain(last.get("digest")) == digest and text(now, "from") != "trial"
            if is_ours and outcome in WORDS:
                return outcome, why(last) if outcome == "rolled_back" else ""
        camera.clock.sleep_until_ms(camera.clock.now_ms() + LOOK_MS)
    return "waiting", ""


def _show(camera: Camera, arguments: argparse.Namespace) -> int:
    answer = camera.ask("site_get")
    found = answer.get("text")
    if not isinstance(found, str):
        raise Refused("malformed", "the camera's answer is no site file")
    if arguments.out is not None:
        try:
            arguments.out.write_text(found, encoding="utf-8")
        except OSError as error:
            raise WrongArgument(f"{arguments.out}: {error.strerror}") from error
        print(f"{arguments.out}: the site file that runs", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"ok": True, **plain(answer)}))
    elif arguments.out is None:
        for line in found.splitlines():
            print(printable(line.replace("\t", "    "), MAX_BYTES))
    return DONE
