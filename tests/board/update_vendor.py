"""A vendor for one run, by the real commands: keys to throw away, bundles, a disk, a stick."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drivers.board import Board, load_board
from ota.admission import Facts
from runtime.version import VERSION
from tests.board.console import BoardFault
from tests.board.cut_judge import Camera
from tests.board.guest_base import make_disk
from tests.board.marks import AREA_BYTES
from tests.models import tiny_tflite
from tests.places import REPOSITORY

HERE = Path(__file__).parent
BOARD_FILE: Final = HERE / "updates.toml"
SITE_FILE: Final = REPOSITORY / "board_configs/site/zone_whole_view.toml"
PRODUCT: Final = "haetae-board"
DETECTOR: Final = "tiny"
BESIDE: Final = ("skeleton_s", "action_xs")
PHRASE: Final = "a phrase that is no secret"
RELEASES: Final = {2: 1, 3: 2}
"""Release -> security counter."""
DISK_MB: Final = 24
STICK_MB: Final = 16
COMMAND_S: Final = 240.0
TOOLS: Final = {
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "e2fsck": "e2fsprogs",
    "debugfs": "e2fsprogs",
}
"""Commands, and the Debian packages that they are in."""


def haetae(*words: str) -> list[str]:
    """A command line as it is typed, by the interpreter that runs this."""
    return [sys.executable, "-m", "runtime.main", *words]


def environment(folder: Path) -> dict[str, str]:
    """For commands on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HAETAE")}
    own = {"HAETAE_PASSPHRASE_FILE": str(folder / "phrase"), "PYTHONPATH": str(REPOSITORY)}
    return kept | own | {"PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Vendor:
    """What there is to give away.

    Attributes:
        folder: with everything in it.
        ring: the key ring that cameras are provisioned with.
        bundles: by release.
    """

    folder: Path
    ring: Path
    bundles: dict[int, Path]

    def call(self, *words: str) -> str:
        """A command of this machine's; returns what it printed. Raises BoardFault."""
        done = subprocess.run(
            haetae(*words),
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode:
            raise BoardFault(f"haetae {' '.join(words)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def camera(self) -> Camera:
        """The camera that takes its bundles, as the judges of power cuts know it."""
        board = load_board(str(BOARD_FILE))
        return Camera(facts_of(board), self.ring.read_bytes(), RELEASES, self.bundles[3])


def open_vendor(folder: Path) -> Vendor:
    """Make keys, a key ring and two bundles of the students that ship."""
    vendor = open_keys(folder)
    phrase = ("--passphrase-file", "phrase")
    content = tiny_tflite.build()
    tiny_tflite.write_package(
        folder / DETECTOR, tiny_tflite.description(content, ["person"]), content
    )
    for release, counter in RELEASES.items():
        words = ["--product", PRODUCT, "--version", f"2026.{release}", "--release", str(release)]
        words += ["--counter", str(counter)]
        words += ["--out", vendor.bundles[release].name]
        vendor.call("ota", "build", DETECTOR, *BESIDE, *words, "--key", "release-1.key", *phrase)
    return vendor


def open_keys(folder: Path, product: str = PRODUCT, technician: str = "") -> Vendor:
    """Make keys and the key ring that two roots have signed; one of a technician, if named."""
    folder.mkdir(parents=True)
    (folder / "phrase").write_text(PHRASE + "\n")
    vendor = found_vendor(folder)
    phrase = ("--passphrase-file", "phrase")
    for name, kind in (("root-1", "root"), ("root-2", "root"), ("release-1", "bundle")):
        vendor.call("keys", "new", name, "--kind", kind, "--folder", ".", *phrase)
    roots = ("--root", "root-1.pub", "--root", "root-2.pub")
    made = ["--bundle", "release-1.pub", "--out", "ring"]
    if technician:
        vendor.call("keys", "new", technician, "--kind", "operator", "--folder", ".", *phrase)
        made += ["--technician", f"{technician}.pub"]
    vendor.call("keys", "ring", "new", "--product", product, *roots, *made)
    for root in ("root-1.key", "root-2.key"):
        vendor.call("keys", "ring", "sign", "ring", "--key", root, *phrase, "--yes")
    return vendor


def found_vendor(folder: Path) -> Vendor:
    """Of a folder in which `open_vendor` has been."""
    bundles = {release: folder / f"students-{release}.bundle" for release in RELEASES}
    return Vendor(folder, folder / "ring", bundles)


def make_data(vendor: Vendor, image: Path) -> None:
    """A camera's disk as it comes from the line, with room for marks behind the file system."""
    files = vendor.folder / "data"
    (files / "haetae").mkdir(parents=True)
    shutil.copy(BOARD_FILE, files / "haetae/board.toml")
    shutil.copy(SITE_FILE, files / "haetae/site.toml")
    shutil.copy(vendor.ring, files / "haetae/ring")
    shutil.copytree(vendor.folder / DETECTOR, files / "haetae" / DETECTOR)
    make_disk(image, DISK_MB, files)
    os.truncate(image, image.stat().st_size + AREA_BYTES)


def make_stick(image: Path, bundle: Path) -> None:
    """A USB stick with one bundle, as a technician's PC writes it."""
    subprocess.run(["truncate", "-s", f"{STICK_MB}M", str(image)], check=True)
    path = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    quiet = {"check": True, "env": path, "stdout": subprocess.DEVNULL}
    subprocess.run(["mkfs.vfat", "-n", "HAETAE", str(image)], **quiet)  # type: ignore[call-overload]
    subprocess.run(["mcopy", "-i", str(image), str(bundle), "::"], **quiet)  # type: ignore[call-overload]


def facts_of(board: Board) -> Facts:
    """What the camera of a board file says of itself."""
    updates = board.updates
    assert updates is not None
    return Facts(
        device=updates.device,
        product=updates.product,
        board=board.name,
        soc=board.soc,
        target="tflite",
        runtime=VERSION,
        memory_mb=updates.memory_mb,
        slot_bytes=updates.slot_mb << 20,
        unit_bytes=board.storage.atomic_unit_bytes,
        can_unpack=True,
    )
