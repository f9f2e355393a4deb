"""Decoder of MoveNet single pose: y, x, score of 17 joints as shares of the input, float32.

The network finds its person by itself; the crop only has to hold one. Not trained here: packages
of it are for comparison and as a stand-in (`haetae model pack FILE --family movenet`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.package import ModelInfo
from models.skeletons import JOINTS
from models.tables import F32


class MovenetDecoder:
    """Outputs in, joints in input pixels out."""

    def __init__(self, info: ModelInfo, outputs: Sequence[npt.NDArray[Any]]) -> None:
        """Bind to a session's outputs.

        Args:
            info: a description of this family.
            outputs: float32[1, 1, 17, 3].
        """
        height, width = info.input.shape[1:3]
        self._joints: F32 = outputs[0].reshape(JOINTS, 3)
        self._size: F32 = np.array([width, height], np.float32)

    def decode(self, out: F32) -> None:
        """Fill float32[17, 3]: x, y in input pixels, score 0..1."""
        np.multiply(self._joints[:, 1::-1], self._size, out=out[:, :2])
        out[:, 2] = self._joints[:, 2]
