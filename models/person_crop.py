"""Cuts one person out of a picture into a network's input, and maps joints back."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from models.letterbox import SIGN_BIT
from models.tables import F32

LEAST_PX: Final = 4.0
"""Boxes are taken as at least so wide and high: there is always something to resize."""
SAMPLING: Final = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class PersonCrop:
    """One call into the tensor's own memory; what lies outside the picture is the pad value.

    The box is widened, then extended to the input's aspect around its own middle.

    Attributes:
        matrix: float64[2, 3], input pixel (u, v, 1) to source pixel, as the last `take` used it.
    """

    def __init__(
        self, tensor: npt.NDArray[Any], margin: float, pad: int = 114, rgb: bool = False
    ) -> None:
        """Bind to an input tensor.

        Args:
            tensor: uint8 or int8 [1, input_h, input_w, 3], contiguous.
            margin: the box is widened by this share of its size, half on either side.
            pad: 0..255.
            rgb: the network wants red first.
        """
        self.input_h, self.input_w = tensor.shape[1:3]
        self.matrix: npt.NDArray[np.float64] = np.zeros((2, 3))
        self._picture = tensor.view(np.uint8).reshape(self.input_h, self.input_w, 3)
        self._flip, self._rgb = tensor.dtype == np.int8, rgb
        self._size, self._pad = (self.input_w, self.input_h), (pad, pad, pad)
        self._grow = 1 + margin
        self._scale: F32 = np.ones((1, 2), np.float32)
        self._origin: F32 = np.zeros((1, 2), np.float32)

    def aim(self, box: F32) -> None:
        """Work out where the crop lies.

        Args:
            box: float32[4] xyxy, source pixels; it may reach out of the picture.
        """
        x1, y1, x2, y2 = box.tolist()
        wide, high = max(x2 - x1, LEAST_PX), max(y2 - y1, LEAST_PX)
        step = self._grow * max(wide / self.input_w, high / self.input_h)
        left = (x1 + x2 - step * self.input_w) / 2
        top = (y1 + y2 - step * self.input_h) / 2
        self._scale.fill(step)
        self._origin[0, 0], self._origin[0, 1] = left, top
        # Pixel centres lie at .5, and OpenCV counts from the centre of the first one.
        self.matrix[0, 0] = self.matrix[1, 1] = step
        self.matrix[0, 2], self.matrix[1, 2] = left + (step - 1) / 2, top + (step - 1) / 2

    def take(self, pixels: npt.NDArray[np.uint8], box: F32) -> None:
        """Write one person into the tensor.

        Args:
            pixels: uint8[H, W, 3] BGR.
            box: float32[4] xyxy, source pixels.
        """
        self.aim(box)
        cv2.warpAffine(
            pixels,
            self.matrix,
            self._size,
            dst=self._picture,
            flags=SAMPLING,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=self._pad,
        )
        if self._rgb:
            cv2.cvtColor(self._picture, cv2.COLOR_BGR2RGB, dst=self._picture)
        if self._flip:
            np.bitwise_xor(self._picture, SIGN_BIT, out=self._picture)

    def restore(self, points: F32) -> None:
        """Input pixels to source pixels, in place.

        Args:
            points: float32[N, 2] or a view of more columns' first two.
        """
        np.multiply(points, self._scale, out=points)
        np.add(points, self._origin, out=points)
