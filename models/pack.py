"""Makes a package folder out of a model file and its JSON description."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from drivers.faults import ModelRefused
from models.package import (
    DESCRIPTION,
    PLAIN_NAME,
    ModelInfo,
    Package,
    load_package,
    verify_file,
)

KINDS: Final = {"box": "box", "obj": "objectness", "cls": "class"}
"""Prefixes of the tensor names in a description."""
SCORES: Final = {
    "sigmoid(obj)*sigmoid(cls)": "logit_objectness",
    "sigmoid(cls)": "logit",
    "cls": "probability",
}
BOXES: Final = {"cx=(v0+gx)*stride": "yolox_cxcywh", "ltrb": "ltrb_exp"}
"""How the meaning of a box tensor begins, after "raw reg conv: "."""


class DescribedInput(Struct, kw_only=True):
    """`input` of a description."""

    shape: list[int]
    dtype: str
    scale: float
    zero_point: int
    channel_order: str = "BGR"
    letterbox: str = ""


class DescribedOutput(Struct, kw_only=True):
    """One of `outputs` of a description."""

    name: str
    position: int
    shape: list[int]
    dtype: str
    scale: float
    zero_point: int
    stride: int
    meaning: str = ""


class Description(Struct, kw_only=True):
    """The parts of a description that a package needs; the rest is ignored."""

    name: str
    licence: str
    file: str
    bytes: int
    sha256: str
    input: DescribedInput
    outputs: list[DescribedOutput]
    score: str
    task: str = ""
    version: str = "0.1.0"
    classes: list[str] = msgspec.field(default_factory=lambda: ["person"])
    pad_value: int = 114


def pack(description: Path, out: Path, score: float, nms_iou: float) -> Package:
    """Write a package folder for the tflite target.

    Args:
        description: a JSON file with the model file beside it.
        out: the folder to write; made when it is not there.
        score: the package's score threshold, 0..1.
        nms_iou: boxes that overlap by more are one, 0..1.

    Returns:
        The package as read back from the folder.

    Raises:
        ModelRefused: the description is unreadable or its model file is another; nothing written.
    """
    described = _read(description)
    source = description.parent / described.file
    if not PLAIN_NAME.fullmatch(described.file):
        raise ModelRefused(str(description), f'file = "{described.file}" must be a plain name')
    verify_file(source, described.bytes, described.sha256)
    info = _info(described, str(description), score, nms_iou)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if source.resolve() != (out / described.file).resolve():
            shutil.copyfile(source, out / described.file)
        (out / DESCRIPTION).write_text(to_toml(msgspec.to_builtins(info)), encoding="utf-8")
    except OSError as error:
        raise ModelRefused(str(out), error.strerror or str(error)) from error
    return load_package(out, "tflite")


def _read(path: Path) -> Description:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise ModelRefused(str(path), error.strerror or str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(str(path), f"not a model description: {error}") from error


def _info(described: Description, path: str, score: float, nms_iou: float) -> ModelInfo:
    """The package's description, checked for values that no package may have."""
    raw = {
        "format": 1,
        "name": described.name,
        "version": described.version,
        "role": "detector",
        "family": "anchor_free",
        "licence": described.licence,
        "classes": described.classes,
        "input": _input(described),
        "decode": {
            "box": _meaning(path, described.outputs),
            "score": _known(path, "score", described.score, SCORES),
        },
        "thresholds": {"score": score, "nms_iou": nms_iou},
        "outputs": [_output(path, entry) for entry in described.outputs],
        "targets": [
            {
                "npu": "tflite",
                "file": described.file,
                "sha256": described.sha256,
                "bytes": described.bytes,
            }
        ],
    }
    try:
        return msgspec.convert(raw, ModelInfo)
    except msgspec.ValidationError as error:
        raise ModelRefused(path, str(error)) from error


def _input(described: Description) -> dict[str, Any]:
    tensor = described.input
    return {
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
        "colour": tensor.channel_order.lower(),
        "pad_value": described.pad_value,
    }


def _output(path: str, entry: DescribedOutput) -> dict[str, Any]:
    return {
        "index": entry.position,
        "kind": _known(path, f"outputs {entry.name}", entry.name.partition("_")[0], KINDS),
        "stride": entry.stride,
        "shape": entry.shape,
        "dtype": entry.dtype,
        "scale": entry.scale,
        "zero_point": entry.zero_point,
    }


def _meaning(path: str, outputs: list[DescribedOutput]) -> str:
    """The box encoding that the first box tensor's text tells of."""
    text = next((entry.meaning for entry in outputs if entry.name.startswith("box")), "")
    for words, box in BOXES.items():
        if words in text:
            return box
    raise ModelRefused(path, f'box meaning "{text}" is unknown; known: {", ".join(BOXES)}')


def _known(path: str, key: str, value: str, names: dict[str, str]) -> str:
    if value not in names:
        raise ModelRefused(path, f'{key} = "{value}" is unknown; known: {", ".join(names)}')
    return names[value]


def to_toml(tables: dict[str, Any]) -> str:
    """Write a description: plain keys, then tables, then arrays of tables; one level deep."""
    plain = {key: value for key, value in tables.items() if not _is_table(value)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in tables.items():
        for entry in value if key not in plain and isinstance(value, list) else [value]:
            if key not in plain:
                lines += ["", f"[[{key}]]" if isinstance(value, list) else f"[{key}]"]
                lines += [f"{name} = {_value(inner)}" for name, inner in entry.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def _value(value: Any) -> str:
    """A TOML value; JSON writes the same strings, numbers and lists."""
    return json.dumps(value, ensure_ascii=False)
