"""OpenCV as the cameras use it: FFmpeg only, one decoder thread, silent on stderr."""

from __future__ import annotations

import math
import os
from typing import Any, Protocol

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
# Lost UDP packets smear pictures, and a smear can be a person; a camera without TCP needs "udp".
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")

import cv2  # reads its log level when it is imported

from drivers.interfaces import U8

if hasattr(cv2, "setLogLevel"):  # OpenCV 4; where imported earlier, the variable came too late
    cv2.setLogLevel(0)

MAX_FPS = 240.0
"""A container that claims more is not believed: some state their time base instead."""


class Capture(Protocol):
    """The part of cv2.VideoCapture that the cameras use."""

    def isOpened(self) -> bool:  # noqa: N802
        """Whether the source was opened."""
        ...

    def grab(self) -> bool:
        """Decode the next picture; False at the end, on an error and on a timeout."""
        ...

    def retrieve(self, image: U8 | None = None) -> tuple[bool, U8 | None]:
        """Convert the decoded picture to uint8[H, W, 3] BGR, into `image` when its size fits."""
        ...

    def read(self, image: U8 | None = None) -> tuple[bool, U8 | None]:
        """`grab` and `retrieve`."""
        ...

    def get(self, prop: int) -> float:
        """A property, cv2.CAP_PROP_*."""
        ...

    def release(self) -> None:
        """Close the source."""
        ...


def open_capture(source: str, options: dict[int, int] | None = None) -> Capture:
    """Open a file or URL with FFmpeg and one decoder thread.

    Args:
        source: absolute path or URL.
        options: further cv2.CAP_PROP_* settings that are taken at opening only.

    Returns:
        The capture; ask `isOpened`.
    """
    settings = {cv2.CAP_PROP_N_THREADS: 1, **(options or {})}
    flat = [number for pair in settings.items() for number in pair]
    capture: Any = cv2.VideoCapture(source, cv2.CAP_FFMPEG, flat)
    return capture  # type: ignore[no-any-return]


def believable_fps(stated: float, otherwise: float) -> float:
    """The stated rate, frames/s, or `otherwise` when it is zero, negative, NaN or above MAX_FPS."""
    return stated if math.isfinite(stated) and 0 < stated <= MAX_FPS else otherwise


def size_text(picture: U8) -> str:
    """Width x height of uint8[H, W, 3], for people."""
    return f"{picture.shape[1]}x{picture.shape[0]}"
