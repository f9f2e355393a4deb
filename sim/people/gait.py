"""The upright body over its feet: standing, turning, walking and running."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sim.people.feet import Feet, Foot
from sim.people.path import Path
from sim.people.rig import ANKLE_HEIGHT, LEG, SOLE, Dof

F64 = npt.NDArray[np.float64]
WALK_RATIO = 0.37
"""Step length over step rate, m s, at 1.75 m (Sekiya et al., Gait and Posture 1996); scales with
height. A walker of speed v takes steps of sqrt(ratio x v)."""
RUN_RATE_HZ = 2.75
"""Steps a second; runners lengthen their steps rather than quicken them."""
HIPS_UP = ANKLE_HEIGHT + LEG + SOLE
EASY = 0.006
"""How much a relaxed stander's hips are below a straight leg's, share of height."""
TAU = 2 * math.pi


def step_m(speed_m_s: float, height_m: float, run: bool) -> float:
    """The length of a step at a speed."""
    scale = height_m / 1.75
    if run:
        return speed_m_s / (RUN_RATE_HZ / math.sqrt(scale))
    return math.sqrt(WALK_RATIO * scale * speed_m_s)


class Manner:
    """How one person moves: small differences that stay with them.

    Args:
        seed: of the differences.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 7))
        self.phase = float(rng.uniform(0, TAU))
        self.rate = float(rng.uniform(0.85, 1.15))
        self.swing = float(rng.uniform(0.75, 1.25))
        self.elbow = float(rng.uniform(10, 24))
        self.abduct = float(rng.uniform(7, 12))
        self.stoop = float(rng.uniform(-1, 5))
        self.sway = float(rng.uniform(0.7, 1.3))
        self.lean = float(rng.choice((-1, 1)))
        self.hand = int(rng.integers(2))
        self.choice = float(rng.random())
        self.look = rng.uniform(0, TAU, 4)


def upright(pose: F64, t_ms: float, path: Path, feet: Feet, manner: Manner) -> tuple[Foot, Foot]:
    """Writes the whole pose of somebody who stands, turns, walks or runs.

    Args:
        pose: float64[len(Dof)], written.
        t_ms: when.
        path, feet, manner: of the person.

    Returns:
        left and right foot.
    """
    pose[:] = 0
    x, y, yaw, floor = path.at(t_ms)
    left, right = feet.at(0, t_ms), feet.at(1, t_ms)
    for first, foot in ((Dof.L_FOOT_X, left), (Dof.R_FOOT_X, right)):
        pose[first : first + 6] = (foot.x, foot.y, foot.z, foot.yaw, foot.pitch, 1.0)
    pose[Dof.L_TOE], pose[Dof.R_TOE] = left.toe, right.toe
    pose[Dof.X], pose[Dof.Y], pose[Dof.YAW], pose[Dof.FLOOR] = x, y, yaw, floor
    pose[Dof.Z] = (HIPS_UP - EASY) * feet.height_m
    piece = path.piece(t_ms)
    share = (
        piece.speed_m_s(t_ms) / max(piece.cruise_m_s, 0.1)
        if piece.manner in ("walk", "run")
        else 0.0
    )
    _stance(pose, t_ms, manner, 1 - share, feet.height_m)
    _stride(pose, left, right, yaw, manner, feet.height_m, piece.manner == "run", share)
    if share > 0 and piece.manner == "run":
        _bounce(pose, piece.gone_m(t_ms), piece.length_m, piece.step_m, share, feet.height_m)
    return left, right


def _stance(pose: F64, t_ms: float, manner: Manner, still: float, height_m: float) -> None:
    """Breathing, shifting weight, looking around; less while walking."""
    t = t_ms / 1000 * manner.rate
    breath = math.sin(TAU * 0.25 * t + manner.phase)
    shift = math.tanh(2.5 * math.sin(TAU * t / 9.0 + manner.phase)) * manner.sway * still
    gaze = sum(
        math.sin(TAU * t / p + f) for p, f in zip((5.3, 8.9, 3.7), manner.look, strict=False)
    )
    c, s = math.cos(math.radians(pose[Dof.YAW])), math.sin(math.radians(pose[Dof.YAW]))
    side = shift * 0.022 * height_m
    pose[Dof.X] += side * c
    pose[Dof.Y] -= side * s
    pose[Dof.ROLL] = -1.8 * shift
    pose[Dof.SPINE_SIDE] = 1.8 * shift
    pose[Dof.SPINE_FLEX] = manner.stoop + 0.6 * breath
    pose[Dof.NECK_TURN] = 16 * math.tanh(gaze) * (0.25 + 0.75 * still)
    pose[Dof.NECK_FLEX] = 5 + 3 * math.sin(gaze + manner.phase)
    pose[Dof.SPINE_TURN] = 0.2 * pose[Dof.NECK_TURN] * still
    for first, sign in ((Dof.L_SHRUG, -1), (Dof.R_SHRUG, 1)):
        pose[first] = 1 + breath
        pose[first + 2] = 2 + 2 * math.sin(0.7 * t + manner.look[3] + sign)
        pose[first + 3] = manner.abduct
        pose[first + 4] = 6
        pose[first + 5] = manner.elbow
        pose[first + 6] = 25
        pose[first + 7] = 8


def _stride(
    pose: F64,
    left: Foot,
    right: Foot,
    yaw: float,
    manner: Manner,
    height_m: float,
    run: bool,
    share: float,
) -> None:
    """What hips, trunk and arms do as the feet part."""
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    apart = ((right.x - left.x) * s + (right.y - left.y) * c) / (LEG * height_m)
    apart = min(max(apart, -1.2), 1.2)
    swing = math.sin(math.pi * left.swing) - math.sin(math.pi * right.swing)
    side = (0.012 if not run else 0.006) * height_m * swing
    pose[Dof.X] += side * c
    pose[Dof.Y] -= side * s
    pose[Dof.YAW] -= 7 * apart
    pose[Dof.SPINE_TURN] += 13 * apart
    pose[Dof.NECK_TURN] -= 5 * apart
    pose[Dof.ROLL] += -3.0 * swing
    pose[Dof.SPINE_SIDE] += 3.5 * swing
    wide = 34.0 if run else 27.0 * manner.swing
    for first, ahead in ((Dof.L_SHRUG, apart), (Dof.R_SHRUG, -apart)):
        pose[first + 2] += wide * ahead - (8 if run else 0) * share
        if run:
            pose[first + 5] += share * (72 + 22 * ahead - manner.elbow * 0.5)
            pose[first + 4] += 14 * share
        else:
            pose[first + 5] += 12 * max(ahead, 0.0) + 6 * share
    pose[Dof.PITCH] += share * (7.0 if run else 1.5)
    pose[Dof.SPINE_FLEX] += share * (7.0 if run else 1.0)
    pose[Dof.NECK_FLEX] -= share * (9.0 if run else 2.0)


def _bounce(
    pose: F64, gone_m: float, length_m: float, step: float, share: float, height_m: float
) -> None:
    """Hips of a runner: low over the foot, high in flight."""
    real = length_m / max(1, round(length_m / step))
    high = 0.5 - 0.5 * math.cos(TAU * gone_m / real)
    pose[Dof.Z] += share * height_m * (-0.030 + 0.034 * high)
