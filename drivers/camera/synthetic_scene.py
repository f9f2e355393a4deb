"""A small drawn world: a room and people who walk by, for the synthetic camera and for training.

The room is drawn once; each frame copies it, draws the people on top at twice the resolution inside
their own rectangle, and adds sensor noise. Everything follows from (seed, t_ms).
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from drivers.camera.synthetic_figure import SUPERSAMPLE, Figure
from drivers.camera.synthetic_look import (
    CYCLE_MS,
    POSTURES,
    U8,
    Box,
    Look,
    Outfit,
    Waypoint,
    crowd_look,
    random_look,
    random_outfit,
)
from drivers.camera.synthetic_room import Lens, draw_room

__all__ = ["POSTURES", "Box", "Look", "Outfit", "SyntheticScene", "random_look", "random_outfit"]

EDGE_MARGIN_M = 0.55
"""How far outside the picture a walk from edge to edge begins and ends."""
NOISE_SPARE_PX = 61
"""The noise picture is this much larger than the frame, so that each frame takes another window."""


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
        self.look = look if look is not None else crowd_look(people, rng)
        self._people = people
        self._lens = Lens(width_px, height_px, self.look)
        if self.look.backdrop is None:
            self._room = draw_room(width_px, height_px, self.look, self._lens, rng)
        else:
            self._room = cv2.resize(
                self.look.backdrop, (width_px, height_px), interpolation=cv2.INTER_AREA
            )
        spare = (height_px + NOISE_SPARE_PX, width_px + NOISE_SPARE_PX, 3)
        grain = np.round(rng.normal(0, self.look.noise, spare)).astype(np.int16)
        self._brighter = np.clip(grain, 0, 255).astype(np.uint8)
        self._darker = np.clip(-grain, 0, 255).astype(np.uint8)
        self._canvas = np.full(
            (height_px * SUPERSAMPLE, width_px * SUPERSAMPLE, 3), 0, np.uint8
        )  # touched now: memory is sealed later
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

    def _figures(self, t_ms: float) -> list[Figure]:
        """Everyone who is on their way, far ones first."""
        found = []
        for i in range(self._people):
            outfit = self.look.outfits[i % len(self.look.outfits)]
            place = self._walk(self.look.paths[i % len(self.look.paths)], (t_ms % CYCLE_MS))
            if place is not None:
                x, z, heading, walked_m = place
                found.append((z, Figure(outfit, (x, z), heading, walked_m, self._lens)))
        found.sort(key=lambda pair: -pair[0])
        return [figure for _, figure in found]

    def _walk(
        self, path: tuple[Waypoint, ...], t_ms: float
    ) -> tuple[float, float, float, float] | None:
        """Position x, z (m), heading (rad) and distance walked (m) at a time of the cycle."""
        walked_m = 0.0
        for (t0, u0, z0), (t1, u1, z1) in pairwise(path):
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

    def _paint(self, figure: Figure, pixels: U8) -> None:
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

    def _cast_shadow(self, figure: Figure, pixels: U8) -> None:
        x, y, scale = figure.ground
        wide = max(figure.box[2] - figure.box[0], 0.9 * scale) * 0.62
        x1, y1, x2, y2 = self._window((x - wide, y - 0.3 * wide, x + wide, y + 0.3 * wide), 0)
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        soft = cv2.resize(self._shadow, (int(2 * wide) + 2, int(0.6 * wide) + 2))
        cut = soft[int(y1 - (y - 0.3 * wide)) :, int(x1 - (x - wide)) :][: y2 - y1, : x2 - x1]
        part = pixels[y1 : y1 + cut.shape[0], x1 : x1 + cut.shape[1]]
        part[:] = part * (1 - cut[..., None])
