"""An exam for new action networks: people who stand and people who lie, drawn by numbers.

A trial of some minutes sees nobody fall. So a network that would call everybody upright, or some
of them fallen, has to show it here: it must know of these skeletons what the present one knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from models.action import ActionNetwork
from models.tables import F32, Actions, Skeletons

STANDING: Final = (
    (0.00, -1.45), (0.06, -1.52), (-0.06, -1.52), (0.13, -1.48), (-0.13, -1.48),
    (0.34, -1.05), (-0.34, -1.05), (0.44, -0.50), (-0.44, -0.50), (0.42, 0.02), (-0.42, 0.02),
    (0.22, 0.00), (-0.22, 0.00), (0.24, 0.82), (-0.24, 0.82), (0.24, 1.62), (-0.24, 1.62),
)  # fmt: skip
"""x, y of 17 joints of somebody who faces the camera, in torso lengths around the hips."""
TURNED: Final = 0.45
"""Seen from the side the body is so much narrower."""
UPRIGHT_DEG: Final = (-12.0, -4.0, 4.0, 12.0)
LYING_DEG: Final = (-100.0, -80.0, 80.0, 100.0)
STEP: Final = 0.3
"""One foot forward, the other back, torso lengths."""
TORSO_PX: Final = 60.0
DOWN: Final = ("fall", "lie", "crawl")
ALLOWED: Final = 2
"""So many skeletons fewer than the present network may a new one know."""


def skeletons() -> tuple[F32, list[bool]]:
    """The questions: float32[N, 17, 3], and whether each is of somebody who is down."""
    found, down = [], []
    for is_down, degrees in ((False, UPRIGHT_DEG), (True, LYING_DEG)):
        for points in _figures():
            for angle in np.radians(degrees):
                turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
                joints = np.ones((17, 3), np.float32)
                joints[:, :2] = TORSO_PX * points @ turn + 300
                found.append(joints)
                down.append(is_down)
    return np.stack(found), down


def _figures() -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Standing and stepping, from the front and from the side."""
    for wide in (1.0, TURNED):
        for step in (0.0, STEP):
            points = np.array(STANDING) * (wide, 1.0)
            points[[13, 15], 0] += (0.5 * step, step)
            points[[14, 16], 0] -= (0.5 * step, step)
            yield points


def known(network: ActionNetwork) -> int:
    """How many of the questions a network answers right.

    Raises:
        NpuFault: it failed.
    """
    questions, down = skeletons()
    table, actions = Skeletons(1), Actions(1, len(network.classes))
    table.count = 1
    right = 0
    for joints, is_down in zip(questions, down, strict=True):
        table.keypoints[0] = joints
        network(table, actions)
        best = int(actions.best[0])
        right += best >= 0 and (network.classes[best] in DOWN) == is_down
    return right
