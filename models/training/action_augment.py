"""What a training skeleton goes through: another side, view and size, and the errors of a network
that finds joints: noise, joints astray, sides mixed up, joints lost, legs out of the picture.

The other side is what a camera behind the person would see: x mirrored, the names of the joints
kept, no eyes and nose. The real sets show few people from behind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.skeletons import JOINTS, REACH, mirror_order, normalise
from models.tables import F32

F64 = npt.NDArray[np.float64]

BEHIND_SHARE = 0.15
"""Skeletons that are seen from the other side instead."""
TURNED_AWAY, FACE_LOST_SHARE = 0.25, 0.5
"""Shoulders this far the other way round, torso lengths; how often the face is not found then."""
TURN_DEG = 7.0
STRETCH = 0.07
"""Standard deviation of the logarithm of width over height."""
KEYSTONE = 0.06
"""Growth of what is lower in the picture, per torso length."""
NOISE = (0.0, 0.08)
"""Standard deviation of a joint's error, torso lengths; drawn per skeleton: large for the small."""
JOINT_NOISE = np.array((*(0.6,) * 5, *(0.8,) * 2, *(1.0,) * 2, *(1.4,) * 2, *(1.1,) * 4,
                        *(1.3,) * 2))[:, None]  # fmt: skip
"""By joint: ends of limbs are found worst."""
ASTRAY_SHARE, ASTRAY = 0.012, 0.5
"""Joints that are found in a wrong place, and how far, torso lengths."""
SIDES = (
    (5, 7, 9, 11, 13, 15), (1, 3, 5, 7, 9, 11, 13, 15), (13, 15), (15,), (11, 13, 15), (7, 9), (9,),
    (5, 7, 9),
)  # fmt: skip
"""Left joints that are mixed up with their partners on the right together."""
SWAP_SHARE, ONTO_SHARE = 0.06, 0.06
"""Skeletons whose sides are swapped there; and where both are found on one of them."""
CUT_SHARE = 0.22
CUTS = (
    (1, 1, 0.35, 1.0),
    (1, 1, 0.35, 1.0),
    (0, 1, 0.5, 1.0),
    (0, -1, 0.5, 1.0),
    (1, -1, 0.75, 1.0),
)
"""Picture edges: axis, side that is cut off, and the range of what is left of the body's extent;
the lower edge counts double."""
FEWEST_LEFT = 5
"""Skeletons are never cut below this many joints."""
LOST_SHARE = (0.0, 0.25)
"""Joints not found, drawn per skeleton, in half of them."""
GROUPS = (
    (15, 16), (13, 14, 15, 16), (11, 12, 13, 14, 15, 16), (0, 1, 2, 3, 4), (1, 2, 3, 4),
    (1, 3), (2, 4), (7, 9), (8, 10), (9,), (10,), (9, 10), (5, 7, 9), (6, 8, 10), (13, 15),
    (14, 16), (15,), (16,), (1, 3, 5, 7, 9, 11, 13, 15), (2, 4, 6, 8, 10, 12, 14, 16), (0, 1, 2),
    (5, 7, 9, 11, 12, 13, 14, 15, 16), (6, 8, 10, 11, 12, 13, 14, 15, 16),
)  # fmt: skip
"""Joints that go missing together: feet, legs, the whole lower body, head, arms, one side, all but
the head and one arm."""
GROUP_SHARE, LEAST_GROUP_STRENGTH = 0.35, 0.3
_MIRROR = np.array(mirror_order())
SHOULDERS = LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6


def augment(rng: np.random.Generator, skeletons: F32, strengths: F64) -> F32:
    """Change each skeleton anew and normalise it.

    Args:
        rng: source of all randomness.
        skeletons: float32[N, 17, 3], normalised or not.
        strengths: float64[N], 0 mirrors only, 1 does all.

    Returns:
        float32[N, 17, 3], normalised.
    """
    work = normalise(skeletons)
    strength = strengths[:, None]
    flip = rng.random(len(work)) < 0.5
    work[flip] = work[flip][:, _MIRROR]
    work[flip, :, 0] *= -1
    _look_from_behind(rng, work, strengths)
    _view(rng, work, strength)
    _mix_up(rng, work, strengths)
    _noise(rng, work, strength)
    _cut(rng, work, strengths)
    _lose(rng, work, strength)
    return normalise(work)


def _look_from_behind(rng: np.random.Generator, work: F32, strengths: F64) -> None:
    """See some from the other side, and lose some faces that look away."""
    behind = (rng.random(len(work)) < BEHIND_SHARE) & (strengths > 0)
    work[behind, :, 0] *= -1
    work[behind, 1:5] = work[behind][:, _MIRROR[1:5]]  # the eye and ear on this side are seen now
    across = work[:, LEFT_SHOULDER, 0] - work[:, RIGHT_SHOULDER, 0]
    away = (work[:, SHOULDERS, 2] > 0).all(1) & (across < -TURNED_AWAY)
    away &= (rng.random(len(work)) < FACE_LOST_SHARE) & (strengths > 0)
    work[away, :3] = 0


def _view(rng: np.random.Generator, work: F32, strength: F64) -> None:
    """Turn, stretch and tilt the picture plane a little."""
    count = len(work)
    angle = np.deg2rad(strength * rng.normal(0, TURN_DEG, (count, 1))).astype(np.float32)
    stretch = np.exp(strength * rng.normal(0, STRETCH, (count, 1))).astype(np.float32)
    keystone = (strength * rng.normal(0, KEYSTONE, (count, 1))).astype(np.float32)
    x, y = work[:, :, 0], work[:, :, 1]
    near = np.clip(1 + keystone * y, 0.6, 1.6)
    x, y = x * near * stretch, y * near
    work[:, :, 0] = x * np.cos(angle) - y * np.sin(angle)
    work[:, :, 1] = x * np.sin(angle) + y * np.cos(angle)


def _noise(rng: np.random.Generator, work: F32, strength: F64) -> None:
    count = len(work)
    spread = strength[:, :, None] * rng.uniform(*NOISE, (count, 1, 1))
    error = rng.normal(0, 1, (count, JOINTS, 2)) * spread * JOINT_NOISE
    error += rng.normal(0, ASTRAY, error.shape) * (
        rng.random((count, JOINTS, 1)) < strength[:, :, None] * ASTRAY_SHARE
    )
    work[:, :, :2] += error.astype(np.float32)


def _mix_up(rng: np.random.Generator, work: F32, strengths: F64) -> None:
    """Swap some joints with their partners, or put both in one place."""
    chance = rng.random(len(work))
    which = rng.integers(len(SIDES), size=len(work))
    swapped = chance < strengths * SWAP_SHARE
    onto = ~swapped & (chance < strengths * (SWAP_SHARE + ONTO_SHARE))
    for i, left in enumerate(SIDES):
        here, other = np.array(left), _MIRROR[list(left)]
        rows = np.flatnonzero(swapped & (which == i))[:, None]
        work[rows, here], work[rows, other] = work[rows, other], work[rows, here]
        rows = np.flatnonzero(onto & (which == i))[:, None]
        if i % 2:
            here, other = other, here
        work[rows, here] = work[rows, other]


def _cut(rng: np.random.Generator, work: F32, strengths: F64) -> None:
    """Lose what lies beyond an edge of the picture."""
    chosen = rng.random(len(work)) < strengths * CUT_SHARE
    which = rng.integers(len(CUTS), size=len(work))
    for i, (axis, side, low, high) in enumerate(CUTS):
        rows = np.flatnonzero(chosen & (which == i))
        places, seen = side * work[rows, :, axis], work[rows, :, 2] > 0
        first = np.where(seen, places, REACH).min(1)
        last = np.where(seen, places, -REACH).max(1)
        edge = first + (last - first) * rng.uniform(low, high, len(rows))
        lost = seen & (places > edge[:, None])
        lost &= ((seen & ~lost).sum(1) >= FEWEST_LEFT)[:, None]
        work[rows] *= ~lost[:, :, None]


def _lose(rng: np.random.Generator, work: F32, strength: F64) -> None:
    count = len(work)
    share = strength * rng.uniform(*LOST_SHARE, (count, 1)) * (rng.random((count, 1)) < 0.5)
    lost = rng.random((count, JOINTS)) < share
    groups = np.zeros((len(GROUPS), JOINTS), bool)
    for i, group in enumerate(GROUPS):
        groups[i, list(group)] = True
    chance = np.where(strength > 0, np.maximum(strength, LEAST_GROUP_STRENGTH), 0)[:, 0]
    chosen = rng.random(count) < chance * GROUP_SHARE
    lost |= groups[rng.integers(len(GROUPS), size=count)] & chosen[:, None]
    work[lost] = 0
