"""Checks the structure of a .tflite file before native code sees it.

`tflite_runtime` follows the offsets of a FlatBuffer without looking: of 1,500 damaged files about
four in ten ended the process with SIGSEGV. This walk visits every table, vector and string of the
TFLite schema once, proves that it lies inside the file, and checks the indices between them.
"""

from __future__ import annotations

import math
from struct import Struct
from typing import Final, NamedTuple

from drivers.faults import ModelRefused

IDENTIFIER: Final = b"TFL3"
SCHEMA_VERSION: Final = 3
MAX_FILE_BYTES: Final = 256 << 20
"""More than any board's memory has for a student; also bounds the time of the walk."""
MAX_TENSOR_BYTES: Final = 256 << 20
MAX_TABLES: Final = 200_000
MAX_RANK: Final = 8
MIN_FILE_BYTES: Final = 32

_U16 = Struct("<H")
_I32 = Struct("<i")
_U32 = Struct("<I")
_U64 = Struct("<Q")

OPERATOR_TENSORS: Final = ((1, -1), (2, 0), (8, -1))
"""Slots of inputs, outputs, intermediates, and the lowest index: -1 is an absent tensor."""

# A field is an inline size in bytes, a vector of scalars ("v" + element size), or the name of a
# table ("Tensor") or of a vector of tables ("[Tensor]"). Slots are in the order of schema.fbs.
Field = int | str
SCHEMA: Final[dict[str, dict[int, Field]]] = {
    "Model": {
        0: 4,
        1: "[OperatorCode]",
        2: "[SubGraph]",
        3: "v1",
        4: "[Buffer]",
        5: "v4",
        6: "[Metadata]",
        7: "[SignatureDef]",
    },
    "OperatorCode": {0: 1, 1: "v1", 2: 4, 3: 4},
    "SubGraph": {0: "[Tensor]", 1: "v4", 2: "v4", 3: "[Operator]", 4: "v1"},
    "Tensor": {0: "v4", 1: 1, 2: 4, 3: "v1", 4: "Quantization", 5: 1, 7: "v4", 8: 1},
    "Quantization": {0: "v4", 1: "v4", 2: "v4", 3: "v8", 6: 4},
    "Operator": {
        0: 4,
        1: "v4",
        2: "v4",
        3: 1,
        4: "Options",
        5: "v1",
        6: 1,
        7: "v1",
        8: "v4",
        9: 8,
        10: 8,
    },
    "Options": {},
    "Reshape": {0: "v4"},
    "Buffer": {0: "v1", 1: 8, 2: 8},
    "Metadata": {0: "v1", 1: 4},
    "SignatureDef": {0: "[TensorMap]", 1: "[TensorMap]", 2: "v1", 4: 4},
    "TensorMap": {0: "v1", 1: 4},
}
REFUSED: Final[dict[tuple[str, int], str]] = {
    ("Tensor", 6): "sparse tensors",
    ("Tensor", 9): "variant tensors",
    ("Tensor", 10): "external buffers",
    ("Quantization", 5): "custom quantization",
    ("Operator", 12): "StableHLO operators",
}
"""Parts of the schema that no camera network uses; refused rather than walked."""
OPTIONS_WITH_VECTOR: Final = {17: "Reshape", 30: "Reshape"}
"""BuiltinOptions whose first field is a vector: ReshapeOptions, SqueezeOptions."""
OPTIONS_UNSUPPORTED: Final = frozenset({89, 111, 112, 115})
"""Hashtable, VarHandle, Random and Bucketize options: strings and vectors that are not walked."""
OPTIONS_COUNT_OUTPUTS: Final = frozenset({35, 64, 79})
"""Split, Unpack, SplitV options: the first field is the number of outputs, which kernels trust."""
ELEMENT_BYTES: Final = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1, 10: 8, 15: 4, 16: 2}
"""Bytes per element by TensorType; strings, complex numbers and resources are not accepted."""


class _Table(NamedTuple):
    """Where a verified table lies: start, and the position of each present field by slot."""

    position: int
    fields: dict[int, int]


class _DamagedError(Exception):
    """Something in the file points outside it, or two parts of it disagree."""


class _Walk:
    """One pass over one file; every method raises `_DamagedError` for what is wrong first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = len(data)
        self._tables = 0

    def number(self, codec: Struct, position: int) -> int:
        """One little-endian integer."""
        if position < 0 or position + codec.size > self._size:
            raise _DamagedError(f"offset {position} is outside the file ({self._size} bytes)")
        return int(codec.unpack_from(self._data, position)[0])

    def follow(self, position: int) -> int:
        """Where the unsigned offset at `position` points."""
        return position + self.number(_U32, position)

    def table(self, position: int, kind: str) -> _Table:
        """Check one table and everything below it."""
        self._tables += 1
        if self._tables > MAX_TABLES:
            raise _DamagedError(f"more than {MAX_TABLES} tables")
        vtable = position - self.number(_I32, position)
        vtable_bytes, table_bytes = self.number(_U16, vtable), self.number(_U16, vtable + 2)
        if vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > self._size:
            raise _DamagedError(f"{kind} at {position} has a damaged field table")
        if table_bytes < 4 or position + table_bytes > self._size:
            raise _DamagedError(f"{kind} at {position} reaches outside the file")
        fields: dict[int, int] = {}
        for slot in range((vtable_bytes - 4) // 2):
            offset = self.number(_U16, vtable + 4 + 2 * slot)
            if offset:
                self._field(kind, slot, position, offset, table_bytes)
                fields[slot] = position + offset
        return _Table(position, fields)

    def _field(self, kind: str, slot: int, start: int, offset: int, table_bytes: int) -> None:
        """Check one field; unknown slots only have to lie inside their table."""
        if (kind, slot) in REFUSED:
            raise _DamagedError(f"{REFUSED[kind, slot]} are not accepted")
        field = SCHEMA[kind].get(slot, 1)
        size = field if isinstance(field, int) else 4
        if offset < 4 or offset + size > table_bytes:
            raise _DamagedError(f"field {slot} of {kind} at {start} lies outside its table")
        if isinstance(field, str) and field != "Options":
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
        count = self.number(_U32, start)
        if start + 4 + count * element_bytes > self._size:
            raise _DamagedError(f"vector at {start} reaches outside the file")
        return start + 4, count

    def tables(self, parent: _Table, slot: int, kind: str) -> list[_Table]:
        """Check every table of a vector of tables; an absent vector is empty."""
        if slot not in parent.fields:
            return []
        start, count = self.vector(parent.fields[slot], 4)
        if self._tables + count > MAX_TABLES:
            raise _DamagedError(f"more than {MAX_TABLES} tables")
        return [self.table(self.follow(start + 4 * i), kind) for i in range(count)]

    def integers(self, parent: _Table, slot: int) -> list[int]:
        """A vector of int32; an absent vector is empty."""
        if slot not in parent.fields:
            return []
        start, count = self.vector(parent.fields[slot], 4)
        return [self.number(_I32, start + 4 * i) for i in range(count)]

    def scalar(self, parent: _Table, slot: int, codec: Struct) -> int:
        """A scalar field, 0 when absent."""
        return self.number(codec, parent.fields[slot]) if slot in parent.fields else 0

    def byte(self, parent: _Table, slot: int) -> int:
        """A uint8 field, 0 when absent."""
        return self._data[parent.fields[slot]] if slot in parent.fields else 0


def verify_tflite(data: bytes, path: str) -> None:
    """Check that `data` is a whole TFLite file with every offset and index inside it.

    Args:
        data: the file's content.
        path: named in the refusal.

    Raises:
        ModelRefused: empty, truncated, damaged, not TFLite, or with parts that are not accepted.
    """
    if not MIN_FILE_BYTES <= len(data) <= MAX_FILE_BYTES:
        raise ModelRefused(
            path, f"{len(data)} bytes; a TFLite file has {MIN_FILE_BYTES} to {MAX_FILE_BYTES}"
        )
    if data[4:8] != IDENTIFIER:
        raise ModelRefused(path, f"not a TFLite file: identifier {data[4:8]!r}, not {IDENTIFIER!r}")
    try:
        _verify(_Walk(data), len(data))
    except _DamagedError as wrong:
        raise ModelRefused(path, f"damaged TFLite file: {wrong}") from None


def _verify(walk: _Walk, size: int) -> None:
    model = walk.table(walk.follow(0), "Model")
    version = walk.scalar(model, 0, _U32)
    if version != SCHEMA_VERSION:
        raise _DamagedError(f"schema version {version}, not {SCHEMA_VERSION}")
    codes = walk.tables(model, 1, "OperatorCode")
    buffers = walk.tables(model, 4, "Buffer")
    graphs = walk.tables(model, 2, "SubGraph")
    if not graphs:
        raise _DamagedError("no graph")
    for buffer in buffers:
        end = walk.scalar(buffer, 1, _U64) + walk.scalar(buffer, 2, _U64)
        if end > size:
            raise _DamagedError(f"buffer ends at {end}, outside the file")
    for metadata in walk.tables(model, 6, "Metadata"):
        _inside(walk.scalar(metadata, 1, _U32), len(buffers), "metadata buffer")
    counts = [_verify_graph(walk, graph, len(codes), buffers) for graph in graphs]
    _verify_signatures(walk, model, counts)


def _verify_graph(walk: _Walk, graph: _Table, codes: int, buffers: list[_Table]) -> int:
    tensors = walk.tables(graph, 0, "Tensor")
    for tensor in tensors:
        _verify_tensor(walk, tensor, buffers)
    for slot in (1, 2):
        for index in walk.integers(graph, slot):
            _inside(index, len(tensors), "graph tensor")
    for operator in walk.tables(graph, 3, "Operator"):
        _inside(walk.scalar(operator, 0, _U32), codes, "operator code")
        for slot, lowest in OPERATOR_TENSORS:
            for index in walk.integers(operator, slot):
                _inside(index, len(tensors), "operator tensor", lowest)
        _verify_options(walk, operator)
    return len(tensors)


def _verify_tensor(walk: _Walk, tensor: _Table, buffers: list[_Table]) -> None:
    index = walk.scalar(tensor, 2, _U32)
    _inside(index, max(1, len(buffers)), "tensor buffer")
    kind = walk.byte(tensor, 1)
    shape = walk.integers(tensor, 0)
    if kind not in ELEMENT_BYTES:
        raise _DamagedError(f"tensor type {kind} is not accepted")
    if len(shape) > MAX_RANK or min(shape, default=0) < 0:
        raise _DamagedError(f"tensor shape {shape[:MAX_RANK]}")
    if math.prod(shape) * ELEMENT_BYTES[kind] > MAX_TENSOR_BYTES:
        raise _DamagedError(f"tensor shape {shape} is over {MAX_TENSOR_BYTES} bytes")


def _verify_options(walk: _Walk, operator: _Table) -> None:
    kind = walk.byte(operator, 3)
    if kind in OPTIONS_UNSUPPORTED:
        raise _DamagedError(f"operator options of type {kind} are not accepted")
    if 4 in operator.fields:
        position = walk.follow(operator.fields[4])
        options = walk.table(position, OPTIONS_WITH_VECTOR.get(kind, "Options"))
        outputs = len(walk.integers(operator, 2))
        if kind in OPTIONS_COUNT_OUTPUTS and walk.scalar(options, 0, _I32) != outputs:
            raise _DamagedError(f"options at {position} disagree with the {outputs} outputs")


def _verify_signatures(walk: _Walk, model: _Table, tensor_counts: list[int]) -> None:
    for signature in walk.tables(model, 7, "SignatureDef"):
        graph = walk.scalar(signature, 4, _U32)
        _inside(graph, len(tensor_counts), "signature graph")
        for slot in (0, 1):
            for entry in walk.tables(signature, slot, "TensorMap"):
                _inside(walk.scalar(entry, 1, _U32), tensor_counts[graph], "signature tensor")


def _inside(index: int, count: int, what: str, lowest: int = 0) -> None:
    if not lowest <= index < count:
        raise _DamagedError(f"{what} {index} of {count}")
