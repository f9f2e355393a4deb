"""How the drawn world may look: people's clothes and postures, the camera, the room. Data only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
Waypoint = tuple[float, float, float]

CYCLE_MS = 12_000.0
"""The default walk repeats after this long."""
DEFAULT_PATH: tuple[Waypoint, ...] = (
    (2_000, -1.0, 6.3),
    (6_300, 0.45, 5.6),
    (7_800, 0.62, 5.3),
    (9_800, 1.0, 5.9),
)
"""(time in the cycle ms, position from -1 left edge to 1 right edge, distance from camera m)."""

POSTURES: dict[str, dict[str, float]] = {
    "walk": {},
    "stand": {"arm_l": 0.05, "arm_r": 0.1, "elbow_l": 0.15, "elbow_r": 0.2},
    "reach": {"arm_l": 1.2, "arm_r": 1.5, "elbow_l": 0.5, "elbow_r": 0.3, "trunk": 0.1},
    "arms_up": {"arm_l": 2.8, "arm_r": 2.9, "elbow_l": 0.2, "elbow_r": 0.1},
    "bend": {
        "trunk": 1.1,
        "thigh_l": 0.15,
        "thigh_r": 0.05,
        "knee_l": 0.3,
        "knee_r": 0.2,
        "arm_l": 0.4,
        "arm_r": 0.2,
    },
    "crouch": {
        "trunk": 0.5,
        "thigh_l": 1.9,
        "thigh_r": 1.5,
        "knee_l": 2.3,
        "knee_r": 2.1,
        "arm_l": 0.9,
        "arm_r": 0.7,
        "elbow_l": 0.7,
        "elbow_r": 0.8,
    },
    "sit": {
        "trunk": 0.05,
        "thigh_l": 1.5,
        "thigh_r": 1.45,
        "knee_l": 1.5,
        "knee_r": 1.4,
        "arm_l": 0.5,
        "arm_r": 0.6,
        "elbow_l": 0.8,
        "elbow_r": 0.7,
    },
    "lie": {"tilt": 1.5, "thigh_l": 0.2, "knee_l": 0.5, "arm_l": 0.3, "arm_r": 0.6, "elbow_r": 0.5},
    "fall": {
        "tilt": 0.8,
        "thigh_l": 0.6,
        "knee_l": 0.7,
        "knee_r": 0.3,
        "arm_l": 1.3,
        "arm_r": 0.9,
        "elbow_l": 0.6,
    },
}
"""Joint angles, radians: 0 hangs straight down, positive bends forwards; `tilt` lays one down."""


@dataclass(frozen=True)
class Outfit:
    """One person: clothes, build and posture. Colours are BGR."""

    skin: Colour = (142, 172, 214)
    hair: Colour = (38, 48, 66)
    top: Colour = (150, 82, 48)
    trousers: Colour = (88, 62, 52)
    shoes: Colour = (40, 40, 44)
    helmet: Colour | None = None
    vest: Colour | None = None
    sleeves: bool = True
    stature_m: float = 1.76
    girth: float = 1.0
    posture: str = "walk"
    twist: float = 0.0
    """Extra heading, radians; for people who do not look where they walk."""


@dataclass(frozen=True)
class Look:
    """How the room, the camera and the people look."""

    outfits: tuple[Outfit, ...] = (Outfit(),)
    paths: tuple[tuple[Waypoint, ...], ...] = (DEFAULT_PATH,)
    camera_height_m: float = 2.4
    pitch_rad: float = 0.21
    focal: float = 0.95
    """Focal length in picture widths."""
    wall_m: float = 9.0
    floor: Colour = (128, 134, 138)
    wall: Colour = (176, 188, 192)
    clutter: int = 6
    brightness: float = 1.0
    noise: float = 3.0
    backdrop: U8 | None = field(default=None, compare=False)
    """uint8[h, w, 3]: a picture to stand in for the drawn room."""


def random_colour(
    rng: np.random.Generator, low: int = 20, high: int = 230, tint: float = 0.6
) -> Colour:
    """A BGR colour; `tint` 0 is grey, 1 is as colourful as it gets."""
    grey = rng.uniform(low, high)
    return tuple(int(np.clip(grey + tint * rng.normal(0, 55), 8, 250)) for _ in range(3))  # type: ignore[return-value]


def random_outfit(rng: np.random.Generator, posture: str | None = None) -> Outfit:
    """Draw one person's clothes, build and posture."""
    skin_tone = rng.uniform(0.3, 1.08)
    names = list(POSTURES)
    hi_vis: list[Colour] = [(40, 235, 220), (30, 120, 245), (60, 240, 160)]
    hats: list[Colour] = [
        (40, 200, 240),
        (235, 235, 235),
        (190, 90, 30),
        (40, 40, 200),
        (30, 130, 240),
    ]
    return Outfit(
        skin=(int(148 * skin_tone), int(176 * skin_tone), int(220 * skin_tone)),
        hair=random_colour(rng, 15, 110, 0.25),
        top=random_colour(rng),
        trousers=random_colour(rng, 20, 170, 0.4),
        shoes=random_colour(rng, 15, 200, 0.3),
        helmet=hats[rng.integers(len(hats))] if rng.random() < 0.3 else None,
        vest=hi_vis[rng.integers(len(hi_vis))] if rng.random() < 0.25 else None,
        sleeves=bool(rng.random() < 0.7),
        stature_m=float(rng.uniform(1.45, 1.95)),
        girth=float(rng.uniform(0.82, 1.35)),
        posture=posture or names[rng.choice(len(names), p=_posture_odds(names))],
        twist=float(rng.uniform(-math.pi, math.pi)) if rng.random() < 0.5 else 0.0,
    )


def _posture_odds(names: list[str]) -> F64:
    odds = np.array([5.0 if n == "walk" else 2.0 if n == "stand" else 1.0 for n in names])
    return np.asarray(odds / odds.sum(), np.float64)


def random_look(rng: np.random.Generator, people: int = 1, backdrop: U8 | None = None) -> Look:
    """Draw a whole scene for training: camera, room, people, each passing somewhere around t = 6 s.

    Args:
        rng: source of all randomness.
        people: how many people.
        backdrop: uint8[h, w, 3] BGR, used instead of the drawn room.
    """
    focal = float(rng.uniform(0.65, 1.25))
    height = float(rng.uniform(1.2, 4.2))
    paths = []
    for _ in range(people):
        z = float(np.exp(rng.uniform(math.log(2.0), math.log(13.0))))
        u = float(rng.uniform(-1.0, 1.0))
        step = float(rng.uniform(-0.5, 0.5))
        paths.append(((0.0, u - step, z + rng.uniform(-1, 1)), (12_000.0, u + step, z)))
    far = max((p[0][2] for p in paths), default=5.0)
    near = min((p[1][2] for p in paths), default=5.0)
    return Look(
        outfits=tuple(random_outfit(rng) for _ in range(people)),
        paths=tuple(paths),
        camera_height_m=height,
        pitch_rad=float(math.atan2(height - 0.9, (near + far) / 2) + rng.normal(0, 0.06)),
        focal=focal,
        wall_m=max(far + float(rng.uniform(1, 7)), 4.0),
        floor=random_colour(rng, 50, 200, 0.25),
        wall=random_colour(rng, 60, 235, 0.25),
        clutter=int(rng.integers(0, 12)),
        brightness=float(rng.uniform(0.55, 1.2)),
        noise=float(rng.uniform(1.0, 7.0)),
        backdrop=backdrop,
    )


def crowd_look(people: int, rng: np.random.Generator) -> Look:
    """The default hall for any number of people: each starts later and further away."""
    base = Look()
    outfits, paths = [base.outfits[0]], [base.paths[0]]
    for i in range(1, people):
        outfits.append(replace(random_outfit(rng, "walk"), twist=0.0))
        side = -1.0 if i % 2 else 1.0
        start = 500.0 + (i * 2_300.0) % 4_000.0
        z = 5.0 + (i * 0.9) % 3.0
        paths.append(((start, -side, z), (start + 7_500.0, side, z + 0.4)))
    return replace(base, outfits=tuple(outfits), paths=tuple(paths))
