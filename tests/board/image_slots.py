"""U-Boot chooses a slot: every way in which one may fail, with the real U-Boot in QEMU.

    python -m tests.board.image_slots IMAGE [CASE]

A disk with the partitions of an image, the real script and boot state, the kernel of an image, and
a user land of 60 lines that says which slot booted. Each case spoils something, boots, and compares
the slot and what U-Boot left in `misc`, to the byte, with `ota.image.boot_state`.

exit codes: 0 passed, 1 failed.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ota.image.boot_script import boot_script
from ota.image.boot_state import (
    COPIES_AT,
    LOST,
    SECTOR_BYTES,
    BootState,
    SlotState,
    factory,
    good,
    misc_image,
    newest,
    to_sector,
    tried,
)
from ota.image.gpt import partitions
from tests.places import REPOSITORY

BUILD = REPOSITORY / "build" / "slots"
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
TOOLS = {
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "cpio": "cpio",
    "sfdisk": "fdisk",
    "mkfs.vfat": "dosfstools",
}
"""Commands, and the Debian packages that they are in, beside what makes an image."""
MODULES = ("virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")
LONGEST_S = 300
MIB = 1 << 20
PARTS = {"boot": 4, "misc": 1, "boot_a": 64, "boot_b": 64, "root_a": 1, "root_b": 1}
"""Partition -> MiB, each at a whole MiB, in this order from the first MiB on."""


@dataclass(frozen=True)
class Disk:
    """A disk of the test."""

    path: Path

    def at(self, part: str) -> int:
        """Where a partition begins."""
        names = list(PARTS)
        return MIB * (1 + sum(PARTS[name] for name in names[: names.index(part)]))

    def put(self, part: str, data: bytes, offset: int = 0) -> None:
        with self.path.open("r+b") as file:
            file.seek(self.at(part) + offset)
            file.write(data)

    def copies(self) -> tuple[bytes, bytes]:
        with self.path.open("rb") as file:
            found = []
            for at in COPIES_AT:
                file.seek(self.at("misc") + at)
                found.append(file.read(SECTOR_BYTES))
        return found[0], found[1]

    def state(self) -> BootState:
        state, _, faults = newest(self.copies())
        assert state is not None, faults
        return state


def call(*command: object, **how) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, **how)


def base(image: Path) -> Disk:
    """The disk that every case starts from, with the kernel of a real image."""
    shutil.rmtree(BUILD, ignore_errors=True)
    for folder in ("init", "theirs"):
        (BUILD / folder).mkdir(parents=True)
    at = partitions(image)["boot_a"].at
    for name in ("vmlinuz", "initrd.img"):
        call("mcopy", "-i", f"{image}@@{at}", f"::{name}", BUILD / "theirs")
    packed = gzip.decompress((BUILD / "theirs/initrd.img").read_bytes())
    call("cpio", "-id", "--quiet", "modules/*", cwd=BUILD / "theirs", input=packed)
    kernel = BUILD / "theirs/vmlinuz"
    initrd(BUILD / "theirs/modules")
    script = BUILD / "boot.cmd"
    script.write_text(boot_script("ttyAMA0", "quiet panic=1"))
    call("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-d", script, BUILD / "boot.scr")
    disk = Disk(BUILD / "base.img")
    with disk.path.open("wb") as file:
        file.truncate(MIB * (2 + sum(PARTS.values())))
    lines = [f"size={size}MiB, name={name}" for name, size in PARTS.items()]
    call("sfdisk", "-q", disk.path, input="\n".join(["label: gpt", *lines]).encode())
    vfat(disk, "boot", {"boot.scr": BUILD / "boot.scr"})
    for part in ("boot_a", "boot_b"):
        vfat(disk, part, {"vmlinuz": kernel, "initrd.img": BUILD / "initrd.img"})
    disk.put("misc", misc_image(factory()))
    for part in ("root_a", "root_b"):
        disk.put(part, b"hsqs")
    return disk


def initrd(modules: Path) -> None:
    source, init = REPOSITORY / "tests/board/guest/slot_init.c", BUILD / "init/init"
    flags = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-static")
    call("aarch64-linux-gnu-gcc", *flags, "-o", init, source)
    for name in MODULES:
        shutil.copy(next(modules.rglob(f"{name}.ko")), BUILD / "init")
    with (BUILD / "initrd.img").open("wb") as packed:
        names = "\n".join(one.name for one in sorted((BUILD / "init").iterdir()))
        options = {"cwd": BUILD / "init", "stdout": packed, "stderr": subprocess.DEVNULL}
        subprocess.run(["cpio", "-o", "-H", "newc"], input=names.encode(), check=True, **options)


def vfat(disk: Disk, part: str, files: dict[str, Path]) -> None:
    made = BUILD / f"{part}.vfat"
    with made.open("wb") as file:
        file.truncate(PARTS[part] * MIB)
    call("mkfs.vfat", made)
    for name, path in files.items():
        call("mcopy", "-i", made, path, f"::{name}")
    disk.put(part, made.read_bytes())
    made.unlink()


def boot(disk: Disk, until: str = "", times: int = 1) -> tuple[list[str], list[str]]:
    """Power on until the guest powers off, or until a text was printed so often: then cut.

    Returns:
        What U-Boot said of us, and what the guests said of theirs.
    """
    command = [
        "timeout",
        str(LONGEST_S),
        "qemu-system-aarch64",
        "-M",
        "virt",
        "-cpu",
        "cortex-a57",
        "-accel",
        "tcg",
    ]
    command += ["-smp", "1", "-m", "512", "-bios", str(UBOOT), "-nic", "none", "-display", "none"]
    command += ["-serial", "stdio", "-monitor", "none", "-device", "virtio-blk-pci,drive=d"]
    command += ["-drive", f"if=none,id=d,file={disk.path},format=raw,cache=writeback"]
    said: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as machine:
        assert machine.stdout is not None
        try:
            for line in machine.stdout:
                said.append(line.strip())
                if until and sum(until in one for one in said) >= times:
                    break
            assert not until or any(until in one for one in said), said[-30:]
        finally:
            machine.terminate()
    (BUILD / "console.log").write_text("\n".join(said))
    ours = [line.partition("haetae: ")[2] for line in said if line.startswith("haetae: ")]
    return ours, [line for line in said if "slot-test:" in line]


def came_up(guests: list[str], slot: str) -> bool:
    """Whether the last guest is up from this slot, with the kernel command line for it."""
    words = guests[-1].split() if guests else []
    wanted = {f"root=PARTLABEL=root_{slot}", f"haetae.slot={slot}", f"rauc.slot={slot}", "ro"}
    return "up" in words and wanted <= set(words)


Case = Callable[[Disk], Iterator[tuple[str, bool]]]


def both_good(disk: Disk) -> Iterator[tuple[str, bool]]:
    state = disk.state()
    _, guests = boot(disk)
    yield "slot a is up", came_up(guests, "a")
    yield "one try was taken", disk.state() == replace(tried(state)[0], seq=state.seq + 1)
    yield "to the byte as we write it", to_sector(disk.state()) in disk.copies()
    before = disk.state()
    disk.put("misc", to_sector(replace(good(before, "a"), seq=before.seq + 1)), COPIES_AT[1])
    boot(disk)
    yield "marked good it has all tries less one", disk.state().a == SlotState(2, True)


def bad_kernel(disk: Disk) -> Iterator[tuple[str, bool]]:
    disk.put("misc", misc_image(BootState(("b", "a"), SlotState(3, True), SlotState(3), 7)))
    (BUILD / "junk").write_bytes(b"\x55" * MIB)
    vfat(disk, "boot_b", {"vmlinuz": BUILD / "junk", "initrd.img": BUILD / "initrd.img"})
    ours, guests = boot(disk)
    yield "U-Boot says so", "slot b cannot be booted" in ours
    yield "slot a is up in the same boot", came_up(guests, "a")
    state = disk.state()
    yield "a try was taken from each", (state.a.left, state.b.left, state.seq) == (2, 2, 10)


def empty_boot_partition(disk: Disk) -> Iterator[tuple[str, bool]]:
    disk.put("misc", misc_image(BootState(("b", "a"), SlotState(3, True), SlotState(3), 7)))
    disk.put("boot_b", bytes(PARTS["boot_b"] * MIB))
    _, guests = boot(disk)
    yield "slot a is up in the same boot", came_up(guests, "a")


def damaged_root(disk: Disk) -> Iterator[tuple[str, bool]]:
    disk.put("misc", misc_image(BootState(("b", "a"), SlotState(3, True), SlotState(3), 7)))
    disk.put("root_b", b"\xff" * 4096)
    _, guests = boot(disk)
    tries = [line for line in guests if "root_b is bad" in line]
    yield f"b was tried three times ({len(tries)})", len(tries) == 3
    yield "then a is up", came_up(guests, "a")
    yield "b is spent", disk.state().b == SlotState(0, False) and disk.state().a.left == 2


def one_copy_damaged(disk: Disk) -> Iterator[tuple[str, bool]]:
    for number, at in enumerate(COPIES_AT):
        older = BootState(("a", "b"), SlotState(3), SlotState(3), 20)
        disk.put("misc", misc_image(replace(older, seq=20)))
        disk.put("misc", b"\xa5" * 100, at + 17)
        before = disk.state()
        ours, guests = boot(disk)
        told = f"copy {number + 1} of the boot state is damaged"
        yield f"copy {number + 1}: told, and a is up", told in ours and came_up(guests, "a")
        both = disk.copies()
        kept = newest((both[0], bytes(SECTOR_BYTES)))[0], newest((bytes(SECTOR_BYTES), both[1]))[0]
        yield "the damaged copy was written, the good one left", None not in kept
        yield "and it counts now", disk.state().seq == before.seq + 1


def both_copies_damaged(disk: Disk) -> Iterator[tuple[str, bool]]:
    disk.put("misc", bytes(MIB))
    ours, guests = boot(disk)
    yield "told", any("no boot state can be used" in line for line in ours)
    yield "a is up", came_up(guests, "a")
    yield "one copy is written", disk.state() == replace(tried(LOST)[0], seq=1)


def all_spent(disk: Disk) -> Iterator[tuple[str, bool]]:
    spent = BootState(("b", "a"), SlotState(0, True), SlotState(0, False), 30)
    disk.put("misc", misc_image(spent))
    ours, guests = boot(disk)
    yield "told", any("all of them get theirs back" in line for line in ours)
    yield "the proved slot is up", came_up(guests, "a")
    yield "as our rules say", disk.state() == replace(tried(spent)[0], seq=33)


def nothing_boots(disk: Disk) -> Iterator[tuple[str, bool]]:
    for part in ("root_a", "root_b"):
        disk.put(part, bytes(4096))
    disk.put("misc", misc_image(BootState(("a", "b"), SlotState(1), SlotState(1), 7)))
    _, guests = boot(disk, until="root_a is bad", times=2)
    tries = "".join(line.partition("root_")[2][0] for line in guests)
    yield f"a, b, and all over again ({tries})", tries == "aba"


def cut_between_take_and_boot(disk: Disk) -> Iterator[tuple[str, bool]]:
    state = disk.state()
    for number in (1, 2):
        boot(disk, until="haetae: slot a, try of")
        yield f"cut {number}: a try is gone", disk.state().a.left == 3 - number
    _, guests = boot(disk)
    yield "the last one comes up", came_up(guests, "a")
    yield (
        "nothing else has changed",
        disk.state() == replace(state, a=SlotState(0, True), seq=state.seq + 3),
    )
    _, guests = boot(disk)
    yield "the fourth goes to the other slot", came_up(guests, "b")


def torn_table(disk: Disk) -> Iterator[tuple[str, bool]]:
    """As a power cut leaves it while `data` grows; the copy at the end of the disk is whole."""
    with disk.path.open("r+b") as file:
        file.seek(2 * SECTOR_BYTES + 40)
        file.write(b"\xa5" * 8)
    _, guests = boot(disk)
    yield "slot a is up by the other copy", came_up(guests, "a")


CASES: tuple[Case, ...] = (
    both_good,
    bad_kernel,
    empty_boot_partition,
    damaged_root,
    one_copy_damaged,
    both_copies_damaged,
    all_spent,
    nothing_boots,
    cut_between_take_and_boot,
    torn_table,
)


Expect = Callable[[str, bool], None]
"""Is told what was looked at, and whether it was so."""


def story(expect: Expect, image: Path, only: str = "") -> None:
    """All cases, or one."""
    clean = base(image)
    for case in CASES:
        if only in ("", case.__name__):
            disk = Disk(BUILD / "disk.img")
            call("cp", "--sparse=always", clean.path, disk.path)
            for text, is_right in case(disk):
                expect(f"{case.__name__.replace('_', ' ')}: {text}", is_right)


def run(tell: Callable[[Expect], None]) -> int:
    """Print what a story tells; 1 where something was not so."""
    began, failed = time.monotonic(), [0]

    def expect(what: str, is_right: bool) -> None:
        failed[0] += not is_right
        took_s = time.monotonic() - began
        print(f"{took_s:6.1f} s  {'ok  ' if is_right else 'FAIL'}  {what}", flush=True)

    tell(expect)
    return int(failed[0] > 0)


if __name__ == "__main__":
    os.nice(5)
    sys.exit(run(lambda expect: story(expect, Path(sys.argv[1]), *sys.argv[2:])))
