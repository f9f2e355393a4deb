"""Debian's kernel: the modules that a board needs, and an initrd that finds the root."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ota.image.config import BoardImage
from ota.image.tools import epoch_s, run_tool
from ota.refusal import Refused

INIT: Final = Path(__file__).parent / "initrd_init.sh"
MODULES: Final = "usr/lib/modules"
_FOLDER, _FILE = 0o040755, 0o100644
_RUNS: Final = 0o100755


def install_modules(root: Path, kernel: Path, image: BoardImage) -> str:
    """Copy the modules that the image file names, with what they need; returns the version."""
    version, needs = _dependencies(kernel)
    source, target = kernel / MODULES / version, root / MODULES / version
    for name in _closure(needs, (*image.modules, *image.initrd_modules, *image.load)):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copyfile(source / name, target / name)
    run_tool("depmod", "-b", root / "usr", version)
    return version


def make_initrd(kernel: Path, root: Path, image: BoardImage, initrd: Path) -> None:
    """Write an initrd: busybox, the modules in the order of their needs, our script."""
    version, needs = _dependencies(kernel)
    modules = _closure(needs, image.initrd_modules)
    entries: list[tuple[str, int, bytes]] = [
        *((name, _FOLDER, b"") for name in ("bin", "dev", "proc", "sys", "newroot", "modules")),
        ("bin/busybox", _RUNS, (root / "usr/bin/busybox").read_bytes()),
        ("init", _RUNS, INIT.read_bytes()),
        ("modules/order", _FILE, "".join(f"{Path(n).name}\n" for n in modules).encode()),
    ]
    for name in modules:
        content = (kernel / MODULES / version / name).read_bytes()
        entries.append((f"modules/{Path(name).name}", _FILE, content))
    packed = b"".join(_newc(entries))
    initrd.write_bytes(gzip.compress(packed, compresslevel=6, mtime=0))


def kernel_file(kernel: Path) -> Path:
    """The kernel itself. Raises Refused where there is none."""
    found = sorted((kernel / "boot").glob("vmlinuz-*"))
    if not found:
        raise Refused("unavailable", f"{kernel}/boot holds no kernel")
    return found[-1]


def _dependencies(kernel: Path) -> tuple[str, dict[str, list[str] | None]]:
    """Version, and for each module's file those that it needs, deepest first; None: built in."""
    version = kernel_file(kernel).name.removeprefix("vmlinuz-")
    table = kernel / MODULES / version / "modules.dep"
    if not table.is_file():
        run_tool("depmod", "-b", kernel / "usr", version)
    built_in = (table.parent / "modules.builtin").read_text().split()
    needs: dict[str, list[str] | None] = dict.fromkeys(built_in)
    for line in table.read_text().splitlines():
        name, _, rest = line.partition(":")
        needs[name] = rest.split()[::-1]
    return version, needs


def _closure(needs: dict[str, list[str] | None], names: Iterable[str]) -> list[str]:
    """Files of modules and of what they need, in the order in which they load."""
    files = {Path(file).name.removesuffix(".ko").replace("-", "_"): file for file in needs}
    found: dict[str, None] = {}
    for name in names:
        file = files.get(name.replace("-", "_"))
        if file is None:
            raise Refused("argument", f"the kernel has no module {name}: see the image file")
        before = needs[file]
        if before is not None:
            found.update(dict.fromkeys([*before, file]))
    return list(found)


def _newc(entries: Iterable[tuple[str, int, bytes]]) -> Iterator[bytes]:
    """An archive as the kernel unpacks it (Linux, driver-api/early-userspace/buffer-format)."""
    seconds = epoch_s()
    for number, (name, mode, content) in enumerate((*entries, ("TRAILER!!!", 0, b""))):
        path = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, seconds, len(content), 0, 0, 0, 0, len(path), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields)
        yield _padded(head + path) + _padded(content)


def _padded(block: bytes) -> bytes:
    return block + bytes(-len(block) % 4)
