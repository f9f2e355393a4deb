"""A world without a renderer, for quick tests: the drawn room of the synthetic camera.

Its one person walks from the left edge (x = -8) at 2 s to the right edge (x = 8) at 10 s of every
12 s; the default student sees them. One metre is 40 pixels, y counts up from the lower edge.
"""

from __future__ import annotations

import numpy as np

from drivers.camera.synthetic_scene import SyntheticScene
from sim.world.truth import PersonTruth, Truth

SCALE_PX = 40.0


class StandIn:
    def __init__(self, config, width_px, height_px, seed):
        self.config, self.width_px, self.height_px = config, width_px, height_px
        self.scene = SyntheticScene(width_px, height_px, seed=seed)
        self.t_ms = 0.0

    def render(self, t_ms, pixels):
        self.t_ms = t_ms
        self.scene.render(t_ms, pixels)

    def pose(self, t_ms):
        self.t_ms = t_ms

    def warm_up(self):
        pass

    def brief(self):
        boxes = self.scene.truth(self.t_ms)
        people = zip(self.config.people, boxes, strict=False)
        return Truth(self.t_ms, tuple(self.truth(person, box) for person, box in people), ())

    def truth(self, person, box):
        x1, _, x2, y2 = box
        foot = ((x1 + x2 - self.width_px) / 2 / SCALE_PX, (self.height_px - 1 - y2) / SCALE_PX)
        zones = tuple(zone.name for zone in self.config.zones if inside(foot, zone.polygon_m))
        none = np.zeros((17, 3))
        return PersonTruth(
            person.name, tuple(box), 1.0, 1.0, tuple(box), none, none, "walk", person.helmet,
            person.vest, foot, 0.0, 1.4, zones,
        )  # fmt: skip

    def project_ground(self, points_m):
        return [
            (self.width_px / 2 + x * SCALE_PX, self.height_px - 1 - y * SCALE_PX)
            for x, y in points_m
        ]

    def ground_polygon(self, points_m, steps):
        return self.project_ground(points_m)


def inside(point, polygon):
    x, y = point
    found = False
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            found = not found
    return found
