"""Keeps what native code writes to file descriptor 2 out of the log while a model is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDERR_FD = 2
TAIL_BYTES = 4096


class Chatter:
    """What was written to descriptor 2; empty where there is none."""

    def __init__(self, descriptor: int = -1) -> None:
        self._descriptor = descriptor
        self._start = 0

    def forget(self) -> None:
        """What was written so far was not about a failure."""
        if self._descriptor >= 0:
            self._start = os.fstat(self._descriptor).st_size

    def end(self) -> None:
        """From now on there is nothing to ask for: the descriptor may be anybody's."""
        self._descriptor = -1

    def last(self) -> str:
        """The last line that says something, at most 300 characters."""
        if self._descriptor < 0:
            return ""
        size = os.fstat(self._descriptor).st_size
        tail = os.pread(self._descriptor, TAIL_BYTES, max(self._start, size - TAIL_BYTES))
        lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")[:300]


@contextmanager
def captured_stderr() -> Iterator[Chatter]:
    """As `silent_stderr`, but what is written can be asked for, inside the block."""
    try:
        kept = os.memfd_create("stderr")
    except OSError:
        with silent_stderr():
            yield Chatter()
        return
    chatter = Chatter(kept)
    try:
        with _sent_to(kept):
            yield chatter
    finally:
        chatter.end()
        os.close(kept)


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Send descriptor 2 to /dev/null for the block; does nothing where there is no descriptor 2.

    It is the whole process's, so keep the block short. What matters comes as an exception.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with _sent_to(nowhere):
            yield
    finally:
        os.close(nowhere)


@contextmanager
def _sent_to(descriptor: int) -> Iterator[None]:
    try:
        saved = os.dup(STDERR_FD)
    except OSError:
        yield
        return
    sys.stderr.flush()
    os.dup2(descriptor, STDERR_FD)
    try:
        yield
    finally:
        os.dup2(saved, STDERR_FD)
        os.close(saved)
