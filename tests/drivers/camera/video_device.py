"""A stand-in of a video device with the rules that the kernel keeps, on real mapped memory.

A camera that breaks a rule gets the kernel's error, or fails an assertion where the kernel would
not notice: a buffer that is read after it was given back, a mapping that nobody closed.
"""

from __future__ import annotations

import errno
import mmap
import os
import select
from collections import deque
from collections.abc import Iterable
from ctypes import Structure

from drivers.camera import v4l2_kernel as v4l2

PAGE = mmap.PAGESIZE


def no(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Camera:
    """The device as it hangs on the bus: it outlives its openings.

    Attributes:
        formats: what it can give; anything else becomes the first.
        sizes: likewise.
        rates: pictures/s; the nearest one is taken. Empty: it has no rate to set.
        pad: bytes added to each row.
        planes: of a multi-planar device: buffers that one picture takes.
        plugged: paths at which it is found.
        fails: (name of a call, n-th call of that name from 1) -> errno.
        sequence: number of the next picture.
        lies: sequence numbers and time stamps as a poor driver has them: "zero", "unknown".
        calls: names of all calls, in order.
    """

    def __init__(self, path: str = "/dev/v4l/by-path/usb-1") -> None:
        self.formats, self.sizes, self.rates = ["YUYV"], [(64, 48)], [10.0, 30.0]
        self.pad, self.planes = 0, 1
        self.capabilities = v4l2.CAP_VIDEO_CAPTURE | v4l2.CAP_STREAMING
        self.plugged = {path}
        self.fails: dict[tuple[str, int], int] = {}
        self.sequence = 0
        self.lies: set[str] = set()
        self.calls: list[str] = []
        self.now_ms = 1000.0
        self.most_buffers = 32
        self.file: OpenDevice | None = None

    def open(self, path: str) -> OpenDevice:
        self.called("open")
        if path not in self.plugged:
            raise no(errno.ENOENT)
        self.file = OpenDevice(self)
        return self.file

    def unplug(self) -> None:
        """Its open file lives on and knows only one answer."""
        self.plugged = set()
        if self.file is not None:
            self.file.is_gone = True

    def plug(self, path: str = "/dev/v4l/by-path/usb-1") -> None:
        self.plugged, self.sequence = {path}, 0

    def called(self, name: str) -> None:
        self.calls.append(name)
        number = self.fails.get((name, self.calls.count(name)))
        if number is not None:
            raise no(number)

    def shoot(self, data: bytes, flags: int = 0, age_ms: float = 0.0) -> bool:
        """Take a picture now. Returns False when there is no buffer for it: it is lost."""
        number = 0 if "zero" in self.lies else self.sequence
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        assert self.file is not None
        return self.file.fill(data, flags, number, self.now_ms - age_ms)


class OpenDevice:
    """One opening. Implements `VideoDevice`."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._memory = os.memfd_create("video")
        self._maps: list[mmap.mmap] = []
        self._size = 0
        self._stride = 0
        self._lengths: list[int] = []
        self._queued: deque[int] = deque()
        self._done: deque[tuple[int, int, int, int, float]] = deque()
        self._ours: set[int] = set()
        self.is_gone = self.is_streaming = self.is_closed = False

    @property
    def held(self) -> int:
        """Buffers that the camera driver has taken and not given back."""
        return len(self._lengths) - len(self._queued) - len(self._done) - len(self._ours)

    def ioctl(self, request: int, argument: Structure) -> None:
        assert not self.is_closed
        name = NAMES[request]
        self._camera.called(name)
        if self.is_gone:
            raise no(errno.ENODEV)
        getattr(self, f"_{name.lower()}")(argument)

    def map(self, length: int, offset: int) -> mmap.mmap:
        self._camera.called("mmap")
        assert offset % PAGE == 0
        self._maps.append(mmap.mmap(self._memory, length, offset=offset))
        return self._maps[-1]

    def poll(self, timeout_ms: int) -> int:
        assert not self.is_closed
        if self.is_gone:
            return select.POLLERR | select.POLLHUP
        if not self.is_streaming:
            return select.POLLERR
        return select.POLLIN if self._done else 0

    def now_ms(self) -> float:
        return self._camera.now_ms

    def close(self) -> None:
        assert not self.is_closed
        self.is_closed = True
        os.close(self._memory)
        assert all(each.closed for each in self._maps), "a mapping keeps the device busy"

    def fill(self, data: bytes, flags: int, sequence: int, t_ms: float) -> bool:
        if self.is_gone or not self.is_streaming or not self._queued:
            return False
        index = self._queued.popleft()
        os.pwrite(self._memory, data, index * self._slot)
        self._done.append((index, len(data), flags, sequence, t_ms))
        return True

    @property
    def _slot(self) -> int:
        return -(-self._size // PAGE) * PAGE

    def _querycap(self, capability: v4l2.Capability) -> None:
        capability.capabilities = 0x85A00001 | v4l2.CAP_DEVICE_CAPS  # of the whole device
        capability.device_caps = self._camera.capabilities

    def _s_fmt(self, wanted: v4l2.Format) -> None:
        self._check_kind(wanted.type)
        if self._lengths:
            raise no(errno.EBUSY)
        camera, pix = self._camera, wanted.fmt.pix_mp if self._is_multi else wanted.fmt.pix
        if v4l2.fourcc_text(pix.pixelformat) not in camera.formats:
            pix.pixelformat = v4l2.fourcc(camera.formats[0])
        if (pix.width, pix.height) not in camera.sizes:
            pix.width, pix.height = camera.sizes[0]
        name = v4l2.fourcc_text(pix.pixelformat)
        depth = {"YUYV": 2, "BGR3": 3, "NV12": 1, "MJPG": 0}[name]
        rows = pix.height * 3 // 2 if name == "NV12" else pix.height
        plane = pix.plane_fmt[0] if self._is_multi else pix
        plane.bytesperline = pix.width * depth + camera.pad if depth else 0
        self._size = plane.sizeimage = plane.bytesperline * rows or pix.width * pix.height * 2
        if self._is_multi:
            pix.num_planes = camera.planes

    def _s_parm(self, parm: v4l2.StreamParm) -> None:
        self._check_kind(parm.type)
        if not self._camera.rates:
            raise no(errno.ENOTTY)
        capture = parm.parm.capture
        asked = capture.timeperframe.denominator / capture.timeperframe.numerator
        given = min(self._camera.rates, key=lambda rate: abs(rate - asked))
        capture.capability = v4l2.CAP_TIMEPERFRAME
        capture.timeperframe = v4l2.Fract(1000, round(given * 1000))

    def _reqbufs(self, request: v4l2.RequestBuffers) -> None:
        self._check_kind(request.type)
        assert request.memory == v4l2.MEMORY_MMAP
        if self.is_streaming:
            raise no(errno.EBUSY)
        assert all(each.closed for each in self._maps), "buffers are freed under a mapping"
        request.count = min(request.count, self._camera.most_buffers)
        self._lengths = [self._size] * request.count
        self._ours = set(range(request.count))
        self._queued.clear()
        os.ftruncate(self._memory, self._slot * request.count)

    def _querybuf(self, buffer: v4l2.Buffer) -> None:
        self._check_buffer(buffer)
        plane = self._plane(buffer)
        if plane is None:
            buffer.length, buffer.m.offset = self._size, buffer.index * self._slot
        else:
            plane.length, plane.m.mem_offset = self._size, buffer.index * self._slot

    def _qbuf(self, buffer: v4l2.Buffer) -> None:
        self._check_buffer(buffer)
        if buffer.index not in self._ours:
            raise no(errno.EINVAL)
        self._ours.remove(buffer.index)
        self._queued.append(buffer.index)

    def _dqbuf(self, buffer: v4l2.Buffer) -> None:
        if not self.is_streaming:
            raise no(errno.EINVAL)
        if not self._done:
            raise no(errno.EAGAIN)
        index, used, flags, sequence, t_ms = self._done.popleft()
        self._ours.add(index)
        plane = self._plane(buffer)
        buffer.index, buffer.sequence = index, sequence
        if plane is None:
            buffer.bytesused, buffer.length = used, self._size
        else:
            plane.bytesused, plane.length, plane.data_offset = used, self._size, 0
        stamp = 0 if "unknown" in self._camera.lies else v4l2.BUF_FLAG_TIMESTAMP_MONOTONIC
        buffer.flags = flags | stamp
        buffer.timestamp.tv_sec, rest_ms = divmod(int(t_ms * 1000), 1_000_000)
        buffer.timestamp.tv_usec = rest_ms

    def _streamon(self, kind: v4l2.BufType) -> None:
        self._check_kind(kind.type)
        self.is_streaming = True

    def _streamoff(self, kind: v4l2.BufType) -> None:
        self._check_kind(kind.type)
        self.is_streaming = False
        self._queued.clear()
        self._done.clear()
        self._ours = set(range(len(self._lengths)))

    @property
    def _is_multi(self) -> bool:
        return not self._camera.capabilities & v4l2.CAP_VIDEO_CAPTURE

    @property
    def _kind(self) -> int:
        single, multi = v4l2.BUF_TYPE_VIDEO_CAPTURE, v4l2.BUF_TYPE_VIDEO_CAPTURE_MPLANE
        return multi if self._is_multi else single

    def _check_kind(self, kind: int) -> None:
        if kind != self._kind:
            raise no(errno.EINVAL)

    def _plane(self, buffer: v4l2.Buffer) -> v4l2.Plane | None:
        """The array beside the buffer, found as the kernel finds it: by its address."""
        if not self._is_multi:
            return None
        if buffer.length != 1 or not buffer.m.planes:
            raise no(errno.EINVAL)
        return v4l2.Plane.from_address(buffer.m.planes)

    def _check_buffer(self, buffer: v4l2.Buffer) -> None:
        self._check_kind(buffer.type)
        assert buffer.memory == v4l2.MEMORY_MMAP
        self._plane(buffer)
        if buffer.index >= len(self._lengths):
            raise no(errno.EINVAL)


def _names(words: Iterable[str]) -> dict[int, str]:
    return {getattr(v4l2, f"VIDIOC_{word}"): word for word in words}


NAMES = _names(
    ("QUERYCAP", "S_FMT", "S_PARM", "REQBUFS", "QUERYBUF", "QBUF", "DQBUF", "STREAMON", "STREAMOFF")
)
