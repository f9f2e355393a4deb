"""What the students that look at pictures have in common: backbone and feature pyramid.

The names of their weights are the same, so that one student's can be the beginning of another's.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Widths:
    """Channels of the network; the defaults are ppe_s."""

    stem: int = 16
    early: int = 24
    stages: tuple[int, int, int] = (32, 64, 112)
    repeats: tuple[int, int, int] = (2, 3, 3)
    expand: int = 4
    neck: int = 64


def conv(into: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU6; symmetric padding so that no transpose or pad is exported."""
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU6(inplace=True),
    )


def separable(into: int, out: int, stride: int = 1) -> nn.Sequential:
    """Each channel filtered, then mixed."""
    return nn.Sequential(conv(into, into, 3, stride, into), conv(into, out, 1))


class Inverted(nn.Module):
    """MobileNetV2's block: widen, filter each channel, narrow without activation."""

    def __init__(self, into: int, out: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = into * expand
        self.adds = stride == 1 and into == out
        self.body = nn.Sequential(
            conv(into, wide, 1),
            conv(wide, wide, 3, stride, wide),
            nn.Conv2d(wide, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        """float[N, into, h, w] to float[N, out, h / stride, w / stride]."""
        y: Tensor = self.body(x)
        return x + y if self.adds else y


class Pyramid(nn.Module):
    """Inverted residuals down to stride 32, and back up to stride 8 by nearest x2 and addition.

    Args:
        widths: channels.
    """

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        w = self.widths = widths or Widths()
        self.stem = nn.Sequential(conv(3, w.stem, 3, 2), conv(w.stem, w.early, 3, 2))
        stages, into = [], w.early
        for width, repeat in zip(w.stages, w.repeats, strict=True):
            blocks = [Inverted(into, width, 2, w.expand)]
            blocks += [Inverted(width, width, 1, w.expand) for _ in range(repeat - 1)]
            stages.append(nn.Sequential(*blocks))
            into = width
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(conv(width, w.neck, 1) for width in w.stages)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.smooth = nn.ModuleList(separable(w.neck, w.neck) for _ in range(2))

    def rise(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """float[N, 3, H, W] to maps float[N, neck, h, w] at strides 8, 16 and 32."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        c8, c16, c32 = (f(m) for f, m in zip(self.lateral, maps, strict=True))
        p16 = self.smooth[1](c16 + self.up(c32))
        return self.smooth[0](c8 + self.up(p16)), p16, c32


def parameter_count(student: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in student.parameters())
