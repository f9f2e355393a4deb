"""A small drawn world: a room and people who walk by, for the synthetic camera and for training.

The room is drawn once; each frame copies it, draws the people on top at twice the resolution inside
their own rectangle, and adds sensor noise. Everything follows from (seed, t_ms).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import cv2
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
EDGE_MARGIN_M = 0.55
MIN_VISIBLE = 0.25
"""A person is part of the truth when this share of their box lies inside the picture ..."""
MIN_VISIBLE_PX = 4.0
"""... and each side of what is inside is at least this long."""
SUPERSAMPLE = 2
SHIFT = 4
NOISE_SPARE_PX = 61
STRIDE_M = 1.35
_CIRCLE = np.array(
    [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 14, False)], np.float32
)
_SHADES = ((1.0, 0.70, 0.0), (0.80, 0.94, 0.13), (0.45, 1.13, 0.30))
"""Drawn from the outside in: share of the radius, brightness, shift towards the light in radii."""

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


class _Lens:
    """A pinhole camera above the floor: x to the right, y up, z forwards, metres."""

    def __init__(self, width_px: int, height_px: int, look: Look) -> None:
        self.centre = (width_px / 2, height_px / 2)
        self.focal_px = look.focal * width_px
        self.height_m = look.camera_height_m
        self.sin, self.cos = math.sin(look.pitch_rad), math.cos(look.pitch_rad)

    def project(self, points: F64) -> F64:
        """float[N, 3] metres to float[N, 3]: x px, y px, px per metre."""
        y = points[:, 1] - self.height_m
        depth = np.maximum(points[:, 2] * self.cos - y * self.sin, 0.25)
        scale = self.focal_px / depth
        return np.stack(
            (
                self.centre[0] + points[:, 0] * scale,
                self.centre[1] - (y * self.cos + points[:, 2] * self.sin) * scale,
                scale,
            ),
            1,
        )

    def half_width_m(self, z: float) -> float:
        """Half the width of what is seen at distance z."""
        return self.centre[0] / self.focal_px * (z * self.cos + (self.height_m - 0.9) * self.sin)


def _texture(rng: np.random.Generator, size: int = 512) -> F32:
    """Smooth grey noise around 0, float32[size, size], that tiles badly but softly."""
    out = np.zeros((size, size), np.float32)
    for cells, gain in ((8, 9.0), (32, 6.0), (128, 4.0), (512, 3.0)):
        out += cv2.resize(rng.normal(0, gain, (cells, cells)).astype(np.float32), (size, size))
    return out


def _draw_room(
    width_px: int, height_px: int, look: Look, lens: _Lens, rng: np.random.Generator
) -> U8:
    """Floor and back wall with texture in true perspective, then furniture."""
    v, u = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    dx, dv = (u - lens.centre[0]) / lens.focal_px, (v - lens.centre[1]) / lens.focal_px
    dy, dz = -lens.sin - dv * lens.cos, lens.cos - dv * lens.sin
    to_floor = np.where(dy < -1e-3, lens.height_m / np.maximum(-dy, 1e-3), np.inf)
    to_wall = look.wall_m / np.maximum(dz, 1e-3)
    is_floor = to_floor < to_wall
    reach = np.where(is_floor, to_floor, to_wall).astype(np.float32)
    x, other = dx * reach, np.where(is_floor, dz * reach, lens.height_m + dy * reach)
    tile = np.where(is_floor, 0.8, 1.25)
    grain = cv2.remap(
        _texture(rng), (x * 60 + 256) % 511, (other * 60 + 64) % 511, cv2.INTER_LINEAR
    )
    joint = (
        np.minimum(
            np.abs((x / tile) % 1 - 0.5), np.where(is_floor, np.abs((other / tile) % 1 - 0.5), 1)
        )
        < 0.012
    )
    shade = grain - 22 * joint + np.where(is_floor, 0, np.where(other < 1.1, -26, 0)) - 2.2 * reach
    base = np.where(
        is_floor[..., None], np.array(look.floor, np.float32), np.array(look.wall, np.float32)
    )
    room = np.clip((base + shade[..., None]) * look.brightness, 0, 255).astype(np.uint8)
    for _ in range(look.clutter):
        _draw_clutter(room, look, lens, rng)
    return np.asarray(cv2.GaussianBlur(room, (3, 3), 0.7), np.uint8)


def _draw_clutter(room: U8, look: Look, lens: _Lens, rng: np.random.Generator) -> None:
    """One thing by the wall: a crate, a table, a cone, or a frame on the wall."""
    kind = rng.integers(4)
    z = look.wall_m - rng.uniform(0.5, 1.4)
    x = rng.uniform(-1, 1) * lens.half_width_m(z)
    colour = np.array(random_colour(rng, 40, 200, 0.5)) * look.brightness
    if kind == 0:
        w, h = rng.uniform(0.35, 1.2), rng.uniform(0.3, 1.1)
        _draw_crate(room, lens, (x, 0.0, z), (w, h, 0.6), colour)
    elif kind == 1:
        _draw_crate(room, lens, (x, 0.72, z), (1.5, 0.06, 0.7), colour)
        for leg in (-0.68, 0.64):
            _draw_crate(room, lens, (x + leg, 0.0, z), (0.06, 0.72, 0.06), colour * 0.7)
    elif kind == 2:
        tip, left, right = lens.project(np.array([(x, 0.7, z), (x - 0.2, 0, z), (x + 0.2, 0, z)]))[
            :, :2
        ]
        for low, high, paint in ((0, 1, (30, 90, 235)), (0.35, 0.6, (230, 230, 230))):
            quad = [
                left + (tip - left) * low,
                right + (tip - right) * low,
                right + (tip - right) * high,
                left + (tip - left) * high,
            ]
            _fill(room, np.array(quad), np.array(paint) * look.brightness)
    else:
        w, h, y = rng.uniform(0.5, 1.4), rng.uniform(0.4, 1.0), rng.uniform(1.2, 1.8)
        wall = look.wall_m - 0.01
        for grow, tone in ((0.05, colour * 0.5), (0.0, colour * 0.6 + 95)):
            rectangle = [
                (x - grow, y - grow),
                (x + w + grow, y - grow),
                (x + w + grow, y + h + grow),
                (x - grow, y + h + grow),
            ]
            _fill(room, lens.project(np.array([(a, b, wall) for a, b in rectangle]))[:, :2], tone)


def _draw_crate(room: U8, lens: _Lens, at: Waypoint, size: Waypoint, colour: F64) -> None:
    x, y, z = at
    w, h, d = size
    top = [(x, y + h, z), (x + w, y + h, z), (x + w, y + h, z + d), (x, y + h, z + d)]
    front = [(x, y, z), (x + w, y, z), (x + w, y + h, z), (x, y + h, z)]
    edge = x if x > 0 else x + w
    side = [(edge, y, z), (edge, y, z + d), (edge, y + h, z + d), (edge, y + h, z)]
    for face, tone in ((side, 0.6), (top, 1.2), (front, 0.9)):
        _fill(room, lens.project(np.array(face))[:, :2], colour * tone)


def _fill(image: U8, points: F64, colour: F64 | Colour) -> None:
    tone = tuple(float(min(max(c, 0), 255)) for c in colour)
    cv2.fillConvexPoly(
        image, np.round(points * (1 << SHIFT)).astype(np.int32), tone, cv2.LINE_AA, SHIFT
    )


def _limb(start: F64, angle: float, length: float, out: float = 0.0) -> F64:
    """End of a limb: axes are forwards, sideways, up; angle 0 hangs down."""
    return start + length * np.array((math.sin(angle), out, -math.cos(angle)))


def _joints(outfit: Outfit, walked_m: float) -> dict[str, F64]:
    """Joint positions in metres around the pelvis: forwards, sideways (right positive), up."""
    pose = POSTURES[outfit.posture]
    angle = pose.get
    swing = {"l": 0.0, "r": 0.0}
    walking = outfit.posture == "walk"
    if walking:
        phase = 2 * math.pi * walked_m / STRIDE_M
        swing = {"l": math.sin(phase), "r": -math.sin(phase)}
    size = outfit.stature_m
    pelvis = np.zeros(3)
    trunk = angle("trunk", 0.05)
    up = np.array((math.sin(trunk), 0.0, math.cos(trunk)))
    side = np.array((0.0, 1.0, 0.0))
    chest = 0.285 * size * up
    nod = np.array((math.sin(trunk * 0.8 + 0.06), 0.0, math.cos(trunk * 0.8 + 0.06)))
    joints = {
        "pelvis": pelvis,
        "chest": chest,
        "neck": chest + 0.035 * size * nod,
        "head": chest + 0.128 * size * nod,
        "crown": chest + 0.165 * size * nod,
        "face": np.array((math.cos(trunk * 0.8), 0.0, -math.sin(trunk * 0.8))),
    }
    for name, sign in (("l", -1.0), ("r", 1.0)):
        thigh = angle(f"thigh_{name}", 0.0) + 0.40 * swing[name]
        knee = angle(f"knee_{name}", 0.05) + (
            0.08 + 0.5 * max(0.0, -swing[name]) ** 2 if walking else 0.0
        )
        arm = angle(f"arm_{name}", 0.0) - 0.5 * swing[name]
        elbow = angle(f"elbow_{name}", 0.0) + (0.35 if walking else 0.0)
        joints[f"hip_{name}"] = pelvis + sign * 0.050 * size * side
        joints[f"knee_{name}"] = _limb(joints[f"hip_{name}"], thigh, 0.245 * size, sign * 0.04)
        joints[f"ankle_{name}"] = _limb(
            joints[f"knee_{name}"], thigh - knee, 0.235 * size, sign * 0.01
        )
        joints[f"toe_{name}"] = _limb(
            joints[f"ankle_{name}"], thigh - knee + 1.35, 0.105 * size, sign * 0.1
        )
        joints[f"shoulder_{name}"] = chest + sign * 0.098 * size * side - 0.012 * size * up
        joints[f"elbow_{name}"] = _limb(
            joints[f"shoulder_{name}"], arm - trunk, 0.172 * size, sign * 0.17
        )
        joints[f"hand_{name}"] = _limb(
            joints[f"elbow_{name}"], arm - trunk + elbow, 0.165 * size, sign * 0.02
        )
    return joints


def _radii(outfit: Outfit) -> dict[str, float]:
    """Radius of the body at each joint, metres."""
    size = outfit.stature_m / 1.76
    base = {
        "pelvis": 0.115,
        "chest": 0.12,
        "neck": 0.05,
        "head": 0.098,
        "crown": 0.085,
        "hip": 0.092,
        "knee": 0.062,
        "ankle": 0.046,
        "toe": 0.038,
        "shoulder": 0.062,
        "elbow": 0.046,
        "hand": 0.042,
    }
    fleshy = {"pelvis", "chest", "hip", "shoulder", "elbow", "knee"}
    return {k: v * size * (outfit.girth if k in fleshy else 1.0) for k, v in base.items()}


class _Figure:
    """One posed person, placed and projected."""

    def __init__(
        self, outfit: Outfit, at: tuple[float, float], heading: float, walked_m: float, lens: _Lens
    ) -> None:
        self.outfit = outfit
        local = _joints(outfit, walked_m)
        facing = local.pop("face")
        radii = _radii(outfit)
        names = list(local)
        points = np.array([local[n] for n in names])
        size_m = np.array([radii[n.split("_")[0]] for n in names])
        tilt = POSTURES[outfit.posture].get("tilt", 0.0)
        rotate = np.array(
            ((math.cos(tilt), 0, -math.sin(tilt)), (0, 1, 0), (math.sin(tilt), 0, math.cos(tilt)))
        )
        points, facing = points @ rotate.T, rotate @ facing
        points[:, 2] -= (points[:, 2] - size_m).min()
        turn = heading + outfit.twist
        ahead, aside = (
            np.array((math.cos(turn), math.sin(turn))),
            np.array((math.sin(turn), -math.cos(turn))),
        )
        world = np.stack(
            (
                at[0] + points[:, 0] * ahead[0] + points[:, 1] * aside[0],
                points[:, 2],
                at[1] + points[:, 0] * ahead[1] + points[:, 1] * aside[1],
            ),
            1,
        )
        pixels = lens.project(world)
        self.centre = {n: pixels[i, :2] for i, n in enumerate(names)}
        self.radius = {n: float(size_m[i] * pixels[i, 2]) for i, n in enumerate(names)}
        self.depth = {n: float(world[i, 2]) for i, n in enumerate(names)}
        self.ground = lens.project(np.array([(at[0], 0.0, at[1])]))[0]
        self.towards_camera = float(-(facing[0] * ahead[1]))
        self.to_right = float(facing[0] * ahead[0])
        low, high = (
            pixels[:, :2] - (size_m * pixels[:, 2])[:, None],
            pixels[:, :2] + (size_m * pixels[:, 2])[:, None],
        )
        self.box: Box = (
            float(low[:, 0].min()),
            float(low[:, 1].min()),
            float(high[:, 0].max()),
            float(high[:, 1].max()),
        )

    def visible(self, width_px: int, height_px: int) -> Box | None:
        """The box clipped to the picture, or None when too little of the person is inside."""
        x1, y1, x2, y2 = self.box
        inside = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width_px)), min(y2, float(height_px)))
        wide, tall = inside[2] - inside[0], inside[3] - inside[1]
        if min(wide, tall) < MIN_VISIBLE_PX or wide * tall < MIN_VISIBLE * (x2 - x1) * (y2 - y1):
            return None
        return inside

    def paint(self, canvas: U8, origin: tuple[int, int], light: float) -> None:
        """Draw onto a canvas SUPERSAMPLE times as fine; `origin` is its corner in the picture."""
        self._canvas, self._origin, self._light = canvas, np.array(origin, np.float64), light
        o = self.outfit
        sleeve = o.top if o.sleeves else o.skin
        torso = o.vest or o.top
        limbs: list[tuple[float, list[str], Colour]] = []
        for side in ("l", "r"):
            arm = (f"shoulder_{side}", f"elbow_{side}", f"hand_{side}")
            leg = (f"hip_{side}", f"knee_{side}", f"ankle_{side}", f"toe_{side}")
            limbs += [
                (self._far(leg[:3]) + 0.02, [leg[2], leg[3]], o.shoes),
                (self._far(leg[:2]), [leg[0], leg[1]], o.trousers),
                (self._far(leg[1:3]) + 0.01, [leg[1], leg[2]], o.trousers),
                (self._far(arm[:2]), [arm[0], arm[1]], o.top),
                (self._far(arm[1:]), [arm[1], arm[2]], sleeve),
            ]
        middle = self._far(("chest", "pelvis"))
        limbs.sort(key=lambda part: -part[0])
        for _, chain, colour in (part for part in limbs if part[0] > middle):
            self._blob(chain, colour)
            self._hand(chain)
        self._blob(["pelvis", "hip_l", "hip_r"], o.trousers, 0.98)
        self._blob(["neck", "head"], o.skin, 0.5)
        self._blob(["shoulder_l", "shoulder_r", "chest", "pelvis"], torso, 1.0)
        if o.vest:
            self._stripes()
        self._head()
        for _, chain, colour in (part for part in limbs if part[0] <= middle):
            self._blob(chain, colour)
            self._hand(chain)

    def _far(self, chain: tuple[str, ...]) -> float:
        return sum(self.depth[n] for n in chain) / len(chain)

    def _hand(self, chain: list[str]) -> None:
        if chain[-1].startswith("hand"):
            self._ellipse(self.centre[chain[-1]], self.radius[chain[-1]], self.outfit.skin)

    def _blob(self, chain: list[str], colour: Colour, grow: float = 1.0) -> None:
        """Hull of the circles around some joints, shaded like a round body lit from upper left."""
        centres = np.array([self.centre[n] for n in chain])
        radii = np.array([self.radius[n] for n in chain])[:, None] * grow
        for share, tone, shift in _SHADES:
            middles = centres - radii * shift * np.array((0.8, 0.5))
            ring = (middles[:, None] + _CIRCLE[None] * radii[:, None] * share).reshape(-1, 2)
            self._polygon(ring, colour, tone)

    def _polygon(self, points: F64, colour: Colour, tone: float = 1.0) -> None:
        fixed = np.round((points - self._origin) * (SUPERSAMPLE << SHIFT)).astype(np.int32)
        shade = tuple(min(255.0, c * tone * self._light) for c in colour)
        cv2.fillConvexPoly(self._canvas, cv2.convexHull(fixed), shade, cv2.LINE_AA, SHIFT)

    def _ellipse(self, middle: F64, radius: float, colour: Colour) -> None:
        for share, tone, shift in _SHADES:
            self._polygon(
                middle - radius * shift * np.array((0.8, 0.5)) + _CIRCLE * radius * share,
                colour,
                tone,
            )

    def _head(self) -> None:
        """Face, then hair on the side away from it, or a helmet."""
        head, radius = self.centre["head"], self.radius["head"]
        up = self.centre["crown"] - head
        up = up / max(float(np.hypot(*up)), 1e-6)
        look = np.array((self.to_right, 0.0))
        self._polygon(
            head + up * radius * 0.1 + _CIRCLE * (radius * 0.86, radius * 1.12),
            self.outfit.skin,
            0.78,
        )
        self._polygon(
            head + up * radius * 0.1 - radius * 0.12 + _CIRCLE * (radius * 0.66, radius * 0.94),
            self.outfit.skin,
            1.02,
        )
        across = np.array((up[1], -up[0]))
        if self.towards_camera > 0.1:
            for eye in (-0.32, 0.32):
                self._polygon(
                    head + look * radius * 0.45 + across * eye * radius + _CIRCLE * radius * 0.11,
                    (40, 40, 50),
                )
        cover = self.outfit.helmet or self.outfit.hair
        back = max(0.0, -self.towards_camera)
        lift, wide, tall = 0.62 - 0.5 * back, 0.93, 0.72 + 0.3 * back
        self._polygon(
            head
            + up * radius * lift
            - look * radius * 0.3
            + _CIRCLE * (radius * wide, radius * tall),
            cover,
            0.85,
        )
        self._polygon(
            head
            + up * radius * (lift + 0.14)
            - look * radius * 0.36
            + _CIRCLE * (radius * 0.62, radius * tall * 0.6),
            cover,
            1.25,
        )
        if self.outfit.helmet:
            brim = head + up * radius * 0.42 + look * radius * 0.35
            self._polygon(
                np.array(
                    [
                        brim - across * radius * 1.12,
                        brim + across * radius * 1.12,
                        brim + across * radius * 1.05 + up * radius * 0.2,
                        brim - across * radius * 1.05 + up * radius * 0.2,
                    ]
                ),
                self.outfit.helmet,
                0.7,
            )

    def _stripes(self) -> None:
        for level in (0.35, 0.6):
            left = self.centre["shoulder_l"] * (1 - level) + self.centre["hip_l"] * level
            right = self.centre["shoulder_r"] * (1 - level) + self.centre["hip_r"] * level
            across = right - left
            reach = across / max(float(np.hypot(*across)), 1e-6) * self.radius["shoulder_l"] * 0.8
            down = np.array((0.0, self.radius["chest"] * 0.22))
            self._polygon(
                np.array([left - reach, right + reach, right + reach + down, left - reach + down]),
                (225, 230, 228),
            )


class SyntheticScene:
    """A room in which people walk by, drawn again for each moment.

    With one person and the default look the cycle is 12 s: empty for 2 s, then somebody enters at
    the left edge, reaches the right half by 6 to 7 s, leaves at the right edge by 10 s, and it is
    empty again.

    Args:
        width_px: picture width.
        height_px: picture height.
        seed: chooses furniture, texture and noise.
        people: how many walk; each later one starts later, further away and in other clothes.
        look: everything visible; the default is a plain hall.
    """

    def __init__(
        self,
        width_px: int,
        height_px: int,
        seed: int = 0,
        people: int = 1,
        look: Look | None = None,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.width_px, self.height_px, self.seed = width_px, height_px, seed
        self.look = look if look is not None else _crowd_look(people, rng)
        self._people = people
        self._lens = _Lens(width_px, height_px, self.look)
        if self.look.backdrop is None:
            self._room = _draw_room(width_px, height_px, self.look, self._lens, rng)
        else:
            self._room = cv2.resize(
                self.look.backdrop, (width_px, height_px), interpolation=cv2.INTER_AREA
            )
        spare = (height_px + NOISE_SPARE_PX, width_px + NOISE_SPARE_PX, 3)
        grain = np.round(rng.normal(0, self.look.noise, spare)).astype(np.int16)
        self._brighter = np.clip(grain, 0, 255).astype(np.uint8)
        self._darker = np.clip(-grain, 0, 255).astype(np.uint8)
        self._canvas = np.empty((height_px * SUPERSAMPLE, width_px * SUPERSAMPLE, 3), np.uint8)
        y, x = np.mgrid[-1:1:48j, -1:1:48j]
        self._shadow = (0.5 * np.clip(1 - np.hypot(x, y), 0, 1) ** 0.8).astype(np.float32)

    def render(self, t_ms: float, pixels: U8) -> None:
        """Draw the moment t_ms into `pixels`, uint8[H, W, 3] BGR, in place.

        Raises:
            ValueError: `pixels` has another shape than the scene.
        """
        if pixels.shape != self._room.shape:
            raise ValueError(f"pixels are {pixels.shape}, the scene is {self._room.shape}")
        np.copyto(pixels, self._room)
        figures = self._figures(t_ms)
        for figure in figures:
            self._cast_shadow(figure, pixels)
        for figure in figures:
            self._paint(figure, pixels)
        pick = (int(t_ms * 8) * 2_654_435_761 + self.seed * 40_503) & 0xFFFFFFFF
        y, x = (pick >> 7) % NOISE_SPARE_PX, (pick >> 17) % NOISE_SPARE_PX
        window = np.s_[y : y + self.height_px, x : x + self.width_px]
        cv2.add(pixels, self._brighter[window], dst=pixels)
        cv2.subtract(pixels, self._darker[window], dst=pixels)

    def truth(self, t_ms: float) -> list[Box]:
        """Boxes x1, y1, x2, y2 in pixels of the people who are visible at t_ms, far ones first."""
        boxes = (f.visible(self.width_px, self.height_px) for f in self._figures(t_ms))
        return [b for b in boxes if b is not None]

    def _figures(self, t_ms: float) -> list[_Figure]:
        """Everyone who is on their way, far ones first."""
        found = []
        for i in range(self._people):
            outfit = self.look.outfits[i % len(self.look.outfits)]
            place = self._walk(self.look.paths[i % len(self.look.paths)], (t_ms % CYCLE_MS))
            if place is not None:
                x, z, heading, walked_m = place
                found.append((z, _Figure(outfit, (x, z), heading, walked_m, self._lens)))
        found.sort(key=lambda pair: -pair[0])
        return [figure for _, figure in found]

    def _walk(
        self, path: tuple[Waypoint, ...], t_ms: float
    ) -> tuple[float, float, float, float] | None:
        """Position x, z (m), heading (rad) and distance walked (m) at a time of the cycle."""
        walked_m = 0.0
        for (t0, u0, z0), (t1, u1, z1) in zip(path, path[1:], strict=False):
            start, end = self._place(u0, z0), self._place(u1, z1)
            step = (end[0] - start[0], end[1] - start[1])
            if t0 <= t_ms <= t1:
                share = (t_ms - t0) / max(t1 - t0, 1e-9)
                done = math.hypot(*step) * share
                return (
                    start[0] + step[0] * share,
                    start[1] + step[1] * share,
                    math.atan2(step[1], step[0]),
                    walked_m + done,
                )
            walked_m += math.hypot(*step)
        return None

    def _place(self, u: float, z: float) -> tuple[float, float]:
        edge_m = self._lens.half_width_m(z)
        margin = EDGE_MARGIN_M if abs(u) >= 1.0 else 0.0
        return u * edge_m + math.copysign(margin, u), z

    def _window(self, box: Box, border: float) -> tuple[int, int, int, int]:
        x1, y1 = max(int(box[0] - border), 0), max(int(box[1] - border), 0)
        return (
            x1,
            y1,
            min(int(box[2] + border) + 1, self.width_px),
            min(int(box[3] + border) + 1, self.height_px),
        )

    def _paint(self, figure: _Figure, pixels: U8) -> None:
        x1, y1, x2, y2 = self._window(figure.box, 3)
        if x2 <= x1 or y2 <= y1:
            return
        target = pixels[y1:y2, x1:x2]
        canvas = self._canvas[: (y2 - y1) * SUPERSAMPLE, : (x2 - x1) * SUPERSAMPLE]
        cv2.resize(
            target, (canvas.shape[1], canvas.shape[0]), dst=canvas, interpolation=cv2.INTER_NEAREST
        )
        figure.paint(canvas, (x1, y1), self.look.brightness)
        cv2.resize(canvas, (x2 - x1, y2 - y1), dst=target, interpolation=cv2.INTER_AREA)

    def _cast_shadow(self, figure: _Figure, pixels: U8) -> None:
        x, y, scale = figure.ground
        wide = max(figure.box[2] - figure.box[0], 0.9 * scale) * 0.62
        x1, y1, x2, y2 = self._window((x - wide, y - 0.3 * wide, x + wide, y + 0.3 * wide), 0)
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        soft = cv2.resize(self._shadow, (int(2 * wide) + 2, int(0.6 * wide) + 2))
        cut = soft[int(y1 - (y - 0.3 * wide)) :, int(x1 - (x - wide)) :][: y2 - y1, : x2 - x1]
        part = pixels[y1 : y1 + cut.shape[0], x1 : x1 + cut.shape[1]]
        part[:] = part * (1 - cut[..., None])


def _crowd_look(people: int, rng: np.random.Generator) -> Look:
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
