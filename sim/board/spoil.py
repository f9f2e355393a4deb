"""Pictures that are spoilt: what lies over the lens, what a broken camera sends."""

from __future__ import annotations

import cv2
import numpy as np

from drivers.interfaces import U8
from sim.optics.sensor import jpeg

DARK = 7
"""Brightest value behind a cover: a mask of bits, well below what counts as light."""
GRAIN = 7
"""Sensor noise in what is left to see: a mask of bits."""
EDGE_SHARE = 0.06
"""Something near the lens is out of focus: its edge is as soft as this share of the width."""
QUALITIES = (92, 93, 94)
"""JPEG quality of an encoder that is given the same picture again and again."""


def covered(pixels: U8, noise: U8, index: int) -> None:
    """A hand over the lens: nearly black, with the noise of a sensor that turns its gain up."""
    garbage(pixels, noise, index)
    np.bitwise_and(pixels, DARK, out=pixels)


def garbage(pixels: U8, noise: U8, index: int) -> None:
    """Noise, another one for each picture."""
    np.add(noise, np.uint8(index * 37 & 255), out=pixels)


def hide(pixels: U8, noise: U8, index: int, percent: int, level: int) -> None:
    """A bag or tape over a part of the lens, from the left: flat, out of focus, of this grey.

    Args:
        percent: share of the width that is hidden.
        level: grey level.
    """
    width = pixels.shape[1]
    edge = max(round(EDGE_SHARE * width), 1)
    column = np.arange(width, dtype=np.float32)
    end = width * percent / 100 + (edge if percent >= 100 else 0)
    share = np.clip((end - column) / edge + 0.5, 0, 1) * 255
    over = np.repeat(np.rint(share).astype(np.uint8)[None, :, None], 3, 2)
    over = np.broadcast_to(over, pixels.shape).copy()
    cv2.multiply(pixels, 255 - over, pixels, 1 / 255)
    cv2.add(pixels, cv2.multiply(over, level / 255), pixels)
    _grain(pixels, noise, index)


def dim(pixels: U8, noise: U8, index: int, percent: int) -> None:
    """The light goes down to so many percent, and the noise of the sensor stays."""
    cv2.convertScaleAbs(pixels, dst=pixels, alpha=percent / 100)
    _grain(pixels, noise, index)


def encode_anew(pixels: U8, index: int) -> None:
    """A still as an encoder sends it: never twice the same to the byte, without sensor noise."""
    jpeg(pixels, QUALITIES[index % len(QUALITIES)])


def _grain(pixels: U8, noise: U8, index: int) -> None:
    """A little noise, another one for each picture."""
    grain = np.add(noise, np.uint8(index * 37 & 255))
    np.bitwise_and(grain, GRAIN, out=grain)
    cv2.add(pixels, grain, pixels)
