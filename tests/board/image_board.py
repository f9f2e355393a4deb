"""The flashed camera in QEMU: its board file, its flash, its provisioning, and its power."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.board import load_board
from ota.image.boot_state import COPIES_AT, SECTOR_BYTES, BootState, misc_image, newest
from ota.image.config import find_board
from ota.image.gpt import partitions
from tests.board.machine import Drive, VirtualBoard
from tests.board.update_vendor import SITE_FILE, Vendor, open_keys
from tests.places import REPOSITORY

BUILD = REPOSITORY / "build" / "image"
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
NAME = "qemu-virt-arm64"
DEVICE = "emulated-1"
OPERATOR = "kim"
EMULATED = {
    "fps = 10.0": "fps = 4.0\nno_frame_ms = 750\nfrozen_ms = 0\ndark_ms = 750",
    "timeout_ms = 5000": "timeout_ms = 30000, boot_ms = 300000",
    'links = ["unix:/run/haetae/link"]': 'links = ["unix:/run/haetae/link", "serial:/dev/ttyS0"]'
    ", invoke_ms = 1000.0, memory_mb = 128, settle_ms = 2000, shadow_ms = 4000",
}
"""Of the board file: an emulated processor is slow, vivid's picture stands still; and a cable."""
WITHOUT_ACPI = ("-machine", "acpi=off")
"""With a firmware and ACPI the machine has no PL061."""
SHIFT = 1
"""500 million instructions a second: there is time left beside the loop, as on a board."""
LONGEST_S = 600.0
FLASH_BYTES = 768 << 20
"""More than the image: `data` grows to its end."""
BASE, LOG = "base.img", "writes.log"


@dataclass(frozen=True)
class Unit:
    """A camera under power, since `began_s` (host, monotonic)."""

    board: VirtualBoard
    flash: Path
    began_s: float

    def since(self) -> float:
        """Seconds since the power was switched on."""
        return time.monotonic() - self.began_s

    def state(self) -> BootState | None:
        """What stands in `misc`."""
        return newest(copies(self.flash))[0]


def board_file() -> Path:
    """The board, slow as it is under emulation."""
    text = find_board(NAME).read_text()
    for shipped, slow in EMULATED.items():
        assert shipped in text, shipped
        text = text.replace(shipped, slow)
    file = BUILD / "boards" / f"{NAME}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@contextlib.contextmanager
def powered(
    name: str,
    image: Path,
    spoil: Callable[[Path], None] = lambda _: None,
    *,
    is_recorded: bool = False,
) -> Iterator[Unit]:
    """A camera that was flashed with an image, and its power switched on.

    Args:
        name: of the story.
        image: what it is flashed with.
        spoil: changes the flash before that.
        is_recorded: what the flash is told goes into `log`, and `base` is kept for a replay.
    """
    folder = BUILD / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    flash = folder / "flash.img"
    subprocess.run(["cp", "--sparse=always", image, flash], check=True)
    with flash.open("r+b") as file:
        file.truncate(FLASH_BYTES)
    spoil(flash)
    drive = Drive(flash, "flash")
    if is_recorded:
        subprocess.run(["cp", "--sparse=always", flash, folder / BASE], check=True)
        drive = recorded(flash, folder / LOG)
    began_s = time.monotonic()
    with VirtualBoard(
        folder, bios=UBOOT, drives=[drive], extra=WITHOUT_ACPI, is_steady=True, shift=SHIFT
    ) as board:
        yield Unit(board, flash, began_s)
    flash.unlink()


def recorded(flash: Path, log: Path) -> Drive:
    """The flash, and a log of all that it is told."""
    log.write_bytes(b"")
    parts = (
        f"driver=file,node-name=flash-file,filename={flash}",
        f"driver=file,node-name=log-file,filename={log}",
        "driver=raw,node-name=flash-raw,file=flash-file",
        "driver=blklogwrites,node-name=flash,file=flash-raw,log=log-file,log-sector-size=512",
    )
    return Drive(None, "flash", blockdev=parts)


def put_state(flash: Path, state: BootState) -> None:
    """Write the boot state from outside."""
    at = partitions(flash)["misc"].at
    with flash.open("r+b") as file:
        file.seek(at)
        file.write(misc_image(state))


def provision(flash: Path) -> Vendor:
    """Name, key ring and site, as the vendor's line gives them to a unit; returns the vendor."""
    folder = BUILD / "unit"
    shutil.rmtree(folder, ignore_errors=True)
    vendor = open_keys(folder, load_board(board_file()).updates.product, OPERATOR)
    (folder / "haetae").mkdir()
    words = ["--board", str(board_file()), "--folder", "haetae", "--id", DEVICE]
    vendor.call("provision", *words, "--ring", str(vendor.ring), "--site", str(SITE_FILE))
    given = [path for path in (folder / "haetae").rglob("*") if path.is_file()]
    lines = ["mkdir /haetae", *(f"write {path} /haetae/{path.name}" for path in given)]
    (folder / "debugfs").write_text("\n".join(lines) + "\n")
    disk = f"{flash}?offset={partitions(flash)['data'].at}"
    subprocess.run(["debugfs", "-w", "-f", str(folder / "debugfs"), disk], check=True)
    return vendor


def copies(flash: Path) -> tuple[bytes, bytes]:
    """Both copies of the boot state."""
    at = partitions(flash)["misc"].at
    with flash.open("rb") as file:
        sectors = []
        for copy in COPIES_AT:
            file.seek(at + copy)
            sectors.append(file.read(SECTOR_BYTES))
    return sectors[0], sectors[1]
