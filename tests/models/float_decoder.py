"""The plain way to decode an anchor-free model, in float64 and loops, to compare with."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from models.package import ModelInfo


class Box(NamedTuple):
    score: float
    cls: int
    xyxy: tuple[float, float, float, float]


def candidates(info: ModelInfo, outputs: list[Any]) -> list[Box]:
    """One row per cell with its best class, input pixels, every score, in cell order."""
    rows = []
    for stride in sorted({out.stride for out in info.outputs}):
        real = {}
        for out in info.outputs:
            if out.stride == stride:
                stored = outputs[out.index].astype(np.float64)
                real[out.kind] = (stored - out.zero_point) * np.float32(out.scale)
        height, width = real["box"].shape[1:3]
        for gy in range(height):
            for gx in range(width):
                scores = _scores(info, real, gy, gx)
                best = max(range(len(scores)), key=scores.__getitem__)
                box = _box(info, real["box"][0, gy, gx], gx, gy, stride)
                rows.append(Box(scores[best], best, box))
    return rows


def _scores(info: ModelInfo, real: dict[str, Any], gy: int, gx: int) -> list[float]:
    values = real["class"][0, gy, gx].tolist()
    if info.decode.score == "probability":
        return values
    scores = [1 / (1 + math.exp(-value)) for value in values]
    if info.decode.score == "logit_objectness":
        objectness = 1 / (1 + math.exp(-real["objectness"][0, gy, gx, 0]))
        scores = [score * objectness for score in scores]
    return scores


def _box(info: ModelInfo, v: Any, gx: int, gy: int, s: int) -> tuple[float, float, float, float]:
    if info.decode.box == "ltrb_exp":
        cx, cy = (gx + 0.5) * s, (gy + 0.5) * s
        l, t, r, b = (math.exp(min(value, 20.0)) * s for value in v)  # noqa: E741
        return cx - l, cy - t, cx + r, cy + b
    cx, cy = (v[0] + gx) * s, (v[1] + gy) * s
    w, h = math.exp(min(v[2], 20.0)) * s, math.exp(min(v[3], 20.0)) * s
    return cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2


def to_source(box: Box, scale_x: float, scale_y: float, width: int, height: int) -> Box:
    """Into source pixels, clipped."""
    x1, y1, x2, y2 = box.xyxy
    return box._replace(
        xyxy=(
            min(max(x1 * scale_x, 0), width),
            min(max(y1 * scale_y, 0), height),
            min(max(x2 * scale_x, 0), width),
            min(max(y2 * scale_y, 0), height),
        )
    )


def iou(a: Box, b: Box) -> float:
    w = min(a.xyxy[2], b.xyxy[2]) - max(a.xyxy[0], b.xyxy[0])
    h = min(a.xyxy[3], b.xyxy[3]) - max(a.xyxy[1], b.xyxy[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (area(a) + area(b) - w * h)


def area(box: Box) -> float:
    return (box.xyxy[2] - box.xyxy[0]) * (box.xyxy[3] - box.xyxy[1])
