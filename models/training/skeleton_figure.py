"""Draws found skeletons on simulated people, side by side, for the model card."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from models.training.boxes import F32, U8
from models.training.skeleton_cache import Person

BONES: Final = (
    (5, 7), (7, 9), (6, 8), (8, 10), (5, 6), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15),
    (12, 14), (14, 16), (0, 5), (0, 6),
)  # fmt: skip
TILE_PX: Final = 200
PER_ROW: Final = 6
LEFT, RIGHT, MIDDLE = (80, 200, 60), (40, 120, 240), (200, 200, 200)
"""Colours of the person's own left and right, BGR."""
PAPER: Final = 255


def sheet(people: list[Person], found: F32, threshold: float) -> U8:
    """uint8[H, W, 3] BGR, PER_ROW people in a row.

    Args:
        people: cached, simulated.
        found: float32[N, 17, 3] in cached pixels.
        threshold: joints below are not drawn.
    """
    tiles = [tile(*pair, threshold) for pair in zip(people, found, strict=True)]
    while len(tiles) % PER_ROW:
        tiles.append(np.full((TILE_PX, TILE_PX, 3), PAPER, np.uint8))
    rows = [np.hstack(tiles[i : i + PER_ROW]) for i in range(0, len(tiles), PER_ROW)]
    return np.vstack(rows)


def tile(person: Person, joints: F32, threshold: float) -> U8:
    """One person with their skeleton, uint8[TILE_PX, TILE_PX, 3]."""
    scale = TILE_PX / max(person.pixels.shape[:2])
    part = cv2.resize(person.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    pixels = np.full((TILE_PX, TILE_PX, 3), PAPER, np.uint8)
    pixels[: part.shape[0], : part.shape[1]] = part[:TILE_PX, :TILE_PX]
    places = [tuple(round(float(v) * scale) for v in point[:2]) for point in joints]
    for a, b in BONES:
        if min(joints[a, 2], joints[b, 2]) >= threshold:
            sides = {LEFT if joint % 2 else RIGHT for joint in (a, b) if joint}
            colour = sides.pop() if len(sides) == 1 and 0 not in (a, b) else MIDDLE
            cv2.line(pixels, places[a], places[b], colour, 2, cv2.LINE_AA)
    for place, joint in zip(places, joints, strict=True):
        if joint[2] >= threshold:
            cv2.circle(pixels, place, 2, (30, 30, 220), -1, cv2.LINE_AA)
    return pixels
