"""What the player asks of a world, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from drivers.interfaces import U8
from sim.world.config import WorldConfig
from sim.world.truth import F64, Truth

Point = tuple[float, float]


class SceneWorld(Protocol):
    """A world that can be drawn and asked."""

    def render(self, t_ms: float, pixels: U8) -> None:
        """Draw it at a time into uint8[H, W, 3] BGR."""
        ...

    def pose(self, t_ms: float) -> None:
        """Move everybody to where they are at a time, without drawing."""
        ...

    def warm_up(self) -> None:
        """Run every path once, so that nothing is compiled afterwards."""
        ...

    def brief(self) -> Truth:
        """Who is where in the last picture or pose."""
        ...

    def ground_polygon(self, points_m: Sequence[Point], steps: int) -> Sequence[Point]:
        """A polygon on the ground in pixels, cut to the picture."""
        ...

    def project_ground(self, points_m: Sequence[Point]) -> Sequence[Point]:
        """Points on the ground in pixels."""
        ...


def make_world(config: WorldConfig, width_px: int, height_px: int, seed: int) -> SceneWorld:
    """The rendered world. Imported here, since it compiles: reading a scenario needs none."""
    from sim.world.world import World

    class OnTheGround(World):
        """The world, asked for points on the ground."""

        def project_ground(self, points_m: Sequence[Point]) -> Sequence[Point]:
            """Points on the ground in pixels."""
            space: F64 = np.array([(x, y, 0.0) for x, y in points_m], np.float64)
            return [(float(x), float(y)) for x, y in self.project(space)]

    return OnTheGround(config, width_px, height_px, seed)
