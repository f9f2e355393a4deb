"""`haetae image build`: from packages and wheels to one file to flash."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ota.image.boot_files import DEVICE_TREE, INITRD, KERNEL, ROOT, SCRIPT, SUMS, sums
from ota.image.boot_script import boot_script
from ota.image.boot_state import factory, misc_image
from ota.image.config import BoardImage
from ota.image.kernel import kernel_file, make_initrd
from ota.image.layout import (
    MIB,
    SIZES_MIB,
    Blob,
    check_blobs,
    genimage_config,
    identifier,
    vfat_config,
)
from ota.image.root import Product, make_root, pack_root
from ota.image.sources import Sources
from ota.image.tools import EPOCH_S, need_programs, run_tool
from ota.refusal import Refused

DATA_FEATURES: Final = "^metadata_csum,^metadata_csum_seed,^orphan_file"
"""A mount writes ext4's superblock in place: with a sum, one that a power cut tore is lost."""
DATA_BLOCK_BYTES: Final = 4096
"""As large as a slot of the journal, and room to grow."""


@dataclass(frozen=True)
class Vendor:
    """What comes from the board's vendor.

    Attributes:
        kernel: arm64 Image, with root, flash and file systems built in.
        initrd, dtb: where the kernel wants them.
        loaders: what the SoC's boot ROM starts, at its places.
        wheel: of the runtime, where it is not made of the source tree.
        certificate: PEM of the authority for whole-image updates; public.
    """

    kernel: Path | None = None
    initrd: Path | None = None
    dtb: Path | None = None
    loaders: Sequence[Blob] = field(default=())
    wheel: Path | None = None
    certificate: Path | None = None


def check_vendor(image: BoardImage, vendor: Vendor, board: str) -> None:
    """Raises Refused "argument" with all that the board's vendor has to give and did not."""
    if image.unsupported:
        raise Refused("argument", f"no image for {board}: {' '.join(image.unsupported.split())}")
    given = {"kernel": vendor.kernel, "dtb": vendor.dtb, "bootloader": vendor.loaders}
    missing = [f"--{name}" for name in image.vendor_needs if not given[name]]
    if missing:
        words = f"an image for {board} needs {', '.join(missing)}: {image.vendor_help.strip()}"
        raise Refused("argument", words)
    files = [vendor.kernel, vendor.initrd, vendor.dtb, vendor.wheel, vendor.certificate]
    gone = [str(file) for file in files if file is not None and not file.is_file()]
    gone += [str(blob.file) for blob in vendor.loaders if not blob.file.is_file()]
    if gone:
        raise Refused("argument", f"there is no file {', '.join(gone)}")
    check_blobs(vendor.loaders)


def build_image(
    product: Product, vendor: Vendor, sources: Sources, out: Path, tell: Callable[[str], None]
) -> None:
    """Build an image; `out` is there only when all of it was made.

    Args:
        out: written over.
        tell: is told what is being done.

    Raises:
        Refused: "argument": something is missing; "unavailable": a tool is missing or failed;
            "size": a part does not fit its partition.
        OSError: a file cannot be read or written.
    """
    need_programs()
    check_vendor(product.image, vendor, product.board.name)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".image-") as folder:
        tell("the root file system")
        root = make_root(product, sources, Path(folder), vendor.wheel, vendor.certificate)
        assemble(product, vendor, root, out, tell)


def assemble(
    product: Product, vendor: Vendor, root: Path, out: Path, tell: Callable[[str], None]
) -> None:
    """Make an image of a root's tree; as `build_image`.

    Args:
        root: beside it, in kernel/, are the files of Debian's kernel where the board has that.
    """
    parts = root.parent / "parts"
    parts.mkdir()
    tell("packing it")
    pack_root(root, parts / "root_a")
    (parts / "root_b").hardlink_to(parts / "root_a")
    tell("partitions")
    _boot_files(product, vendor, root, parts)
    _small_parts(product, parts)
    _check_sizes(parts)
    for number, blob in enumerate(vendor.loaders):
        shutil.copyfile(blob.file, parts / f"loader{number}")
    made = _genimage(parts, genimage_config(product.board.name, vendor.loaders), "disk.img")
    made.rename(out)


def _boot_files(product: Product, vendor: Vendor, root: Path, parts: Path) -> None:
    """The partitions boot, boot_a and boot_b."""
    board, image, work = product.board.name, product.image, root.parent
    kernel = vendor.kernel or kernel_file(work / "kernel")
    shutil.copyfile(kernel, parts / KERNEL)
    files = [KERNEL]
    if image.kernel == "debian" and vendor.kernel is None:
        make_initrd(work / "kernel", root, image, parts / INITRD)
        files.append(INITRD)
    elif vendor.initrd is not None:
        shutil.copyfile(vendor.initrd, parts / INITRD)
        files.append(INITRD)
    if vendor.dtb is not None:
        shutil.copyfile(vendor.dtb, parts / DEVICE_TREE)
        files.append(DEVICE_TREE)
    script = parts / "boot.cmd"
    script.write_text(boot_script(image.console, " ".join(image.arguments)))
    name = f"haetae {board}"
    command = ("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", name)
    run_tool(*command, "-d", script, parts / SCRIPT)
    (parts / SUMS).write_text(
        sums([(ROOT, parts / "root_a"), *((name, parts / name) for name in files)])
    )
    files.append(SUMS)
    for part, inside in (("boot", [SCRIPT]), ("boot_a", files), ("boot_b", files)):
        _genimage(parts, vfat_config(part, board, inside), part).rename(parts / part)


def _small_parts(product: Product, parts: Path) -> None:
    """The partitions misc and data."""
    (parts / "misc").write_bytes(misc_image(factory()))
    data, board = parts / "data", product.board.name
    with data.open("wb") as file:
        file.truncate(SIZES_MIB["data"] * MIB)
    options = f"hash_seed={identifier(board, 'hash seed')},lazy_itable_init=0,root_owner=0:0"
    run_tool(
        "mke2fs", "-q", "-F", "-t", "ext4", "-L", "data", "-U", str(identifier(board, "data fs")),
        "-b", str(DATA_BLOCK_BYTES), "-O", DATA_FEATURES, "-E", options, "-m", "1", data,
        environment={"E2FSPROGS_FAKE_TIME": str(EPOCH_S)},
    )  # fmt: skip


def _check_sizes(parts: Path) -> None:
    for name, mib in SIZES_MIB.items():
        size = (parts / name).stat().st_size
        if size > mib * MIB:
            raise Refused("size", f"{name} has {size / MIB:.1f} MiB, its partition {mib}")


def _genimage(parts: Path, config: str, made: str) -> Path:
    """Run genimage on the files in `parts`; returns what it made."""
    with tempfile.TemporaryDirectory(dir=parts.parent, prefix="genimage-") as folder:
        for name in ("out", "empty"):
            Path(folder, name).mkdir()
        file = Path(folder, "genimage.cfg")
        file.write_text(config)
        run_tool(
            "genimage", "--config", file, "--inputpath", parts, "--outputpath",
            f"{folder}/out", "--rootpath", f"{folder}/empty", "--tmppath", f"{folder}/tmp",
        )  # fmt: skip
        return Path(folder, "out", made).rename(parts.parent / f"{made}.made")
