"""Stick figures for tests: how some postures look in a picture, and what a network says of them."""

from __future__ import annotations

import numpy as np

ACTIONS = ("stand", "walk", "squat", "sit", "bend", "fall", "lie", "crawl", "climb")
HIP, TORSO, HEAD = 1.7, 1.0, 0.5
"""Heights in torso lengths: hips above the ground, shoulders above hips, nose above shoulders."""

# joints in COCO's order: 5 of the head, shoulders, elbows, wrists, hips, knees, ankles
SIDES = np.array([0, -0.1, 0.1, -0.2, 0.2] + [-0.3, 0.3] * 3 + [-0.2, 0.2] * 3)
PLACES = {
    "stand": (HIP + TORSO + HEAD, HIP + TORSO, HIP + 0.5, HIP, HIP, 0.85, 0.0),
    "sit": (2.3, 1.85, 1.4, 1.0, 0.85, 0.85, 0.0),
    "squat": (1.35, 0.95, 0.7, 0.5, 0.35, 0.7, 0.0),
    "bend": (1.35, 1.6, 1.2, 0.8, HIP, 0.85, 0.0),
    "lie": (0.25, 0.2, 0.1, 0.1, 0.15, 0.1, 0.0),
    "knees_up": (0.6, 0.55, 0.4, 0.3, 0.3, 0.75, 0.0),
}
"""Heights of head, shoulders, elbows, wrists, hips, knees, ankles."""
LENGTHS = {"lie": (3.0, 2.5, 2.0, 1.6, 1.5, 0.8, 0.0)}
"""How far to the side, where a posture is not upright."""
COUNTS = (5, 2, 2, 2, 2, 2, 2)


def figure(posture: str, x: float = 320.0, foot_y: float = 300.0, torso_px: float = 50.0):
    """float32[17, 3]: joints of a posture, feet at (x, foot_y)."""
    joints = np.ones((17, 3), np.float32)
    heights = np.repeat(PLACES[posture], COUNTS)
    joints[:, 1] = foot_y - torso_px * heights
    joints[:, 0] = x + torso_px * SIDES
    if posture in LENGTHS:
        joints[:, 0] = x + torso_px * np.repeat(LENGTHS[posture], COUNTS)
        joints[:, 1] += torso_px * 0.2 * SIDES
    return joints


def scores(**said: float):
    """float32[C]: what the network says; the rest goes to standing."""
    row = np.zeros(len(ACTIONS), np.float32)
    row[0] = 1.0 - sum(said.values())
    for action, score in said.items():
        row[ACTIONS.index(action)] = score
    return row


def box_of(joints):
    """(x1, y1, x2, y2) around a figure."""
    seen = joints[joints[:, 2] > 0]
    return (*(seen[:, :2].min(axis=0) - 10), *(seen[:, :2].max(axis=0) + 10))
