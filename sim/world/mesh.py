"""Triangles with colours: what everything in the world is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.world.materials import Material

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]


@dataclass
class Mesh:
    """A set of triangles. What moves keeps its arrays and writes new vertices into them.

    Attributes:
        vertices: float32[V, 3], metres in the world.
        normals: float32[V, 3], unit length, outwards; equal at shared corners of smooth surfaces.
        albedo: float32[V, 3], blue, green, red; linear light, 0 to 1.
        uv: float32[V, 2], where in the material's texture, metres.
        triangles: int32[T, 3], counter-clockwise seen from outside.
        material: uint8[T], a Material.
    """

    vertices: F32
    normals: F32
    albedo: F32
    uv: F32
    triangles: I32
    material: U8

    def moved(self, rotation: npt.NDArray[np.floating], offset_m: Sequence[float]) -> Mesh:
        """A copy, turned by a 3x3 matrix and then shifted."""
        turn = np.asarray(rotation, np.float32)
        return Mesh(
            self.vertices @ turn.T + np.asarray(offset_m, np.float32),
            self.normals @ turn.T,
            self.albedo.copy(),
            self.uv.copy(),
            self.triangles.copy(),
            self.material.copy(),
        )


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of many; an empty one of none."""
    if not meshes:
        none = np.zeros((0, 3), np.float32)
        no_triangles = np.zeros((0, 3), np.int32)
        no_uv = np.zeros((0, 2), np.float32)
        return Mesh(none, none, none, no_uv, no_triangles, np.zeros(0, np.uint8))
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.albedo for mesh in meshes]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([m.triangles + np.int32(s) for m, s in zip(meshes, starts, strict=True)]),
        np.concatenate([mesh.material for mesh in meshes]),
    )


def linear(colour: str) -> tuple[float, float, float]:
    """`#rrggbb` (sRGB) as linear blue, green, red."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    b, g, r = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (blue, green, red)
    )
    return b, g, r


def one_material(mesh: Mesh, material: Material) -> Mesh:
    """The same mesh, all of one material."""
    mesh.material[:] = material
    return mesh
