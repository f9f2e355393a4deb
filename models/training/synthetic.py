"""Drawn training pictures with true boxes, from the synthetic camera's own renderer."""

from __future__ import annotations

import numpy as np

from drivers.camera.synthetic_scene import SyntheticScene, random_look
from models.training.boxes import F32, U8, iou
from models.training.kinds import EVERY, IGNORE, PERSON

WIDTH_PX, HEIGHT_PX = 320, 256
PEOPLE_ODDS = (0.25, 0.35, 0.2, 0.12, 0.08)
"""Chance of 0, 1, 2, ... people."""
SILENT = EVERY - {PERSON}
BACKDROP_SHARE = 0.4
DEFAULT_LOOK_SHARE = 0.15
DEFAULT_SEEDS = (100, 1_000_000)
"""Seeds below the first stay unseen in training: the demonstration and the tests use them."""


def draw(seed: int, backdrops: list[U8]) -> tuple[U8, F32]:
    """One drawn picture.

    Args:
        seed: of everything.
        backdrops: uint8[h, w, 3] pictures without people, used instead of the drawn room at times.

    Returns:
        uint8[256, 320, 3] BGR, and float32[N, 5] xyxy and kind; nearly hidden people are ignored,
        and so are the classes that a drawn person has no parts for.
    """
    rng = np.random.default_rng((7, seed))
    if rng.random() < DEFAULT_LOOK_SHARE:
        people = int(rng.integers(1, 4))
        height = int(rng.choice([HEIGHT_PX, 180]))
        scene = SyntheticScene(WIDTH_PX, height, int(rng.integers(*DEFAULT_SEEDS)), people)
    else:
        people = int(rng.choice(len(PEOPLE_ODDS), p=PEOPLE_ODDS))
        use = len(backdrops) > 0 and rng.random() < BACKDROP_SHARE
        backdrop = backdrops[int(rng.integers(len(backdrops)))] if use else None
        look = random_look(rng, people, backdrop)
        scene = SyntheticScene(WIDTH_PX, HEIGHT_PX, seed, people, look)
    pixels = np.empty((scene.height_px, scene.width_px, 3), np.uint8)
    t_ms = float(rng.uniform(0, 12_000))
    scene.render(t_ms, pixels)
    boxes = np.array(scene.truth(t_ms), np.float32).reshape(-1, 4)
    silent = [[0, 0, scene.width_px, scene.height_px, IGNORE + c] for c in sorted(SILENT)]
    rows = np.c_[boxes, _hidden(boxes) * IGNORE]
    return pixels, np.concatenate((rows, silent)).astype(np.float32)


def _hidden(boxes: F32) -> F32:
    """1 for people who are mostly behind a later, nearer one."""
    hidden = np.zeros(len(boxes), np.float32)
    for i in range(len(boxes)):
        if len(boxes[i + 1 :]) and iou(boxes[i : i + 1], boxes[i + 1 :]).max() > 0.6:
            hidden[i] = 1.0
    return hidden
