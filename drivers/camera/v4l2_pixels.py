"""From what a camera puts into its buffers to BGR, into an array that is there already."""

from __future__ import annotations

import mmap

import cv2
import numpy as np
import numpy.typing as npt

from drivers.faults import CameraFault
from drivers.interfaces import U8

Bytes = npt.NDArray[np.uint8]
CODES = {"YUYV": cv2.COLOR_YUV2BGR_YUYV, "NV12": cv2.COLOR_YUV2BGR_NV12}


class Converter:
    """Views of all buffers of one opening, in the shape that their format has.

    Args:
        fourcc: "YUYV", "NV12", "BGR3" or "MJPG".
        size_px: (width, height) of the picture.
        bytes_per_line: from one row to the next; drivers pad rows.
        maps: the buffers.

    Raises:
        CameraFault: reason "bad_format", the buffers cannot hold such a picture.
    """

    def __init__(
        self, fourcc: str, size_px: tuple[int, int], bytes_per_line: int, maps: list[mmap.mmap]
    ) -> None:
        self._fourcc = fourcc
        width, height = size_px
        inner = {"YUYV": (2,), "BGR3": (3,), "NV12": ()}.get(fourcc)
        if inner is None:  # compressed: as long as it comes
            self.least_bytes = 4
            self._views: list[Bytes] = [np.frombuffer(mapped, np.uint8) for mapped in maps]
            return
        depth = inner[0] if inner else 1
        stride = max(bytes_per_line, width * depth)
        rows = height * 3 // 2 if fourcc == "NV12" else height
        self.least_bytes = stride * (rows - 1) + width * depth
        if any(len(mapped) < self.least_bytes for mapped in maps):
            detail = f"{fourcc} {width}x{height} with {stride} bytes a line needs {rows} lines"
            raise CameraFault("bad_format", f"{detail}; its buffers are smaller")
        strides = (stride, depth, 1) if inner else (stride, 1)
        self._views = [
            np.ndarray((rows, width, *inner), np.uint8, mapped, strides=strides) for mapped in maps
        ]

    def convert(self, index: int, used_bytes: int, into: U8) -> bool:
        """Make a picture of a buffer.

        Args:
            index: of the buffer.
            used_bytes: how much of it the driver has filled.
            into: uint8[H, W, 3] BGR.

        Returns:
            False when the buffer holds no whole picture.
        """
        if used_bytes < self.least_bytes:
            return False
        view = self._views[index]
        match self._fourcc:
            case "BGR3":
                np.copyto(into, view)
            case "MJPG":
                return self._decode(view[:used_bytes], into)
            case name:
                cv2.cvtColor(view, CODES[name], dst=into)
        return True

    def _decode(self, data: Bytes, into: U8) -> bool:
        """OpenCV decodes into an array of its own: it lives for the time of one copy."""
        try:
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except (cv2.error, MemoryError):  # a broken header claims any size
            return False
        if picture is None or picture.shape != into.shape:
            return False
        np.copyto(into, picture)
        return True

    def close(self) -> None:
        """Let go of the views, so that the buffers can be unmapped."""
        self._views = []
