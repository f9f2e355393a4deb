"""The drawn person: joints from a posture and a walk, then shaded, tapered limbs."""

from __future__ import annotations

import math

import cv2
import numpy as np

from drivers.camera.synthetic_look import F64, POSTURES, U8, Box, Colour, Outfit
from drivers.camera.synthetic_room import SHIFT, Lens

MIN_VISIBLE = 0.25
"""A person is part of the truth when this share of their box lies inside the picture ..."""
MIN_VISIBLE_PX = 4.0
"""... and each side of what is inside is at least this long."""
SUPERSAMPLE = 2
"""The figure is drawn this many times as fine as the picture."""
STRIDE_M = 1.35
"""Two steps of a walk."""
_CIRCLE = np.array(
    [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 14, False)], np.float32
)
_SHADES = ((1.0, 0.70, 0.0), (0.80, 0.94, 0.13), (0.45, 1.13, 0.30))
"""Drawn from the outside in: share of the radius, brightness, shift towards the light in radii."""


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


class Figure:
    """One posed person, placed and projected."""

    def __init__(
        self, outfit: Outfit, at: tuple[float, float], heading: float, walked_m: float, lens: Lens
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
