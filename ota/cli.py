"""`haetae ota`: make, sign, look at and check bundles; push them and watch the trial."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from ota.run_cli import run_command

ELSEWHERE: Final = {
    "push": ("ota.technician_cli:push", "send a bundle to a camera and watch its trial"),
    "confirm": ("ota.technician_end_cli:confirm", "end the trial: the new students stay"),
    "rollback": ("ota.technician_end_cli:rollback", "end the trial, or go back to the ones before"),
    "ring": ("ota.technician_end_cli:ring", "bring newer key rings to a camera, without a bundle"),
    "carry": ("ota.carriers.carry_cli:carry", "on the camera: take bundles from USB or HTTP"),
    "channel": ("ota.carriers.channel_cli:channel", "the file that says what is current"),
}
"""Commands of other rooms: only the one that is asked for is imported, as some run on cameras."""
HERE: Final = (
    ("ota.build_cli", "add_build"),
    ("ota.sign_cli", "add_sign"),
    ("ota.inspect_cli", "add_inspect"),
    ("ota.inspect_cli", "add_verify"),
    ("ota.build_cli", "add_golden"),
)
"""Commands of the office: they load networks and draw."""

ABOUT: Final = """Updates: one signed file brings a whole set of students to cameras.

The format is written down in ota/FORMAT.md. Keys come from `haetae keys`."""

EPILOG: Final = """from packages to a camera
  haetae ota build ppe_s skeleton_s action_xs --product haetae-cam --version 1.3.0 --release 13 \\
      --counter 4 --ring ring-1.ring --out students-13.bundle
  haetae ota sign students-13.bundle --key release-1.key
  haetae ota verify students-13.bundle --ring ring-1.ring
  haetae ota push students-13.bundle --link serial:/dev/ttyUSB0 --key kim.key

two people sign, on two machines
  haetae ota sign students-13.bundle --key release-2.key --detached release-2.sig
  haetae ota sign students-13.bundle --attach release-2.sig

exit codes of build, sign, inspect, verify and golden: 0 done, 1 refused (the line says why and what
to do), 2 wrong arguments, or a file that cannot be read or written"""


def ota(argv: Sequence[str]) -> int:
    """`haetae ota COMMAND ...`; `argv` begins after the word "ota".

    Returns:
        0, 1 (refused), 2 (wrong arguments or files), or as a command of another room says.
    """
    if argv and argv[0] in ELSEWHERE:
        module, _, function = ELSEWHERE[argv[0]][0].partition(":")
        command: Callable[[Sequence[str]], int] = getattr(import_module(module), function)
        return command(argv[1:])
    return run_command(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae ota",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module, add in HERE:
        getattr(import_module(module), add)(commands)
    for name, (_, about) in ELSEWHERE.items():
        commands.add_parser(name, help=about, add_help=False)
    return parser
