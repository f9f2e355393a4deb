"""What stands still, drawn and lit once for one orientation of the camera."""

from __future__ import annotations

import numpy as np

from sim.render.distort import Distorter
from sim.render.jit import entry, kernel
from sim.render.maps import ShadowMaps
from sim.render.overlay import place
from sim.render.raster import pinhole, to_camera
from sim.render.resolve import DENSITY, light_still
from sim.render.shade import PARTS
from sim.render.sky import blurred, sky
from sim.render.tables import F32, F64, U8, view_row
from sim.world.lighting import Lighting
from sim.world.mesh import Mesh, joined

CLOSE_M = 0.08
AO_RADIUS_M = 1.0
AO_TAPS = 20
AO_STRENGTH = 1.8
"""Darkening of corners: how far they reach, in how many looks, and how dark."""


@entry
def occlusion(view, near, normals, radius, taps, strength, out):  # type: ignore[no-untyped-def]
    """Light from all around that corners keep away, from the depth buffer alone.

    After M. Mittring, Finding next gen: CryEngine 2 (SIGGRAPH 2007), with normals and a spiral of
    taps that is turned from pixel to pixel.

    Args:
        out: float32[H, W], written: 0 dark to 1 open.
    """
    scratch = (
        np.empty(3),
        np.empty(3),
    )
    _occlusion(view, near, normals, radius, taps, strength, out, scratch)


@kernel
def _occlusion(view, near, normals, radius, taps, strength, out, scratch):  # type: ignore[no-untyped-def]
    point, other = scratch
    height, width = out.shape
    for row in range(height):
        for column in range(width):
            out[row, column] = 1
            if not place(row, column, view, near, point):
                continue
            depth = 1.0 / near[row * DENSITY, column * DENSITY]
            reach = min(radius * view[12] / DENSITY / depth, 60.0)
            if reach < 1:
                continue
            nx, ny, nz = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            turn = ((row * 3 + column * 7) % 16) * 0.3927
            hidden = 0.0
            for k in range(taps):
                angle = turn + k * 2.39996
                length = reach * np.sqrt((k + 0.5) / taps)
                i, j = column + int(length * np.cos(angle)), row + int(length * np.sin(angle))
                if i < 0 or j < 0 or i >= width or j >= height:
                    continue
                if not place(j, i, view, near, other):
                    continue
                dx, dy, dz = other[0] - point[0], other[1] - point[1], other[2] - point[2]
                away = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6
                facing = (nx * dx + ny * dy + nz * dz) / away
                if facing > 0.12 and away < 2 * radius:
                    hidden += facing * (1 - away / (2 * radius))
            out[row, column] = max(1 - strength * 2 * hidden / taps, 0.25)


class Still:
    """Buffers of the still picture, made once and filled again after a knock.

    Attributes:
        view: float64[15], the camera; its lens in samples.
        near: float32[2H, 2W], nearness.
        parts: float32[PARTS, H, W, 3], linear light (see shade.py).
        normals: float32[H, W, 3].
    """

    def __init__(self, distorter: Distorter, ground: Mesh, structures: Mesh) -> None:
        self.distorter = distorter
        self.meshes = (ground, structures)
        height, width = distorter.height_px, distorter.width_px
        self.near = np.zeros((height * DENSITY, width * DENSITY), np.float32)
        self.parts = np.zeros((PARTS, height, width, 3), np.float32)
        self.normals = np.zeros((height, width, 3), np.float32)
        self.view = np.zeros(15)

    def draw(
        self, turn: F64, lighting: Lighting, maps: ShadowMaps, look: tuple[F32, U8, np.ndarray],
        cloud: float, seed: int, ids: np.ndarray,
    ) -> None:  # fmt: skip
        """Draws and lights everything anew for one orientation.

        Args:
            ids: int32[2H, 2W], scratch; 0 before and after.
        """
        camera, lens = self.distorter.camera, np.array(self.distorter.lens) * DENSITY
        self.view[:] = view_row(camera.at_m, turn, (lens[0], lens[1], lens[2]))
        self.near[:] = 0
        whole = np.array([0, 0, ids.shape[1], ids.shape[0]], np.int64)
        hit = np.empty(self.normals.shape[:2], np.float32)
        reach = 1 + round(2 * lighting.sun_softness)
        joined_mesh, seen = self._seen(turn)
        normals, albedo, uv, triangles, material = joined_mesh
        pinhole(seen, triangles, material, 1, self.view[12:], CLOSE_M, True, self.near, ids, whole)
        mesh = (seen, normals, albedo, uv, triangles, material)
        light_still(self.view, mesh, look, maps.light, reach, self.near, ids, 1, self.parts,
                    self.normals, hit)  # fmt: skip
        ids[:] = 0
        open_share = np.empty_like(hit)
        occlusion(self.view, self.near, self.normals, AO_RADIUS_M, AO_TAPS, AO_STRENGTH, open_share)
        self.parts[4] *= blurred(open_share, 1.2)[..., None]
        self._add_sky(turn, lighting, cloud, seed, hit)

    def _seen(self, turn: F64):  # type: ignore[no-untyped-def]
        mesh = joined(self.meshes)
        seen = np.empty((len(mesh.vertices), 3))
        to_camera(mesh.vertices, self.distorter.camera.at_m, turn, seen)
        return (mesh.normals, mesh.albedo, mesh.uv, mesh.triangles, mesh.material), seen

    def _add_sky(self, turn: F64, lighting: Lighting, cloud: float, seed: int, hit: F32) -> None:
        f, cx, cy = self.distorter.lens
        rows, columns = np.nonzero(hit < 1)
        ideal = np.stack([(columns + 0.5 - cx) / f, (rows + 0.5 - cy) / f, np.ones(len(rows))], 1)
        rays = ideal @ turn
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        share = (1 - hit[rows, columns])[:, None]
        self.parts[0, rows, columns] += share * sky(rays, lighting, cloud, seed)
