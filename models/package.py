"""A model package: a folder with `model.toml` and one file per NPU target."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from drivers.faults import ModelRefused
from drivers.toml_strict import ConfigErrors, load_strict
from models.package_checks import CHECKS, PLAIN_NAME

DESCRIPTION: Final = "model.toml"
STUDENTS: Final = Path(__file__).parent / "students"

Positive = Annotated[int, Meta(ge=1)]
NonNegative = Annotated[int, Meta(ge=0)]
Score = Annotated[float, Meta(ge=0, le=1)]
Scale = Annotated[float, Meta(ge=0)]
"""0: the tensor is not quantized."""
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Shape = Annotated[list[Positive], Meta(min_length=4, max_length=4)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Dtype = Literal["int8", "uint8"]


class InputInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[input]`: the one input tensor and how a picture gets into it."""

    shape: Shape
    """NHWC."""
    dtype: Dtype
    """int8: value = uint8 ^ 0x80."""
    scale: Scale
    zero_point: int
    colour: Literal["bgr", "rgb"] = "bgr"
    letterbox: Literal["top_left"] = "top_left"
    pad_value: Annotated[int, Meta(ge=0, le=255)] = 114
    """In the uint8 domain."""
    crop_margin: Annotated[float, Meta(ge=0, le=2)] = 0.25
    """Of a network that looks at one person: the box is widened by this share of its size."""
    skeleton: Literal["", "coco17_torso"] = ""
    """coco17_torso: x, y, seen of 17 joints as `models.skeletons.Normaliser` gives them."""


class DecodeInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[decode]`: what the output values mean."""

    box: Literal["ltrb_exp", "yolox_cxcywh", "none"]
    """none: of a classifier or a skeleton. ltrb_exp: exp(v)*stride around
    ((gx+.5)*stride, (gy+.5)*stride).
    yolox_cxcywh: cx=(v0+gx)*stride, cy=(v1+gy)*stride, w=exp(v2)*stride, h=exp(v3)*stride."""
    score: Literal["probability", "logit", "logit_objectness", "softmax"]
    """probability: after the sigmoid. softmax: of the logits of all classes.
    logit_objectness: sigmoid(objectness) * sigmoid(class)."""


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[thresholds]`: the operating point."""

    score: Score
    nms_iou: Score = 0.6
    per_class: dict[str, Score] = {}
    """Of a detector: other scores for some classes, by name."""

    def of(self, classes: Sequence[str]) -> list[float]:
        """The score of each class."""
        return [self.per_class.get(name, self.score) for name in classes]


class OutputInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[outputs]]`: one output tensor; index is its position among the model's outputs."""

    index: NonNegative
    kind: Literal["box", "class", "objectness", "points", "cells", "offsets", "visible"]
    """points: y, x, score of each joint, as shares of the input. cells: a score for each joint in
    each cell. offsets: x, y of each joint from the middle of each cell, in cells. visible: of
    each joint."""
    stride: Positive
    shape: Shape
    dtype: Literal["int8", "uint8", "float32"]
    scale: Scale
    zero_point: int


class TargetInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[targets]]`: the model file for one NPU."""

    npu: Word
    file: Word
    sha256: Sha256
    bytes: Positive


class TrainingData(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[training_data]]`: a set that the model has seen."""

    name: str
    licence: str
    images: NonNegative = 0


class ModelInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole `model.toml`."""

    format: Literal[1]
    name: Word
    version: Word
    role: Literal["detector", "skeleton", "action"]
    family: Literal["anchor_free", "skeleton_classifier", "movenet", "joint_cells"]
    licence: str
    classes: Annotated[list[Word], Meta(min_length=1, max_length=256)]
    parameters: NonNegative = 0
    teacher: str = ""
    input: InputInfo
    decode: DecodeInfo
    thresholds: Thresholds
    outputs: Annotated[list[OutputInfo], Meta(min_length=1, max_length=64)]
    targets: Annotated[list[TargetInfo], Meta(min_length=1, max_length=16)]
    accuracy: dict[str, float] = {}
    training_data: list[TrainingData] = []


class Package(NamedTuple):
    """A package whose file for one target was found whole.

    Attributes:
        folder: where it lies.
        info: its description.
        file: the verified model file.
    """

    folder: Path
    info: ModelInfo
    file: Path


def shipped_packages() -> list[Path]:
    """Folders of the packages that come with the runtime, sorted by name."""
    return sorted(path.parent for path in STUDENTS.glob(f"*/{DESCRIPTION}"))


def find_package(name_or_folder: str) -> Path:
    """The folder that a board file means: a shipped package's name, or a path."""
    shipped = STUDENTS / name_or_folder
    if PLAIN_NAME.fullmatch(name_or_folder) and (shipped / DESCRIPTION).is_file():
        return shipped
    return Path(name_or_folder)


def read_info(folder: str | Path) -> ModelInfo:
    """Read and check `model.toml`.

    Raises:
        ModelRefused: with every mistake, one per line: key, value and what is allowed.
    """
    return read_description(Path(folder) / DESCRIPTION)


def read_description(path: Path) -> ModelInfo:
    """Read and check a description, wherever it lies. Raises ModelRefused, as `read_info`."""
    try:
        return load_strict(path, ModelInfo, CHECKS)
    except ConfigErrors as errors:
        lines = [f"{wrong._replace(file='')}" for wrong in errors.mistakes]
        raise ModelRefused(str(path), "\n  ".join(lines)) from None


def load_package(folder: str | Path, target: str) -> Package:
    """Read a package and prove that its file for `target` is the one described.

    Args:
        folder: the package.
        target: an `Npu.target`, e.g. "tflite".

    Raises:
        ModelRefused: the description is wrong, there is no file for this target, or the file's
            size or SHA-256 is another.
    """
    folder = Path(folder)
    info = read_info(folder)
    described = target_file(info, target, str(folder))
    file = folder / described.file
    verify_file(file, described.bytes, described.sha256)
    return Package(folder, info, file)


def target_file(info: ModelInfo, target: str, where: str) -> TargetInfo:
    """The entry of the file for one target. Raises ModelRefused: there is none."""
    described = next((entry for entry in info.targets if entry.npu == target), None)
    if described is None:
        have = ", ".join(entry.npu for entry in info.targets)
        raise ModelRefused(where, f"no file for target {target!r}; it has: {have}")
    return described


def verify_file(file: Path, size: int, sha256: str) -> None:
    """Compare a file with its promised size and SHA-256.

    Raises:
        ModelRefused: missing, not a plain file, or different.
    """
    if not file.is_file():
        raise ModelRefused(str(file), "there is no such file")
    try:
        found = file.stat().st_size
        if found != size:
            raise ModelRefused(str(file), f"{found} bytes; the description says {size}")
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ModelRefused(str(file), error.strerror or str(error)) from error
    if digest != sha256:
        raise ModelRefused(str(file), f"sha256 is {digest}; the description says {sha256}")
