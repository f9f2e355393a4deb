"""Run every stage at capacity before the seal, so that nothing has to grow afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.faults import NpuFault
from drivers.interfaces import U8, Session
from models.detector import Detector
from models.tables import Detections
from runtime.context import Context
from runtime.loop import Stage

FRAMES = 40
"""Full tables for this many frames of 100 ms: births, crossings and deaths happen."""


def warm_up(
    make_stages: Callable[[], tuple[Context, tuple[Stage, ...]]],
    detector: Detector,
    session: Session,
    width_px: int,
    height_px: int,
) -> None:
    """Exercise the judgement stages on crowds that come and go, and the network on noise.

    Args:
        make_stages: makes a context and stages of the loop's capacity, to be thrown away.
        detector, session: the loop's own; their tensors are overwritten.
        width_px, height_px: size of the source pictures.
    """
    context, table = make_stages()
    _wake_blas()
    noise = _noise(height_px * width_px * 3).reshape(height_px, width_px, 3)
    for tick in range(FRAMES):
        context.begin(tick * 100.0)
        context.took(0)
        context.frame.t_ms = context.t_ms = tick * 100.0
        if tick % 8 == 0:
            _look(detector, session, noise, context.detections)
        _crowd(context.detections, tick, width_px, height_px)
        context.judged = True
        for stage in table:
            stage.run(context)
        context.events.waiting.clear()


def _look(detector: Detector, session: Session, pixels: U8, detections: Detections) -> None:
    """One inference; a network that fails now fails again in the loop, where it is a fault."""
    detector.prepare(pixels)
    try:
        session.invoke()
    except NpuFault:
        return
    detector.decode(detections)


def _wake_blas() -> None:
    """OpenBLAS takes its buffer at the first product, and ends the process if it cannot."""
    square = np.ones((64, 64), np.float32)
    np.dot(square, square)
    np.dot(square.astype(np.float64), square[0].astype(np.float64))


def _noise(count: int) -> U8:
    """Bytes without a pattern that a network could like; numpy.random would cost 4 MB for good."""
    mixed = np.arange(count, dtype=np.uint32) * np.uint32(2654435761)
    return (mixed >> np.uint32(24)).astype(np.uint8)


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
