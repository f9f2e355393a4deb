"""How a command of this floor ends: what is refused is said in one line, and by the exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ota.refusal import REASONS, Refused

OK, REFUSED, ARGUMENTS = 0, 1, 2
NONE: Final[Mapping[type[Refused], int]] = MappingProxyType({})


def run_command(
    parser: argparse.ArgumentParser,
    argv: Sequence[str],
    codes: Mapping[type[Refused], int] = NONE,
) -> int:
    """Parse, and call what the parser has set as `run`.

    Args:
        parser: its subcommands set `run`: a function of the arguments, that returns an exit code or
            None for done.
        argv: without the command's own words.
        codes: of kinds of refusals that have one of their own.

    Returns:
        0, 1 (refused), 2 (wrong arguments or files), or as `run` or `codes` say.
    """
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as leave:  # argparse has said what is wrong
        return ARGUMENTS if leave.code else OK
    try:
        return int(arguments.run(arguments) or OK)
    except Refused as refused:
        print(f"{refused.reason}: {refused.detail or REASONS[refused.reason]}", file=sys.stderr)
        usual = ARGUMENTS if refused.reason == "argument" else REFUSED
        return codes.get(type(refused), usual)
    except FileExistsError as error:
        print(f"{error.filename}: is there already, and is never overwritten", file=sys.stderr)
        return ARGUMENTS
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return ARGUMENTS
