"""A pinhole with radial distortion: from metres to pixels and back.

Camera axes: x right, y down, z forward. Two pictures are spoken of: the *undistorted* one of an
ideal pinhole (coordinates x/z, y/z), and the *picture* that the sensor takes, in pixels, whose
pixel (0, 0) covers 0 to 1. Distortion: D. C. Brown, Decentering distortion of lenses (1966), the
radial terms only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.world.config import CameraConfig, Metres, Point

F64 = npt.NDArray[np.float64]
NEAR_M = 0.05
"""Nothing nearer is drawn or projected."""
NEWTON_STEPS = 12
"""More than the inverse needs from the pixel itself as a start (checked by the round trip)."""
WIDEST = 3.0
"""tan of the widest half angle that is ever drawn; wider a pinhole picture makes no sense."""


def rotation(pan_deg: float, tilt_deg: float, roll_deg: float) -> F64:
    """float64[3, 3]: rows are the camera's right, down and forward in the world."""
    pan, tilt, roll = (math.radians(a) for a in (pan_deg, tilt_deg, roll_deg))
    right = np.array([math.cos(pan), -math.sin(pan), 0.0])
    ahead = np.array([math.sin(pan), math.cos(pan), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    forward = math.cos(tilt) * ahead - math.sin(tilt) * up
    down = np.cross(forward, right)
    rolled_right = math.cos(roll) * right + math.sin(roll) * down
    return np.stack([rolled_right, np.cross(forward, rolled_right), forward])


class Camera:
    """The geometry of one camera and one size of picture.

    Attributes:
        focal_px: pixels per unit of the undistorted picture, in its middle.
        centre_px: (x, y) of the optical axis in the picture.
        at_m: float64[3], where the camera is.
        rotation: float64[3, 3], world to camera as the configuration says, no knock, no sway.
    """

    def __init__(self, config: CameraConfig, width_px: int, height_px: int) -> None:
        self.config = config
        self.width_px, self.height_px = width_px, height_px
        self.focal_px = config.focal_mm / config.sensor_width_mm * width_px
        self.centre_px = (width_px / 2, height_px / 2)
        self.at_m = np.array([config.at_m[0], config.at_m[1], config.height_m])
        self.rotation = rotation(config.pan_deg, config.tilt_deg, config.roll_deg)
        self.widest = _fold(config.k1, config.k2)

    def distort(self, ideal: F64) -> F64:
        """float64[N, 2] undistorted coordinates -> pixels.

        What lies beyond the radius where the polynomial turns back is held at that radius's
        scale, so that it stays outside of the picture.
        """
        square = np.minimum((ideal**2).sum(-1, keepdims=True), self.widest**2)
        scale = 1 + self.config.k1 * square + self.config.k2 * square**2
        return ideal * scale * self.focal_px + np.array(self.centre_px)

    def undistort(self, pixels: F64) -> F64:
        """float64[N, 2] pixels -> undistorted coordinates, by Newton's method on the radius."""
        seen = (pixels - np.array(self.centre_px)) / self.focal_px
        target = np.sqrt((seen**2).sum(-1))
        k1, k2 = self.config.k1, self.config.k2
        radius = np.minimum(target, self.widest)
        for _ in range(NEWTON_STEPS):
            square = radius**2
            error = radius * (1 + k1 * square + k2 * square**2) - target
            slope = np.maximum(1 + 3 * k1 * square + 5 * k2 * square**2, 0.05)
            radius = np.clip(radius - error / slope, 0.0, self.widest)
        ratio = np.where(target > 1e-12, radius / np.maximum(target, 1e-12), 1.0)
        return seen * ratio[..., None]

    def project(self, points_m: F64, turn: F64) -> F64:
        """float64[N, 3] metres -> float64[N, 2] pixels; NaN for what is behind the camera.

        Args:
            points_m: float64[N, 3].
            turn: float64[3, 3], world to camera of this moment.
        """
        seen = (np.asarray(points_m, np.float64).reshape(-1, 3) - self.at_m) @ turn.T
        depth = np.where(seen[:, 2] > NEAR_M, seen[:, 2], np.nan)
        return self.distort(seen[:, :2] / depth[:, None])

    def on_ground(self, pixels: F64, turn: F64) -> F64:
        """float64[N, 2] pixels -> float64[N, 2] metres on z = 0; NaN above the horizon."""
        ideal = self.undistort(np.asarray(pixels, np.float64).reshape(-1, 2))
        ray = np.column_stack([ideal, np.ones(len(ideal))]) @ turn
        falls = np.where(ray[:, 2] < -1e-9, ray[:, 2], np.nan)
        return self.at_m[:2] + ray[:, :2] * (-self.at_m[2] / falls)[:, None]

    def ground_polygon(self, points_m: Sequence[Point], steps: int, turn: F64) -> list[Point]:
        """A polygon on the ground in pixels, cut to the picture.

        Args:
            points_m: corners in metres.
            steps: pieces per edge, so that the edges follow the distortion.
            turn: float64[3, 3], world to camera of this moment.

        Returns:
            Corners in pixels; empty when nothing of it is in the picture.
        """
        corners = np.column_stack([np.asarray(points_m, np.float64), np.zeros(len(points_m))])
        seen = (corners - self.at_m) @ turn.T
        wide = min(self.widest, WIDEST)
        for plane in ((0, 0, 1, -NEAR_M), (1, 0, wide, 0), (-1, 0, wide, 0),
                      (0, 1, wide, 0), (0, -1, wide, 0)):  # fmt: skip
            seen = _cut(seen, np.array(plane[:3], float), float(plane[3]))
        if len(seen) < 3:
            return []
        share = (np.arange(steps) / steps)[None, :, None]
        ahead = np.roll(seen, -1, axis=0)
        dense = (seen[:, None] * (1 - share) + ahead[:, None] * share).reshape(-1, 3)
        drawn = self.distort(dense[:, :2] / dense[:, 2:])
        for normal, offset in (((1, 0), 0), ((-1, 0), self.width_px),
                               ((0, 1), 0), ((0, -1), self.height_px)):  # fmt: skip
            drawn = _cut(drawn, np.array(normal, float), float(offset))
        return [(float(x), float(y)) for x, y in drawn] if len(drawn) >= 3 else []


def _fold(k1: float, k2: float) -> float:
    """The undistorted radius where r (1 + k1 r^2 + k2 r^4) stops growing; at most WIDEST."""
    radii = np.linspace(0.0, WIDEST, 3001)
    slope = 1 + 3 * k1 * radii**2 + 5 * k2 * radii**4
    stops = np.flatnonzero(slope <= 0.02)
    return float(radii[stops[0]]) if len(stops) else WIDEST


def _cut(polygon: F64, normal: F64, offset: float) -> F64:
    """The part of a polygon where normal . p + offset >= 0 (Sutherland and Hodgman, 1974)."""
    if len(polygon) == 0:
        return polygon
    height = polygon @ normal + offset
    kept: list[Metres | F64] = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if height[i] >= 0:
            kept.append(polygon[i])
        if (height[i] >= 0) != (height[j] >= 0):
            share = height[i] / (height[i] - height[j])
            kept.append(polygon[i] + share * (polygon[j] - polygon[i]))
    return np.array(kept).reshape(-1, polygon.shape[1])
