"""What a camera's own processing does to a veiled picture: it stretches what contrast is left."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

STEP_PX = 5
"""One pixel in so many is metered, each way."""
DARK_SHARE, BRIGHT_SHARE = 0.01, 0.99
"""Of the metered green values: what becomes BLACK and WHITE, if the gain allows it."""
BLACK, WHITE = 14.0, 236.0
MOST_GAIN = 1.6
"""Automatic contrast of cameras is limited, or it would show nothing but noise."""


def stretch(pixels: U8) -> None:
    """Widens the range of a flat picture in place; one that uses its range stays as it is.

    Args:
        pixels: uint8[height, width, 3].
    """
    metered = np.sort(pixels[::STEP_PX, ::STEP_PX, 1], axis=None)
    last = len(metered) - 1
    dark, bright = float(metered[int(last * DARK_SHARE)]), float(metered[int(last * BRIGHT_SHARE)])
    gain = min((WHITE - BLACK) / max(bright - dark, 1.0), MOST_GAIN)
    if gain <= 1.0:
        return
    middle, level = (dark + bright) / 2, np.arange(256, dtype=np.float64)
    aim = min(max(middle, BLACK + gain * (middle - dark)), WHITE - gain * (bright - middle))
    curve = np.clip(np.rint((level - middle) * gain + aim), 0, 255).astype(np.uint8)
    cv2.LUT(pixels, curve, pixels)
