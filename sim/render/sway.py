"""How a mast moves: knocks that stay, and the sway of the wind."""

from __future__ import annotations

import math

import numpy as np

from sim.render.camera import F64, Camera, rotation
from sim.world.config import KnockConfig

SWAY_DEG = (0.30, 0.22, 0.25)
"""Largest pan, tilt and roll at wind 1: a thin steel mast of 5 m as seen in site videos."""
PERIODS_MS = (3100.0, 1270.0, 530.0)
"""A gust, the mast's own swing, and its shiver."""
SHARES = (0.5, 0.35, 0.15)
"""Of the sway, by period; they sum to 1, so SWAY_DEG is a bound."""


class Mast:
    """World to camera over time: exact, smooth and the same whatever was asked before."""

    def __init__(self, camera: Camera, knocks: list[KnockConfig], wind: float, seed: int) -> None:
        self.camera = camera
        self.knocks = sorted(knocks, key=lambda knock: knock.at_ms)
        self.wind = wind
        self._phases = np.random.default_rng([seed, 0x3A57]).uniform(0, math.tau, (3, 3))

    def knocked(self, t_ms: float) -> int:
        """How many knocks have happened: the camera's orientation but for sway."""
        return sum(knock.at_ms <= t_ms for knock in self.knocks)

    def base(self, knocks: int) -> F64:
        """float64[3, 3]: world to camera after so many knocks, without sway."""
        config = self.camera.config
        pan, tilt, roll = config.pan_deg, config.tilt_deg, config.roll_deg
        for knock in self.knocks[:knocks]:
            pan, tilt, roll = pan + knock.pan_deg, tilt + knock.tilt_deg, roll + knock.roll_deg
        return rotation(pan, tilt, roll)

    def sway(self, t_ms: float) -> F64:
        """float64[3, 3]: from the base orientation's camera axes to those of this moment."""
        if self.wind <= 0:
            return np.eye(3)
        return small_turn(*self.angles_deg(t_ms))

    def angles_deg(self, t_ms: float) -> tuple[float, float, float]:
        """Pan, tilt and roll by the wind; each within SWAY_DEG times the wind."""
        turns = [
            self.wind * limit * sum(
                share * math.sin(math.tau * t_ms / period + phase)
                for share, period, phase in zip(SHARES, PERIODS_MS, phases, strict=True)
            )
            for limit, phases in zip(SWAY_DEG, self._phases, strict=True)
        ]  # fmt: skip
        return turns[0], turns[1], turns[2]


def small_turn(pan_deg: float, tilt_deg: float, roll_deg: float) -> F64:
    """float64[3, 3]: a turn about the camera's own axes, from old to new camera coordinates."""
    level = rotation(0.0, 0.0, 0.0)
    return rotation(pan_deg, tilt_deg, roll_deg) @ level.T
