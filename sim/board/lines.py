"""The board's output lines: they are there before the firmware and after it."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.board import Board, OutputConfig
from drivers.faults import OutputFault
from drivers.interfaces import Clock
from sim.board.faults import Options
from sim.board.outputs import RecordedOutput
from sim.board.power import Power


@dataclass
class Edge:
    """A line changed its level. `by_reset`: nobody drove it, the board fell back."""

    t_ms: float
    name: str
    role: str
    level: bool
    by_reset: bool = False


class Lines:
    """Levels and edges of all lines over all boots.

    Attributes:
        edges: in the order of time.
        is_recording: False from the planned end on, when the firmware lets go of everything.
    """

    def __init__(self, board: Board) -> None:
        self._configs = {config.name: config for config in board.outputs}
        self.levels = {config.name: config.on_boot == "on" for config in board.outputs}
        self.edges: list[Edge] = []
        self.is_recording = True

    def drive(self, name: str, level: bool, now_ms: float, *, by_reset: bool = False) -> None:
        """Set a line; only a change is an edge."""
        if self.levels[name] == level or not self.is_recording:
            return
        self.levels[name] = level
        self.edges.append(Edge(now_ms, name, self._configs[name].role, level, by_reset))

    def fall(self, now_ms: float) -> None:
        """The processor has stopped: every line goes to its level on boot."""
        for name, config in self._configs.items():
            self.drive(name, config.on_boot == "on", now_ms, by_reset=True)


class LineOutput(RecordedOutput):
    """One boot's hold on a line. Implements `Output`."""

    def __init__(
        self,
        config: OutputConfig,
        clock: Clock,
        lines: Lines,
        power: Power,
        faults: dict[str, Options],
    ) -> None:
        super().__init__(config, clock)
        self._lines = lines
        self._power = power
        self._faults = faults

    def set(self, level: bool, now_ms: float) -> None:
        """Drive the line. Raises OutputFault where a fault refuses it."""
        if not self._power.is_on:
            return
        if "refused" in self._faults:
            raise OutputFault("refused", f"{self.name}: the level was not taken")
        super().set(level, now_ms)
        self._lines.drive(self.name, bool(level), now_ms)
