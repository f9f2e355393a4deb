"""Trunk, neck and vest. All lengths in shares of body height until they are lofted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.people.appearance import Look, shaded
from sim.people.lofts import BARE, Tailor, Weigh, ovals, ramp
from sim.people.rig import SOLE, Bone
from sim.world.materials import Material

F64 = npt.NDArray[np.float64]
AROUND = 24
SQUARE = 2.35
"""Power of the trunk's cross-sections: a chest is squarer than an ellipse."""
# z, half width, front, back: clothed adults, bideltoid 0.26 and chest depth 0.14 of height with the
# arms (NASA-STD-3000 anthropometry), middle at y = -0.006
SECTIONS = np.array([
    (0.452, 0.034, 0.034, 0.040), (0.466, 0.066, 0.048, 0.062), (0.486, 0.087, 0.056, 0.074),
    (0.510, 0.095, 0.060, 0.077), (0.535, 0.096, 0.062, 0.073), (0.562, 0.093, 0.063, 0.065),
    (0.590, 0.088, 0.063, 0.057), (0.620, 0.086, 0.062, 0.053), (0.655, 0.089, 0.064, 0.055),
    (0.690, 0.095, 0.068, 0.060), (0.722, 0.101, 0.070, 0.065), (0.752, 0.105, 0.068, 0.067),
    (0.778, 0.107, 0.060, 0.065), (0.798, 0.106, 0.050, 0.060), (0.813, 0.096, 0.042, 0.054),
    (0.825, 0.074, 0.036, 0.048), (0.837, 0.049, 0.034, 0.043), (0.846, 0.038, 0.033, 0.039),
])  # fmt: skip
BELT = (0.582, 0.602)
JACKET_HEM = 0.490
BANDS = ((0.590, 0.618), (0.662, 0.690))
"""Reflective bands around the vest: 50 mm (EN ISO 20471) on a person of 1.78 m."""
VEST_TOP, VEST_HEM = 0.826, 0.525
VEST_GAP = 0.011
BACKWARD = -0.006
SIDES = (
    (-1, int(Bone.L_CLAVICLE), int(Bone.L_THIGH)),
    (1, int(Bone.R_CLAVICLE), int(Bone.R_THIGH)),
)


def sections(z: F64, look: Look, extra: float = 0.0) -> F64:
    """Rows for `ovals` at heights z, for this person's girth, this much wider."""
    wide, front, back = (np.interp(z, SECTIONS[:, 0], SECTIONS[:, k]) for k in (1, 2, 3))
    more = look.girth - 1
    belly = np.exp(-(((z - 0.615) / 0.055) ** 2))
    upper = ramp(z, 0.70, 0.78) * (1 - ramp(z, 0.80, 0.835))
    wide = wide * (1 + more * (0.75 + 0.5 * belly)) * (1 + (look.broad - 1) * upper) + extra
    front = front * (1 + more * (0.8 + 1.3 * belly)) + extra
    back = back * (1 + more * 0.6) + extra
    return np.stack([z, wide, front, back, 0 * z, 0 * z + BACKWARD], 1)


def trunk_weights(height_m: float) -> Weigh:
    """Weights of everything on the trunk, by place alone: vest and shirt move as one."""

    def weigh(points: F64) -> F64:
        x, z = points[:, 0] / height_m, points[:, 2] / height_m - SOLE
        weights = np.zeros((len(z), len(Bone)))
        weights[:, Bone.PELVIS] = 1
        for start, end, bone in (
            (0.545, 0.625, Bone.SPINE), (0.635, 0.715, Bone.CHEST), (0.832, 0.862, Bone.NECK),
        ):  # fmt: skip
            share = ramp(z, start, end)
            weights *= (1 - share)[:, None]
            weights[:, bone] += share
        for side, clavicle, thigh in SIDES:
            out = side * x
            shoulder = ramp(out, 0.045, 0.09) * ramp(z, 0.72, 0.80) * 0.75
            arm = ramp(out, 0.08, 0.115) * ramp(z, 0.715, 0.765) * 0.22
            leg = ramp(out, 0.02, 0.06) * (1 - ramp(z, 0.46, 0.535)) * 0.45
            for part, row in ((shoulder, clavicle), (arm, clavicle + 1), (leg, thigh)):
                weights *= (1 - part)[:, None]
                weights[:, row] += part
        return weights

    return weigh


def _rings(z: F64, look: Look, extra: F64 | float) -> F64:
    rows = sections(z, look)
    rows[:, 1:4] += np.asarray(extra).reshape(-1, 1) if np.ndim(extra) else extra
    rings = ovals(rows, AROUND, SQUARE)
    rings[..., 2] += SOLE
    return rings * look.height_m


def add_trunk(tailor: Tailor, look: Look) -> None:
    """Hips in trousers, then a shirt with a belt or a jacket over them, and a collar."""
    trousers = tailor.paint(look.trousers)
    top = tailor.paint(look.top)
    weigh = trunk_weights(look.height_m)
    low = [z for z in SECTIONS[:, 0] if z < 0.63]
    split = BELT[0] if look.tucked else 0.60
    z = np.array(sorted({*(v for v in low if v <= split), split}))
    tailor.loft(_rings(z, look, 0.0), weigh, trousers, caps=(True, not look.tucked))
    if look.tucked:
        belt = tailor.paint("#2a1d14", Material.LEATHER)
        z = np.array([BELT[0], BELT[0], BELT[1], BELT[1]])
        tailor.loft(
            _rings(z, look, np.array([-0.002, 0.004, 0.004, -0.002])),
            weigh,
            belt,
            caps=(False, False),
        )
        z = np.array([BELT[1] - 0.002, *(v for v in SECTIONS[:, 0] if v > BELT[1] + 0.005)])
        tailor.loft(_rings(z, look, 0.002), weigh, top, caps=(False, True))
    else:
        z = np.array(
            [JACKET_HEM + 0.004, JACKET_HEM, *(v for v in SECTIONS[:, 0] if v > JACKET_HEM + 0.01)]
        )
        extra = np.full(len(z), 0.007)
        extra[0] = -0.003
        tailor.loft(_rings(z, look, extra), weigh, top, caps=(False, True))
    _add_collar(tailor, look, top)


def _add_collar(tailor: Tailor, look: Look, top: int) -> None:
    rows = [
        (0.826, 0.051, 0.042, 0.048, 0, -0.008), (0.838, 0.046, 0.044, 0.045, 0, -0.010),
        (0.851, 0.042, 0.047, 0.043, 0, -0.012), (0.849, 0.037, 0.041, 0.037, 0, -0.012),
    ]  # fmt: skip
    rings = ovals(rows, 14)
    rings[2:, (0, 1, 13), 2] -= 0.016
    rings[..., 2] += SOLE
    tailor.loft(rings * look.height_m, trunk_weights(look.height_m), top, caps=(False, False))


def add_neck(tailor: Tailor, look: Look) -> None:
    """From inside the collar into the head."""
    skin = tailor.paint(look.skin, Material.SKIN)
    wide = 1 + 0.6 * (look.girth - 1)
    heights = ((0.825, -0.014), (0.845, -0.013), (0.865, -0.009), (0.89, -0.006))
    rows = [(z, 0.033 * wide, 0.034 * wide, 0.037 * wide, 0, y) for z, y in heights]
    rings = ovals(rows, 14)
    rings[..., 2] += SOLE

    def weigh(points: F64) -> F64:
        z = points[:, 2] / look.height_m - SOLE
        weights = np.zeros((len(z), len(Bone)))
        low, high = ramp(z, 0.82, 0.85), ramp(z, 0.862, 0.89)
        weights[:, Bone.CHEST] = 1 - low
        weights[:, Bone.NECK] = low * (1 - high)
        weights[:, Bone.HEAD] = low * high
        return weights

    tailor.loft(rings * look.height_m, weigh, skin, caps=(False, False))


def add_vest(tailor: Tailor, look: Look) -> None:
    """A sleeveless layer over everything, open at the neck and the arms, with four bands."""
    cloth = tailor.paint(look.vest, Material.VEST)
    band = tailor.paint("#d4d6d2", Material.REFLECTOR)
    zip_ = tailor.paint(shaded(look.vest, 0.86), Material.VEST)
    edges = [
        VEST_HEM,
        0.56,
        *BANDS[0],
        0.64,
        *BANDS[1],
        0.722,
        0.748,
        0.772,
        0.792,
        0.806,
        0.818,
        VEST_TOP,
    ]
    z = np.array(edges)
    gap = VEST_GAP + (0.0 if look.tucked else 0.004)
    rings = _rings(z, look, gap - 0.006 * ramp(z, 0.78, VEST_TOP))
    middle = (z[1:] + z[:-1]) / 2
    angle = (np.arange(AROUND) + 0.5) * 360 / AROUND
    angle = np.minimum(angle, 360 - angle)
    labels = np.full((len(middle), AROUND), cloth, np.int64)
    labels[:, (0, AROUND - 1)] = zip_
    labels[:, AROUND // 2 - 1 : AROUND // 2 + 1] = cloth
    for row, at in enumerate(middle):
        if any(low < at < high for low, high in BANDS):
            labels[row] = band
        if at > BANDS[1][1]:
            labels[row, (angle > 29) & (angle < 46)] = band
            labels[row, (angle > 136) & (angle < 152)] = band
        if at > 0.748:
            labels[row, (angle > 74) & (angle < 106)] = BARE
        if at > 0.772:
            labels[row, angle < 16] = BARE
    tailor.loft(rings, trunk_weights(look.height_m), labels, "vest", caps=(False, False))
