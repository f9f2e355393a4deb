"""What a power cut has left in an ext4 file system: repaired as at a start, and read out.

e2fsck replays ext4's own journal, as the kernel does at the next mount; debugfs reads without one,
so that nothing of this needs rights or a loop device.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TOOLS = {"e2fsck": "e2fsprogs", "debugfs": "e2fsprogs", "mke2fs": "e2fsprogs"}
"""Commands, and the Debian packages that they are in."""
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
ZEROS = bytes(1 << 16)
NOT_REPAIRED = 4
"""From this exit code on; 1: errors were corrected, see e2fsck(8)."""


class Beyond(Exception):
    """e2fsck could not repair it."""


def has_tools() -> bool:
    """They are here."""
    return all(shutil.which(name, path=PATH) for name in TOOLS)


def read_out(disk: bytes | bytearray | memoryview, folder: Path) -> Path:
    """The files that a start would find.

    Args:
        disk: with an ext4 file system at its beginning.
        folder: of its own, emptied first.

    Returns:
        A folder with a copy of them.

    Raises:
        Beyond: the file system cannot be repaired.
    """
    shutil.rmtree(folder, ignore_errors=True)
    files = folder / "files"
    files.mkdir(parents=True)
    image = folder / "disk.img"
    _write_sparse(image, memoryview(disk))
    check = [_tool("e2fsck"), "-fy", str(image)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    if done.returncode >= NOT_REPAIRED:
        raise Beyond(f"e2fsck: exit code {done.returncode}\n{done.stdout[-500:]}{done.stderr}")
    dump = [_tool("debugfs"), "-R", f'rdump / "{files}"', str(image)]
    subprocess.run(dump, capture_output=True, check=True)
    image.unlink()
    return files


def _write_sparse(image: Path, disk: memoryview) -> None:
    """Zeros are left out; e2fsck waits until the rest of it is on this machine's disk."""
    with image.open("wb") as stream:
        stream.truncate(len(disk))
        for at in range(0, len(disk), len(ZEROS)):
            if (block := disk[at : at + len(ZEROS)]) != ZEROS[: len(block)]:
                stream.seek(at)
                stream.write(block)


def _tool(name: str) -> str:
    return shutil.which(name, path=PATH) or name
