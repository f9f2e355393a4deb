"""Whole-image updates on the real image in QEMU: installed, proved, refused, fallen back from.

    python -m tests.board.image_update IMAGE

The unchanged image boots through U-Boot. USB sticks are plugged in; all that a camera does about
them it does by itself, and is read off its console, since nobody can log in:

1. bundles of another board and of another vendor are refused, and nothing is written;
2. a good one goes to the slot that does not run; the camera restarts from there, and the new image
   proves itself: it judges pictures and is healthy; then the students on the same stick have their
   turn, who are another vendor's and are refused;
3. one with a broken root fails its three tries, and the camera is back on what ran before.

exit codes: 0 passed, 1 failed, or not run (it says why).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ota.image.boot_state import BootState, SlotState, newest
from ota.image.bundle import Signer, build_bundle, compatible_of, copy_part, squashfs_part
from ota.image.gpt import partitions
from ota.image.rauc_files import PROVISIONED_RING
from tests.board.image_board import SHIFT, UBOOT, copies
from tests.board.image_slots import Expect, run
from tests.board.machine import Drive, VirtualBoard
from tests.ota import vendor
from tests.ota.bundles import fake_files, signed
from tests.places import REPOSITORY

BUILD = REPOSITORY / "build" / "image" / "update"
TOOLS = {"openssl": "openssl", "debugfs": "e2fsprogs", "rauc": "rauc", "sfdisk": "fdisk"}
"""Commands, and the Debian packages that they are in, beside what makes an image."""
BOOT_S = 900.0
"""Until the camera is there, on a machine that does other things, too."""
INSTALL_S, PROVE_S = 900.0, 900.0
MIB = 1 << 20
FLASH_BYTES = 1 << 30
EXTRA = ("-machine", "acpi=off", "-action", "watchdog=none")
"""With a firmware and ACPI the machine has no PL061. A slow machine is no reason to bite."""


def call(*command: object, **how) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, **how)


def authority(name: str) -> Signer:
    """A vendor's own certificate, and the key that it signs with."""
    certificate, key = BUILD / f"{name}.pem", BUILD / f"{name}.key"
    options = ("-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", f"/CN={name}")
    call("openssl", "req", "-x509", *options, "-keyout", key, "-out", certificate)
    return Signer(str(certificate), str(key), certificate)


def provision(disk: Path, certificate: Path) -> None:
    """What the vendor's line puts on /data: the key ring, and the certificate for images."""
    part = partitions(disk)["data"]
    data, ring = BUILD / "data.ext4", BUILD / "ring.bin"
    copy_part(disk, part, data)
    ring.write_bytes(vendor.ring(1, product="haetae"))
    name = Path(PROVISIONED_RING).name
    lines = ["mkdir haetae", "cd haetae", f"write {ring} ring.bin", f"write {certificate} {name}"]
    call("debugfs", "-w", data, input="\n".join(lines).encode())
    with disk.open("r+b") as file:
        file.seek(part.at)
        file.write(data.read_bytes())
    data.unlink()


def small_bundle(name: str, compatible: str, signer: Signer) -> Path:
    """A signed bundle of a root that is none."""
    content, out = BUILD / f"{name}.content", BUILD / f"{name}.raucb"
    content.mkdir()
    (content / "rootfs.img").write_bytes(os.urandom(MIB))
    manifest = f"[update]\ncompatible={compatible}\nversion=3\n[bundle]\nformat=verity\n"
    (content / "manifest.raucm").write_text(f"{manifest}[image.rootfs]\nfilename=rootfs.img\n")
    call("rauc", "bundle", f"--cert={signer.certificate}", f"--key={signer.key}", content, out)
    return out


def stick(bundle: Path) -> Path:
    """A stick with a bundle, and beside it students of another vendor."""
    image, students = BUILD / f"{bundle.stem}.stick", BUILD / "students"
    students.write_bytes(signed(fake_files(), signers=("other",), product="haetae", release=5))
    with image.open("wb") as file:
        file.truncate(bundle.stat().st_size + 16 * MIB)
    call("sfdisk", "-q", image, input=b"label: dos\nstart=1MiB, type=c\n")
    call("mkfs.vfat", "--offset", 2048, image)
    call("mcopy", "-i", f"{image}@@1M", bundle, "::update.raucb")
    if bundle.stem == "good":
        call("mcopy", "-i", f"{image}@@1M", students, "::")
    return image


def make(image: Path) -> tuple[Path, dict[str, Path]]:
    """The disk of the camera, and the sticks."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    disk, root = BUILD / "disk.img", BUILD / "root.sqfs"
    call("cp", "--sparse=always", image, disk)
    copy_part(image, squashfs_part(image, partitions(image)["root_a"]), root)
    name = compatible_of(root)
    ours, others = authority("vendor"), authority("other")
    assert ours.authority is not None
    provision(disk, ours.authority)
    with disk.open("r+b") as file:
        file.truncate(FLASH_BYTES)  # a flash is larger than the image; data takes the rest
    good = BUILD / "good.raucb"
    build_bundle(image, good, "2", ours)
    made = {
        "other vendor": small_bundle("forged", name, others),
        "other board": small_bundle("board", "haetae-other", ours),
        "good": good,
        "broken": small_bundle("broken", name, ours),
    }
    return disk, {key: stick(path) for key, path in made.items()}


def state(disk: Path) -> BootState:
    """What stands in `misc` now."""
    found, _, faults = newest(copies(disk))
    assert found is not None, faults
    return found


def steps(board: VirtualBoard, disk: Path, sticks: dict[str, Path]) -> Iterator[tuple[str, bool]]:
    """Step by step; each ends in what was seen."""
    board.wait_line(r"haetae-boot\[\d+\]: slot a has proved itself before", BOOT_S)
    yield "the image is up from slot a, as it was flashed", True
    before = state(disk)
    for name, why in (("other vendor", "signature"), ("other board", "compatible")):
        board.plug_stick(sticks[name])
        said = board.wait_line(r"update\.raucb was refused: (.*)", INSTALL_S)[1]
        yield f"a bundle of an{name} is refused: {said}", why in said.lower()
        board.pull_stick()
    yield "nothing was written for them", state(disk) == before
    board.plug_stick(sticks["good"])
    board.wait_line(r"haetae-boot\[\d+\]: installed; the camera restarts", INSTALL_S)
    board.wait_line(r"haetae: slot b, try of 3 left", BOOT_S)
    now = state(disk)
    yield "a good one is installed, and U-Boot tries slot b", now.b == SlotState(2, False)
    board.wait_line(r"haetae-boot\[\d+\]: slot b has proved itself$", PROVE_S)
    now = state(disk)
    yield "it judges pictures, and is kept", (now.b, now.primary) == (SlotState(3, True), "b")
    board.wait_line(r"update\.raucb was tried before", BOOT_S)
    yield "the stick that is still in does not bring it again", True
    board.wait_line(r"haetae-boot\[\d+\]: students on the stick", BOOT_S)
    said = board.wait_line(r"stick: the camera refuses it: (.*)", BOOT_S)[1]
    yield f"its students come after the image, and are refused: {said}", "signature" in said
    board.pull_stick()
    board.plug_stick(sticks["broken"])
    board.wait_line(r"haetae-boot\[\d+\]: installed; the camera restarts", INSTALL_S)
    for left in (3, 2, 1):
        board.wait_line(rf"haetae: slot a, try of {left} left", BOOT_S)
    board.wait_line(r"haetae: slot b, try of 3 left", BOOT_S)
    yield "a broken root has its three tries, and U-Boot goes back to slot b", True
    board.wait_line(r"haetae-boot\[\d+\]: slot b has proved itself before", BOOT_S)
    now = state(disk)
    yield "the camera is up from b", (now.a, now.b.left) == (SlotState(0, False), 3)


def story(expect: Expect, image: Path) -> None:
    """Make everything, and go through the steps. Raises BoardFault: one of them was not seen."""
    began = time.monotonic()
    disk, sticks = make(image)
    size_mb = (BUILD / "good.raucb").stat().st_size / 1e6
    took_s = time.monotonic() - began
    expect(f"a bundle is made, {size_mb:.0f} MB; with the others in {took_s:.0f} s", True)
    drives = [Drive(disk, "disk")]
    with VirtualBoard(
        BUILD, bios=UBOOT, drives=drives, memory_mb=1024, extra=EXTRA, is_steady=True, shift=SHIFT
    ) as board:
        for text, is_right in steps(board, disk, sticks):
            expect(text, is_right)
    for path in (disk, *sticks.values()):
        path.unlink()


if __name__ == "__main__":
    os.nice(5)
    sys.exit(run(lambda expect: story(expect, Path(sys.argv[1]))))
