"""Posed stick figures seen by a random camera: the actions that no shared set shows.

    python -m models.training.action_figures --seed 1 --count 40000 --out posed.npz

A figure is a chain of joint angles drawn around an action's typical ones; lengths are shares of
body height (Drillis and Contini, 1966). Written in the form of `python -m sim.dataset.skeletons`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models.skeletons import JOINTS
from models.tables import F32
from models.training.action_poses import F64, POSES, Angles, Draw

TORSO, NECK = 0.288, 0.052
HIP_HALF, SHOULDER_HALF = 0.058, 0.112
UPPER_ARM, FOREARM, THIGH, SHANK = 0.186, 0.146, 0.245, 0.246
HEAD: Final = {
    "nose": (0.062, 0.0, 0.055), "left_eye": (0.048, 0.018, 0.075),
    "right_eye": (0.048, -0.018, 0.075), "left_ear": (0.0, 0.045, 0.062),
    "right_ear": (0.0, -0.045, 0.062),
}  # fmt: skip
"""Forward, left and up from the top of the neck, shares of height."""
PEOPLE_ROWS = 16
"""Pictures of one person; every fifth person is held out."""
EYE_LEVEL_SHARE = 0.35
HIDDEN_SHARE = 0.75
"""How often a face joint that looks away from the camera is not found."""


def turn(axis: int, deg: F64) -> F64:
    """Rotations about x (0), y (1) or z (2): float64[N, 3, 3]."""
    c, s = np.cos(np.deg2rad(deg)), np.sin(np.deg2rad(deg))
    m = np.zeros((len(deg), 3, 3))
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    m[:, axis, axis] = 1
    m[:, i, i], m[:, j, j], m[:, i, j], m[:, j, i] = c, c, -s, s
    return m


def _along(frame: F64, swing: F64, spread: F64, side: float) -> F64:
    """Direction of a limb that hangs down, swung forward, then spread outwards."""
    f, s = np.deg2rad(swing), np.deg2rad(spread)
    local = np.stack((np.sin(f) * np.cos(s), side * np.sin(s), -np.cos(f) * np.cos(s)), -1)
    return np.einsum("nij,nj->ni", frame, local)


def joints(a: Angles, height_m: F64) -> tuple[F64, F64]:
    """Joints of posed figures.

    Returns:
        float64[N, 17, 3] metres, z up, the lowest joint on the ground; and where each face looks,
        float64[N, 3].
    """
    count = len(height_m)
    tip = turn(2, a["tip_to"]) @ turn(1, a["tip"]) @ turn(2, -a["tip_to"])
    pelvis = tip @ turn(2, a["yaw"]) @ turn(1, a["pitch"]) @ turn(0, a["roll"])
    chest = pelvis @ turn(1, a["spine"]) @ turn(0, a["lean"]) @ turn(2, a["twist"])
    head = chest @ turn(2, a["look"]) @ turn(1, a["nod"])
    at = np.zeros((count, JOINTS, 3))
    waist = pelvis[:, :, 2] * (0.35 * TORSO)
    top = waist + chest[:, :, 2] * (0.65 * TORSO)
    for i, offset in enumerate(HEAD.values()):
        at[:, i] = top + chest[:, :, 2] * NECK + head @ np.array(offset)
    for which, (side, out) in enumerate((("l", 1.0), ("r", -1.0))):
        shoulder = top + chest[:, :, 1] * (out * SHOULDER_HALF)
        elbow = shoulder + UPPER_ARM * _along(chest, a[f"arm_{side}"], a[f"spread_{side}"], out)
        bent = a[f"arm_{side}"] + a[f"elbow_{side}"]
        drawn_in = a[f"spread_{side}"] - a[f"inward_{side}"]
        wrist = elbow + FOREARM * _along(chest, bent, drawn_in, out)
        hip = pelvis[:, :, 1] * (out * HIP_HALF)
        knee = hip + THIGH * _along(pelvis, a[f"hip_{side}"], a[f"open_{side}"], out)
        back = a[f"hip_{side}"] - a[f"knee_{side}"]
        ankle = knee + SHANK * _along(pelvis, back, a[f"open_{side}"], out)
        for joint, place in zip((5, 7, 9, 11, 13, 15), (shoulder, elbow, wrist, hip, knee, ankle),
                                strict=True):  # fmt: skip
            at[:, joint + which] = place
    at[:, :, 2] -= at[:, :, 2].min(1, keepdims=True)
    return at * height_m[:, None, None], head[:, :, 0]


def look(rng: np.random.Generator, at: F64, faces: F64) -> F32:
    """Project with a random pinhole camera, 0.6 to 9 m high, 2.5 to 25 m away.

    Returns:
        float32[N, 17, 3] x, y in units of the focal length, y downwards, and 1 where found.
    """
    count = len(at)
    distance = np.exp(rng.uniform(np.log(2.5), np.log(25), count))
    high = rng.uniform(2.5, 9, count)
    level = rng.random(count) < EYE_LEVEL_SHARE
    high[level] = rng.uniform(0.6, 2.5, count)[level]
    down = np.arctan2(high - 0.9, distance)
    roll = turn(2, rng.normal(0, 2, count))
    right = np.tile(np.array([0.0, 1.0, 0.0]), (count, 1))
    ahead = np.stack((np.cos(down), np.zeros(count), -np.sin(down)), -1)
    below = np.cross(ahead, right)
    below *= np.sign(-below[:, 2:])
    right = np.cross(below, ahead)
    from_camera = at + np.stack((distance, np.zeros(count), -high), -1)[:, None]
    seen = np.einsum("nij,nkj->nki", roll @ np.stack((right, below, ahead), 1), from_camera)
    out = np.ones((count, JOINTS, 3), np.float32)
    out[:, :, :2] = seen[:, :, :2] / np.maximum(seen[:, :, 2:], 0.3)
    away = np.einsum("ni,ni->n", faces, ahead)
    for joint in range(3):
        out[(away > 0.35) & (rng.random(count) < HIDDEN_SHARE), joint] = 0
    for ear, eye, other in ((3, 1, 4), (4, 2, 3)):
        far = seen[:, ear, 2] - seen[:, other, 2] > 0.09
        for joint in (ear, eye):
            out[far & (rng.random(count) < HIDDEN_SHARE), joint] = 0
    return out


def pose(seed: int, count: int) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of a file: keypoints, action, group, held_out, doing."""
    rng = np.random.default_rng(seed)
    parts, action, doing = [], [], []
    for i, (name, called, draw) in enumerate(POSES):
        n = count // len(POSES) + (i < count % len(POSES))
        at, faces = joints(draw(Draw(rng, n)), rng.uniform(1.5, 1.95, n))
        parts.append(look(rng, at, faces))
        action += [called] * n
        doing += [name] * n
    group = np.arange(count) // PEOPLE_ROWS
    return {
        "keypoints": np.concatenate(parts), "action": np.array(action), "group": group,
        "held_out": group % 5 == 4, "doing": np.array(doing),
    }  # fmt: skip


def main() -> None:
    """Write a file from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, **pose(arguments.seed, arguments.count))


if __name__ == "__main__":
    main()
