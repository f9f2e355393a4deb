"""The only door by which drawn pictures leave this room: files of pictures that no camera took."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

JPEG_QUALITY = 95
"""The simulated sensor has compressed already; the file shall not do it again to be seen."""


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write one picture; the ending of the name says how.

    Args:
        path: `.jpg` or `.png`.
        pixels: uint8[H, W, 3] BGR.

    Raises:
        OSError: it could not be written.
    """
    parameters = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    if not cv2.imwrite(str(path), pixels, parameters):
        raise OSError(f"{path}: could not be written")
