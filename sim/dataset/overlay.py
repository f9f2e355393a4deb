"""Draws the truth over a picture, for people who check it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.dataset.coco import SKELETON
from sim.world.truth import OUTSIDE, VISIBLE, PersonTruth, Truth

U8 = npt.NDArray[np.uint8]
Bgr = tuple[int, int, int]
GOOD, BAD, HIDDEN_COLOUR, MACHINE = (80, 220, 80), (60, 60, 240), (160, 160, 160), (230, 180, 40)


def draw_truth(pixels: U8, truth: Truth) -> None:
    """Boxes, skeletons and actions, in place.

    Args:
        pixels: uint8[H, W, 3] BGR.
        truth: of this very picture.
    """
    for machine in truth.machines:
        if machine.box is not None and machine.visible > 0:
            _frame(pixels, machine.box, MACHINE, machine.kind)
    for person in truth.people:
        _person(pixels, person)


def _person(pixels: U8, person: PersonTruth) -> None:
    if person.box is None:
        return
    equipped = person.helmet and person.vest
    colour: Bgr = HIDDEN_COLOUR if person.visible < 0.2 else GOOD if equipped else BAD
    missing = "".join(letter for letter, on in (("H", person.helmet), ("V", person.vest)) if not on)
    words = f"{person.action} {person.visible:.2f}" + (f" -{missing}" if missing else "")
    _frame(pixels, person.box, colour, words)
    for box in (person.helmet_box, person.vest_box, None if person.helmet else person.head_box):
        if box is not None:
            _frame(pixels, box, colour, "")
    points = person.keypoints
    for first, second in SKELETON:
        if points[first - 1, 2] != OUTSIDE and points[second - 1, 2] != OUTSIDE:
            ends = [tuple(round(v) for v in points[n - 1, :2].tolist()) for n in (first, second)]
            cv2.line(pixels, ends[0], ends[1], colour, 1, cv2.LINE_AA)
    for x, y, seen in points.tolist():
        if seen != OUTSIDE:
            fill = -1 if seen == VISIBLE else 1
            cv2.circle(pixels, (round(x), round(y)), 2, colour, fill, cv2.LINE_AA)


def _frame(pixels: U8, box: tuple[float, float, float, float], colour: Bgr, words: str) -> None:
    x1, y1, x2, y2 = (round(side) for side in box)
    cv2.rectangle(pixels, (x1, y1), (x2, y2), colour, 1)
    if words:
        at = x1, max(10, y1 - 3)
        cv2.putText(pixels, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(pixels, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, 1, cv2.LINE_AA)
