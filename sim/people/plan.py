"""From the steps of a script to a timeline: how long each takes, and what comes in between."""

from __future__ import annotations

import math

from sim.people.acts import GRAVITY_M_S2, Act
from sim.people.falls import LEAN, TIP_MS
from sim.people.feet import Feet
from sim.people.gait import Manner, step_m
from sim.people.path import Path, Piece
from sim.people.postures import GROUND_SEAT_M
from sim.people.timeline import Plan
from sim.world.config import PersonConfig, StepConfig

FOREVER_MS = 1e12
NATURAL_MS = {
    "stand": 2000, "bend": 4000, "squat": 4000, "sit": 6000, "lie": 4000, "arms_raised": 3000,
    "work": 5000, "tie_shoes": 6000, "wave": 5000, "helmet_on": 1900, "helmet_off": 1900,
    "vest_on": 2600, "vest_off": 2600,
}  # fmt: skip
"""How long a step without for_ms takes when another follows."""
FADE_MS = {
    "bend": 750, "squat": 700, "sit": 950, "arms_raised": 550, "work": 600, "tie_shoes": 1000,
    "wave": 550, "helmet_on": 10, "helmet_off": 10, "vest_on": 500, "vest_off": 500, "lie": 1900,
    "crawl": 1300, "climb": 650, "climb_down": 650, "get_up": 0,
}  # fmt: skip
"""How long the body takes from standing to it."""
BACK_MS = {"bend": 600, "squat": 650, "sit": 850, "tie_shoes": 900, "crawl": 1600, "climb": 600,
           "climb_down": 600}  # fmt: skip
"""How long it takes back to standing, before a step is made; others 450 ms, without waiting."""
SPEED_M_S = {"walk": 1.35, "run": 3.0, "crawl": 0.45, "climb": 0.35, "climb_down": 0.35}
RAMP_S = {"walk": 0.40, "run": 0.55, "crawl": 0.3}
TURN_DEG_S = 140.0
"""Of a person who turns on the spot (peaks are higher)."""
TURN_MIN_MS, TURN_FROM_DEG = 500.0, 4.0
SPRAWL = {"forward": 0.36, "back": -0.40, "left": 0.30, "right": 0.30}
"""How far from the feet the hips come to lie, share of height, the way of the fall."""
FALL_MS = (760.0, 1080.0)
GET_UP_MS = 3000.0
SWITCH = 0.45
"""Share of the motion at which helmet or vest is on or off."""
STEP_OUT_MS = 900.0
"""Somebody who stands where the seat is first steps ahead of it."""
SEAT_BACK = 0.235
"""From the ankles back to the hips of somebody who sits, share of height."""


class _Planner:
    """Goes through the steps once."""

    def __init__(self, config: PersonConfig, height_m: float, seed: int) -> None:
        self.config, self.height_m = config, height_m
        self.plan = Plan(Path(), Feet(height_m), Manner(seed))
        self.t = float(config.enter_ms)
        self.x, self.y = config.at_m
        self.yaw, self.floor = config.heading_deg, 0.0
        self.low = ""
        """What still has to be got up from."""
        self.way = ""
        """How somebody lies."""
        self.helmet, self.vest = config.helmet, config.vest
        self.plan.wear.append((-math.inf, self.helmet, self.vest))
        self.plan.doings.append((-math.inf, "stand"))
        self._stay()
        self.plan.feet.stand(self.t, self.x, self.y, self.yaw, self.floor)

    def all(self) -> Plan:
        """The whole script."""
        steps = self.config.script
        for i, step in enumerate(steps):
            last = i == len(steps) - 1
            match step.do:
                case "walk" | "run":
                    self._go(step)
                case "crawl":
                    self._crawl(step)
                case "climb" | "climb_down":
                    self._climb(step, last)
                case "fall":
                    self._fall(step, last)
                case "get_up":
                    self._rise()
                    self._wait(step)
                case "stand":
                    self._stand(step, last)
                case _:
                    self._spot(step, last)
        return self.plan

    def _stay(self) -> None:
        place = self.x, self.y, self.x, self.y
        self.plan.path.add(
            Piece(self.t, self.t, *place, self.yaw, self.yaw, self.floor, self.floor)
        )
        self.plan.downs.append((self.t, self.x, self.y, self.yaw, self.floor))

    def _mark(self, doing: str, at_ms: float | None = None) -> None:
        self.plan.doings.append((self.t if at_ms is None else at_ms, doing))

    def _how_long(self, step: StepConfig, last: bool) -> float:
        if step.for_ms:
            return float(step.for_ms)
        return FOREVER_MS if last else float(NATURAL_MS.get(step.do, 2000))

    def _wait(self, step: StepConfig) -> None:
        self._mark("stand")
        self.t += step.for_ms

    def _rise(self) -> None:
        """Back on the feet, if somebody is down."""
        if self.low in ("lie", "fall"):
            self.t, start = self.t + GET_UP_MS, self.t
            self.plan.acts[-1].end_ms = start
            self.plan.acts[-1].fade_out_ms = 0
            old = self.plan.acts[-1]
            self.plan.acts.append(Act(
                "get_up", start, self.t, 0, 0, old.x, old.y, old.yaw, 0, self.way,
            ))  # fmt: skip
            self._mark("get_up", start)
            self._mark("stand")
        elif self.low:
            back = BACK_MS.get(self.low, 450.0)
            self.plan.acts[-1].end_ms = self.t
            self.plan.acts[-1].fade_out_ms = back
            self._mark("stand" if self.low != "crawl" else "crawl")
            if self.low in BACK_MS:
                self.t += back * 0.85
        self.low = ""

    def _turn(self, heading_deg: float, doing: str) -> None:
        angle = (heading_deg - self.yaw + 180) % 360 - 180
        if abs(angle) < TURN_FROM_DEG:
            self.yaw += angle if abs(angle) < 0.5 else 0.0
            return
        self._rise()
        self._mark(doing)
        end = self.t + max(TURN_MIN_MS, abs(angle) / TURN_DEG_S * 1000)
        piece = Piece(
            self.t, end, self.x, self.y, self.x, self.y, self.yaw, self.yaw + angle,
            self.floor, self.floor, "turn",
        )  # fmt: skip
        self.plan.path.add(piece)
        self.plan.feet.turn(piece)
        self.t, self.yaw = end, self.yaw + angle

    def _line(self, step: StepConfig, manner: str, x: float, y: float) -> Piece:
        """A straight piece of path from here, in the time that the step says."""
        length = math.hypot(x - self.x, y - self.y)
        begun = self.t
        heading = math.degrees(math.atan2(x - self.x, y - self.y))
        if manner != "crawl":
            self._rise()
            self._turn(heading, manner)
        left = step.for_ms - (self.t - begun)
        speed = step.speed_m_s or SPEED_M_S[manner] * (0.94 + 0.12 * self.plan.manner.choice)
        if step.for_ms and not step.speed_m_s:
            speed = length / max(left / 1000, 0.5)
        if step.for_ms and step.speed_m_s and length > speed * left / 1000 > 0:
            share = speed * left / 1000 / length
            x, y = self.x + (x - self.x) * share, self.y + (y - self.y) * share
            length *= share
        ramp = RAMP_S[manner]
        seconds = max(length / speed, 2.2 * ramp)
        turn = (heading - self.yaw + 180) % 360 - 180
        piece = Piece(
            self.t, self.t + 1000 * seconds, self.x, self.y, x, y, self.yaw, self.yaw + turn,
            self.floor, self.floor, manner, min(ramp, seconds / 3),  # type: ignore[arg-type]
            step_m(length / (seconds - ramp), self.height_m, manner == "run"),
        )  # fmt: skip
        self.plan.path.add(piece)
        self.x, self.y, self.yaw = x, y, self.yaw + turn
        return piece

    def _go(self, step: StepConfig) -> None:
        x, y = step.to_m if step.to_m is not None else (self.x, self.y)
        if math.hypot(x - self.x, y - self.y) < 0.05:
            return
        begun = self.t
        piece = self._line(step, step.do, x, y)
        self._mark(step.do, piece.start_ms)
        self.plan.feet.line(piece)
        self.t = piece.end_ms
        self._stay()
        self._mark("stand")
        self.t = max(self.t, begun + step.for_ms)

    def _crawl(self, step: StepConfig) -> None:
        x, y = step.to_m if step.to_m is not None else (self.x, self.y)
        act = self.plan.acts[-1] if self.low == "crawl" else None
        if act is None:
            heading = math.degrees(math.atan2(x - self.x, y - self.y))
            if self.low not in ("lie", "fall"):
                self._turn(heading, "stand")
            act = self._act("crawl", FOREVER_MS)
            self._mark("crawl", self.t + 0.5 * FADE_MS["crawl"])
            self.t += FADE_MS["crawl"]
        self.low = "crawl"
        if math.hypot(x - self.x, y - self.y) > 0.05:
            piece = self._line(step, "crawl", x, y)
            self.t = piece.end_ms
            self.plan.feet.stand(self.t, self.x, self.y, self.yaw, self.floor)
            self._stay()
        elif step.for_ms:
            self.t += step.for_ms

    def _climb(self, step: StepConfig, last: bool) -> None:
        goal = 0.0 if step.do == "climb_down" else step.to_height_m
        speed = step.speed_m_s or SPEED_M_S[step.do]
        up = goal - self.floor
        if step.heading_deg is not None:
            self._turn(step.heading_deg, "stand")
        if self.low in ("lie", "fall"):
            self._rise()
        c, s = math.cos(math.radians(self.yaw)), math.sin(math.radians(self.yaw))
        x, y = self.x + LEAN * up * s, self.y + LEAN * up * c
        foot = self.x - LEAN * self.floor * s, self.y - LEAN * self.floor * c
        act = self._act(step.do, FOREVER_MS)
        act.x, act.y, act.yaw = *foot, self.yaw
        self._mark(step.do)
        start = self.t + FADE_MS["climb"]
        end = start + 1000 * abs(up) / speed
        self.plan.path.add(Piece(
            start, end, self.x, self.y, x, y, self.yaw, self.yaw, self.floor, goal, "climb",
        ))  # fmt: skip
        begun, self.t = self.t, end
        self.x, self.y, self.floor, self.low = x, y, goal, step.do
        self.plan.feet.stand(self.t, x, y, self.yaw, goal)
        self._stay()
        self.t = max(self.t, begun + step.for_ms)

    def _fall(self, step: StepConfig, last: bool) -> None:
        rng_way = ("forward", "back", "left", "right")[
            int(self.plan.manner.look[0] / 6.2832 * 4) % 4
        ]
        self.way = step.direction or rng_way
        low, high = FALL_MS
        fast = low + (high - low) * (self.plan.manner.rate - 0.85) / 0.3
        if self.floor > 0:
            fast = TIP_MS + 1000 * math.sqrt(2 * self.floor / GRAVITY_M_S2) + 120
        height, start = self.floor, self.t
        act = self._act("fall", FOREVER_MS, fast)
        act.low_m, act.direction = height, self.way
        self._lie_at(act, SPRAWL[self.way])
        self._mark("fall")
        self._mark("lie", start + fast)
        self.t = start + (step.for_ms or (FOREVER_MS if last else fast))
        self.low = "fall"
        self._rest_at(act, start + fast)

    def _lie_at(self, act: Act, share: float) -> None:
        aside = {"left": -90.0, "right": 90.0}.get(self.way, 0.0)
        way = math.radians(self.yaw + aside)
        act.x = self.x + share * self.height_m * math.sin(way)
        act.y = self.y + share * self.height_m * math.cos(way)
        act.yaw = self.yaw

    def _rest_at(self, act: Act, when_ms: float) -> None:
        """From here on, getting up happens where the hips lie."""
        self.x, self.y, self.floor = act.x, act.y, 0.0
        now, self.t = self.t, when_ms
        self._stay()
        self.plan.feet.stand(when_ms, self.x, self.y, self.yaw, 0.0)
        self.t = now

    def _stand(self, step: StepConfig, last: bool) -> None:
        if self.low:
            self._rise()
        if step.heading_deg is not None:
            self._turn(step.heading_deg, "stand")
        self._mark("stand")
        self.t += self._how_long(step, last)

    def _act(self, kind: str, long_ms: float, fade_ms: float | None = None) -> Act:
        """A new act from now; the one before holds until this one is there."""
        fade = float(FADE_MS.get(kind, 450)) if fade_ms is None else fade_ms
        act = Act(
            kind, self.t, self.t + long_ms, fade, 450.0,
            self.x, self.y, self.yaw,
        )  # fmt: skip
        if self.low and self.plan.acts:
            self.plan.acts[-1].end_ms = self.t + act.fade_in_ms
            self.plan.acts[-1].fade_out_ms = 0.0
        self.plan.acts.append(act)
        return act

    def _spot(self, step: StepConfig, last: bool) -> None:
        if self.low in ("lie", "fall") and step.do != "lie":
            self._rise()
        if step.heading_deg is not None and self.low not in ("lie", "fall"):
            self._turn(step.heading_deg, "stand")
        long = self._how_long(step, last)
        start = self.t
        if step.do == "lie" and self.low in ("lie", "fall"):
            self.t += long
            return
        begins = start <= self.config.enter_ms and step.do in ("sit", "lie")
        act = self._act(step.do, long, 0.0 if begins else None)
        act.low_m = step.to_height_m
        if step.do == "lie":
            self.way = (
                step.direction
                or ("back", "left", "right", "forward")[int(self.plan.manner.choice * 4)]
            )
            act.direction = self.way
            self._lie_at(act, 0.08 if self.way != "back" else -0.08)
            self._rest_at(act, start + act.fade_in_ms)
        if step.do == "sit" and step.to_height_m >= GROUND_SEAT_M:
            self._sit_at(act)
        self._wear(step.do, start, long)
        late = 0.5 * act.fade_in_ms if step.do in ("lie", "sit") else 0.0
        self._mark(step.do, start + late)
        self.low = step.do
        self.t = start + long
        if step.do in ("helmet_on", "helmet_off", "vest_on", "vest_off"):
            self._mark("stand")

    def _sit_at(self, act: Act) -> None:
        """On the seat: the hips a little behind its middle, the feet in front of it."""
        c, s = math.cos(math.radians(self.yaw)), math.sin(math.radians(self.yaw))
        ahead = SEAT_BACK * self.height_m
        act.x, act.y = self.x, self.y
        x, y = self.x + ahead * s, self.y + ahead * c
        if act.fade_in_ms <= 0:
            self.x, self.y = x, y
            self.plan.feet.stand(act.start_ms, x, y, self.yaw, self.floor)
            self._stay()
            return
        piece = Piece(
            act.start_ms, act.start_ms + STEP_OUT_MS, self.x, self.y, x, y, self.yaw, self.yaw,
            self.floor, self.floor, "walk", STEP_OUT_MS / 3000, ahead,
        )  # fmt: skip
        self.plan.path.add(piece)
        self.plan.feet.line(piece)
        self.x, self.y = x, y
        act.start_ms += 0.6 * STEP_OUT_MS

    def _wear(self, doing: str, start: float, long: float) -> None:
        if doing not in ("helmet_on", "helmet_off", "vest_on", "vest_off"):
            return
        on = doing.endswith("_on")
        self.helmet = on if doing.startswith("helmet") else self.helmet
        self.vest = on if doing.startswith("vest") else self.vest
        long = min(long, FOREVER_MS / 2) if long < FOREVER_MS else float(NATURAL_MS[doing])
        self.plan.wear.append((start + SWITCH * long, self.helmet, self.vest))


def planned(config: PersonConfig, height_m: float, seed: int) -> Plan:
    """The plan of one person's script."""
    return _Planner(config, height_m, seed).all()
