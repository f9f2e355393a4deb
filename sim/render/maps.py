"""Shadow maps of the sun and of the strongest lamps."""

from __future__ import annotations

import math

import numpy as np

from sim.render.extent import parallel_bounds, pinhole_bounds
from sim.render.raster import FAR, parallel, pinhole, to_camera
from sim.render.shade import FADE
from sim.render.tables import F32, F64, SHADOWED_LAMPS, lamp_rows, light_vector, ranked, view_row
from sim.world.lighting import Lighting
from sim.world.mesh import Mesh

NEAR_SIZE, FAR_SIZE, LAMP_SIZE = 2048, 1024, 1024
"""Texels of an edge."""
NEAR_HALF_M, FAR_HALF_M = 24.0, 140.0
"""Half the edge of the sun's maps: the yard at 2.3 cm, and the surroundings."""
YARD_AHEAD_M = 16.0
"""The middle of the near map, ahead of the camera."""
WIDEST_LAMP_DEG = 72.0
LAMP_CLOSE_M = 0.45
"""A lamp's own housing casts no shadow."""
NOTHING = np.zeros((1, 1), np.int32)


class ShadowMaps:
    """What each light sees: `still` once, `moving` in every picture.

    Attributes:
        light: the tuple that the shading kernels take.
    """

    def __init__(self, lighting: Lighting, wet: float, middle_m: F64) -> None:
        self.vector = light_vector(lighting, wet)
        self.lamps = lamp_rows(lighting)
        self._lamps_lit = self.lamps[:, 6:9].copy()
        self._off_ms = np.array([lamp.off_ms for lamp in ranked(lighting)])
        self.sunny = bool(sum(lighting.sun) > 0)
        self.count = min(len(self.lamps), SHADOWED_LAMPS)
        turn = _towards(-np.asarray(lighting.to_sun, np.float64))
        near = NEAR_SIZE / (2 * NEAR_HALF_M)
        far = FAR_SIZE / (2 * FAR_HALF_M)
        rows = [
            view_row(middle_m, turn, (near, NEAR_SIZE / 2, NEAR_SIZE / 2)),
            view_row(middle_m, turn, (far, FAR_SIZE / 2, FAR_SIZE / 2)),
        ]
        rows += [_lamp_view(row) for row in self.lamps[:SHADOWED_LAMPS]]
        rows += [np.zeros(15)] * (2 + SHADOWED_LAMPS - len(rows))
        self.views = np.stack(rows)
        sun, lamp = NEAR_SIZE if self.sunny else 4, LAMP_SIZE if self.count else 4
        self.sun_near = np.full((sun, sun), FAR, np.float32)
        self.sun_far = np.full((FAR_SIZE if self.sunny else 4,) * 2, FAR, np.float32)
        self.sun_moving = np.full((sun, sun), FAR, np.float32)
        self.lamp_still = np.zeros((SHADOWED_LAMPS, lamp, lamp), np.float32)
        self.lamp_moving = np.zeros((SHADOWED_LAMPS, lamp, lamp), np.float32)
        self.light = (
            self.vector, self.lamps, self.views, self.sun_near, self.sun_far, self.lamp_still,
            self.sun_moving, self.lamp_moving,
        )  # fmt: skip

    def add_still(self, mesh: Mesh) -> None:
        """Draws what stands into every light's map."""
        seen = np.empty((len(mesh.vertices), 3))
        if self.sunny:
            for row, grid in ((0, self.sun_near), (1, self.sun_far)):
                whole = np.array([0, 0, *grid.shape], np.int64)
                self._draw(row, mesh.vertices, mesh.triangles, mesh.material, seen, grid, whole)
        for k in range(self.count):
            whole = np.array([0, 0, LAMP_SIZE, LAMP_SIZE], np.int64)
            grid = self.lamp_still[k]
            self._draw(2 + k, mesh.vertices, mesh.triangles, mesh.material, seen, grid, whole)

    def switch(self, t_ms: float) -> bool:
        """Lamps that have gone out by now give no light. Returns whether some just did, or do."""
        is_lit = (self._off_ms == 0.0) | (t_ms < self._off_ms)
        now = self._lamps_lit * is_lit[:, None]
        changed = not np.array_equal(now, self.lamps[:, 6:9])
        self.lamps[:, 6:9] = now
        return changed

    def active(self) -> list[int]:
        """Rows of the views whose light casts shadows of what moves: 0 sun, 2 and 3 lamps."""
        return ([0] if self.sunny else []) + [2 + k for k in range(self.count)]

    def moving(self, row: int) -> F32:
        """The map of what moves, of one row of the views."""
        return self.sun_moving if row == 0 else self.lamp_moving[row - 2]

    def add_moving(self, row: int, mesh: Mesh, seen: F64, bounds: np.ndarray) -> None:
        """Draws one thing that moves into one light's map, and says where.

        Args:
            seen: float64[V, 3], scratch.
            bounds: int64[4], written: the rectangle in the map.
        """
        grid, view = self.moving(row), self.views[row]
        to_camera(mesh.vertices, view[:3], view[3:12].reshape(3, 3), seen)
        if row == 0:
            parallel_bounds(seen, view[12:], 1, *grid.shape, bounds)
        else:
            pinhole_bounds(seen, view[12:], LAMP_CLOSE_M, 1, *grid.shape, bounds)
        self._draw(row, None, mesh.triangles, mesh.material, seen, grid, bounds)

    def clear_moving(self, row: int, bounds: np.ndarray) -> None:
        """Takes out what add_moving drew."""
        x1, y1, x2, y2 = bounds
        self.moving(row)[y1:y2, x1:x2] = FAR if row == 0 else 0

    def _draw(self, row, vertices, triangles, material, seen, grid, bounds) -> None:  # type: ignore[no-untyped-def]
        view = self.views[row]
        if vertices is not None:
            to_camera(vertices, view[:3], view[3:12].reshape(3, 3), seen)
        if row < 2:
            parallel(seen, triangles, material, view[12:], grid, bounds)
        else:
            close, lens = LAMP_CLOSE_M, view[12:]
            pinhole(seen, triangles, material, -1, lens, close, False, grid, NOTHING, bounds)


def _towards(direction: F64) -> F64:
    """float64[3, 3]: axes whose z is a direction."""
    helper = np.array([0.0, 0.0, 1.0]) if abs(direction[2]) < 0.99 else np.array([0.0, 1.0, 0.0])
    right = np.cross(direction, helper)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction])


def _lamp_view(row: F32) -> F64:
    half = math.acos(max(float(row[9]) - FADE, math.cos(math.radians(WIDEST_LAMP_DEG))))
    half = min(half, math.radians(WIDEST_LAMP_DEG))
    lens = (LAMP_SIZE / 2 / math.tan(half), LAMP_SIZE / 2, LAMP_SIZE / 2)
    return view_row(row[:3].astype(np.float64), _towards(row[3:6].astype(np.float64)), lens)
