"""Acts on the feet: bending, squatting, sitting, working, waving, tying shoes."""

from __future__ import annotations

import math

from sim.people.acts import F64, Doer, Moment
from sim.people.path import smooth
from sim.people.rig import HIP_HALF, Dof
from sim.people.shapes import SIT_GROUND, Shape

TAU = 2 * math.pi
SEAT_UP = 0.070
"""From the hip joint down to what is sat on, share of height."""
GROUND_SEAT_M = 0.2
"""A seat lower than this is the ground."""


def _ahead(pose: F64, metres: float, side_m: float = 0.0) -> None:
    """Shift the hips."""
    c, s = math.cos(math.radians(pose[Dof.YAW])), math.sin(math.radians(pose[Dof.YAW]))
    pose[Dof.X] += metres * s + side_m * c
    pose[Dof.Y] += metres * c - side_m * s


def _hand(
    pose: F64, side: str, ahead: float, out: float, up: float, m: Moment, fix: float = 1.0
) -> None:
    """Put a wrist at a place seen from between the feet: shares of height."""
    first = Dof[side + "_HAND_X"]
    sign = 1 if side == "R" else -1
    x, y, yaw, floor = m.path.at(m.t_ms)
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    h = m.height_m
    pose[first] = x + h * (ahead * s + sign * out * c)
    pose[first + 1] = y + h * (ahead * c - sign * out * s)
    pose[first + 2] = floor + h * up
    pose[first + 3] = fix


def bend(pose: F64, m: Moment) -> None:
    """Down to the ground with the hands, on straight or on bent knees, and half up again."""
    bent = m.manner.choice < 0.55
    reach = 0.5 + 0.5 * math.sin(TAU * m.t_s / (2.6 / m.manner.rate) + m.manner.phase)
    deep = 0.80 + 0.20 * reach
    h = m.height_m
    pose[Dof.Z] -= (0.150 if bent else 0.030) * h * deep
    _ahead(pose, (-0.105 if bent else -0.085) * h * deep)
    pose[Dof.PITCH] = (52 if bent else 68) * deep
    pose[Dof.SPINE_FLEX] = (52 if bent else 56) * deep
    pose[Dof.SPINE_TURN] += 6 * math.sin(TAU * m.t_s / 3.7)
    pose[Dof.NECK_FLEX] = -8
    pose[Dof.ROLL] = pose[Dof.SPINE_SIDE] = 0
    low = 0.175 - 0.05 * reach
    stir = 0.03 * math.sin(TAU * m.t_s / 1.3)
    _hand(pose, "L", 0.20 + stir, 0.07, low, m)
    _hand(pose, "R", 0.20 - stir, 0.07 + 0.03 * reach, low - 0.03 * reach, m)


def squat(pose: F64, m: Moment) -> None:
    """Low on both feet, forearms on the knees or hands at something in front."""
    h = m.height_m
    stir = math.sin(TAU * m.t_s / 2.3 + m.manner.phase)
    pose[Dof.Z] = (0.205 + 0.004 * stir) * h
    _ahead(pose, -0.095 * h)
    pose[Dof.PITCH], pose[Dof.SPINE_FLEX] = 26, 40
    pose[Dof.ROLL] = pose[Dof.SPINE_SIDE] = 0
    pose[Dof.NECK_FLEX] = -16 + 5 * stir
    pose[Dof.L_HIP_TWIST] = pose[Dof.R_HIP_TWIST] = -20
    for foot in (Dof.L_FOOT_Z, Dof.R_FOOT_Z):
        pose[foot] += 0.030 * h
        pose[foot + 2] = -22
    pose[Dof.L_TOE] = pose[Dof.R_TOE] = 22
    at = 0.16 if m.manner.choice < 0.5 else 0.25
    _hand(pose, "L", 0.26 + 0.015 * stir, 0.05, at, m)
    _hand(pose, "R", 0.26 - 0.02 * stir, 0.06, at - 0.02 * stir, m)


def sit(pose: F64, m: Moment) -> None:
    """On something of a height, hips at the act's own place; or on the ground."""
    if m.act.low_m < GROUND_SEAT_M:
        place = pose[Dof.X], pose[Dof.Y]
        SIT_GROUND.body(pose)
        via = math.sin(math.pi * m.weight)
        for side in ("L", "R"):
            pose[Dof[side + "_HIP"]] += 30 * via
            pose[Dof[side + "_KNEE"]] += 62 * via
        pose[Dof.PITCH] += 26 * via
        pose[Dof.X], pose[Dof.Y] = place
        pose[Dof.NECK_TURN] = 15 * math.sin(TAU * m.t_s / 7 + m.manner.phase)
        pose[Dof.SPINE_FLEX] += math.sin(TAU * m.t_s / 4)
        return
    h = m.height_m
    pose[Dof.X], pose[Dof.Y] = m.act.x, m.act.y
    pose[Dof.Z] = m.act.low_m + SEAT_UP * h
    pose[Dof.PITCH], pose[Dof.SPINE_FLEX] = 2 + m.manner.stoop, 16 + math.sin(TAU * m.t_s / 4)
    pose[Dof.ROLL] = pose[Dof.SPINE_SIDE] = 0
    pose[Dof.L_HIP_TWIST] = pose[Dof.R_HIP_TWIST] = -8
    Shape({"SHOULDER": 34, "ABDUCT": 6, "ELBOW": 58, "ARM_TWIST": 12, "PRONATE": 60}).arms(pose)


def work(pose: F64, m: Moment) -> None:
    """With the hands: at the waist, at a wall, or hammering."""
    t = m.t_s * m.manner.rate
    kind = int(m.manner.choice * 3)
    beat = math.sin(TAU * t / (0.9, 1.9, 1.5)[kind] + m.manner.phase)
    pose[Dof.NECK_TURN] *= 0.3
    pose[Dof.NECK_FLEX] = (24, 4, 26)[kind]
    pose[Dof.PITCH] += (6, 3, 14)[kind]
    pose[Dof.SPINE_FLEX] += (10, 2, 22)[kind]
    _ahead(pose, (-0.012, -0.008, -0.04)[kind] * m.height_m)
    pose[Dof.SPINE_TURN] += 5 * beat
    if kind == 0:
        _hand(pose, "L", 0.25, 0.03, 0.60, m)
        _hand(pose, "R", 0.24 + 0.02 * beat, 0.07, 0.66 + 0.075 * beat, m)
    elif kind == 1:
        _hand(pose, "L", 0.25, 0.09, 0.80 + 0.02 * beat, m)
        _hand(pose, "R", 0.25, 0.07 + 0.05 * beat, 0.86 + 0.04 * beat, m)
    else:
        _hand(pose, "L", 0.27 + 0.03 * beat, 0.08, 0.44, m)
        _hand(pose, "R", 0.27 - 0.03 * beat, 0.07, 0.44 + 0.02 * beat, m)
    pose[Dof.L_PRONATE] = pose[Dof.R_PRONATE] = 45


def arms_raised(pose: F64, m: Moment) -> None:
    """Both arms up."""
    slow = math.sin(TAU * m.t_s / 3.1 + m.manner.phase)
    wide = 14 + 30 * m.manner.choice + 5 * slow
    Shape({"SHRUG": 20, "SHOULDER": 164, "ABDUCT": wide, "ELBOW": 16 + 6 * slow}).arms(pose)
    pose[Dof.SPINE_FLEX] = -4
    pose[Dof.NECK_FLEX] = -8


def wave(pose: F64, m: Moment) -> None:
    """A call for help: one or both arms wave above the head."""
    swing = math.sin(TAU * 1.25 * m.manner.rate * m.t_s)
    up = Shape({"SHRUG": 24, "SHOULDER": 160, "ABDUCT": 26 + 20 * swing, "ELBOW": 22 - 14 * swing})
    held = pose[Dof.L_SHRUG : Dof.L_HIP].copy()
    up.arms(pose)
    if m.manner.choice < 0.4:
        half = slice(0, 8) if m.manner.hand else slice(8, 16)
        pose[Dof.L_SHRUG : Dof.L_HIP][half] = held[half]
    pose[Dof.SPINE_FLEX], pose[Dof.NECK_FLEX] = -3, -8
    pose[Dof.SPINE_SIDE] += 4 * swing


def tie_shoes(pose: F64, m: Moment) -> None:
    """One knee on the ground, both hands at the other boot, head down."""
    h = m.height_m
    front, back = ("L", "R") if m.manner.hand else ("R", "L")
    _ahead(pose, -0.10 * h)
    pose[Dof.Z] = 0.262 * h
    pose[Dof.PITCH], pose[Dof.SPINE_FLEX], pose[Dof.NECK_FLEX] = 40, 48, 22
    pose[Dof.ROLL] = pose[Dof.SPINE_SIDE] = 0
    yaw = math.radians(pose[Dof.YAW])
    sign = 1 if back == "R" else -1
    foot = Dof[back + "_FOOT_X"]
    hips = pose[Dof.X], pose[Dof.Y]
    out = sign * (HIP_HALF + 0.01) * h
    behind = -0.235 * h
    pose[foot] = hips[0] + behind * math.sin(yaw) + out * math.cos(yaw)
    pose[foot + 1] = hips[1] + behind * math.cos(yaw) - out * math.sin(yaw)
    pose[foot + 2] = pose[Dof.FLOOR] + (0.105 + 0.08 * math.sin(math.pi * m.weight)) * h
    pose[foot + 3], pose[foot + 4] = pose[Dof.YAW], -66
    pose[Dof[back + "_TOE"]] = 60
    pull = 0.012 * math.sin(TAU * 1.1 * m.t_s)
    side = -0.055 if front == "L" else 0.055
    for hand, way in (("L", -1), ("R", 1)):
        offset = side + way * (0.025 + abs(pull))
        _hand(pose, hand, 0.085, way * offset, 0.115 + pull, m)


def helmet(pose: F64, m: Moment) -> None:
    """The right hand goes to the helmet and back."""
    whole = (m.act.end_ms - m.act.start_ms) / 1000
    up = smooth(m.t_s / (0.4 * whole)) * (1 - smooth((m.t_s / whole - 0.55) / 0.45))
    raised = Shape(
        {"R_SHRUG": 14, "R_SHOULDER": 118, "R_ABDUCT": 32, "R_ARM_TWIST": 38, "R_ELBOW": 112}
    )
    half = slice(Dof.R_SHRUG, Dof.L_HIP)
    pose[half] += up * (raised.values[half] - pose[half])
    pose[Dof.NECK_FLEX] += 10 * up
    pose[Dof.NECK_TURN] *= 1 - up


def vest(pose: F64, m: Moment) -> None:
    """Both hands at the shoulders, pulling."""
    whole = (m.act.end_ms - m.act.start_ms) / 1000
    pull = math.sin(TAU * 2 * m.t_s / whole)
    Shape({
        "SHRUG": 8, "SHOULDER": 34 + 10 * pull, "ABDUCT": 30 - 12 * pull, "ARM_TWIST": 45,
        "ELBOW": 112 - 14 * pull,
    }).arms(pose)  # fmt: skip
    pose[Dof.SPINE_TURN] += 10 * pull
    pose[Dof.NECK_FLEX] = 20


POSTURES: dict[str, Doer] = {
    "bend": bend, "squat": squat, "sit": sit, "work": work, "arms_raised": arms_raised,
    "wave": wave, "tie_shoes": tie_shoes, "helmet_on": helmet, "helmet_off": helmet,
    "vest_on": vest, "vest_off": vest,
}  # fmt: skip
