"""The action network: one normalised skeleton in, twelve scores out.

Fully connected layers written as 1x1 convolutions on a 1x1 map, which every NPU runs; residual
blocks with a bottleneck (He et al., CVPR 2016) keep it under 30,000 parameters; ReLU only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.action import ACTIONS
from models.skeletons import JOINTS

INPUTS = JOINTS * 3
WIDTH, BOTTLENECK, BLOCKS = 128, 24, 3
NOISE_FLOOR = 0.02
"""Torso lengths: differences below it are not blown up."""


class _Bottleneck(nn.Module):
    """x + widen(relu(narrow(x))), then ReLU."""

    def __init__(self, width: int, bottleneck: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(
            nn.Conv2d(width, bottleneck, 1, bias=False), nn.BatchNorm2d(bottleneck), nn.ReLU()
        )
        self.widen = nn.Sequential(
            nn.Conv2d(bottleneck, width, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.widen(self.narrow(x))
        return torch.relu(x + y)


class ActionStudent(nn.Module):
    """Logits of the twelve actions.

    Args:
        width: channels between blocks.
        bottleneck: channels inside a block.
        blocks: how many.
    """

    def __init__(
        self, width: int = WIDTH, bottleneck: int = BOTTLENECK, blocks: int = BLOCKS
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(INPUTS, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.blocks = nn.Sequential(*(_Bottleneck(width, bottleneck) for _ in range(blocks)))
        self.head = nn.Conv2d(width, len(ACTIONS), 1)
        self.register_buffer("mean", torch.zeros(INPUTS))
        self.register_buffer("white", torch.eye(INPUTS))

    def whiten(self, inputs: Tensor) -> None:
        """Learn from inputs float[N, 51] how to make them uncorrelated and of one size.

        Joints move together; without it the small differences that tell a step from a stand are
        learned last. It is linear, so that the exported stem takes it in.
        """
        self.mean.copy_(inputs.mean(0))
        values, vectors = torch.linalg.eigh(torch.cov(inputs.T))
        self.white.copy_(vectors @ torch.diag((values + NOISE_FLOOR**2).rsqrt()) @ vectors.T)

    def forward(self, x: Tensor) -> Tensor:
        """float[N, 51, 1, 1] (x, y, seen of each joint) to logits float[N, 12, 1, 1]."""
        x = ((x.flatten(1) - self.mean) @ self.white)[:, :, None, None]
        logits: Tensor = self.head(self.blocks(self.stem(x)))
        return logits


def folded_stem(student: ActionStudent) -> nn.Conv2d:
    """Whitening, first convolution and its batch norm as one convolution."""
    convolution, norm = student.stem[0], student.stem[1]
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = (convolution.weight.flatten(1) * gain[:, None]) @ student.white.T
    stem = nn.Conv2d(INPUTS, len(weight), 1)
    with torch.no_grad():
        stem.weight.copy_(weight[:, :, None, None])
        stem.bias.copy_(norm.bias - gain * norm.running_mean - weight @ student.mean)
    return stem


class Exported(nn.Module):
    """As it ships: NHWC, whitening folded in, logits out (int8 probabilities would tie)."""

    def __init__(self, student: ActionStudent) -> None:
        super().__init__()
        self.body = nn.Sequential(folded_stem(student), nn.ReLU(), student.blocks, student.head)

    def forward(self, x: Tensor) -> Tensor:
        """float[1, 1, 1, 51] to logits float[1, 1, 1, 12]."""
        logits: Tensor = self.body(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return logits
