"""Skeletons: other programs' layouts brought to COCO-17, and normalised for a network.

A skeleton is float32[17, 3]: x and y (pixels, y downwards) and visibility 0..1, in COCO's order
(Lin et al., "Microsoft COCO", ECCV 2014). Left and right are the person's own.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.tables import F32

KEYPOINTS: Final = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
JOINTS: Final = len(KEYPOINTS)

Layout = Literal["openpose18", "body25", "coco17"]
OPENPOSE18: Final = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
"""Where each COCO joint is in OpenPose's 18 (Cao et al., CVPR 2017); its neck, 1, is left out."""
BODY_25: Final = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)
"""Where each COCO joint is in OpenPose's BODY_25; neck 1, middle hip 8 and feet are left out."""
LAYOUTS: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    "openpose18": (18, OPENPOSE18),
    "body25": (25, BODY_25),
    "coco17": (17, tuple(range(JOINTS))),
}
"""Joints per skeleton, and the place of each COCO joint among them."""
PAIRS: Final = {
    "openpose18": ((1, 5, 6),),
    "body25": ((1, 5, 6), (8, 11, 12)),
    "coco17": (),
}
"""Middle joints (neck, middle hip) and the COCO pair that each lies between."""

VISIBLE: Final = 0.1
"""Joints below this visibility are taken as missing."""

# A skeleton's size, in units of the torso (shoulder to hip, 0.50 m of a person of 1.75 m): a limb
# only ever looks shorter than it is, so the longest ones tell (body proportions: Drillis, 1966).
LIMBS: Final = (
    (5, 11, 1.00), (6, 12, 1.00), (11, 13, 0.85), (12, 14, 0.85), (13, 15, 0.85), (14, 16, 0.85),
    (5, 7, 0.60), (6, 8, 0.60), (7, 9, 0.52), (8, 10, 0.52), (5, 6, 0.72), (11, 12, 0.50),
    (0, 5, 0.62), (0, 6, 0.62),
)  # fmt: skip
TORSO: Final = (5, 6, 11, 12)
REACH: Final = 3.0
"""Normalised coordinates are clipped to -REACH..REACH torso lengths."""
SMALLEST: Final = 1e-6
"""A skeleton smaller than this, in its own units, is a point: it has no size to divide by."""


def mirror_order() -> tuple[int, ...]:
    """For each joint the one that stands for it in a mirrored picture."""
    swap = {"left": "right", "right": "left"}
    sides = [name.partition("_") for name in KEYPOINTS]
    return tuple(KEYPOINTS.index(swap.get(s, s) + bar + rest) for s, bar, rest in sides)


def to_coco17(keypoints: F32, layout: Layout, out: F32 | None = None) -> F32:
    """Reorder skeletons of another layout.

    A missing hip or shoulder is restored where its partner and the middle joint (neck, middle
    hip) are there: it lies as far on the other side.

    Args:
        keypoints: float32[N, J, 3] x, y, visibility; J of the layout.
        layout: what the joints are.
        out: float32[N, 17, 3] to fill; made when left out.

    Returns:
        `out`; missing joints (visibility below VISIBLE) are 0, 0, 0.

    Raises:
        ValueError: the layout is unknown or the array has another number of joints.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout {layout!r}; allowed: {', '.join(LAYOUTS)}")
    joints, order = LAYOUTS[layout]
    if keypoints.ndim != 3 or keypoints.shape[1:] != (joints, 3):
        raise ValueError(f"shape {keypoints.shape}; allowed for {layout}: [N, {joints}, 3]")
    if out is None:
        out = np.empty((len(keypoints), JOINTS, 3), np.float32)
    np.take(keypoints, order, axis=1, out=out, mode="clip")
    np.copyto(out, 0, where=~(out[:, :, 2:] >= VISIBLE))
    for middle, left, right in PAIRS[layout]:
        for lost, kept in ((left, right), (right, left)):
            _restore(out, keypoints[:, middle], lost, kept)
    return out


def _restore(skeletons: F32, middle: F32, lost: int, kept: int) -> None:
    """Put a missing joint opposite its partner, seen from the joint between them."""
    able = skeletons[:, lost, 2] < VISIBLE
    able &= (skeletons[:, kept, 2] >= VISIBLE) & (middle[:, 2] >= VISIBLE)
    rows = np.flatnonzero(able)
    skeletons[rows, lost, :2] = 2 * middle[rows, :2] - skeletons[rows, kept, :2]
    skeletons[rows, lost, 2] = np.minimum(middle[rows, 2], skeletons[rows, kept, 2])


class Normaliser:
    """Brings skeletons to one place and one size; all memory is taken when it is made.

    The centre is the mean of the visible shoulders and hips, or of all visible joints where none
    of those is seen. The size is the second longest of the limbs, each measured in torso lengths,
    so that one joint gone astray does not set it, and legs out of view do not matter.
    """

    def __init__(self, capacity: int) -> None:
        """Allocate.

        Args:
            capacity: most skeletons in one call.
        """
        self.capacity = capacity
        self._from = np.array([limb[0] for limb in LIMBS])
        self._to = np.array([limb[1] for limb in LIMBS])
        self._inverse: F32 = np.array([1 / limb[2] for limb in LIMBS], np.float32)
        self._torso = np.array([joint in TORSO for joint in range(JOINTS)], np.float32)
        self._seen: F32 = np.zeros((capacity, JOINTS), np.float32)
        self._weight: F32 = np.zeros((capacity, JOINTS), np.float32)
        self._total: F32 = np.zeros((capacity, 1), np.float32)
        self._none: npt.NDArray[np.bool_] = np.zeros((capacity, 1), np.bool_)
        self._missing: npt.NDArray[np.bool_] = np.zeros((capacity, JOINTS), np.bool_)
        self._centre: F32 = np.zeros((capacity, 1, 2), np.float32)
        self._a: F32 = np.zeros((capacity, len(LIMBS), 3), np.float32)
        self._b: F32 = np.zeros((capacity, len(LIMBS), 3), np.float32)
        self._length: F32 = np.zeros((capacity, len(LIMBS)), np.float32)
        self._other: F32 = np.zeros((capacity, len(LIMBS)), np.float32)
        self._size: F32 = np.zeros((capacity, 1), np.float32)

    def __call__(self, skeletons: F32, out: F32) -> None:
        """Normalise.

        Args:
            skeletons: float32[N, 17, 3] x, y, visibility; N at most the capacity.
            out: float32[N, 17, 3] x, y in torso lengths around the centre, clipped to +-REACH, and
                1 where the joint is seen; 0, 0, 0 where it is missing, and for a skeleton with
                fewer than two joints.
        """
        count = len(skeletons)
        seen, missing = self._seen[:count], self._missing[:count]
        np.less(skeletons[:, :, 2], VISIBLE, out=missing)
        np.subtract(1, missing, out=seen)
        out[:, :, :2] = skeletons[:, :, :2]
        out[:, :, 2] = seen
        np.copyto(out, 0, where=missing[:, :, None])
        self._move(out, count)
        self._resize(out, count)
        np.clip(out, -REACH, REACH, out=out)
        np.copyto(out, 0, where=missing[:, :, None])

    def _move(self, out: F32, count: int) -> None:
        """Subtract the centre."""
        weight, total, none = self._weight[:count], self._total[:count], self._none[:count]
        np.multiply(self._seen[:count], self._torso, out=weight)
        np.sum(weight, axis=1, keepdims=True, out=total)
        np.equal(total, 0, out=none)
        np.copyto(weight, self._seen[:count], where=none)
        np.sum(weight, axis=1, keepdims=True, out=total)
        np.maximum(total, 1, out=total)
        np.divide(weight, total, out=weight)
        centre = self._centre[:count]
        np.matmul(weight[:, None, :], out[:, :, :2], out=centre)
        np.subtract(out[:, :, :2], centre, out=out[:, :, :2])

    def _resize(self, out: F32, count: int) -> None:
        """Divide by the size; what has no size becomes zero."""
        a, b = self._a[:count], self._b[:count]
        length, other, size = self._length[:count], self._other[:count], self._size[:count]
        np.take(out, self._from, axis=1, out=a, mode="clip")
        np.take(out, self._to, axis=1, out=b, mode="clip")
        np.multiply(a[:, :, 2], b[:, :, 2], out=other)
        np.subtract(a, b, out=a)
        np.hypot(a[:, :, 0], a[:, :, 1], out=length)
        np.multiply(length, self._inverse, out=length)
        np.multiply(length, other, out=length)
        length.partition((len(LIMBS) - 2, len(LIMBS) - 1), axis=1)
        np.copyto(size[:, 0], length[:, -2])
        np.less(size, SMALLEST, out=self._none[:count])
        np.copyto(size[:, 0], length[:, -1], where=self._none[:count, 0])
        np.less(size, SMALLEST, out=self._none[:count])
        np.copyto(size, np.inf, where=self._none[:count])
        np.divide(out[:, :, :2], size[:, :, None], out=out[:, :, :2])


def normalise(skeletons: F32) -> F32:
    """Normalise skeletons once, outside the loop; see `Normaliser`."""
    out: F32 = np.empty_like(skeletons)
    Normaliser(max(len(skeletons), 1))(skeletons, out)
    return out
