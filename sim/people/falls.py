"""Acts off the feet: falling, lying, crawling, getting up, climbing."""

from __future__ import annotations

import math

from sim.people.acts import F64, GRAVITY_M_S2, Doer, Moment
from sim.people.feet import ANKLE_UP
from sim.people.path import smooth
from sim.people.rig import Dof
from sim.people.shapes import CRAWL, FALLING, JOINTS, KNEEL, LYING, SIT_UP

TAU = 2 * math.pi
RUNG_M = 0.28
LEAN = 0.25
"""Of ladders: metres ahead per metre up."""
LADDER_AHEAD_M = 0.07
"""From where a climber begins to the foot of the ladder."""
RISING = (0.0, 0.36, 0.68, 1.0)
"""When somebody who gets up is lying, on hands and knees (or sitting), kneeling, standing."""
TIP_MS = 350.0
"""Of a fall from height: until nothing holds any more."""


def lie(pose: F64, m: Moment) -> None:
    """On the ground, breathing."""
    LYING[m.act.direction].body(pose)
    pose[Dof.X], pose[Dof.Y], pose[Dof.YAW] = m.act.x, m.act.y, m.act.yaw
    pose[Dof.SPINE_FLEX] += 0.7 * math.sin(TAU * 0.27 * m.t_ms / 1000)
    # nobody lies quite like the next person
    pose[Dof.L_ELBOW] += 12 * math.sin(m.manner.phase)
    pose[Dof.R_SHOULDER] += 10 * math.cos(m.manner.phase)
    pose[Dof.R_KNEE] += 8 * math.sin(2 * m.manner.phase) + 8
    pose[Dof.NECK_TURN] += 10 * math.sin(3 * m.manner.phase)


def fall(pose: F64, m: Moment) -> None:
    """Towards lying; the reflexes of arms and knees on the way, free fall from height."""
    floor = pose[Dof.FLOOR]
    lie(pose, m)
    reflex = math.sin(math.pi * min(m.weight * 1.15, 1.0)) if m.weight < 0.999 else 0.0
    pose[JOINTS] += reflex * FALLING[m.act.direction].values[JOINTS]
    drop = max(0.0, m.t_ms - m.act.start_ms - TIP_MS) / 1000
    pose[Dof.FLOOR] = max(0.0, floor - 0.5 * GRAVITY_M_S2 * drop * drop)


def crawl(pose: F64, m: Moment) -> None:
    """On hands and knees; limbs go diagonally, tied to the way made."""
    x, y, yaw, _ = m.path.at(m.t_ms)
    CRAWL.body(pose)
    pose[Dof.X], pose[Dof.Y], pose[Dof.YAW] = x, y, yaw
    piece = m.path.piece(m.t_ms)
    gone = piece.gone_m(m.t_ms) if piece.manner == "crawl" else 0.0
    moving = min(1.0, piece.speed_m_s(m.t_ms) / 0.3) if piece.manner == "crawl" else 0.0
    phase = TAU * gone / (0.40 * m.height_m)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        go = sign * math.sin(phase) * moving
        lift = max(0.0, sign * math.cos(phase)) * moving
        pose[Dof[side + "_SHOULDER"]] += 17 * go + 6 * lift
        pose[Dof[side + "_ELBOW"]] += 22 * lift
        pose[Dof[side + "_HIP"]] -= 16 * go
        pose[Dof[side + "_KNEE"]] += 10 * max(0.0, -sign * math.cos(phase)) * moving
    pose[Dof.SPINE_SIDE] = 5 * math.sin(phase) * moving
    pose[Dof.NECK_TURN] = 10 * math.sin(m.t_ms / 1900 + m.manner.phase)


def get_up(pose: F64, m: Moment) -> None:
    """From lying over hands and knees (from the back: sitting) and one knee to standing."""
    share = min(max((m.t_ms - m.act.start_ms) / (m.act.end_ms - m.act.start_ms), 0.0), 1.0)
    standing, first, second = pose.copy(), pose.copy(), pose.copy()
    keys = [first, second]
    middle = SIT_UP if m.act.direction == "back" else CRAWL
    if share < RISING[1]:
        lie(first, m)
        middle.body(second)
        span = RISING[:2]
    elif share < RISING[2]:
        middle.body(first)
        KNEEL.body(second)
        span = RISING[1:3]
    else:
        KNEEL.body(first)
        keys[1] = standing
        span = RISING[2:]
    if share >= RISING[2]:
        first[Dof.X : Dof.YAW + 1] = standing[Dof.X : Dof.YAW + 1]
        first[Dof.Z] = standing[Dof.Z] * 0.5
    else:
        for key in keys:
            key[Dof.X], key[Dof.Y], key[Dof.YAW] = m.act.x, m.act.y, m.act.yaw
    u = smooth((share - span[0]) / (span[1] - span[0]))
    pose[:] = keys[0] + u * (keys[1] - keys[0])


def _limb(cycles: float) -> float:
    """Height of a hand or foot in cycles: it rests half of the time."""
    whole = math.floor(cycles)
    return whole + smooth((cycles - whole - 0.5) * 2)


def climb(pose: F64, m: Moment) -> None:
    """On a ladder, hands and feet on its rungs in turn; act.x, y is where it was begun."""
    height = pose[Dof.FLOOR] - m.act.low_m
    yaw = m.act.yaw
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    h = m.height_m
    cycles = height / (2 * RUNG_M)

    def on_ladder(up: float, back: float, out: float) -> tuple[float, float, float]:
        ahead = LADDER_AHEAD_M + LEAN * up - back
        return (m.act.x + ahead * s + out * c, m.act.y + ahead * c - out * s, m.act.low_m + up)

    top = round(0.80 * h / RUNG_M) * RUNG_M
    for side, sign, foot_phase, hand_phase in (("L", -1, 0.0, 0.5), ("R", 1, 0.5, 0.0)):
        step = max(0.0, (_limb(cycles + foot_phase) - foot_phase) * 2 * RUNG_M)
        grip = (_limb(cycles + hand_phase) - hand_phase) * 2 * RUNG_M + top + 0.02
        foot, hand = Dof[side + "_FOOT_X"], Dof[side + "_HAND_X"]
        pose[foot : foot + 3] = on_ladder(step + ANKLE_UP * h, 0.045 * h, sign * 0.075 * h)
        pose[foot + 3], pose[foot + 4], pose[foot + 5] = yaw + sign * 6, 4 if step > 0.05 else 0, 1
        pose[hand : hand + 3] = on_ladder(grip, 0.06, sign * 0.12 * h)
        pose[hand + 3] = 1
        pose[Dof[side + "_ARM_TWIST"]] = -12
        pose[Dof[side + "_HIP_TWIST"]] = -10
        pose[Dof[side + "_TOE"]] = 0
    hips = 0.455 * h
    sway = 0.012 * h * math.sin(TAU * cycles)
    pose[Dof.X], pose[Dof.Y], _ = on_ladder(height + hips, 0.175 * h, sway)
    pose[Dof.Z], pose[Dof.YAW], pose[Dof.PITCH] = hips, yaw, 9
    pose[Dof.ROLL], pose[Dof.SPINE_SIDE] = (
        2.5 * math.sin(TAU * cycles),
        -2.5 * math.sin(TAU * cycles),
    )
    pose[Dof.SPINE_FLEX], pose[Dof.NECK_FLEX], pose[Dof.NECK_TURN] = 6, -14, 0
    pose[Dof.L_PRONATE] = pose[Dof.R_PRONATE] = 70


FALLS: dict[str, Doer] = {
    "lie": lie, "fall": fall, "crawl": crawl, "get_up": get_up, "climb": climb, "climb_down": climb,
}  # fmt: skip
