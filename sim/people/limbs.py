"""Arms, hands, legs and boots. All lengths in shares of body height until they are lofted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sim.people.appearance import Look, shaded
from sim.people.lofts import Tailor, blend_along, ovals
from sim.people.rig import (
    ANKLE_HEIGHT,
    FOREARM,
    HIP_HALF,
    LEG,
    SHANK,
    SHOULDER_HALF,
    SHOULDER_UP,
    SOLE,
    UPPER_ARM,
    Bone,
)
from sim.world.materials import Material

F64 = npt.NDArray[np.float64]
# along z from the shoulder: half width, front, back, middle x (outwards), middle y
SLEEVE = (
    (0.016, 0.012, 0.016, 0.016, -0.014, 0), (0.011, 0.022, 0.026, 0.026, -0.009, 0),
    (-0.002, 0.0285, 0.034, 0.034, -0.003, 0), (-0.022, 0.0325, 0.037, 0.037, -0.001, 0),
    (-0.050, 0.033, 0.036, 0.036, 0.001, 0), (-0.090, 0.031, 0.034, 0.033, 0, 0),
    (-0.130, 0.029, 0.031, 0.031, 0, 0), (-0.160, 0.0275, 0.029, 0.030, 0, 0),
    (-0.175, 0.027, 0.028, 0.030, 0, 0), (-0.186, 0.0268, 0.028, 0.030, 0, 0),
    (-0.197, 0.027, 0.029, 0.029, 0, 0), (-0.215, 0.028, 0.030, 0.028, 0, 0),
    (-0.245, 0.0275, 0.0285, 0.0275, 0, 0), (-0.280, 0.0250, 0.0255, 0.0255, 0, 0),
    (-0.306, 0.0225, 0.023, 0.023, 0, 0),
)  # fmt: skip
CUFF = (
    (-0.304, 0.0235, 0.0242, 0.0242),
    (-0.325, 0.0228, 0.0232, 0.0232),
    (-0.3255, 0.0165, 0.017, 0.017),
)
HAND_ROWS = (
    (0.022, 0.0140, 0.0165, 0.0165, 0, 0), (0.000, 0.0135, 0.0180, 0.0175, 0, 0),
    (-0.020, 0.0135, 0.0235, 0.0205, 0, 0.002), (-0.046, 0.0125, 0.0250, 0.0225, -0.002, 0.003),
    (-0.066, 0.011, 0.0235, 0.0215, -0.007, 0.003), (-0.082, 0.010, 0.0205, 0.019, -0.014, 0.003),
    (-0.094, 0.0085, 0.0165, 0.0155, -0.021, 0.002), (-0.100, 0.005, 0.010, 0.0095, -0.026, 0.002),
)  # fmt: skip
"""From the wrist: the palm faces inwards, the fingers curl."""
THUMB = (
    (-0.012, 0.0085, 0.020),
    (-0.028, 0.0085, 0.029),
    (-0.046, 0.0078, 0.034),
    (-0.058, 0.0045, 0.035),
)
# along z from the hip
TROUSER = (
    (0.036, 0.024, 0.030, 0.032, 0.004, -0.004), (0.018, 0.040, 0.046, 0.050, 0.002, -0.004),
    (-0.012, 0.0485, 0.053, 0.060, 0, -0.003), (-0.045, 0.0500, 0.053, 0.060, 0, -0.002),
    (-0.090, 0.0475, 0.051, 0.053, 0, 0), (-0.140, 0.0435, 0.047, 0.047, 0, 0.001),
    (-0.185, 0.0400, 0.043, 0.042, 0, 0.002), (-0.215, 0.0380, 0.041, 0.039, 0, 0.003),
    (-0.232, 0.0372, 0.041, 0.038, 0, 0.003), (-0.246, 0.0368, 0.040, 0.038, 0, 0.002),
    (-0.262, 0.0362, 0.037, 0.041, 0, 0), (-0.295, 0.0362, 0.034, 0.046, 0, -0.002),
    (-0.335, 0.0362, 0.035, 0.045, 0, -0.003), (-0.375, 0.0350, 0.035, 0.042, 0, -0.003),
    (-0.415, 0.0345, 0.036, 0.040, 0, -0.002), (-0.440, 0.0355, 0.038, 0.040, 0, -0.001),
    (-0.449, 0.0350, 0.037, 0.039, 0, -0.001), (-0.447, 0.0270, 0.028, 0.030, 0, -0.001),
)  # fmt: skip
# along y from the ankle: half width, top, squareness of the section
BOOT = (
    (-0.052, 0.015, 0.040), (-0.047, 0.0245, 0.056), (-0.032, 0.0295, 0.07), (-0.006, 0.0305, 0.08),
    (0.016, 0.0300, 0.064), (0.036, 0.0310, 0.052), (0.058, 0.0335, 0.043), (0.080, 0.0350, 0.039),
    (0.098, 0.0335, 0.036), (0.111, 0.0265, 0.030), (0.118, 0.0140, 0.020),
)  # fmt: skip
SHAFT = ((0.100, 0.027, 0.028, 0.030), (0.085, 0.0275, 0.029, 0.031), (0.060, 0.0275, 0.030, 0.031))
BALL_Y = 0.082
LIMB_AROUND = 14


def _mirrored(rings: F64, side: int) -> F64:
    mirrored: F64 = rings * np.array([side, 1, 1])
    return mirrored


def _arm_weights(look: Look, first: Bone) -> Callable[[F64], F64]:
    def weigh(points: F64) -> F64:
        z = points[:, 2] / look.height_m - SOLE - SHOULDER_UP
        elbow = -UPPER_ARM
        return blend_along(
            z,
            [
                (0.040, -0.020, first + 1),
                (elbow + 0.030, elbow - 0.030, first + 2),
                (-0.285, -UPPER_ARM - FOREARM - 0.004, first + 3),
            ],
            first,
        )

    return weigh


def add_arm(tailor: Tailor, look: Look, side: int) -> None:
    """Sleeve with a cuff, hand with a thumb; side -1 is the left."""
    first = Bone.R_CLAVICLE if side > 0 else Bone.L_CLAVICLE
    sleeve, cuff = tailor.paint(look.top), tailor.paint(shaded(look.top, 0.8))
    hand = (
        tailor.paint(look.gloves, Material.LEATHER)
        if look.gloves
        else tailor.paint(look.skin, Material.SKIN)
    )
    weigh = _arm_weights(look, first)
    stout = np.array([1 + 0.5 * (look.girth - 1)] * 2 + [1])
    at = np.array([side * SHOULDER_HALF * look.broad, -0.012, SHOULDER_UP + SOLE])
    for table, paint, caps in ((SLEEVE, sleeve, (True, False)), (CUFF, cuff, (False, False))):
        rings = _mirrored(ovals(table, LIMB_AROUND) * stout, side) + at
        tailor.loft(rings * look.height_m, weigh, paint, caps=caps)
    wrist = at - np.array([0, 0, UPPER_ARM + FOREARM])
    big = np.array([1.12, 1.12, 1.03]) if look.gloves else np.ones(3)
    rings = _mirrored(ovals(HAND_ROWS, 10, 2.6) * big, side) + wrist
    tailor.loft(rings * look.height_m, weigh, hand)
    rows = [(z, r, r, r, -0.006, y) for z, r, y in THUMB]
    rings = _mirrored(ovals(rows, 6) * big, side) + wrist
    tailor.loft(rings * look.height_m, Bone(first + 3), hand)


def _leg_weights(look: Look, first: Bone) -> Callable[[F64], F64]:
    def weigh(points: F64) -> F64:
        z = points[:, 2] / look.height_m - SOLE - ANKLE_HEIGHT - LEG
        knee = SHANK - LEG
        return blend_along(
            z,
            [(0.050, -0.030, first), (knee + 0.034, knee - 0.034, first + 1)],
            Bone.PELVIS,
        )

    return weigh


def add_leg(tailor: Tailor, look: Look, side: int) -> None:
    """Trouser leg over a work boot with a sole; side -1 is the left."""
    first = Bone.R_THIGH if side > 0 else Bone.L_THIGH
    trousers = tailor.paint(look.trousers)
    stout = np.array([1 + 0.6 * (look.girth - 1)] * 2 + [1])
    hip = np.array([side * HIP_HALF, 0, ANKLE_HEIGHT + LEG + SOLE])
    rings = _mirrored(ovals(TROUSER, LIMB_AROUND) * stout, side) + hip
    tailor.loft(rings * look.height_m, _leg_weights(look, first), trousers, caps=(True, False))
    _add_boot(tailor, look, side, first)


def _add_boot(tailor: Tailor, look: Look, side: int, first: Bone) -> None:
    leather, sole = (
        tailor.paint(look.boots, Material.LEATHER),
        tailor.paint("#1b1a19", Material.RUBBER),
    )
    at = np.array([side * HIP_HALF, 0, SOLE])
    # the shaft is inside the foot by its lower ring, so it may follow the shin alone
    tailor.loft(
        (_mirrored(ovals(SHAFT, 12), side) + at) * look.height_m,
        Bone(first + 1),
        leather,
        caps=(False, False),
    )

    def weigh(points: F64) -> F64:
        return blend_along(
            points[:, 1] / look.height_m, [(BALL_Y - 0.018, BALL_Y + 0.018, first + 3)], first + 2
        )

    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rings = np.empty((len(BOOT), 12, 3))
    for row, (y, wide, top) in enumerate(BOOT):
        c, s = np.cos(angle), np.sin(angle)
        rings[row, :, 0] = wide * np.sign(s) * np.abs(s) ** 0.8 * np.where(c > 0, 1 - 0.25 * c, 1.0)
        rings[row, :, 1] = y
        rings[row, :, 2] = np.where(
            c > 0, 0.014 + (top - 0.014) * np.maximum(c, 0) ** 0.8, 0.014 + 0.012 * c
        )
    rings[:, :, 0] += 0.0015
    tailor.loft((_mirrored(rings, side) + at) * look.height_m, weigh, leather)
    outline = [(y, wide + 0.002) for y, wide, _ in BOOT]
    ends = [(BOOT[0][0] - 0.002, 0.009), *outline, (BOOT[-1][0] + 0.003, 0.008)]
    bottom = np.empty((len(ends), 8, 3))
    for row, (y, wide) in enumerate(ends):
        low = -SOLE if y < 0.1 else -SOLE + (y - 0.1) * 0.25
        xs = np.array([1, 1, 1, 0.4, -0.4, -1, -1, -1]) * wide + 0.0015
        zs = np.array([low, 0.0, 0.006, 0.006, 0.006, 0.006, 0.0, low])
        bottom[row] = np.stack([xs, np.full(8, y), zs], -1)
    tailor.loft((_mirrored(bottom, side) + at) * look.height_m, weigh, sole)
