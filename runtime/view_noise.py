"""Is the picture alive? A sensor's noise never stops; a still that is encoded anew has little.

Only a drop is told: what a camera's noise is has to be learned, and it differs by day and night.
Where there is next to none - strong compression repeats what stands still to the byte - there is
nothing to miss, and nothing is told. Pictures that are the same to the byte are also a fault of
the camera, which `runtime.health` tells at once and without learning.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from runtime.health import SAMPLE_COLUMNS, SAMPLE_ROWS

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

PATCHES = (4, 3)
"""The samples are looked at in so many patches, across and down."""
LEARN_MS = 20_000.0
"""Noise must be known for so long before its end means anything."""
LEAST_FLOOR = 0.7
"""Grey levels: a camera with less noise than this has none that could be missed."""
FROZEN_SHARE = 0.65
"""Of the least noise there has been: no patch has as much when the picture is frozen."""
FALL_PER_S = 0.03
"""The least noise falls no faster than this once it is known: a drop is what is looked for."""
RISE_PER_S = 0.0005
"""The least noise is forgotten so fast, so that it follows day and night: twice in 23 minutes."""
OTHER_LIGHT = 12.0
"""Grey levels: when the light changes so much, so does the noise, and is learned anew."""


class Noise:
    """What changes between two looks, in patches of sampled pixels.

    Attributes:
        busiest: mean change of the patch that changed most, grey levels.
        floor: the least median of the patches lately; 0 while it is learned.
        frozen: the picture is an old one, shown again.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._step_y = max(1, height_px // SAMPLE_ROWS)
        self._step_x = max(1, width_px // SAMPLE_COLUMNS)
        rows, columns = -(-height_px // self._step_y), -(-width_px // self._step_x)
        self._samples: U8 = np.zeros((rows, columns), np.uint8)
        self._last: U8 = np.zeros((rows, columns), np.uint8)
        self._change: U8 = np.zeros((rows, columns), np.uint8)
        self._change_f: F32 = np.zeros((rows, columns), np.float32)
        self._patches: F32 = np.zeros(PATCHES[::-1], np.float32)
        self.relearn()

    def relearn(self) -> None:
        """Forget what the noise was."""
        self.busiest = self.floor = self._least = 0.0
        self.frozen = False
        self._learning_since_ms: float | None = None
        self._last_ms = 0.0
        self._level = 0.0

    def look(self, pixels: U8, level: float, t_ms: float) -> None:
        """Compare with the last look.

        Args:
            pixels: uint8[H, W, 3] BGR.
            level: mean grey of the picture.
            t_ms: source time.
        """
        np.copyto(self._samples, pixels[:: self._step_y, :: self._step_x, 1])
        cv2.absdiff(self._samples, self._last, dst=self._change)
        self._samples, self._last = self._last, self._samples
        np.copyto(self._change_f, self._change)
        cv2.resize(self._change_f, PATCHES, dst=self._patches, interpolation=cv2.INTER_AREA)
        patches = sorted(self._patches.ravel().tolist())
        self.busiest = patches[-1]
        self._judge(patches[len(patches) // 2], level, t_ms)

    def _judge(self, median: float, level: float, t_ms: float) -> None:
        if self._learning_since_ms is None or abs(level - self._level) > OTHER_LIGHT:
            self._learning_since_ms, self._level = t_ms, level
            self._least, self.floor = median if self._last_ms else 255.0, 0.0
        self.frozen = self.floor >= LEAST_FLOOR and self.busiest < FROZEN_SHARE * self.floor
        if not self.frozen:
            self._follow(median, (t_ms - self._last_ms) / 1000.0)
            self._level += 0.1 * (level - self._level)
            if t_ms - self._learning_since_ms >= LEARN_MS:
                self.floor = self._least
        self._last_ms = t_ms

    def _follow(self, median: float, passed_s: float) -> None:
        lowest = self.floor * (1.0 - FALL_PER_S * passed_s)
        self._least = max(min(median, self._least * (1.0 + RISE_PER_S * passed_s)), lowest)
