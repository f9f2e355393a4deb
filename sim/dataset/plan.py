"""The site from above while it is being filled: what stands where, and what the camera sees.

Rectangles on the ground, with the camera at a point above. Only what a random layout needs to be
plausible; what is really seen is the renderer's business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sim.world.config import CameraConfig, Point

STEP_M = 0.25
"""A way is looked at this often."""
CLEAR_M = 7.0
"""Nothing stands nearer to the camera than this, however high; low things may come to 3 m."""
EYE_M = 1.3
"""A person is in sight when this height over the ground is: the chest."""


@dataclass(frozen=True)
class Footprint:
    """A turned rectangle that something stands on.

    Attributes:
        at_m: centre.
        heading_deg: 0 = width along x.
        width_m, depth_m: along and across.
        height_m: of what stands there.
    """

    at_m: Point
    heading_deg: float
    width_m: float
    depth_m: float
    height_m: float = 0.0

    def local(self, point: Point) -> Point:
        """A point of the ground in the rectangle's own axes, metres from its centre."""
        angle = math.radians(self.heading_deg)
        x, y = point[0] - self.at_m[0], point[1] - self.at_m[1]
        return (
            x * math.cos(angle) - y * math.sin(angle),
            x * math.sin(angle) + y * math.cos(angle),
        )

    def outer(self, along_m: float, across_m: float) -> Point:
        """The other way round: from the rectangle's own axes to the ground."""
        angle = math.radians(self.heading_deg)
        return (
            self.at_m[0] + along_m * math.cos(angle) + across_m * math.sin(angle),
            self.at_m[1] - along_m * math.sin(angle) + across_m * math.cos(angle),
        )

    def corners(self, gap_m: float = 0.0) -> tuple[Point, ...]:
        """Its four corners, with a gap all around."""
        half_x, half_y = self.width_m / 2 + gap_m, self.depth_m / 2 + gap_m
        return tuple(
            self.outer(x, y)
            for x, y in ((-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y))
        )

    def holds(self, point: Point, gap_m: float = 0.0) -> bool:
        """Whether a point is inside, or nearer than the gap."""
        x, y = self.local(point)
        return abs(x) <= self.width_m / 2 + gap_m and abs(y) <= self.depth_m / 2 + gap_m

    def meets(self, other: Footprint, gap_m: float) -> bool:
        """Whether two rectangles come nearer than the gap (separating axes)."""
        return not (_apart(self, other, gap_m) or _apart(other, self, gap_m))


def _apart(first: Footprint, second: Footprint, gap_m: float) -> bool:
    """Whether one of the axes of `first` separates the two."""
    points = [first.local(corner) for corner in second.corners()]
    limits = (first.width_m / 2 + gap_m, first.depth_m / 2 + gap_m)
    for axis, limit in enumerate(limits):
        values = [point[axis] for point in points]
        if min(values) > limit or max(values) < -limit:
            return True
    return False


@dataclass
class Plan:
    """What is taken on the ground so far.

    Attributes:
        camera: where one looks from.
        taken: what stands there.
        ways: points that people walk over; nothing that stands may come on them.
    """

    camera: CameraConfig
    taken: list[Footprint] = field(default_factory=list)
    ways: list[Point] = field(default_factory=list)

    def is_free(self, new: Footprint, gap_m: float) -> bool:
        """Whether something may stand there: neither in another nor in the camera's face."""
        if any(new.meets(other, gap_m) for other in self.taken):
            return False
        clear_m = min(3.0 + 1.5 * new.height_m, CLEAR_M)
        return not new.holds(self.camera.at_m, clear_m)

    def is_walkable(self, start: Point, end: Point, gap_m: float = 0.35) -> bool:
        """Whether a person can go straight from one place to another."""
        return self.is_open(start, end, 0.0, gap_m)

    def is_open(self, start: Point, end: Point, height_m: float, gap_m: float = 0.0) -> bool:
        """Whether nothing as high as that stands on the straight way between two places."""
        steps = max(1, math.ceil(math.dist(start, end) / STEP_M))
        high = [other for other in self.taken if other.height_m >= height_m]
        for n in range(steps + 1):
            share = n / steps
            way = start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
            if any(other.holds(way, gap_m) for other in high):
                return False
        return True

    def is_in_sight(self, point: Point) -> bool:
        """Whether nothing high stands between the lens and a person's chest there."""
        eye, top = self.camera.at_m, self.camera.height_m
        steps = max(2, math.ceil(math.dist(eye, point) / STEP_M))
        for n in range(1, steps):
            share = n / steps
            way = eye[0] + (point[0] - eye[0]) * share, eye[1] + (point[1] - eye[1]) * share
            ray_m = top + (EYE_M - top) * share
            if any(other.height_m > ray_m and other.holds(way) for other in self.taken):
                return False
        return True


def pixels(camera: CameraConfig, point: Point, height_m: float, aspect: float) -> Point | None:
    """Where a point comes to lie, as shares of the picture's width and height.

    Args:
        camera: its distortion and roll are left out: this is only for placing things.
        point: on the ground, metres.
        height_m: above it.
        aspect: width over height of the picture.

    Returns:
        (0, 0) top left to (1, 1) bottom right; None behind the lens.
    """
    pan, tilt = math.radians(camera.pan_deg), math.radians(camera.tilt_deg)
    x, y = point[0] - camera.at_m[0], point[1] - camera.at_m[1]
    right, ahead = (
        x * math.cos(pan) - y * math.sin(pan),
        x * math.sin(pan) + y * math.cos(pan),
    )
    up = height_m - camera.height_m
    depth = ahead * math.cos(tilt) - up * math.sin(tilt)
    if depth < 0.5:
        return None
    down = -(ahead * math.sin(tilt) + up * math.cos(tilt))
    focal = camera.focal_mm / camera.sensor_width_mm
    return 0.5 + focal * right / depth, 0.5 + focal * aspect * down / depth
