"""What a training skeleton goes through: another side, view, size, noise, and joints lost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.skeletons import JOINTS, mirror_order, normalise
from models.tables import F32

F64 = npt.NDArray[np.float64]

TURN_DEG = 7.0
STRETCH = 0.07
"""Standard deviation of the logarithm of width over height."""
KEYSTONE = 0.06
"""Growth of what is lower in the picture, per torso length."""
NOISE = (0.0, 0.07)
"""Standard deviation of a joint's error, torso lengths; drawn per skeleton."""
ASTRAY_SHARE, ASTRAY = 0.01, 0.5
"""Joints that are found in a wrong place, and how far, torso lengths."""
LOST_SHARE = (0.0, 0.25)
"""Joints not found, drawn per skeleton, in half of them."""
GROUPS = (
    (15, 16), (13, 14, 15, 16), (11, 12, 13, 14, 15, 16), (0, 1, 2, 3, 4), (1, 2, 3, 4),
    (1, 3), (2, 4), (7, 9), (8, 10), (9,), (10,), (9, 10), (5, 7, 9), (6, 8, 10), (13, 15),
    (14, 16), (15,), (16,), (1, 3, 5, 7, 9, 11, 13, 15), (2, 4, 6, 8, 10, 12, 14, 16),
)  # fmt: skip
"""Joints that go missing together: feet, legs, the whole lower body, head, arms, one side."""
GROUP_SHARE = 0.35
_MIRROR = np.array(mirror_order())


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
    _view(rng, work, strength)
    _noise(rng, work, strength)
    _lose(rng, work, strength)
    return normalise(work)


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
    error = rng.normal(0, 1, (count, JOINTS, 2)) * spread
    error += rng.normal(0, ASTRAY, error.shape) * (
        rng.random((count, JOINTS, 1)) < strength[:, :, None] * ASTRAY_SHARE
    )
    work[:, :, :2] += error.astype(np.float32)


def _lose(rng: np.random.Generator, work: F32, strength: F64) -> None:
    count = len(work)
    share = strength * rng.uniform(*LOST_SHARE, (count, 1)) * (rng.random((count, 1)) < 0.5)
    lost = rng.random((count, JOINTS)) < share
    groups = np.zeros((len(GROUPS), JOINTS), bool)
    for i, group in enumerate(GROUPS):
        groups[i, list(group)] = True
    chosen = rng.random(count) < strength[:, 0] * GROUP_SHARE
    lost |= groups[rng.integers(len(GROUPS), size=count)] & chosen[:, None]
    work[lost] = 0
