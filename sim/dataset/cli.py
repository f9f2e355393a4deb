"""Commands of this room: `haetae sim dataset` and `haetae sim sheet`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

OK, REFUSED = 0, 2
MAX_SIDE_PX, MIN_SIDE_PX = 4096, 64
MAX_FRAMES = 1_000_000


def picture_size(text: str) -> tuple[int, int]:
    """`640x360` as (640, 360).

    Raises:
        argparse.ArgumentTypeError: it is not a size that can be drawn.
    """
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    size = tuple(int(side) for side in match.groups()) if match else ()
    if len(size) != 2 or not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size):
        allowed = f"WIDTHxHEIGHT with sides of {MIN_SIDE_PX} to {MAX_SIDE_PX}, e.g. 640x360"
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: {allowed}")
    return size[0], size[1]


def _count(low: int, high: int) -> Callable[[str], int]:
    """An argument type: a whole number in low..high."""

    def number(text: str) -> int:
        if not re.fullmatch(r"\d+", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r}: allowed is {low} to {high}")
        return int(text)

    return number


def _share(text: str) -> float:
    if not re.fullmatch(r"\d*\.?\d+", text) or not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is 0 to 1")
    return float(text)


def _shared(name: str, about: str | None, frames: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"haetae sim {name}", description=about)
    parser.add_argument("--seed", type=_count(0, 2**40), default=1)
    parser.add_argument("--frames", type=_count(1, MAX_FRAMES), default=frames)
    parser.add_argument("--size", type=picture_size, default=(640, 360), metavar="WxH")
    return parser


def dataset(argv: list[str]) -> int:
    """`haetae sim dataset`: pictures with COCO keypoint and YOLO labels.

    Returns:
        0 done, 2 refused.
    """
    parser = _shared("dataset", dataset.__doc__, 100)
    parser.add_argument("--out", type=Path, required=True, help="a new or an empty folder")
    parser.add_argument("--jobs", type=_count(1, 256), default=1, help="processes that draw")
    parser.add_argument("--min-visible", type=_share, default=0.2, metavar="SHARE")
    parser.add_argument("--format", choices=("jpg", "png"), default="jpg")
    parser.add_argument(
        "--deserted", action="store_true", help="nobody is there: what is no person"
    )
    asked = parser.parse_args(argv)
    from sim.dataset.draw import jobs_of
    from sim.dataset.write import FolderInUse, claim, write_dataset

    try:
        claim(asked.out)
    except (FolderInUse, OSError) as refused:
        print(f"haetae sim dataset: {refused}", file=sys.stderr)
        return REFUSED
    jobs = jobs_of(
        asked.seed,
        asked.frames,
        asked.size,
        asked.min_visible,
        asked.out,
        asked.format,
        asked.deserted,
    )
    pictures, people = write_dataset(asked.out, asked.seed, jobs, asked.jobs, _teller(asked.frames))
    print(f"{asked.out}: {pictures} pictures, {people} people")
    return OK


def _teller(frames: int) -> Callable[[int], None]:
    """Says how far it is, at every tenth."""
    said = [0]

    def tell(done: int) -> None:
        tenth = 10 * done // frames
        if tenth > said[0]:
            said[0] = tenth
            print(f"{done}/{frames}", file=sys.stderr)

    return tell


def sheet(argv: list[str]) -> int:
    """`haetae sim sheet`: random pictures side by side, to look at.

    Returns:
        0 done, 2 refused.
    """
    parser = _shared("sheet", sheet.__doc__, 24)
    parser.add_argument("--out", type=Path, required=True, help="a .png or .jpg file")
    parser.add_argument("--truth", action="store_true", help="with boxes, skeletons and actions")
    asked = parser.parse_args(argv)
    if asked.out.suffix not in (".png", ".jpg"):
        parser.error(f"--out {asked.out}: has to end in .png or .jpg")
    from sim.dataset.pictures import write_picture
    from sim.dataset.sheet import contact_sheet

    picture = contact_sheet(asked.seed, asked.frames, *asked.size, asked.truth)
    try:
        write_picture(asked.out, picture)
    except OSError as refused:
        print(f"haetae sim sheet: {refused}", file=sys.stderr)
        return REFUSED
    print(f"{asked.out}: {asked.frames} pictures, seed {asked.seed}")
    return OK
