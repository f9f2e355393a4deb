"""A person's script as a pose for every moment."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from sim.people import carrying
from sim.people.acts import Act, Doer, Moment
from sim.people.falls import FALLS, RISING
from sim.people.gait import upright
from sim.people.plan import planned
from sim.people.postures import POSTURES
from sim.people.rig import DOFS, Bone, Dof
from sim.people.timeline import Plan
from sim.world.config import Action, PersonConfig

F64 = npt.NDArray[np.float64]
ACTS: dict[str, Doer] = {**POSTURES, **FALLS}
TRUTH: dict[str, Action] = {action: action for action in get_args(Action)} | {
    "tie_shoes": "squat", "wave": "arms_raised", "climb_down": "climb", "helmet_on": "work",
    "helmet_off": "work", "vest_on": "work", "vest_off": "work",
}  # fmt: skip
"""What a doing looks like."""
CARRIED_WHILE = ("stand", "walk", "run")
HELMET_HELD_WHILE = ("stand", "walk", "helmet_off", "helmet_on", "wave")
UPRIGHT_GROUND = 1e-3


@dataclass
class State:
    """What is true of one moment, beside the pose."""

    action: Action
    speed_m_s: float
    helmet: bool
    helmet_held: bool
    vest: bool
    load_held: bool
    helmet_shown: bool = True
    load_shown: bool = False


class Script:
    """One person's timeline.

    Args:
        config: the script.
        height_m: of the person.
        seed: of timing and manners.
    """

    def __init__(self, config: PersonConfig, height_m: float, seed: int) -> None:
        self.config, self.height_m = config, height_m
        self._plan: Plan = planned(config, height_m, seed)
        self._act_starts = [act.start_ms for act in self._plan.acts]
        self._target = np.zeros(DOFS)

    def present(self, t_ms: float) -> bool:
        """Whether the person is there."""
        c = self.config
        return c.enter_ms <= t_ms and (not c.leave_ms or t_ms < c.leave_ms)

    def pose(self, t_ms: float, pose: F64) -> State:
        """Writes the pose of a moment.

        Args:
            t_ms: not before the person enters.
            pose: float64[len(Dof)], written.
        """
        plan = self._plan
        upright(pose, t_ms, plan.path, plan.feet, plan.manner)
        doing = plan.doing(t_ms)
        state = self._state(t_ms, doing)
        if state.load_held:
            carrying.arms(pose, self.config.carries)
        elif state.helmet_held and state.helmet_shown:
            carrying.helmet_arm(pose)
        last = bisect.bisect_right(self._act_starts, t_ms)
        for act in plan.acts[max(0, last - 3) : last]:
            self._lay(pose, act, t_ms)
        return state

    def act(self, t_ms: float) -> Act | None:
        """The last act that began; None while there was none."""
        last = bisect.bisect_right(self._act_starts, t_ms)
        return self._plan.acts[last - 1] if last else None

    def _lay(self, pose: F64, act: Act, t_ms: float) -> None:
        """One act over the pose."""
        weight = act.weight(t_ms)
        if weight <= 0:
            return
        plan = self._plan
        np.copyto(self._target, pose)
        moment = Moment(
            act, (t_ms - act.start_ms) / 1000, t_ms, self.height_m, plan.manner, plan.path, weight
        )
        ACTS[act.kind](self._target, moment)
        turned = self._target[Dof.YAW] - pose[Dof.YAW]
        self._target[Dof.YAW] -= 360 * round(turned / 360)
        # while it fades in, a hand on its way has no place of its own yet
        for first in (Dof.L_HAND_X, Dof.R_HAND_X):
            if pose[first + 3] == 0:
                pose[first : first + 3] = self._target[first : first + 3]
            elif self._target[first + 3] == 0:
                self._target[first : first + 3] = pose[first : first + 3]
        fallen = act.kind == "fall" and act.low_m > 0
        if fallen:
            pose[Dof.FLOOR] = self._target[Dof.FLOOR]
        self._target -= pose
        self._target *= weight
        pose += self._target
        if pose[Dof.GROUND] > UPRIGHT_GROUND and not fallen:
            pose[Dof.GROUND] = 1

    def _state(self, t_ms: float, doing: str) -> State:
        plan = self._plan
        piece = plan.path.piece(t_ms)
        helmet, vest = plan.worn(t_ms)
        held = plan.helmet_taken(t_ms) and not helmet
        state = State(
            self._action(t_ms, doing), piece.speed_m_s(t_ms) if piece.manner != "climb" else 0.0,
            helmet, held, vest, bool(self.config.carries) and doing in CARRIED_WHILE,
        )  # fmt: skip
        state.helmet_shown = helmet or (held and doing in HELMET_HELD_WHILE)
        state.load_shown = bool(self.config.carries)
        return state

    def _action(self, t_ms: float, doing: str) -> Action:
        if doing == "get_up":
            act = self._plan.act(t_ms)
            share = (t_ms - act.start_ms) / (act.end_ms - act.start_ms)
            return "crawl" if share < (RISING[1] + RISING[2]) / 2 else "stand"
        return TRUTH[doing]

    def hold(self, t_ms: float, state: State, turn: F64, at: F64, rest: F64) -> None:
        """Places the helmet and the load, once the bones are placed.

        Args:
            t_ms, state: as of `pose`.
            turn, at, rest: float64[B, 3, 3], float64[B, 3], float64[B, 3]: the bones.
        """
        if state.helmet_held:
            carrying.helmet_in_hand(turn, at, rest, self.height_m)
        else:
            turn[Bone.HELMET], at[Bone.HELMET] = turn[Bone.HEAD], at[Bone.HEAD]
        if not state.load_shown:
            return
        if state.load_held:
            carrying.load_in_hands(self.config.carries, turn, at, self.height_m)
        else:
            x, y, yaw, floor = self._plan.put_down(t_ms)
            carrying.load_on_floor(self.config.carries, x, y, math.radians(yaw), floor, turn, at)
