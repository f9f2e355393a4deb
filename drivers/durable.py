"""Files that a power cut leaves old or new, never half: synced before they get their name.

Source: fsync(2) and rename(2); ext4 promises none of it by itself (mount option noauto_da_alloc).
"""

from __future__ import annotations

import os
from pathlib import Path

BESIDE = ".new"
"""Ending of a file that has not got its name yet; a power cut may leave one."""


def write_file(path: Path, data: bytes) -> None:
    """Write a file; after a power cut the old one or the new one is there.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    beside = path.with_name(path.name + BESIDE)
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def make_folders(folder: Path) -> None:
    """Make missing folders, each durable in its parent. Raises OSError."""
    if not folder.exists():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
