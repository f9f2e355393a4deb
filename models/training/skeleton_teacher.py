"""The skeleton teacher: MoveNet and BlazePose (both Apache-2.0, Google) looking several times.

Each network looks at the person mirrored and at several sizes. A joint is where most of the looks
agree, and its confidence is the share of the looks, by weight, that agree. People who are not
upright are turned until they are: both networks were taught on people on their feet.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from models.skeletons import JOINTS, mirror_order
from models.training.boxes import F32, U8
from models.training.export import interpreter

MOVENET: Final = "models/coral/movenet_single_pose_lightning_ptq.tflite"
BLAZEPOSE: Final = "models/mediapipe/pose_landmark_lite__2021-08-18_280cc722.tflite"
BLAZE_TO_COCO: Final = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""Where each COCO joint is among BlazePose's 33 landmarks."""
BLAZE_VALUES: Final = 5
"""x, y, z (input pixels), visibility and presence (logits) of each landmark."""
BLAZE_PX: Final = 256
MIRROR: Final = np.array(mirror_order())

MOVENET_MARGINS: Final = (0.15, 0.4)
BLAZE_MARGINS: Final = (0.25,)
BLAZE_WEIGHT: Final = 1.5
"""A look of BlazePose counts so many of MoveNet's: it looks less often."""
AGREE: Final = 0.05
"""Looks that differ by this share of the box's longer side half agree (a Gaussian)."""
UPRIGHT: Final = 0.4
"""A confidence from which on no other rotation is tried on an upright box."""
BEST_JOINTS: Final = 9
"""A person's confidence is the mean of so many: legs may be out of the picture."""
TURNS_DEG: Final = (0.0, 90.0, -90.0, 180.0)


class View(NamedTuple):
    """A turned square around a person: matrix float64[2, 3] from input to picture pixels."""

    matrix: F32
    mirrored: bool


class SkeletonTeacher:
    """Both networks, loaded once.

    Args:
        data: the shared data folder.
        threads: interpreter threads.
    """

    def __init__(self, data: Path, threads: int = 1) -> None:
        self._movenet = interpreter(data / MOVENET, threads)
        self._blaze = interpreter(data / BLAZEPOSE, threads)

    def look(self, picture: U8, box: F32) -> F32:
        """Joints of the person in a box.

        Args:
            picture: uint8[H, W, 3] BGR.
            box: float32[4] xyxy.

        Returns:
            float32[17, 3]: x, y in pixels of the picture and confidence 0..1.
        """
        wide, high = float(box[2] - box[0]), float(box[3] - box[1])
        best = self._at(picture, box, 0.0)
        if wide < 0.8 * high and sureness(best) >= UPRIGHT:
            return best
        turn = max(TURNS_DEG, key=lambda turn: self._glance(picture, box, turn))
        if turn == 0.0:
            return best
        found = self._at(picture, box, turn)
        return found if sureness(found) > sureness(best) else best

    def _glance(self, picture: U8, box: F32, turn_deg: float) -> float:
        """How sure MoveNet is at one rotation, from one look."""
        return sureness(self._movenet_look(picture, box, MOVENET_MARGINS[0], turn_deg, False))

    def _at(self, picture: U8, box: F32, turn_deg: float) -> F32:
        """The looks at one rotation, joined."""
        looks = []
        for mirrored in (False, True):
            for margin in MOVENET_MARGINS:
                looks.append(self._movenet_look(picture, box, margin, turn_deg, mirrored))
            for margin in BLAZE_MARGINS:
                looks.append(self._blaze_look(picture, box, margin, turn_deg, mirrored))
        size = float(max(box[2] - box[0], box[3] - box[1]))
        return join(np.stack(looks), size)

    def _movenet_look(
        self, picture: U8, box: F32, margin: float, turn_deg: float, mirrored: bool
    ) -> F32:
        side = int(self._movenet.get_input_details()[0]["shape"][1])
        view = square(box, margin, turn_deg, side, mirrored)
        pixels = _warp(picture, view, side)
        self._movenet.set_tensor(self._movenet.get_input_details()[0]["index"], pixels[None])
        self._movenet.invoke()
        out = self._movenet.get_tensor(self._movenet.get_output_details()[0]["index"])[0, 0]
        return _back(np.c_[out[:, 1] * side, out[:, 0] * side, out[:, 2]], view)

    def _blaze_look(
        self, picture: U8, box: F32, margin: float, turn_deg: float, mirrored: bool
    ) -> F32:
        view = square(box, margin, turn_deg, BLAZE_PX, mirrored)
        pixels = _warp(picture, view, BLAZE_PX).astype(np.float32) / 255
        self._blaze.set_tensor(self._blaze.get_input_details()[0]["index"], pixels[None])
        self._blaze.invoke()
        details = self._blaze.get_output_details()
        by_size = {int(np.prod(d["shape"])): d["index"] for d in details}
        values = self._blaze.get_tensor(by_size[39 * BLAZE_VALUES]).reshape(39, BLAZE_VALUES)
        presence = float(self._blaze.get_tensor(by_size[1]).ravel()[0])
        joints = values[list(BLAZE_TO_COCO)]
        seen = _sigmoid(joints[:, 3]) * _sigmoid(joints[:, 4]) * presence
        return _back(np.c_[joints[:, :2], BLAZE_WEIGHT * seen], view)


def sureness(joints: F32) -> float:
    """Mean confidence of a person's best joints, 0..1."""
    return float(np.sort(joints[:, 2])[-BEST_JOINTS:].mean())


def join(looks: F32, size_px: float) -> F32:
    """Where most looks agree.

    Args:
        looks: float32[K, 17, 3] x, y, weight.
        size_px: of the person.

    Returns:
        float32[17, 3]: x, y and confidence 0..1: the weight that agrees, over the most possible.
    """
    most = len(MOVENET_MARGINS) * 2 + len(BLAZE_MARGINS) * 2 * BLAZE_WEIGHT
    apart = np.linalg.norm(looks[:, None, :, :2] - looks[None, :, :, :2], axis=3)
    agree = np.exp(-((apart / (AGREE * size_px)) ** 2) * math.log(2)) * looks[None, :, :, 2]
    support = agree.sum(1)
    best = support.argmax(0)
    weight = agree[best, :, np.arange(JOINTS)]
    total = np.maximum(weight.sum(1, keepdims=True), 1e-9)
    points = np.einsum("jk,kjc->jc", weight / total, looks[:, :, :2])
    return np.c_[points, np.minimum(total[:, 0] / most, 1)].astype(np.float32)


def square(box: F32, margin: float, turn_deg: float, side_px: int, mirrored: bool) -> View:
    """A square view around a box, turned about its middle so that the picture turns `turn_deg`."""
    x1, y1, x2, y2 = (float(v) for v in box)
    step = max(x2 - x1, y2 - y1) * (1 + margin) / side_px
    angle = math.radians(turn_deg)
    cos, sin = step * math.cos(angle), step * math.sin(angle)
    flip = -1.0 if mirrored else 1.0
    matrix = np.array([[cos * flip, -sin, 0.0], [sin * flip, cos, 0.0]])
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    matrix[:, 2] = middle - matrix[:, :2] @ (side_px / 2, side_px / 2)
    return View(matrix.astype(np.float32), mirrored)


def _warp(picture: U8, view: View, side_px: int) -> U8:
    """uint8[side, side, 3] RGB; shrunk first where a warp would skip pixels."""
    step = float(np.hypot(view.matrix[0, 0], view.matrix[1, 0]))
    matrix = view.matrix.astype(np.float64)
    if step > 2:
        shrink = 1.5 / step
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        matrix = matrix * shrink
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(picture, matrix, (side_px, side_px), flags=flags)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _back(joints: F32, view: View) -> F32:
    """Joints in input pixels to picture pixels, left and right as the person has them."""
    points = joints[:, :2] @ view.matrix[:, :2].T + view.matrix[:, 2]
    found = np.c_[points, joints[:, 2]].astype(np.float32)
    return found[MIRROR] if view.mirrored else found


def _sigmoid(x: F32) -> F32:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)
