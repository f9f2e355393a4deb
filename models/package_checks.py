"""Rules between the values of a `model.toml`: which family may have which tensors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from drivers.toml_strict import Check, Complaint
from models.skeletons import JOINTS, KEYPOINTS

if TYPE_CHECKING:
    from models.package import DecodeInfo, InputInfo, OutputInfo, TargetInfo

PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
DETECTOR: Final = "anchor_free"
CLASSIFIER: Final = "skeleton_classifier"
MOVENET: Final = "movenet"
JOINT_CELLS: Final = "joint_cells"
SKELETON_FAMILIES: Final = (MOVENET, JOINT_CELLS)
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "detector": (DETECTOR,),
    "skeleton": SKELETON_FAMILIES,
    "action": (CLASSIFIER,),
}
"""Families by role."""
SKELETON_SHAPE: Final = [1, 1, 1, 51]


def _check_classes(classes: list[str], family: str) -> Iterator[Complaint]:
    for name, times in Counter(classes).items():
        if times > 1:
            yield "classes", name, "must be named once"
    if family in SKELETON_FAMILIES and tuple(classes) != KEYPOINTS:
        yield "classes", classes, f"must be the joints in COCO's order: {', '.join(KEYPOINTS)}"


def _check_per_class(
    per_class: dict[str, float], classes: list[str], role: str
) -> Iterator[Complaint]:
    for name in per_class:
        if role != "detector":
            yield "thresholds.per_class", per_class, 'must be left out, but for role = "detector"'
            return
        if name not in classes:
            yield f"thresholds.per_class.{name}", name, f"must be one of {', '.join(classes)}"


def _check_targets(targets: list[TargetInfo]) -> Iterator[Complaint]:
    names = Counter(target.npu for target in targets)
    for i, target in enumerate(targets):
        if not PLAIN_NAME.fullmatch(target.file):
            yield f"targets[{i}].file", target.file, "must be a plain file name in this folder"
        if names[target.npu] > 1:
            yield f"targets[{i}].npu", target.npu, "must have one file"


def _check_family(family: str, role: str) -> Iterator[Complaint]:
    wanted = FAMILIES[role]
    if family not in wanted:
        names = " or ".join(f'"{name}"' for name in wanted)
        yield "family", family, f'must be {names} for role = "{role}"'


def _check_input(info: InputInfo, family: str) -> Iterator[Complaint]:
    if family == CLASSIFIER:
        if info.shape != SKELETON_SHAPE:
            yield "input.shape", info.shape, f"must be {SKELETON_SHAPE}: x, y, seen of 17 joints"
        if info.skeleton == "" or info.dtype != "int8":
            yield "input.skeleton", info.skeleton, 'must be "coco17_torso", with dtype = "int8"'
    elif info.shape[0] != 1 or info.shape[3] != 3:
        yield "input.shape", info.shape, "must be [1, height, width, 3]"
    if info.scale == 0 and family != MOVENET:
        yield "input.scale", info.scale, f'must be > 0, as family = "{family}"'


def _check_decode(decode: DecodeInfo, family: str) -> Iterator[Complaint]:
    if (decode.box == "none") != (family != DETECTOR):
        yield "decode.box", decode.box, f'cannot be, as family = "{family}"'
    if (decode.score == "softmax") != (family == CLASSIFIER):
        yield "decode.score", decode.score, f'cannot be, as family = "{family}"'
    if family in SKELETON_FAMILIES and decode.score != "probability":
        yield "decode.score", decode.score, f'must be "probability", as family = "{family}"'


def _check_outputs(
    outputs: list[OutputInfo],
    classes: list[str],
    info: InputInfo,
    decode: DecodeInfo,
    family: str,
) -> Iterator[Complaint]:
    for i, out in enumerate(outputs):
        if (out.scale == 0) != (out.dtype == "float32"):
            yield f"outputs[{i}].scale", out.scale, "must be 0 for float32, > 0 for the others"
        if (out.dtype == "float32") != (family == MOVENET):
            yield f"outputs[{i}].dtype", out.dtype, f'cannot be, as family = "{family}"'
    match family:
        case "skeleton_classifier":
            yield from _check_scores(outputs, classes)
        case "movenet":
            yield from _check_points(outputs)
        case "joint_cells":
            yield from _check_cells(outputs, info)
        case _:
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


def _check_points(outputs: list[OutputInfo]) -> Iterator[Complaint]:
    """One tensor of y, x and score per joint."""
    wanted = [1, 1, JOINTS, 3]
    if len(outputs) != 1:
        yield "outputs", len(outputs), "must be one"
        return
    out = outputs[0]
    if out.shape != wanted or out.index != 0:
        yield "outputs[0].shape", out.shape, f"must be {wanted}, at index 0"
    if out.kind != "points":
        yield "outputs[0].kind", out.kind, 'must be "points"'


def _check_cells(outputs: list[OutputInfo], info: InputInfo) -> Iterator[Complaint]:
    """Cell scores, offsets inside the cells, and whether each joint is to be seen."""
    depth = {"cells": JOINTS, "offsets": 2 * JOINTS, "visible": JOINTS}
    for i, out in enumerate(outputs):
        rows, columns = info.shape[1] / out.stride, info.shape[2] / out.stride
        grid = [1, 1] if out.kind == "visible" else [rows, columns]
        if out.kind not in depth:
            yield f"outputs[{i}].kind", out.kind, f"must be one of {', '.join(depth)}"
        elif out.shape != [1, *grid, depth[out.kind]]:
            expected = f"[1, {grid[0]:g}, {grid[1]:g}, {depth[out.kind]}]"
            yield f"outputs[{i}].shape", out.shape, f"must be {expected} for stride {out.stride}"
        if out.dtype != "int8":
            yield f"outputs[{i}].dtype", out.dtype, 'must be "int8"'
        if out.stride != outputs[0].stride:
            yield f"outputs[{i}].stride", out.stride, f"must be {outputs[0].stride}, as the others"
    yield from _check_indices(outputs)
    kinds = sorted(out.kind for out in outputs)
    if kinds != sorted(depth):
        yield "outputs", kinds, f"must be {', '.join(depth)}, each once"


def _check_grids(
    outputs: list[OutputInfo], classes: list[str], info: InputInfo, decode: DecodeInfo
) -> Iterator[Complaint]:
    """Each stride has each kind once, and every tensor covers the input's grid."""
    depth = {"box": 4, "class": len(classes), "objectness": 1}
    kinds = ["box", "class"] + ["objectness"] * (decode.score == "logit_objectness")
    for i, out in enumerate(outputs):
        if out.kind not in depth:
            yield f"outputs[{i}].kind", out.kind, f"must be one of {', '.join(depth)}"
            continue
        rows, columns = info.shape[1] / out.stride, info.shape[2] / out.stride
        if out.shape != [1, rows, columns, depth[out.kind]]:
            expected = f"[1, {rows:g}, {columns:g}, {depth[out.kind]}]"
            yield f"outputs[{i}].shape", out.shape, f"must be {expected} for stride {out.stride}"
        if out.kind not in kinds:
            yield f"outputs[{i}].kind", out.kind, f'cannot be, as decode.score = "{decode.score}"'
        if out.dtype != outputs[0].dtype:
            yield f"outputs[{i}].dtype", out.dtype, f"must be {outputs[0].dtype}, as the others"
    yield from _check_indices(outputs)
    have = Counter(f"{out.kind} for stride {out.stride}" for out in outputs)
    for stride in sorted({out.stride for out in outputs}):
        for tensor in (f"{kind} for stride {stride}" for kind in kinds):
            if have[tensor] != 1:
                yield "outputs", f"{have[tensor]} {tensor}", "must be one"


def _check_indices(outputs: list[OutputInfo]) -> Iterator[Complaint]:
    if sorted(out.index for out in outputs) != list(range(len(outputs))):
        indices = [out.index for out in outputs]
        yield "outputs", indices, f"indices must be 0 to {len(outputs) - 1}, each once"


CHECKS: Final = (
    Check(("classes", "family"), _check_classes),
    Check(("thresholds.per_class", "classes", "role"), _check_per_class),
    Check(("targets",), _check_targets),
    Check(("family", "role"), _check_family),
    Check(("input", "family"), _check_input),
    Check(("decode", "family"), _check_decode),
    Check(("outputs", "classes", "input", "decode", "family"), _check_outputs),
)
