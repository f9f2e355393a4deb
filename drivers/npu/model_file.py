"""Reads a model file whole, or says why it cannot be one."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from drivers.faults import ModelRefused

MAX_FILE_BYTES: Final = 256 << 20
"""More than any board's memory has for a student; also bounds the time of a check."""


def read_model(path: str) -> bytes:
    """Read a whole model file; a copy in memory cannot be cut short while it runs, a mapping can.

    Raises:
        ModelRefused: missing, unreadable, not a plain file, or too big.
    """
    file = Path(path)
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelRefused(path, "not a plain file")
        if status.st_size > MAX_FILE_BYTES:
            raise ModelRefused(path, f"{status.st_size} bytes; at most {MAX_FILE_BYTES}")
        return file.read_bytes()
    except OSError as error:
        raise ModelRefused(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise ModelRefused(path, f"not a path: {error}") from error
