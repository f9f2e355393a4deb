"""The drawn room: a pinhole camera, floor and wall in perspective, and things that stand about."""

from __future__ import annotations

import math

import cv2
import numpy as np

from drivers.camera.synthetic_look import F32, F64, U8, Colour, Look, Waypoint, random_colour

SHIFT = 4
"""Fraction bits of the coordinates given to OpenCV."""


class Lens:
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


def draw_room(
    width_px: int, height_px: int, look: Look, lens: Lens, rng: np.random.Generator
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


def _draw_clutter(room: U8, look: Look, lens: Lens, rng: np.random.Generator) -> None:
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


def _draw_crate(room: U8, lens: Lens, at: Waypoint, size: Waypoint, colour: F64) -> None:
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
