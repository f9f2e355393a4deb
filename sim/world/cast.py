"""What moves in a world, as the scene takes it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.people.person import Person
from sim.scenery.machines import Machine
from sim.world.config import MachineConfig, PersonConfig
from sim.world.mesh import Mesh

F64 = npt.NDArray[np.float64]
BALLS = (
    ((15,), 0.11), ((16,), 0.11), ((13,), 0.10), ((14,), 0.10), ((11, 12), 0.19),
    ((5, 6, 11, 12), 0.20), ((5, 6), 0.20), ((0, 3, 4), 0.13),
)  # fmt: skip
"""Keypoints (their mean) and radius, metres, of the balls that fill a body."""
MACHINE_BALLS = 3
"""Along the footprint each way."""


class Actor:
    """A person on stage."""

    def __init__(self, config: PersonConfig, seed: int) -> None:
        self.config = config
        self.person = Person(config, seed)
        self.mesh: Mesh = self.person.mesh
        self._balls = np.zeros((len(BALLS), 4))

    def pose(self, t_ms: float) -> None:
        """Moves to where the script is at a time."""
        self.person.pose(t_ms)

    def shown(self) -> bool:
        """Whether the person is there."""
        return self.person.present

    def balls(self) -> F64:
        """float64[8, 4]: centre and radius of balls that fill the body."""
        for i, (joints, radius) in enumerate(BALLS):
            self._balls[i, :3] = self.person.keypoints_m[list(joints)].mean(0)
            self._balls[i, 3] = radius
        return self._balls


class Prop:
    """A machine on stage."""

    def __init__(self, config: MachineConfig, seed: int) -> None:
        self.config = config
        self.machine = Machine(config, seed)
        self.mesh: Mesh = self.machine.mesh

    def pose(self, t_ms: float) -> None:
        """Moves to where it is at a time."""
        self.machine.pose(t_ms)

    @property
    def still(self) -> bool:
        """Whether it never moves: then it is drawn once, with the structures."""
        return not self.config.path and self.config.swing_deg == 0

    def shown(self) -> bool:
        """A machine is always there."""
        return True

    def balls(self) -> F64:
        """float64[9, 4]: balls under the machine, on its footprint."""
        corners = np.asarray(self.machine.footprint_m, np.float64)[:4]
        share = (np.arange(MACHINE_BALLS) + 0.5) / MACHINE_BALLS
        a, b = np.meshgrid(share, share)
        a, b = a.reshape(-1, 1), b.reshape(-1, 1)
        places = (1 - a) * ((1 - b) * corners[0] + b * corners[3]) + a * (
            (1 - b) * corners[1] + b * corners[2]
        )
        gap = np.linalg.norm(corners[1] - corners[0]) / MACHINE_BALLS
        radius = np.full((len(places), 1), 0.5 * gap)
        return np.hstack([places, radius + 0.25, radius])
