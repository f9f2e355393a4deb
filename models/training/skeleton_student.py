"""The skeleton student: one person's crop in, a grid that scores each joint in each cell out.

Inverted residuals with ReLU6 down to stride 32, back up to stride 8 by nearest x2 and addition;
every operator is one that all NPUs run: convolutions, additions, one mean, one sigmoid.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.skeletons import JOINTS
from models.training.pyramid import Pyramid, Widths, conv, separable

WIDTH_PX, HEIGHT_PX = 96, 128
MARGIN = 0.25
"""The crop is the box widened by this share of its size; the package says so too."""
STRIDE = 8
COLUMNS, ROWS = WIDTH_PX // STRIDE, HEIGHT_PX // STRIDE
SPREAD_CELLS = 0.8
"""Standard deviation of the Gaussian that a joint leaves among the cells."""
OFFSET_REACH = 2.0
"""Offsets are trained, and quantized, within so many cells."""
FIRST_SEEN_BIAS = 0.5
PLACE_LOSS, OFFSET_LOSS, SEEN_LOSS = 1.0, 2.0, 0.7


class SkeletonStudent(Pyramid):
    """Backbone and pyramid as the detector's, so that its weights are a beginning; three heads.

    Args:
        widths: channels.
    """

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__(widths)
        w = self.widths
        self.cells = nn.Sequential(separable(w.neck, w.neck), nn.Conv2d(w.neck, JOINTS, 1))
        self.offsets = nn.Sequential(separable(w.neck, w.neck), nn.Conv2d(w.neck, 2 * JOINTS, 1))
        self.seen = nn.Sequential(conv(w.neck, w.neck, 1), nn.Conv2d(w.neck, JOINTS, 1))
        nn.init.constant_(self.seen[-1].bias, FIRST_SEEN_BIAS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raw outputs.

        Args:
            x: float[N, 3, H, W], (BGR - 128) / 128.

        Returns:
            Cell scores [N, 17, H/8, W/8]; offsets in cells [N, 34, H/8, W/8], x, y of each joint;
            logits of being seen [N, 17, 1, 1].
        """
        p8, p16, _ = self.rise(x)
        pooled = p16.mean((2, 3), keepdim=True)
        return self.cells(p8), self.offsets(p8), self.seen(pooled)


def take_backbone(student: SkeletonStudent, detector: dict[str, Tensor]) -> int:
    """Begin with a detector's backbone and neck: people are what it has learned to see.

    Args:
        student: new.
        detector: a detector's weights, of the same widths.

    Returns:
        Number of tensors taken over.

    Raises:
        ValueError: nothing of it fits.
    """
    own = student.state_dict()
    fits = {n: v for n, v in detector.items() if n in own and own[n].shape == v.shape}
    if not fits:
        raise ValueError("no tensor of the detector has a name and a shape of the student's")
    student.load_state_dict(fits, strict=False)
    return len(fits)


class Exported(nn.Module):
    """As it ships: NHWC in and out, being seen after the sigmoid."""

    def __init__(self, student: SkeletonStudent) -> None:
        super().__init__()
        self.student = student

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """float[1, 128, 96, 3] to cells, offsets and visibility, NHWC."""
        cells, offsets, seen = self.student(x.permute(0, 3, 1, 2))
        return (
            cells.permute(0, 2, 3, 1),
            offsets.permute(0, 2, 3, 1),
            torch.sigmoid(seen.permute(0, 2, 3, 1)),
        )


def middles(columns: int = COLUMNS, rows: int = ROWS) -> Tensor:
    """Middle of each cell, float[rows * columns, 2] x, y in cells."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack((x, y), -1).reshape(-1, 2).float() + 0.5


def decode(cells: Tensor, offsets: Tensor, seen: Tensor) -> Tensor:
    """Raw outputs to float[N, 17, 3]: x, y in input pixels, probability of being seen."""
    best = cells.flatten(2).argmax(2)
    pairs = offsets.flatten(2).unflatten(1, (JOINTS, 2))
    inside = pairs.gather(3, best[:, :, None, None].expand(-1, -1, 2, 1))[..., 0]
    columns, rows = cells.shape[3], cells.shape[2]
    places = middles(columns, rows).to(cells.device)[best]
    found = (places + inside.clamp(-OFFSET_REACH, OFFSET_REACH)) * STRIDE
    return torch.cat((found, seen.flatten(1).sigmoid()[..., None]), 2)


def losses(
    outputs: tuple[Tensor, Tensor, Tensor], joints: Tensor, weight: Tensor, known: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Place, offset and visibility losses of a batch.

    Args:
        outputs: of the student.
        joints: float[N, 17, 2] x, y in input pixels.
        weight: float[N, 17], how much each place teaches.
        known: float[N, 17], 0..1 seen, negative where nobody knows.
    """
    cells, offsets, seen = (t.float() for t in outputs)
    places = middles(cells.shape[3], cells.shape[2]).to(cells.device)
    way = joints[:, :, None] / STRIDE - places  # [N, 17, cells, 2]
    shape = torch.exp(-(way**2).sum(-1) / (2 * SPREAD_CELLS**2))
    target = shape / shape.sum(-1, keepdim=True).clamp(min=1e-6)
    total = weight.sum().clamp(min=1)
    cross = -(target * cells.flatten(2).log_softmax(-1)).sum(-1)
    place = (cross * weight).sum() / total
    pairs = offsets.flatten(2).unflatten(1, (JOINTS, 2)).permute(0, 1, 3, 2)
    apart = functional.smooth_l1_loss(pairs, way, beta=0.25, reduction="none").sum(-1)
    near = shape * (way.abs().amax(-1) < OFFSET_REACH)
    share = near / near.sum(-1, keepdim=True).clamp(min=1e-6)
    offset = ((apart * share).sum(-1) * weight).sum() / total
    told = (known >= 0).float()
    entropy = functional.binary_cross_entropy_with_logits(
        seen.flatten(1), known.clamp(min=0), reduction="none"
    )
    visible = (entropy * told).sum() / told.sum().clamp(min=1)
    return place, offset, visible
