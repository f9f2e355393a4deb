"""Somebody on the site: what a script says, as a body that moves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.people.appearance import look
from sim.people.body import KEYPOINTS, Body
from sim.people.kinematics import bones
from sim.people.rig import DOFS, Bone, Dof, limits
from sim.people.script import Script
from sim.world.config import Action, PersonConfig

F64 = npt.NDArray[np.float64]
ON_HIPS = ("lie", "fall", "crawl", "sit")
"""Actions whose place on the ground is that of the hips."""


class Person:
    """One person. Every moment depends on (config, seed, t_ms) alone.

    Args:
        config: looks and script.
        seed: of all that the configuration leaves open.

    Attributes:
        mesh: moved in place; what is carried comes last.
        body_vertices, body_triangles: how many belong to the body with helmet and vest.
        present: whether the person is there.
        keypoints_m: float64[17, 3], COCO's order, metres.
        action: what the person is seen to do.
        helmet, vest: what the person wears.
        foot_m: place on the ground: between the feet, or of the hips when not upright.
        height_m: how high the lowest part is above the ground.
        speed_m_s: over the ground.
    """

    def __init__(self, config: PersonConfig, seed: int) -> None:
        self.config = config
        self.look = look(config, seed)
        self.script = Script(config, self.look.height_m, seed)
        wears = {step.do for step in config.script}
        self._body = Body(
            self.look, config.helmet or "helmet_on" in wears, config.vest or "vest_on" in wears,
            config.carries,
        )  # fmt: skip
        self.mesh = self._body.mesh
        self.body_vertices, self.body_triangles = self._body.vertices, self._body.triangles
        self.keypoints_m: F64 = np.zeros((KEYPOINTS, 3))
        self._low, self._high = limits()
        self._pose = np.zeros(DOFS)
        self._turn = np.zeros((len(Bone), 3, 3))
        self._at = np.zeros((len(Bone), 3))
        self.pose(config.enter_ms)

    def follow(self, config: PersonConfig, seed: int) -> None:
        """Gives the same body, in the same clothes, another script; looks in it are not read."""
        self.config = config
        self.script = Script(config, self.look.height_m, seed)
        self.pose(config.enter_ms)

    def pose(self, t_ms: float) -> None:
        """Moves everything to where it is at a time, in any order of times; nobody who is away."""
        script = self.script
        self.present = script.present(t_ms)
        if not self.present and t_ms != self.config.enter_ms:
            return
        t = max(t_ms, float(self.config.enter_ms))
        state = script.pose(t, self._pose)
        self.action: Action = state.action
        self.helmet, self.vest, self.speed_m_s = state.helmet, state.vest, state.speed_m_s
        bones(self._pose, self._body.rest, self._low, self._high, self._turn, self._at)
        script.hold(t, state, self._turn, self._at, self._body.rest)
        hidden = self._body.hidden
        hidden[2], hidden[3], hidden[4] = (
            not state.helmet_shown,
            not state.vest,
            not state.load_shown,
        )
        self._settle()

    def _settle(self) -> None:
        """Skin, touch the floor, read off what is true."""
        lowest = self._body.move(self._turn, self._at)
        pose = self._pose
        shift = pose[Dof.GROUND] * (pose[Dof.FLOOR] - lowest)
        if pose[Dof.FLOOR] <= 0:
            shift = max(shift, -lowest)
        if shift:
            self.mesh.vertices[:, 2] += np.float32(shift)
            self._at[:, 2] += shift
        self._body.keypoints(self._turn, self._at, self.keypoints_m)
        self.height_m = max(0.0, lowest + shift)
        if self.action in ON_HIPS:
            middle = self._at[Bone.PELVIS]
        else:
            middle = (self._at[Bone.L_FOOT] + self._at[Bone.R_FOOT]) / 2
        self.foot_m = (float(middle[0]), float(middle[1]))
