"""Checks the structure of a .tflite file before native code sees it.

`tflite_runtime` follows the offsets of a FlatBuffer without looking: of 1,500 damaged files
more than four in ten ended the process with SIGSEGV. This check visits every table, vector and
string of the TFLite schema, proves that it lies inside the file, and compares the indices, shapes
and sizes that the kernels trust.
"""

from __future__ import annotations

import math
from typing import Final

from drivers.faults import ModelRefused
from drivers.npu.flatbuffer import I32, LATER, U32, U64, DamagedError, Refused, Schema, Table, Walk
from drivers.npu.model_file import MAX_FILE_BYTES

IDENTIFIER: Final = b"TFL3"
SCHEMA_VERSION: Final = 3
MAX_TENSOR_BYTES: Final = 256 << 20
MIN_SCALE, MAX_SCALE = 1e-15, 1e6
"""Quantization scales beyond these make the kernels' fixed-point arithmetic abort the process."""
REQUIRED_INPUTS: Final = 2
"""The first inputs of an operator are never absent in a network without recurrence."""
MAX_RANK: Final = 8
MIN_FILE_BYTES: Final = 32


OPERATOR_TENSORS: Final = ((1, -1), (2, 0), (8, -1))
"""Slots of inputs, outputs, intermediates, and the lowest index: -1 is an absent tensor."""

# Slots are in the order of schema.fbs.
SCHEMA: Final[Schema] = {
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
        4: LATER,
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
REFUSED: Final[Refused] = {
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
COUNT_OUTPUTS: Final = {49: 35, 88: 64, 102: 79}
"""Split, Unpack and SplitV by BuiltinOperator, with the type of options that they need: its first
field is the number of outputs, which their kernels trust."""
ELEMENT_BYTES: Final = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1, 10: 8, 15: 4, 16: 2}
"""Bytes per element by TensorType; strings, complex numbers and resources are not accepted."""


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
        _verify(Walk(data, SCHEMA, REFUSED), len(data))
    except DamagedError as wrong:
        raise ModelRefused(path, f"damaged TFLite file: {wrong}") from None


def _verify(walk: Walk, size: int) -> None:
    model = walk.table(walk.follow(0), "Model")
    version = walk.scalar(model, 0, U32)
    if version != SCHEMA_VERSION:
        raise DamagedError(f"schema version {version}, not {SCHEMA_VERSION}")
    codes = walk.tables(model, 1, "OperatorCode")
    buffers = walk.tables(model, 4, "Buffer")
    graphs = walk.tables(model, 2, "SubGraph")
    if not graphs:
        raise DamagedError("no graph")
    for buffer in buffers:
        end = walk.scalar(buffer, 1, U64) + walk.scalar(buffer, 2, U64)
        if end > size:
            raise DamagedError(f"buffer ends at {end}, outside the file")
    for metadata in walk.tables(model, 6, "Metadata"):
        _inside(walk.scalar(metadata, 1, U32), len(buffers), "metadata buffer")
    counts = [_verify_graph(walk, graph, codes, buffers) for graph in graphs]
    _verify_signatures(walk, model, counts)


def _verify_graph(walk: Walk, graph: Table, codes: list[Table], buffers: list[Table]) -> int:
    tensors = walk.tables(graph, 0, "Tensor")
    for tensor in tensors:
        _verify_tensor(walk, tensor, buffers)
        _verify_scales(walk, tensor)
    for slot in (1, 2):
        for index in walk.integers(graph, slot):
            _inside(index, len(tensors), "graph tensor")
    for operator in walk.tables(graph, 3, "Operator"):
        _verify_operator(walk, operator, len(tensors), codes)
    return len(tensors)


def _verify_tensor(walk: Walk, tensor: Table, buffers: list[Table]) -> None:
    """Type, shape, and that constant data is exactly as long as the shape says."""
    index = walk.scalar(tensor, 2, U32)
    _inside(index, max(1, len(buffers)), "tensor buffer")
    kind = walk.byte(tensor, 1)
    shape = walk.integers(tensor, 0)
    if kind not in ELEMENT_BYTES:
        raise DamagedError(f"tensor type {kind} is not accepted")
    if len(shape) > MAX_RANK or min(shape, default=0) < 0:
        raise DamagedError(f"tensor shape {shape[:MAX_RANK]}")
    needed = math.prod(shape) * ELEMENT_BYTES[kind]
    if needed > MAX_TENSOR_BYTES:
        raise DamagedError(f"tensor shape {shape} is over {MAX_TENSOR_BYTES} bytes")
    if buffers and 0 in buffers[index].fields:
        stored = walk.vector(buffers[index].fields[0], 1)[1]
        if stored not in (0, needed):
            raise DamagedError(
                f"tensor shape {shape} needs {needed} bytes, its buffer has {stored}"
            )


def _verify_scales(walk: Walk, tensor: Table) -> None:
    if 4 not in tensor.fields:
        return
    quantization = walk.table(walk.follow(tensor.fields[4]), "Quantization")
    for scale in walk.floats(quantization, 2):
        if scale != 0 and not MIN_SCALE <= scale <= MAX_SCALE:
            raise DamagedError(f"tensor scale {scale}")


def _verify_operator(walk: Walk, operator: Table, tensors: int, codes: list[Table]) -> None:
    code = walk.scalar(operator, 0, U32)
    _inside(code, len(codes), "operator code")
    for slot, lowest in OPERATOR_TENSORS:
        for place, index in enumerate(walk.integers(operator, slot)):
            _inside(index, tensors, "operator tensor", 0 if place < REQUIRED_INPUTS else lowest)
    kind = walk.byte(operator, 3)
    if kind in OPTIONS_UNSUPPORTED:
        raise DamagedError(f"operator options of type {kind} are not accepted")
    name = OPTIONS_WITH_VECTOR.get(kind, "Options")
    options = walk.table(walk.follow(operator.fields[4]), name) if 4 in operator.fields else None
    builtin = max(walk.byte(codes[code], 0), walk.scalar(codes[code], 3, I32))
    if builtin in COUNT_OUTPUTS:
        outputs = len(walk.integers(operator, 2))
        counted = walk.scalar(options, 0, I32) if options else 0
        if kind != COUNT_OUTPUTS[builtin] or counted != outputs:
            raise DamagedError(f"operator {builtin} disagrees with its {outputs} outputs")


def _verify_signatures(walk: Walk, model: Table, tensor_counts: list[int]) -> None:
    for signature in walk.tables(model, 7, "SignatureDef"):
        graph = walk.scalar(signature, 4, U32)
        _inside(graph, len(tensor_counts), "signature graph")
        for slot in (0, 1):
            for entry in walk.tables(signature, slot, "TensorMap"):
                _inside(walk.scalar(entry, 1, U32), tensor_counts[graph], "signature tensor")


def _inside(index: int, count: int, what: str, lowest: int = 0) -> None:
    if not lowest <= index < count:
        raise DamagedError(f"{what} {index} of {count}")
