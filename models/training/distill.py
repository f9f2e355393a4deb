"""What a student learns from its teacher cell by cell: scores, boxes, and what features look like.

The teacher sees the same augmented picture at the same size, so that its cells are the student's.
Its features are a hint only (Romero et al., FitNets, 2015): the student's are compared with them
through a linear map that is thrown away after training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.training.boxes import U8
from models.training.kinds import PERSON
from models.training.loss import overlap
from models.training.student import cells, decode
from models.training.teacher import MODEL

HEADS = ("/head/Concat_output_0", "/head/Concat_1_output_0", "/head/Concat_2_output_0")
FEATURES = tuple(f"/backbone/C3_{name}/conv3/act/Mul_output_0" for name in ("p3", "n3", "n4"))
FEATURE_CHANNELS = (64, 128, 256)
SCORE_WEIGHT, BOX_WEIGHT, HINT_WEIGHT = 0.5, 1.0, 2.0
SURE = 0.3
"""Boxes of cells that score at least this are learned from."""
NOTICED = 0.05
"""Below this the teacher says nothing: what it misses others may have labelled."""
QUIET = 0.2
"""What a cell without any object weighs in the hint, beside 1 + QUIET for a sure one."""


class Lesson(NamedTuple):
    """What the teacher sees: float[N, A] person score, float[N, A, 4] xyxy, and per stride
    features float[N, c, h, w] with the weight float[N, h, w] of each cell."""

    score: Tensor
    boxes: Tensor
    features: list[Tensor]
    weights: list[Tensor]


class DenseTeacher:
    """YOLOX-nano with all that it computes laid open, at any size divisible by 32.

    Args:
        data: the shared data folder.
        threads: onnxruntime threads.
    """

    def __init__(self, data: Path, threads: int = 1) -> None:
        import onnx  # both are in the `train` extra only
        import onnxruntime

        network = onnx.load(str(data / MODEL))
        for dim, name in zip(
            network.graph.input[0].type.tensor_type.shape.dim, ("n", "", "h", "w"), strict=True
        ):
            if name:
                dim.Clear()
                dim.dim_param = name
        del network.graph.output[:], network.graph.value_info[:]
        for name in HEADS + FEATURES:
            value = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            network.graph.output.append(value)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            network.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._grids: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def look(self, pictures: U8, device: torch.device) -> Lesson:
        """Judge a batch.

        Args:
            pictures: uint8[N, H, W, 3] BGR.
            device: where the student is; the teacher itself runs on the processor.
        """
        tensor = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
        values: list[Any] = self._session.run(None, {"images": tensor})
        heads = [torch.from_numpy(v).to(device) for v in values[:3]]
        flat = torch.cat([h.flatten(2) for h in heads], 2).transpose(1, 2)
        size = (pictures.shape[2], pictures.shape[1])
        if size not in self._grids:
            centres, strides = cells(size)
            self._grids[size] = centres.to(device), strides.to(device)
        centres, strides = self._grids[size]
        middle = (flat[..., :2] - 0.5) * strides[:, None] + centres
        half = flat[..., 2:4].clamp(max=6).exp() * strides[:, None] / 2
        weights = [QUIET + h[:, 4] * h[:, 5:].amax(1) for h in heads]
        features = [torch.from_numpy(v).to(device) for v in values[3:]]
        boxes = torch.cat((middle - half, middle + half), -1)
        return Lesson(flat[..., 4] * flat[..., 5 + PERSON], boxes, features, weights)


class Hints(nn.Module):
    """Linear maps from the student's features to the teacher's; used in training only.

    Args:
        width: channels of the student's neck.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Conv2d(width, c, 1) for c in FEATURE_CHANNELS)

    def forward(self, mine: list[Tensor], lesson: Lesson) -> Tensor:
        """Mean weighted cosine distance over all cells of all strides."""
        apart: list[Tensor] = []
        for adapt, own, goal, weight in zip(
            self.maps, mine, lesson.features, lesson.weights, strict=True
        ):
            likeness = functional.cosine_similarity(adapt(own.float()), goal, dim=1)
            apart.append(((1 - likeness) * weight).sum() / weight.sum())
        return torch.stack(apart).mean()


def lesson_loss(raw: Tensor, logit: Tensor, lesson: Lesson, grid: tuple[Tensor, Tensor]) -> Tensor:
    """How far the student is from what the teacher is sure of.

    Args:
        raw: float[N, A, 4] log distances.
        logit: float[N, A, C].
        lesson: of the same pictures.
        grid: what `student.cells` returns.
    """
    weight = torch.where(lesson.score >= NOTICED, lesson.score, 0.0)
    total = weight.sum().clamp(min=4.0)
    score = functional.binary_cross_entropy_with_logits(
        logit[..., PERSON], lesson.score, weight, reduction="sum"
    )
    sure = lesson.score >= SURE
    apart = 1 - overlap(decode(raw, *grid)[sure], lesson.boxes[sure], generalised=True)
    return (SCORE_WEIGHT * score + BOX_WEIGHT * (apart * weight[sure]).sum()) / total
