"""Runs a command about models: what can go wrong becomes a line on stderr and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from drivers.faults import ModelRefused, NpuFault
from models.box_files import BoxFileRefused
from models.skeleton_files import SkeletonFileRefused

OK: Final = 0
PICTURE_UNREADABLE: Final = 1
WRONG_ARGUMENTS: Final = 2
MODEL_REFUSED: Final = 3
NPU_FAILED: Final = 4


def run_command(parser: argparse.ArgumentParser, argv: list[str]) -> int:
    """Parse, and call `run` of what was parsed. Returns its exit code, or one of those above."""
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or OK)
    command: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return command(arguments)
    except (BoxFileRefused, SkeletonFileRefused) as refused:
        return refuse(f"{refused}", WRONG_ARGUMENTS)
    except ModelRefused as refused:
        return refuse(f"model refused: {refused}", MODEL_REFUSED)
    except NpuFault as fault:
        return refuse(f"{fault}", NPU_FAILED)
    except OSError as error:
        return refuse(f"{error.filename}: {error.strerror}", WRONG_ARGUMENTS)


def refuse(line: str, code: int) -> int:
    """Say why; returns the code."""
    sys.stderr.write(f"{line}\n")
    return code
