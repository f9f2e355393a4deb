"""What Rockchip's converter needs to know of each student: network, inputs, how to judge it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.training.boxes import F32, U8, iou, letterbox

PICTURE_MEAN, PICTURE_STD = 128.0, 128.0
"""The students see (byte - 128) / 128, blue first: pictures go in as the camera gives them."""
CALIBRATION_PICTURES, CALIBRATION_ROWS = 64, 500
TRIALS = 12
SAME_IOU = 0.7
"""Boxes that overlap by this much are the same one."""
SAME_PX = 4.0
Judge = Callable[[list[list[F32]], list[list[F32]]], str]


class Subject(NamedTuple):
    """A student on its way to a .rknn file.

    Attributes:
        network: float[1, C, H, W] to a tuple of outputs, in evaluation mode.
        names: of the outputs.
        calibration: [N, C, H, W], uint8 bytes or float32 numbers as the network takes them.
        trial: as `calibration`; other inputs, to compare on.
        mean: subtracted from an input, per channel; None where it goes in as it is.
        std: then divided by this.
        judge: outputs of the float network and of the simulator, per trial, to a line of text.
    """

    network: nn.Module
    names: tuple[str, ...]
    calibration: npt.NDArray[Any]
    trial: npt.NDArray[Any]
    mean: float | None
    std: float | None
    judge: Judge

    def scaled(self, inputs: npt.NDArray[Any]) -> Tensor:
        """Inputs as the network itself takes them."""
        tensor = torch.from_numpy(inputs).float()
        return tensor if self.mean is None else (tensor - self.mean) / self.std


class _Planes(nn.Module):
    """The detector with boxes first, then classes after sigmoid, channels first."""

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.student = student

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        pairs = self.student(x)
        return (*(box for box, _ in pairs), *(torch.sigmoid(score) for _, score in pairs))


def detector(checkpoint: Path, data: list[Path]) -> Subject:
    """The detector; pictures come from its cache, the trial's from the held-out side."""
    from models.training.dataset import HELD_OUT, TRAIN, Cache
    from models.training.export import load_student
    from models.training.student import STRIDES

    cache, rng = Cache(data[0]), np.random.default_rng(3)
    train = rng.permutation(cache.where(TRAIN))[:CALIBRATION_PICTURES]
    held_out = rng.permutation(cache.where(HELD_OUT))[:TRIALS]
    names = tuple(f"{kind}_{stride}" for kind in ("box", "class") for stride in STRIDES)
    return Subject(
        _Planes(load_student(checkpoint)).eval(), names,
        _pictures(cache, train), _pictures(cache, held_out),
        PICTURE_MEAN, PICTURE_STD, same_boxes,
    )  # fmt: skip


def _pictures(cache: Any, rows: npt.NDArray[np.intp]) -> U8:
    """uint8[N, 3, 256, 320], letterboxed as on the camera."""
    from models.training.student import HEIGHT_PX, WIDTH_PX

    fitted = [letterbox(cache[int(i)].pixels, WIDTH_PX, HEIGHT_PX, area=False)[0] for i in rows]
    return np.ascontiguousarray(np.stack(fitted).transpose(0, 3, 1, 2))


def same_boxes(wanted: list[list[F32]], found: list[list[F32]]) -> str:
    """Boxes of both, through the decoder, and how many of them are the same."""
    both = missed = more = 0
    for ours, theirs in zip(wanted, found, strict=True):
        a, b = _boxes(ours), _boxes(theirs)
        matched = (iou(a[:, :4], b[:, :4]) >= SAME_IOU).any(1).sum() if len(a) and len(b) else 0
        both += int(matched)
        missed += len(a) - int(matched)
        more += max(len(b) - int(matched), 0)
    return f"boxes: {both} the same, {missed} only in float, {more} only in .rknn"


def _boxes(outputs: list[F32]) -> F32:
    from models.training.detect import decode
    from models.training.student import HEIGHT_PX, WIDTH_PX

    last = [np.ascontiguousarray(output.transpose(0, 2, 3, 1)) for output in outputs]
    return decode(last, 1.0, (WIDTH_PX, HEIGHT_PX), 0.3)


class _Joints(nn.Module):
    """The skeleton student with visibility after sigmoid, channels first."""

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.student = student

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        cells, offsets, seen = self.student(x)
        return cells, offsets, torch.sigmoid(seen)


def skeleton(checkpoint: Path, data: list[Path]) -> Subject:
    """The skeleton student; people come from its caches, the trial's from the held-out side."""
    from models.training.skeleton_augment import plain
    from models.training.skeleton_cache import People
    from models.training.skeleton_export import load_student
    from models.training.skeleton_train import Draw

    people, rng = People(data), np.random.default_rng(3)
    draw = Draw(people)
    train = [draw(rng) for _ in range(CALIBRATION_PICTURES)]
    held_out = rng.permutation(np.flatnonzero(people.held_out))[:TRIALS].tolist()
    calibration, trial = (
        np.ascontiguousarray(
            np.stack([plain(people[i]).pixels for i in rows]).transpose(0, 3, 1, 2)
        )
        for rows in (train, held_out)
    )
    return Subject(
        _Joints(load_student(checkpoint)).eval(), ("cells", "offsets", "visible"),
        calibration, trial, PICTURE_MEAN, PICTURE_STD, same_places,
    )  # fmt: skip


def same_places(wanted: list[list[F32]], found: list[list[F32]]) -> str:
    """How many joints lie within SAME_PX of each other, of those that the float network sees."""
    from models.training.skeleton_student import decode

    def places(outputs: list[F32]) -> F32:
        cells, offsets, seen = (torch.from_numpy(np.ascontiguousarray(o)) for o in outputs)
        joints: F32 = decode(cells, offsets, torch.logit(seen, 1e-6))[0].numpy()
        return joints

    near = seen = 0
    for ours, theirs in zip(map(places, wanted), map(places, found), strict=True):
        counted = ours[:, 2] >= 0.5
        apart = np.linalg.norm(ours[:, :2] - theirs[:, :2], axis=1)
        near, seen = near + int((counted & (apart <= SAME_PX)).sum()), seen + int(counted.sum())
    return f"joints: {near} of {seen} within {SAME_PX:g} px of the input"


def action(checkpoint: Path, data: list[Path]) -> Subject:
    """The action student; rows come from the shared skeletons and the files named."""
    from models.training.action_export import calibration
    from models.training.action_sources import read_all
    from models.training.action_student import Exported
    from models.training.action_train import load_student
    from models.training.dataset import data_folder

    rows = calibration(read_all(data_folder(), data), CALIBRATION_ROWS + TRIALS)
    rows = rows[:, :, None, None]
    body = Exported(load_student(checkpoint)).eval().body
    return Subject(
        body, ("class",), rows[:CALIBRATION_ROWS], rows[CALIBRATION_ROWS:], None, None, same_answer
    )


def same_answer(wanted: list[list[F32]], found: list[list[F32]]) -> str:
    """How often the highest score is the same one."""
    same = sum(
        int(ours[0].argmax() == theirs[0].argmax())
        for ours, theirs in zip(wanted, found, strict=True)
    )
    return f"answers: {same} of {len(wanted)} the same"


SUBJECTS: dict[str, Callable[[Path, list[Path]], Subject]] = {
    "detector": detector,
    "skeleton": skeleton,
    "action": action,
}
