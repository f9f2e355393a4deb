"""The whole picture: what stands still, drawn once, and over it what moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from sim.render.camera import F64, Camera
from sim.render.distort import Distorter
from sim.render.extent import limits, merge, pinhole_bounds, shadow_hull
from sim.render.maps import ShadowMaps
from sim.render.overlay import lay_contact, lay_shadow
from sim.render.raster import pinhole, to_camera
from sim.render.resolve import DENSITY, compose
from sim.render.shade import PARTS
from sim.render.still import CLOSE_M, Still
from sim.render.tables import LEVEL_STARTS, U8, mips, surfaces, tone_table
from sim.world.lighting import Lighting
from sim.world.mesh import Mesh, joined

CONTACT_M = 0.55
"""Contact darkening reaches this far around a thing."""


class Moving(Protocol):
    """Something that moves: its mesh is the same object for ever, its contents change."""

    mesh: Mesh

    def shown(self) -> bool:
        """Whether it is there at all."""

    def balls(self) -> F64:
        """float64[N, 4]: balls, centre and radius, that fill it, for contact darkening."""


@dataclass
class _Slot:
    """Where one thing lies in the arrays of all that moves, and what it last touched."""

    vertices: slice
    triangles: slice
    shown: bool = False
    bounds: np.ndarray = field(default_factory=lambda: np.zeros(4, np.int64))
    light_bounds: dict[int, np.ndarray] = field(default_factory=dict)


class Scene:
    """Draws pictures of one world.

    Attributes:
        near: float32[2H, 2W] nearness of the last picture, with what moves.
        ids: int32[2H, 2W]: 0, or 1 + triangle of what moves.
        starts: int64[N + 1]: first triangle of each thing that moves.
    """

    def __init__(
        self, camera: Camera, wind: float, lighting: Lighting, wet: float, cloud: float, seed: int,
        atlas: U8, ground: Mesh, structures: Mesh, moving: list[Moving], middle_m: F64,
    ) -> None:  # fmt: skip
        self.camera, self.lighting, self.cloud, self.seed = camera, lighting, cloud, seed
        self.distorter = Distorter(camera, wind)
        self.look = (surfaces(), mips(atlas), LEVEL_STARTS.astype(np.int64))
        self.table = tone_table(lighting.exposure)
        self.maps = ShadowMaps(lighting, wet, middle_m)
        self.maps.add_still(structures)
        self.still = Still(self.distorter, ground, structures)
        self.moving = moving
        self._lay_out(moving)
        height, width = self.distorter.height_px, self.distorter.width_px
        self.near = np.zeros((height * DENSITY, width * DENSITY), np.float32)
        self.ids = np.zeros((height * DENSITY, width * DENSITY), np.int32)
        self.factors = np.ones((PARTS - 1, height, width), np.float32)
        self.still_buffer = np.zeros((height, width, 3), np.uint8)
        self.buffer = np.zeros((height, width, 3), np.uint8)
        self.still_picture = np.zeros((camera.height_px, camera.width_px, 3), np.uint8)
        self.stamp = np.zeros((height, width), np.int32)
        self._now = 0
        self._boxes = np.zeros((8 * len(moving) + 1, 4), np.int64)
        self._dirty = self._boxes[:0]
        self._count = 0
        self._turn = np.zeros((3, 3))

    def _lay_out(self, moving: list[Moving]) -> None:
        mesh = joined([thing.mesh for thing in moving])
        self.mesh = Mesh(
            *(
                np.ascontiguousarray(a)
                for a in (
                    mesh.vertices,
                    mesh.normals,
                    mesh.albedo,
                    mesh.uv,
                    mesh.triangles,
                    mesh.material,
                )
            )
        )
        self.seen = np.zeros((len(mesh.vertices), 3))
        self.slots: list[_Slot] = []
        vertex = triangle = 0
        for thing in moving:
            end, last = vertex + len(thing.mesh.vertices), triangle + len(thing.mesh.triangles)
            self.slots.append(_Slot(slice(vertex, end), slice(triangle, last)))
            vertex, triangle = end, last
        self.starts = np.array([0] + [s.triangles.stop for s in self.slots], np.int64)

    def light(self, t_ms: float) -> None:
        """Sees to it that the lamps are those of this moment; the still picture is lit again."""
        if self.maps.switch(t_ms):
            self._turn[:] = 0.0

    def face(self, turn: F64) -> None:
        """Sees to it that the still picture is of this orientation, float64[3, 3]."""
        if np.array_equal(turn, self._turn):
            return
        self._turn = turn.copy()
        self.ids[:] = 0
        self.still.draw(turn, self.lighting, self.maps, self.look, self.cloud, self.seed, self.ids)
        self.near[:] = self.still.near
        self.factors[:] = 1
        _tone_all(self.still.parts, self.table, self.still_buffer)
        self.buffer[:] = self.still_buffer
        height, width = self.still_picture.shape[:2]
        self.distorter.part(self.buffer, (0, 0, width, height), self.still_picture)
        self._dirty = self._boxes[:0]

    def draw(self, turn: F64, sway: F64 | None, picture: U8) -> None:
        """Draws what the camera sees now.

        Args:
            turn: float64[3, 3], world to camera without sway.
            sway: float64[3, 3], or None when the mast stands still.
            picture: uint8[H, W, 3], written.
        """
        self.face(turn)
        self._restore()
        for slot, thing in zip(self.slots, self.moving, strict=True):
            slot.shown = thing.shown()
            if slot.shown:
                self._load(slot, thing)
        for slot, thing in zip(self.slots, self.moving, strict=True):
            if slot.shown:
                self._lay(slot, thing)
        mesh = (self.seen, self.mesh.normals, self.mesh.albedo, self.mesh.uv, self.mesh.triangles,
                self.mesh.material)  # fmt: skip
        self._count = merge(self._boxes, self._count)
        self._dirty = self._boxes[: self._count].copy()
        self._now += 1
        for bounds in self._dirty:
            compose(bounds, self.still.view, mesh, self.look, self.maps.light, 0, self.near,
                    self.ids, self.still.parts, self.factors, self.table, self.stamp, self._now,
                    self.buffer)  # fmt: skip
        if sway is not None:
            self.distorter.whole(self.buffer, sway, picture)
            return
        np.copyto(picture, self.still_picture)
        for bounds in self._dirty:
            self.distorter.part(self.buffer, self.distorter.forward(bounds), picture)

    def span(self, index: int | None) -> np.ndarray:
        """int64[2]: first and one past the last identity of a thing that moves; None: of none."""
        if index is None:
            return np.zeros(2, np.int64)
        part = self.slots[index].triangles
        return np.array([1 + part.start, 1 + part.stop], np.int64)

    def _restore(self) -> None:
        """Takes out of every buffer what the last picture drew."""
        for x1, y1, x2, y2 in self._dirty:
            self.buffer[y1:y2, x1:x2] = self.still_buffer[y1:y2, x1:x2]
            self.factors[:, y1:y2, x1:x2] = 1
            fine = np.s_[y1 * DENSITY : y2 * DENSITY, x1 * DENSITY : x2 * DENSITY]
            self.near[fine] = self.still.near[fine]
            self.ids[fine] = 0
        self._dirty = self._boxes[:0]
        self._count = 0
        for slot in self.slots:
            for row, bounds in slot.light_bounds.items():
                self.maps.clear_moving(row, bounds)
            slot.light_bounds = {}

    def _load(self, slot: _Slot, thing: Moving) -> None:
        """Copies a thing's mesh, and draws it into depth, identity and the lights' maps."""
        mesh, part = thing.mesh, slot.vertices
        self.mesh.vertices[part] = mesh.vertices
        self.mesh.normals[part] = mesh.normals
        self.mesh.albedo[part] = mesh.albedo
        self.mesh.material[slot.triangles] = mesh.material
        view, seen = self.still.view, self.seen[part]
        to_camera(mesh.vertices, view[:3], view[3:12].reshape(3, 3), seen)
        height, width = self.buffer.shape[:2]
        lens = view[12:] / DENSITY
        pinhole_bounds(seen, lens, CLOSE_M, 2, width, height, slot.bounds)
        fine = slot.bounds * DENSITY
        first = 1 + slot.triangles.start
        pinhole(seen, mesh.triangles, mesh.material, first, view[12:], CLOSE_M, True, self.near,
                self.ids, fine)  # fmt: skip
        self._mark(slot.bounds)
        scratch = np.empty_like(seen)
        for row in self.maps.active():
            slot.light_bounds[row] = np.zeros(4, np.int64)
            self.maps.add_moving(row, mesh, scratch, slot.light_bounds[row])

    def _lay(self, slot: _Slot, thing: Moving) -> None:
        """Lays a thing's shadows and contact over the still picture."""
        low, high = np.empty(3), np.empty(3)
        limits(thing.mesh.vertices, low, high)
        still, maps = self.still, self.maps
        reach = 1 + round(2 * self.lighting.sun_softness)
        for row, inside in slot.light_bounds.items():
            source = np.asarray(
                self.lighting.to_sun if row == 0 else maps.views[row, :3], np.float64
            )
            bounds = self._hull_bounds(low, high, source, row == 0)
            lay_shadow(bounds, inside, still.view, still.near, still.normals,
                       still.parts[max(row, 1)], maps.views, row, maps.moving(row), row != 0,
                       reach, self.factors[max(row, 1) - 1])  # fmt: skip
            self._mark(bounds)
        low[:2] -= CONTACT_M
        high[:2] += CONTACT_M
        low[2] = max(low[2] - CONTACT_M, 0)
        high[2] = low[2] + 0.5
        bounds = self._hull_bounds(low, high, np.array([0.0, 0.0, 1.0]), True)
        lay_contact(bounds, still.view, still.near, still.normals, thing.balls(), self.factors[3])
        self._mark(bounds)

    def _hull_bounds(self, low: F64, high: F64, source: F64, parallel: bool) -> np.ndarray:
        points = np.empty((16, 3), np.float32)
        shadow_hull(low, high, source, parallel, points)
        seen, bounds = np.empty((16, 3)), np.zeros(4, np.int64)
        view = self.still.view
        to_camera(points, view[:3], view[3:12].reshape(3, 3), seen)
        height, width = self.buffer.shape[:2]
        pinhole_bounds(seen, view[12:] / DENSITY, CLOSE_M, 1, width, height, bounds)
        return bounds

    def _mark(self, bounds: np.ndarray) -> None:
        if bounds[2] > bounds[0] and bounds[3] > bounds[1]:
            self._boxes[self._count] = bounds
            self._count += 1


def _tone_all(parts: np.ndarray, table: U8, buffer: U8) -> None:
    light = parts.sum(0)
    index = np.sqrt(np.maximum(light, 0) / 16) * 4095 + 0.5
    buffer[:] = table[np.minimum(index, 4095).astype(np.int64)]
