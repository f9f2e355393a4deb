"""What <linux/videodev2.h> says: structures and request numbers, as far as a camera needs them.

The layouts are those of 64-bit kernels, the same on x86-64, arm64 and riscv64; a test compares them
with the header. Names are the kernel's, so that its documentation can be searched for them.
"""

from __future__ import annotations

from ctypes import (
    Structure,
    Union,
    c_char,
    c_int64,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    sizeof,
)
from typing import Final

BUF_TYPE_VIDEO_CAPTURE: Final = 1
BUF_TYPE_VIDEO_CAPTURE_MPLANE: Final = 9
FIELD_NONE: Final = 1
MEMORY_MMAP: Final = 1
CAP_VIDEO_CAPTURE: Final = 0x00000001
CAP_VIDEO_CAPTURE_MPLANE: Final = 0x00001000
CAP_STREAMING: Final = 0x04000000
CAP_DEVICE_CAPS: Final = 0x80000000
CAP_TIMEPERFRAME: Final = 0x1000
BUF_FLAG_ERROR: Final = 0x0040
BUF_FLAG_TIMESTAMP_MASK: Final = 0xE000
BUF_FLAG_TIMESTAMP_MONOTONIC: Final = 0x2000
RAW_BYTES: Final = 200
"""Size of the unions in v4l2_format and v4l2_streamparm."""


class Capability(Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class PixFormat(Structure):
    """struct v4l2_pix_format."""

    _fields_ = tuple(
        (name, c_uint32)
        for name in (
            *("width", "height", "pixelformat", "field", "bytesperline", "sizeimage"),
            *("colorspace", "priv", "flags", "ycbcr_enc", "quantization", "xfer_func"),
        )
    )


class PlanePixFormat(Structure):
    """struct v4l2_plane_pix_format."""

    _pack_ = 1
    _fields_ = (("sizeimage", c_uint32), ("bytesperline", c_uint32), ("reserved", c_uint16 * 6))


class PixFormatMplane(Structure):
    """struct v4l2_pix_format_mplane."""

    _pack_ = 1
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("colorspace", c_uint32),
        ("plane_fmt", PlanePixFormat * 8),
        ("num_planes", c_uint8),
        ("flags", c_uint8),
        ("ycbcr_enc", c_uint8),
        ("quantization", c_uint8),
        ("xfer_func", c_uint8),
        ("reserved", c_uint8 * 7),
    )


class _FormatUnion(Union):
    _fields_ = (
        ("pix", PixFormat),
        ("pix_mp", PixFormatMplane),
        ("raw_data", c_uint8 * RAW_BYTES),
        ("_align", c_uint64),
    )


class Format(Structure):
    """struct v4l2_format."""

    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class Fract(Structure):
    """struct v4l2_fract."""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class CaptureParm(Structure):
    """struct v4l2_captureparm."""

    _fields_ = (
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fract),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint32 * 4),
    )


class _ParmUnion(Union):
    _fields_ = (("capture", CaptureParm), ("raw_data", c_uint8 * RAW_BYTES))


class StreamParm(Structure):
    """struct v4l2_streamparm."""

    _fields_ = (("type", c_uint32), ("parm", _ParmUnion))


class RequestBuffers(Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class TimeVal(Structure):
    """struct timeval."""

    _fields_ = (("tv_sec", c_int64), ("tv_usec", c_int64))


class TimeCode(Structure):
    """struct v4l2_timecode."""

    _fields_ = (("type", c_uint32), ("flags", c_uint32), ("rest", c_uint8 * 8))


class _PlaneMemory(Union):
    _fields_ = (("mem_offset", c_uint32), ("userptr", c_uint64))


class Plane(Structure):
    """struct v4l2_plane."""

    _fields_ = (
        ("bytesused", c_uint32),
        ("length", c_uint32),
        ("m", _PlaneMemory),
        ("data_offset", c_uint32),
        ("reserved", c_uint32 * 11),
    )


class _Memory(Union):
    """`planes` is the address of an array."""

    _fields_ = (("offset", c_uint32), ("planes", c_uint64))


class Buffer(Structure):
    """struct v4l2_buffer."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", TimeVal),
        ("timecode", TimeCode),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _Memory),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_uint32),
    )


class BufType(Structure):
    """The int that STREAMON and STREAMOFF point to."""

    _fields_ = (("type", c_uint32),)


_WRITE, _READ = 1, 2


def _request(direction: int, number: int, kind: type[Structure]) -> int:
    """_IOC of <asm-generic/ioctl.h> for the type 'V'."""
    return direction << 30 | sizeof(kind) << 16 | ord("V") << 8 | number


VIDIOC_QUERYCAP: Final = _request(_READ, 0, Capability)
VIDIOC_S_FMT: Final = _request(_READ | _WRITE, 5, Format)
VIDIOC_REQBUFS: Final = _request(_READ | _WRITE, 8, RequestBuffers)
VIDIOC_QUERYBUF: Final = _request(_READ | _WRITE, 9, Buffer)
VIDIOC_QBUF: Final = _request(_READ | _WRITE, 15, Buffer)
VIDIOC_DQBUF: Final = _request(_READ | _WRITE, 17, Buffer)
VIDIOC_STREAMON: Final = _request(_WRITE, 18, BufType)
VIDIOC_STREAMOFF: Final = _request(_WRITE, 19, BufType)
VIDIOC_S_PARM: Final = _request(_READ | _WRITE, 22, StreamParm)


def fourcc(word: str) -> int:
    """Four letters as the kernel counts them."""
    return int.from_bytes(word.encode("ascii"), "little")


def fourcc_text(number: int) -> str:
    """The letters, for people."""
    return number.to_bytes(4, "little").decode("ascii", errors="replace")
