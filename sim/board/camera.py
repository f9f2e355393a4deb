"""The board's camera: it sees the world, through whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from drivers.board import CameraConfig
from drivers.camera.pacing import due_index, frame_time_ms
from drivers.faults import CameraFault
from drivers.interfaces import U8, Frame
from sim.board.faults import Options
from sim.board.spoil import covered, dim, encode_anew, garbage, hide

REHEARSAL_MS = (0.0, 700.0, 5000.0)
"""Moments of the world drawn before the seal, so that everything that draws is in memory."""
BAG_LEVEL = 220
"""Grey level of what hides the picture, unless the fault says another."""
_NOISE_BYTES = 65_521
"""A prime, so that rows do not repeat."""


class Scene(Protocol):
    """Anything that can be drawn at any time."""

    def render(self, t_ms: float, pixels: U8) -> None:
        """Draw into uint8[H, W, 3] BGR."""
        ...


class WorldCamera:
    """Picture i shows the world at i * 1000 / fps of virtual time. Implements `Camera`.

    The world goes on while the board is off, so pictures are numbered by time, not from the boot.

    Args:
        config: size and rate.
        scene: the world.
        faults: what is broken in the camera now.
        see: called with the time of each picture that was drawn for the firmware.
        seed: of the noise in pictures that are spoilt.
    """

    is_live = False

    def __init__(
        self,
        config: CameraConfig,
        scene: Scene,
        faults: dict[str, Options],
        see: Callable[[float], None],
        seed: int,
    ) -> None:
        self.width_px, self.height_px, self.fps = config.width_px, config.height_px, config.fps
        self._scene = scene
        self._faults = faults
        self._see = see
        size = self.width_px * self.height_px * 3
        chance = np.random.default_rng(seed)
        table = chance.integers(0, 256, _NOISE_BYTES, np.uint8)
        self._noise: U8 = np.resize(table, size).reshape(self.height_px, self.width_px, 3)
        self._last: U8 = np.full((self.height_px, self.width_px, 3), 0, np.uint8)
        self._index = -1
        self._gap = 0
        self._frame_id = -1
        self._is_open = False

    def open(self) -> None:
        """Open it. Raises CameraFault "missing" while it is unplugged."""
        if "unplugged" in self._faults:
            raise CameraFault("missing", "no such device")
        self._index = -1
        self._is_open = True

    def grab(self, frame: Frame, now_ms: float) -> bool:
        """Draw the newest picture due. Raises CameraFault."""
        if not self._is_open:
            raise CameraFault("closed", "the camera is not open")
        if "unplugged" in self._faults:
            raise CameraFault("read_failed", "the device has gone")
        if "silent" in self._faults:
            return False
        index = due_index(now_ms, self.fps)
        if index <= self._index:
            return False
        self._frame_id += index - self._index if self._index >= 0 else 1
        self._index = index
        frame.frame_id = self._frame_id
        frame.t_ms = frame_time_ms(index, self.fps)
        frame.captured_ms = now_ms
        self._scene.render(frame.t_ms, frame.pixels)
        self._see(frame.t_ms)
        if self._faults:
            self._spoil(frame.pixels, index)
        else:
            np.copyto(self._last, frame.pixels)
        return True

    def rehearse(self, frame: Frame) -> None:
        """Draw some pictures that nobody sees."""
        for t_ms in REHEARSAL_MS:
            self._scene.render(t_ms, frame.pixels)
        for index in range(2):
            dim(frame.pixels, self._noise, index, 10)
            hide(frame.pixels, self._noise, index, 100, 220)
            encode_anew(frame.pixels, index)
            covered(frame.pixels, self._noise, index)
            garbage(frame.pixels, self._noise, index)

    def close(self) -> None:
        """May be called twice."""
        self._is_open = False

    def _spoil(self, pixels: U8, index: int) -> None:
        faults = self._faults
        if "frozen" in faults or "still" in faults:
            np.copyto(pixels, self._last)
            if "frozen" not in faults:
                encode_anew(pixels, index)
        elif "covered" in faults:
            covered(pixels, self._noise, index)
        elif "garbage" in faults:
            garbage(pixels, self._noise, index)
        else:
            self._veil(pixels, index)

    def _veil(self, pixels: U8, index: int) -> None:
        """What leaves something to see, one over the other."""
        if (dimmed := self._faults.get("dim")) is not None:
            dim(pixels, self._noise, index, dimmed["percent"])
        if (hidden := self._faults.get("hidden")) is not None:
            share, level = hidden.get("percent", 100), hidden.get("level", BAG_LEVEL)
            hide(pixels, self._noise, index, share, level)
