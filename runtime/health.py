"""Is the camera still watching? Faults with hysteresis, from fresh frames and fresh results."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.board import CameraConfig
from drivers.interfaces import U8, Frame

CLEAR_MS = 500.0
"""A fault is over when its cause has been gone for this long: a relay shall not chatter."""
NPU_SILENT_MS = 900.0
"""No valid inference for this long, with fresh pictures coming, is `npu_fault`."""
SAMPLE_ROWS, SAMPLE_COLUMNS = 24, 32
"""Grid of sampled pixels for the frozen and the dark check: sensor noise moves some of them."""


class PictureCheck:
    """Tells a frozen or dark picture from a grid of samples."""

    def __init__(self, width_px: int, height_px: int, dark_level: int) -> None:
        self._step_y = max(1, height_px // SAMPLE_ROWS)
        self._step_x = max(1, width_px // SAMPLE_COLUMNS)
        self._dark = bytes(range(dark_level + 1))
        self._last = b""
        self.changed = True
        self.lit = True

    def look(self, pixels: U8) -> None:
        """Compare a new picture with the last one; sets `changed` and `lit`."""
        sample = pixels[:: self._step_y, :: self._step_x].tobytes()
        self.changed = sample != self._last
        self.lit = bool(sample.translate(None, self._dark))
        self._last = sample


@dataclass
class FaultState:
    """One kind of fault: active or not, since when good again."""

    name: str
    active: bool = False
    reason: str = ""
    good_since_ms: float | None = None

    def step(self, reason: str, now_ms: float) -> bool:
        """Advance; `reason` is "" when all is well. Returns True when it was raised or cleared."""
        if reason:
            self.good_since_ms = None
            if self.active:
                return False
            self.active, self.reason = True, reason
            return True
        if not self.active:
            return False
        if self.good_since_ms is None:
            self.good_since_ms = now_ms
        if now_ms - self.good_since_ms < CLEAR_MS:
            return False
        self.active = False
        return True


class Health:
    """Watches liveness: a new frame id, a picture that changes, a valid inference.

    All times are the injected clock's, ms.

    Attributes:
        all: every fault that the relay tells of.
        judged_frames: since the loop began to run.
        celsius: of the hottest place, as read last; None without thermometers.
        shed: how much is left out as it is hot, 0 to 2; see `runtime.heat`.
    """

    def __init__(self, config: CameraConfig, width_px: int, height_px: int, now_ms: float) -> None:
        self._config = config
        self._picture = PictureCheck(width_px, height_px, config.dark_level)
        self._fresh_ms = self._changed_ms = self._lit_ms = self._judged_ms = now_ms
        self.camera = FaultState("camera_fault")
        self.npu = FaultState("npu_fault")
        self.storage = FaultState("storage_fault")
        self.output = FaultState("output_fault")
        self.watchdog = FaultState("watchdog_fault")
        self.memory = FaultState("memory_fault")
        self.operator = FaultState("operator_fault")
        self.loop = FaultState("loop_fault")
        self.heat = FaultState("heat_fault")
        shown = (self.camera, self.npu, self.storage, self.output, self.watchdog, self.memory)
        self.all = (*shown, self.operator, self.loop, self.heat)
        self.judged_frames = 0
        self.celsius: float | None = None
        self.shed = 0

    def restart(self, now_ms: float) -> None:
        """Begin to count from now: called when the loop starts to run."""
        self._fresh_ms = self._changed_ms = self._lit_ms = self._judged_ms = now_ms
        self.judged_frames = 0

    @property
    def healthy(self) -> bool:
        """No fault, and at least one frame judged: the fault relay may be energised."""
        return self.judged_frames > 0 and not any(fault.active for fault in self.all)

    def saw(self, frame: Frame, now_ms: float) -> None:
        """A fresh frame came in."""
        self._picture.look(frame.pixels)
        self._fresh_ms = now_ms
        if self._picture.changed:
            self._changed_ms = now_ms
        if self._picture.lit:
            self._lit_ms = now_ms

    def judged(self, now_ms: float) -> None:
        """A valid inference was made on a fresh frame."""
        self._judged_ms = now_ms
        self.judged_frames += 1

    def camera_reason(self, now_ms: float, driver_reason: str) -> str:
        """Why the camera is blind, or ""."""
        config = self._config
        if now_ms - self._fresh_ms >= config.no_frame_ms:
            return driver_reason or "no_frame"
        if config.frozen_ms and now_ms - self._changed_ms >= config.frozen_ms:
            return "frozen"
        if config.dark_ms and now_ms - self._lit_ms >= config.dark_ms:
            return "dark"
        return ""

    def npu_reason(self, now_ms: float, driver_reason: str) -> str:
        """Why there is no fresh result although there are fresh pictures, or ""."""
        blind = now_ms - self._fresh_ms >= self._config.no_frame_ms
        if blind:
            self._judged_ms = now_ms
        silent = now_ms - self._judged_ms >= NPU_SILENT_MS
        return (driver_reason or "no_result") if silent and not blind else ""
