"""Files with holes: an image is mostly that, and a hole need not be read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator


def stretches(fd: int, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Begin and end of what a file holds between two offsets: lseek(2), SEEK_DATA."""
    while at < end:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # nothing up to the file's end
        stop = min(os.lseek(fd, at, os.SEEK_HOLE), end)
        if at < stop:
            yield at, stop
        at = stop
