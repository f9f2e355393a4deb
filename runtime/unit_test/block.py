"""The block device under a folder: what the kernel says of it in sysfs and /proc.

Sources: Linux, Documentation/block/stat.rst and ABI/stable/sysfs-block; eMMC life time as of JEDEC
JESD84-B51, EXT_CSD registers 267 to 269, shown in /sys/block/mmcblk*/device.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from runtime.unit_test.result import word

WRITES: Final = 4
"""Column of `stat`: writes that the device has completed."""
MOUNTS: Final = Path("/proc/self/mountinfo")
IN_MEMORY: Final = ("tmpfs", "ramfs")


class Mount(NamedTuple):
    """How a file system is mounted; empty where the kernel does not tell."""

    kind: str = ""
    options: str = ""


class Wear(NamedTuple):
    """Of an eMMC; tenths of its life used by the worse kind of cells, and its reserve.

    Attributes:
        life: 1 = 0 to 10 %, ... 10 = 90 to 100 %, 11 = beyond; 0 = it does not say.
        reserve: 1 = normal, 2 = 80 % of the spare blocks are used, 3 = 90 %; 0 likewise.
    """

    life: int
    reserve: int


class BlockDevice:
    """What holds a folder.

    Args:
        folder: on it.
        sys: /sys.
        mounts: /proc/self/mountinfo.
    """

    def __init__(self, folder: Path, sys: Path, mounts: Path = MOUNTS) -> None:
        number = folder.stat().st_dev
        self._numbers = f"{os.major(number)}:{os.minor(number)}"
        self._part = sys / "dev/block" / self._numbers
        part = self._part.resolve()
        self._disk = part.parent if (part / "partition").exists() else part
        self._mounts = mounts
        self.name = self._disk.name if self._part.exists() else ""

    def writes(self) -> int | None:
        """Writes that the device has completed since it is there; None: nobody counts."""
        columns = word(self._part / "stat").split()
        return int(columns[WRITES]) if len(columns) > WRITES else None

    def mount(self) -> Mount:
        """File system and options."""
        try:
            lines = self._mounts.read_text().splitlines()
        except OSError:
            return Mount()
        for line in reversed(lines):
            before, _, after = line.partition(" - ")
            words, rest = before.split(), after.split()
            if len(words) > 5 and words[2] == self._numbers and len(rest) > 2:
                return Mount(rest[0], f"{words[5]},{rest[2]}")
        return Mount()

    def wear(self) -> Wear | None:
        """Of an eMMC; None of anything else."""
        device = self._disk / "device"
        life = [int(each, 16) for each in word(device / "life_time").split()]
        if not life:
            return None
        return Wear(max(life), int(word(device / "pre_eol_info") or "0", 16))
