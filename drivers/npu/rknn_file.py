"""What a Rockchip model file says of itself: which SoC it was compiled for, and by what.

Layout, read off files of toolkits 1.6 to 2.5: `RKNN` and four zeros; format and length of the body
as little-endian 64-bit numbers; zeros up to byte 64; the body; the length of a JSON text; the text,
which ends the file. Nothing here needs the toolkit.
"""

from __future__ import annotations

import json
import struct
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

MAGIC = b"RKNN\0\0\0\0"
PREAMBLE = struct.Struct("<8sQQ")
BODY_AT = 64
LENGTH = struct.Struct("<Q")
MOST_TEXT_BYTES = 16 * 2**20


class RknnRefused(ValueError):
    """Not a whole .rknn file; the message says file, what was found and what is allowed."""


class RknnHeader(NamedTuple):
    """What stands in front of and behind the compiled network.

    Attributes:
        format: version of the file's layout.
        body_bytes: length of the compiled network.
        target_platform: SoCs it runs on, e.g. ("rk3588",).
        version: of the toolkit that wrote it.
        inputs: number of input tensors.
        outputs: number of output tensors.
    """

    format: int
    body_bytes: int
    target_platform: tuple[str, ...]
    version: str
    inputs: int
    outputs: int


def read_header(path: Path) -> RknnHeader:
    """Read a file's description of itself; the body is not looked at.

    Raises:
        RknnRefused: no .rknn file, cut short, or with a text that is no such description.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _read(path, file, path.stat().st_size)


def header_of(content: bytes, path: Path) -> RknnHeader:
    """As `read_header`, of a file that has been read; `path` names it."""
    return _read(path, BytesIO(content), len(content))


def _read(path: Path, file: BinaryIO, size: int) -> RknnHeader:
    form, body = _preamble(path, file, size)
    file.seek(BODY_AT + body)
    return _described(path, form, body, _text(path, file, size - BODY_AT - body))


def _preamble(path: Path, file: BinaryIO, size: int) -> tuple[int, int]:
    start = file.read(BODY_AT)
    if len(start) < BODY_AT or not start.startswith(MAGIC):
        raise RknnRefused(f"{path}: begins with {start[:8]!r}; must be {MAGIC!r}")
    _, form, body = PREAMBLE.unpack_from(start)
    most = size - BODY_AT - LENGTH.size
    if body > most:
        raise RknnRefused(f"{path}: body of {body} bytes in a file of {size}; at most {most}")
    return form, body


def _text(path: Path, file: BinaryIO, left: int) -> bytes:
    """The JSON text, of which `left` bytes with its length are in the file."""
    (length,) = LENGTH.unpack(file.read(LENGTH.size))
    if length != left - LENGTH.size or length > MOST_TEXT_BYTES:
        allowed = min(left - LENGTH.size, MOST_TEXT_BYTES)
        raise RknnRefused(f"{path}: description of {length} bytes; must be {allowed}")
    return file.read(length)


def _described(path: Path, form: int, body: int, text: bytes) -> RknnHeader:
    try:
        told: dict[str, Any] = json.loads(text)
        platforms = tuple(told["target_platform"])
        header = RknnHeader(
            form, body, platforms, told["version"], told["input_num"], told["output_num"]
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RknnRefused(f"{path}: description cannot be read: {error!r}") from None
    words = (*platforms, header.version)
    if not platforms or not all(isinstance(word, str) and word for word in words):
        raise RknnRefused(f"{path}: target_platform {platforms!r}; must be names of SoCs")
    return header
