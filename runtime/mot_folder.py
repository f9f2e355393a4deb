"""A folder of MOTChallenge sequences: which there are, and how large and quick their pictures are.

Layout: NAME/seqinfo.ini, NAME/gt/gt.txt, NAME/det/det.txt (https://motchallenge.net/instructions/).
"""

from __future__ import annotations

from configparser import ConfigParser, Error
from pathlib import Path

from msgspec import Struct

GREATEST = 1_000_000
"""Frames, pixels, frames per second: more is a mistake in the file."""


class FolderRefused(Exception):
    """What a folder of sequences lacks."""


class Sequence(Struct, frozen=True, kw_only=True):
    """One sequence.

    Attributes:
        name: of its folder.
        truth, detections: text files.
        size: width and height of the pictures, pixels.
        fps: frames per second.
        frames: length.
    """

    name: str
    truth: Path
    detections: Path
    size: tuple[int, int]
    fps: float
    frames: int


def find_sequences(folder: Path, detections: Path | None) -> list[Sequence]:
    """Every sequence below a folder, by name.

    Args:
        folder: with the truth.
        detections: a folder NAME/det/det.txt of another detector; None: the sequences' own.

    Raises:
        FolderRefused: there is none, or one is not whole; all mistakes at once.
    """
    found, mistakes = [], []
    for file in sorted(folder.glob("**/seqinfo.ini"), key=lambda file: file.parent.name):
        home = file.parent
        det = (detections / home.name if detections else home) / "det" / "det.txt"
        missing = [path for path in (home / "gt" / "gt.txt", det) if not path.is_file()]
        mistakes += [f"{path}: is missing" for path in missing]
        try:
            found.append(_read(file, det))
        except FolderRefused as refused:
            mistakes.append(str(refused))
    if mistakes:
        raise FolderRefused("\n".join(mistakes))
    if not found:
        raise FolderRefused(f"{folder}: no seqinfo.ini below it; must be a folder of sequences")
    return found


def _read(file: Path, detections: Path) -> Sequence:
    parser = ConfigParser()
    try:
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
        words = dict(parser["Sequence"]) if "Sequence" in parser else {}
    except Error as error:
        raise FolderRefused(f"{file}: {error.message}") from None
    width, height, frames = (
        _number(file, words, key) for key in ("imwidth", "imheight", "seqlength")
    )
    return Sequence(
        name=file.parent.name,
        truth=file.parent / "gt" / "gt.txt",
        detections=detections,
        size=(int(width), int(height)),
        fps=_number(file, words, "framerate"),
        frames=int(frames),
    )


def _number(file: Path, words: dict[str, str], key: str) -> float:
    text = words.get(key, "")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1.0 <= value <= GREATEST:
        raise FolderRefused(f'{file}: {key} = "{text}"; must be a number from 1 to {GREATEST}')
    return value
