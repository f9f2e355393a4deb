"""What is laid over the upright body while something else than standing and walking is done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.people.gait import Manner
from sim.people.path import Path, smooth

F64 = npt.NDArray[np.float64]
FALL_GROWTH = 2.8
"""Of a tipping rod: its angle grows as cosh(t sqrt(1.5 g / length)); about 3 over a whole fall."""
GRAVITY_M_S2 = 9.81


@dataclass
class Act:
    """One stretch of doing something on the spot (or on a ladder, or on all fours).

    Attributes:
        kind: which function of ACTS.
        start_ms, end_ms: when; full until its end.
        fade_in_ms, fade_out_ms: how long the body takes to get there, and back afterwards.
        x, y, yaw: place and heading of the hips, where it has its own.
        low_m: height of the seat, or floor below a ladder, or height that is fallen.
        direction: of falls and lying.
    """

    kind: str
    start_ms: float
    end_ms: float
    fade_in_ms: float
    fade_out_ms: float
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    low_m: float = 0.0
    direction: str = ""

    def weight(self, t_ms: float) -> float:
        """0 (the upright body) to 1."""
        if t_ms < self.start_ms:
            return 0.0
        share = (t_ms - self.start_ms) / self.fade_in_ms if self.fade_in_ms > 0 else 1.0
        if self.kind == "fall":
            grown = math.cosh(FALL_GROWTH * min(share, 1.0)) - 1
            rise = grown / (math.cosh(FALL_GROWTH) - 1)
        else:
            rise = smooth(share)
        if t_ms <= self.end_ms:
            return rise
        if self.fade_out_ms <= 0:
            return 0.0
        return rise * (1 - smooth((t_ms - self.end_ms) / self.fade_out_ms))


@dataclass
class Moment:
    """What a function of ACTS may know beside the pose: seconds since the act's start, the body's
    height, the person's manner, their path, the time and how far the act is faded in."""

    act: Act
    t_s: float
    t_ms: float
    height_m: float
    manner: Manner
    path: Path
    weight: float


Doer = Callable[[F64, Moment], None]
"""Changes the upright pose float64[len(Dof)] into that of the act."""
