"""What training minimises: task-aligned assignment, soft-target class loss, GIoU."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from models.training.student import decode

TOP_CELLS = 9
SCORE_POWER, IOU_POWER = 0.5, 4.0
BOX_WEIGHT = 2.5
FOCUS = 2.0
"""Background weighs its score to this power (as in varifocal loss): easy cells weigh less."""
BACKGROUND_WEIGHT = 0.75


class Targets(NamedTuple):
    """Boxes of a batch, padded: float[N, M, 4] xyxy, bool[N, M] person, bool[N, M] ignore."""

    boxes: Tensor
    person: Tensor
    ignore: Tensor


class Losses(NamedTuple):
    """Class and box part, already weighted, and the sum of targets they were divided by."""

    score: Tensor
    box: Tensor
    target_sum: Tensor


def overlap(a: Tensor, b: Tensor, generalised: bool = False) -> Tensor:
    """IoU, or GIoU, of boxes that broadcast against each other, xyxy in the last axis."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    union = _area(a) + _area(b) - inter
    value = inter / union.clamp(min=1e-6)
    if not generalised:
        return value
    outer = torch.cat(
        (torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])), -1
    )
    hull = _area(outer).clamp(min=1e-6)
    return value - (hull - union) / hull


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def _inside(centres: Tensor, boxes: Tensor) -> Tensor:
    """bool[N, M, A]: cell centre strictly inside the box."""
    low = centres[None, None] - boxes[:, :, None, :2]
    high = boxes[:, :, None, 2:] - centres[None, None]
    return torch.cat((low, high), -1).amin(-1) > 0.01


@torch.no_grad()
def assign(
    predicted: Tensor, score: Tensor, targets: Targets, centres: Tensor
) -> tuple[Tensor, Tensor]:
    """Give each person the cells that agree best on score and place.

    Args:
        predicted: float[N, A, 4] xyxy.
        score: float[N, A] probability.
        targets: people.
        centres: float[A, 2].

    Returns:
        int64[N, A] index of the person, -1 for background; float[N, A] soft target 0..1.
    """
    iou = overlap(targets.boxes[:, :, None], predicted[:, None])
    allowed = _inside(centres, targets.boxes) & targets.person[..., None]
    metric = score[:, None].pow(SCORE_POWER) * iou.pow(IOU_POWER) * allowed
    metric = metric + 1e-9 * allowed
    top, index = metric.topk(TOP_CELLS, dim=-1)
    chosen = torch.zeros_like(metric).scatter_(-1, index, (top > 0).to(metric.dtype)) > 0
    best_person = torch.where(chosen, iou + 1e-6, torch.zeros_like(iou)).argmax(1, keepdim=True)
    single = torch.zeros_like(chosen).scatter_(1, best_person, True) & chosen
    metric, iou = metric * single, iou * single
    peak = metric.amax(-1, keepdim=True).clamp(min=1e-9)
    soft = (metric / peak * iou.amax(-1, keepdim=True)).amax(1)
    taken = single.any(1)
    return torch.where(taken, single.float().argmax(1), -1), soft * taken


def detection_loss(
    raw: Tensor, logit: Tensor, targets: Targets, grid: tuple[Tensor, Tensor]
) -> Losses:
    """Loss of a batch.

    Args:
        raw: float[N, A, 4] log distances.
        logit: float[N, A].
        targets: what is there.
        grid: what `student.cells` returns.
    """
    predicted = decode(raw, *grid)
    probability = logit.sigmoid()
    owner, soft = assign(predicted.detach(), probability.detach(), targets, grid[0])
    taken = owner >= 0
    hushed = (_inside(grid[0], targets.boxes) & targets.ignore[..., None]).any(1) & ~taken
    weight = torch.where(taken, 1.0, BACKGROUND_WEIGHT * probability.detach().pow(FOCUS))
    weight = weight.masked_fill(hushed, 0.0)
    total = soft.sum().clamp(min=4.0)
    score = (
        functional.binary_cross_entropy_with_logits(logit, soft, weight, reduction="sum") / total
    )
    wanted = targets.boxes.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))
    apart = 1 - overlap(predicted[taken], wanted[taken], generalised=True)
    box = BOX_WEIGHT * (apart * soft[taken]).sum() / total
    return Losses(score, box, total)
