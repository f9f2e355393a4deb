"""A camera on a video device of the kernel (V4L2): USB cameras, and sensors behind a pipeline.

Pictures are in buffers that the kernel fills and we only map; one conversion puts the newest into
the frame. `grab` never waits. Opening talks to the device on the loop's own thread. The tests have
a stand-in with the kernel's rules, and hold the structures against its header; by hand it was tried
on vivid under QEMU (Linux 6.1, x86-64 and arm64, single- and multi-planar). A sensor's pipeline
(media-ctl) must have been set up before; of its formats those in one plane are taken.
"""

from __future__ import annotations

from drivers.board import CameraConfig
from drivers.camera.opencv import size_text
from drivers.camera.v4l2_device import KernelDevice
from drivers.camera.v4l2_pixels import Converter
from drivers.camera.v4l2_stream import MmapStream, OpenDevice
from drivers.faults import CameraFault
from drivers.interfaces import Clock, Frame


class V4l2Camera:
    """Hands out the newest picture of a device. Implements `Camera`.

    Args:
        config: size, FOURCC, rate, number of buffers, time-outs.
        source: path of the device, best a stable one under /dev/v4l/by-path/.
        clock: monotonic time.
        open_with: opens the device.

    Attributes:
        width_px, height_px: of the board file; a device that gives another size is refused.
        fps: as the driver has set it.
        is_live: True.
        dropped: pictures that the driver lost, over all openings.
        damaged: pictures that came broken or short.
    """

    is_live = True

    def __init__(
        self,
        config: CameraConfig,
        source: str,
        clock: Clock,
        open_with: OpenDevice = KernelDevice,
    ) -> None:
        self.width_px, self.height_px, self.fps = config.width_px, config.height_px, config.fps
        self._config, self._path = config, source
        self._clock, self._open_with = clock, open_with
        self._stream: MmapStream | None = None
        self._converter: Converter | None = None
        self._next_id = 0
        self._good_ms = self._captured_ms = 0.0
        self._first_ms: float | None = None
        self._dropped, self._damaged = 0, 0

    @property
    def dropped(self) -> int:
        """Pictures that the driver lost."""
        return self._dropped + (self._stream.dropped if self._stream else 0)

    @property
    def damaged(self) -> int:
        """Pictures that came broken or short."""
        return self._damaged + (self._stream.damaged if self._stream else 0)

    def open(self) -> None:
        """Set format and rate, map the buffers and start.

        Raises:
            CameraFault: reason "missing", "no_access", "in_use", "unplugged", "no_camera",
                "format_refused", "rate_refused", "bad_format", "no_memory" or "io".
        """
        self.close()
        stream = self._stream = MmapStream(self._path, self._config, self._open_with)
        size_px = (self.width_px, self.height_px)
        try:
            self._converter = Converter(
                self._config.fourcc, size_px, stream.bytes_per_line, stream.maps
            )
        except CameraFault:
            self.close()
            raise
        self.fps = stream.fps
        self._good_ms = self._clock.now_ms()

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Convert the newest picture into `frame.pixels`, uint8[H, W, 3], if there is one.

        Raises:
            CameraFault: reason "closed", "unplugged", "io", "no_frame" after `read_timeout_ms`
                without a picture, "size_changed" when `frame.pixels` has another size.
        """
        stream, converter = self._stream, self._converter
        if stream is None or converter is None:
            raise CameraFault("closed", f"{self._path} is not open")
        if frame.pixels.shape != (self.height_px, self.width_px, 3):
            wanted, size = size_text(frame.pixels), f"{self.width_px}x{self.height_px}"
            raise CameraFault("size_changed", f"{self._path} is {size}, the buffer {wanted}")
        if stream.wait(0) and self._take(stream, converter, frame, now_ms):
            return True
        self._check_silence(now_ms)
        return False

    def rehearse(self, frame: Frame) -> None:
        """Wait for one picture and convert it: what OpenCV keeps it has allocated by then.

        Raises:
            CameraFault: as `grab`.
        """
        if self._stream is not None and self._stream.wait(self._config.read_timeout_ms):
            self.grab(frame, self._clock.now_ms())

    def close(self) -> None:
        """Stop the device and unmap its buffers. May be called twice."""
        converter, self._converter = self._converter, None
        if converter is not None:
            converter.close()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            self._dropped += stream.dropped
            self._damaged += stream.damaged

    def _take(self, stream: MmapStream, converter: Converter, frame: Frame, now_ms: float) -> bool:
        """One picture, where the newest buffer holds a whole one. Every picture has its id."""
        is_held = stream.take()
        self._next_id += stream.gap
        if not is_held:
            return False
        filled = stream.filled
        is_whole = converter.convert(filled.index, filled.used_bytes, frame.pixels)
        if is_whole:
            self._stamp(frame, now_ms, stream.age_ms())
        else:
            self._damaged += 1
        stream.give_back()
        return is_whole

    def _stamp(self, frame: Frame, now_ms: float, age_ms: float) -> None:
        """Time goes on, whatever the driver's stamps do."""
        self._good_ms = now_ms
        self._captured_ms = max(now_ms - age_ms, self._captured_ms)
        if self._first_ms is None:
            self._first_ms = self._captured_ms
        frame.frame_id = self._next_id - 1
        frame.captured_ms = self._captured_ms
        frame.t_ms = self._captured_ms - self._first_ms

    def _check_silence(self, now_ms: float) -> None:
        silent_ms = now_ms - self._good_ms
        if silent_ms > self._config.read_timeout_ms:
            raise CameraFault("no_frame", f"{self._path}: no picture for {silent_ms:.0f} ms")
