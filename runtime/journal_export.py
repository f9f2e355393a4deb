"""A journal as JSON lines, CSV or SQLite: one row per record, for the technician's PC."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runtime.journal_slot import MAJOR, Record

COLUMNS = {
    "seq": "INTEGER PRIMARY KEY",
    "boot": "TEXT",
    "wall_utc": "TEXT",
    "wall_ms": "INTEGER",
    "mono_ms": "REAL",
    "kind": "TEXT",
    "truncated": "INTEGER",
    "body": "TEXT",
}
"""Columns of CSV and SQLite; `body` is JSON text."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def export(records: Iterable[Record], out: Path) -> int:
    """Write the records to a new file in the format that its suffix names.

    The file gets its name when it is complete; an older one is replaced.

    Returns:
        How many records were written.

    Raises:
        ValueError: the suffix is not one of `WRITERS`.
        OSError: the file cannot be written.
    """
    if out.suffix not in WRITERS:
        raise ValueError(f"{out}: must end in {', '.join(WRITERS)}")
    draft = out.with_name(out.name + ".part")
    draft.unlink(missing_ok=True)
    try:
        count = WRITERS[out.suffix](records, draft)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return count


def as_row(record: Record) -> dict[str, Any]:
    """The record as plain values with the keys of COLUMNS; `body` is a dict fit for JSON."""
    return {
        "seq": record.seq,
        "boot": f"{record.boot_id:016x}",
        "wall_utc": wall_utc(record.wall_ms),
        "wall_ms": record.wall_ms,
        "mono_ms": _json_value(record.mono_ms),
        "kind": record.kind_name,
        "truncated": record.is_truncated,
        "body": _json_value(body_of(record)),
    }


def body_of(record: Record) -> dict[str, Any]:
    """The body; for a format that this reader does not know, a note that says so."""
    if record.format[0] == MAJOR:
        return record.body
    return {"unreadable": f"format {record.format[0]}.{record.format[1]}, by a newer runtime"}


def wall_utc(wall_ms: int) -> str:
    """ISO 8601 in UTC with ms; empty where the number is no date."""
    try:
        moment = _EPOCH + timedelta(milliseconds=wall_ms)
    except OverflowError:
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(value: Any) -> str:
    """One line of ASCII JSON; control characters are escaped, so it is safe on a terminal."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _json_value(value: Any) -> Any:
    """The value with what JSON lacks as text: nan, inf, bytes, keys that are not text."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(key): _json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_json_value(item) for item in value]
        case bytes():
            return value.hex()
    return str(value)


def _flat(record: Record) -> dict[str, Any]:
    row = as_row(record)
    return {**row, "truncated": int(row["truncated"]), "body": to_json(row["body"])}


def _write_jsonl(records: Iterable[Record], out: Path) -> int:
    count = 0
    with out.open("w", encoding="ascii") as file:
        for record in records:
            file.write(to_json(as_row(record)) + "\n")
            count += 1
    return count


def _write_csv(records: Iterable[Record], out: Path) -> int:
    import csv

    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for record in records:
            table.writerow(_flat(record))
            count += 1
    return count


def _write_sqlite(records: Iterable[Record], out: Path) -> int:
    import sqlite3
    from contextlib import closing

    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    marks = ", ".join("?" * len(COLUMNS))
    try:
        with closing(sqlite3.connect(out)) as base, base:
            base.execute(f"CREATE TABLE events ({columns})")
            rows = (tuple(_flat(record).values()) for record in records)
            return base.executemany(f"INSERT INTO events VALUES ({marks})", rows).rowcount
    except sqlite3.Error as error:
        raise OSError(f"{out}: {error}") from error


WRITERS: dict[str, Callable[[Iterable[Record], Path], int]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".sqlite": _write_sqlite,
}
"""Writer per suffix."""
