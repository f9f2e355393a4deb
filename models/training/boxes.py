"""Boxes as arrays: overlap, suppression, letterbox."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

PAD_VALUE = 114


def iou(a: F32, b: F32) -> F32:
    """Overlap of every box in `a` with every box in `b`.

    Args:
        a: float32[N, 4] xyxy.
        b: float32[M, 4] xyxy.

    Returns:
        float32[N, M], 0..1.
    """
    inter = intersection(a, b)
    area_a, area_b = (
        (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]),
        (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]),
    )
    return inter / np.maximum(area_a[:, None] + area_b[None] - inter, 1e-9)


def intersection(a: F32, b: F32) -> F32:
    """Common area of every pair, float32[N, M], square pixels."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.prod(np.clip(high - low, 0, None), axis=2)


def suppress(boxes: F32, scores: F32, nms_iou: float) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression; indices kept, best score first."""
    order = np.argsort(-scores, kind="stable")
    keep = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(best)
        order = rest[iou(boxes[best : best + 1], boxes[rest])[0] <= nms_iou]
    return np.array(keep, np.intp)


def letterbox(picture: U8, width_px: int, height_px: int, area: bool = True) -> tuple[U8, float]:
    """Fit a picture into the top-left corner of a grey canvas.

    Args:
        picture: uint8[H, W, 3].
        width_px: of the canvas.
        height_px: of the canvas.
        area: average when shrinking; the camera does not, it interpolates (area=False).

    Returns:
        uint8[height_px, width_px, 3], and the factor from source to canvas pixels.
    """
    height, width = picture.shape[:2]
    ratio = min(width_px / width, height_px / height)
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    canvas = np.full((height_px, width_px, 3), PAD_VALUE, np.uint8)
    interpolation = cv2.INTER_AREA if area and ratio < 1 else cv2.INTER_LINEAR
    canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=interpolation)
    return canvas, ratio
