"""What a frame's tracking costs, against plain work on the same machine, in CPU time."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time_ns

import numpy as np
import pytest

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import Tracks
from runtime.track import Tracker

MOST_UNITS = {1: 1.6, 6: 6.5, 32: 36.0}
"""An update with so many people, in times of `plain_work`; it needs 1.0, 4.0 and 22."""
FRAMES = 120


def plain_work() -> float:
    """Some 10 us of what a tracker in plain Python consists of: numbers, tuples, comparisons."""
    rows = [(k * 1.5, k * 0.5, k + 2.0, k + 4.0) for k in range(12)]
    total = 0.0
    for left, top, right, bottom in rows:
        for other in rows[:4]:
            width = min(right, other[2]) - max(left, other[0])
            if width > 0.0:
                total += width * (bottom - top)
    return total


def least_ns(work: Callable[[], object], times: int) -> int:
    """The quickest of many runs: what the work costs when nothing is in its way."""
    spans = []
    for _ in range(times):
        began_ns = thread_time_ns()
        work()
        spans.append(thread_time_ns() - began_ns)
    return sorted(spans)[times // 10]


def crowd(people: int) -> list[np.ndarray]:
    """Boxes of people in rows, close to each other, who sway and jitter."""
    noise, who = np.random.default_rng(0), np.arange(people)
    frames = []
    for frame in range(FRAMES):
        x = who % 8 * 60.0 + 20.0 + 20.0 * np.sin(frame / 30 + who) + noise.normal(0, 1, people)
        y = who // 8 * 110.0 + 20.0 + 4.0 * np.sin(frame / 5 + who) + noise.normal(0, 1, people)
        frames.append(np.stack([x, y, x + 38.0, y + 100.0], axis=1).astype(np.float32))
    return frames


@pytest.mark.parametrize("people", MOST_UNITS)
def test_an_update_costs_little(people):
    tracks, table = Tracks(32), Detections(64)
    tracker = Tracker(tracks, TrackingConfig(), 0.3, (640, 480))
    table.count = people
    table.scores[:people] = np.linspace(0.95, 0.5, people)
    frames, ticks = crowd(people), iter(range(10_000))

    def update() -> None:
        tick = next(ticks)
        table.boxes[:people] = frames[tick % FRAMES]
        tracker.update(table, tick * 100.0)

    for _ in range(20):
        update()
    ratio = least_ns(update, 300) / least_ns(plain_work, 300)
    assert tracks.live.size == people
    assert ratio < MOST_UNITS[people]
