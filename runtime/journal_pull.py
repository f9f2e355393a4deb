"""What was pulled of a camera's journal over a link, and the file that it is kept in.

The camera answers `journal` {from_seq, most} with {records, next, last}: see
`runtime.journal_pages`. What was pulled is a file of JSON lines, or a copy of the ring that
`haetae journal` reads like the ring.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from drivers.storage import FileReader
from ota.refusal import Refused
from runtime.journal import find_slot_bytes, read_all
from runtime.journal_export import as_row, to_json
from runtime.journal_slot import MAJOR, MINOR, Kind, Record, SlotWriter

JSON_LINES, RING = ".jsonl", ".ring"
SLOT_BYTES: Final = 4096
"""Of a copy of the ring."""
MOST: Final = 64
"""Records that are asked for at once."""
OTHER_CAMERA: Final = "it is of another camera, or that one has a new flash: take another name"
Ask = Callable[[str, dict[str, Any]], Mapping[str, Any]]
U64 = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class Pulled(Struct, frozen=True):
    """One record as a camera tells it."""

    seq: U64
    boot: Annotated[int, Meta(ge=0)]
    mono_ms: float
    wall_ms: Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
    kind: Annotated[str, Meta(max_length=40)]
    body: dict[str, Any]

    @property
    def record(self) -> Record:
        """As it was read from a ring; a kind that is not known here is its number, or 0."""
        known = Kind.__members__.get(self.kind.upper())
        number = int(known) if known else int(self.kind) & 0xFF if self.kind.isdecimal() else 0
        form = MAJOR, MINOR
        boot = self.boot & (1 << 64) - 1
        return Record(self.seq, boot, self.mono_ms, self.wall_ms, number, False, form, self.body)

    @property
    def row(self) -> dict[str, Any]:
        """For a line of JSON."""
        return {**as_row(self.record), "kind": self.kind}


class Page(Struct, frozen=True):
    """One answer. last: number of the newest record there is."""

    records: Annotated[list[Pulled], Meta(max_length=4096)]
    last: int


def pull(ask: Ask, from_seq: int) -> Iterator[tuple[Pulled, int]]:
    """Records from a camera, in order, each with the number of the newest one.

    Args:
        ask: sends a command, e.g. of `ota.technician.Camera`.
        from_seq: of the first record that is wanted.

    Raises:
        Refused: as the camera said; "malformed": its answer makes no sense.
        ValueError: its records end before `from_seq`.
    """
    while True:
        told = ask("journal", {"from_seq": from_seq, "most": MOST})
        try:
            page = msgspec.convert(dict(told), Page)
        except msgspec.ValidationError as error:
            raise Refused("malformed", f"the camera's answer is no journal: {error}") from error
        if page.last + 1 < from_seq:
            raise ValueError(f"the camera has {page.last} events, the file more: {OTHER_CAMERA}")
        before = from_seq
        for pulled in page.records:
            if pulled.seq >= from_seq:
                from_seq = pulled.seq + 1
                yield pulled, page.last
        if from_seq in (before, page.last + 1):
            return


class Kept:
    """A file of what was pulled: it is appended to, and tells from where to go on.

    Args:
        path: ends in JSON_LINES or RING; a torn end is cut off at the next write.

    Attributes:
        last_seq: highest number in it; 0: none.

    Raises:
        ValueError: it ends in something else, or holds something else than was pulled.
        OSError, StorageFault: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix not in (JSON_LINES, RING):
            raise ValueError(f"{path}: must end in {JSON_LINES} (lines of JSON) or {RING} (a copy)")
        self._path, self._is_ring = path, path.suffix == RING
        self._last, self._end = (0, ""), 0
        if path.exists():
            self._last, self._end = _look_ring(path) if self._is_ring else _look_lines(path)

    @property
    def last_seq(self) -> int:
        """Of the newest record in the file; 0: none."""
        return self._last[0]

    def write(self, found: Iterator[tuple[Pulled, int]], tell: Callable[[int, int], None]) -> int:
        """Append what is new; returns how many.

        Args:
            found: from `last_seq` on, so that the last record is seen again.
            tell: gets the number of each record and the newest number.

        Raises:
            ValueError: the record that both have is another one: the file is of another camera.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        count = 0
        with self._path.open("r+b" if self._path.exists() else "w+b") as file:
            file.truncate(self._end)
            file.seek(self._end)
            for pulled, newest in found:
                row = pulled.row
                if pulled.seq <= self.last_seq:
                    if row["boot"] != self._last[1]:
                        raise ValueError(f"{self._path}: {OTHER_CAMERA}")
                    continue
                file.write(_slot(pulled) if self._is_ring else to_json(row).encode() + b"\n")
                count += 1
                self._last = pulled.seq, str(row["boot"])
                tell(pulled.seq, newest)
        return count


def _slot(pulled: Pulled) -> bytes:
    record = pulled.record
    writer = SlotWriter(SLOT_BYTES, record.boot_id)
    writer.encode(record.seq, record.kind, record.mono_ms, record.wall_ms, record.body)
    return bytes(writer.slot)


def _look_lines(path: Path) -> tuple[tuple[int, str], int]:
    """(seq, boot) of the last line, and where whole lines end."""
    last, end = (0, ""), 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break  # torn; it will come again
            try:
                row = json.loads(line)
                last = max(last, (int(row["seq"]), str(row["boot"])))
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{path}: holds no journal; take another name") from error
            end += len(line)
    return last, end


def _look_ring(path: Path) -> tuple[tuple[int, str], int]:
    """(seq, boot) of the last record, and where whole slots end."""
    reader = FileReader(path)
    try:
        slot_bytes = find_slot_bytes(reader)
        last = max(
            ((record.seq, as_row(record)["boot"]) for record in read_all(reader)), default=(0, "")
        )
    finally:
        reader.close()
    length = path.stat().st_size
    if slot_bytes != SLOT_BYTES:
        if length:
            raise ValueError(f"{path}: holds no journal; take another name")
        return last, 0
    return last, length - length % SLOT_BYTES
