"""Footfalls: where each foot stands from when to when, and how it swings between.

A planted foot rolls over heel and ball without sliding. Timing of walking after Perry, Gait
Analysis: a foot is on the ground for 0.60 to 0.62 of the cycle; of running for about 0.36.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field

from sim.people.path import Piece, smooth
from sim.people.rig import ANKLE_HEIGHT, SOLE

ANKLE_UP = ANKLE_HEIGHT + SOLE
HEEL_BACK = 0.048
BALL_AHEAD, BALL_UP = 0.082, 0.010 + SOLE
STANCE_OUT = 0.052
"""Half the distance between standing feet, share of height."""
LANDS, LEAVES = {"walk": 0.46, "run": 0.27}, {"walk": 0.72, "run": 0.35}
"""How far the hips are behind and ahead of a foot when it lands and leaves, in step lengths."""
STRIKE_DEG, PUSH_DEG = {"walk": 20.0, "run": 4.0}, {"walk": 56.0, "run": 40.0}
LIFT = {"walk": 0.030, "run": 0.150, "turn": 0.030}
"""How much a swinging ankle is lifted beside its roll, share of height."""
KICK_DEG = 400.0
"""Toes down in mid-swing, per lift beyond that of walking."""
FULL_STEP = 0.42
"""A step of this length (share of height) rolls fully; a shorter one less."""
TURN_STEP_DEG = 50.0
LONG_AGO = -1e12


@dataclass
class Plant:
    """One foot on the ground: metres, degrees, ms. strike: toes up at landing; push: heel up when
    leaving; lift: of the swing that brought it here."""

    land_ms: float
    leave_ms: float
    x: float
    y: float
    yaw: float
    floor: float
    strike_deg: float = 0.0
    push_deg: float = 0.0
    lift: float = 0.03


@dataclass
class Foot:
    """Where one foot is at a moment; swing: 0 on the ground, else how far through the air."""

    x: float
    y: float
    z: float
    yaw: float
    pitch: float
    toe: float
    swing: float


@dataclass
class Feet:
    """All footfalls of one person; side 0 is the left, 1 the right.

    Args:
        height_m: of the person.
        splay_deg: how far the toes point outwards.
    """

    height_m: float
    splay_deg: float = 7.0
    plants: tuple[list[Plant], list[Plant]] = field(default_factory=lambda: ([], []))
    _lands: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    _last: int = 0

    def stand(self, t_ms: float, x: float, y: float, yaw: float, floor: float) -> None:
        """Both feet are here from now, however they came."""
        for side in (0, 1):
            if self.plants[side]:
                self.plants[side][-1].leave_ms = min(t_ms - 1, self.plants[side][-1].leave_ms)
                self.plants[side][-1].leave_ms = max(
                    self.plants[side][-1].leave_ms, self.plants[side][-1].land_ms
                )
            land = t_ms if self.plants[side] else LONG_AGO
            self._put(side, land, x, y, yaw, floor)

    def _put(
        self, side: int, land_ms: float, x: float, y: float, yaw: float, floor: float
    ) -> Plant:
        sign = 2 * side - 1
        out = sign * STANCE_OUT * self.height_m
        c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
        plant = Plant(
            land_ms, math.inf, x + out * c, y - out * s, yaw + sign * self.splay_deg, floor
        )
        self.plants[side].append(plant)
        self._lands[side].append(land_ms)
        return plant

    def _step(
        self,
        side: int,
        leave_ms: float,
        land_ms: float,
        x: float,
        y: float,
        yaw: float,
        floor: float,
        lift: float,
    ) -> Plant:
        old = self.plants[side][-1]
        old.leave_ms = max(leave_ms, old.land_ms + 20)
        plant = self._put(side, max(land_ms, old.leave_ms + 120), x, y, yaw, floor)
        plant.lift = lift
        self._last = side
        return plant

    def turn(self, piece: Piece) -> None:
        """Small steps on the spot."""
        angle = piece.yaw1 - piece.yaw0
        count = max(2, math.ceil(abs(angle) / TURN_STEP_DEG))
        each = (piece.end_ms - piece.start_ms) / count
        side = 1 if angle > 0 else 0
        for k in range(count):
            share = 1.0 if k >= count - 2 else (k + 1) / count
            start = piece.start_ms + k * each
            self._step(
                side, start + 0.05 * each, start + 0.95 * each, piece.x1, piece.y1,
                piece.yaw0 + angle * share, piece.floor1, LIFT["turn"],
            )  # fmt: skip
            side = 1 - side

    def line(self, piece: Piece) -> None:
        """Steps along a line, ending with both feet side by side."""
        kind = "run" if piece.manner == "run" else "walk"
        count = max(1, round(piece.length_m / piece.step_m))
        step = piece.length_m / count
        roll = min(1.0, step / (FULL_STEP * self.height_m))
        side = 1 - self._last
        for k in range(1, count + 2):
            at = min(k, count) * step
            share = at / piece.length_m
            x = piece.x0 + (piece.x1 - piece.x0) * share
            y = piece.y0 + (piece.y1 - piece.y0) * share
            old = max(k - 2, 0) * step
            leave = piece.when_ms(old + LEAVES[kind] * step) if k > 1 else piece.start_ms + 20
            land = piece.when_ms(at - LANDS[kind] * step) if k <= count else piece.end_ms
            self.plants[side][-1].push_deg = PUSH_DEG[kind] * roll * (1.0 if k > 1 else 0.4)
            plant = self._step(
                side, leave, land, x, y, piece.yaw1, piece.floor1, LIFT[kind] * (0.4 + 0.6 * roll)
            )
            plant.strike_deg = STRIKE_DEG[kind] * roll if k <= count else 0.0
            side = 1 - side

    def _rolled(self, plant: Plant, pitch: float) -> tuple[float, float, float]:
        """The ankle of a planted foot that rolls over heel (pitch up) or ball (down)."""
        p = math.radians(pitch)
        c, s = math.cos(p), math.sin(p)
        if pitch >= 0:
            ahead = -HEEL_BACK + HEEL_BACK * c - ANKLE_UP * s
            up = HEEL_BACK * s + ANKLE_UP * c
        else:
            rise = ANKLE_UP - BALL_UP
            ahead = BALL_AHEAD - BALL_AHEAD * c - rise * s
            up = BALL_UP - BALL_AHEAD * s + rise * c
        yaw = math.radians(plant.yaw)
        ahead *= self.height_m
        return (
            plant.x + ahead * math.sin(yaw),
            plant.y + ahead * math.cos(yaw),
            plant.floor + up * self.height_m,
        )

    def at(self, side: int, t_ms: float) -> Foot:
        """Where a foot is."""
        plants = self.plants[side]
        i = max(bisect.bisect_right(self._lands[side], t_ms) - 1, 0)
        plant = plants[i]
        if t_ms <= plant.leave_ms or i + 1 == len(plants):
            pitch = self._pitch(plant, t_ms)
            x, y, z = self._rolled(plant, pitch)
            return Foot(x, y, z, plant.yaw, pitch, max(0.0, -pitch), 0.0)
        return self._swing(plant, plants[i + 1], t_ms)

    def _pitch(self, plant: Plant, t_ms: float) -> float:
        stance = plant.leave_ms - plant.land_ms
        down_ms = min(0.16 * stance, 130.0)
        push_ms = min(0.50 * stance, 420.0)
        pitch = 0.0
        if plant.strike_deg and t_ms < plant.land_ms + down_ms:
            pitch = plant.strike_deg * (1 - smooth((t_ms - plant.land_ms) / down_ms))
        if plant.push_deg and t_ms > plant.leave_ms - push_ms:
            share = (t_ms - plant.leave_ms + push_ms) / push_ms
            pitch = -plant.push_deg * share**2.2
        return pitch

    def _swing(self, old: Plant, new: Plant, t_ms: float) -> Foot:
        u = (t_ms - old.leave_ms) / max(new.land_ms - old.leave_ms, 1.0)
        start, end = self._rolled(old, -old.push_deg), self._rolled(new, new.strike_deg)
        go = smooth(u) * 0.6 + u * 0.4 if old.push_deg else smooth(u)
        up = math.sin(math.pi * u**0.8) ** 1.3 * new.lift * self.height_m
        pitch = -old.push_deg * (1 - smooth(u / 0.75)) + new.strike_deg * smooth((u - 0.35) / 0.6)
        # a heel that is kicked up takes the toes along, or the ankle would fold
        pitch -= KICK_DEG * max(0.0, new.lift - LIFT["walk"]) * math.sin(math.pi * u**0.8)
        turn = smooth(u)
        return Foot(
            start[0] + (end[0] - start[0]) * go,
            start[1] + (end[1] - start[1]) * go,
            start[2] + (end[2] - start[2]) * smooth(u) + up,
            old.yaw + (new.yaw - old.yaw) * turn,
            pitch,
            max(0.0, old.push_deg * (1 - u * 3)),
            min(max(u, 1e-3), 1.0),
        )
