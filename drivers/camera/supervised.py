"""The camera as the loop sees it: faults become a state, and a lost camera is opened again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum
from typing import Protocol, runtime_checkable

from drivers.board import CameraConfig
from drivers.faults import CameraFault, CameraGone, EndOfStream
from drivers.interfaces import Camera, Frame

RETRY_MAX_MS = 8000.0
"""The wait before a re-open doubles up to this."""
DECODER_SETTLES_MS = 3000.0
"""A decoder goes on to take memory after its first picture: reference pictures, jitter buffer."""
STEADY_MS = 5000.0
"""Pictures without a fault for this long: the next wait is short again."""
HEADROOM_SLACK_MS = 1000.0
"""Beyond both of the camera's timeouts, the memory limit comes down with or without a picture."""

Headroom = Callable[[], AbstractContextManager[None]]


class CameraState(Enum):
    """Whether pictures come."""

    OK = "ok"
    AWAY = "away"


@runtime_checkable
class OpensLater(Protocol):
    """A camera that can be opened without waiting for its first picture."""

    @property
    def is_opening(self) -> bool:
        """Neither a picture nor a failure so far."""
        ...

    def open(self, *, nonblocking: bool = False) -> None:
        """Start opening; `grab` raises what goes wrong."""
        ...


class HeldHeadroom:
    """Keeps the memory limit lifted across calls: from a re-open to its first picture."""

    def __init__(self, headroom: Headroom) -> None:
        self._headroom = headroom
        self._held: AbstractContextManager[None] | None = None
        self._until_ms = 0.0

    def enter(self, until_ms: float) -> None:
        """Lift the limit, at most until `until_ms`; nothing happens when it is lifted already."""
        self._until_ms = until_ms
        if self._held is None:
            held = self._headroom()
            held.__enter__()
            self._held = held

    def leave(self) -> None:
        """Lower it again; nothing happens when it is not lifted."""
        held, self._held = self._held, None
        if held is not None:
            held.__exit__(None, None, None)

    def until(self, until_ms: float) -> None:
        """Move the end of its time."""
        self._until_ms = until_ms

    def expire(self, now_ms: float) -> None:
        """Lower it when its time is over."""
        if now_ms >= self._until_ms:
            self.leave()


class SupervisedCamera:
    """Wraps any camera. `poll` raises no CameraFault but CameraGone.

    Attributes:
        state: OK, or AWAY from a fault until the next picture.
        fault: the newest reason for being away; None while OK.
        away_since_ms: when it went away, ms of the clock; None while OK.
        reopens: how often opening it again was tried.
        recoveries: how often pictures came back.
        dropped_frames: pictures that the camera took and the loop did not get.
    """

    def __init__(self, camera: Camera, config: CameraConfig, headroom: Headroom) -> None:
        self.state = CameraState.AWAY
        self.fault: CameraFault | None = CameraFault("not_opened")
        self.away_since_ms: float | None = None
        self.reopens = 0
        self.recoveries = 0
        self.dropped_frames = 0
        self._camera = camera
        self._config = config
        self._headroom = HeldHeadroom(headroom)
        self._is_open = False
        self._retry_at_ms = float("-inf")
        self._wait_ms = float(config.retry_ms)
        self._good_since_ms: float | None = None
        self._last_id = -1

    @property
    def width_px(self) -> int:
        """Width of the pictures, pixels."""
        return self._camera.width_px

    @property
    def height_px(self) -> int:
        """Height of the pictures, pixels."""
        return self._camera.height_px

    @property
    def fps(self) -> float:
        """Rate of the source, frames/s."""
        return self._camera.fps

    @property
    def is_live(self) -> bool:
        """Whether pictures come in their own time."""
        return self._camera.is_live

    def open(self) -> None:
        """Open the camera at boot and wait for it. Without this, the first `poll` opens it.

        Raises:
            CameraFault: it cannot be opened; `poll` may still be called and tries again.
        """
        self._camera.open()
        self._is_open = True
        self.state, self.fault = CameraState.OK, None

    def rehearse(self, frame: Frame, now_ms: float) -> None:
        """Exercise an open camera before the seal; one that fails is away from `now_ms` on."""
        if not self._is_open:
            return
        try:
            self._camera.rehearse(frame)
        except CameraFault as fault:
            self.lose(fault, now_ms)

    def poll(self, frame: Frame, now_ms: float) -> bool:
        """Get the newest picture, or do what has to be done to have one again.

        Returns:
            True when `frame` holds a new picture.

        Raises:
            EndOfStream: a finite source is exhausted.
            CameraGone: away for longer than `give_up_ms`.
        """
        try:
            got_one = self._is_ready(now_ms) and self._camera.grab(frame, now_ms)
        except CameraFault as fault:
            self.lose(fault, now_ms)
            return False
        except EndOfStream:
            self._headroom.leave()
            raise
        if got_one:
            self._note_good(frame, now_ms)
        else:
            self._headroom.expire(now_ms)
            self._give_up_if_due(now_ms)
        return got_one

    def lose(self, fault: CameraFault, now_ms: float) -> None:
        """Close the camera and plan its re-open; also for one that looks well but shows nothing.

        Raises:
            CameraGone: away for longer than `give_up_ms`.
        """
        self._close()
        self._go_away(CameraFault(fault.reason, fault.detail), now_ms)
        self._retry_at_ms = now_ms + self._wait_ms
        self._wait_ms = min(2 * self._wait_ms, max(RETRY_MAX_MS, self._config.retry_ms))
        self._give_up_if_due(now_ms)

    def close(self) -> None:
        """Release the camera and the headroom. May be called twice."""
        self._close()

    def _is_ready(self, now_ms: float) -> bool:
        """Whether the camera can be asked for a picture; opens it again when that is due."""
        if self._is_open:
            return True
        if self.away_since_ms is None:
            self.away_since_ms = now_ms
        if now_ms < self._retry_at_ms:
            return False
        self._reopen(now_ms)
        return True

    def _reopen(self, now_ms: float) -> None:
        config = self._config
        limit_ms = config.open_timeout_ms + config.read_timeout_ms + HEADROOM_SLACK_MS
        self._headroom.enter(now_ms + limit_ms)
        self.reopens += 1
        try:
            if isinstance(self._camera, OpensLater):
                self._camera.open(nonblocking=True)
            else:
                self._camera.open()
        except MemoryError as error:
            raise CameraFault("no_memory", f"the decoder does not fit: {error}") from error
        self._is_open = True

    def _close(self) -> None:
        self._is_open = False
        self._camera.close()
        self._headroom.leave()

    def _go_away(self, fault: CameraFault, now_ms: float) -> None:
        self.state, self.fault = CameraState.AWAY, fault
        self._good_since_ms = None
        if self.away_since_ms is None:
            self.away_since_ms = now_ms

    def _give_up_if_due(self, now_ms: float) -> None:
        limit_ms, since_ms, fault = self._config.give_up_ms, self.away_since_ms, self.fault
        if not limit_ms or since_ms is None or fault is None or now_ms - since_ms <= limit_ms:
            return
        self._close()
        away = f"away for {now_ms - since_ms:.0f} ms, camera.give_up_ms is {limit_ms}"
        raise CameraGone(fault.reason, f"{fault.detail}; {away}")

    def _note_good(self, frame: Frame, now_ms: float) -> None:
        self._headroom.expire(now_ms)
        if self.state is CameraState.AWAY:
            self._headroom.until(now_ms + DECODER_SETTLES_MS)
            self.state, self.fault, self.away_since_ms = CameraState.OK, None, None
            self.recoveries += 1
        if self._good_since_ms is None:
            self._good_since_ms = now_ms
        elif now_ms - self._good_since_ms >= STEADY_MS:
            self._wait_ms = float(self._config.retry_ms)
        if self._last_id >= 0:
            self.dropped_frames += max(frame.frame_id - self._last_id - 1, 0)
        self._last_id = frame.frame_id
