"""A streaming video device: its format, its rate and its mapped buffers, each with one owner.

A buffer is the kernel's from QBUF to DQBUF and ours from DQBUF to QBUF; the newest filled one is
held while a picture is made of it. Source: Linux Media Infrastructure, Video4Linux, "Streaming I/O
(Memory Mapping)".
"""

from __future__ import annotations

import errno
import mmap
from collections.abc import Callable
from contextlib import suppress
from ctypes import Structure

from drivers.board import CameraConfig
from drivers.camera import v4l2_kernel as v4l2
from drivers.camera.v4l2_buffer import MULTI, SINGLE, FormatSlot, Slot
from drivers.camera.v4l2_device import VideoDevice
from drivers.faults import CameraFault

RATE_SLACK = 0.9
"""A camera may be this much slower than asked: 29.97 for 30."""
MAX_GAP = 1000
"""A larger step in the sequence is no loss: the driver has begun to count anew."""
REASONS = {
    errno.ENODEV: ("unplugged", "it was unplugged"),
    errno.ENXIO: ("unplugged", "there is nothing behind it"),
    errno.ENOENT: ("missing", "there is no such device; is it plugged in?"),
    errno.EACCES: ("no_access", "no right to open it; on most systems: join the group video"),
    errno.EBUSY: ("in_use", "another program streams from it"),
    errno.ENOTTY: ("no_camera", "it is not a video device"),
}
MAX_AGE_MS = 10_000.0
"""An older time stamp is not believed: some drivers wrap or restart theirs."""
OpenDevice = Callable[[str], VideoDevice]


class MmapStream:
    """One opening of a camera. After an error: `close`, and make a new one.

    Raises:
        CameraFault: it cannot be opened, is no camera, or has not the format, size or rate asked
            for; everything has been let go of then.

    Attributes:
        bytes_per_line: from one row of the picture to the next.
        fps: as the driver has set it; of the board file where it does not say.
        maps: the buffers, by index.
        filled: the buffer that is held, valid after `take`.
        gap: pictures since the `take` before, this one included; more than 1: some were missed.
        dropped: pictures that the driver had no buffer for, or lost.
        damaged: buffers that the driver itself calls broken.
    """

    def __init__(self, path: str, config: CameraConfig, open_with: OpenDevice) -> None:
        self.fps, self.bytes_per_line = config.fps, 0
        self.maps: list[mmap.mmap] = []
        self._kind = SINGLE
        self.gap, self.dropped, self.damaged = 1, 0, 0
        self._path = path
        self._sequence: int | None = None
        self._is_held = False
        try:
            self._device: VideoDevice | None = open_with(path)
        except OSError as error:
            raise self._fault(error, "open") from error
        try:
            self._kind = self._find_kind()
            self.filled, self._next = Slot(self._kind, 0), Slot(self._kind, 0)
            self._set_format(config)
            self._set_rate(config)
            self._map_buffers(config.buffers)
            self._call(v4l2.VIDIOC_STREAMON, v4l2.BufType(self._kind), "STREAMON")
        except CameraFault:
            self.close()
            raise

    def wait(self, timeout_ms: int) -> bool:
        """Wait for a picture. Raises CameraFault when the device is not well."""
        return bool(self._open_device().poll(timeout_ms))

    def take(self) -> bool:
        """Hold the newest picture; older ones go back unseen. Returns whether there is one.

        Raises:
            CameraFault: reason "unplugged", or "io" when the driver gives up.
        """
        self.give_back()
        self.gap = 0
        for _ in self.maps:
            if not self._dequeue(self._next):
                break
            self._count(self._next.raw.sequence)
            if self._next.raw.flags & v4l2.BUF_FLAG_ERROR:
                self.damaged += 1
                self._queue(self._next)
                continue
            self.give_back()
            self.filled, self._next = self._next, self.filled
            self._is_held = True
        return self._is_held

    def give_back(self) -> None:
        """Let the driver fill the held buffer again. Raises CameraFault."""
        if self._is_held:
            self._is_held = False
            self._queue(self.filled)

    def age_ms(self) -> float:
        """How long ago the held picture was taken, ms; 0 where the driver does not know."""
        filled = self.filled.raw
        if filled.flags & v4l2.BUF_FLAG_TIMESTAMP_MASK != v4l2.BUF_FLAG_TIMESTAMP_MONOTONIC:
            return 0.0
        stamp = filled.timestamp
        age_ms = self._open_device().now_ms() - (stamp.tv_sec * 1e3 + stamp.tv_usec / 1e3)
        return age_ms if 0.0 <= age_ms <= MAX_AGE_MS else 0.0

    def close(self) -> None:
        """Stop it and let go of the buffers. Views of them must be gone. May be called twice."""
        device, self._device = self._device, None
        if device is None:
            return
        with suppress(OSError):  # it may be unplugged
            device.ioctl(v4l2.VIDIOC_STREAMOFF, v4l2.BufType(self._kind))
        for mapped in self.maps:
            mapped.close()
        self.maps = []
        self._is_held = False
        with suppress(OSError):
            device.ioctl(v4l2.VIDIOC_REQBUFS, self._request(0))
        with suppress(OSError):
            device.close()

    def _find_kind(self) -> int:
        capability = v4l2.Capability()
        self._call(v4l2.VIDIOC_QUERYCAP, capability, "QUERYCAP")
        has = capability.capabilities
        has = capability.device_caps if has & v4l2.CAP_DEVICE_CAPS else has
        kinds = {v4l2.CAP_VIDEO_CAPTURE: SINGLE, v4l2.CAP_VIDEO_CAPTURE_MPLANE: MULTI}
        for bit, kind in kinds.items():
            if has & bit and has & v4l2.CAP_STREAMING:
                return kind
        detail = f"{self._path}: it captures no stream of video (caps {has:#010x})"
        raise CameraFault("no_camera", detail)

    def _set_format(self, config: CameraConfig) -> None:
        """Explicitly: what a driver chooses by itself differs from kernel to kernel."""
        wanted = FormatSlot(self._kind, config.fourcc, (config.width_px, config.height_px))
        asked = wanted.words
        self._call(v4l2.VIDIOC_S_FMT, wanted.raw, "S_FMT")
        if wanted.words != asked:
            detail = f"asked for {asked}, it gives {wanted.words}; v4l2-ctl --list-formats"
            raise CameraFault("format_refused", f"{self._path}: {detail}")
        if wanted.planes != 1:
            detail = f"{self._path}: {wanted.words} in {wanted.planes} planes; one is supported"
            raise CameraFault("format_refused", detail)
        self.bytes_per_line = wanted.bytes_per_line

    def _set_rate(self, config: CameraConfig) -> None:
        parm = v4l2.StreamParm(type=self._kind)
        period = parm.parm.capture.timeperframe
        period.numerator, period.denominator = 1000, round(config.fps * 1000)
        try:
            self._open_device().ioctl(v4l2.VIDIOC_S_PARM, parm)
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):  # a sensor with one rate only
                return
            raise self._fault(error, "S_PARM") from error
        if not parm.parm.capture.capability & v4l2.CAP_TIMEPERFRAME or not period.numerator:
            return
        self.fps = period.denominator / period.numerator
        if self.fps < config.fps * RATE_SLACK:
            detail = f"{self._path}: asked for {config.fps:g} pictures/s, it gives {self.fps:g}"
            raise CameraFault("rate_refused", detail)

    def _map_buffers(self, count: int) -> None:
        request = self._request(count)
        self._call(v4l2.VIDIOC_REQBUFS, request, "REQBUFS")
        if request.count < 2:
            raise CameraFault("no_memory", f"{self._path}: {request.count} of {count} buffers")
        for index in range(request.count):
            buffer = Slot(self._kind, index)
            self._call(v4l2.VIDIOC_QUERYBUF, buffer.raw, "QUERYBUF")
            try:
                self.maps.append(self._open_device().map(buffer.length, buffer.offset))
            except (OSError, ValueError) as error:
                raise CameraFault("no_memory", f"{self._path}: mmap: {error}") from error
            self._queue(buffer)

    def _dequeue(self, buffer: Slot) -> bool:
        try:
            self._open_device().ioctl(v4l2.VIDIOC_DQBUF, buffer.raw)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            raise self._fault(error, "DQBUF") from error
        return True

    def _queue(self, buffer: Slot) -> None:
        self._call(v4l2.VIDIOC_QBUF, buffer.raw, "QBUF")

    def _count(self, sequence: int) -> None:
        step = 1 if self._sequence is None else (sequence - self._sequence) & 0xFFFFFFFF
        step = step if 0 < step <= MAX_GAP else 1
        self._sequence = sequence
        self.gap += step
        self.dropped += step - 1

    def _call(self, request: int, argument: Structure, what: str) -> None:
        try:
            self._open_device().ioctl(request, argument)
        except OSError as error:
            raise self._fault(error, what) from error

    def _open_device(self) -> VideoDevice:
        if self._device is None:
            raise CameraFault("closed", f"{self._path} is not open")
        return self._device

    def _fault(self, error: OSError, what: str) -> CameraFault:
        reason, advice = REASONS.get(error.errno or 0, ("io", str(error)))
        return CameraFault(reason, f"{self._path}: {what}: {advice}")

    def _request(self, count: int) -> v4l2.RequestBuffers:
        return v4l2.RequestBuffers(count=count, type=self._kind, memory=v4l2.MEMORY_MMAP)
