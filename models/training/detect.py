"""Run a student or the teacher over pictures and get boxes, the same way for float and int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from models.training.boxes import F32, U8, letterbox, suppress
from models.training.export import interpreter, load_student, output_order
from models.training.kinds import PERSON
from models.training.student import HEIGHT_PX, STRIDES, WIDTH_PX, Exported
from models.training.teacher import Teacher

NMS_IOU = 0.6


class Detector(Protocol):
    """Anything that finds what is in a picture."""

    def find(self, picture: U8, score: float = 0.05) -> F32:
        """float[N, 6]: xyxy in pixels of the picture, score, class; best first."""
        ...


class People:
    """A teacher of people as a Detector.

    Args:
        teacher: finds float32[N, 5].
    """

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def find(self, picture: U8, score: float = 0.05) -> F32:
        """See Detector."""
        found = self._teacher.find(picture, score)
        return np.c_[found, np.full(len(found), PERSON)].astype(np.float32)


def decode(outputs: list[F32], ratio: float, size: tuple[int, int], score: float) -> F32:
    """Boxes then classes (dequantized, NHWC) to objects; a cell has its best class, as in use.

    Args:
        outputs: three box tensors of log distances / stride, three class tensors.
        ratio: source to input pixels.
        size: width and height of the source, pixels.
        score: lowest score to keep.

    Returns:
        float32[N, 6] xyxy in source pixels, score and class.
    """
    boxes, scores, kinds = [], [], []
    for stride, raw, chance in zip(STRIDES, outputs[:3], outputs[3:], strict=True):
        best, kind = chance[0].max(-1), chance[0].argmax(-1)
        row, column = np.nonzero(best >= score)
        reach = np.exp(raw[0, row, column]) * stride
        centre = (np.stack((column, row), 1) + 0.5) * stride
        boxes.append(np.concatenate((centre - reach[:, :2], centre + reach[:, 2:]), 1))
        scores.append(best[row, column])
        kinds.append(kind[row, column])
    corners = np.clip(np.concatenate(boxes) / ratio, 0, (*size, *size)).astype(np.float32)
    chances = np.concatenate(scores).astype(np.float32)
    classes = np.concatenate(kinds)
    apart = corners + classes[:, None].astype(np.float32) * 2 * max(size)
    keep = suppress(apart, chances, NMS_IOU)
    return np.c_[corners[keep], chances[keep], classes[keep]].astype(np.float32)


class FloatStudent:
    """A checkpoint in PyTorch."""

    def __init__(self, checkpoint: Path) -> None:
        self._network = Exported(load_student(checkpoint)).eval()

    @torch.no_grad()
    def find(self, picture: U8, score: float = 0.05) -> F32:
        """See Detector."""
        canvas, ratio = letterbox(picture, WIDTH_PX, HEIGHT_PX, area=False)
        tensor = torch.from_numpy((canvas.astype(np.float32) - 128) / 128)[None]
        outputs = [t.numpy() for t in self._network(tensor)]
        return decode(outputs, ratio, (picture.shape[1], picture.shape[0]), score)


class Int8Student:
    """A shipped int8 file in LiteRT."""

    def __init__(self, path: Path) -> None:
        self._runner = interpreter(path)
        self._input = self._runner.get_input_details()[0]["index"]
        details = self._runner.get_output_details()
        self._outputs: list[dict[str, Any]] = [details[i] for i in output_order(self._runner)]

    def find(self, picture: U8, score: float = 0.05) -> F32:
        """See Detector."""
        canvas, ratio = letterbox(picture, WIDTH_PX, HEIGHT_PX, area=False)
        self._runner.set_tensor(self._input, (canvas ^ 0x80).view(np.int8)[None])
        self._runner.invoke()
        outputs = []
        for d in self._outputs:
            scale, zero = d["quantization"]
            outputs.append((self._runner.get_tensor(d["index"]).astype(np.float32) - zero) * scale)
        return decode(outputs, ratio, (picture.shape[1], picture.shape[0]), score)
