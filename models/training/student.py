"""The student: a small anchor-free detector, made only of what every NPU runs well."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.training.kinds import CLASSES
from models.training.pyramid import Pyramid, Widths, separable

WIDTH_PX, HEIGHT_PX = 320, 256
STRIDES = (8, 16, 32)
FIRST_CLASS_BIAS = -4.6
"""Sigmoid of it is 0.01: at the start nearly everything is background."""
FIRST_BOX_BIAS = 0.7


class _Head(nn.Module):
    """Box distances and class logits of one scale, each from its own branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.box = nn.Sequential(separable(width, width), nn.Conv2d(width, 4, 1))
        self.score = nn.Sequential(
            separable(width, width), separable(width, width), nn.Conv2d(width, len(CLASSES), 1)
        )
        nn.init.constant_(self.box[-1].bias, FIRST_BOX_BIAS)
        nn.init.constant_(self.score[-1].bias, FIRST_CLASS_BIAS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.box(x), self.score(x)


class Student(Pyramid):
    """Backbone, feature pyramid down and up again, one head per stride.

    Args:
        widths: channels.
    """

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__(widths)
        w = self.widths
        self.down = nn.ModuleList(separable(w.neck, w.neck, 2) for _ in range(2))
        self.heads = nn.ModuleList(_Head(w.neck) for _ in STRIDES)

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Raw outputs.

        Args:
            x: float[N, 3, 256, 320], (BGR - 128) / 128.

        Returns:
            Per stride 8, 16, 32: log distances / stride [N, 4, h, w], class logits [N, C, h, w].
        """
        return self.judge(self.maps(x))

    def judge(self, maps: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """The heads' outputs for what `maps` returned."""
        return [head(m) for head, m in zip(self.heads, maps, strict=True)]

    def maps(self, x: Tensor) -> list[Tensor]:
        """What the heads look at, float[N, neck, h, w] per stride."""
        p8, p16, c32 = self.rise(x)
        n16 = p16 + self.down[0](p8)
        n32 = c32 + self.down[1](n16)
        return [p8, n16, n32]


class Exported(nn.Module):
    """The student as it ships: NHWC in and out, class after sigmoid, boxes first then classes."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """float[1, 256, 320, 3] to three box and three class tensors, NHWC."""
        pairs = self.student(x.permute(0, 3, 1, 2))
        boxes = [box.permute(0, 2, 3, 1) for box, _ in pairs]
        scores = [torch.sigmoid(score.permute(0, 2, 3, 1)) for _, score in pairs]
        return (*boxes, *scores)


def cells(size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)) -> tuple[Tensor, Tensor]:
    """Cells of an input of that width and height, in pixels.

    Returns:
        Centres float[A, 2] in input pixels, and strides float[A], strides in order.
    """
    centres, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(size[1] // stride), torch.arange(size[0] // stride), indexing="ij"
        )
        centres.append((torch.stack((x, y), -1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((x.numel(),), float(stride)))
    return torch.cat(centres).float(), torch.cat(strides)


def flatten(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Outputs of `Student` to float[N, A, 4] and float[N, A, C] in the order of `cells`."""
    boxes = torch.cat([b.flatten(2).transpose(1, 2) for b, _ in pairs], 1)
    scores = torch.cat([s.flatten(2).transpose(1, 2) for _, s in pairs], 1)
    return boxes.float(), scores.float()


def decode(raw: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Log distances float[N, A, 4] to xyxy in input pixels."""
    reach = raw.clamp(-4, 5).exp() * strides[:, None]
    return torch.cat((centres - reach[..., :2], centres + reach[..., 2:]), -1)
