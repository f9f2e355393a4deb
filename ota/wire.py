"""Bounded msgpack: the only encoding of manifests, key rings, records and link messages.

What comes from outside is measured before it becomes objects: its length, its depth, the length of
each part. What goes out is canonical, so that the same value always has the same bytes.

Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from typing import Any, Final

import msgpack

from ota.refusal import Refused

MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 4096
"""Of an array or map."""


def pack(value: Any) -> bytes:
    """Canonical bytes: keys of maps in order, shortest numbers, text and bytes told apart."""
    packed: bytes = msgpack.packb(_ordered(value), use_bin_type=True)
    return packed


def unpack(data: bytes | bytearray | memoryview, max_bytes: int, what: str = "it") -> Any:
    """What the bytes hold: exactly one value.

    Args:
        data: from outside.
        max_bytes: most that this kind of thing may have.
        what: for the refusal.

    Raises:
        Refused: "too_long", "too_deep" or "malformed".
    """
    if len(data) > max_bytes:
        raise Refused("too_long", f"{what}: {len(data)} bytes; at most {max_bytes}")
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_str_len=max_bytes,
            max_bin_len=max_bytes,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            max_ext_len=0,
        )
    except msgpack.StackError as error:
        raise Refused("too_deep", f"{what}: nested more than {MAX_DEPTH} deep") from error
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise Refused("malformed", f"{what}: no msgpack: {type(error).__name__}") from error
    _check_depth(value, MAX_DEPTH, what)
    return value


def _check_depth(value: Any, left: int, what: str) -> None:
    if isinstance(value, (dict, list)):
        if left == 0:
            raise Refused("too_deep", f"{what}: nested more than {MAX_DEPTH} deep")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1, what)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return value
