"""`haetae image verify`: everything of an image that can be looked at without a camera.

Roots and boot files are held against the sums that were written beside the kernel: this finds
damage. Against a person who changes both there are signed updates (`haetae image bundle`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from drivers.board import load_board
from drivers.toml_strict import ConfigErrors
from ota.image import boot_files, root_check, table
from ota.image.boot_state import COPIES_AT, SECTOR_BYTES, newest
from ota.image.gpt import Part, partitions
from ota.image.root import Release
from ota.image.sparse import stretches
from ota.image.tools import need_programs, run_tool
from ota.refusal import Refused

PROGRAMS: Final = ("unsquashfs", "mcopy", "mke2fs")
_CHUNK_BYTES: Final = 1 << 20


class Check(NamedTuple):
    """What was looked at, and what is wrong with it; "" where nothing is."""

    what: str
    problem: str = ""


def verify_image(image: Path, board: str = "") -> Iterator[Check]:
    """Look at an image.

    Args:
        image: as `haetae image build` makes it.
        board: name of the board that it must be for; "": of any.

    Raises:
        Refused: "unavailable": a tool is missing.
        OSError: the file cannot be read.
    """
    need_programs(PROGRAMS)
    try:
        parts = partitions(image)
    except Refused as refused:
        yield Check("partition table", refused.detail)
        return
    problems = list(table.problems(image, parts))
    yield Check("partition table", "; ".join(problems))
    if problems:
        return
    yield Check("boot state", _boot_state(image, parts["misc"]))
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        work = Path(folder)
        files = {name: extract(image, part, work / name) for name, part in parts.items()}
        yield Check("boot script", _told(lambda: boot_files.check_script(files["boot"], work)))
        yield Check("data", _told(lambda: _check_data(files["data"])))
        for slot in "ab":
            yield from _slot(slot, files, work, board)


def _slot(slot: str, files: dict[str, Path], work: Path, board: str) -> Iterator[Check]:
    boot, root = files[f"boot_{slot}"], files[f"root_{slot}"]
    problem = _told(lambda: boot_files.check_boot(boot, root, work / f"files_{slot}"))
    yield Check(f"slot {slot}: kernel, boot files and root are as they were built", problem)
    if problem:
        return
    tree = work / f"tree_{slot}"
    try:
        root_check.unpack(root, tree)
        release = root_check.read_release(tree)
    except Refused as refused:
        yield Check(f"slot {slot}: root", refused.detail)
        return
    yield Check(f"slot {slot}: {_words(release)}", _of_board(tree, release, board))
    for what, found in root_check.look(tree, root):
        yield Check(f"slot {slot}: {what}", _some(found))


def extract(image: Path, part: Part, target: Path) -> Path:
    """Copy a partition to a file of its own; holes are neither read nor written."""
    end = part.at + part.size
    with image.open("rb") as source, target.open("wb") as file:
        file.truncate(part.size)
        for at, stop in stretches(source.fileno(), part.at, end):
            source.seek(at)
            file.seek(at - part.at)
            while at < stop and (block := source.read(min(stop - at, _CHUNK_BYTES))):
                file.write(block)
                at += len(block)
    return target


def _boot_state(image: Path, misc: Part) -> str:
    sectors = []
    with image.open("rb") as file:
        for at in COPIES_AT:
            file.seek(misc.at + at)
            sectors.append(file.read(SECTOR_BYTES))
    state, _, faults = newest((sectors[0], sectors[1]))
    if state is None or faults:
        return "; ".join(faults)
    return "" if state.primary else "no slot has a try left"


def _check_data(data: Path) -> None:
    """Raises Refused where the file system is not clean."""
    run_tool("e2fsck", "-fn", data)


def _of_board(tree: Path, release: Release, board: str) -> str:
    try:
        inside = load_board(tree / "etc/haetae/board.toml").name
    except ConfigErrors as errors:
        return f"its board file: {errors.mistakes[0]}"
    if inside != release.board:
        return f"its board file is for {inside}"
    return f"not for {board}" if board and board != inside else ""


def _words(release: Release) -> str:
    kernel = release.kernel or "the vendor's"
    return f"for {release.board}, version {release.version}, kernel {kernel}"


def _told(look: Callable[[], None]) -> str:
    try:
        look()
    except Refused as refused:
        return refused.detail
    return ""


def _some(found: list[str]) -> str:
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return ", ".join(found[:5]) + more
