"""What a training picture goes through: mosaic or single, zoom, flip, colour, blur, noise."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.training.boxes import F32, PAD_VALUE, U8
from models.training.pseudo_label import IGNORE
from models.training.student import WIDTH_PX

MOSAIC_SHARE = 0.45
VISIBLE_SHARE = 0.30
SMALLEST_PX = 6.0
"""People cut below either become regions that teach nothing."""
Draw = Callable[[np.random.Generator], tuple[U8, F32]]


def training_picture(
    rng: np.random.Generator, draw: Draw, mosaic: bool, size: tuple[int, int]
) -> tuple[U8, F32]:
    """One augmented picture.

    Args:
        rng: source of all randomness.
        draw: gives a random cached picture and its boxes, float32[N, 5] xyxy and kind.
        mosaic: whether four pictures may be joined.
        size: width and height of the result, pixels; in a small one people are drawn larger.

    Returns:
        uint8[height, width, 3] BGR, float32[M, 5] xyxy in it and kind.
    """
    if mosaic and rng.random() < MOSAIC_SHARE:
        pixels, boxes = _mosaic(rng, draw, size)
    else:
        pixels, boxes = _single(rng, draw, size)
    return _colour(rng, pixels), boxes


def _place(
    canvas: U8,
    window: tuple[int, int, int, int],
    rng: np.random.Generator,
    picture: U8,
    boxes: F32,
    scale: float,
    shift: tuple[float, float],
) -> F32:
    """Warp a picture into a window of the canvas, perhaps mirrored and turned a little."""
    x1, y1, x2, y2 = window
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    stretch = float(np.exp(rng.uniform(-0.15, 0.15)))
    sx, sy = scale * stretch, scale / stretch
    slope = float(rng.normal(0, 0.03))
    height, width = picture.shape[:2]
    matrix = np.array(
        [
            [sx * mirror, sy * slope, shift[0] + (sx * width if mirror < 0 else 0.0)],
            [-sx * slope * mirror, sy, shift[1]],
        ],
        np.float64,
    )
    way = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    if scale < 0.6:  # a warp does not average, so shrink first
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way)
        picture, inner = small, matrix.copy()
        inner[:, 0] *= width / small.shape[1]
        inner[:, 1] *= height / small.shape[0]
    else:
        inner = matrix
    canvas[y1:y2, x1:x2] = cv2.warpAffine(
        picture, inner, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR, borderValue=(PAD_VALUE,) * 3
    )
    if not len(boxes):
        return np.zeros((0, 5), np.float32)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
    low, high = corners.min(1), corners.max(1)
    full = np.prod(high - low, axis=1)
    size = (x2 - x1, y2 - y1)
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    sides = high - low
    kept = np.prod(sides, axis=1)
    kind = boxes[:, 4].copy()
    kind[(kept < VISIBLE_SHARE * full) | (sides.min(1) < SMALLEST_PX)] = IGNORE
    corner = np.array((x1, y1))
    out = np.c_[low + corner, high + corner, kind].astype(np.float32)
    return out[kept > 4]


def _zoom(width_px: int) -> float:
    """How much larger people are drawn in a small picture, so that they stay about as large."""
    return float((WIDTH_PX / width_px) ** 0.5)


def _single(rng: np.random.Generator, draw: Draw, canvas_size: tuple[int, int]) -> tuple[U8, F32]:
    picture, boxes = draw(rng)
    height, width = picture.shape[:2]
    wide, tall = canvas_size
    fit = min(wide / width, tall / height)
    scale = (
        fit * float(np.exp(rng.uniform(np.log(0.6 * _zoom(wide)), np.log(1.7 * _zoom(wide)))))
        if rng.random() < 0.8
        else fit
    )
    spare = (wide - scale * width, tall - scale * height)
    shift = (
        float(rng.uniform(min(spare[0], 0), max(spare[0], 0))),
        float(rng.uniform(min(spare[1], 0), max(spare[1], 0))),
    )
    if scale == fit:
        shift = (0.0, 0.0)
    canvas = np.empty((tall, wide, 3), np.uint8)
    return canvas, _place(canvas, (0, 0, wide, tall), rng, picture, boxes, scale, shift)


def _mosaic(rng: np.random.Generator, draw: Draw, canvas_size: tuple[int, int]) -> tuple[U8, F32]:
    wide, tall = canvas_size
    canvas = np.empty((tall, wide, 3), np.uint8)
    x, y = int(rng.uniform(0.3, 0.7) * wide), int(rng.uniform(0.3, 0.7) * tall)
    found = []
    for window in (
        (0, 0, x, y),
        (x, 0, wide, y),
        (0, y, x, tall),
        (x, y, wide, tall),
    ):
        picture, boxes = draw(rng)
        height, width = picture.shape[:2]
        size = (window[2] - window[0], window[3] - window[1])
        scale = max(size[0] / width, size[1] / height) * float(rng.uniform(0.75, 1.7)) * _zoom(wide)
        spare = (size[0] - scale * width, size[1] - scale * height)
        shift = (float(rng.uniform(0, 1)) * spare[0], float(rng.uniform(0, 1)) * spare[1])
        found.append(_place(canvas, window, rng, picture, boxes, scale, shift))
    return canvas, np.concatenate(found)


def _colour(rng: np.random.Generator, pixels: U8) -> U8:
    """Light, colour and sensor changes, in an order a camera would make them."""
    if rng.random() < 0.8:
        hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
        gain = 1 + rng.uniform(-1, 1, 3) * (0.02, 0.6, 0.4)
        ramp = np.arange(256, dtype=np.float32)
        tables = [
            (ramp * gain[0]) % 180,
            ramp * gain[1],
            np.clip(ramp * gain[2] + rng.uniform(-12, 12), 0, 255),
        ]
        hsv = cv2.merge(
            [
                cv2.LUT(c, np.clip(t, 0, 255).astype(np.uint8))
                for c, t in zip(cv2.split(hsv), tables, strict=True)
            ]
        )
        pixels = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if rng.random() < 0.08:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.12:
        pixels = cv2.GaussianBlur(pixels, (5, 5), float(rng.uniform(0.4, 1.5)))
    if rng.random() < 0.15:
        grain = rng.integers(-9, 10, pixels.shape, np.int16)
        pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        _hole(rng, pixels)
    return pixels


def _hole(rng: np.random.Generator, pixels: U8) -> None:
    """A post or a box in front of the scene."""
    w, h = int(rng.uniform(8, 50)), int(rng.uniform(8, 90))
    x, y = int(rng.uniform(0, pixels.shape[1] - w)), int(rng.uniform(0, pixels.shape[0] - h))
    pixels[y : y + h, x : x + w] = rng.integers(0, 255, 3, np.uint8)
