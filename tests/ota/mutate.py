"""Changes bytes and msgpack values as an attacker or a bad line would; all from one Random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgpack

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000)
EXTREMES += (0xFFFFFFFE, 0xFFFFFFFF)
HEADERS = bytes.fromhex("8090a0c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d8d9dadbdcdddedfe0ff7f00")
"""First bytes of every type of msgpack."""
MOST_INSERTED = 4096
JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32, 2**63,
    2**64 - 1, -(2**63), 0.0, -0.0, 1.5, float("inf"), float("nan"),
    "", "x", "..", "../x", "x" * 65, "x" * 3000, "\0", "\u2028", "tflite",
    b"", b"x", bytes(8), bytes(32), bytes(64), bytes(3000),
    [], {}, [[]], [None] * 100, [b""] * 17, {"a": 1}, {"format": 2}, msgpack.ExtType(5, b"x"),
)  # fmt: skip


def mutated(rng: Random, data: bytes, other: bytes) -> bytes:
    """One to three changes of bytes; `other` gives what is pasted in."""
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(_CHANGES)(rng, result, other)
    return bytes(result)


def _flip(rng: Random, data: bytearray, _: bytes) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _header(rng: Random, data: bytearray, _: bytes) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice(HEADERS)


def _cut(rng: Random, data: bytearray, _: bytes) -> None:
    start = rng.randrange(len(data) + 1)
    match rng.randrange(3):
        case 0:
            del data[start:]
        case 1:
            del data[:start]
        case _:
            del data[start : start + rng.choice((1, 2, 4, 64))]


def _insert(rng: Random, data: bytearray, _: bytes) -> None:
    at = rng.randrange(len(data) + 1)
    length = rng.choice((1, 2, 4, 16, 300))
    data[at:at] = (
        rng.randbytes(length) if rng.random() < 0.5 else bytes([rng.choice(HEADERS)]) * length
    )


def _repeat(rng: Random, data: bytearray, _: bytes) -> None:
    at = rng.randrange(len(data) + 1)
    part = bytes(data[at : at + rng.choice((1, 3, 20, 100))])
    if part:
        data[at:at] = part * min(rng.choice((1, 2, 16, 1000)), MOST_INSERTED // len(part))


def _extreme(rng: Random, data: bytearray, _: bytes) -> None:
    """A number of two or four bytes, anywhere."""
    length = rng.choice((2, 4))
    if len(data) >= length:
        at = rng.randrange(len(data) - length + 1)
        value = rng.choice(EXTREMES) & ((1 << 8 * length) - 1)
        data[at : at + length] = value.to_bytes(length, rng.choice(("little", "big")))


def _swell(rng: Random, data: bytearray, _: bytes) -> None:
    """Headers within headers, each of which says that much will follow."""
    at = rng.randrange(len(data) + 1)
    header = rng.choice((b"\xdc\x10\x00", b"\xde\x08\x00", b"\x91", b"\x81\xa0", b"\xc6\0\x10\0\0"))
    data[at:] = header * rng.choice((9, 300, 1300))


def _paste(rng: Random, data: bytearray, other: bytes) -> None:
    start, at = rng.randrange(len(other) + 1), rng.randrange(len(data) + 1)
    part = other[start : start + rng.choice((1, 8, 64, 1000))]
    data[at : at + rng.choice((0, len(part)))] = part


_CHANGES: tuple[Callable[[Random, bytearray, bytes], None], ...] = (
    _flip, _flip, _header, _header, _cut, _insert, _repeat, _extreme, _swell, _paste,
)  # fmt: skip


def mutated_value(rng: Random, value: Any, other: Any) -> Any:
    """One change somewhere in a tree of msgpack values; the tree itself is left alone."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.8:
        copy = value.copy()
        keys = list(copy) if isinstance(copy, dict) else range(len(copy))
        key = rng.choice(keys)
        inner = other[key] if isinstance(other, dict) and key in other else other
        if rng.random() < 0.2:
            _reshaped(rng, copy, key)
        else:
            copy[key] = mutated_value(rng, copy[key], inner)
        return copy
    return _replaced(rng, value, other)


def _reshaped(rng: Random, copy: Any, key: Any) -> None:
    """Leave out an item, put one in, or exchange two."""
    if rng.random() < 0.4:
        del copy[key]
    elif isinstance(copy, dict):
        copy[rng.choice(("x", "format", "base", "stored", "\0", "revoked"))] = rng.choice(JUNK)
    elif rng.random() < 0.5:
        copy.extend([copy[key]] * rng.choice((1, 8, 100)))
    else:
        other = rng.randrange(len(copy))
        copy[key], copy[other] = copy[other], copy[key]


def _replaced(rng: Random, value: Any, other: Any) -> Any:
    match rng.randrange(6):
        case 0 if isinstance(value, bytes):
            return mutated(rng, value, b"x")
        case 1 if isinstance(value, int) and not isinstance(value, bool):
            return value + rng.choice((-1, 1, 256))
        case 2 if isinstance(value, str):
            return value + rng.choice(("x", "\0", "/", "x" * 300))
        case 3:
            return other
        case 4:
            return _nested(value, rng.choice((1, 2, 7, 8, 9, 100)))
        case _:
            return rng.choice(JUNK)


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def packed(value: Any) -> bytes:
    """Any value, also what our own `wire.pack` would never make; b"" where none can."""
    try:
        return bytes(msgpack.packb(value, use_bin_type=True))
    except (OverflowError, ValueError):
        return b""
