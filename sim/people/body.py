"""A whole body: the rest mesh of one person, and how it follows the bones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.people import head, limbs, torso
from sim.people.appearance import Look
from sim.people.loads import add_load
from sim.people.lofts import HIDEABLE, Skin, Tailor
from sim.people.rig import Bone, rest_joints
from sim.people.skinning import blends, skin
from sim.world.config import Load
from sim.world.mesh import Mesh

F64 = npt.NDArray[np.float64]
KEYPOINTS = 17
_JOINTS = (
    Bone.L_UPPER_ARM, Bone.R_UPPER_ARM, Bone.L_FOREARM, Bone.R_FOREARM, Bone.L_HAND, Bone.R_HAND,
    Bone.L_THIGH, Bone.R_THIGH, Bone.L_SHIN, Bone.R_SHIN, Bone.L_FOOT, Bone.R_FOOT,
)  # fmt: skip
"""COCO's keypoints 5 to 16."""


class Body:
    """The mesh of one person, moved in place.

    Args:
        look: of the person.
        helmet, vest: whether these are ever worn.
        load: what is carried.
    """

    def __init__(self, look: Look, helmet: bool, vest: bool, load: Load) -> None:
        tailor = Tailor()
        torso.add_trunk(tailor, look)
        torso.add_neck(tailor, look)
        head.add_head(tailor, look)
        for side in (-1, 1):
            limbs.add_arm(tailor, look, side)
            limbs.add_leg(tailor, look, side)
        if helmet:
            head.add_helmet(tailor, look)
        if vest:
            torso.add_vest(tailor, look)
        if load:
            add_load(tailor, load)
        skin_ = tailor.sewn()
        self.rest = rest_joints(look.height_m, look.broad)
        self.face = head.face_points(look.height_m)
        self._prepare(skin_)
        self.hidden = np.zeros(len(HIDEABLE), np.bool_)

    def _prepare(self, cloth: Skin) -> None:
        self._points = cloth.points.astype(np.float32)
        self._normals = cloth.normals.astype(np.float32)
        self._part = cloth.part
        mix = np.concatenate([cloth.bones, np.round(cloth.weights * 1000).astype(np.int64)], 1)
        _, first, self._group = np.unique(mix, axis=0, return_index=True, return_inverse=True)
        self._group = self._group.reshape(-1)
        self._bones, self._weights = cloth.bones[first].copy(), cloth.weights[first].copy()
        self._move = np.zeros((len(first), 3, 4))
        self._dual = np.zeros((len(Bone), 8))
        load = HIDEABLE.index("load")
        self.vertices = int((cloth.part != load).sum())
        self.triangles = int((cloth.part[cloth.triangles[:, 0]] != load).sum())
        self.mesh = Mesh(
            self._points.copy(), self._normals.copy(), cloth.colours.astype(np.float32),
            cloth.uv.astype(np.float32), np.ascontiguousarray(cloth.triangles, np.int32),
            cloth.material,
        )  # fmt: skip

    def move(self, turn: F64, at: F64) -> float:
        """Carries the mesh along with the bones.

        Args:
            turn, at: float64[B, 3, 3], float64[B, 3]: where the bones are.

        Returns:
            the lowest z of the body, without what is carried.
        """
        blends(turn, at, self.rest, self._bones, self._weights, self._dual, self._move)
        return float(skin(
            self._points, self._normals, self._group, self._part, self.hidden, self._move,
            self.mesh.vertices, self.mesh.normals,
        ))  # fmt: skip

    def keypoints(self, turn: F64, at: F64, out: F64) -> None:
        """COCO's keypoints in metres: out float64[17, 3], written."""
        out[:5] = (self.face - self.rest[Bone.HEAD]) @ turn[Bone.HEAD].T + at[Bone.HEAD]
        out[5:] = at[list(_JOINTS)]
