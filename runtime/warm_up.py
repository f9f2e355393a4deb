"""Run every stage at capacity before the seal, so that nothing has to grow afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.faults import CameraFault, EndOfStream, NpuFault
from drivers.interfaces import U8, Camera, Frame, Session
from models.detector import Detector
from models.tables import Detections
from runtime.context import Context
from runtime.loop import Stage

FRAMES = 40
"""Full tables for this many frames of 100 ms: births, crossings and deaths happen."""
CAMERA_FRAMES = 12
"""Pictures decoded before the seal: a decoder allocates its reference pictures as it meets them."""


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
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (height_px, width_px, 3), np.uint8)
    for tick in range(FRAMES):
        context.begin(tick * 100.0)
        context.took(0)
        context.frame.t_ms = context.t_ms = tick * 100.0
        if tick % 8 == 0:
            _look(detector, session, noise, context.detections)
        _crowd(context.detections, tick, rng, width_px, height_px)
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


def _crowd(
    detections: Detections, tick: int, rng: np.random.Generator, width_px: int, height_px: int
) -> None:
    """Fill the table: rows of people who walk right; nobody in the last third of the time."""
    capacity = detections.capacity
    columns = int(np.ceil(np.sqrt(capacity)))
    index = np.arange(capacity)
    x = (index % columns + 0.05 * tick) / columns * width_px
    y = (index // columns) / columns * height_px
    size = np.array([width_px, height_px]) / columns * 0.8
    boxes = np.stack([x, y, x + size[0], y + size[1]], axis=1) + rng.normal(0, 1, (capacity, 4))
    detections.boxes[:] = boxes
    detections.scores[:] = np.sort(rng.uniform(0.6, 1.0, capacity))[::-1]
    detections.count = capacity if tick < FRAMES * 2 // 3 else 0


def warm_up_camera(camera: Camera, frame: Frame) -> None:
    """Decode some pictures of a camera of which this is not the one that the loop will read.

    Whatever is wrong with it shows again in the loop, where it is a fault.
    """
    try:
        camera.open()
        for tick in range(CAMERA_FRAMES):
            camera.grab(frame, tick * 1000.0 / max(camera.fps, 1.0))
    except (CameraFault, EndOfStream):
        return
    finally:
        camera.close()
