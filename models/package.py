"""A model package: a folder with `model.toml` and one file per NPU target."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from drivers.faults import ModelRefused
from drivers.toml_strict import Check, Complaint, ConfigErrors, load_strict

DESCRIPTION: Final = "model.toml"
STUDENTS: Final = Path(__file__).parent / "students"
CLASSIFIER: Final = "skeleton_classifier"
SKELETON_SHAPE: Final = [1, 1, 1, 51]
PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")

Positive = Annotated[int, Meta(ge=1)]
NonNegative = Annotated[int, Meta(ge=0)]
Score = Annotated[float, Meta(ge=0, le=1)]
Scale = Annotated[float, Meta(gt=0)]
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
    skeleton: Literal["", "coco17_torso"] = ""
    """coco17_torso: x, y, seen of 17 joints as `models.skeletons.Normaliser` gives them."""


class DecodeInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[decode]`: what the output values mean."""

    box: Literal["ltrb_exp", "yolox_cxcywh", "none"]
    """none: of a classifier. ltrb_exp: exp(v)*stride around ((gx+.5)*stride, (gy+.5)*stride).
    yolox_cxcywh: cx=(v0+gx)*stride, cy=(v1+gy)*stride, w=exp(v2)*stride, h=exp(v3)*stride."""
    score: Literal["probability", "logit", "logit_objectness", "softmax"]
    """probability: after the sigmoid. softmax: of the logits of all classes.
    logit_objectness: sigmoid(objectness) * sigmoid(class)."""


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[thresholds]`: the operating point."""

    score: Score
    nms_iou: Score = 0.6


class OutputInfo(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[outputs]]`: one output tensor; index is its position among the model's outputs."""

    index: NonNegative
    kind: Literal["box", "class", "objectness"]
    stride: Positive
    shape: Shape
    dtype: Dtype
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
    family: Literal["anchor_free", "skeleton_classifier"]
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
    path = Path(folder) / DESCRIPTION
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
    described = next((entry for entry in info.targets if entry.npu == target), None)
    if described is None:
        have = ", ".join(entry.npu for entry in info.targets)
        raise ModelRefused(str(folder), f"no file for target {target!r}; it has: {have}")
    file = folder / described.file
    verify_file(file, described.bytes, described.sha256)
    return Package(folder, info, file)


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


def _check_classes(classes: list[str]) -> Iterator[Complaint]:
    for name, times in Counter(classes).items():
        if times > 1:
            yield "classes", name, "must be named once"


def _check_targets(targets: list[TargetInfo]) -> Iterator[Complaint]:
    names = Counter(target.npu for target in targets)
    for i, target in enumerate(targets):
        if not PLAIN_NAME.fullmatch(target.file):
            yield f"targets[{i}].file", target.file, "must be a plain file name in this folder"
        if names[target.npu] > 1:
            yield f"targets[{i}].npu", target.npu, "must have one file"


def _check_family(family: str, role: str) -> Iterator[Complaint]:
    wanted = CLASSIFIER if role == "action" else "anchor_free"
    if family != wanted:
        yield "family", family, f'must be "{wanted}" for role = "{role}"'


def _check_input(info: InputInfo, family: str) -> Iterator[Complaint]:
    if family == CLASSIFIER:
        if info.shape != SKELETON_SHAPE:
            yield "input.shape", info.shape, f"must be {SKELETON_SHAPE}: x, y, seen of 17 joints"
        if info.skeleton == "" or info.dtype != "int8":
            yield "input.skeleton", info.skeleton, 'must be "coco17_torso", with dtype = "int8"'
    elif info.shape[0] != 1 or info.shape[3] != 3:
        yield "input.shape", info.shape, "must be [1, height, width, 3]"


def _check_decode(decode: DecodeInfo, family: str) -> Iterator[Complaint]:
    classifies = family == CLASSIFIER
    if (decode.box == "none") != classifies:
        yield "decode.box", decode.box, f'cannot be, as family = "{family}"'
    if (decode.score == "softmax") != classifies:
        yield "decode.score", decode.score, f'cannot be, as family = "{family}"'


def _check_outputs(
    outputs: list[OutputInfo],
    classes: list[str],
    info: InputInfo,
    decode: DecodeInfo,
    family: str,
) -> Iterator[Complaint]:
    if family == CLASSIFIER:
        yield from _check_scores(outputs, classes)
    else:
        yield from _check_grids(outputs, classes, info, decode)


def _check_scores(outputs: list[OutputInfo], classes: list[str]) -> Iterator[Complaint]:
    """One int8 vector of logits."""
    if len(outputs) != 1:
        yield "outputs", len(outputs), "must be one"
        return
    out, wanted = outputs[0], [1, 1, 1, len(classes)]
    if out.shape != wanted or out.index != 0:
        yield "outputs[0].shape", out.shape, f"must be {wanted}, at index 0"
    if out.kind != "class" or out.dtype != "int8":
        yield "outputs[0].kind", out.kind, 'must be "class", with dtype = "int8"'


def _check_grids(
    outputs: list[OutputInfo], classes: list[str], info: InputInfo, decode: DecodeInfo
) -> Iterator[Complaint]:
    """Each stride has each kind once, and every tensor covers the input's grid."""
    depth = {"box": 4, "class": len(classes), "objectness": 1}
    kinds = ["box", "class"] + ["objectness"] * (decode.score == "logit_objectness")
    for i, out in enumerate(outputs):
        rows, columns = info.shape[1] / out.stride, info.shape[2] / out.stride
        if out.shape != [1, rows, columns, depth[out.kind]]:
            expected = f"[1, {rows:g}, {columns:g}, {depth[out.kind]}]"
            yield f"outputs[{i}].shape", out.shape, f"must be {expected} for stride {out.stride}"
        if out.kind not in kinds:
            yield f"outputs[{i}].kind", out.kind, f'cannot be, as decode.score = "{decode.score}"'
        if out.dtype != outputs[0].dtype:
            yield f"outputs[{i}].dtype", out.dtype, f"must be {outputs[0].dtype}, as the others"
    if sorted(out.index for out in outputs) != list(range(len(outputs))):
        indices = [out.index for out in outputs]
        yield "outputs", indices, f"indices must be 0 to {len(outputs) - 1}, each once"
    have = Counter(f"{out.kind} for stride {out.stride}" for out in outputs)
    for stride in sorted({out.stride for out in outputs}):
        for tensor in (f"{kind} for stride {stride}" for kind in kinds):
            if have[tensor] != 1:
                yield "outputs", f"{have[tensor]} {tensor}", "must be one"


CHECKS: Final = (
    Check(("classes",), _check_classes),
    Check(("targets",), _check_targets),
    Check(("family", "role"), _check_family),
    Check(("input", "family"), _check_input),
    Check(("decode", "family"), _check_decode),
    Check(("outputs", "classes", "input", "decode", "family"), _check_outputs),
)
