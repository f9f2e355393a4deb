"""`haetae journal pull`: fetch a camera's journal over a link, and go on where the file ends."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from drivers.faults import StorageFault
from ota.technician import DONE, EPILOG, Camera, WrongArgument, add_link_arguments, guarded
from ota.technician_progress import TERMINAL_MS
from runtime.journal_pull import JSON_LINES, RING, Kept, pull


def add_pull(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The arguments of the command."""
    sub = actions.add_parser(
        "pull",
        help="fetch the events of a camera over a link",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.add_argument(
        "--out",
        required=True,
        type=Path,
        help=f"file that ends in {JSON_LINES}, or in {RING} for a copy that show and export read;"
        " where it is there already, only what is new is fetched",
    )
    add_link_arguments(sub)
    sub.set_defaults(action=lambda arguments: guarded(_pull, arguments))


def _pull(arguments: argparse.Namespace) -> int:
    out: Path = arguments.out
    try:
        kept = Kept(out)
        began_after = kept.last_seq
        with Camera(arguments.link, arguments.key, arguments.passphrase_file) as camera:
            told = _Told(camera)
            count = kept.write(pull(camera.ask, began_after), told)
    except (ValueError, StorageFault) as error:
        raise WrongArgument(str(error)) from error
    except OSError as error:
        raise WrongArgument(f"{out}: {error.strerror or error}") from error
    told.end()
    if arguments.json:
        answer: dict[str, Any] = {"ok": True, "events": count, "last_seq": kept.last_seq}
        print(json.dumps(answer))
    else:
        new = "new " if began_after else ""
        print(f"{out}: {count} {new}event{'' if count == 1 else 's'}")
    return DONE


class _Told:
    """How far it is, on one line of a terminal."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._is_terminal = sys.stderr.isatty()
        self._shown_ms = 0.0

    def __call__(self, seq: int, newest: int) -> None:
        """Show the number of the last event."""
        now_ms = self._camera.clock.now_ms()
        if self._is_terminal and now_ms - self._shown_ms >= TERMINAL_MS:
            self._shown_ms = now_ms
            sys.stderr.write(f"\revent {seq} of {newest}  ")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal and self._shown_ms:
            sys.stderr.write("\n")
