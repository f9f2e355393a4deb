"""Run every stage at capacity before the seal, so that nothing has to grow afterwards."""

from __future__ import annotations

import gc
from time import perf_counter_ns

import numpy as np

from drivers.faults import NpuFault
from drivers.interfaces import U8, Session
from models.detector import Detector
from models.tables import Detections
from runtime.context import Context
from runtime.loop import Loop
from runtime.people import People

_NOISE_BYTES = 16381
"""A prime, so that rows do not repeat; small, as the heap never shrinks again."""
FRAMES = 40
"""Full tables for this many frames of 100 ms: births, crossings and deaths happen."""


class NoWatchdog:
    """A watchdog for the rehearsal: the real one is armed by the loop."""

    def feed(self, now_ms: float) -> None:
        """Nothing to feed."""

    def disarm(self) -> None:
        """Nothing to disarm."""


class Crowd:
    """The first stage of a rehearsal, in place of camera and detector: crowds that come and go.

    Args:
        detector, session: the loop's own; their tensors are overwritten.
        pixels: a picture of the camera's size, overwritten.
        people: parts the detections, where the detector knows more than people.
    """

    def __init__(
        self, detector: Detector, session: Session, pixels: U8, people: People | None = None
    ) -> None:
        self._detector = detector
        self._session = session
        self._people = people
        self._noise = _noise(pixels.size).reshape(pixels.shape)
        self._tick = 0

    def __call__(self, context: Context) -> None:
        """Fill `context.frame` with noise and `context.detections` with people."""
        tick, pixels = self._tick, context.frame.pixels
        self._tick += 1
        context.events.waiting.clear()
        context.frame.t_ms = context.now_ms
        context.took(perf_counter_ns())
        np.copyto(pixels, self._noise)
        pixels += np.uint8(tick)
        if tick % 8 == 0:
            found = self._people.found if self._people else context.detections
            _look(self._detector, self._session, pixels, found)
            if self._people:
                self._people.part(context.detections, context.equipment)
        _crowd(context.detections, tick, pixels.shape[1], pixels.shape[0])
        context.judged = True


def warm_up(rehearsal: Loop) -> None:
    """Run a loop that is thrown away: its first stage is a Crowd, its outputs go nowhere."""
    _wake_numpy()
    rehearsal.run(FRAMES)
    gc.collect()


def _look(detector: Detector, session: Session, pixels: U8, detections: Detections) -> None:
    """One inference; a network that fails now fails again in the loop, where it is a fault."""
    detector.prepare(pixels)
    try:
        session.invoke()
    except NpuFault:
        return
    detector.decode(detections)
    detector.rehearse(detections)


def _wake_numpy() -> None:
    """OpenBLAS takes its buffer at the first product, and ends the process if it cannot.

    NumPy keeps freed blocks below 1 kB in a static table by size: each of its pages is touched.
    """
    blocks = [np.empty(size, np.uint8) for size in range(1, 1024, 16)]
    del blocks
    square = np.ones((64, 64), np.float32)
    np.dot(square, square)
    np.dot(square.astype(np.float64), square[0].astype(np.float64))


def _noise(count: int) -> U8:
    """Bytes without a pattern that a network could like; numpy.random would cost 4 MB for good."""
    mixed = np.arange(_NOISE_BYTES, dtype=np.uint32) * np.uint32(2654435761)
    return np.resize((mixed >> np.uint32(24)).astype(np.uint8), count)


def _crowd(detections: Detections, tick: int, width_px: int, height_px: int) -> None:
    """Fill the table: rows of people who walk right; nobody in the last third of the time."""
    capacity = detections.capacity
    columns = int(np.ceil(np.sqrt(capacity)))
    index = np.arange(capacity)
    x = (index % columns + 0.05 * tick) / columns * width_px
    y = (index // columns) / columns * height_px
    size = np.array([width_px, height_px]) / columns * 0.8
    detections.boxes[:] = np.stack([x, y, x + size[0], y + size[1]], axis=1)
    detections.boxes += np.sin(np.arange(4) + tick)
    detections.scores[:] = np.linspace(1.0, 0.6, capacity)
    detections.count = capacity if tick < FRAMES * 2 // 3 else 0
