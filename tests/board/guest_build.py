"""What the virtual board runs: a kernel, a first program, a root and the repository's own code.

Made below build/board; the first three where they are missing, the code each time.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.board import arm64
from tests.board.guest_base import build_base, fingerprint, make_disk, size_mb
from tests.places import REPOSITORY

BUILD = REPOSITORY / "build" / "board"
GUEST = Path(__file__).parent / "guest"
TOOLS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "modprobe": "kmod",
    "cpio": "cpio",
}
"""Commands, and the Debian packages that they are in."""


@dataclass(frozen=True)
class Guest:
    """Files that a virtual board starts from."""

    kernel: Path
    initrd: Path
    root: Path
    code: Path


def build_guest() -> Guest:
    """Build what is missing. Raises NotHere where tools or packages cannot be had."""
    arm64.need_tools(TOOLS)
    base = BUILD / f"base-{fingerprint()}"
    if not base.is_dir():
        new = BUILD / "base.new"
        shutil.rmtree(new, ignore_errors=True)
        build_base(new)
        for old in BUILD.glob("base-*"):
            shutil.rmtree(old)
        new.rename(base)
    guest = Guest(base / "kernel", BUILD / "initrd", base / "root.img", BUILD / "code.img")
    _pack_first(base / "first", guest.initrd)
    _pack_code(BUILD / "code", guest.code)
    return guest


def _pack_first(first: Path, initrd: Path) -> None:
    shutil.copy(GUEST / "first", first / "init")
    names = "".join(f"{path.relative_to(first)}\n" for path in sorted(first.rglob("*")))
    with initrd.open("wb") as packed:
        command = ["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"]
        subprocess.run(command, cwd=first, input=names.encode(), stdout=packed, check=True)


def _pack_code(folder: Path, image: Path) -> None:
    """The repository's packages, compiled, and what an installation says of them."""
    shutil.rmtree(folder, ignore_errors=True)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]
    for name in sorted({package.split(".")[0] for package in packages} | {"tests"}):
        arm64.precompile(REPOSITORY / name)
        ignore = shutil.ignore_patterns("*.pyc.*", "*.cpython-3[!1]*", "*.nb[ic]", "*.jpg", "*.png")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignore)
    told = folder / f"haetae-{project['project']['version']}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Name: haetae\nVersion: {project['project']['version']}\n")
    (told / "entry_points.txt").write_text("\n".join(_entry_points(project["project"])) + "\n")
    shutil.copytree(GUEST, folder / "board")
    make_disk(image, size_mb(folder) * 5 // 4 + 16, folder, "-O", "^has_journal")


def _entry_points(project: dict[str, dict[str, dict[str, str]]]) -> Iterator[str]:
    for group, entries in project["entry-points"].items():
        yield f"[{group}]"
        yield from (f"{name} = {value}" for name, value in entries.items())
