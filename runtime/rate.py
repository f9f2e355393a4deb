"""Keep the loop's rate with absolute deadlines, and say when it lags."""

from __future__ import annotations

from drivers.interfaces import Clock

BEHIND_SHARE = 0.5
"""A tick that begins later than this share of a frame period is behind: it sheds work."""
LAG_SHARE = 0.9
"""Smoothed busy time above this share of a frame period: the board is too slow for the rate."""
SMOOTHING = 0.05


class RateKeeper:
    """Deadlines at multiples of the tick since the first one, so that no drift adds up.

    Args:
        clock: injected time.
        tick_ms: time between two looks at the camera.
        frame_ms: time between two frames of the camera; not smaller than `tick_ms`.
    """

    def __init__(self, clock: Clock, tick_ms: float, frame_ms: float) -> None:
        self._clock = clock
        self._tick_ms = tick_ms
        self._frame_ms = frame_ms
        self._deadline_ms = clock.now_ms()
        self._began_ms = self._deadline_ms
        self._busy_ms = 0.0
        self.behind = False

    @property
    def lagging(self) -> bool:
        """The loop cannot hold the camera's rate."""
        return self._busy_ms > LAG_SHARE * self._frame_ms

    def restart(self) -> None:
        """The first tick is due now: called when the loop starts to run."""
        self._deadline_ms = self._clock.now_ms()

    def begin(self) -> float:
        """Start of a tick; returns now, ms."""
        now_ms = self._clock.now_ms()
        self.behind = now_ms - self._deadline_ms > BEHIND_SHARE * self._frame_ms
        self._began_ms = now_ms
        return now_ms

    def end(self, worked: bool) -> None:
        """End of a tick that judged a frame or not; whole ticks that were overrun are given up."""
        now_ms = self._clock.now_ms()
        if worked:
            self._busy_ms += SMOOTHING * (now_ms - self._began_ms - self._busy_ms)
        self._deadline_ms += self._tick_ms
        late_ms = now_ms - self._deadline_ms
        if late_ms > self._frame_ms:
            self._deadline_ms += late_ms // self._tick_ms * self._tick_ms

    def wait(self) -> None:
        """Sleep until the next deadline."""
        self._clock.sleep_until_ms(self._deadline_ms)
