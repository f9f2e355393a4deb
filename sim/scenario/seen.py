"""Everything that a run showed: what the judge looks at. Filled by the player."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sim.board.lines import Edge
from sim.scenario.result import ActionSeen, FaultSeen, OutputSeen, ResetSeen
from sim.scenario.schema import Scenario
from sim.scenario.truth_log import TruthLog

BEFORE_THE_FIRST = -1
"""Frame id of an event before any picture: its time counts from the boot."""


class EventSink:
    """Takes the firmware's event lines as they are shown. Looks like an unbuffered file.

    Attributes:
        events: parsed, with `boot` added and `t_ms` as a time of the scenario.
        lines: the bytes as they were written.
    """

    def __init__(self) -> None:
        self._boot_ms = 0.0
        self._boot = 0
        self.events: list[dict[str, Any]] = []
        self.lines: list[bytes] = []

    def begin(self, boot: int, now_ms: float) -> None:
        """A boot begins."""
        self._boot, self._boot_ms = boot, now_ms

    def write(self, line: bytes) -> int:
        """One event."""
        event = json.loads(line)
        if event["frame"] == BEFORE_THE_FIRST:
            event["t_ms"] = round(event["t_ms"] + self._boot_ms, 3)
        event["boot"] = self._boot
        self.events.append(event)
        self.lines.append(line)
        return len(line)


@dataclass
class Seen:
    """One run, as far as it has come.

    Attributes:
        journal: sequence number -> body of every record in the journal at the end.
        oldest_kept: records with lower numbers have been overwritten by newer ones.
        torn: sequence numbers that a fault destroyed.
        end: how it ended.
        end_ms: when.
    """

    scenario: Scenario
    outputs: list[OutputSeen]
    truth: TruthLog
    events: list[dict[str, Any]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    faults: list[FaultSeen] = field(default_factory=list)
    actions: list[ActionSeen] = field(default_factory=list)
    resets: list[ResetSeen] = field(default_factory=list)
    journal: dict[int, dict[str, Any]] = field(default_factory=dict)
    oldest_kept: int = 0
    torn: list[int] = field(default_factory=list)
    end: str = ""
    end_ms: float = 0.0
