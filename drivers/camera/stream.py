"""A network camera: RTSP, or MJPEG and video over HTTP. The decoder lives in a Reader's thread."""

from __future__ import annotations

from urllib.parse import urlsplit

from drivers.board import CameraConfig
from drivers.camera.opencv import open_capture, size_text
from drivers.camera.reader import HUNG_MARGIN_MS, CaptureFactory, Reader, Stream, start_reader
from drivers.faults import CameraFault
from drivers.interfaces import Clock, Frame

SCHEMES = ("rtsp", "rtsps", "http", "https")
MAX_ABANDONED = 3
"""Readers left behind that may be alive at a time: each keeps a thread, a socket, two buffers."""


class StreamCamera:
    """Hands out the newest picture of a stream; `grab` never waits.

    Attributes:
        width_px: of the first picture after the first `open`, of the board file before.
        height_px: likewise.
        fps: as the stream states it; of the board file when that is not believable.
        is_live: True.
    """

    is_live = True

    def __init__(
        self,
        config: CameraConfig,
        source: str,
        clock: Clock,
        open_with: CaptureFactory = open_capture,
    ) -> None:
        self.width_px = config.width_px
        self.height_px = config.height_px
        self.fps = config.fps
        self._config = config
        self._url = source
        self._name = public_url(source)
        self._clock = clock
        self._open_with = open_with
        self._reader: Reader | None = None
        self._abandoned: list[Reader] = []
        self._sized = False
        self._next_id = 0
        self._first_id = 0
        self._first_ms: float | None = None

    @property
    def is_opening(self) -> bool:
        """Whether the decoder is still being made: neither a picture nor a failure so far."""
        return self._reader is not None and self._reader.is_opening

    @property
    def abandoned(self) -> int:
        """How many readers of earlier openings are still alive."""
        self._abandoned = [reader for reader in self._abandoned if reader.is_alive]
        return len(self._abandoned)

    def open(self, *, nonblocking: bool = False) -> None:
        """Start a reader and wait for its first picture, which sets the size the first time.

        Args:
            nonblocking: return at once; `grab` gives False until pictures come, and raises what
                goes wrong. The size is then the one of the board file or of the first `open`.

        Raises:
            CameraFault: reason "abandoned_cap" while too many readers hang, "no_thread"; when it
                waits also "open_failed", "read_failed", "hung", "size_changed".
        """
        self.close()
        if self.abandoned >= MAX_ABANDONED:
            raise CameraFault("abandoned_cap", f"{self._name}: {MAX_ABANDONED} readers hang")
        self._sized = self._sized or nonblocking
        self._first_id = self._next_id
        self._reader = start_reader(self._stream(), self._clock, self._open_with)
        if not nonblocking:
            self._wait_for_first(self._reader)

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Exchange `frame.pixels`, uint8[H, W, 3], for the newest picture if there is one.

        Raises:
            CameraFault: reason "closed", "open_failed", "read_failed", "hung", or "size_changed"
                when the pictures have another size than before, or than `frame.pixels`.
        """
        reader = self._reader
        if reader is None:
            raise CameraFault("closed", f"{self._name} is not open")
        if frame.pixels.shape != (self.height_px, self.width_px, 3):
            wanted, size = size_text(frame.pixels), f"{self.width_px}x{self.height_px}"
            raise CameraFault("size_changed", f"{self._name} is {size}, the buffer {wanted}")
        box = reader.box
        picture = box.take(frame.pixels) if box is not None else None
        if box is None or picture is None:
            reader.check(now_ms)
            return False
        self.fps = reader.fps
        frame.pixels = picture
        self._stamp(frame, box.taken, min(box.taken_ms, now_ms))
        return True

    def rehearse(self, frame: Frame) -> None:
        """Nothing to do: its decoder has been running since `open`."""

    def close(self) -> None:
        """Dismiss the reader without waiting for it. May be called twice."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        reader.dismiss()
        if reader.is_alive:
            self._abandoned.append(reader)

    def _stream(self) -> Stream:
        return Stream(
            url=self._url,
            name=self._name,
            fps=self._config.fps,
            open_timeout_ms=self._config.open_timeout_ms,
            read_timeout_ms=self._config.read_timeout_ms,
            size_px=(self.width_px, self.height_px) if self._sized else None,
        )

    def _wait_for_first(self, reader: Reader) -> None:
        timeout_ms = self._config.open_timeout_ms + HUNG_MARGIN_MS
        reader.wait(timeout_ms)
        if reader.size_px is not None:
            self.width_px, self.height_px = reader.size_px
            self.fps, self._sized = reader.fps, True
            return
        fault = reader.fault or CameraFault("hung", f"{self._name}: silent for {timeout_ms:.0f} ms")
        self.close()
        raise CameraFault(fault.reason, fault.detail)

    def _stamp(self, frame: Frame, number: int, captured_ms: float) -> None:
        if self._first_ms is None:
            self._first_ms = captured_ms
        frame.frame_id = self._first_id + number
        frame.captured_ms = captured_ms
        frame.t_ms = captured_ms - self._first_ms
        self._next_id = frame.frame_id + 1


def public_url(url: str) -> str:
    """The URL without user, password and query: fit for logs.

    Raises:
        CameraFault: reason "bad_source", it is no URL of a stream.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise CameraFault("bad_source", f"camera.source is no URL: {error}") from error
    if parts.scheme not in SCHEMES or not host:
        allowed = ", ".join(f"{scheme}://HOST" for scheme in SCHEMES)
        raise CameraFault("bad_source", f"camera.source is no stream; allowed: {allowed}")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
