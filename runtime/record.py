"""From the frame's events to flash and to the event lines: durable first, shown second."""

from __future__ import annotations

import json
from typing import IO

from drivers.faults import StorageFault
from runtime.alarm_words import sentence
from runtime.event import KINDS, Events
from runtime.journal import Journal
from runtime.restore import Kept, Key, fold

_ENCODER = json.JSONEncoder(separators=(",", ":"))
RETRY_MS = 1000.0
"""Pause before a refused write is tried again."""
KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS, start=1)}


class Recorder:
    """Appends events to the journal and, once durable, to an optional file of JSON lines.

    The file is unbuffered: a line is out when written, and one that fails leaves nothing behind.

    Attributes:
        reason: why the storage does not take records now, or "".
    """

    def __init__(self, journal: Journal, lines: IO[bytes] | None) -> None:
        self._journal = journal
        self._lines = lines
        self._retry_at_ms = 0.0
        self.reason = ""

    @property
    def journal(self) -> Journal:
        """For readers."""
        return self._journal

    @property
    def slots(self) -> int:
        """Records that the ring holds."""
        return self._journal.slots

    @property
    def next_seq(self) -> int:
        """Number of the next record."""
        return self._journal.next_seq

    def kept_alarms(self) -> dict[Key, Kept]:
        """Alarms that stood unacknowledged when the journal ended. Raises StorageFault."""
        return fold(self._journal.read_all())

    def write(self, events: Events, now_ms: float) -> None:
        """Write what is waiting; what the storage refuses waits on, in order.

        Args:
            events: emptied of all that is durable.
            now_ms: injected clock, for the pause between tries.
        """
        if self.reason and now_ms < self._retry_at_ms:
            return
        done = 0
        try:
            for event in events.waiting:
                seq = self._journal.append(KIND_NUMBERS[str(event["kind"])], event)
                done += 1
                self._show(seq, event)
            self.reason = ""
        except StorageFault as fault:
            self.reason = fault.reason
            self._retry_at_ms = now_ms + RETRY_MS
        del events.waiting[:done]

    def _show(self, seq: int, event: dict[str, object]) -> None:
        """One JSON object on one line, `seq` first; `text` last, which says it in words."""
        if self._lines is not None:
            text = sentence(str(event["kind"]), event, self._journal.wall_ms)
            try:
                line = _ENCODER.encode({"seq": seq, **event, "text": text})
                self._lines.write(line.encode() + b"\n")
            except OSError as error:
                raise StorageFault("events_file", str(error)) from error
