"""Hands that carry: how the arms are held, and where the load then is."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sim.people.rig import SHOULDER_HALF, SHOULDER_UP, SOLE, Bone, Dof
from sim.people.shapes import Shape
from sim.world.config import Load

F64 = npt.NDArray[np.float64]
BOX = Shape({"SHOULDER": 14, "ABDUCT": 8, "ARM_TWIST": 6, "ELBOW": 80, "PRONATE": 8})
SHOULDERED = Shape(
    {"SHRUG": 4, "SHOULDER": 52, "ABDUCT": 16, "ARM_TWIST": -12, "ELBOW": 118, "PRONATE": 20}
)
HANGING = Shape({"SHRUG": -2, "SHOULDER": 2, "ABDUCT": 16, "ELBOW": 6, "PRONATE": 10})
HELD = Shape({"SHOULDER": 4, "ABDUCT": 14, "ELBOW": 34, "PRONATE": 20})
RIGHT = slice(Dof.R_SHRUG, Dof.L_HIP)
HALF_HEIGHT_M: dict[Load, float] = {"box": 0.15, "plank": 0.02, "pipe": 0.035, "bucket": 0.46}
"""From the floor to a load's own origin."""
GRIP = np.array([0.0, 0.01, -0.055])
"""The middle of the fist from the wrist, share of height."""


def arms(pose: F64, load: Load) -> None:
    """The arms of somebody who carries this."""
    match load:
        case "box":
            BOX.arms(pose)
            pose[Dof.PITCH] -= 2
            pose[Dof.SPINE_FLEX] -= 3
        case "plank" | "pipe":
            pose[RIGHT] = SHOULDERED.values[RIGHT]
            pose[Dof.NECK_SIDE] = -7
        case "bucket":
            pose[RIGHT] = HANGING.values[RIGHT]
            pose[Dof.SPINE_SIDE] -= 4


def helmet_arm(pose: F64) -> None:
    """The right arm holds a helmet at the hip."""
    pose[RIGHT] = HELD.values[RIGHT]


def _upright(yaw: float, out: F64) -> None:
    c, s = math.cos(yaw), math.sin(yaw)
    out[:] = ((c, s, 0), (-s, c, 0), (0, 0, 1))


def helmet_in_hand(turn: F64, at: F64, rest: F64, height_m: float) -> None:
    """The helmet hangs from the right hand by its brim."""
    hand = turn[Bone.R_HAND]
    turn[Bone.HELMET] = hand
    middle = np.array([0.0, 0.002, 0.975 + SOLE]) * height_m - rest[Bone.HELMET]
    grip = np.array([0.01, 0.0, -0.125]) * height_m
    at[Bone.HELMET] = at[Bone.R_HAND] + hand @ (grip - middle)


def load_in_hands(load: Load, turn: F64, at: F64, height_m: float) -> None:
    """Where a carried load is."""
    chest = turn[Bone.CHEST]
    yaw = math.atan2(chest[0, 1], chest[1, 1])
    match load:
        case "box":
            _upright(yaw, turn[Bone.LOAD])
            left = at[Bone.L_HAND] + turn[Bone.L_HAND] @ (GRIP * height_m)
            right = at[Bone.R_HAND] + turn[Bone.R_HAND] @ (GRIP * height_m)
            at[Bone.LOAD] = (left + right) / 2 + turn[Bone.LOAD] @ np.array([0, 0.03, 0.03])
        case "bucket":
            _upright(yaw, turn[Bone.LOAD])
            at[Bone.LOAD] = at[Bone.R_HAND] + turn[Bone.R_HAND] @ (GRIP * height_m)
        case _:
            turn[Bone.LOAD] = chest
            top = np.array([SHOULDER_HALF * 0.78, -0.006, SHOULDER_UP + 0.045 - 0.665]) * height_m
            at[Bone.LOAD] = at[Bone.CHEST] + chest @ top


def load_on_floor(
    load: Load, x: float, y: float, yaw: float, floor: float, turn: F64, at: F64
) -> None:
    """Put down beside the person."""
    _upright(yaw, turn[Bone.LOAD])
    aside = turn[Bone.LOAD] @ np.array([0.55, 0.1, 0.0])
    at[Bone.LOAD] = (x + aside[0], y + aside[1], floor + HALF_HEIGHT_M[load])
