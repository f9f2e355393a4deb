"""One buffer of a video device, of either of the two kinds that V4L2 has.

A device that can have its pictures in several planes wants them described by an array beside the
buffer, also where there is one plane only, as in every format that is supported here.
"""

from __future__ import annotations

from ctypes import addressof

from drivers.camera import v4l2_kernel as v4l2

SINGLE = v4l2.BUF_TYPE_VIDEO_CAPTURE
MULTI = v4l2.BUF_TYPE_VIDEO_CAPTURE_MPLANE


class Slot:
    """What ioctls on a buffer take and fill.

    Args:
        kind: SINGLE or MULTI.
        index: of the buffer.

    Attributes:
        raw: the kernel's structure.
    """

    def __init__(self, kind: int, index: int) -> None:
        self._plane = v4l2.Plane()  # stays where it is: the kernel is told its address
        self._is_multi = kind == MULTI
        self.raw = v4l2.Buffer(index=index, type=kind, memory=v4l2.MEMORY_MMAP)
        if self._is_multi:
            self.raw.m.planes, self.raw.length = addressof(self._plane), 1

    @property
    def index(self) -> int:
        """Which buffer it is about."""
        return int(self.raw.index)

    @property
    def length(self) -> int:
        """Size of the buffer, bytes."""
        return int(self._plane.length if self._is_multi else self.raw.length)

    @property
    def offset(self) -> int:
        """Where to map it."""
        return int(self._plane.m.mem_offset if self._is_multi else self.raw.m.offset)

    @property
    def used_bytes(self) -> int:
        """How much of it the driver has filled; nothing where it does not begin at the start."""
        if self._is_multi:
            return 0 if self._plane.data_offset else int(self._plane.bytesused)
        return int(self.raw.bytesused)


class FormatSlot:
    """The format of a device, of either kind.

    Args:
        kind: SINGLE or MULTI.
        fourcc: asked for.
        size_px: (width, height) asked for.
    """

    def __init__(self, kind: int, fourcc: str, size_px: tuple[int, int]) -> None:
        self.raw = v4l2.Format(type=kind)
        self._pix = self.raw.fmt.pix_mp if kind == MULTI else self.raw.fmt.pix
        self._pix.width, self._pix.height = size_px
        self._pix.pixelformat, self._pix.field = v4l2.fourcc(fourcc), v4l2.FIELD_NONE
        self._is_multi = kind == MULTI

    @property
    def words(self) -> str:
        """FOURCC and size, for people and for comparison."""
        pix = self._pix
        return f"{v4l2.fourcc_text(pix.pixelformat)} {pix.width}x{pix.height}"

    @property
    def planes(self) -> int:
        """Buffers that one picture takes."""
        return int(self._pix.num_planes) if self._is_multi else 1

    @property
    def bytes_per_line(self) -> int:
        """From one row to the next."""
        pix = self._pix
        return int(pix.plane_fmt[0].bytesperline if self._is_multi else pix.bytesperline)
