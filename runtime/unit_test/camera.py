"""The camera: rate, gaps, life, light and sharpness of some seconds of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final, cast

import numpy as np

from drivers.board import CameraConfig
from drivers.faults import CameraFault, EndOfStream
from drivers.interfaces import U8, Camera, Frame
from runtime.health import Health
from runtime.unit_test.result import Bench, Row, judged, untested
from runtime.unit_test.sharpness import LEAST_EDGES, sharpest_edges

WATCH_MS: Final = 3000.0
LEAST_FRAMES: Final = 10
TICK_MS: Final = 4.0
LEAST_RATE, MOST_RATE = 0.9, 1.2
"""Shares of the rate in the board file."""
DARK, BRIGHT = 25.0, 230.0
"""Mean level of a picture by which somebody could judge, of 255."""
MOST_EDGE_PX: Final = 4.0
"""Ten clips of real cameras: 1.6 to 2.1 px; blurred by 1 px (sigma) 3.1 to 3.8, by 1.5 from 4.3."""
SHARP_EVERY: Final = 5
SIZED_BY_SOURCE: Final = ("folder", "stream", "video")
"""Drivers whose pictures are as large as their source has them."""
PLUG: Final = "look at the sensor's cable, and at [camera] of the board file"
CHART: Final = "focus the lens on a test chart at the distance of use, and wipe it"


@dataclass
class _Seen:
    """What some seconds of pictures were like."""

    times_ms: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    widths_px: list[float] = field(default_factory=list)
    edges: int = 0
    reason: str = ""
    """Of the health check, as in the loop."""

    def look(self, pixels: U8, now_ms: float) -> None:
        self.times_ms.append(now_ms)
        self.levels.append(float(np.mean(pixels[::4, ::4])))
        if len(self.times_ms) % SHARP_EVERY == 1:
            edges = sharpest_edges(pixels)
            self.widths_px.append(edges.width_px)
            self.edges = max(self.edges, edges.found)


def camera(bench: Bench) -> Iterator[Row]:
    """Look for some seconds."""
    config = bench.board.camera
    made = cast(Camera, bench.find("camera", config.driver)(config, config.source, bench.clock))
    try:
        made.open()
        seen = _watch(made, config, bench)
    except CameraFault as fault:
        what = config.source or config.driver
        yield judged("camera.open", "camera", False, f"{what}: {fault}", next=PLUG)
        return
    finally:
        made.close()
    if config.driver not in SIZED_BY_SOURCE:
        yield _size(made, config)
    if len(seen.times_ms) < LEAST_FRAMES:
        yield _too_few(len(seen.times_ms))
        return
    yield from _judge(seen, config)


def _size(made: Camera, config: CameraConfig) -> Row:
    size = f"{made.width_px}x{made.height_px}"
    wanted = f"{config.width_px}x{config.height_px}"
    return judged("camera.size", "camera: picture", size == wanted, size, wanted, next=PLUG)


def _too_few(count: int) -> Row:
    text, limit = f"{count} pictures in {WATCH_MS / 1e3:g} s", f">= {LEAST_FRAMES}"
    name = "camera: rate"
    return judged("camera.rate", name, False, text, limit, value=count, unit="1", next=PLUG)


def _watch(made: Camera, config: CameraConfig, bench: Bench) -> _Seen:
    """From the first picture on. Raises CameraFault."""
    clock, seen = bench.clock, _Seen()
    frame = Frame(made.width_px, made.height_px)
    health: Health | None = None
    end_ms = clock.now_ms() + config.open_timeout_ms
    while clock.now_ms() < end_ms:
        now_ms = clock.now_ms()
        try:
            is_new = made.grab(frame, now_ms)
        except EndOfStream:
            break
        if is_new and health is None:
            health = Health(config, made.width_px, made.height_px, now_ms)
            end_ms = now_ms + WATCH_MS
        if health is not None:
            if is_new:
                health.saw(frame, now_ms)
                seen.look(frame.pixels, clock.now_ms())
            seen.reason = seen.reason or health.camera_reason(now_ms, "")
        bench.wait(TICK_MS)
    return seen


def _judge(seen: _Seen, config: CameraConfig) -> Iterator[Row]:
    times = seen.times_ms
    rate = (len(times) - 1) / max(times[-1] - times[0], 1e-3) * 1e3
    low, high = LEAST_RATE * config.fps, MOST_RATE * config.fps
    yield judged(
        "camera.rate", "camera: rate", low <= rate <= high, f"{rate:.2f} /s",
        f"{low:.4g} to {high:.4g} /s", value=rate, unit="1/s",
        next="look at light (exposure), cable and USB port, and at camera.fps of the board file",
    )  # fmt: skip
    gap_ms = max(later - before for before, later in pairwise(times))
    yield judged(
        "camera.gap", "camera: longest gap", gap_ms < config.no_frame_ms, f"{gap_ms:.0f} ms",
        f"< {config.no_frame_ms} ms", value=gap_ms, unit="ms",
        next="look at the sensor's cable and its power",
    )  # fmt: skip
    if config.frozen_ms:
        text = {"": "it moves", "frozen": "it stands still"}.get(seen.reason, seen.reason)
        step = "switch the camera off and on; where it comes again, exchange it"
        ok = seen.reason in ("", "dark")
        yield judged("camera.alive", "camera: live", ok, text, "no two alike", next=step)
    else:
        yield untested("camera.alive", "camera: live", "camera.frozen_ms = 0 of the board file")
    level = median(seen.levels)
    yield judged(
        "camera.light", "camera: light", DARK <= level <= BRIGHT and seen.reason != "dark",
        f"{level:.0f} of 255", f"{DARK:.0f} to {BRIGHT:.0f}", value=level, unit="level",
        next="take the cap off the lens, and light the test chart",
    )  # fmt: skip
    yield _sharpness(seen)


def _sharpness(seen: _Seen) -> Row:
    width_px, name = median(seen.widths_px), "camera: sharpness"
    if width_px == np.inf:
        text = f"{seen.edges} edges found"
        return judged("camera.sharp", name, False, text, f">= {LEAST_EDGES}", next=CHART)
    text, limit = f"edges of {width_px:.2f} px", f"<= {MOST_EDGE_PX:g} px"
    ok = width_px <= MOST_EDGE_PX
    return judged("camera.sharp", name, ok, text, limit, value=width_px, unit="px", next=CHART)
