"""A journal added up: when the camera ran, when it was blind, which alarms there were, what it
counted. Reads old journals and newer ones alike: what is not there is not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from runtime.counts_record import Period, decode, key_of
from runtime.journal_export import body_of
from runtime.journal_slot import Record
from runtime.wall import is_plausible

BLIND = ("camera_fault", "npu_fault")
"""Faults in which nobody watched."""
UNACKED = "active_unacked"
STANDING = "standing"
"""Only says once more what stands: see runtime.restore."""
NORMAL = "normal"
ENDS = (NORMAL, "active_acked", "dropped")
AlarmKey = tuple[str, ...]
CUT, OPEN = "cut", "open"
"""Ends of a run without a shutdown record: another run came after it, or it is the newest."""


@dataclass(frozen=True)
class Span:
    """A time on the wall clock: its beginning, ms since 1970, and its length in ms."""

    from_ms: int
    length_ms: float

    @property
    def to_ms(self) -> float:
        """Its end."""
        return self.from_ms + self.length_ms

    def clipped(self, from_ms: float | None, to_ms: float | None) -> Span | None:
        """What of it lies in a window; None: nothing."""
        start = self.from_ms if from_ms is None else max(self.from_ms, from_ms)
        end = self.to_ms if to_ms is None else min(self.to_ms, to_ms)
        return Span(round(start), end - start) if end > start else None


@dataclass(frozen=True)
class Run:
    """One run of the camera, first record to last; `end` as journalled, or CUT, or OPEN."""

    span: Span
    end: str


@dataclass(frozen=True)
class Blind:
    """A time in which nobody watched although the camera ran."""

    span: Span
    fault: str
    reason: str


@dataclass(frozen=True)
class Alarm:
    """One alarm that wanted an acknowledgement.

    Attributes:
        rule: kind and place.
        at_ms: wall time.
        ack_ms: time until it was acknowledged; None where it was not.
        end: "acknowledged", "returned" (by itself, without latch), or "open".
    """

    rule: str
    at_ms: int
    ack_ms: float | None
    end: str


@dataclass
class History:
    """What a journal tells.

    Attributes:
        records: how many there were.
        site, board: names of the newest run.
        runs, blind, alarms, periods: in the order of time.
        newest_ms: wall time of the newest record.
        has_dates: the camera's clock was set in every run.
    """

    records: int = 0
    site: str = ""
    board: str = ""
    runs: list[Run] = field(default_factory=list)
    blind: list[Blind] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    newest_ms: int = 0
    has_dates: bool = True

    def window(self, from_ms: float | None, to_ms: float | None) -> History:
        """The same, with only what lies in a window of wall time."""
        runs = [(run.span.clipped(from_ms, to_ms), run.end) for run in self.runs]
        blind = [(one.span.clipped(from_ms, to_ms), one) for one in self.blind]
        return History(
            self.records,
            self.site,
            self.board,
            [Run(span, end) for span, end in runs if span],
            [Blind(span, one.fault, one.reason) for span, one in blind if span],
            [alarm for alarm in self.alarms if _is_in(alarm.at_ms, from_ms, to_ms)],
            [period for period in self.periods if _is_in(period.from_ms, from_ms, to_ms)],
            self.newest_ms,
            self.has_dates,
        )


def read(records: Iterable[Record]) -> History:
    """Add up all records of a journal, in the order of their numbers."""
    history, reader = History(), None
    for record in records:
        body = body_of(record)
        kind = str(body.get("kind", record.kind_name))
        if reader is None or kind == "boot" or record.boot_id != reader.boot_id:
            waiting: dict[AlarmKey, Record] = {}
            if reader is not None:
                waiting = reader.close(CUT)
            reader = _RunReader(history, record, waiting)
        reader.take(record, kind, body)
        history.records += 1
        history.newest_ms = record.wall_ms
    if reader is not None:
        for key, raised in reader.close(OPEN).items():
            history.alarms.append(Alarm(_name(key), raised.wall_ms, None, "open"))
    history.alarms.sort(key=lambda one: one.at_ms)
    history.has_dates = all(is_plausible(run.span.from_ms) for run in history.runs)
    return history


class _RunReader:
    """The records of one run of the camera."""

    def __init__(self, history: History, first: Record, waiting: dict[AlarmKey, Record]) -> None:
        self.boot_id = first.boot_id
        self._history = history
        self._first, self._last = first, first
        self._end = ""
        self._faults: dict[str, tuple[Record, str]] = {}
        self._before = waiting
        self._alarms: dict[AlarmKey, Record] = {}
        self._hours: dict[object, list[dict[str, Any]]] = {}

    def take(self, record: Record, kind: str, body: dict[str, Any]) -> None:
        """One record more."""
        self._last = record
        why = body.get("why")
        why = why if isinstance(why, dict) else {}
        match kind:
            case "boot":
                self._history.board = str(why.get("board", self._history.board))
                self._history.site = str(why.get("site", self._history.site))
            case "shutdown":
                self._end = str(body.get("state", "planned"))
            case "fault":
                self._take_fault(record, str(body.get("rule", "")), body, why)
            case "alarm":
                self._take_alarm(record, body, why)
            case "counts":
                key = key_of(why)
                if key is not None:
                    self._hours.setdefault(key, []).append(why)

    def close(self, end: str) -> dict[AlarmKey, Record]:
        """The run has ended: whatever was open, ended with it.

        Returns:
            Alarms that nobody has acknowledged: the next run may bring them back.
        """
        span = Span(self._first.wall_ms, _between(self._first, self._last))
        self._history.runs.append(Run(span, self._end or end))
        for name, (raised, reason) in self._faults.items():
            self._blind(raised, self._last, name, reason)
        for key, raised in self._before.items():
            self._history.alarms.append(Alarm(_name(key), raised.wall_ms, None, "open"))
        for parts in self._hours.values():
            period = decode(parts)
            if period is not None:
                self._history.periods.append(period)
        self._history.blind.sort(key=lambda one: one.span.from_ms)
        return self._alarms

    def _take_fault(
        self, record: Record, name: str, body: dict[str, Any], why: dict[str, Any]
    ) -> None:
        if name not in BLIND:
            return
        if body.get("state") == "raised":
            self._faults.setdefault(name, (record, str(why.get("reason", ""))))
        elif name in self._faults:
            raised, reason = self._faults.pop(name)
            self._blind(raised, record, name, reason)

    def _blind(self, raised: Record, cleared: Record, name: str, reason: str) -> None:
        span = Span(raised.wall_ms, _between(raised, cleared))
        self._history.blind.append(Blind(span, name, reason))

    def _take_alarm(self, record: Record, body: dict[str, Any], why: dict[str, Any]) -> None:
        state, key = str(body.get("state", "")).lower(), _key(body, why)
        if why.get("restored") and key in self._before:
            self._alarms[key] = self._before.pop(key)
        elif state == UNACKED:
            self._alarms.setdefault(key, record)
        elif state in ENDS and key in self._alarms:
            raised = self._alarms.pop(key)
            is_acked = state == "active_acked" or bool(why.get("acknowledged"))
            ack_ms = _between(raised, record) if is_acked else None
            end = "acknowledged" if is_acked else "returned" if state == NORMAL else "open"
            self._history.alarms.append(Alarm(_name(key), raised.wall_ms, ack_ms, end))


def _key(body: dict[str, Any], why: dict[str, Any]) -> AlarmKey:
    """Rule kind, place, severity, and the how-manieth of those that are the same."""
    words = body.get("rule", ""), body.get("zone", ""), why.get("severity", ""), why.get("nth", 0)
    return tuple(str(word) for word in words)


def _name(key: AlarmKey) -> str:
    return " ".join(filter(None, key[:2]))


def _between(first: Record, last: Record) -> float:
    """Time from one record to a later one, ms: in one run by the clock that never jumps."""
    if first.boot_id != last.boot_id or last.mono_ms < first.mono_ms:
        return float(max(last.wall_ms - first.wall_ms, 0))
    return max(last.mono_ms - first.mono_ms, 0.0)


def _is_in(at_ms: float, from_ms: float | None, to_ms: float | None) -> bool:
    return (from_ms is None or at_ms >= from_ms) and (to_ms is None or at_ms < to_ms)


def union_ms(spans: Iterable[Span]) -> float:
    """Length of all spans together, what overlaps counted once."""
    total, end = 0.0, float("-inf")
    for span in sorted(spans, key=lambda one: one.from_ms):
        total += max(0.0, span.to_ms - max(span.from_ms, end))
        end = max(end, span.to_ms)
    return total
