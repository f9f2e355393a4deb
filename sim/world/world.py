"""The world: a configuration and a seed become pictures, and the truth about each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sim.optics.optics import Optics
from sim.render.camera import F64, Camera
from sim.render.scene import Scene
from sim.render.sway import Mast
from sim.render.tables import U8
from sim.scenery.build import ground, lighting, structures
from sim.scenery.textures import atlas
from sim.world.cast import Actor, Prop
from sim.world.config import Point, WorldConfig
from sim.world.look import Looker
from sim.world.mesh import joined
from sim.world.truth import Truth

YARD_AHEAD_M = (6.0, 18.0)
"""The sharp sun shadows are around where the camera looks, within these distances."""
SHARP_PX = 2.0
"""Less motion than this during the exposure is not drawn: the lens blurs as much."""
LIMBS = 1.5
"""Limbs move faster than the person by this."""
LONG_PX = 5.0
EXPOSED = (-0.4, 0.0)
EXPOSED_LONG = (-1 / 3, 1 / 3, 0.0)
"""Moments of an exposure, in shutter times around the picture's own, which comes last; more of
them for motion from LONG_PX on."""


class World:
    """One site, one camera, one seed.

    Every picture depends on (config, size, seed, t_ms) alone, whatever was drawn before.

    Args:
        config: what there is to see.
        width_px, height_px: of the pictures.
        seed: of all that the configuration leaves open.
    """

    def __init__(self, config: WorldConfig, width_px: int, height_px: int, seed: int) -> None:
        self.config, self.seed = config, seed
        self.camera = Camera(config.camera, width_px, height_px)
        self.mast = Mast(self.camera, config.camera.knocks, config.weather.wind, seed)
        self.lighting = lighting(config)
        self.people = [Actor(person, seed * 1009 + i) for i, person in enumerate(config.people)]
        self.machines = [Prop(m, seed * 1009 + 500 + i) for i, m in enumerate(config.machines)]
        self.parked = [prop for prop in self.machines if prop.still]
        self.driven = [prop for prop in self.machines if not prop.still]
        for prop in self.parked:
            prop.pose(0.0)
        still = [*structures(config, seed), *(prop.mesh for prop in self.parked)]
        self.scene = Scene(
            self.camera, config.weather.wind, self.lighting, config.wet, config.light.cloud, seed,
            atlas(0), ground(config, seed), joined(still),
            [*self.people, *self.driven], _middle(config),
        )  # fmt: skip
        self.optics = Optics(config, width_px, height_px, seed, self.lighting.darkness)
        self.t_ms = 0.0
        self._turned = (math.nan, np.eye(3))
        self._sum = np.zeros((height_px, width_px, 3), np.uint16)
        self._looker = Looker(self)

    def render(self, t_ms: float, pixels: U8) -> None:
        """Takes the picture of one moment.

        Args:
            t_ms: since the world began; any order.
            pixels: uint8[height, width, 3] BGR, written.
        """
        self.pose(t_ms)
        self.scene.light(t_ms)
        turn = self.mast.base(self.mast.knocked(t_ms))
        sway = self.mast.sway(t_ms) if self.mast.wind > 0 else None
        smear_px = self._smear_px(turn)
        if smear_px < SHARP_PX:
            self.scene.draw(turn, sway, pixels)
        else:
            shares = EXPOSED if smear_px < LONG_PX else EXPOSED_LONG
            self._expose(t_ms, shares, turn, sway, pixels)
        self.optics.apply(pixels, t_ms)

    def _expose(
        self, t_ms: float, shares: Sequence[float], turn: F64, sway: F64 | None, pixels: U8
    ) -> None:
        """The mean of pictures within the time that the shutter is open; t_ms itself comes last."""
        self._sum[:] = 0
        for share in shares:
            self.pose(max(t_ms + share * self.config.sensor.shutter_ms, 0.0))
            self.scene.draw(turn, sway, pixels)
            self._sum += pixels
        self.pose(t_ms)
        self._sum += len(shares) // 2
        self._sum //= len(shares)
        np.copyto(pixels, self._sum, casting="unsafe")

    def _smear_px(self, turn: F64) -> float:
        """How far the fastest person's limbs move in the picture while the shutter is open."""
        focal_s = self.camera.focal_px * self.config.sensor.shutter_ms / 1000
        smear = 0.0
        for actor in self.people:
            person = actor.person
            if actor.shown() and person.speed_m_s > 0:
                x, y = person.foot_m
                away = turn[2] @ (np.array([x, y, person.height_m + 1.0]) - self.camera.at_m)
                if away > 0:
                    smear = max(smear, LIMBS * person.speed_m_s * focal_s / max(away, 1.0))
        return smear

    def pose(self, t_ms: float) -> None:
        """Moves everybody to where they are at a time, without drawing."""
        self.t_ms = t_ms
        for actor in self.people:
            actor.pose(t_ms)
        for prop in self.driven:
            prop.pose(t_ms)

    def turn(self) -> F64:
        """float64[3, 3]: world to camera of the last picture, knocks and sway included."""
        if self._turned[0] != self.t_ms:
            base = self.mast.base(self.mast.knocked(self.t_ms))
            self._turned = (self.t_ms, self.mast.sway(self.t_ms) @ base)
        return self._turned[1]

    def truth(self) -> Truth:
        """All about the last rendered picture, from its depth and identity buffers."""
        return self._looker.truth()

    def brief(self) -> Truth:
        """The cheap part of the truth of the time of the last picture or pose.

        Boxes are those of all vertices, everything counts as visible.
        """
        return self._looker.brief()

    def project(self, points_m: F64) -> F64:
        """float64[N, 3] metres -> float64[N, 2] pixels of the last picture; NaN behind it."""
        return self.camera.project(points_m, self.turn())

    def ground_polygon(self, points_m: Sequence[Point], steps: int = 12) -> list[Point]:
        """A polygon on the ground in pixels of the last picture, cut to it.

        Args:
            points_m: corners in metres.
            steps: pieces per edge, so that edges follow the distortion.
        """
        return self.camera.ground_polygon(points_m, steps, self.turn())

    def warm_up(self) -> None:
        """Runs every path once, so that nothing is compiled or grown afterwards."""
        pixels = np.zeros((self.camera.height_px, self.camera.width_px, 3), np.uint8)
        for t_ms in (0.0, 1000.0):
            self.render(t_ms, pixels)
            self.truth()
            self.brief()
        self.ground_polygon([(-1.0, 5.0), (1.0, 5.0), (0.0, 8.0)])


def _middle(config: WorldConfig) -> F64:
    """float64[3]: where on the ground the camera looks, but neither too near nor too far."""
    camera = config.camera
    tilt = math.radians(max(camera.tilt_deg, 1.0))
    ahead = min(max(camera.height_m / math.tan(tilt), YARD_AHEAD_M[0]), YARD_AHEAD_M[1])
    pan = math.radians(camera.pan_deg)
    return np.array(
        [camera.at_m[0] + ahead * math.sin(pan), camera.at_m[1] + ahead * math.cos(pan), 0.0]
    )
