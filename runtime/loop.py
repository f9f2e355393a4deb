"""The loop: one thread, one table of stages, one tick after the other.

capture -> detect -> track -> rules -> alarm -> journal -> health, and export where asked for.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns

from drivers.faults import CameraGone, EndOfStream, HardwareFault
from runtime.context import Context
from runtime.metrics import Metrics
from runtime.rate import RateKeeper

YOUNG, ALL = 1, 2
"""Generations of the collector: what a driver leaks in a call dies young, in the same tick."""
SWEEP_TICKS = 64
"""Every so often all generations are collected, for what outlived a tick; ten times the cost."""


@dataclass(frozen=True)
class Stage:
    """One row of the stage table.

    Attributes:
        name: for metrics.
        run: the work.
        when: whether there is work in this tick.
        budget_ms: what it may cost; shown beside what it did cost.
        sheddable: left out when the loop is behind. Never an alarm, never health.
    """

    name: str
    run: Callable[[Context], None]
    when: Callable[[Context], bool]
    budget_ms: float
    sheddable: bool = False


def always(context: Context) -> bool:
    """Also in a tick without a picture: alarms and health run on."""
    return True


def fresh(context: Context) -> bool:
    """A new picture is there."""
    return context.fresh


def judged(context: Context) -> bool:
    """A valid inference was made on a new picture."""
    return context.judged


def never(context: Context) -> bool:
    """No work at all."""
    return False


class Loop:
    """Runs the stage table at the camera's rate until it is told to stop or the source ends.

    Args:
        stages: in the order of work; a hardware fault in one never keeps a later one from running,
            and neither does memory that the seal refuses.
        context: what they share.
        rate: absolute deadlines on the injected clock.
        metrics: filled as it runs.
    """

    def __init__(
        self, stages: tuple[Stage, ...], context: Context, rate: RateKeeper, metrics: Metrics
    ) -> None:
        self._stages = stages
        self._context = context
        self._rate = rate
        self._metrics = metrics
        metrics.name_stages([(stage.name, stage.budget_ms) for stage in stages])
        self._ticks = 0
        self.stopping = False
        self.on_frame: Callable[[Context], None] | None = None

    def swap(self, rows: tuple[Stage, ...]) -> None:
        """Put rows in the place of those of the same name; from the next tick on.

        Raises:
            ValueError: there is no row of such a name.
        """
        new = {row.name: row for row in rows}
        if not new.keys() <= {stage.name for stage in self._stages}:
            raise ValueError(f"rows {sorted(new)}")
        self._stages = tuple(new.get(stage.name, stage) for stage in self._stages)

    def stop(self) -> None:
        """End after the present tick; safe to call from a signal handler."""
        self.stopping = True

    def run(self, frames: int = 0) -> None:
        """Run until `stop`, the end of the source, or `frames` judged frames (0 = no limit).

        Raises:
            CameraGone: the camera has been away for longer than the board file allows.
        """
        metrics = self._metrics
        metrics.start(perf_counter_ns())
        try:
            while not self.stopping and not (frames and metrics.frames >= frames):
                self.tick()
                self._rate.wait()
        except EndOfStream:
            self.stopping = True
        finally:
            metrics.stop(perf_counter_ns())
            metrics.cyclic_objects += gc.collect(ALL)

    def tick(self) -> None:
        """One pass over the stage table.

        Raises:
            EndOfStream, CameraGone: from the capture stage.
        """
        context, metrics = self._context, self._metrics
        context.begin(self._rate.begin())
        context.behind = self._rate.behind or context.shed > 0
        began_ns = mark_ns = perf_counter_ns()
        for index, stage in enumerate(self._stages):
            if not stage.when(context):
                continue
            if stage.sheddable and context.behind:
                metrics.shed += 1
                continue
            try:
                stage.run(context)
            except CameraGone:
                raise
            except HardwareFault as fault:
                context.failed(fault)
            except MemoryError:
                context.reasons["memory"] = "no_memory"
            now_ns = perf_counter_ns()
            metrics.stage_ns[index] += now_ns - mark_ns
            mark_ns = now_ns
        self._ticks += 1
        is_sweep = self._ticks % SWEEP_TICKS == 0
        metrics.cyclic_objects += gc.collect(ALL if is_sweep else YOUNG)
        if context.judged:
            self._count(began_ns)
        self._rate.end(context.judged)
        metrics.lagging_frames += context.judged and self._rate.lagging

    def _count(self, began_ns: int) -> None:
        context, metrics = self._context, self._metrics
        metrics.frames += 1
        metrics.capture.add(context.captured_ns - began_ns)
        metrics.invoke.add(context.invoke_ns)
        metrics.frame.add(perf_counter_ns() - context.captured_ns)
        if self.on_frame is not None:
            self.on_frame(context)
