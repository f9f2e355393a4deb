"""From a pose to bones: forward kinematics, and inverse where a hand or a foot has its place."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from sim.people.rig import Bone, Dof

F64 = npt.NDArray[np.float64]

_RAD = math.pi / 180
_STRETCH = 0.999
"""No leg is pulled quite straight: the knee keeps its side."""
# numba takes module constants of type int; an IntEnum member would be boxed
_X, _Y, _Z, _YAW, _PITCH, _ROLL = (
    int(d) for d in (Dof.X, Dof.Y, Dof.Z, Dof.YAW, Dof.PITCH, Dof.ROLL)
)
_SPINE, _NECK = int(Dof.SPINE_FLEX), int(Dof.NECK_FLEX)
_L_ARM, _R_ARM, _L_LEG, _R_LEG = int(Dof.L_SHRUG), int(Dof.R_SHRUG), int(Dof.L_HIP), int(Dof.R_HIP)
_L_FOOT, _R_FOOT, _L_HAND, _R_HAND = (
    int(Dof.L_FOOT_X), int(Dof.R_FOOT_X), int(Dof.L_HAND_X), int(Dof.R_HAND_X),
)  # fmt: skip
_FLOOR, _GROUND = int(Dof.FLOOR), int(Dof.GROUND)
_CHEST, _PELVIS = int(Bone.CHEST), int(Bone.PELVIS)
_L_CLAV, _R_CLAV, _L_THIGH, _R_THIGH = (
    int(Bone.L_CLAVICLE), int(Bone.R_CLAVICLE), int(Bone.L_THIGH), int(Bone.R_THIGH),
)  # fmt: skip


@njit(cache=True, nogil=True)
def _axis(which: int, deg: float, out: F64) -> None:
    """A rotation about x (0), y (1) or z (2) as a matrix."""
    c, s = math.cos(deg * _RAD), math.sin(deg * _RAD)
    for i in range(3):
        for j in range(3):
            out[i, j] = 0.0
    a, b = (which + 1) % 3, (which + 2) % 3
    out[which, which] = 1.0
    out[a, a] = c
    out[b, b] = c
    out[a, b] = -s
    out[b, a] = s


@njit(cache=True, nogil=True)
def _times(a: F64, b: F64, out: F64) -> None:
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]


@njit(cache=True, nogil=True)
def _euler(first: int, a: float, second: int, b: float, third: int, c: float, out: F64) -> None:
    """The product of three axis rotations."""
    m1, m2, m3 = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    _axis(first, a, m1)
    _axis(second, b, m2)
    _times(m1, m2, m3)
    _axis(third, c, m1)
    _times(m3, m1, out)


@njit(cache=True, nogil=True)
def _reach(
    dx: float, dy: float, dz: float, upper: float, lower: float, bend: float, twist: float
) -> tuple[float, float, float]:
    """Angles that bring the end of a two-bone limb to a place.

    Args:
        dx, dy, dz: the place from the limb's root, in the axes of the body part that holds it.
        upper, lower: lengths.
        bend: 1 for an elbow, -1 for a knee.
        twist: of the upper bone about itself, degrees, anticlockwise.

    Returns:
        flexion (about x), rotation about y, bending of the middle joint; degrees.
    """
    far = math.sqrt(dx * dx + dy * dy + dz * dz)
    far = min(max(far, abs(upper - lower) + 0.02), (upper + lower) * _STRETCH)
    cosine = (far * far - upper * upper - lower * lower) / (2 * upper * lower)
    middle = math.acos(min(max(cosine, -1.0), 1.0))
    vy = bend * lower * math.sin(middle)
    vz = -upper - lower * math.cos(middle)
    vx = -vy * math.sin(twist * _RAD)
    vy = vy * math.cos(twist * _RAD)
    size = math.hypot(vx, vz)
    share = min(max(dx / max(size, 1e-9), -1.0), 1.0)
    about_y = math.asin(share) - math.atan2(vx, vz)
    # asin has two answers; the one near the rest pose has the limb pointing down
    other = math.pi - math.asin(share) - math.atan2(vx, vz)
    about_y = _near_zero(about_y)
    other = _near_zero(other)
    if abs(other) < abs(about_y):
        about_y = other
    tz = -vx * math.sin(about_y) + vz * math.cos(about_y)
    flex = _near_zero(math.atan2(dz, dy) - math.atan2(tz, vy))
    if flex < -math.pi * 0.75:
        flex += 2 * math.pi
    return flex / _RAD, about_y / _RAD, middle / _RAD


@njit(cache=True, nogil=True)
def _near_zero(angle: float) -> float:
    while angle > math.pi:
        angle -= 2 * math.pi
    while angle < -math.pi:
        angle += 2 * math.pi
    return angle


@njit(cache=True, nogil=True)
def _attach(bone: int, parent: int, local: F64, rest: F64, turn: F64, at: F64) -> None:
    """Place a bone on its parent."""
    _times(turn[parent], local, turn[bone])
    for i in range(3):
        at[bone, i] = at[parent, i]
        for j in range(3):
            at[bone, i] += turn[parent, i, j] * (rest[bone, j] - rest[parent, j])


@njit(cache=True, nogil=True)
def _arm(
    pose: F64, dof: int, hand: int, clav: int, side: float, rest: F64, turn: F64, at: F64
) -> None:
    local = np.empty((3, 3))
    _euler(1, -side * pose[dof], 2, side * pose[dof + 1], 0, 0.0, local)
    _attach(clav, _CHEST, local, rest, turn, at)
    at_shoulder = np.empty(3)
    for i in range(3):
        at_shoulder[i] = at[clav, i]
        for j in range(3):
            at_shoulder[i] += turn[clav, i, j] * (rest[clav + 1, j] - rest[clav, j])
    fix = pose[hand + 3]
    if fix > 0:
        wish = np.zeros(3)
        for i in range(3):
            for j in range(3):
                wish[i] += turn[clav, j, i] * (pose[hand + j] - at_shoulder[j])
        flex, about_y, bend = _reach(
            wish[0], wish[1], wish[2],
            rest[clav + 1, 2] - rest[clav + 2, 2], rest[clav + 2, 2] - rest[clav + 3, 2],
            1.0, side * pose[dof + 4],
        )  # fmt: skip
        pose[dof + 2] += fix * (flex - pose[dof + 2])
        pose[dof + 3] += fix * (-side * about_y - pose[dof + 3])
        pose[dof + 5] += fix * (bend - pose[dof + 5])
    _euler(0, pose[dof + 2], 1, -side * pose[dof + 3], 2, side * pose[dof + 4], local)
    _attach(clav + 1, clav, local, rest, turn, at)
    _axis(0, pose[dof + 5], local)
    _attach(clav + 2, clav + 1, local, rest, turn, at)
    # the wrist bends towards the palm, which faces inwards
    _euler(2, side * pose[dof + 6], 1, side * pose[dof + 7], 0, 0.0, local)
    _attach(clav + 3, clav + 2, local, rest, turn, at)


@njit(cache=True, nogil=True)
def _leg(
    pose: F64, dof: int, foot: int, thigh: int, side: float, rest: F64, turn: F64, at: F64
) -> None:
    local = np.empty((3, 3))
    at_hip = np.empty(3)
    for i in range(3):
        at_hip[i] = at[_PELVIS, i]
        for j in range(3):
            at_hip[i] += turn[_PELVIS, i, j] * (rest[thigh, j] - rest[_PELVIS, j])
    fix = pose[foot + 5]
    if fix > 0:
        wish = np.zeros(3)
        for i in range(3):
            for j in range(3):
                wish[i] += turn[_PELVIS, j, i] * (pose[foot + j] - at_hip[j])
        flex, about_y, bend = _reach(
            wish[0], wish[1], wish[2],
            rest[thigh, 2] - rest[thigh + 1, 2], rest[thigh + 1, 2] - rest[thigh + 2, 2],
            -1.0, side * pose[dof + 2],
        )  # fmt: skip
        pose[dof] += fix * (flex - pose[dof])
        pose[dof + 1] += fix * (-side * about_y - pose[dof + 1])
        pose[dof + 3] += fix * (bend - pose[dof + 3])
    _euler(0, pose[dof], 1, -side * pose[dof + 1], 2, side * pose[dof + 2], local)
    _attach(thigh, _PELVIS, local, rest, turn, at)
    _axis(0, -pose[dof + 3], local)
    _attach(thigh + 1, thigh, local, rest, turn, at)
    if fix > 0:
        _point_foot(pose, dof, foot, thigh + 1, side, turn, fix)
    _euler(0, pose[dof + 4], 1, -side * pose[dof + 5], 2, side * pose[dof + 6], local)
    _attach(thigh + 2, thigh + 1, local, rest, turn, at)
    _axis(0, pose[dof + 7], local)
    _attach(thigh + 3, thigh + 2, local, rest, turn, at)


@njit(cache=True, nogil=True)
def _point_foot(
    pose: F64, dof: int, foot: int, shin: int, side: float, turn: F64, fix: float
) -> None:
    """Angles of the ankle that give the foot its yaw and pitch in the world."""
    wish, local = np.empty((3, 3)), np.zeros((3, 3))
    _euler(2, -pose[foot + 3], 0, pose[foot + 4], 1, 0.0, wish)
    for i in range(3):
        for j in range(3):
            for k in range(3):
                local[i, j] += turn[shin, k, i] * wish[k, j]
    about_y = math.asin(min(max(local[0, 2], -1.0), 1.0))
    about_x = math.atan2(-local[1, 2], local[2, 2])
    about_z = math.atan2(-local[0, 1], local[0, 0])
    pose[dof + 4] += fix * (about_x / _RAD - pose[dof + 4])
    pose[dof + 5] += fix * (-side * about_y / _RAD - pose[dof + 5])
    pose[dof + 6] += fix * (side * about_z / _RAD - pose[dof + 6])


@njit(cache=True, nogil=True)
def _hips_in_reach(pose: F64, rest: F64, turn: F64) -> None:
    """Lower the hips until both fixed feet can be reached."""
    for foot, thigh in ((_L_FOOT, _L_THIGH), (_R_FOOT, _R_THIGH)):
        if pose[foot + 5] <= 0:
            continue
        long = (rest[thigh, 2] - rest[thigh + 2, 2]) * _STRETCH
        offset = np.zeros(3)
        for i in range(3):
            for j in range(3):
                offset[i] += turn[_PELVIS, i, j] * (rest[thigh, j] - rest[_PELVIS, j])
        dx = pose[_X] + offset[0] - pose[foot]
        dy = pose[_Y] + offset[1] - pose[foot + 1]
        flat = min(dx * dx + dy * dy, 0.96 * long * long)
        top = pose[foot + 2] + math.sqrt(long * long - flat) - offset[2] - pose[_FLOOR]
        if pose[_Z] > top:
            pose[_Z] += pose[foot + 5] * (top - pose[_Z])


@njit(cache=True, nogil=True)
def bones(pose: F64, rest: F64, low: F64, high: F64, turn: F64, at: F64) -> None:
    """Where every bone is.

    Args:
        pose: float64[len(Dof)]; angles of limbs with a fixed end are written into it.
        rest: float64[B, 3], joints in the rest pose.
        low, high: joint limits, degrees.
        turn: float64[B, 3, 3], written: rotation of each bone in the world.
        at: float64[B, 3], written: its joint in the world.
    """
    local = np.empty((3, 3))
    for i in range(6, 44):
        pose[i] = min(max(pose[i], low[i]), high[i])
    _euler(2, -pose[_YAW], 1, pose[_ROLL], 0, -pose[_PITCH], turn[0])
    _hips_in_reach(pose, rest, turn)
    at[0, 0], at[0, 1], at[0, 2] = pose[_X], pose[_Y], pose[_FLOOR] + pose[_Z]
    for bone in (1, 2):
        _euler(0, -pose[_SPINE] / 2, 1, pose[_SPINE + 1] / 2, 2, -pose[_SPINE + 2] / 2, local)
        _attach(bone, bone - 1, local, rest, turn, at)
    for bone in (3, 4):
        _euler(2, -pose[_NECK + 2] / 2, 0, -pose[_NECK] / 2, 1, pose[_NECK + 1] / 2, local)
        _attach(bone, bone - 1, local, rest, turn, at)
    _arm(pose, _L_ARM, _L_HAND, _L_CLAV, -1.0, rest, turn, at)
    _arm(pose, _R_ARM, _R_HAND, _R_CLAV, 1.0, rest, turn, at)
    _leg(pose, _L_LEG, _L_FOOT, _L_THIGH, -1.0, rest, turn, at)
    _leg(pose, _R_LEG, _R_FOOT, _R_THIGH, 1.0, rest, turn, at)
