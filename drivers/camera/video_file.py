"""A video file as a camera: any container FFmpeg reads, played at its own rate."""

from __future__ import annotations

import stat
from pathlib import Path

import cv2

from drivers.board import CameraConfig
from drivers.camera.opencv import Capture, believable_fps, open_capture, size_text
from drivers.camera.pacing import Pacing, rehearse
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import U8, Clock, Frame

PROBE_FRAMES = 8
"""So many time stamps are read at opening to check the rate that the container states."""
RATE_DISAGREES = 1.25
"""Beyond this ratio the stamps are believed: a variable rate is often stated as its maximum."""
TEXT_CODECS = frozenset({int.from_bytes(b"ansi", "little")})
"""FFmpeg draws a text file as a terminal; that is no video."""


class VideoFileCamera:
    """Plays a file once. Frame i is due i * 1000 / fps after the first grab; late ones are skipped.

    Attributes:
        width_px: from the file after `open`, from the board file before.
        height_px: likewise.
        fps: of the container; of the board file when the container's is not believable.
        is_live: False.
    """

    is_live = False

    def __init__(self, config: CameraConfig, source: str, clock: Clock) -> None:
        self.width_px = config.width_px
        self.height_px = config.height_px
        self.fps = config.fps
        self._config = config
        self._path = source
        self._clock = clock
        self._capture: Capture | None = None
        self._pacing = Pacing()
        self._sized = False
        self._decoded = -1
        self._last_index = 0

    def open(self) -> None:
        """Open the file at its beginning; the first time, its picture size is taken over.

        Raises:
            CameraFault: reason "missing", "not_file", "unreadable", "empty", "not_video",
                "no_frame", or "size_changed" against the first opening.
        """
        self.close()
        path = readable_file(self._path)
        self._probe(path)
        self._capture = self._begin(path)
        self._decoded = -1
        self._pacing.begin(self.fps)

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Decode the newest frame due at `now_ms` into `frame.pixels`.

        Raises:
            CameraFault: reason "closed", "read_failed", or "size_changed" when the picture does
                not fit uint8[H, W, 3] `frame.pixels`.
            EndOfStream: the frame due lies behind the last one.
        """
        if self._capture is None:
            raise CameraFault("closed", f"{self._path} is not open")
        due = min(self._pacing.due(now_ms), max(self._pacing.position + 1, self._last_index))
        if due <= self._pacing.position:
            return False
        self._skip_to(self._capture, due)
        ok, picture = self._capture.retrieve(frame.pixels)
        if not ok or picture is None:
            raise CameraFault("read_failed", f"{self._path}: frame {self._decoded} is damaged")
        if picture is not frame.pixels:
            raise self._size_changed(picture, size_text(frame.pixels))
        self._pacing.stamp(frame, self._decoded, now_ms)
        return True

    def rehearse(self, frame: Frame) -> None:
        """See `Camera.rehearse`."""
        rehearse(self, self._pacing, frame)

    def close(self) -> None:
        """Release the decoder. May be called twice."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _skip_to(self, capture: Capture, index: int) -> None:
        """Decode up to `index`, for one frame period at most: a slow decoder plays slowly."""
        deadline_ms = self._clock.now_ms() + 1000.0 / self.fps
        while self._decoded < index:
            if not capture.grab():
                raise EndOfStream(self._path)
            self._decoded += 1
            if self._clock.now_ms() > deadline_ms:
                return

    def _begin(self, path: Path) -> Capture:
        try:
            capture = open_capture(str(path))
        except cv2.error as error:
            raise CameraFault("not_video", f"{self._path}: {error.err}") from error
        if capture.isOpened() and int(capture.get(cv2.CAP_PROP_FOURCC)) not in TEXT_CODECS:
            return capture
        capture.release()
        raise CameraFault("not_video", f"{self._path} holds no video that FFmpeg can decode")

    def _probe(self, path: Path) -> None:
        """Learn size and rate from the first frames themselves, not from what the header says."""
        capture = self._begin(path)
        try:
            ok, picture = capture.read()
            if not ok or picture is None:
                raise CameraFault("no_frame", f"{self._path}: not one frame can be decoded")
            self._take_size(picture)
            stated = believable_fps(capture.get(cv2.CAP_PROP_FPS), self._config.fps)
            self.fps = stamped_fps(capture, stated)
            self._last_index = int(min(capture.get(cv2.CAP_PROP_FRAME_COUNT), 2.0**53)) - 1
        finally:
            capture.release()
        if self._last_index < 0:
            self._last_index = 2**53

    def _take_size(self, picture: U8) -> None:
        height_px, width_px = picture.shape[:2]
        if self._sized and (width_px, height_px) != (self.width_px, self.height_px):
            raise self._size_changed(picture, f"{self.width_px}x{self.height_px}")
        self.width_px, self.height_px, self._sized = width_px, height_px, True

    def _size_changed(self, picture: U8, wanted: str) -> CameraFault:
        detail = f"{self._path}: picture is {size_text(picture)}, buffers are {wanted}"
        return CameraFault("size_changed", detail)


def readable_file(source: str) -> Path:
    """The absolute path of a regular file with something in it.

    Raises:
        CameraFault: reason "missing", "not_file", "empty" or "unreadable".
    """
    try:
        path = Path(source).resolve()
        status = path.stat()
    except (OSError, ValueError) as error:
        raise CameraFault("missing", f"{source!r}: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise CameraFault("not_file", f"{source!r} is not a regular file")
    if status.st_size == 0:
        raise CameraFault("empty", f"{source!r} has no bytes")
    try:
        path.open("rb").close()
    except OSError as error:
        raise CameraFault("unreadable", f"{source!r}: {error}") from error
    return path


def stamped_fps(capture: Capture, stated: float) -> float:
    """The stated rate, or that of the first time stamps when the two contradict each other.

    Args:
        capture: open, frame 0 decoded; up to PROBE_FRAMES - 1 more are decoded.
        stated: frames/s.
    """
    first_ms = last_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
    count = 0
    while count < PROBE_FRAMES - 1 and capture.grab():
        stamp_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
        if not stamp_ms > last_ms:
            return stated
        last_ms, count = stamp_ms, count + 1
    if count < PROBE_FRAMES // 2:
        return stated
    measured = count * 1000.0 / (last_ms - first_ms)
    agrees = stated / RATE_DISAGREES <= measured <= stated * RATE_DISAGREES
    return stated if agrees else believable_fps(measured, stated)
