"""A body's surface as it is built: tubes of rings, painted, with a weight for every bone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.people.rig import Bone
from sim.world.materials import MATERIALS, Material
from sim.world.mesh import linear

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Paint = tuple[str, Material]
"""`#rrggbb` and what it is made of."""
Weigh = Callable[[F64], F64]
"""Points [N, 3] in metres to weights [N, bones]."""
INFLUENCES = 3
WEIGHT_STEPS = 24
"""Weights are rounded to 1/24, so that many vertices share one transform."""
BARE = -1
"""Paint of a quad that is left out."""
HIDEABLE = ("body", "hair", "helmet", "vest", "load")
"""Parts of a person, in the order of their vertices; the load comes last."""


@dataclass
class Skin:
    """The finished surface in the rest pose.

    Attributes:
        points, normals: float64[V, 3].
        uv: float64[V, 2], metres.
        colours: float64[V, 3], linear BGR.
        part: int64[V], row of HIDEABLE.
        bones, weights: int64[V, 3], float64[V, 3].
        triangles: int64[T, 3].
        material: uint8[T].
    """

    points: F64
    normals: F64
    uv: F64
    colours: F64
    part: I64
    bones: I64
    weights: F64
    triangles: I64
    material: npt.NDArray[np.uint8]


@dataclass
class Tailor:
    """Sews a Skin from lofts."""

    pieces: list[tuple[F64, F64, F64, F64, I64, I64, I64, I64]] = field(default_factory=list)
    paints: list[Paint] = field(default_factory=list)

    def paint(self, colour: str, material: Material = Material.CLOTH) -> int:
        """The number of a paint."""
        self.paints.append((colour, material))
        return len(self.paints) - 1

    def loft(
        self,
        rings: F64,
        weigh: Weigh | Bone,
        paint: int | I64,
        part: str = "body",
        caps: tuple[bool, bool] = (True, True),
        closed: bool = True,
    ) -> None:
        """A tube through rings.

        Args:
            rings: float64[R, S, 3], metres; outwards is found from the shape.
            weigh: weights, or the one bone it follows.
            paint: one number, or int64[R - 1, S] with BARE for holes.
            part: what it belongs to.
            caps: whether the first and the last ring are closed.
            closed: whether a ring's last point joins its first.
        """
        count, around = rings.shape[:2]
        labels = np.broadcast_to(np.asarray(paint), (count - 1, around)).astype(np.int64)
        points = np.concatenate([rings, rings[:, :1]], 1) if closed else rings
        columns = points.shape[1]
        labels = labels[:, : columns - 1]
        grid = np.arange(count * columns).reshape(count, columns)
        a, b = grid[:-1, :-1], grid[:-1, 1:]
        c, d = grid[1:, 1:], grid[1:, :-1]
        triangles = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2).reshape(-1, 3)
        marks = np.repeat(labels.reshape(-1), 2)
        flat = points.reshape(-1, 3)
        uv = _unrolled(points)
        if closed:
            flat, uv, triangles, marks = _capped(points, flat, uv, triangles, marks, labels, caps)
        keep = marks != BARE
        self._add(flat, uv, triangles[keep], marks[keep], triangles, weigh, part)

    def patch(self, corners: F64, weigh: Weigh | Bone, paint: int, part: str = "body") -> None:
        """A flat fan around the first point; corners [N, 3] counter-clockwise from outside."""
        count = len(corners)
        fan = np.array([(0, i, i + 1) for i in range(1, count - 1)], np.int64)
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        normals = np.tile(normal / np.linalg.norm(normal), (count, 1))
        self._keep(
            corners, normals, np.zeros((count, 2)), fan, np.full(len(fan), paint), weigh, part
        )

    def _add(
        self,
        flat: F64,
        uv: F64,
        triangles: I64,
        marks: I64,
        whole: I64,
        weigh: Weigh | Bone,
        part: str,
    ) -> None:
        faces = np.cross(
            flat[whole[:, 1]] - flat[whole[:, 0]], flat[whole[:, 2]] - flat[whole[:, 0]]
        )
        middle = flat[whole].mean(1)
        if np.sum(faces * (middle - flat.mean(0))) < 0:
            triangles, faces = triangles[:, ::-1], -faces
        _, same = np.unique(np.round(flat, 6), axis=0, return_inverse=True)
        same = same.reshape(-1)
        sums = np.zeros((same.max() + 1, 3))
        for corner in range(3):
            np.add.at(sums, same[whole[:, corner]], faces)
        normals = sums[same]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        self._keep(flat, normals, uv, triangles, marks, weigh, part)

    def _keep(
        self,
        points: F64,
        normals: F64,
        uv: F64,
        triangles: I64,
        marks: I64,
        weigh: Weigh | Bone,
        part: str,
    ) -> None:
        """Split where paints meet: a vertex has one colour."""
        keys = triangles * 4096 + marks[:, None]
        unique, corners = np.unique(keys.reshape(-1), return_inverse=True)
        source, mark = unique // 4096, unique % 4096
        if callable(weigh) and not isinstance(weigh, Bone):
            weights = weigh(points[source])
        else:
            weights = np.zeros((len(source), len(Bone)))
            weights[:, weigh] = 1
        self.pieces.append((
            points[source], normals[source], uv[source], weights, mark,
            corners.reshape(-1, 3), marks, np.full(len(source), HIDEABLE.index(part)),
        ))  # fmt: skip

    def sewn(self) -> Skin:
        """Everything so far as one surface, the load last."""
        pieces = sorted(self.pieces, key=lambda piece: int(piece[7][0]))
        starts = np.cumsum([0] + [len(piece[0]) for piece in pieces[:-1]])
        colours = np.array([linear(colour) for colour, _ in self.paints])
        materials = np.array([int(material) for _, material in self.paints], np.uint8)
        weights = np.concatenate([piece[3] for piece in pieces])
        bones = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
        top = np.take_along_axis(weights, bones, 1)
        top = np.round(top / top.sum(1, keepdims=True) * WEIGHT_STEPS)
        return Skin(
            np.concatenate([piece[0] for piece in pieces]),
            np.concatenate([piece[1] for piece in pieces]),
            np.concatenate([piece[2] for piece in pieces]),
            colours[np.concatenate([piece[4] for piece in pieces])],
            np.concatenate([piece[7] for piece in pieces]),
            bones,
            top / top.sum(1, keepdims=True),
            np.concatenate([piece[5] + start for piece, start in zip(pieces, starts, strict=True)]),
            materials[np.concatenate([piece[6] for piece in pieces])],
        )


def _unrolled(points: F64) -> F64:
    """Texture places: along the rings' columns and around, whole tiles around."""
    tile = MATERIALS[Material.CLOTH].tile_m
    along = np.zeros(points.shape[:2])
    along[1:] = np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=2).mean(1))[:, None]
    girth = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1).mean()
    tiles = max(1.0, np.round(girth / tile))
    around = np.linspace(0, tiles * tile, points.shape[1])
    both: F64 = np.stack([np.broadcast_to(around, along.shape), along], -1)
    return both.reshape(-1, 2)


def _capped(
    points: F64,
    flat: F64,
    uv: F64,
    triangles: I64,
    marks: I64,
    labels: I64,
    caps: tuple[bool, bool],
) -> tuple[F64, F64, I64, I64]:
    """The tube with its ends closed by fans."""
    count, columns = points.shape[:2]
    for end, row, mark in ((0, 0, labels[0]), (1, count - 1, labels[-1])):
        if not caps[end]:
            continue
        pole = len(flat)
        flat = np.concatenate([flat, points[row, :-1].mean(0, keepdims=True)])
        uv = np.concatenate([uv, uv[row * columns : row * columns + 1]])
        ring = row * columns + np.arange(columns)
        first, second = (ring[1:], ring[:-1]) if end == 0 else (ring[:-1], ring[1:])
        fan = np.stack([first, second, np.full(columns - 1, pole)], -1)
        triangles = np.concatenate([triangles, fan])
        marks = np.concatenate([marks, mark])
    return flat, uv, triangles, marks


def ovals(
    table: Sequence[Sequence[float]] | F64,
    around: int,
    power: float = 2.0,
    phases: F64 | None = None,
) -> F64:
    """Rings across z from rows (z, half width, front, back, middle x, middle y).

    Front and back are depths from the middle, both positive. Columns begin at the front and go to
    the person's right; a power above 2 makes rings squarer (superellipse).
    """
    rows = np.array([list(row) + [0.0] * (6 - len(row)) for row in table])
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False) if phases is None else phases
    c, s = np.cos(angle), np.sin(angle)
    cx = np.sign(s) * np.abs(s) ** (2 / power)
    cy = np.sign(c) * np.abs(c) ** (2 / power)
    depth = np.where(cy[None] > 0, rows[:, 2:3], rows[:, 3:4])
    x = rows[:, 4:5] + rows[:, 1:2] * cx
    y = rows[:, 5:6] + depth * cy
    z = np.broadcast_to(rows[:, :1], x.shape)
    return np.stack([x, y, z], -1)


def ramp(value: F64, start: float, end: float) -> F64:
    """0 at start, 1 at end, smooth between (either order)."""
    share = np.clip((value - start) / (end - start), 0, 1)
    smooth: F64 = share * share * (3 - 2 * share)
    return smooth


def blend_along(points_z: F64, steps: Sequence[tuple[float, float, int]], first: int) -> F64:
    """Weights of a chain of bones along z.

    Args:
        points_z: [N].
        steps: for each joint (z where the next bone begins to pull, z where it has all, bone).
        first: the bone before the first joint.

    Returns:
        [N, bones].
    """
    weights = np.zeros((len(points_z), len(Bone)))
    weights[:, first] = 1
    for start, end, bone in steps:
        share = ramp(points_z, start, end)
        weights *= (1 - share)[:, None]
        weights[:, bone] += share
    return weights
