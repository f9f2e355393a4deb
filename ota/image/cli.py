"""`haetae image`: build the file that a camera is flashed with, and look at one."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors
from ota.host import runtime_version
from ota.image.build import Vendor, build_image
from ota.image.bundle_cli import add_bundle
from ota.image.config import FOLDER, find_board, load_image_file
from ota.image.layout import parse_blob
from ota.image.reproduce import compare
from ota.image.root import Product
from ota.image.sources import MIRROR, Sources
from ota.image.verify import verify_image
from ota.refusal import Refused
from ota.run_cli import ARGUMENTS, OK, REFUSED, run_command

EPILOG: Final = """examples
  haetae image build --board qemu-virt-arm64 --out cam.img
  haetae image verify cam.img --board qemu-virt-arm64
  haetae image bundle --image cam.img --cert image.pem --key image.key --out cam.raucb

exit codes: 0 done, 1 refused (the line says why and what to do), or a check of the image failed,
2 wrong arguments, or a file that has mistakes or cannot be read or written"""
SITE: Final = FOLDER / "site" / "zone_whole_view.toml"


def image(argv: Sequence[str]) -> int:
    """`haetae image COMMAND ...`.

    Returns:
        0, 1 (refused, or a check failed), 2 (wrong arguments or files).
    """
    try:
        return run_command(_parser(), argv)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return ARGUMENTS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haetae image",
        description="Whole images of cameras: build them, check them, make signed updates of them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_build(commands)
    verify = commands.add_parser("verify", help="look at an image, a line for each check")
    verify.add_argument("image", type=Path)
    verify.add_argument("--board", help="must be for this one: a name, or a board file")
    verify.set_defaults(run=_verify)
    add_bundle(commands)
    return parser


def _add_build(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = commands.add_parser("build", help="make the file to flash").add_argument
    add("--board", required=True, help="a name, such as qemu-virt-arm64, or a board file")
    add("--out", type=Path, required=True, help="the image; written over")
    add("--site", type=Path, default=SITE, help="watched until a site file is pushed; %(default)s")
    add("--cache", type=Path, default=Path("build/image/cache"), help="%(default)s")
    add("--mirror", default=MIRROR, help="of Debian; one of snapshot.debian.org pins a day")
    add("--version", default="", help="of the image; default: the runtime's")
    add("--wheel", type=Path, help="of the runtime; default: made of this source tree")
    add("--kernel", type=Path, help="the vendor's arm64 Image, instead of Debian's kernel")
    add("--initrd", type=Path, help="the vendor's")
    add("--dtb", type=Path, help="device tree of the board")
    add("--bootloader", action="append", default=[], metavar="FILE@OFFSET",
        help="the SoC's loader at its place on the flash; may be repeated")  # fmt: skip
    add("--ca", type=Path, help="certificate that whole-image updates are checked by, PEM")
    add("--check-reproducible", action="store_true", help="build twice and compare the bytes")
    commands.choices["build"].set_defaults(run=_build)


def _build(arguments: argparse.Namespace) -> int:
    board_file = find_board(arguments.board)
    board = load_board(board_file)
    settings = load_image_file(board_file, board.name)
    version = arguments.version or runtime_version()
    product = Product(board, board_file, settings, arguments.site, version)
    vendor = Vendor(
        arguments.kernel, arguments.initrd, arguments.dtb,
        [parse_blob(text) for text in arguments.bootloader], arguments.wheel, arguments.ca,
    )  # fmt: skip
    began, out = time.monotonic(), arguments.out

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    def build(target: Path) -> None:
        build_image(product, vendor, Sources(arguments.cache, arguments.mirror, tell), target, tell)

    build(out)
    if arguments.check_reproducible:
        again = out.with_name(f"{out.name}.again")
        build(again)
        different = compare(out, again)
        again.unlink()
        if different:
            raise Refused("unavailable", f"two builds differ in {', '.join(different)}")
        tell("two builds are the same to the byte")
    tell(f"{out}: {out.stat().st_size >> 20} MiB for {board.name}, version {version}")
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    board = load_board(find_board(arguments.board)).name if arguments.board else ""
    code = OK
    for what, problem in verify_image(arguments.image, board):
        print(f"FAULT {what}: {problem}" if problem else f"ok    {what}")
        code = REFUSED if problem else code
    print(f"{arguments.image}: " + ("do not flash it" if code else "can be flashed"))
    return code
