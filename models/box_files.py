"""Files of boxes, one JSON object a line: {"image": "a.jpg", "box": [x1, y1, x2, y2]}."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

MISSING: Final = object()


class BoxFileRefused(Exception):
    """A file of boxes with mistakes; the text has one line for each."""


class BoxLine(NamedTuple):
    """One line.

    Attributes:
        image: file name.
        box: xyxy, pixels of the picture.
    """

    image: str
    box: tuple[float, float, float, float]


def read_boxes(path: Path) -> list[BoxLine]:
    """Read and check a whole file. Keys other than "image" and "box" are left alone.

    Raises:
        BoxFileRefused: every mistake: file, line, key, value and what is allowed.
        OSError: the file cannot be read.
    """
    found: list[BoxLine] = []
    mistakes: list[str] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        wrong = _mistakes(line, found)
        mistakes += [f"{path}: line {number}: {text}" for text in wrong]
    if mistakes:
        raise BoxFileRefused("\n".join(mistakes))
    return found


def _mistakes(line: bytes, found: list[BoxLine]) -> list[str]:
    """What is wrong with a line; nothing when it was added to `found`."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return [f"not JSON: {error}"]
    if not isinstance(row, dict):
        return ['must be an object with the keys "image" and "box"']
    image, box = row.get("image", MISSING), row.get("box", MISSING)
    wrong = []
    if not (isinstance(image, str) and image and Path(image).name == image):
        wrong.append(_say("image", image, "must be the name of a file in the folder of pictures"))
    if not _is_box(box):
        wrong.append(_say("box", box, "must be [x1, y1, x2, y2], pixels, x1 < x2 and y1 < y2"))
    if not wrong:
        x1, y1, x2, y2 = (float(value) for value in box)
        found.append(BoxLine(str(image), (x1, y1, x2, y2)))
    return wrong


def _is_box(box: Any) -> bool:
    if not isinstance(box, list) or len(box) != 4:
        return False
    if not all(type(value) in (int, float) and math.isfinite(value) for value in box):
        return False
    return bool(box[0] < box[2] and box[1] < box[3])


def _say(key: str, value: object, allowed: str) -> str:
    if value is MISSING:
        return f"{key} is missing: {allowed}"
    return f"{key} = {msgspec.json.encode(value).decode()[:80]}: {allowed}"
