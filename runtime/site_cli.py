"""`haetae site`: give a camera another site file over a link, or read the one that runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from drivers.toml_strict import ConfigErrors
from ota.refusal import Refused
from ota.technician import (
    DONE,
    Camera,
    WrongArgument,
    add_link_arguments,
    make_parser,
    run,
)
from ota.technician_words import plain, printable
from runtime.geometry import resolve_site
from runtime.site_check import load_site

MAX_BYTES = 1 << 16
"""Of a site file that is pushed; the largest that is shipped has a tenth of it."""
ANY_PICTURE_PX = 640, 360


def site(argv: Sequence[str]) -> int:
    """Run the command; `argv` begins after the word "site".

    Returns:
        0, 1 (refused by the camera), 2 (wrong arguments, or mistakes in the file: all of them are
        told, and nothing was sent), 7 (no answer) or 130 (Ctrl-C).
    """
    return run(_parser(), argv, _do)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("haetae site", __doc__ or "")
    commands = parser.add_subparsers(dest="command", required=True, metavar="push|show")
    push = commands.add_parser("push", help="check a site file here, then give it to the camera")
    push.add_argument("file", metavar="FILE", help="e.g. board_configs/site/counting.toml")
    show = commands.add_parser("show", help="print the site file that runs")
    show.add_argument("--out", type=Path, help="write it here instead")
    for sub in (push, show):
        add_link_arguments(sub)
    return parser


def _do(arguments: argparse.Namespace) -> int:
    if arguments.command == "push":
        text = check(arguments.file)
        with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
            return _push(camera, text, arguments)
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
        text = path.read_text(encoding="utf-8")
    except ConfigErrors as errors:
        count = len(errors.mistakes)
        mistakes = "1 mistake" if count == 1 else f"{count} mistakes"
        raise WrongArgument(f"{errors}\n{mistakes}: nothing was sent to the camera") from errors
    except OSError as error:
        raise WrongArgument(f"{file}: {error.strerror or error}") from error
    if len(text.encode()) > MAX_BYTES:
        raise WrongArgument(f"{file}: has {len(text.encode())} bytes; at most {MAX_BYTES}")
    return text


def _push(camera: Camera, text: str, arguments: argparse.Namespace) -> int:
    answer = camera.ask("site", {"text": text})
    if arguments.json:
        print(json.dumps({"ok": True, **plain(answer)}))
        return DONE
    print(f"the camera has checked and kept {arguments.file}")
    if answer.get("restart"):
        print("it starts anew with it now, and goes back to the one before if it does not get well")
    print("next: `haetae status` in half a minute tells which site file it watches by")
    return DONE


def _show(camera: Camera, arguments: argparse.Namespace) -> int:
    answer = camera.ask("site_get")
    text = answer.get("text")
    if not isinstance(text, str):
        raise Refused("malformed", "the camera's answer is no site file")
    if arguments.out is not None:
        try:
            arguments.out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WrongArgument(f"{arguments.out}: {error.strerror}") from error
        print(f"{arguments.out}: the site file that runs", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"ok": True, **plain(answer)}))
    elif arguments.out is None:
        for line in text.splitlines():
            print(printable(line.replace("\t", "    "), MAX_BYTES))
    return DONE
