"""Truth: what a picture really shows, from geometry and from its depth and identity buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.render.camera import F64, WIDEST
from sim.render.raster import pinhole, to_camera
from sim.render.still import CLOSE_M
from sim.render.survey import RESULT, joint_seen, survey
from sim.world.cast import Actor, Prop
from sim.world.config import Point
from sim.world.mesh import Mesh
from sim.world.truth import HIDDEN, OUTSIDE, VISIBLE, Box, MachineTruth, PersonTruth, Truth

if TYPE_CHECKING:
    from sim.world.world import World


ALONE_PX = 512
"""Edge of the picture of one thing alone."""
NEARER_M, OWN_NEARER_M = 0.15, 0.20
"""A joint lies inside of its limb: only what is nearer by more than this hides it."""
FEWEST_SAMPLES = 24
"""Of a helmet, head or vest that counts as seen: six pixels."""


class Looker:
    """Answers for the last picture of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        camera = world.camera
        self._alone = np.zeros((ALONE_PX, ALONE_PX), np.float32)
        self._numbers = np.zeros((ALONE_PX, ALONE_PX), np.int32)
        self._result = np.zeros(RESULT)
        self._camera = np.array(
            [camera.focal_px, *camera.centre_px, camera.config.k1, camera.config.k2, camera.widest]
        )

    def brief(self) -> Truth:
        """Positions, actions, zones, keypoints and boxes of all vertices; all counts as visible."""
        world = self.world
        return Truth(
            world.t_ms,
            tuple(self._brief_person(actor) for actor in world.people if actor.shown()),
            tuple(self._brief_machine(prop) for prop in world.machines),
        )

    def truth(self) -> Truth:
        """Everything (see Truth)."""
        world = self.world
        people = [
            self._whole_person(i, actor) for i, actor in enumerate(world.people) if actor.shown()
        ]
        machines = [self._whole_machine(prop) for prop in world.machines]
        return Truth(world.t_ms, tuple(people), tuple(machines))

    def _whole_person(self, index: int, actor: Actor) -> PersonTruth:
        head = actor.person.keypoints_m[[0, 3, 4]].mean(0)
        found = self._survey(index, actor.mesh, body_triangles(actor), head)
        return replace(
            self._brief_person(actor), **found,
            keypoints=self._seen_keypoints(index, actor.person.keypoints_m),
        )  # fmt: skip

    def _whole_machine(self, prop: Prop) -> MachineTruth:
        driven = self.world.driven
        index = len(self.world.people) + driven.index(prop) if prop in driven else None
        found = self._survey(index, prop.mesh, len(prop.mesh.triangles), np.zeros(3))
        return replace(self._brief_machine(prop), box=found["box"], visible=found["visible"])

    def _survey(self, index: int | None, mesh: Mesh, triangles: int, head_m: F64) -> dict[str, Any]:
        """Draws one thing alone and compares; the fields of PersonTruth that come of it."""
        world, scene = self.world, self.world.scene
        view, camera = scene.still.view, world.camera
        turn = view[3:12].reshape(3, 3)
        seen = np.empty((len(mesh.vertices), 3))
        to_camera(mesh.vertices, view[:3], turn, seen)
        used = seen[np.unique(mesh.triangles[:triangles])]
        lens = self._lens(used, view[12:])
        self._alone[:] = 0
        bounds = np.array([0, 0, ALONE_PX, ALONE_PX], np.int64)
        pinhole(seen, mesh.triangles[:triangles], mesh.material, 0, lens, CLOSE_M, True,
                self._alone, self._numbers, bounds)  # fmt: skip
        size = np.array([camera.width_px, camera.height_px], np.float64)
        survey(self._alone, self._numbers, lens, scene.near, scene.ids, view, scene.span(index),
               world.mast.sway(world.t_ms), self._camera, size, mesh.material,
               turn @ (head_m - view[:3]), self._result)  # fmt: skip
        return _fields(self._result, camera.width_px, camera.height_px)

    @staticmethod
    def _lens(seen: F64, lens: F64) -> F64:
        """A pinhole for the picture of one thing alone: as fine as the whole one, if it fits."""
        ahead = seen[seen[:, 2] > CLOSE_M]
        if not len(ahead):
            return np.array([1.0, 0.0, 0.0])
        places = np.clip(ahead[:, :2] / ahead[:, 2:], -WIDEST, WIDEST)
        low, high = places.min(0), places.max(0)
        if len(ahead) < len(seen):
            low, high = np.minimum(low, -WIDEST), np.maximum(high, WIDEST)
        room = (ALONE_PX - 4) / max(float((high - low).max()), 1e-6)
        focal = min(float(lens[0]), room)
        return np.array([focal, 2 - low[0] * focal, 2 - low[1] * focal])

    def _seen_keypoints(self, index: int, points_m: F64) -> F64:
        """float64[17, 3]: pixels and visibility, by the depth of the picture."""
        scene = self.world.scene
        view, span = scene.still.view, scene.span(index)
        found = self._keypoints(points_m)
        seen = (points_m - view[:3]) @ view[3:12].reshape(3, 3).T
        for k in np.flatnonzero(found[:, 2] == VISIBLE):
            if not joint_seen(scene.near, scene.ids, view, span, seen[k], NEARER_M, OWN_NEARER_M):
                found[k, 2] = HIDDEN
        return found

    def _brief_person(self, actor: Actor) -> PersonTruth:
        person = actor.person
        box, in_view = self._box(person.mesh.vertices[: body_vertices(actor)])
        return PersonTruth(
            actor.config.name, box, in_view, 1.0 if box else 0.0, box,
            self._keypoints(person.keypoints_m), person.keypoints_m.copy(), person.action,
            person.helmet, person.vest, (float(person.foot_m[0]), float(person.foot_m[1])),
            float(person.height_m), float(person.speed_m_s), self.zones(person.foot_m),
        )  # fmt: skip

    def _brief_machine(self, prop: Prop) -> MachineTruth:
        machine = prop.machine
        box, _ = self._box(machine.mesh.vertices)
        footprint = tuple((float(x), float(y)) for x, y in machine.footprint_m)
        at = (float(machine.at_m[0]), float(machine.at_m[1]))
        return MachineTruth(
            prop.config.name, prop.config.kind, box, 1.0 if box else 0.0, at, footprint
        )

    def _box(self, vertices: np.ndarray) -> tuple[Box | None, float]:
        """Around all vertices, cut to the picture, and the share of the box inside."""
        pixels = self.world.project(vertices)
        pixels = np.ascontiguousarray(pixels[np.isfinite(pixels[:, 0])].T)
        if not pixels.size:
            return None, 0.0
        low, high = pixels.min(1), pixels.max(1)
        return cut((low[0], low[1], high[0], high[1]), self.world)

    def _keypoints(self, points_m: F64) -> F64:
        """float64[17, 3]: pixels, VISIBLE or OUTSIDE."""
        pixels = self.world.project(points_m)
        camera = self.world.camera
        size = np.array([camera.width_px, camera.height_px])
        inside = (np.isfinite(pixels) & (pixels >= 0) & (pixels < size)).all(1)
        found = np.zeros((len(pixels), 3))
        found[inside, :2] = pixels[inside]
        found[:, 2] = np.where(inside, VISIBLE, OUTSIDE)
        return found

    def zones(self, foot_m: Sequence[float]) -> tuple[str, ...]:
        """Names of the zones that hold a place on the ground."""
        zones = self.world.config.zones
        return tuple(zone.name for zone in zones if holds(zone.polygon_m, foot_m))


def body_vertices(actor: Actor) -> int:
    """How many vertices are the body; what is carried comes after them."""
    return int(getattr(actor.person, "body_vertices", len(actor.mesh.vertices)))


def body_triangles(actor: Actor) -> int:
    """As body_vertices, of triangles."""
    return int(getattr(actor.person, "body_triangles", len(actor.mesh.triangles)))


def cut(box: Sequence[float], world: World) -> tuple[Box | None, float]:
    """A box cut to the picture, and the share of its area inside; (None, 0) outside."""
    width, height = world.camera.width_px, world.camera.height_px
    x1, y1, x2, y2 = (float(v) for v in box)
    left, top, right, bottom = max(x1, 0.0), max(y1, 0.0), min(x2, width), min(y2, height)
    if right <= left or bottom <= top:
        return None, 0.0
    share = (right - left) * (bottom - top) / ((x2 - x1) * (y2 - y1))
    return (left, top, float(right), float(bottom)), share


def holds(polygon: Sequence[Point], point: Sequence[float]) -> bool:
    """Whether a polygon holds a point (even-odd rule)."""
    x, y = point[0], point[1]
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def _fields(result: F64, width: int, height: int) -> dict[str, Any]:
    """What a survey found, as fields of PersonTruth."""
    total, inside, visible = result[:3]

    def box(first: int, count: float, least: float = 1) -> Box | None:
        if count < least:
            return None
        x1, y1, x2, y2 = result[first : first + 4]
        return (
            max(float(x1), 0.0), max(float(y1), 0.0), min(float(x2), width), min(float(y2), height)
        )  # fmt: skip

    return {
        "box": box(3, inside),
        "in_view": float(inside / total) if total else 0.0,
        "visible": float(visible / inside) if inside else 0.0,
        "visible_box": box(7, visible),
        "helmet_box": box(11, result[15], FEWEST_SAMPLES),
        "head_box": box(19, result[23], FEWEST_SAMPLES),
        "vest_box": box(27, result[31], FEWEST_SAMPLES),
    }
