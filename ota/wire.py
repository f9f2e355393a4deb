"""Bounded msgpack: the only encoding of manifests, key rings, records and link messages.

What comes from outside is measured before it becomes objects: its length, its depth, the length of
each part, the number of values. msgpack alone makes an array as long as its header says before it
has read an item: 3 KB of headers within headers take 33 MB. What goes out is canonical, so that the
same value always has the same bytes.

Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, Final, TypeVar

import msgpack
import msgspec

from ota.refusal import Refused

T = TypeVar("T")
MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 4096
"""Of an array or map."""
MAX_VALUES: Final = 8192
"""All together, keys included."""


def pack(value: Any) -> bytes:
    """Canonical bytes: keys of maps in order, shortest numbers, text and bytes told apart."""
    packed: bytes = msgpack.packb(_ordered(value), use_bin_type=True)
    return packed


def unpack(data: bytes | bytearray | memoryview, max_bytes: int, what: str = "it") -> Any:
    """What the bytes hold: exactly one value. Keys of maps are text.

    Args:
        data: from outside.
        max_bytes: most that this kind of thing may have.
        what: for the refusal.

    Raises:
        Refused: "too_long", "too_deep" or "malformed".
    """
    if len(data) > max_bytes:
        raise Refused("too_long", f"{what}: {len(data)} bytes; at most {max_bytes}")
    _measure(data, what)
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=True, max_ext_len=0)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise Refused("malformed", f"{what}: no msgpack: {type(error).__name__}") from error


def read(
    data: bytes | bytearray | memoryview,
    kind: type[T],
    max_bytes: int,
    what: str,
    newest: int,
    complaints: Callable[[T], Iterable[str]],
) -> T:
    """A signed thing as its struct: bounded, of a format that is known, free of contradictions.

    Args:
        data: from outside.
        kind: a msgspec Struct with a `format`.
        max_bytes: most that this kind of thing may have.
        what: for the refusal.
        newest: format that is known.
        complaints: says what is wrong between its values.

    Raises:
        Refused: "too_long", "too_deep", "malformed" or "newer_format".
    """
    raw = unpack(data, max_bytes, what)
    if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > newest:
        raise Refused("newer_format", f"{what}: format {raw['format']}; known: {newest}")
    try:
        made = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise Refused("malformed", f"{what}: {error}") from error
    for complaint in complaints(made):
        raise Refused("malformed", f"{what}: {complaint}")
    return made


class _Kind(IntEnum):
    """What follows a header: so many bytes of a number, text or bytes; so many items."""

    NUMBER = 0
    TEXT = 1
    BYTES = 2
    ARRAY = 3
    MAP = 4
    NEVER = 5


def _header(first: int) -> tuple[_Kind, int, int]:
    """Kind, bytes of the length that follows, and the length where none follows."""
    match first:
        case _ if first < 0x80 or first >= 0xE0:
            return _Kind.NUMBER, 0, 0
        case _ if first < 0xC0:
            kind = _Kind.TEXT if first >= 0xA0 else _Kind.ARRAY if first >= 0x90 else _Kind.MAP
            return kind, 0, first & (31 if kind is _Kind.TEXT else 15)
        case 0xC0 | 0xC2 | 0xC3:
            return _Kind.NUMBER, 0, 0
        case 0xC4 | 0xC5 | 0xC6:
            return _Kind.BYTES, 1 << (first - 0xC4), 0
        case _ if 0xCA <= first <= 0xD3:
            return _Kind.NUMBER, 0, (4, 8, 1, 2, 4, 8, 1, 2, 4, 8)[first - 0xCA]
        case 0xD9 | 0xDA | 0xDB:
            return _Kind.TEXT, 1 << (first - 0xD9), 0
        case 0xDC | 0xDD | 0xDE | 0xDF:
            return (_Kind.ARRAY, _Kind.MAP)[(first - 0xDC) // 2], 2 << (first & 1), 0
        case _:  # extension types, and the byte that never is
            return _Kind.NEVER, 0, 0


_HEADERS: Final = tuple(_header(first) for first in range(256))


def _measure(data: bytes | bytearray | memoryview, what: str) -> None:
    """Walk over the headers without making an object of what they say."""
    at, values, size = 0, 1, len(data)
    open_items, open_maps = [1], [False]
    while open_items:
        if not open_items[-1]:
            open_items.pop()
            open_maps.pop()
            continue
        open_items[-1] -= 1
        if at >= size:
            raise Refused("malformed", f"{what}: msgpack ends too early")
        kind, wide, length = _HEADERS[data[at]]
        is_key = open_maps[-1] and open_items[-1] % 2 == 1
        if kind is _Kind.NEVER or (is_key and kind is not _Kind.TEXT):
            raise Refused("malformed", f"{what}: a type that is not taken at byte {at}")
        at += 1 + wide
        if wide:
            length = int.from_bytes(data[at - wide : at], "big")
        if kind < _Kind.ARRAY:
            at += length
            continue
        if len(open_items) > MAX_DEPTH:
            raise Refused("too_deep", f"{what}: nested more than {MAX_DEPTH} deep")
        items = 2 * length if kind is _Kind.MAP else length
        values += items
        if length > MAX_ITEMS or values > MAX_VALUES:
            raise Refused("too_long", f"{what}: {length} items at byte {at}; at most {MAX_ITEMS}")
        open_items.append(items)
        open_maps.append(kind is _Kind.MAP)
    if at != size:
        raise Refused("malformed", f"{what}: {size} bytes, msgpack of {at}")


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return value
