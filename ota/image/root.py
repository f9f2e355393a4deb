"""The root file system of a camera: Debian's files, the runtime in its own environment, our units.

Nothing of it runs while it is made: what the packages' scripts would do is done here, as far as a
read-only root needs it. It holds no key, no password and no machine's identity.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from drivers.board import Board
from ota.image import accounts, rauc_files, units
from ota.image.config import BoardImage
from ota.image.environment import make_environment
from ota.image.kernel import install_modules
from ota.image.sources import Sources, packages_of
from ota.image.tools import epoch_s, run_tool

HERE: Final = Path(__file__).parent
OVERLAY: Final = HERE / "overlay"
KEPT_ETC: Final = frozenset({
    "ca-certificates", "dbus-1", "debian_version", "host.conf", "ld.so.conf", "ld.so.conf.d",
    "mke2fs.conf", "modprobe.d", "os-release", "python3.11", "ssl", "systemd", "udev",
})  # fmt: skip
"""Of Debian's /etc; the rest belongs to programs that the camera does not have."""
DROPPED: Final = (
    "./dev/*", "./boot", "./packages.txt", "./usr/lib/modules", "./usr/lib/linux-image*",
    "./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/info",
    "./usr/share/lintian", "./usr/share/bash-completion", "./usr/share/zsh", "./usr/share/bug",
    "./usr/share/initramfs-tools", "./usr/share/perl*", "./usr/share/X11", "./usr/include",
    "./usr/lib/udev/hwdb.d", "./usr/lib/tmpfiles.d/provision.conf",
    "./usr/lib/aarch64-linux-gnu/perl*", "./usr/lib/apt", "./var/*",
    "./usr/lib/python3.11/test", "./usr/lib/python3.11/lib2to3", "./usr/lib/python3.11/idlelib",
    "./usr/lib/python3.11/pydoc_data", "./usr/lib/python3.11/distutils", "./usr/src",
    "./usr/lib/python3.11/lib-dynload/_test*", "./usr/games", "./usr/local",
)  # fmt: skip
LOOKUPS: Final = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
EMPTY: Final = ("data", "dev", "proc", "run", "sys", "tmp", "var", "root", "mnt", "srv", "home")


@dataclass(frozen=True)
class Product:
    """What an image is made for.

    Attributes:
        board_file: goes to /etc/haetae/board.toml as it is.
        site_file: what the camera watches until it gets a site file of its own.
        version: of the image.
    """

    board: Board
    board_file: Path
    image: BoardImage
    site_file: Path
    version: str


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """/etc/haetae/release.json: what an image is."""

    board: str
    version: str
    soc: str
    epoch_s: int
    kernel: str
    """Version of the kernel whose modules are in the root; "" with a vendor's kernel."""
    packages: list[str]
    """ "name version" of every Debian package."""
    wheels: list[str]
    """File names."""


def make_root(
    product: Product,
    sources: Sources,
    work: Path,
    wheel: Path | None = None,
    certificate: Path | None = None,
) -> Path:
    """Make the tree of a root file system.

    Args:
        work: an empty folder; the tree is made in work/root, the kernel's files in work/kernel.
        wheel: of the runtime, where it is not made of the source tree.
        certificate: PEM, of the authority for whole-image updates; None: provisioned.

    Returns:
        The tree. Owners do not matter: everything in a squashfs of ours belongs to root.

    Raises:
        Refused: a tool is missing or fails, or a module that the image file names is not there.
    """
    root, kernel, debian = work / "root", work / "kernel", sources.debian()
    _unpack(debian, root, [f"--exclude={name}" for name in DROPPED])
    _clean_etc(root)
    for name in EMPTY:
        (root / name).mkdir(exist_ok=True)
    shutil.copytree(OVERLAY, root, dirs_exist_ok=True, symlinks=True)
    accounts.write_accounts(root)
    units.arrange_units(root, product.board, product.image)
    version = ""
    if product.image.kernel == "debian":
        only = ("--wildcards", "./boot/*", "./usr/lib/modules/*")
        _unpack(debian, kernel, list(only))
        version = install_modules(root, kernel, product.image)
    wheels = make_environment(root, sources, product.board, wheel)
    _write_product(root, product, version, packages_of(debian), wheels)
    pem = certificate.read_bytes() if certificate is not None else None
    for file in rauc_files.root_files(product.board.name, pem):
        _write_file(root, file)
    make_plain(root)
    return root


def pack_root(root: Path, squashfs: Path) -> None:
    """Write a squashfs; the same tree gives the same bytes. Raises Refused."""
    seconds = str(epoch_s())
    run_tool(
        "mksquashfs", root, squashfs, "-noappend", "-no-progress", "-quiet", "-all-root",
        "-no-xattrs", "-comp", "zstd", "-Xcompression-level", "6", "-b", "128K",
        environment={"SOURCE_DATE_EPOCH": seconds},
    )  # fmt: skip


def _unpack(packed: Path, folder: Path, options: list[str]) -> None:
    folder.mkdir(parents=True)
    names = [option for option in options if option.startswith("./")]
    flags = [option for option in options if not option.startswith("./")]
    run_tool("tar", "-xf", packed, "-C", folder, "--no-same-owner", *flags, *names)


def _clean_etc(root: Path) -> None:
    """Keep what is of use; add the few files that packages' scripts would write."""
    etc = root / "etc"
    for entry in etc.iterdir():
        if entry.name not in KEPT_ETC:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (etc / "nsswitch.conf").write_text(LOOKUPS)
    certificates = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = etc / "ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(each.read_text() for each in certificates))
    (etc / "machine-id").write_text("")  # each boot makes one of its own, in memory
    (etc / "mtab").symlink_to("../proc/self/mounts")
    (etc / "hostname").write_text("haetae\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 haetae\n::1 localhost\n")


def _write_product(
    root: Path, product: Product, kernel: str, packages: list[str], wheels: list[str]
) -> None:
    folder = root / "etc/haetae"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(product.board_file, folder / "board.toml")
    share = root / "usr/share/haetae"
    share.mkdir(parents=True)
    shutil.copyfile(product.site_file, share / "site.toml")
    board = product.board
    release = Release(
        board=board.name, version=product.version, soc=board.soc, epoch_s=epoch_s(),
        kernel=kernel, packages=packages, wheels=wheels,
    )  # fmt: skip
    text = msgspec.json.format(msgspec.json.encode(release), indent=1)
    (folder / "release.json").write_bytes(text + b"\n")


def _write_file(root: Path, file: rauc_files.RootFile) -> None:
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.link:
        path.symlink_to(file.link)
    else:
        path.write_bytes(file.data)
        path.chmod(file.mode)


def make_plain(root: Path) -> None:
    """One set of permissions, no matter who builds with which umask; nothing runs as its owner."""
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                continue
            runs = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)
    for name in ("etc/shadow", "etc/gshadow"):
        (root / name).chmod(0o600)
    (root / "root").chmod(0o700)
    root.chmod(0o755)
