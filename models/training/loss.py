"""What training minimises: task-aligned assignment, soft-target class loss, GIoU."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from models.training.kinds import IGNORE
from models.training.student import decode

TOP_CELLS = 9
SCORE_POWER, IOU_POWER = 0.5, 4.0
BOX_WEIGHT = 2.5


class Targets(NamedTuple):
    """Rows of a batch, padded: float[N, M, 4] xyxy, int64[N, M] kind, -1 where there is none."""

    boxes: Tensor
    kind: Tensor


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
    """Give each object the cells that agree best on score and place (Feng et al., TOOD, 2021).

    Args:
        predicted: float[N, A, 4] xyxy.
        score: float[N, A, C] probability.
        targets: objects and ignored regions.
        centres: float[A, 2].

    Returns:
        int64[N, A] index of the object, -1 for background; float[N, A] soft target 0..1.
    """
    real = (targets.kind >= 0) & (targets.kind < IGNORE)
    iou = overlap(targets.boxes[:, :, None], predicted[:, None])
    allowed = _inside(centres, targets.boxes) & real[..., None]
    column = targets.kind.clamp(0, IGNORE - 1)[:, :, None].expand(-1, -1, score.shape[1])
    own_score = score.transpose(1, 2).gather(1, column)
    metric = own_score.pow(SCORE_POWER) * iou.pow(IOU_POWER) * allowed
    metric = metric + 1e-9 * allowed
    top, index = metric.topk(TOP_CELLS, dim=-1)
    chosen = torch.zeros_like(metric).scatter_(-1, index, (top > 0).to(metric.dtype)) > 0
    best = torch.where(chosen, iou + 1e-6, torch.zeros_like(iou)).argmax(1, keepdim=True)
    single = torch.zeros_like(chosen).scatter_(1, best, True) & chosen
    metric, iou = metric * single, iou * single
    peak = metric.amax(-1, keepdim=True).clamp(min=1e-9)
    soft = (metric / peak * iou.amax(-1, keepdim=True)).amax(1)
    taken = single.any(1)
    return torch.where(taken, single.float().argmax(1), -1), soft * taken


@torch.no_grad()
def silenced(targets: Targets, centres: Tensor, classes: int) -> Tensor:
    """bool[N, A, C]: the cell lies where that class is neither there nor not there."""
    inside = _inside(centres, targets.boxes)
    regions = [
        (inside & (targets.kind == IGNORE + c)[..., None]).any(1, keepdim=True)
        for c in range(classes)
    ]
    return torch.cat(regions, 1).transpose(1, 2)


def detection_loss(
    raw: Tensor, logit: Tensor, targets: Targets, grid: tuple[Tensor, Tensor]
) -> Losses:
    """Loss of a batch.

    Args:
        raw: float[N, A, 4] log distances.
        logit: float[N, A, C].
        targets: what is there.
        grid: what `student.cells` returns.
    """
    predicted = decode(raw, *grid)
    owner, soft = assign(predicted.detach(), logit.detach().sigmoid(), targets, grid[0])
    taken = owner >= 0
    kind = targets.kind.gather(1, owner.clamp(min=0)).clamp(0, IGNORE - 1)
    wanted = functional.one_hot(kind, logit.shape[-1]) * (soft * taken)[..., None]
    weight = torch.where(wanted > 0, 1.0, (~silenced(targets, grid[0], logit.shape[-1])).float())
    total = soft.sum().clamp(min=4.0)
    score = (
        functional.binary_cross_entropy_with_logits(logit, wanted, weight, reduction="sum") / total
    )
    goal = targets.boxes.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))
    apart = 1 - overlap(predicted[taken], goal[taken], generalised=True)
    box = BOX_WEIGHT * (apart * soft[taken]).sum() / total
    return Losses(score, box, total)
