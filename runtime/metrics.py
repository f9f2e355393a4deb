"""Times and counts of a run, kept in fixed histograms."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import numpy as np

from runtime.memory import Seal, usage_kb

_BIN_NS = 5_000
_BINS = 20_000
"""5 us bins up to 100 ms: the last one takes everything longer."""


class Histogram:
    """Durations in 5 us bins."""

    def __init__(self) -> None:
        self._bins = np.full(_BINS, 0, np.uint32)
        self.total_ns = 0
        self.longest_ns = 0
        self.count = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration."""
        self._bins[min(duration_ns // _BIN_NS, _BINS - 1)] += 1
        self.total_ns += duration_ns
        self.count += 1
        if duration_ns > self.longest_ns:
            self.longest_ns = duration_ns

    def percentile_ms(self, percent: float) -> float:
        """Upper edge of the bin that holds the percentile, ms; 0 when nothing was counted."""
        if not self.count:
            return 0.0
        rank = max(1, int(np.ceil(self.count * percent / 100.0)))
        index = int(np.searchsorted(np.cumsum(self._bins, dtype=np.int64), rank))
        return self.longest_ns / 1e6 if index == _BINS - 1 else (index + 1) * _BIN_NS / 1e6


class Metrics:
    """Counters of one run; `report` makes the figures of `haetae run --metrics`."""

    def __init__(self) -> None:
        self._stages: tuple[str, ...] = ()
        self.stage_ns: list[int] = []
        self.frame = Histogram()
        self.capture = Histogram()
        self.invoke = Histogram()
        self.to_output = Histogram()
        self.frames = 0
        self.shed = 0
        self.npu_errors = 0
        self.cyclic_objects = 0
        self.lagging_frames = 0
        self._budgets_ms: tuple[float, ...] = ()
        self._started_ns = 0
        self.elapsed_ns = 0

    def name_stages(self, stages: Sequence[tuple[str, float]]) -> None:
        """Which stages there are: name and budget in ms of each, in the order of work."""
        self._stages = tuple(name for name, _ in stages)
        self._budgets_ms = tuple(budget_ms for _, budget_ms in stages)
        self.stage_ns = [0] * len(stages)

    def start(self, now_ns: int) -> None:
        """The loop begins to run."""
        self._started_ns = now_ns

    def stop(self, now_ns: int) -> None:
        """The loop has ended."""
        self.elapsed_ns = now_ns - self._started_ns

    def report(self, seal: Seal, dropped_frames: int, dropped_events: int) -> dict[str, object]:
        """All figures, with units in their names. Ends the sealed time: it takes memory itself.

        frame_ms is the time from the frame in hand to the end of its last stage; decoding of a file
        or a stream is `capture_ms`. overhead_ratio is frame_ms_p50 over invoke_ms_p50.
        """
        rss_kb, address_space_kb = usage_kb()
        kept = sys.getallocatedblocks() - seal.blocks
        tracked = len(gc.get_objects())
        seal.open_up()
        frames = max(self.frames, 1)
        frame_p50, invoke_p50 = self.frame.percentile_ms(50), self.invoke.percentile_ms(50)
        seconds = self.elapsed_ns / 1e9
        return {
            "frames": self.frames,
            "fps": round(self.frames / seconds, 2) if seconds else 0.0,
            "frame_ms_p50": round(frame_p50, 4),
            "frame_ms_p99": round(self.frame.percentile_ms(99), 4),
            "invoke_ms_p50": round(invoke_p50, 4),
            "invoke_ms_p99": round(self.invoke.percentile_ms(99), 4),
            "capture_ms_p50": round(self.capture.percentile_ms(50), 4),
            "capture_ms_p99": round(self.capture.percentile_ms(99), 4),
            "overhead_ratio": round(frame_p50 / invoke_p50, 4) if invoke_p50 else 0.0,
            "frame_in_to_output_ms_p50": round(self.to_output.percentile_ms(50), 4),
            "frame_in_to_output_ms_max": round(self.to_output.longest_ns / 1e6, 4),
            "rss_kb_sealed": seal.rss_kb,
            "rss_kb_end": rss_kb,
            "address_space_kb_sealed": seal.address_space_kb,
            "address_space_kb_end": address_space_kb,
            "slack_kb": seal.slack_kb,
            "pages_locked": seal.locked,
            "kept_objects": max(kept, tracked),
            "kept_objects_per_frame": round(max(kept, tracked) / frames, 2),
            "cyclic_objects_per_frame": round(self.cyclic_objects / frames, 2),
            "dropped_frames": dropped_frames,
            "shed_stages": self.shed,
            "npu_errors": self.npu_errors,
            "dropped_events": dropped_events,
            "lagging_frames": self.lagging_frames,
            "stage_ms_mean": {
                name: round(spent / frames / 1e6, 4)
                for name, spent in zip(self._stages, self.stage_ns, strict=True)
            },
            "stage_budget_ms": dict(zip(self._stages, self._budgets_ms, strict=True)),
        }
