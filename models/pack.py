"""Makes a package folder out of a model file and its JSON description."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from drivers.board import NpuConfig
from drivers.faults import ModelRefused
from drivers.npu.tensors import DescribedSession, TensorDetail
from drivers.npu.tflite import TfliteNpu
from models.package import DESCRIPTION, ModelInfo, Package, load_package, verify_file
from models.package_checks import MOVENET, PLAIN_NAME
from models.skeletons import KEYPOINTS

KINDS: Final = {"box": "box", "obj": "objectness", "cls": "class"}
"""Prefixes of the tensor names in a description."""
SCORES: Final = {
    "sigmoid(obj)*sigmoid(cls)": "logit_objectness",
    "sigmoid(cls)": "logit",
    "cls": "probability",
}
BOXES: Final = {"cx=(v0+gx)*stride": "yolox_cxcywh", "ltrb": "ltrb_exp"}
"""How the meaning of a box tensor begins, after "raw reg conv: "."""

MOVENET_MARGIN: Final = 0.25
"""As its authors crop: the body's box, widened by an eighth on each side."""


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
    return write_package(info, source, out)


def pack_movenet(source: Path, out: Path, score: float) -> Package:
    """Write a package folder for a MoveNet single-pose TFLite file, for local use.

    Args:
        source: a file with one uint8 [1, H, W, 3] input and one float32 [1, 1, 17, 3] output.
        out: the folder to write; made when it is not there.
        score: joints below it are missing, 0..1.

    Returns:
        The package as read back from the folder.

    Raises:
        ModelRefused: the file is something else; what was written does not load.
        NpuFault: the device failed.
    """
    inputs, outputs = _tensors(source)
    if len(inputs) != 1 or len(outputs) != 1 or not PLAIN_NAME.fullmatch(source.name):
        raise ModelRefused(str(source), "must have one input, one output and a plain name")
    tensor = _tensor(inputs[0]) | {"colour": "rgb", "pad_value": 0, "crop_margin": MOVENET_MARGIN}
    raw = {
        "format": 1,
        "name": source.stem[:64],
        "version": "0.1.0",
        "role": "skeleton",
        "family": MOVENET,
        "licence": "Apache-2.0, third party",
        "classes": KEYPOINTS,
        "input": tensor,
        "decode": {"box": "none", "score": "probability"},
        "thresholds": {"score": score},
        "outputs": [_tensor(outputs[0]) | {"index": 0, "kind": "points", "stride": 1}],
        "targets": [target_of(source)],
    }
    return write_package(_convert(raw, str(source)), source, out)


def _tensors(file: Path) -> tuple[Sequence[TensorDetail], Sequence[TensorDetail]]:
    """Inputs and outputs of a TFLite file. Raises ModelRefused, NpuFault."""
    session = TfliteNpu(NpuConfig(driver="npu.tflite")).load(str(file))
    try:
        if not isinstance(session, DescribedSession):
            raise ModelRefused(str(file), "its tensors are not described")
        return session.input_details, session.output_details
    finally:
        session.close()


def _tensor(detail: TensorDetail) -> dict[str, Any]:
    return {
        "shape": detail.shape,
        "dtype": detail.dtype,
        "scale": detail.scale,
        "zero_point": detail.zero_point,
    }


def target_of(file: Path, npu: str = "tflite") -> dict[str, Any]:
    """What a description says about a model file. Raises ModelRefused: it cannot be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelRefused(str(file), error.strerror or str(error)) from error
    digest = hashlib.sha256(content).hexdigest()
    return {"npu": npu, "file": file.name, "sha256": digest, "bytes": len(content)}


def _convert(raw: dict[str, Any], path: str) -> ModelInfo:
    """Plain values as a description. Raises ModelRefused."""
    try:
        return msgspec.convert(raw, ModelInfo)
    except msgspec.ValidationError as error:
        raise ModelRefused(path, str(error)) from error


def write_package(info: ModelInfo, source: Path, out: Path) -> Package:
    """Write the folder of a description and its one model file, and read it back.

    Raises:
        ModelRefused: it cannot be written, or is not a package.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if source.resolve() != (out / source.name).resolve():
            shutil.copyfile(source, out / source.name)
        (out / DESCRIPTION).write_text(to_toml(msgspec.to_builtins(info)), encoding="utf-8")
    except OSError as error:
        raise ModelRefused(str(out), error.strerror or str(error)) from error
    return load_package(out, info.targets[0].npu)


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
    return _convert(raw, path)


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
