"""A detector looks at one person alone, enlarged: what is small in the picture is large there.

A helmet of somebody a third of the picture high has six pixels in an input of half the picture's
size, and the network cannot see it; cut out and enlarged it has fifteen. (Slicing, after Akyon et
al., "Slicing Aided Hyper Inference", ICIP 2022, here with one slice around somebody who is known.)
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from models.detector import Detector
from models.families.anchor_free import AnchorFreeDecoder
from models.letterbox import Letterbox
from models.person_crop import PersonCrop
from models.tables import F32, Detections

MARGIN: Final = 0.3
"""The person's box is widened by this share, half on either side."""


class CloseUp:
    """Shares the network of a detector, and leaves its input as the detector needs it.

    Args:
        detector: whose package and session are used.
        capacity: most detections per look.
    """

    def __init__(self, detector: Detector, capacity: int) -> None:
        info = detector.package.info
        height, width = info.input.shape[1:3]
        self._detector = detector
        whole = Letterbox(width, height, width, height, info.input.pad_value)
        self._decoder = AnchorFreeDecoder(info, whole, capacity)
        is_rgb = info.input.colour == "rgb"
        tensor = detector.session.inputs[0]
        self._crop = PersonCrop(tensor, MARGIN, info.input.pad_value, is_rgb)

    def look(self, pixels: npt.NDArray[np.uint8], box: F32, found: Detections) -> None:
        """One inference on one person.

        Args:
            pixels: uint8[H, W, 3] BGR.
            box: float32[4] xyxy, source pixels.
            found: filled with all that is seen around there, in source pixels.

        Raises:
            NpuFault: the network failed; `found` is empty.
        """
        found.count = 0
        self._crop.take(pixels, box)
        try:
            self._detector.session.invoke()
        finally:
            self._detector.clear()
        self._decoder.decode(self._detector.session.outputs, found)
        self._crop.restore(found.boxes[: found.count].reshape(-1, 2))

    def rehearse(self, found: Detections) -> None:
        """Take all the memory that any look can need; call before it is sealed."""
        self._decoder.rehearse(found)
