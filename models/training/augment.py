"""What a training picture goes through: mosaic or single, turned, zoomed, with people pasted in."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.boxes import F32, PAD_VALUE, U8
from models.training.kinds import IGNORE, PERSON
from models.training.look import change_look
from models.training.student import WIDTH_PX

MOSAIC_SHARE = 0.45
CLOSE_UP_SHARE = 0.40
CLOSE_PERSON_PX, CLOSE_PART_PX = (32.0, 220.0), (9.0, 48.0)
"""Longer side that a person, or a helmet, vest or head, is brought to in a close-up."""
MOST_ENLARGED = 2.6
TURNED_SHARE = 0.12
PASTE_SHARE = 0.25
PASTED_PX = (24.0, 140.0)
"""Longer side of somebody pasted in."""
VISIBLE_SHARE = 0.30
SMALLEST_PX = 5.0
"""What is cut below either becomes a region that teaches nothing."""
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
    if mosaic and rng.random() < PASTE_SHARE:
        for _ in range(int(rng.integers(1, 4))):
            boxes = _paste(rng, draw, pixels, boxes)
    return change_look(rng, pixels), boxes


def _turned(rng: np.random.Generator, draw: Draw) -> tuple[U8, F32]:
    """A drawn picture, perhaps mirrored, at times turned: standing people become lying."""
    pixels, boxes = draw(rng)
    if rng.random() < 0.5:
        width = pixels.shape[1]
        pixels = pixels[:, ::-1]
        boxes = np.c_[width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3:]]
    turns = int(rng.choice((1, 2, 3), p=(0.45, 0.1, 0.45))) if rng.random() < TURNED_SHARE else 0
    for _ in range(turns):
        width = pixels.shape[1]
        pixels = np.rot90(pixels)
        x1, y1, x2, y2, kind = boxes.T
        boxes = np.stack((y1, width - x2, y2, width - x1, kind), 1)
    return np.ascontiguousarray(pixels), boxes.astype(np.float32)


def _paste(rng: np.random.Generator, draw: Draw, canvas: U8, boxes: F32) -> F32:
    """Put somebody from another picture, mostly smaller, somewhere in this one.

    The patch is the person's box with a margin, its edge blended; what it hides of others stays
    labelled only where most of it is still seen.
    """
    picture, others = draw(rng)
    people = np.flatnonzero(others[:, 4] == PERSON)
    if not len(people):
        return boxes
    x1, y1, x2, y2 = others[rng.choice(people), :4]
    margin = 0.08 * max(x2 - x1, y2 - y1)
    left, top = int(max(x1 - margin, 0)), int(max(y1 - margin, 0))
    patch = picture[top : int(y2 + margin) + 1, left : int(x2 + margin) + 1]
    tall = float(np.exp(rng.uniform(*np.log(PASTED_PX))))
    scale = min(tall / max(patch.shape[:2]), 0.9 * min(canvas.shape[:2]) / max(patch.shape[:2]))
    if scale > 1.5 or min(patch.shape[:2]) * scale < SMALLEST_PX:
        return boxes
    patch = cv2.resize(patch, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = patch.shape[:2]
    x = int(rng.integers(0, canvas.shape[1] - width + 1))
    y = int(rng.integers(0, canvas.shape[0] - height + 1))
    soft = np.zeros((height + 2, width + 2), np.float32)
    soft[2:-2, 2:-2] = 1.0
    soft = cv2.blur(soft, (3, 3))[1:-1, 1:-1, None]
    under = canvas[y : y + height, x : x + width]
    under[:] = (patch * soft + under * (1 - soft)).astype(np.uint8)
    moved = others.copy()
    full = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1]) * scale * scale
    moved[:, :4] = (moved[:, :4] - (left, top, left, top)) * scale
    moved[:, :4] = np.clip(moved[:, :4], 0, (width, height, width, height))
    moved[:, :4] += (x, y, x, y)
    return np.concatenate((_hide(boxes, (x, y, x + width, y + height)), _cut(moved, full)))


def _hide(boxes: F32, patch: tuple[int, int, int, int]) -> F32:
    """Rows after something has been put over them: mostly hidden ones teach nothing."""
    low, high = np.maximum(boxes[:, :2], patch[:2]), np.minimum(boxes[:, 2:4], patch[2:])
    covered = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-6)
    hidden = (covered / area > 0.6) & (boxes[:, 4] < IGNORE)
    out = boxes.copy()
    out[hidden, 4] += IGNORE
    return out


def _cut(rows: F32, full: F32) -> F32:
    """Rows cut by an edge: those of which too little is left teach nothing, or vanish."""
    sides = rows[:, 2:4] - rows[:, :2]
    kept = np.prod(sides, axis=1)
    lost = (kept < VISIBLE_SHARE * full) | (sides.min(1, initial=1e9) < SMALLEST_PX)
    out = rows.copy()
    out[lost & (rows[:, 4] < IGNORE), 4] += IGNORE
    return out[kept > 4]


def _place(
    canvas: U8,
    window: tuple[int, int, int, int],
    rng: np.random.Generator,
    picture: U8,
    boxes: F32,
    scale: float,
    shift: tuple[float, float],
) -> F32:
    """Warp a picture into a window of the canvas, stretched and turned a little."""
    x1, y1, x2, y2 = window
    stretch = float(np.exp(rng.uniform(-0.15, 0.15)))
    sx, sy = scale * stretch, scale / stretch
    slope = float(rng.normal(0, 0.03))
    height, width = picture.shape[:2]
    matrix = np.array(
        [
            [sx, sy * slope, shift[0]],
            [-sx * slope, sy, shift[1]],
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
    corner = np.array((x1, y1))
    return _cut(np.c_[low + corner, high + corner, boxes[:, 4]].astype(np.float32), full)


def _zoom(width_px: int) -> float:
    """How much larger people are drawn in a small picture, so that they stay about as large."""
    return float((WIDTH_PX / width_px) ** 0.5)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """A factor, each octave as likely as any other."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _close_up(
    rng: np.random.Generator, boxes: F32, fit: float, zoom: float
) -> tuple[float, NDArray[np.float64] | None]:
    """A scale that makes one labelled object large enough to be learned, and where it is.

    Without an object, or where it would have to be blown up too far: a usual scale, and None.
    """
    objects = boxes[boxes[:, 4] < IGNORE]
    usual = fit * _between(rng, 0.8 * zoom, 1.6 * zoom)
    if not len(objects):
        return usual, None
    x1, y1, x2, y2, kind = objects[rng.integers(len(objects))]
    wanted_px = _between(rng, *(CLOSE_PERSON_PX if kind == PERSON else CLOSE_PART_PX)) * zoom
    scale = wanted_px / max(float(x2 - x1), float(y2 - y1), 1.0)
    if not 0.7 * fit <= scale <= MOST_ENLARGED:
        return usual, None
    return scale, np.array(((x1 + x2) / 2, (y1 + y2) / 2), np.float64)


def _single(rng: np.random.Generator, draw: Draw, canvas_size: tuple[int, int]) -> tuple[U8, F32]:
    picture, boxes = _turned(rng, draw)
    height, width = picture.shape[:2]
    wide, tall = canvas_size
    fit = min(wide / width, tall / height)
    scale, aim = fit, None
    choice = rng.random()
    if choice < CLOSE_UP_SHARE:
        scale, aim = _close_up(rng, boxes, fit, _zoom(wide))
    elif choice < 0.85:
        scale = fit * _between(rng, 0.6 * _zoom(wide), 1.7 * _zoom(wide))
    spare = np.array((wide - scale * width, tall - scale * height))
    corner = rng.uniform(np.minimum(spare, 0), np.maximum(spare, 0))
    if aim is not None:
        corner = rng.uniform(0.15, 0.85, 2) * canvas_size - scale * aim
        corner = np.clip(corner, np.minimum(spare, 0), np.maximum(spare, 0))
    elif scale == fit:
        corner = np.zeros(2)
    shift = (float(corner[0]), float(corner[1]))
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
        picture, boxes = _turned(rng, draw)
        height, width = picture.shape[:2]
        size = (window[2] - window[0], window[3] - window[1])
        scale = max(size[0] / width, size[1] / height) * float(rng.uniform(0.75, 1.7)) * _zoom(wide)
        spare = (size[0] - scale * width, size[1] - scale * height)
        shift = (float(rng.uniform(0, 1)) * spare[0], float(rng.uniform(0, 1)) * spare[1])
        if rng.random() < CLOSE_UP_SHARE:
            close, aim = _close_up(rng, boxes, scale, _zoom(wide))
            if aim is not None:
                scale = close
                middle = np.array(size) * rng.uniform(0.25, 0.75, 2) - scale * aim
                shift = (float(middle[0]), float(middle[1]))
        found.append(_place(canvas, window, rng, picture, boxes, scale, shift))
    return canvas, np.concatenate(found)
