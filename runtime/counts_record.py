"""One hour of counts as journal records: sparse lists of small numbers, split where they must be.

The body of a record of kind "counts" has under `why` (msgpack; each part stands for itself):

    part, parts          of this hour, from 0; the first part holds what the others leave out
    from_ms              wall time at which the hour began, ms since 1970
    grid                 [columns, rows] over the picture
    cells                [gap, ds, tracks, gap, ds, tracks, ...]: cells of the grid, row by row,
                         that somebody was in: steps from the last one (from -1), tenths of
                         person-seconds, and different tracks
    zones                {name: [tracks, ds, entries, appeared, exits, vanished, most, stays ...]};
                         name "" is the whole picture
    lines                {name: [in, out]}
    rules                {name: [ds active, times raised, severity]}
    period_ms            how long the hour was; first part only, as all below
    observed_ms          how much of it was watched
    picture              [width, height] in pixels
    k                    of the site at that time
    dwell_s              edges of the classes of stays, seconds

Unknown keys are passed over, so that later versions may add some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack

from runtime.journal_slot import OVERHEAD_BYTES

ENVELOPE_BYTES = 168
"""What an event has beside its `why`, and the maps and lists of the `why` itself."""
NAME_BYTES = 96
"""Longer names of zones, lines and rules are cut: each entry has to fit the smallest slot."""
DS_MS = 100.0
SECTIONS = ("zones", "lines", "rules")


@dataclass(frozen=True)
class ZoneHour:
    """What happened in one zone; `dwell` has one class more than there are edges."""

    tracks: int
    ms: float
    entries: int
    appeared: int
    exits: int
    vanished: int
    most: int
    dwell: tuple[int, ...]


@dataclass(frozen=True)
class Period:
    """One hour, or the part of one that a camera ran.

    Attributes:
        from_ms: wall time of its beginning, ms since 1970; may be one of a clock never set.
        period_ms, observed_ms: its length, and how much of that was watched; -1: not known.
        grid: columns, rows.
        picture: width, height, pixels; (0, 0): not known.
        k: of the site; 0: not known.
        dwell_s: edges between the classes of stays.
        cells: cell -> (person-milliseconds, different tracks).
        zones, lines, rules: by name; see the head of this file.
        is_whole: every record of it was found.
    """

    from_ms: int
    period_ms: int
    observed_ms: int
    grid: tuple[int, int]
    picture: tuple[int, int]
    k: int
    dwell_s: list[int]
    cells: dict[int, tuple[float, int]] = field(default_factory=dict)
    zones: dict[str, ZoneHour] = field(default_factory=dict)
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)
    rules: dict[str, tuple[float, int, str]] = field(default_factory=dict)
    is_whole: bool = True


class Encoder:
    """Makes the records of an hour. Keeps its packer, so that a sealed loop can use it.

    Args:
        slot_bytes: of the journal.
    """

    def __init__(self, slot_bytes: int) -> None:
        self._room = slot_bytes - OVERHEAD_BYTES - ENVELOPE_BYTES
        self._packer = msgpack.Packer(buf_size=slot_bytes)

    def encode(self, period: Period) -> list[dict[str, object]]:
        """Bodies (`why`) of at least one record; each fits a slot."""
        head: dict[str, object] = {
            "period_ms": period.period_ms,
            "observed_ms": period.observed_ms,
            "picture": list(period.picture),
            "k": period.k,
            "dwell_s": period.dwell_s,
        }
        parts = [self._begin(period) | head]
        left = self._room - self._bytes(head)
        for section, name, values in _entries(period):
            size = self._bytes(name) + self._bytes(values)
            if size > left:
                parts.append(self._begin(period))
                left = self._room
            _into(parts[-1], section)[name] = values
            left -= size
        last = -1
        for cell, (ms, tracks) in sorted(period.cells.items()):
            triple = [cell - last, round(ms / DS_MS), tracks]
            size = self._bytes(triple)
            if size > left:
                parts.append(self._begin(period))
                left, triple[0] = self._room - size, cell + 1
            _list(parts[-1]).extend(triple)
            left -= size
            last = cell
        for part in parts:
            part["parts"] = len(parts)
        return [{"part": number} | part for number, part in enumerate(parts)]

    def _begin(self, period: Period) -> dict[str, object]:
        return {"parts": 0, "from_ms": period.from_ms, "grid": list(period.grid)}

    def _bytes(self, value: object) -> int:
        return len(self._packer.pack(value))


def _entries(period: Period) -> Iterator[tuple[str, str, list[object]]]:
    """Everything but the cells: section, name, values."""
    for name, zone in period.zones.items():
        numbers = zone.entries, zone.appeared, zone.exits, zone.vanished, zone.most
        values = [zone.tracks, round(zone.ms / DS_MS), *numbers, *zone.dwell]
        yield "zones", _cut(name), list(values)
    for name, crossed in period.lines.items():
        yield "lines", _cut(name), list(crossed)
    for name, (ms, raised, severity) in period.rules.items():
        yield "rules", _cut(name), [round(ms / DS_MS), raised, severity]


def _cut(name: str) -> str:
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


def _into(part: dict[str, object], section: str) -> dict[str, object]:
    found = part.setdefault(section, {})
    assert isinstance(found, dict)
    return found


def _list(part: dict[str, object]) -> list[int]:
    found = part.setdefault("cells", [])
    assert isinstance(found, list)
    return found


def decode(parts: Iterable[Mapping[str, Any]]) -> Period | None:
    """Put the records of one hour together; None where they are no counts at all.

    Whatever does not have the form of this file is passed over: a journal is a file from outside.
    """
    found = [part for part in parts if _is_part(part)]
    if not found:
        return None
    head = next((part for part in found if part["part"] == 0), {})
    first = found[0]
    period = Period(
        from_ms=first["from_ms"],
        period_ms=_whole(head.get("period_ms")),
        observed_ms=_whole(head.get("observed_ms")),
        grid=(first["grid"][0], first["grid"][1]),
        picture=_pair(head.get("picture")),
        k=max(_whole(head.get("k")), 0),
        dwell_s=[edge for edge in _rows(head.get("dwell_s")) if isinstance(edge, int)],
        is_whole={part["part"] for part in found} == set(range(first["parts"])),
    )
    for part in found:
        _take_cells(period, _rows(part.get("cells")))
        for section in SECTIONS:
            entries = part.get(section)
            for name, values in entries.items() if isinstance(entries, dict) else ():
                _take(period, section, str(name), values)
    return period


def key_of(why: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """What the records of one hour share; None where this is none of them."""
    return (why["from_ms"], *why["grid"]) if _is_part(why) else None


def _is_part(why: Mapping[str, Any]) -> bool:
    grid = why.get("grid")
    numbers = [why.get("part"), why.get("parts"), why.get("from_ms")]
    return (
        all(_is_count(n) for n in numbers[:2])
        and type(numbers[2]) is int
        and isinstance(grid, list)
        and len(grid) == 2
        and all(_is_count(n) and 1 <= n <= 4096 for n in grid)
    )


def _take_cells(period: Period, numbers: list[Any]) -> None:
    cells, last = period.grid[0] * period.grid[1], -1
    for gap, ds, tracks in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False):
        if not (_is_count(gap) and _is_count(ds) and _is_count(tracks)):
            return
        last += gap
        if gap and last < cells:
            period.cells[last] = (ds * DS_MS, tracks)


def _take(period: Period, section: str, name: str, values: Any) -> None:
    if not isinstance(values, list):
        return
    if section == "rules":
        if len(values) >= 3 and _is_count(values[0]) and _is_count(values[1]):
            period.rules[name] = (values[0] * DS_MS, values[1], str(values[2]))
    elif not all(map(_is_count, values)):
        return
    elif section == "lines" and len(values) >= 2:
        period.lines[name] = (values[0], values[1])
    elif section == "zones" and len(values) >= 7:
        tracks, ds, entries, appeared, exits, vanished, most, *dwell = values
        period.zones[name] = ZoneHour(
            tracks, ds * DS_MS, entries, appeared, exits, vanished, most, tuple(dwell)
        )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 53


def _whole(value: object) -> int:
    return value if type(value) is int else -1


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _pair(value: object) -> tuple[int, int]:
    rows = _rows(value)
    is_good = len(rows) == 2 and all(_is_count(n) and n > 0 for n in rows)
    return (rows[0], rows[1]) if is_good else (0, 0)
