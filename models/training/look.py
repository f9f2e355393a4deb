"""What light, weather, lens and sensor do to a training picture."""

from __future__ import annotations

import cv2
import numpy as np

from models.training.boxes import U8


def change_look(rng: np.random.Generator, pixels: U8) -> U8:
    """Light, colour and sensor changes, in an order a camera would make them."""
    if rng.random() < 0.8:
        hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
        gain = 1 + rng.uniform(-1, 1, 3) * (0.02, 0.6, 0.4)
        ramp = np.arange(256, dtype=np.float32)
        tables = [
            (ramp * gain[0]) % 180,
            ramp * gain[1],
            np.clip(ramp * gain[2] + rng.uniform(-12, 12), 0, 255),
        ]
        hsv = cv2.merge(
            [
                cv2.LUT(c, np.clip(t, 0, 255).astype(np.uint8))
                for c, t in zip(cv2.split(hsv), tables, strict=True)
            ]
        )
        pixels = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if rng.random() < 0.10:
        pixels = _weather(rng, pixels)
    if rng.random() < 0.08:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.12:
        pixels = cv2.GaussianBlur(pixels, (5, 5), float(rng.uniform(0.4, 1.5)))
    if rng.random() < 0.15:
        grain = rng.integers(-9, 10, pixels.shape, np.int16)
        pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        _hole(rng, pixels)
    return pixels


def _hole(rng: np.random.Generator, pixels: U8) -> None:
    """A post or a box in front of the scene."""
    w, h = int(rng.uniform(8, 50)), int(rng.uniform(8, 90))
    x, y = int(rng.uniform(0, pixels.shape[1] - w)), int(rng.uniform(0, pixels.shape[0] - h))
    pixels[y : y + h, x : x + w] = rng.integers(0, 255, 3, np.uint8)


def _weather(rng: np.random.Generator, pixels: U8) -> U8:
    """Fog, night or rain, drawn flat over the picture."""
    kind = rng.random()
    if kind < 0.4:
        veil = float(rng.uniform(120, 235))
        share = float(rng.uniform(0.2, 0.6))
        return cv2.addWeighted(pixels, 1 - share, np.full_like(pixels, veil), share, 0)
    if kind < 0.7:
        ramp = 255 * (np.arange(256) / 255) ** rng.uniform(1.4, 2.4) * rng.uniform(0.5, 1.0)
        dark = cv2.LUT(pixels, ramp.astype(np.uint8))
        grain = rng.normal(0, rng.uniform(2, 9), pixels.shape)
        return np.clip(dark + grain, 0, 255).astype(np.uint8)
    streaks = pixels.copy()
    slant, height, width = int(rng.integers(-4, 5)), *pixels.shape[:2]
    for x, y in zip(rng.integers(0, width, 60), rng.integers(0, height, 60), strict=True):
        end = (int(x) + slant, int(y) + int(rng.integers(5, 16)))
        cv2.line(streaks, (int(x), int(y)), end, (200, 200, 200), 1)
    return cv2.addWeighted(pixels, 0.7, streaks, 0.3, 0)
