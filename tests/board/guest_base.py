"""Kernel, root and first program of the virtual board, of Debian packages and wheels.

Made anew when this file or what it names changes; nothing of the repository's own is in it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.board import arm64

REQUIREMENTS = Path(__file__).with_name("guest_requirements.txt")
PACKAGES = f"{arm64.PYTHON},busybox-static,v4l-utils,linux-image-arm64"
FIRST_MODULES = ("virtio_pci", "virtio_blk", "ext4")
"""What it takes to find the root."""
MODULES = (
    *("i6300esb", "vivid"),
    *("usb-storage", "xhci_pci", "sd_mod", "ftdi_sio", "virtio_console", "virtio_net"),
    *("vfat", "nls_cp437", "nls_ascii", "nls_iso8859-1", "9p", "9pnet_virtio", "loop", "squashfs"),
)
"""What else can be loaded on the board."""
LEFT_OUT = ("boot", "lib/modules", "usr/share/doc", "usr/share/man", "usr/share/locale")
LIBRARIES = "usr/local/lib/python3.11/dist-packages"
FOLDERS = ("data", "dev", "mnt", "opt/haetae", "proc", "run", "sys", "tmp")
APPLETS = (
    *("sh", "cat", "echo", "grep", "head", "insmod", "ip", "kill", "ls", "mkdir", "mkfifo"),
    *("modprobe", "mount", "pidof", "pkill", "ps", "rm", "rmdir", "sed", "sleep", "sort"),
    *("stty", "sync", "tail", "test", "tr", "umount", "uname", "wc", "poweroff", "reboot"),
    *("hexdump", "md5sum", "cmp", "df", "dmesg", "find", "free", "lsmod", "lsusb", "xargs"),
    *("setsid", "nohup", "timeout", "date", "printf", "cut", "awk", "blkid", "seq", "usleep"),
)
"""What init and the stories take from busybox: this machine may not run it to ask."""


def fingerprint() -> str:
    """Changes with whatever the base is made from."""
    made_from = [Path(__file__), Path(arm64.__file__), REQUIREMENTS]
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:12]


def build_base(new: Path) -> None:
    """Into a folder: kernel, root.img, and first/ with what the first program needs."""
    root = new / "root"
    arm64.unpack_root(root, PACKAGES)
    kernel = next((root / "boot").glob("vmlinuz-*"))
    shutil.copy(kernel, new / "kernel")
    modules = Modules(root, kernel.name.removeprefix("vmlinuz-"))
    _first(new, modules)
    kept = modules.keep(new / "modules")
    for name in LEFT_OUT:
        shutil.rmtree(root / name, ignore_errors=True)
    shutil.copytree(kept, root / "lib/modules")
    print("downloading wheels", flush=True)
    arm64.unpack_wheels(root / LIBRARIES, ("-r", str(REQUIREMENTS)), new / "wheels")
    arm64.precompile(root / "usr/lib/python3.11")
    arm64.precompile(root / LIBRARIES)
    _finish(root)
    make_disk(new / "root.img", size_mb(root) * 5 // 4 + 64, root, "-O", "^has_journal")
    for name in ("root", "modules", "wheels"):
        shutil.rmtree(new / name)


def _finish(root: Path) -> None:
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for applet in APPLETS:
        place = root / "bin" / applet
        if not any((root / f / applet).exists() for f in ("bin", "sbin", "usr/bin", "usr/sbin")):
            place.symlink_to("busybox")
    for name in ("sh", "modprobe"):
        (root / "bin" / name).unlink(missing_ok=True)
        (root / "bin" / name).symlink_to("busybox")
    (root / "etc/modprobe.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/modprobe.d/board.conf").symlink_to("/opt/haetae/board/modprobe.conf")


class Modules:
    """The kernel's modules in an unpacked root."""

    def __init__(self, root: Path, version: str) -> None:
        self._root, self.version = root, version
        subprocess.run(["/sbin/depmod", "-b", str(root), version], check=True)

    def needed(self, *names: str) -> list[Path]:
        """Files of these modules and of those that they need, in the order of loading."""
        found: dict[Path, None] = {}
        for name in names:
            command = ["/sbin/modprobe", "-d", str(self._root), "-C", "/dev/null"]
            command += ["-S", self.version, "--show-depends", name]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            for words in map(str.split, told.splitlines()):
                if words[0] == "insmod":
                    found[Path(words[1])] = None
        return list(found)

    def keep(self, folder: Path) -> Path:
        """Copy those that the board may load to a folder of their own; returns it."""
        top = folder / "lib/modules" / self.version
        for path in self.needed(*FIRST_MODULES, *MODULES):
            place = top / path.relative_to(self._root / "lib/modules" / self.version)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
        for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
            shutil.copy(self._root / "lib/modules" / self.version / name, top)
        subprocess.run(["/sbin/depmod", "-b", str(folder), self.version], check=True)
        return folder / "lib/modules"


def _first(new: Path, modules: Modules) -> None:
    """What the first program needs."""
    first = new / "first"
    for name in ("bin", "dev", "proc", "sys", "new", "modules"):
        (first / name).mkdir(parents=True)
    shutil.copy(new / "root/bin/busybox", first / "bin/busybox")
    files = modules.needed(*FIRST_MODULES)
    for path in files:
        shutil.copy(path, first / "modules")
    (first / "modules/load").write_text("".join(f"{path.name}\n" for path in files))


def make_disk(image: Path, size_mb: int, folder: Path | None = None, *options: str) -> None:
    """An ext4 image, with the files of a folder; everything in it belongs to root."""
    image.parent.mkdir(parents=True, exist_ok=True)
    image.unlink(missing_ok=True)
    filled = ["-d", str(folder)] if folder else []
    command = ["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", *options, *filled]
    subprocess.run([*command, str(image), f"{size_mb}M"], check=True, stdout=subprocess.DEVNULL)


def size_mb(folder: Path) -> int:
    """Of its files, each in whole blocks."""
    used = sum(p.lstat().st_size + 4096 for p in folder.rglob("*"))
    return used >> 20
