"""Outputs made of code: they keep every edge that a real board would have shown."""

from __future__ import annotations

import numpy as np

from drivers.board import OutputConfig
from drivers.interfaces import Clock

EDGES = 4096
"""Edges that a recorded output remembers; the oldest give way, and are counted."""


class RecordedOutput:
    """An output that keeps its edges. Implements `Output`.

    Attributes:
        name: from the board file.
        level: last level; before the first `set`, the one that the board has on boot.
        dropped: edges that no longer fit and were forgotten, the oldest first.
    """

    def __init__(self, config: OutputConfig, clock: Clock, capacity: int = EDGES) -> None:
        self.name = config.name
        self.level = config.on_boot == "on"
        self.dropped = 0
        self._release_level = config.on_release == "on"
        self._times_ms = np.zeros(capacity, np.float64)
        self._levels = np.zeros(capacity, np.bool_)
        self._count = 0

    def set(self, level: bool, now_ms: float) -> None:
        """Drive the output; only a change is an edge."""
        if level == self.level:
            return
        slot = self._count % len(self._times_ms)
        self._times_ms[slot], self._levels[slot] = now_ms, level
        self._count += 1
        self.dropped = max(0, self._count - len(self._times_ms))
        self.level = bool(level)

    def release(self, now_ms: float) -> None:
        """Put the output to the level that it has when nobody holds it."""
        self.set(self._release_level, now_ms)

    def edges(self) -> list[tuple[float, bool]]:
        """The remembered edges as (time in ms, level), oldest first."""
        slots = (n % len(self._times_ms) for n in range(self.dropped, self._count))
        return [(float(self._times_ms[slot]), bool(self._levels[slot])) for slot in slots]
