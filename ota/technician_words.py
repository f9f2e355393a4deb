"""Durations, sizes and text from a camera, as a technician reads them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

Table = Mapping[str, Any]

MOST_CHARACTERS: Final = 300
"""Of one value from a camera on one line."""
_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000


def span(ms: float) -> str:
    """A duration: "12 s", "4 min 10 s", "2 h 5 min", "3 d 4 h"."""
    ms = max(0, round(ms))
    if ms < _MINUTE:
        return f"{ms // _SECOND} s"
    if ms < _HOUR:
        return _two(ms, _MINUTE, "min", _SECOND, "s")
    if ms < _DAY:
        return _two(ms, _HOUR, "h", _MINUTE, "min")
    return _two(ms, _DAY, "d", _HOUR, "h")


def _two(ms: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = ms % large // small
    return f"{ms // large} {large_name}" + (f" {rest} {small_name}" if rest else "")


def size(count: float) -> str:
    """Bytes: "312 B", "680 kB", "2.0 MB", "4.3 GB"."""
    if count < 1000:
        return f"{count:.0f} B"
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def share(part: float, whole: float) -> int:
    """Whole percent, 100 only where all of it is there."""
    return 100 if part >= whole else int(100 * part / whole)


def printable(value: Any, most: int = MOST_CHARACTERS) -> str:
    """Text from outside: nothing in it may move the cursor of a terminal, or fill it."""
    text = "".join(each if each.isprintable() else "?" for each in str(value))
    return text if len(text) <= most else text[: most - 3] + "..."


def table(told: Table, key: str) -> Table:
    """A table in what a camera tells; empty where there is none."""
    found = told.get(key)
    return found if isinstance(found, Mapping) else {}


def number(told: Table, key: str) -> float | None:
    """A number in what a camera tells; None where there is none."""
    found = told.get(key)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    return float(found) if is_number and isfinite(found) else None  # type: ignore[arg-type]


def text(told: Table, key: str) -> str:
    """Printable text in what a camera tells; "" where there is none."""
    found = told.get(key)
    return printable(found) if isinstance(found, (str, int)) and found else ""


def plain(value: Any) -> Any:
    """The value as JSON can hold it: bytes as hex."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value
