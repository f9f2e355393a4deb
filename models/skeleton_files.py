"""Reads files of skeletons, one per row, as other programs write them: `.csv` and `.npz`."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from models.skeletons import LAYOUTS, Layout, to_coco17
from models.tables import F32

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
ASPECT: Final = 4 / 3
"""Width over height of a picture whose coordinates are shares of both (0..1), when not told."""
CENTRED: Final = 1.5
"""Coordinates within +-CENTRED, some below 0, are centred on the body with y upwards, as
Pose Classification Kit (github.com/ArthurFDLR/pose-classification-kit) writes them."""
FARTHEST: Final = 1e6
"""Largest coordinate that a picture can have."""
DROPPED: Final = 0.02
"""Visibility below which an npz joint is missing whatever the layout's reader thinks."""


class SkeletonFileRefused(Exception):
    """A skeleton file cannot be read; the text names the file, the line and what is allowed."""


class SkeletonFile(NamedTuple):
    """What a file holds, rows in file order.

    Attributes:
        skeletons: float32[N, 17, 3] x, y (y downwards, both in one unit), visibility.
        labels: what each row says it is; empty when the file does not say.
    """

    skeletons: F32
    labels: tuple[str, ...]


def read_skeletons(path: Path, layout: Layout, aspect: float = ASPECT) -> SkeletonFile:
    """Read a `.csv` or `.npz` file.

    csv: per row x, y (0, 0 = missing) or x, y, visibility of each joint in the layout's order, then
    perhaps a class; a heading line is skipped. npz: `keypoints` [N, J, 2 or 3], perhaps `labels` of
    each row, or `label` numbers into `labels`, or `action`.

    Args:
        path: the file.
        layout: what its joints are.
        aspect: width over height of the picture, for coordinates that are all 0..1.

    Raises:
        SkeletonFileRefused: missing, unreadable, or a line that is not a skeleton.
    """
    readers = {".csv": _read_csv, ".npz": _read_npz}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SkeletonFileRefused(f"{path}: suffix {path.suffix!r}; allowed: {', '.join(readers)}")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SkeletonFileRefused(f"{path}: allowed are at most {MAX_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise SkeletonFileRefused(f"{path}: {error.strerror or error}") from error
    keypoints, labels = reader(path, content, LAYOUTS[layout][0])
    _square(keypoints, aspect)
    return SkeletonFile(to_coco17(keypoints, layout), labels)


def _square(keypoints: F32, aspect: float) -> None:
    """Bring x and y to one unit and y to point downwards."""
    seen = keypoints[keypoints[:, :, 2] > 0][:, :2]
    if not seen.size:
        return
    low, high = float(seen.min()), float(seen.max())
    if low >= 0 and high <= 1:
        keypoints[:, :, 0] *= aspect
    elif low < 0 and max(-low, high) <= CENTRED:
        keypoints[:, :, 1] *= -1


def _read_csv(path: Path, content: bytes, joints: int) -> tuple[F32, tuple[str, ...]]:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SkeletonFileRefused(f"{path}: not a CSV file: {error}") from error
    numbered = [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    if numbered and _heading(numbered[0][1]):
        numbered = numbered[1:]
    if not numbered:
        raise SkeletonFileRefused(f"{path}: it holds no skeleton; allowed: one per line")
    columns, classed = _columns(path, numbered[0], joints)
    values = np.array([_numbers(path, line, columns, classed) for line in numbered], np.float32)
    per_joint = columns // joints
    keypoints = np.zeros((len(values), joints, 3), np.float32)
    keypoints[:, :, :per_joint] = values.reshape(len(values), joints, per_joint)
    if per_joint == 2:
        keypoints[:, :, 2] = np.any(keypoints[:, :, :2] != 0, axis=2)
    _check_values(path, keypoints, [number for number, _ in numbered])
    return keypoints, tuple(row[columns].strip() for _, row in numbered) if classed else ()


def _heading(row: Sequence[str]) -> bool:
    return all(_number(cell) is None for cell in row[:-1])


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _columns(path: Path, first: tuple[int, list[str]], joints: int) -> tuple[int, bool]:
    """Number of coordinate columns, and whether a class follows them."""
    number, row = first
    for columns in (2 * joints, 3 * joints):
        if len(row) in (columns, columns + 1):
            return columns, len(row) == columns + 1
    raise SkeletonFileRefused(
        f"{path}, line {number}: {len(row)} columns; allowed: {2 * joints} (x, y of {joints} "
        f"joints) or {3 * joints} (x, y, visibility), and one more for the class"
    )


def _numbers(path: Path, line: tuple[int, list[str]], columns: int, classed: bool) -> list[float]:
    number, row = line
    if len(row) != columns + classed:
        raise SkeletonFileRefused(
            f"{path}, line {number}: {len(row)} columns; allowed: {columns + classed}, as above it"
        )
    values = []
    for i, cell in enumerate(row[:columns], 1):
        value = _number(cell)
        if value is None or not abs(value) <= FARTHEST:
            raise SkeletonFileRefused(
                f"{path}, line {number}, column {i}: {cell!r}; allowed: a number to 1e6"
            )
        values.append(value)
    return values


def _check_values(path: Path, keypoints: F32, lines: Sequence[int]) -> None:
    """Visibility 0..1, or COCO's 0, 1, 2, which becomes 0, 1, 1."""
    visibility = keypoints[:, :, 2]
    wrong = ~(np.abs(keypoints) <= FARTHEST).all(axis=(1, 2)) | (
        (visibility < 0) | (visibility > 2)
    ).any(1)
    if wrong.any():
        raise SkeletonFileRefused(
            f"{path}, line {lines[int(wrong.argmax())]}: allowed: coordinates to 1e6, visibility "
            "0..1 or COCO's 0, 1, 2"
        )
    np.minimum(visibility, 1, out=visibility)
    np.copyto(visibility, 0, where=visibility < DROPPED)


def _read_npz(path: Path, content: bytes, joints: int) -> tuple[F32, tuple[str, ...]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError, AttributeError) as error:
        raise SkeletonFileRefused(f"{path}: not an npz file: {error}") from error
    array = held.get("keypoints")
    if array is None:
        found = ", ".join(sorted(held)) or "nothing"
        raise SkeletonFileRefused(f"{path}: no array keypoints, it has {found}; allowed: keypoints")
    ways = (2, 3)
    if array.ndim != 3 or array.shape[1] != joints or array.shape[2] not in ways or not len(array):
        raise SkeletonFileRefused(
            f"{path}: keypoints {list(array.shape)}; allowed: [N, {joints}, 2 or 3], N > 0"
        )
    if array.dtype.kind not in "fiu":
        raise SkeletonFileRefused(f"{path}: keypoints of {array.dtype}; allowed: numbers")
    keypoints = np.zeros((len(array), joints, 3), np.float32)
    keypoints[:, :, : array.shape[2]] = array
    if array.shape[2] == 2:
        keypoints[:, :, 2] = np.any(keypoints[:, :, :2] != 0, axis=2)
    _check_values(path, keypoints, range(len(keypoints)))
    return keypoints, _npz_labels(path, held, len(keypoints))


def _npz_labels(path: Path, held: dict[str, Any], count: int) -> tuple[str, ...]:
    names, label = held.get("labels", held.get("action")), held.get("label")
    if names is None:
        return ()
    if label is not None and label.shape == (count,) and label.dtype.kind in "iu":
        if label.min() < 0 or label.max() >= len(names):
            raise SkeletonFileRefused(f"{path}: label; allowed: 0 to {len(names) - 1}, in labels")
        return tuple(str(names[i]) for i in label)
    if names.shape != (count,):
        raise SkeletonFileRefused(f"{path}: labels {list(names.shape)}; allowed: one per skeleton")
    return tuple(str(name) for name in names)
