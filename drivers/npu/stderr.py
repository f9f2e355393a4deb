"""Keeps what native code writes to file descriptor 2 out of the log while a model is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDERR_FD = 2


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Send descriptor 2 to /dev/null for the block; does nothing where there is no descriptor 2.

    It is the whole process's, so keep the block short. What matters comes as an exception.
    """
    try:
        saved = os.dup(STDERR_FD)
    except OSError:
        yield
        return
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR_FD)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(saved, STDERR_FD)
        os.close(saved)
