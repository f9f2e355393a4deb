"""A contact sheet: random pictures side by side, for people to look at."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.dataset.draw import world_seed
from sim.dataset.overlay import draw_truth
from sim.dataset.randomise import random_moments, random_world
from sim.world.world import World

U8 = npt.NDArray[np.uint8]
COLUMNS = 6
GAP_PX = 4
SHOWN_WIDTH_PX = 480
"""Each picture is drawn in full size and shown this wide."""


def random_picture(seed: int, width_px: int, height_px: int, truth: bool = False) -> U8:
    """One picture of a random world.

    Args:
        seed: of the world; the moment follows from it.
        width_px, height_px: of the picture.
        truth: draw boxes, skeletons and actions over it.

    Returns:
        uint8[H, W, 3] BGR.
    """
    moments = random_moments(seed)
    world = World(random_world(seed), width_px, height_px, seed)
    pixels = np.zeros((height_px, width_px, 3), np.uint8)
    world.render(moments[seed % len(moments)], pixels)
    if truth:
        draw_truth(pixels, world.truth())
    return pixels


def contact_sheet(seed: int, frames: int, width_px: int, height_px: int, truth: bool) -> U8:
    """Pictures of as many worlds in rows of six.

    Returns:
        uint8[H, W, 3] BGR.
    """
    shown = SHOWN_WIDTH_PX, round(SHOWN_WIDTH_PX * height_px / width_px)
    columns, rows = min(COLUMNS, frames), -(-frames // COLUMNS)
    size = (rows * (shown[1] + GAP_PX) + GAP_PX, columns * (shown[0] + GAP_PX) + GAP_PX, 3)
    sheet = np.full(size, 24, np.uint8)
    for number in range(frames):
        picture = random_picture(world_seed(seed, number), width_px, height_px, truth)
        top = GAP_PX + number // COLUMNS * (shown[1] + GAP_PX)
        left = GAP_PX + number % COLUMNS * (shown[0] + GAP_PX)
        small = cv2.resize(picture, shown, interpolation=cv2.INTER_AREA)
        sheet[top : top + shown[1], left : left + shown[0]] = small
    return sheet
