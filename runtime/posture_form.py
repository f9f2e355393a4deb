"""The form of one skeleton in the picture: how high, how long, how upright.

A skeleton is a list of 17 [x, y, visibility]; x and y in pixels, y downwards, visibility 0 where a
joint is not seen. Plain numbers are several times quicker here than arrays.
"""

from __future__ import annotations

from math import hypot

from models.skeletons import LIMBS

Joints = list[list[float]]

TOP, LEGS = range(7), range(13, 17)
HIPS, SHOULDERS, ANKLES = (11, 12), (5, 6), (15, 16)


def torso_length(joints: Joints) -> float:
    """Length of the torso by the second longest limb, pixels, as `Normaliser` measures it."""
    found = sorted(
        hypot(joints[a][0] - joints[b][0], joints[a][1] - joints[b][1]) / share
        for a, b, share in LIMBS
        if joints[a][2] > 0.0 and joints[b][2] > 0.0
    )
    return found[-2] if len(found) > 1 else 0.0


def top(joints: Joints) -> float | None:
    """The highest joint of head and shoulders, pixels from the top; None where none is seen."""
    return min((joints[j][1] for j in TOP if joints[j][2] > 0.0), default=None)


def height(joints: Joints) -> float | None:
    """From the highest joint to the lowest, pixels.

    None where neither knee nor ankle is seen, or neither head nor shoulders: what is hidden has no
    height.
    """
    tops = [joints[j][1] for j in TOP if joints[j][2] > 0.0]
    legs = [joints[j][1] for j in LEGS if joints[j][2] > 0.0]
    if not tops or not legs:
        return None
    hips = [joints[j][1] for j in HIPS if joints[j][2] > 0.0]
    return max(*legs, *hips, *tops) - min(*legs, *hips, *tops)


def rise(joints: Joints) -> float | None:
    """How far the shoulders are above the hips, pixels; None where they are not seen."""
    shoulders, hips = _middle(joints, SHOULDERS), _middle(joints, HIPS)
    return None if shoulders is None or hips is None else hips - shoulders


def legs_rise(joints: Joints) -> float | None:
    """How far the hips are above the ankles, pixels; None where they are not seen."""
    hips, ankles = _middle(joints, HIPS), _middle(joints, ANKLES)
    return None if hips is None or ankles is None else ankles - hips


def _middle(joints: Joints, pair: tuple[int, int]) -> float | None:
    """Mean place of the joints of a pair that are seen, pixels from the top."""
    found = [joints[j][1] for j in pair if joints[j][2] > 0.0]
    return sum(found) / len(found) if found else None
