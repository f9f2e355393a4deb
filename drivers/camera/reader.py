"""A thread that decodes a stream, so that a hung decoder never hangs the loop.

One Reader is one opening of the source. It owns its capture and its buffers; its mailbox is the
token that says whether anybody still wants them. A reader that hangs is left behind: when it wakes
up it finds its mailbox closed, releases its capture and ends.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from drivers.camera.opencv import Capture, believable_fps, open_capture, size_text
from drivers.faults import CameraFault
from drivers.interfaces import U8, Clock
from drivers.mailbox import Mailbox

STACK_BYTES = 512 * 1024
"""Stack of a reader's thread; the default of 8 MB would count against the address space."""
HUNG_MARGIN_MS = 500.0
"""FFmpeg's own timeouts come first; a reader silent for longer than this on top hangs."""

CaptureFactory = Callable[[str, dict[int, int]], Capture]

_living: set[Reader] = set()


@dataclass(frozen=True)
class Stream:
    """What a reader opens.

    Attributes:
        url: the source.
        name: the source without its password, for people.
        fps: frames/s to assume when the source does not say.
        open_timeout_ms: FFmpeg gives up opening after this.
        read_timeout_ms: FFmpeg gives up a read after this.
        size_px: (width, height) that the pictures must have; None: the first one decides.
    """

    url: str
    name: str
    fps: float
    open_timeout_ms: int
    read_timeout_ms: int
    size_px: tuple[int, int] | None


class Reader:
    """One bounded daemon thread and its decoder.

    Attributes:
        box: where the pictures are; None until the first one is there.
        fps: frames/s of the source, once it is open.
        size_px: (width, height) of the pictures, once the first one is there.
        fault: why the reader has ended, if it was not told to.
    """

    def __init__(self, stream: Stream, clock: Clock, open_with: CaptureFactory) -> None:
        self.box: Mailbox | None = None
        self.fps = stream.fps
        self.size_px: tuple[int, int] | None = None
        self.fault: CameraFault | None = None
        self._stream = stream
        self._clock = clock
        self._open_with = open_with
        self._is_reading = False
        self._pause_s = 0.0
        self._beat_ms = clock.now_ms()
        self._dismissed = threading.Event()
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-reader", daemon=True)

    def start(self) -> None:
        """Start the thread.

        Raises:
            CameraFault: reason "no_thread", the system does not give one.
        """
        before = threading.stack_size(STACK_BYTES)
        _living.add(self)
        try:
            self._thread.start()
        except (RuntimeError, MemoryError) as error:
            _living.discard(self)
            raise CameraFault("no_thread", f"{self._stream.name}: {error}") from error
        finally:
            threading.stack_size(before)

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    @property
    def patience_ms(self) -> float:
        """How long it may take until it notices that nobody wants it any more."""
        limit_ms = self._stream.read_timeout_ms
        return (limit_ms if self._is_reading else self._stream.open_timeout_ms) + HUNG_MARGIN_MS

    @property
    def is_opening(self) -> bool:
        """Whether neither a picture nor a failure has come yet."""
        return not self._settled.is_set()

    def wait(self, timeout_ms: float) -> None:
        """Wait until the first picture or a failure; real time, whatever the clock."""
        self._settled.wait(timeout_ms / 1e3)

    def check(self, now_ms: float) -> None:
        """Say what is wrong with the reader, if anything.

        Raises:
            CameraFault: its own fault, or reason "hung" when it has been silent for too long.
        """
        if self.fault is not None:
            raise CameraFault(self.fault.reason, self.fault.detail)
        stream = self._stream
        doing, limit_ms = (
            ("reading", stream.read_timeout_ms)
            if self._is_reading
            else ("opening", stream.open_timeout_ms)
        )
        silent_ms = now_ms - self._beat_ms
        if silent_ms > limit_ms + HUNG_MARGIN_MS:
            raise CameraFault("hung", f"{stream.name}: {doing} for {silent_ms:.0f} ms")

    def dismiss(self) -> None:
        """Tell the thread to go away when it next wakes up. Does not wait for it."""
        self._dismissed.set()
        if self.box is not None:
            self.box.close()

    def join(self, timeout_ms: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(timeout_ms / 1e3)

    def _run(self) -> None:
        capture = None
        try:
            capture = self._open()
            self._read_on(capture)
        except CameraFault as fault:
            self.fault = CameraFault(fault.reason, fault.detail)
        except (cv2.error, MemoryError) as error:
            doing = "read_failed" if self._is_reading else "open_failed"
            self.fault = CameraFault(doing, f"{self._stream.name}: {error}")
        finally:
            if capture is not None:
                capture.release()
            self._settled.set()
            _living.discard(self)

    def _open(self) -> Capture:
        stream = self._stream
        capture = self._open_with(
            stream.url,
            {
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: stream.open_timeout_ms,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC: stream.read_timeout_ms,
            },
        )
        if not capture.isOpened():
            capture.release()
            raise CameraFault("open_failed", f"{stream.name} cannot be opened as a video stream")
        self.fps = believable_fps(capture.get(cv2.CAP_PROP_FPS), stream.fps)
        self._beat_ms = self._clock.now_ms()
        self._is_reading = True
        if capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
            self._pause_s = min(1.0 / self.fps, stream.read_timeout_ms / 1e3)
        return capture

    def _read_on(self, capture: Capture) -> None:
        """Decode until nobody wants it any more; each picture goes into the box at once.

        A live source sets the pace itself; a recording behind a URL is held to its own rate.
        """
        first = self._read(capture, None)
        if self._dismissed.is_set():
            return
        size_px = self._stream.size_px or (first.shape[1], first.shape[0])
        self._check_size(first, size_px)
        box = Mailbox(np.empty_like(first))
        back = box.post(first, self._beat_ms)
        self.size_px = size_px
        self.box = box
        self._settled.set()
        while back is not None and not self._dismissed.wait(self._pause_s):
            full = self._read(capture, back)
            if full is not back:
                self._check_size(full, size_px)
            back = box.post(full, self._beat_ms)

    def _read(self, capture: Capture, into: U8 | None) -> U8:
        self._beat_ms = self._clock.now_ms()
        ok, picture = capture.read(into)
        if not ok or picture is None:
            raise CameraFault("read_failed", f"{self._stream.name} gives no more pictures")
        self._beat_ms = self._clock.now_ms()
        return picture

    def _check_size(self, picture: U8, size_px: tuple[int, int]) -> None:
        if (picture.shape[1], picture.shape[0]) == size_px:
            return
        wanted = f"{size_px[0]}x{size_px[1]}"
        detail = f"{self._stream.name}: picture is {size_text(picture)}, buffers are {wanted}"
        raise CameraFault("size_changed", detail)


def start_reader(stream: Stream, clock: Clock, open_with: CaptureFactory = open_capture) -> Reader:
    """Make a reader and start it. Raises CameraFault, reason "no_thread"."""
    reader = Reader(stream, clock, open_with)
    reader.start()
    return reader


def _leave_before_exit() -> None:
    """A thread that wakes up from C++ while the interpreter goes down aborts the process.

    A camera that is silent at that moment keeps its reader until FFmpeg's own timeout.
    """
    readers = list(_living)
    for reader in readers:
        reader.dismiss()
    end_s = time.monotonic() + max((reader.patience_ms for reader in readers), default=0.0) / 1e3
    for reader in readers:
        reader.join(max(end_s - time.monotonic(), 0.0) * 1e3)


atexit.register(_leave_before_exit)
