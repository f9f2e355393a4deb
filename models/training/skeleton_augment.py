"""What a person goes through before training: another box, turned, mirrored, hidden, far, dark."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from models.skeletons import mirror_order
from models.training.boxes import F32, PAD_VALUE, U8
from models.training.skeleton_cache import HIDDEN_SEEN, HIDDEN_WEIGHT, Person
from models.training.skeleton_student import HEIGHT_PX, MARGIN, WIDTH_PX

MIRROR: Final = np.array(mirror_order())
JITTER: Final = 0.08
"""Standard deviation of each side of the box, as a share of its size."""
CUT_SHARE, EDGE_SHARE, BLOCK_SHARE, FAR_SHARE = 0.22, 0.12, 0.25, 0.25
"""How many boxes are cut short, pictures end inside the body, things stand before it, are far."""
BESIDE_SHARE: Final = 0.25
"""How many have somebody close behind or beside them, who is not the one that is asked for."""
BESIDE_SCALE, BESIDE_SHIFT = (0.65, 1.05), (0.3, 0.9)
"""How large that one is, and how far aside, in widths of the box."""
IN_FRONT: Final = 0.07
"""What is this near to the person's own joints stays theirs, as a share of the input's height."""
FREE_TURN, QUARTER_TURN = 0.12, 0.15
SMALL_TURN_DEG: Final = 10.0
SMALLEST_HEIGHT_PX: Final = 22.0
FLESH: Final = 0.10
"""A turned body's box is around its joints and this share of its size more."""


Size = tuple[int, int]
FULL: Final[Size] = (WIDTH_PX, HEIGHT_PX)
"""Width and height of the network's input; training begins with a smaller one."""


class Sample(NamedTuple):
    """One training example.

    Attributes:
        pixels: uint8[H, W, 3] BGR.
        joints: float32[17, 2] x, y, input pixels.
        weight: float32[17]; seen: float32[17], as in the cache.
    """

    pixels: U8
    joints: F32
    weight: F32
    seen: F32


def plain(person: Person, size: Size = FULL) -> Sample:
    """The crop exactly as the camera would take it."""
    matrix = crop_matrix(person.box, 0.0, False, size)
    joints = person.joints @ matrix[:, :2].T + matrix[:, 2]
    return Sample(_warp(person.pixels, matrix, size), joints.astype(np.float32), *person[3:])


def augmented(
    rng: np.random.Generator, person: Person, size: Size = FULL, other: Person | None = None
) -> Sample:
    """One random version; `other` may come to stand behind."""
    turn_deg = _turn(rng)
    box = person.box if abs(turn_deg) < 30 else _turned_box(person, turn_deg)
    pixels, weight, seen = person.pixels, person.weight.copy(), person.seen.copy()
    box = _jitter(rng, box)
    if rng.random() < CUT_SHARE:
        box = _cut_short(rng, box)
    matrix = crop_matrix(box, turn_deg, rng.random() < 0.5, size)
    joints = (person.joints @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    if matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0] < 0:
        joints, weight, seen = joints[MIRROR], weight[MIRROR], seen[MIRROR]
    picture = _warp(pixels, matrix, size)
    if other is not None and rng.random() < BESIDE_SHARE:
        _beside(rng, picture, joints[weight > 0], other)
    _leave_out(joints, weight, seen, (0, 0, *size))
    if rng.random() < EDGE_SHARE:
        _edge(rng, picture, joints, weight, seen)
    if rng.random() < BLOCK_SHARE:
        _block(rng, picture, joints, weight, seen)
    picture = _colour(rng, picture)
    if rng.random() < FAR_SHARE:
        picture = _far(rng, picture)
    return Sample(picture, joints, weight, seen)


def _turn(rng: np.random.Generator) -> float:
    """Degrees to turn the picture by."""
    what = rng.random()
    if what < FREE_TURN:
        return float(rng.uniform(-180, 180))
    if what < FREE_TURN + QUARTER_TURN:
        return float(rng.choice((-90.0, 90.0)) + rng.normal(0, SMALL_TURN_DEG))
    return float(rng.normal(0, SMALL_TURN_DEG))


def _turned_box(person: Person, turn_deg: float) -> F32:
    """A box, in the crop's own axes, whose turned square is around the turned joints."""
    taught = person.joints[person.weight > 0]
    if len(taught) < 4:
        return person.box
    angle = np.radians(turn_deg)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = taught @ spin.T
    low, high = turned.min(0), turned.max(0)
    more = FLESH * (high - low).max()
    middle, half = spin.T @ ((low + high) / 2), (high - low) / 2 + more
    return np.concatenate((middle - half, middle + half)).astype(np.float32)


def _jitter(rng: np.random.Generator, box: F32) -> F32:
    size = np.tile(box[2:] - box[:2], 2)
    return (box + np.clip(rng.normal(0, JITTER, 4), -0.2, 0.2) * size).astype(np.float32)


def _cut_short(rng: np.random.Generator, box: F32) -> F32:
    """Legs (most often), the head or a side are out of the box."""
    x1, y1, x2, y2 = (float(v) for v in box)
    share = float(rng.uniform(0.15, 0.55))
    what = rng.random()
    if what < 0.7:
        y2 -= share * (y2 - y1)
    elif what < 0.8:
        y1 += share / 2 * (y2 - y1)
    elif what < 0.9:
        x1 += share / 2 * (x2 - x1)
    else:
        x2 -= share / 2 * (x2 - x1)
    return np.array((x1, y1, x2, y2), np.float32)


def crop_matrix(box: F32, turn_deg: float, mirrored: bool, size: Size = FULL) -> F32:
    """float64[2, 3], cached to input pixels, continuous; as `PersonCrop` where it is not turned."""
    wide, high = max(float(box[2] - box[0]), 4.0), max(float(box[3] - box[1]), 4.0)
    scale = 1 / ((1 + MARGIN) * max(wide / size[0], high / size[1]))
    angle = np.radians(turn_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    if mirrored:
        matrix[0] *= -1
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], np.float64)
    matrix[:, 2] = np.array([size[0] / 2, size[1] / 2]) - matrix[:, :2] @ middle
    return matrix


def _warp(pixels: U8, matrix: F32, size: Size) -> U8:
    """The input picture; OpenCV counts from the middle of the first pixel."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(
        pixels, shifted, size, flags=cv2.INTER_LINEAR, borderValue=(PAD_VALUE,) * 3
    )


def _leave_out(
    joints: F32, weight: F32, seen: F32, window: tuple[float, float, float, float]
) -> None:
    """Joints outside the window teach no place, and are not to be seen."""
    x1, y1, x2, y2 = window
    x, y = joints[:, 0], joints[:, 1]
    out = (x < x1) | (x >= x2) | (y < y1) | (y >= y2)
    weight[out] = 0
    seen[out] = 0


def _beside(rng: np.random.Generator, picture: U8, joints: F32, other: Person) -> None:
    """Somebody else, cut out along the box, behind the hull of the person's own joints."""
    if len(joints) < 4:
        return
    size = (picture.shape[1], picture.shape[0])
    matrix = crop_matrix(other.box, 0.0, rng.random() < 0.5, size)
    matrix *= rng.uniform(*BESIDE_SCALE)
    wide = abs(matrix[0, 0]) * float(other.box[2] - other.box[0])
    matrix[0, 2] += rng.choice((-1, 1)) * rng.uniform(*BESIDE_SHIFT) * wide
    corners = other.box.reshape(2, 2) @ matrix[:, :2].T + matrix[:, 2]
    low, high = corners.min(0).round().astype(int), corners.max(0).round().astype(int)
    shown = np.zeros(picture.shape[:2], np.uint8)
    cv2.rectangle(shown, low.tolist(), high.tolist(), 255, cv2.FILLED)
    own = np.zeros_like(shown)
    cv2.fillConvexPoly(own, cv2.convexHull(joints.astype(np.int32)), 255)
    near = int(IN_FRONT * size[1])
    own = cv2.dilate(own, np.ones((2 * near + 1, 2 * near + 1), np.uint8))
    shown[own > 0] = 0
    np.copyto(picture, _warp(other.pixels, matrix, size), where=shown[:, :, None] > 0)


def _edge(rng: np.random.Generator, picture: U8, joints: F32, weight: F32, seen: F32) -> None:
    """The camera's picture ends here: grey from there on."""
    size = (picture.shape[1], picture.shape[0])
    window = [0, 0, *size]
    side = int(rng.choice((0, 1, 2, 3), p=(0.2, 0.1, 0.2, 0.5)))
    reach = rng.uniform(0.15, 0.5) * size[side % 2]
    window[side] = int(reach if side < 2 else window[side] - reach)
    x1, y1, x2, y2 = window
    kept = picture[y1:y2, x1:x2].copy()
    picture[:] = PAD_VALUE
    picture[y1:y2, x1:x2] = kept
    _leave_out(joints, weight, seen, (x1, y1, x2, y2))


def _block(rng: np.random.Generator, picture: U8, joints: F32, weight: F32, seen: F32) -> None:
    """Something stands in front: flat, or a piece of the picture itself."""
    height, width = picture.shape[:2]
    w, h = int(rng.uniform(0.08, 0.55) * width), int(rng.uniform(0.06, 0.5) * height)
    x, y = int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h))
    if rng.random() < 0.5:
        picture[y : y + h, x : x + w] = rng.integers(0, 255, 3, np.uint8)
    else:
        x0, y0 = int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h))
        picture[y : y + h, x : x + w] = picture[y0 : y0 + h, x0 : x0 + w].copy()
    px, py = joints[:, 0], joints[:, 1]
    behind = (px >= x) & (px < x + w) & (py >= y) & (py < y + h)
    weight[behind] *= HIDDEN_WEIGHT
    seen[behind] = np.minimum(seen[behind], HIDDEN_SEEN)


def _far(rng: np.random.Generator, picture: U8) -> U8:
    """As few pixels as a person far away has."""
    height, width = picture.shape[:2]
    share = float(rng.uniform(SMALLEST_HEIGHT_PX / height, 0.7))
    small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _colour(rng: np.random.Generator, pixels: U8) -> U8:
    """Light, colour, blur and noise."""
    if rng.random() < 0.8:
        gain = rng.uniform(0.55, 1.4) * rng.uniform(0.85, 1.15, 3)
        bend = float(np.exp(rng.normal(0, 0.25)))
        ramp = np.arange(256) / 255.0
        table = np.clip(255 * (ramp[:, None] ** bend) * gain + rng.uniform(-15, 15), 0, 255)
        pixels = cv2.LUT(pixels, table.astype(np.uint8)[None])
    if rng.random() < 0.12:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.12:
        pixels = cv2.GaussianBlur(pixels, (5, 5), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.12:
        grain = rng.integers(-12, 13, pixels.shape, np.int16)
        pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    return pixels
