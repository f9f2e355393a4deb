"""What U-Boot reads of an image: its script, and each slot's kernel with the sums beside it."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ota.image.tools import run_tool
from ota.refusal import Refused

KERNEL: Final = "vmlinuz"
INITRD: Final = "initrd.img"
DEVICE_TREE: Final = "board.dtb"
"""Names in boot_a and boot_b, as the boot script loads them."""
SCRIPT: Final = "boot.scr"
SUMS: Final = "sha256sums"
"""Of those files, and of the root; as sha256sum(1) writes them."""
ROOT: Final = "root.squashfs"
"""How the root is called in the sums."""
_IMAGE_MAGIC: Final = b"ARM\x64"
_MAGIC_AT: Final = 56
"""Linux, arch/arm64/booting.rst: header of an Image."""
_SCRIPT: Final = struct.Struct(">IIIIIIIBBBB32s")
_SCRIPT_MAGIC: Final = 0x27051956
"""U-Boot, include/image.h: the legacy header."""
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")
_SQUASHFS: Final = struct.Struct("<4s36xQ")
_SQUASHFS_BLOCK: Final = 4096


def sums(files: Iterable[tuple[str, Path]]) -> str:
    """Text of SUMS for files and their names."""
    return "".join(f"{_digest(path, path.stat().st_size)}  {name}\n" for name, path in files)


def check_boot(boot: Path, root: Path, folder: Path) -> None:
    """Hold a slot against its sums.

    Args:
        boot, root: the slot's partitions, each as a file.
        folder: the boot files are unpacked there.

    Raises:
        Refused: "malformed" where anything is missing or differs.
    """
    folder.mkdir()
    _fat(boot, folder, "*")
    text = folder / SUMS
    if not text.is_file():
        raise Refused("malformed", f"{SUMS} is missing")
    wanted = {found[2]: found[1] for found in _LINE.finditer(_ascii(text))}
    missing = [name for name in (KERNEL, ROOT) if name not in wanted]
    missing += [name for name in wanted if name != ROOT and not (folder / name).is_file()]
    if missing:
        raise Refused("malformed", f"{', '.join(missing)} missing")
    for name, digest in wanted.items():
        path, size = (root, root_bytes(root)) if name == ROOT else (folder / name, -1)
        if _digest(path, path.stat().st_size if size < 0 else size) != digest:
            raise Refused("malformed", f"{name} is damaged")
    head = (folder / KERNEL).read_bytes()[:64]
    if head[_MAGIC_AT : _MAGIC_AT + 4] != _IMAGE_MAGIC:
        raise Refused("malformed", f"{KERNEL} is no arm64 Image")


def check_script(boot: Path, folder: Path) -> None:
    """Raises Refused "malformed" where U-Boot would refuse the boot script."""
    _fat(boot, folder, SCRIPT)
    block = (folder / SCRIPT).read_bytes()
    if len(block) < _SCRIPT.size:
        raise Refused("malformed", f"{SCRIPT} is too short")
    magic, head_crc, _, size, _, _, data_crc, *_ = _SCRIPT.unpack_from(block)
    head = block[:4] + bytes(4) + block[8 : _SCRIPT.size]
    data = block[_SCRIPT.size : _SCRIPT.size + size]
    if magic != _SCRIPT_MAGIC or zlib.crc32(head) != head_crc or zlib.crc32(data) != data_crc:
        raise Refused("malformed", f"{SCRIPT} is damaged")


def root_bytes(root: Path) -> int:
    """Length of the squashfs in a partition, whole blocks. Raises Refused "malformed"."""
    with root.open("rb") as file:
        magic, used = _SQUASHFS.unpack(file.read(_SQUASHFS.size))
    size = -(-used // _SQUASHFS_BLOCK) * _SQUASHFS_BLOCK
    if magic != b"hsqs" or size > root.stat().st_size:
        raise Refused("malformed", "the root is no squashfs, or is cut off")
    return int(size)


def _fat(partition: Path, folder: Path, names: str) -> None:
    try:
        run_tool("mcopy", "-n", "-s", "-i", partition, f"::{names}", folder)
    except Refused as refused:
        if refused.detail.startswith("mcopy is missing"):
            raise
        raise Refused("malformed", f"its file system: {refused.detail}") from refused


def _ascii(path: Path) -> str:
    return path.read_bytes().decode("ascii", "replace")


def _digest(path: Path, size: int) -> str:
    with path.open("rb") as file:
        digest, left = hashlib.sha256(), size
        while left and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
