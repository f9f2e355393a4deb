"""The skeleton: bones, their lengths, and the numbers that say how a body is held.

Body axes: x to the person's right, y forward, z up. In the rest pose the person stands upright,
arms hanging, palms towards the thighs; every bone then has the identity rotation.

Lengths as shares of body height after Drillis and Contini (1966), in Winter, Biomechanics and
Motor Control of Human Movement, 4th ed., figure 4.1: upper arm 0.186, forearm 0.146, hand 0.108,
thigh 0.245, shank 0.246, ankle height 0.039, foot 0.152.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
SOLE = 0.012
"""Thickness of a boot's sole, share of height: everything stands on it."""
UPPER_ARM, FOREARM, HAND = 0.186, 0.146, 0.108
THIGH, SHANK, ANKLE_HEIGHT = 0.240, 0.243, 0.039
"""Joint to joint; with the sideways offsets the hip is at 0.522 as in the table less the pelvis."""
HIP_HALF = 0.054
SHOULDER_HALF = 0.103
SHOULDER_UP = 0.808
LEG = THIGH + SHANK


class Bone(IntEnum):
    """Rows of every table of bones; parents come first."""

    PELVIS = 0
    SPINE = 1
    CHEST = 2
    NECK = 3
    HEAD = 4
    L_CLAVICLE = 5
    L_UPPER_ARM = 6
    L_FOREARM = 7
    L_HAND = 8
    R_CLAVICLE = 9
    R_UPPER_ARM = 10
    R_FOREARM = 11
    R_HAND = 12
    L_THIGH = 13
    L_SHIN = 14
    L_FOOT = 15
    L_TOE = 16
    R_THIGH = 17
    R_SHIN = 18
    R_FOOT = 19
    R_TOE = 20
    HELMET = 21
    """Follows the head, or the hand that holds it."""
    LOAD = 22
    """Follows what carries it."""


PARENTS = np.array(
    [-1, 0, 1, 2, 3, 2, 5, 6, 7, 2, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19, 4, 12], np.int64
)


class Dof(IntEnum):
    """Columns of a pose: metres for places, degrees for angles.

    A pose is float64[len(Dof)]. Angles of the left and right side mean the same thing, mirrored.
    """

    X = 0
    Y = 1
    Z = 2
    """Height of the hips above the floor under the person; see GROUND."""
    YAW = 3
    """Heading: 0 along +y, 90 along +x."""
    PITCH = 4
    """Leaning forward: 90 lies face down."""
    ROLL = 5
    """Leaning to the right."""
    SPINE_FLEX = 6
    SPINE_SIDE = 7
    SPINE_TURN = 8
    NECK_FLEX = 9
    NECK_SIDE = 10
    NECK_TURN = 11
    L_SHRUG = 12
    L_REACH = 13
    L_SHOULDER = 14
    """Raised forward; 180 is above the head."""
    L_ABDUCT = 15
    L_ARM_TWIST = 16
    """Inward."""
    L_ELBOW = 17
    L_PRONATE = 18
    L_WRIST = 19
    R_SHRUG = 20
    R_REACH = 21
    R_SHOULDER = 22
    R_ABDUCT = 23
    R_ARM_TWIST = 24
    R_ELBOW = 25
    R_PRONATE = 26
    R_WRIST = 27
    L_HIP = 28
    """Thigh raised forward."""
    L_HIP_ABDUCT = 29
    L_HIP_TWIST = 30
    L_KNEE = 31
    L_ANKLE = 32
    """Toes up."""
    L_ANKLE_ROLL = 33
    L_ANKLE_YAW = 34
    L_TOE = 35
    R_HIP = 36
    R_HIP_ABDUCT = 37
    R_HIP_TWIST = 38
    R_KNEE = 39
    R_ANKLE = 40
    R_ANKLE_ROLL = 41
    R_ANKLE_YAW = 42
    R_TOE = 43
    L_FOOT_X = 44
    """Where the ankle shall be: x, y in the world, z above the world's ground."""
    L_FOOT_Y = 45
    L_FOOT_Z = 46
    L_FOOT_YAW = 47
    L_FOOT_PITCH = 48
    """Toes up."""
    L_FOOT_FIX = 49
    """1: the leg reaches for the place above; 0: its own angles count."""
    R_FOOT_X = 50
    R_FOOT_Y = 51
    R_FOOT_Z = 52
    R_FOOT_YAW = 53
    R_FOOT_PITCH = 54
    R_FOOT_FIX = 55
    L_HAND_X = 56
    """Where the wrist shall be, as for the feet."""
    L_HAND_Y = 57
    L_HAND_Z = 58
    L_HAND_FIX = 59
    R_HAND_X = 60
    R_HAND_Y = 61
    R_HAND_Z = 62
    R_HAND_FIX = 63
    FLOOR = 64
    """Height of what the person stands on."""
    GROUND = 65
    """1: the body is lowered or lifted until its lowest point touches the floor."""


DOFS = len(Dof)

LIMITS_DEG: dict[str, tuple[float, float]] = {
    "SPINE_FLEX": (-30, 85), "SPINE_SIDE": (-35, 35), "SPINE_TURN": (-45, 45),
    "NECK_FLEX": (-60, 60), "NECK_SIDE": (-40, 40), "NECK_TURN": (-80, 80),
    "SHRUG": (-12, 40), "REACH": (-25, 30), "SHOULDER": (-60, 185), "ABDUCT": (-45, 135),
    "ARM_TWIST": (-90, 95), "ELBOW": (0, 150), "PRONATE": (-90, 90), "WRIST": (-70, 80),
    "HIP": (-30, 130), "HIP_ABDUCT": (-30, 55), "HIP_TWIST": (-45, 45), "KNEE": (0, 155),
    "ANKLE": (-55, 40), "ANKLE_ROLL": (-40, 40), "ANKLE_YAW": (-45, 45), "TOE": (-20, 65),
}  # fmt: skip
"""Active range of motion, rounded up from Kapandji, The Physiology of the Joints."""


def limits() -> tuple[F64, F64]:
    """Lowest and highest value of every column of a pose; infinite where nothing limits it.

    Returns:
        two float64[len(Dof)].
    """
    low = np.full(DOFS, -np.inf)
    high = np.full(DOFS, np.inf)
    for dof in Dof:
        name = dof.name.removeprefix("L_").removeprefix("R_")
        if name in LIMITS_DEG:
            low[dof], high[dof] = LIMITS_DEG[name]
    return low, high


def rest_joints(height_m: float, broad: float = 1.0) -> F64:
    """Where the joints are in the rest pose.

    Args:
        height_m: stature without boots.
        broad: of the shoulders, 1 is average.

    Returns:
        float64[len(Bone), 3], metres, z = 0 under the soles.
    """
    joints = np.zeros((len(Bone), 3))
    joints[Bone.PELVIS] = (0, 0, 0.522)
    joints[Bone.SPINE] = (0, -0.012, 0.590)
    joints[Bone.CHEST] = (0, -0.018, 0.665)
    joints[Bone.NECK] = (0, -0.020, 0.838)
    joints[Bone.HEAD] = (0, -0.008, 0.885)
    joints[Bone.HELMET] = joints[Bone.HEAD]
    for side, first_arm, first_leg in (
        (-1, Bone.L_CLAVICLE, Bone.L_THIGH),
        (1, Bone.R_CLAVICLE, Bone.R_THIGH),
    ):
        shoulder_x = side * SHOULDER_HALF * broad
        joints[first_arm] = (side * 0.022, -0.005, 0.812)
        joints[first_arm + 1] = (shoulder_x, -0.012, SHOULDER_UP)
        joints[first_arm + 2] = (shoulder_x, -0.012, SHOULDER_UP - UPPER_ARM)
        joints[first_arm + 3] = (shoulder_x, -0.012, SHOULDER_UP - UPPER_ARM - FOREARM)
        joints[first_leg] = (side * HIP_HALF, 0, ANKLE_HEIGHT + LEG)
        joints[first_leg + 1] = (side * HIP_HALF, 0, ANKLE_HEIGHT + SHANK)
        joints[first_leg + 2] = (side * HIP_HALF, 0, ANKLE_HEIGHT)
        joints[first_leg + 3] = (side * HIP_HALF, 0.082, 0.010)
    joints[:, 2] += SOLE
    joints[Bone.LOAD] = 0
    return joints * height_m
