"""How each action holds the body: joint angles drawn around its typical ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Angles = dict[str, F64]
"""Degrees by joint, each float64[N]; `_l` and `_r` are the person's sides."""


class Draw:
    """Random angles for a batch.

    Args:
        rng: source of all randomness.
        count: rows.
    """

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng, self.count = rng, count

    def around(self, mean: float, spread: float) -> F64:
        """Normal, degrees."""
        return self.rng.normal(mean, spread, self.count)

    def between(self, low: float, high: float) -> F64:
        """Uniform, degrees."""
        return self.rng.uniform(low, high, self.count)

    def chance(self, share: float) -> npt.NDArray[np.bool_]:
        """True for a share of the rows."""
        return self.rng.random(self.count) < share


def relaxed(d: Draw) -> Angles:
    """Upright, arms hanging; what the actions change."""
    both = {
        "hip": lambda: d.around(0, 3), "open": lambda: d.around(3, 3),
        "knee": lambda: np.abs(d.around(3, 4)), "arm": lambda: d.around(0, 10),
        "spread": lambda: d.between(2, 16), "elbow": lambda: np.abs(d.around(10, 12)),
        "inward": lambda: d.around(8, 12),
    }  # fmt: skip
    angles = {f"{name}_{side}": draw() for name, draw in both.items() for side in "lr"}
    return angles | {
        "pitch": d.around(1, 2), "roll": d.around(0, 2), "yaw": d.between(-180, 180),
        "spine": d.around(3, 4), "lean": d.around(0, 3), "twist": d.around(0, 6),
        "nod": d.around(5, 10), "look": d.around(0, 22), "tip": np.zeros(d.count),
        "tip_to": d.between(-180, 180),
    }  # fmt: skip


def stand(d: Draw) -> Angles:
    """Arms hanging, folded, at the ear or on the hips."""
    a = relaxed(d)
    for side in "lr":
        front, hip = d.chance(0.14), d.chance(0.08)
        a[f"elbow_{side}"][front] = d.between(60, 125)[front]
        a[f"inward_{side}"][front] = d.between(0, 50)[front]
        a[f"spread_{side}"][hip] = d.between(30, 50)[hip]
        a[f"elbow_{side}"][hip] = d.between(70, 100)[hip]
        a[f"inward_{side}"][hip] = d.between(40, 70)[hip]
    return a


def _stride(d: Draw, reach: float, lift: float, swing: float, bent: float, lean: float) -> Angles:
    """One moment of a gait.

    Args:
        d: source.
        reach: largest hip angle.
        lift: largest knee angle of the swinging leg.
        swing: largest shoulder angle.
        bent: elbow.
        lean: of the trunk.
    """
    a, phase, size = relaxed(d), d.between(0, 360), d.rng.uniform(0.7, 1.2, d.count)
    for side, turn in (("l", 0.0), ("r", 180.0)):
        angle = np.deg2rad(phase + turn)
        a[f"hip_{side}"] = size * reach * np.sin(angle) + 0.2 * reach + d.around(0, 2)
        a[f"knee_{side}"] = 6 + size * lift * np.maximum(0, np.cos(angle - 0.2)) ** 2
        a[f"arm_{side}"] = -size * swing * np.sin(angle) + d.around(0, 6)
        a[f"elbow_{side}"] = np.abs(d.around(bent, bent / 3))
    a["spine"] = d.around(lean, lean / 3)
    return a


def walk(d: Draw) -> Angles:
    """One arm may carry or telephone."""
    a = _stride(d, 24, 55, 22, 18, 5)
    busy = d.chance(0.15)
    a["elbow_l"][busy] = d.between(60, 130)[busy]
    return a


def run(d: Draw) -> Angles:
    """Long strides, elbows bent, leaning."""
    a = _stride(d, 45, 105, 42, 85, 14)
    a["knee_l"] += d.between(5, 25)
    a["knee_r"] += d.between(5, 25)
    return a


def _fold(d: Draw, a: Angles, low: float, high: float) -> None:
    """Bow the trunk; hips and arms answer, so that legs stay and arms hang or reach."""
    total = d.between(low, high)
    share = d.rng.uniform(0.4, 0.8, d.count)
    a["pitch"] = total * share
    a["spine"] = total * (1 - share)
    for side in "lr":
        a[f"hip_{side}"] += a["pitch"]
        a[f"arm_{side}"] = total + d.around(0, 22)
        a[f"elbow_{side}"] = np.abs(d.around(12, 18))


def bend(d: Draw) -> Angles:
    """Bowing to the ground or to a bench, picking up, tying shoes on straight legs."""
    a = relaxed(d)
    for side in "lr":
        knee = np.abs(d.around(8, 14))
        a[f"knee_{side}"], a[f"hip_{side}"] = knee, knee * 0.5 + d.around(0, 8)
    _fold(d, a, 48, 118)
    return a


def squat(d: Draw) -> Angles:
    """On both feet, or on one knee as who ties a shoe."""
    a = relaxed(d)
    tilt = d.between(0, 45)
    a["pitch"], a["spine"] = tilt, d.between(0, 30)
    kneel = d.chance(0.4)
    for side in "lr":
        knee = d.between(95, 150)
        a[f"knee_{side}"] = knee
        a[f"hip_{side}"] = knee * 0.62 + tilt + d.around(0, 8)
        a[f"open_{side}"] = d.between(2, 30)
        a[f"arm_{side}"] = d.between(10, 90)
        a[f"elbow_{side}"] = d.between(0, 100)
    down = np.where(d.chance(0.5), 0, 1)
    for which, side in enumerate("lr"):
        on = kneel & (down == which)
        a[f"hip_{side}"][on] = (tilt + d.around(0, 12))[on]
        a[f"knee_{side}"][on] = d.between(80, 115)[on]
        up = kneel & (down != which)
        a[f"hip_{side}"][up] = (tilt + d.between(75, 105))[up]
        a[f"knee_{side}"][up] = d.between(75, 110)[up]
    return a


def sit(d: Draw) -> Angles:
    """On a seat, on a low thing, on the ground."""
    a = relaxed(d)
    tilt, low = d.between(-18, 25), d.chance(0.3)
    a["pitch"], a["spine"] = tilt, d.between(0, 25)
    for side in "lr":
        thigh, shin = d.around(85, 8), d.around(0, 14)
        thigh[low], shin[low] = d.between(70, 135)[low], d.between(-30, 75)[low]
        a[f"hip_{side}"] = thigh + tilt
        a[f"knee_{side}"] = np.maximum(thigh - shin, 0)
        a[f"open_{side}"] = d.between(0, 20)
        a[f"arm_{side}"], a[f"elbow_{side}"] = d.between(0, 55), d.between(5, 100)
    return a


def climb(d: Draw) -> Angles:
    """On a ladder: hands high, one knee up."""
    a, phase = relaxed(d), d.between(0, 360)
    a["spine"] = d.between(0, 14)
    for side, turn in (("l", 0.0), ("r", 180.0)):
        up = 0.5 + 0.5 * np.sin(np.deg2rad(phase + turn))
        a[f"hip_{side}"] = 12 + 68 * up + d.around(0, 7)
        a[f"knee_{side}"] = 18 + 80 * up + d.around(0, 8)
        a[f"arm_{side}"] = 95 + 60 * (1 - up) + d.around(0, 10)
        a[f"elbow_{side}"] = np.clip(25 + 70 * up + d.around(0, 12), 0, 130)
    return a


def fall(d: Draw) -> Angles:
    """The whole body off balance, any way, arms flying."""
    a = relaxed(d)
    a["tip"] = d.between(28, 74)
    a["spine"], a["lean"] = d.around(8, 18), d.around(0, 12)
    for side in "lr":
        knee = d.between(5, 75)
        a[f"knee_{side}"], a[f"hip_{side}"] = knee, knee * 0.5 + d.around(0, 22)
        a[f"arm_{side}"] = d.around(45, 50)
        a[f"spread_{side}"], a[f"elbow_{side}"] = d.between(10, 80), d.between(5, 80)
    return a


def lie(d: Draw) -> Angles:
    """On back, belly or side; straight or curled."""
    a = relaxed(d)
    a["tip"] = d.around(90, 4)
    a["spine"] = d.around(3, 10)
    curled = d.chance(0.3)
    for side in "lr":
        knee = np.abs(d.around(15, 20))
        knee[curled] = d.between(50, 110)[curled]
        a[f"knee_{side}"], a[f"hip_{side}"] = knee, knee * d.rng.uniform(0.3, 0.9, d.count)
        a[f"arm_{side}"], a[f"spread_{side}"] = d.around(15, 35), d.between(2, 70)
        a[f"elbow_{side}"] = d.between(0, 100)
    return a


def crawl(d: Draw) -> Angles:
    """On hands and knees."""
    a, phase = relaxed(d), d.between(0, 360)
    a["pitch"], a["nod"] = d.around(82, 9), d.around(-20, 18)
    for side, turn in (("l", 0.0), ("r", 180.0)):
        swing = np.sin(np.deg2rad(phase + turn)) * d.between(0, 22)
        a[f"hip_{side}"] = a["pitch"] + swing
        a[f"knee_{side}"] = d.between(72, 105) + swing
        a[f"arm_{side}"] = a["pitch"] - swing + d.around(0, 8)
        a[f"elbow_{side}"] = np.abs(d.around(8, 12))
    return a


def plank(d: Draw) -> Angles:
    """Straight on hands or elbows and toes."""
    a = relaxed(d)
    a["pitch"] = d.around(80, 6)
    elbows = d.chance(0.4)
    for side in "lr":
        a[f"arm_{side}"] = a["pitch"] + d.around(0, 8)
        a[f"elbow_{side}"] = np.where(elbows, d.between(75, 100), np.abs(d.around(6, 8)))
    return a


def arms_raised(d: Draw) -> Angles:
    """One hand or both above the head; waving."""
    a = walk(d) if d.rng.random() < 0.15 else stand(d)
    one = d.chance(0.4)
    left = d.chance(0.5)
    for side, chosen in (("l", left), ("r", ~left)):
        up = ~one | chosen
        wide = d.chance(0.5)
        a[f"arm_{side}"][up] = np.where(wide, d.around(0, 12), d.between(138, 185))[up]
        a[f"spread_{side}"][up] = np.where(wide, d.between(125, 175), d.between(0, 25))[up]
        a[f"elbow_{side}"][up] = d.between(0, 60)[up]
        a[f"inward_{side}"][up] = d.around(10, 25)[up]
    return a


def work(d: Draw) -> Angles:
    """Hands busy in front of the body, from knee to face height."""
    a = relaxed(d)
    _fold(d, a, 4, 38)
    shared = d.between(15, 85)
    for side in "lr":
        a[f"arm_{side}"] = shared + d.around(0, 14)
        a[f"elbow_{side}"] = np.clip(d.around(55, 28), 5, 125)
        a[f"inward_{side}"] = d.around(22, 16)
        a[f"hip_{side}"] += d.around(0, 8)
    return a


POSES: Final[tuple[tuple[str, str, Callable[[Draw], Angles]], ...]] = (
    ("stand", "stand", stand), ("walk", "walk", walk), ("run", "run", run),
    ("bend", "bend", bend), ("squat", "squat", squat), ("sit", "sit", sit),
    ("climb", "climb", climb), ("fall", "fall", fall), ("lie", "lie", lie),
    ("crawl", "crawl", crawl), ("plank", "crawl|lie", plank),
    ("arms_raised", "arms_raised", arms_raised), ("work", "work", work),
)  # fmt: skip
"""What is posed, what it may be called, how."""
