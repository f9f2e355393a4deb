"""Walks the tables of a FlatBuffer that nobody has vouched for, and proves where each one lies."""

from __future__ import annotations

from struct import Struct, unpack_from
from typing import Final, NamedTuple

U16: Final = Struct("<H")
I32: Final = Struct("<i")
U32: Final = Struct("<I")
U64: Final = Struct("<Q")

MAX_TABLES: Final = 200_000
LATER: Final = "later"
"""A field whose type another field tells: the caller walks it."""

Field = int | str
"""An inline size in bytes, a vector of scalars ("v" + element size), a table ("Tensor"), a vector
of tables ("[Tensor]"), which the caller walks, or LATER."""
Schema = dict[str, dict[int, Field]]
Refused = dict[tuple[str, int], str]


class Table(NamedTuple):
    """Where a verified table lies: start, and the position of each present field by slot."""

    position: int
    fields: dict[int, int]


class DamagedError(Exception):
    """Something in the file points outside it, or two parts of it disagree."""


class Walk:
    """One pass over one file; every method raises `DamagedError` for what is wrong first."""

    def __init__(self, data: bytes, schema: Schema, refused: Refused) -> None:
        """Start a walk.

        Args:
            data: the file's content.
            schema: fields of each table by slot; slots that are not named must lie in their table.
            refused: (table, slot) of the parts that are not accepted, and what they are.
        """
        self._data = data
        self._schema = schema
        self._refused = refused
        self._size = len(data)
        self._tables = 0

    def number(self, codec: Struct, position: int) -> int:
        """One little-endian integer."""
        if position < 0 or position + codec.size > self._size:
            raise DamagedError(f"offset {position} is outside the file ({self._size} bytes)")
        return int(codec.unpack_from(self._data, position)[0])

    def follow(self, position: int) -> int:
        """Where the unsigned offset at `position` points."""
        return position + self.number(U32, position)

    def table(self, position: int, kind: str) -> Table:
        """Check one table and everything below it."""
        self._tables += 1
        if self._tables > MAX_TABLES:
            raise DamagedError(f"more than {MAX_TABLES} tables")
        vtable = position - self.number(I32, position)
        vtable_bytes, table_bytes = self.number(U16, vtable), self.number(U16, vtable + 2)
        if vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > self._size:
            raise DamagedError(f"{kind} at {position} has a damaged field table")
        if table_bytes < 4 or position + table_bytes > self._size:
            raise DamagedError(f"{kind} at {position} reaches outside the file")
        fields: dict[int, int] = {}
        for slot in range((vtable_bytes - 4) // 2):
            offset = self.number(U16, vtable + 4 + 2 * slot)
            if offset:
                self._field(kind, slot, position, offset, table_bytes)
                fields[slot] = position + offset
        return Table(position, fields)

    def _field(self, kind: str, slot: int, start: int, offset: int, table_bytes: int) -> None:
        """Check one field; unknown slots only have to lie inside their table."""
        if (kind, slot) in self._refused:
            raise DamagedError(f"{self._refused[kind, slot]} are not accepted")
        field = self._schema[kind].get(slot, 1)
        size = field if isinstance(field, int) else 4
        if offset < 4 or offset + size > table_bytes:
            raise DamagedError(f"field {slot} of {kind} at {start} lies outside its table")
        if isinstance(field, str) and field != LATER:
            self._reference(field, start + offset)

    def _reference(self, field: str, position: int) -> None:
        """Check what a field of an offset kind points to; tables of vectors are visited later."""
        if field[0] == "v":
            self.vector(position, int(field[1:]))
        elif field[0] == "[":
            self.vector(position, 4)
        else:
            self.table(self.follow(position), field)

    def vector(self, position: int, element_bytes: int) -> tuple[int, int]:
        """Start and length of the vector that the offset at `position` points to."""
        start = self.follow(position)
        count = self.number(U32, start)
        if start + 4 + count * element_bytes > self._size:
            raise DamagedError(f"vector at {start} reaches outside the file")
        return start + 4, count

    def tables(self, parent: Table, slot: int, kind: str) -> list[Table]:
        """Check every table of a vector of tables; an absent vector is empty."""
        if slot not in parent.fields:
            return []
        start, count = self.vector(parent.fields[slot], 4)
        if self._tables + count > MAX_TABLES:
            raise DamagedError(f"more than {MAX_TABLES} tables")
        return [self.table(self.follow(start + 4 * i), kind) for i in range(count)]

    def integers(self, parent: Table, slot: int) -> list[int]:
        """A vector of int32; an absent vector is empty."""
        if slot not in parent.fields:
            return []
        start, count = self.vector(parent.fields[slot], 4)
        return list(unpack_from(f"<{count}i", self._data, start))

    def floats(self, parent: Table, slot: int) -> tuple[float, ...]:
        """A vector of float32; an absent vector is empty."""
        if slot not in parent.fields:
            return ()
        start, count = self.vector(parent.fields[slot], 4)
        return unpack_from(f"<{count}f", self._data, start)

    def scalar(self, parent: Table, slot: int, codec: Struct) -> int:
        """A scalar field, 0 when absent."""
        return self.number(codec, parent.fields[slot]) if slot in parent.fields else 0

    def byte(self, parent: Table, slot: int) -> int:
        """A uint8 field, 0 when absent."""
        return self._data[parent.fields[slot]] if slot in parent.fields else 0
