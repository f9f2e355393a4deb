"""Postures as tables: which angles differ from hanging straight down."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from sim.people.rig import Dof

F64 = npt.NDArray[np.float64]
JOINTS = np.arange(Dof.PITCH, Dof.L_FOOT_X)
ARMS = np.arange(Dof.L_SHRUG, Dof.L_HIP)
"""Columns of the body's angles without its heading, and of the arms alone."""


class Shape:
    """A posture. Names without L_ or R_ mean both sides; what is not named is 0.

    Args:
        angles: degrees by name of Dof.
    """

    def __init__(self, angles: Mapping[str, float]) -> None:
        self.values = np.zeros(len(Dof))
        for name, value in angles.items():
            if name in Dof.__members__:
                self.values[Dof[name]] = value
            else:
                self.values[Dof["L_" + name]] = self.values[Dof["R_" + name]] = value

    def body(self, pose: F64) -> None:
        """The whole body takes this posture, free of its feet and hands, lying on what is below."""
        pose[JOINTS] = self.values[JOINTS]
        pose[Dof.L_FOOT_FIX] = pose[Dof.R_FOOT_FIX] = 0
        pose[Dof.L_HAND_FIX] = pose[Dof.R_HAND_FIX] = 0
        pose[Dof.GROUND] = 1

    def arms(self, pose: F64) -> None:
        """The arms alone."""
        pose[ARMS] = self.values[ARMS]


LYING = {
    "forward": Shape({
        "PITCH": 90, "NECK_FLEX": -6, "NECK_TURN": 58,
        "L_SHOULDER": 176, "L_ABDUCT": 44, "L_ARM_TWIST": 84, "L_ELBOW": 62, "L_PRONATE": 60,
        "R_SHOULDER": -6, "R_ABDUCT": 42, "R_ARM_TWIST": 70, "R_ELBOW": 26, "R_PRONATE": 40,
        "L_HIP": 6, "L_HIP_ABDUCT": 26, "L_HIP_TWIST": -40, "L_KNEE": 26,
        "R_HIP_ABDUCT": 7, "R_HIP_TWIST": -15, "R_KNEE": 6, "ANKLE": -46,
    }),
    "back": Shape({
        "PITCH": -90, "SPINE_FLEX": 4, "NECK_FLEX": 8, "NECK_TURN": -24,
        "L_SHOULDER": -4, "L_ABDUCT": 58, "L_ARM_TWIST": -84, "L_ELBOW": 30, "L_PRONATE": -60,
        "R_SHOULDER": 6, "R_ABDUCT": 28, "R_ARM_TWIST": 62, "R_ELBOW": 78,
        "L_HIP": 3, "L_HIP_ABDUCT": 14, "L_KNEE": 6,
        "R_HIP": 38, "R_HIP_ABDUCT": 10, "R_KNEE": 72, "ANKLE": -16, "HIP_TWIST": -22,
    }),
    "left": Shape({
        "ROLL": -90, "SPINE_FLEX": 24, "SPINE_SIDE": 4, "NECK_SIDE": 10, "NECK_FLEX": 12,
        "L_SHOULDER": 88, "L_ABDUCT": -8, "L_ARM_TWIST": 6, "L_ELBOW": 64,
        "R_SHOULDER": 46, "R_ABDUCT": 0, "R_ARM_TWIST": 30, "R_ELBOW": 62,
        "L_HIP": 26, "L_KNEE": 46, "R_HIP": 60, "R_KNEE": 86, "R_HIP_ABDUCT": -6, "ANKLE": -12,
    }),
    "right": Shape({
        "ROLL": 90, "SPINE_FLEX": 24, "SPINE_SIDE": -4, "NECK_SIDE": -10, "NECK_FLEX": 12,
        "R_SHOULDER": 88, "R_ABDUCT": -8, "R_ARM_TWIST": 6, "R_ELBOW": 64,
        "L_SHOULDER": 46, "L_ABDUCT": 0, "L_ARM_TWIST": 30, "L_ELBOW": 62,
        "R_HIP": 26, "R_KNEE": 46, "L_HIP": 60, "L_KNEE": 86, "L_HIP_ABDUCT": -6, "ANKLE": -12,
    }),
}  # fmt: skip
FALLING = {
    "forward": Shape({
        "SHOULDER": 60, "ABDUCT": 12, "ELBOW": 40, "HIP": 22, "KNEE": 58, "NECK_FLEX": -22,
        "SPINE_FLEX": 16,
    }),
    "back": Shape({
        "SHOULDER": 34, "ABDUCT": 46, "ELBOW": 34, "HIP": 50, "KNEE": 62, "NECK_FLEX": 26,
        "SPINE_FLEX": 26,
    }),
    "left": Shape({
        "L_ABDUCT": 50, "R_ABDUCT": 60, "ELBOW": 30, "L_KNEE": 40, "R_KNEE": 30, "HIP": 26,
        "NECK_SIDE": 20,
    }),
    "right": Shape({
        "R_ABDUCT": 50, "L_ABDUCT": 60, "ELBOW": 30, "R_KNEE": 40, "L_KNEE": 30, "HIP": 26,
        "NECK_SIDE": -20,
    }),
}  # fmt: skip
"""Added on the way down: what arms and knees do by reflex."""
CRAWL = Shape({
    "PITCH": 67, "SPINE_FLEX": 10, "NECK_FLEX": -36, "SHOULDER": 78, "ABDUCT": 5, "ELBOW": 12,
    "PRONATE": 70, "WRIST": -30, "HIP": 68, "HIP_ABDUCT": 5, "KNEE": 91, "ANKLE": -48,
})  # fmt: skip
KNEEL = Shape({
    "PITCH": 14, "SPINE_FLEX": 22, "NECK_FLEX": 6, "SHOULDER": 30, "ABDUCT": 12, "ELBOW": 45,
    "L_HIP": 98, "L_KNEE": 88, "L_ANKLE": 4, "R_HIP": 8, "R_KNEE": 98, "R_ANKLE": -35, "R_TOE": 30,
})  # fmt: skip
SIT_GROUND = Shape({
    "PITCH": -10, "SPINE_FLEX": 26, "NECK_FLEX": 4, "SHOULDER": 26, "ABDUCT": 14, "ELBOW": 46,
    "ARM_TWIST": 18, "L_HIP": 92, "L_KNEE": 52, "R_HIP": 84, "R_KNEE": 26, "HIP_ABDUCT": 10,
    "ANKLE": -10,
})  # fmt: skip
SIT_UP = Shape({
    "PITCH": -24, "SPINE_FLEX": 40, "NECK_FLEX": 12, "SHOULDER": -30, "ABDUCT": 30, "ELBOW": 24,
    "HIP": 100, "KNEE": 88, "ANKLE": -4,
})  # fmt: skip
