"""Draws the world for the camera, and measures what drawing and what the firmware costs."""

from __future__ import annotations

from time import perf_counter_ns

from drivers.interfaces import U8
from sim.board.camera import Scene
from sim.board.clock import SimClock
from sim.scenario.result import FrameTimes
from sim.scenario.truth_log import TruthLog


class Stopwatch:
    """A scene that is timed. A tick is told when the clock's next wait begins.

    Attributes:
        times: of every picture so far but the newest; `finish` adds that one.
    """

    def __init__(self, scene: Scene, truth: TruthLog, clock: SimClock) -> None:
        self._scene = scene
        self._truth = truth
        self._clock = clock
        self._render_ns = 0
        self._waits = 0
        self.times = FrameTimes(t_ms=[], tick_ms=[], render_ms=[])

    def render(self, t_ms: float, pixels: U8) -> None:
        """Draw."""
        began_ns = perf_counter_ns()
        self._scene.render(t_ms, pixels)
        self._render_ns = perf_counter_ns() - began_ns

    def see(self, t_ms: float) -> None:
        """The picture was for the firmware: keep its truth, and the times of the one before."""
        self.finish()
        began_ns = perf_counter_ns()
        self._truth.see(t_ms)
        self._render_ns += perf_counter_ns() - began_ns
        self.times.t_ms.append(t_ms)
        self.times.render_ms.append(round(self._render_ns / 1e6, 3))

    def finish(self) -> None:
        """The tick of the last picture is over."""
        if len(self.times.tick_ms) < len(self.times.t_ms):
            self.times.tick_ms.append(round(self._clock.work_ns / 1e6, 3))
