"""When a recorded or drawn frame is due, and how it is numbered: shared by all cameras not live."""

from __future__ import annotations

import math

from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import Camera, Frame

TOLERANCE_MS = 1e-6
"""A frame this close to its time is due: i * 1000 / fps is not exact in binary."""

REHEARSAL_FRAMES, REHEARSAL_STEP_MS = 16, 500.0
"""Pictures taken before the seal, and the source time between them."""


def frame_time_ms(index: int, fps: float) -> float:
    """Time of frame `index` after the source began, ms."""
    return index * 1000.0 / fps


def due_index(elapsed_ms: float, fps: float) -> int:
    """The newest frame whose time has come, `elapsed_ms` after frame 0; -1 before it."""
    reached_ms = elapsed_ms + TOLERANCE_MS
    index = max(math.floor(reached_ms * fps / 1000.0), -1)
    if frame_time_ms(index + 1, fps) <= reached_ms:
        return index + 1
    if index >= 0 and frame_time_ms(index, fps) > reached_ms:
        return index - 1
    return index


class Pacing:
    """The source time of one camera: it starts at the first grab and goes on over a re-open.

    Attributes:
        position: index, since the last `begin`, of the frame handed out last; -1: none.
    """

    def __init__(self) -> None:
        self.position = -1
        self._fps = 1.0
        self._start_ms: float | None = None
        self._first_id = 0
        self._first_t_ms = 0.0

    def begin(self, fps: float) -> None:
        """Start at index 0 again, with frame ids and source time going on where they were."""
        handed_out = self.position + 1
        self._first_id += handed_out
        self._first_t_ms += frame_time_ms(handed_out, self._fps)
        self._fps = fps
        self._start_ms = None
        self.position = -1

    def restart(self) -> None:
        """Forget all that was handed out: the next frame is the first one."""
        self.position, self._start_ms = -1, None
        self._first_id, self._first_t_ms = 0, 0.0

    def due(self, now_ms: float) -> int:
        """Index of the newest frame due; the first call after `begin` makes `now_ms` its start."""
        if self._start_ms is None:
            self._start_ms = now_ms
        return due_index(now_ms - self._start_ms, self._fps)

    def stamp(self, frame: Frame, index: int, now_ms: float) -> None:
        """Number and date a frame that is handed out now."""
        self.position = index
        frame.frame_id = self._first_id + index
        frame.t_ms = self._first_t_ms + frame_time_ms(index, self._fps)
        frame.captured_ms = now_ms


def rehearse(camera: Camera, pacing: Pacing, frame: Frame) -> None:
    """Show some pictures of an open camera, then open it again as if nothing had been shown.

    Whatever is wrong with a picture shows again in operation, where it is a fault.

    Raises:
        CameraFault: it cannot be opened again.
    """
    try:
        for step in range(REHEARSAL_FRAMES):
            camera.grab(frame, step * REHEARSAL_STEP_MS)
    except (CameraFault, EndOfStream):
        pass
    camera.close()
    pacing.restart()
    camera.open()
