"""What people carry: boxes, planks, buckets and pipes. Metres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.people.lofts import Tailor
from sim.people.rig import Bone
from sim.world.config import Load
from sim.world.materials import Material

F64 = npt.NDArray[np.float64]


def _bar(half: float, wide: float, tall: float, around: int) -> F64:
    """Rings of a bar along y, this far each way."""
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False) + np.pi / around
    size = 1 / np.cos(np.pi / around) if around == 4 else 1.0
    x, z = np.cos(angle) * wide / 2 * size, np.sin(angle) * tall / 2 * size
    ends = np.array([-half, -half + 1e-3, half - 1e-3, half])
    return np.stack([np.stack([x, np.full(around, y), z], -1) for y in ends])


def add_load(tailor: Tailor, load: Load) -> None:
    """The load around the rest place of the bone LOAD, which the person puts in the hands."""
    match load:
        case "box":
            paint = tailor.paint("#b08a54", Material.WOOD)
            tailor.loft(_bar(0.16, 0.42, 0.30, 4), Bone.LOAD, paint, "load")
        case "plank":
            paint = tailor.paint("#c8a468", Material.WOOD)
            tailor.loft(_bar(1.2, 0.18, 0.04, 4), Bone.LOAD, paint, "load")
        case "pipe":
            paint = tailor.paint("#9aa0a4", Material.METAL)
            tailor.loft(_bar(1.3, 0.07, 0.07, 10), Bone.LOAD, paint, "load")
        case "bucket":
            _add_bucket(tailor)


def _add_bucket(tailor: Tailor) -> None:
    """Hangs below the hand by its handle."""
    paint = tailor.paint("#2a2c2e", Material.RUBBER)
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    rows = ((0.10, -0.46), (0.14, -0.19), (0.146, -0.18), (0.13, -0.185), (0.11, -0.28))
    rings = np.stack([ring * r + [0, 0, z] for r, z in rows])
    tailor.loft(rings, Bone.LOAD, paint, "load")
    wire = tailor.paint("#8a8c8e", Material.METAL)
    bow = np.linspace(0, np.pi, 9)
    small = np.linspace(0, 2 * np.pi, 5, endpoint=False)
    rings = np.stack([
        np.stack([0.004 * np.cos(small),
                  0.14 * np.cos(b) + 0.004 * np.sin(small) * np.cos(b),
                  -0.18 + 0.18 * np.sin(b) + 0.004 * np.sin(small) * np.sin(b)], -1)
        for b in bow
    ])  # fmt: skip
    tailor.loft(rings, Bone.LOAD, wire, "load")
