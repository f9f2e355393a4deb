"""Builds small int8 TFLite detectors, so that no test needs anybody's weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

STRIDES = (8, 16)
INPUT = (1, 64, 96, 3)
INPUT_SCALE = 0.0078125
WEIGHT_SCALE = 0.01
BOX_SCALE, BOX_ZERO = 0.02, -3
CLASS_SCALE, CLASS_ZERO = 1 / 256, -128
RUNTIMES = {"litert": "ai_edge_litert", "tflite": "tflite_runtime"}


def schema() -> ModuleType:
    """The object API of the TFLite schema that comes with LiteRT."""
    pytest.importorskip("flatbuffers")
    return pytest.importorskip("ai_edge_litert.schema_py_generated")


class _Builder:
    """One graph: convolutions from the input to heads."""

    def __init__(self, s: Any) -> None:
        self.s = s
        self.rng = np.random.default_rng(7)
        self.graph = s.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.buffers = [s.BufferT()]

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        kind: int,
        quantization: tuple[float, int],
        data: Any,
    ) -> int:
        tensor = self.s.TensorT()
        tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), kind
        tensor.quantization = self.s.QuantizationParametersT()
        tensor.quantization.scale = [quantization[0]]
        tensor.quantization.zeroPoint = [quantization[1]]
        tensor.buffer = 0
        if data is not None:
            buffer = self.s.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def head(self, name: str, stride: int, depth: int, scale: float, zero_point: int) -> int:
        """A stride x stride convolution straight from the picture."""
        types = self.s.TensorType
        shape = (depth, stride, stride, 3)
        filters = self.rng.integers(-90, 90, shape).astype(np.int8)
        bias = self.rng.integers(-3000, 3000, depth).astype(np.int32)
        weight = self.tensor(f"{name}_w", shape, types.INT8, (WEIGHT_SCALE, 0), filters)
        bias_scale = (INPUT_SCALE * WEIGHT_SCALE, 0)
        added = self.tensor(f"{name}_b", (depth,), types.INT32, bias_scale, bias)
        out_shape = (1, INPUT[1] // stride, INPUT[2] // stride, depth)
        out = self.tensor(name, out_shape, types.INT8, (scale, zero_point), None)
        self.operator([0, weight, added], out, stride)
        return out

    def operator(self, inputs: list[int], output: int, stride: int) -> None:
        operator = self.s.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
        operator.builtinOptionsType = self.s.BuiltinOptions.Conv2DOptions
        options = self.s.Conv2DOptionsT()
        options.padding = self.s.Padding.VALID
        options.strideW = options.strideH = stride
        operator.builtinOptions = options
        self.graph.operators.append(operator)


def build(classes: int = 1, custom_op: str = "") -> bytes:
    """An int8 detector with box and class heads for STRIDES.

    Args:
        classes: depth of the class heads.
        custom_op: name of an operator that no runtime has, instead of the convolutions.
    """
    import flatbuffers

    s = schema()
    builder = _Builder(s)
    builder.tensor("picture", INPUT, s.TensorType.INT8, (INPUT_SCALE, 0), None)
    outputs = []
    for stride in STRIDES:
        outputs.append(builder.head(f"box{stride}", stride, 4, BOX_SCALE, BOX_ZERO))
        outputs.append(builder.head(f"class{stride}", stride, classes, CLASS_SCALE, CLASS_ZERO))
    builder.graph.inputs, builder.graph.outputs = [0], outputs
    code = s.OperatorCodeT()
    code.version = 1
    code.builtinCode = s.BuiltinOperator.CUSTOM if custom_op else s.BuiltinOperator.CONV_2D
    code.deprecatedBuiltinCode = code.builtinCode
    code.customCode = custom_op.encode() or None
    if custom_op:
        for operator in builder.graph.operators:
            operator.builtinOptionsType, operator.builtinOptions = 0, None
    model = s.ModelT()
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs, model.buffers = [builder.graph], builder.buffers
    packer = flatbuffers.Builder(4096)
    packer.Finish(model.Pack(packer), b"TFL3")
    return bytes(packer.Output())


def description(content: bytes, classes: list[str]) -> dict[str, Any]:
    """The `model.toml` of `build(len(classes))`, as plain tables."""
    outputs = []
    for i, stride in enumerate(STRIDES):
        grid = [1, INPUT[1] // stride, INPUT[2] // stride]
        for kind, depth in (("box", 4), ("class", len(classes))):
            quantization = (BOX_SCALE, BOX_ZERO) if kind == "box" else (CLASS_SCALE, CLASS_ZERO)
            outputs.append(
                {
                    "index": 2 * i + (kind == "class"),
                    "kind": kind,
                    "stride": stride,
                    "shape": [*grid, depth],
                    "dtype": "int8",
                    "scale": quantization[0],
                    "zero_point": quantization[1],
                }
            )
    return {
        "format": 1,
        "name": "tiny",
        "version": "0.0.1",
        "role": "detector",
        "family": "anchor_free",
        "licence": "Apache-2.0",
        "classes": classes,
        "parameters": 3000,
        "teacher": "none",
        "input": {
            "shape": list(INPUT),
            "dtype": "int8",
            "scale": INPUT_SCALE,
            "zero_point": 0,
            "colour": "bgr",
            "letterbox": "top_left",
            "pad_value": 114,
        },
        "decode": {"box": "ltrb_exp", "score": "probability"},
        "thresholds": {"score": 0.5, "nms_iou": 0.6},
        "outputs": outputs,
        "targets": [
            {
                "npu": "tflite",
                "file": "tiny.tflite",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            }
        ],
        "accuracy": {"person_ap50": 0.1},
        "training_data": [{"name": "noise", "licence": "CC0", "images": 1}],
    }


def write_package(folder: Path, tables: dict[str, Any], content: bytes) -> Path:
    """A package folder with this description and this model file."""
    from models.pack import to_toml

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.toml").write_text(to_toml(tables), encoding="utf-8")
    (folder / "tiny.tflite").write_bytes(content)
    return folder


def npu(runtime: str) -> Any:
    """A TfliteNpu on one runtime; skips where that one is not installed."""
    from drivers.board import NpuConfig
    from drivers.npu.tflite import TfliteNpu

    pytest.importorskip(f"{RUNTIMES[runtime]}.interpreter")
    return TfliteNpu(NpuConfig(driver="npu.tflite", runtime=runtime))
