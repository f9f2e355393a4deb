"""Head, face, ears, hair and helmet. All lengths in shares of body height until they are lofted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.people.appearance import Look, shaded
from sim.people.lofts import BARE, Tailor, ovals
from sim.people.rig import SOLE, Bone
from sim.world.materials import Material

F64 = npt.NDArray[np.float64]
# z, half width, front, back; middle at y = FORWARD. Head breadth 0.089, length 0.113, height 0.130
# of stature (Farkas, Anthropometry of the Head and Face)
SHAPE = np.array([
    (0.870, 0.027, 0.055, 0.020), (0.878, 0.034, 0.0575, 0.034),
    (0.888, 0.0385, 0.0560, 0.046), (0.898, 0.0410, 0.0545, 0.0530),
    (0.908, 0.0430, 0.0540, 0.0560), (0.918, 0.0440, 0.0545, 0.0575),
    (0.928, 0.0445, 0.0535, 0.0585), (0.938, 0.0448, 0.0560, 0.0590),
    (0.950, 0.0445, 0.0555, 0.0585), (0.962, 0.0430, 0.0525, 0.0565),
    (0.974, 0.0395, 0.0460, 0.0515), (0.985, 0.0330, 0.0360, 0.0420),
    (0.994, 0.0210, 0.0220, 0.0270), (0.999, 0.0090, 0.0090, 0.0110),
])  # fmt: skip
FORWARD = 0.004
PHASES = np.radians([0, 8, 18, 32, 50, 70, 92, 115, 140, 162, 180])
PHASES = np.concatenate([PHASES, 2 * np.pi - PHASES[-2:0:-1]])
"""Columns of the head: close together at the nose."""
HAIR_LIFT = {"bald": 0.0, "buzz": 0.0015, "short": 0.005, "full": 0.009, "long": 0.008}
EYE_Z, EYE_DEG = 0.931, 23.0
HELMET_Z = 0.9495
HELMETS_SECTIONS = np.array([
    (0.9495, 0.0585, 0.069, 0.070), (0.9610, 0.0580, 0.068, 0.069), (0.9750, 0.0555, 0.064, 0.066),
    (0.9910, 0.0500, 0.057, 0.059), (1.0050, 0.0400, 0.045, 0.047), (1.0150, 0.0260, 0.029, 0.031),
    (1.0200, 0.0110, 0.012, 0.013),
])  # fmt: skip


def surface(z: float, deg: float) -> F64:
    """A point on the face, without nose and lips."""
    wide, front, back = (float(np.interp(z, SHAPE[:, 0], SHAPE[:, k])) for k in (1, 2, 3))
    c, s = np.cos(np.radians(deg)), np.sin(np.radians(deg))
    return np.array([wide * s, FORWARD + (front if c > 0 else back) * c, z])


def _rings() -> F64:
    rows = np.column_stack([SHAPE, 0 * SHAPE[:, 0], 0 * SHAPE[:, 0] + FORWARD])
    rings = ovals(rows, len(PHASES), 2.1, PHASES)
    deg = np.degrees(np.minimum(PHASES, 2 * np.pi - PHASES))
    z = SHAPE[:, 0][:, None]
    nose = np.clip((0.940 - z) / 0.036, 0, 1) * (z > 0.896) * np.exp(-((deg / 11) ** 2))
    lips = np.exp(-(((z - 0.887) / 0.006) ** 2)) * np.exp(-((deg / 22) ** 2))
    socket = np.exp(-(((z - EYE_Z) / 0.007) ** 2)) * np.exp(-(((deg - EYE_DEG) / 11) ** 2))
    rings[..., 1] += 0.0155 * nose + 0.002 * lips - 0.0032 * socket
    return rings


def _lifted(points: F64, height_m: float) -> F64:
    lifted: F64 = (points + np.array([0, 0, SOLE])) * height_m
    return lifted


def add_head(tailor: Tailor, look: Look) -> None:
    """Skull and face, ears, eyes, brows, mouth, beard."""
    skin = tailor.paint(look.skin, Material.SKIN)
    rings = _rings()
    labels = np.full((len(SHAPE) - 1, len(PHASES)), skin, np.int64)
    if look.beard:
        deg = np.degrees(np.minimum(PHASES, 2 * np.pi - PHASES))
        middle = (SHAPE[1:, 0] + SHAPE[:-1, 0]) / 2
        jaw = (middle[:, None] < 0.897) & (deg[None] < 100) | (
            (middle[:, None] < 0.918) & (deg[None] > 60) & (deg[None] < 90)
        )
        labels[jaw] = tailor.paint(look.hair_colour, Material.HAIR)
    tailor.loft(_lifted(rings, look.height_m), Bone.HEAD, labels)
    _add_ears(tailor, look, skin)
    _add_face(tailor, look)
    _add_hair(tailor, look, rings)


def _add_ears(tailor: Tailor, look: Look, skin: int) -> None:
    for side in (-1, 1):
        rows = [(0.905, 0.002, 0.003, 0.003), (0.911, 0.004, 0.006, 0.007),
                (0.923, 0.005, 0.008, 0.011), (0.935, 0.005, 0.009, 0.011),
                (0.941, 0.002, 0.004, 0.005)]  # fmt: skip
        ear = ovals(rows, 6)
        ear[..., 0] += side * (0.0455 + 0.12 * (ear[..., 2] - 0.905))
        ear[..., 1] += -0.004
        tailor.loft(_lifted(ear, look.height_m), Bone.HEAD, skin)


def _oval(middle: F64, wide: float, tall: float, out: float, deg: float) -> F64:
    """Eight corners on the face around a point, facing the way of `deg`."""
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    c, s = np.cos(np.radians(deg)), np.sin(np.radians(deg))
    along = np.array([-c, s, 0.0])
    forward = np.array([s, c, 0.0])
    ring: F64 = np.asarray(middle + forward * out + np.outer(np.cos(angle) * wide, along))
    ring[:, 2] += np.sin(angle) * tall
    return ring


def _add_face(tailor: Tailor, look: Look) -> None:
    white = tailor.paint("#e8e4de", Material.SKIN)
    iris = tailor.paint("#1d1612", Material.SKIN)
    brow = tailor.paint(
        shaded(look.hair_colour, 0.8) if look.hair != "bald" else "#2a201a", Material.HAIR
    )
    mouth = tailor.paint(_lip(look.skin), Material.SKIN)
    for side in (-1, 1):
        eye = surface(EYE_Z, EYE_DEG * side)
        turned = 16.0 * side
        for paint, wide, tall, out in (
            (white, 0.0085, 0.0036, 0.0012),
            (iris, 0.0036, 0.0036, 0.002),
        ):
            tailor.patch(
                _lifted(_oval(eye, wide, tall, out, turned), look.height_m), Bone.HEAD, paint
            )
        over = surface(0.9395, 22.0 * side)
        tailor.patch(
            _lifted(_oval(over, 0.0105, 0.0022, 0.0022, 18.0 * side), look.height_m),
            Bone.HEAD,
            brow,
        )
    lips = surface(0.887, 0)
    tailor.patch(_lifted(_oval(lips, 0.0135, 0.0030, 0.0032, 0), look.height_m), Bone.HEAD, mouth)


def _lip(skin: str) -> str:
    red, green, blue = (int(skin[i : i + 2], 16) for i in (1, 3, 5))
    return f"#{int(red * 0.78):02x}{int(green * 0.55):02x}{int(blue * 0.55):02x}"


def _add_hair(tailor: Tailor, look: Look, rings: F64) -> None:
    """A shell over the skull, down to the hairline; long hair falls to the neck."""
    if look.hair == "bald":
        return
    hair = tailor.paint(look.hair_colour, Material.HAIR)
    deg = np.degrees(np.minimum(PHASES, 2 * np.pi - PHASES))
    low_side, low_back = (0.872, 0.850) if look.hair == "long" else (0.930, 0.893)
    line = np.interp(
        deg,
        [0, 40, 58, 70, 95, 125, 180],
        [0.967, 0.965, 0.958, 0.925, low_side, low_back, low_back],
    )
    lift = HAIR_LIFT[look.hair]
    z = np.array([0.85, 0.866, *SHAPE[2:, 0]])
    shell = np.empty((len(z), len(PHASES), 3))
    for row, at in enumerate(z):
        base = rings[min(np.searchsorted(SHAPE[:, 0], max(at, 0.905)), len(SHAPE) - 1)]
        middle = np.array([0, FORWARD, 0])
        away = base - middle
        away[:, 2] = 0
        size = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
        top = np.clip((at - 0.93) / 0.07, 0, 1)
        thick = lift * (0.75 + 0.5 * top) + 0.0015
        shell[row] = base + away / size * thick
        shell[row, :, 2] = np.where(at > 0.93, at + lift * top, at)
    middle_z = (z[1:] + z[:-1]) / 2
    labels = np.where(middle_z[:, None] > line[None], hair, BARE)
    tailor.loft(_lifted(shell, look.height_m), Bone.HEAD, labels, "hair", caps=(False, True))


def add_helmet(tailor: Tailor, look: Look) -> None:
    """A dome with a ridge and a brim that is longest in front (EN 397 shapes)."""
    paint = tailor.paint(look.helmet, Material.HELMET)
    inside = tailor.paint(shaded(look.helmet, 0.35), Material.PLAIN)
    rows = np.column_stack(
        [HELMETS_SECTIONS, 0 * HELMETS_SECTIONS[:, 0], 0 * HELMETS_SECTIONS[:, 0] + 0.002]
    )
    phases = np.radians([0, 7, 15, 35, 60, 90, 120, 145, 165, 173, 180])
    phases = np.concatenate([phases, 2 * np.pi - phases[-2:0:-1]])
    dome = ovals(rows, len(phases), 2.0, phases)
    ridge = (np.abs(dome[..., 0]) < 0.0095) & (dome[..., 2] > 0.955)
    dome[..., 2] += np.where(ridge, 0.0035, 0.0)
    dome[..., 1] *= np.where(ridge, 1.03, 1.0)
    front = np.clip(np.cos(phases), 0, 1) ** 0.8
    brim = dome[0].copy()
    away = brim - np.array([0, 0.002, HELMET_Z])
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    brim += away * (0.006 + 0.022 * front)[:, None]
    brim[:, 2] -= 0.003 + 0.004 * front
    under = brim.copy()
    under[:, 2] -= 0.0025
    inner = dome[0].copy()
    inner[:, 2] -= 0.002
    rings = np.stack([inner, under, brim, *dome])
    labels = np.full((len(rings) - 1, len(phases)), paint, np.int64)
    labels[0] = inside
    tailor.loft(_lifted(rings, look.height_m), Bone.HELMET, labels, "helmet", caps=(False, True))


def face_points(height_m: float) -> F64:
    """float64[5, 3]: nose, left eye, right eye, left ear, right ear, on the surface."""
    nose = surface(0.905, 0) + np.array([0, 0.014, 0])
    eyes = [surface(EYE_Z, -EYE_DEG), surface(EYE_Z, EYE_DEG)]
    ears = [np.array([side * 0.049, -0.004, 0.924]) for side in (-1, 1)]
    return _lifted(np.array([nose, *eyes, *ears]), height_m)
