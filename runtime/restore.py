"""Alarms over a restart: what nobody had acknowledged comes back from the journal.

Each alarm record says who it is about (rule kind, place, severity), so the last record of each
alarm is its state, and no other file has to be kept. It comes back with its lamp lit and silent,
whatever it was doing: its cause is not known any more, and if it still holds it will sound anew.
An alarm that was acknowledged does not come back: if its cause still holds, that is a new alarm.
Shelving does not come back either: who shelved it stood before a camera that ran, and a camera
that fell over must not come up with alarms that somebody once took off the outputs.

The ring forgets its oldest records, so what stands is written again before that (`Refresh`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.alarm import Alarms
from runtime.alarm_cause import Cause, Causes
from runtime.alarm_state import UNACKED
from runtime.event import Events
from runtime.journal_slot import Kind, Record
from runtime.rules.engine import RuleInfo

Key = tuple[str, str, str, int]
"""Rule kind, place, severity, and the how-manieth of those that are the same (from 0)."""
STANDING = "standing"
"""State of a record that only says once more what stands."""
ENDS = ("normal", "active_acked", "dropped")
UNACKED_NAMES = tuple(state.name.lower() for state in UNACKED)
SHARE = 4
"""What stands is written again when a quarter of the ring has been written since."""
NOT_OF_THE_CAUSE = ("severity", "nth", "siren", "shelved", "restored", "state", "since_wall_ms")
MOST = 8
"""One record in so many may be one that is written again: flash wears."""


@dataclass(frozen=True)
class Kept:
    """An alarm that waited for an operator when the journal ended.

    Attributes:
        key: which one.
        track: who it was; the number means nothing after the restart.
        since_wall_ms: wall time since when its cause had held.
        why: values against limits.
    """

    key: Key
    track: int
    since_wall_ms: int
    why: dict[str, Any]


_NONE: Mapping[Key, Kept] = {}


def keys_of(table: Iterable[RuleInfo]) -> list[Key]:
    """The key of each rule's alarm."""
    seen: dict[tuple[str, str, str], int] = {}
    keys: list[Key] = []
    for info in table:
        same = (info.kind, info.place, info.severity)
        keys.append((*same, seen.setdefault(same, 0)))
        seen[same] += 1
    return keys


def fold(records: Iterable[Record], before: Mapping[Key, Kept] = _NONE) -> dict[Key, Kept]:
    """Alarms that stood unacknowledged after these records, which are in order.

    Args:
        records: of any kind; only those of alarms count.
        before: what stood before the first of them.
    """
    found = dict(before)
    for record in records:
        if record.kind != Kind.ALARM:
            continue
        body, why = record.body, record.body.get("why")
        if not isinstance(why, dict):
            continue
        state = why.get("state") if body.get("state") == STANDING else body.get("state")
        key = _key(body, why)
        if state in ENDS:
            found.pop(key, None)
        elif state in UNACKED_NAMES:
            found[key] = _kept(key, record, body, why)
    return found


def _key(body: dict[str, Any], why: dict[str, Any]) -> Key:
    nth = why.get("nth", 0)
    severity = str(why.get("severity", ""))
    kind, place = str(body.get("rule", "")), str(body.get("zone", ""))
    return kind, place, severity, nth if isinstance(nth, int) else 0


def _kept(key: Key, record: Record, body: dict[str, Any], why: dict[str, Any]) -> Kept:
    since_wall_ms, t_ms, since_ms = record.wall_ms, body.get("t_ms"), why.get("since_ms")
    if isinstance(why.get("since_wall_ms"), int):
        since_wall_ms = why["since_wall_ms"]
    elif isinstance(t_ms, int | float) and isinstance(since_ms, int | float):
        since_wall_ms -= round(t_ms - since_ms)
    track = body.get("track")
    own = {name: value for name, value in why.items() if name not in NOT_OF_THE_CAUSE}
    own.pop("since_ms", None)
    return Kept(key, track if isinstance(track, int) else 0, since_wall_ms, own)


def restore(
    found: dict[Key, Kept],
    table: Iterable[RuleInfo],
    alarms: Alarms,
    causes: Causes,
    events: Events,
) -> int:
    """Bring alarms back that the site file still has, and drop the others with a record.

    Args:
        found: of `kept`.
        table: rules of the site, one per alarm.
        alarms, causes: of the loop that begins.
        events: takes a record of each that is dropped.

    Returns:
        How many came back.
    """
    by_key = {key: rule for rule, key in enumerate(keys_of(table))}
    count = 0
    for key, old in found.items():
        rule = by_key.get(key)
        if rule is None or not alarms.latches(rule):
            _drop(old, events)
            continue
        causes.last[rule] = Cause(old.track, 0.0, {**old.why, "since_wall_ms": old.since_wall_ms})
        alarms.restore(rule, {"restored": True})
        count += 1
    return count


def _drop(old: Kept, events: Events) -> None:
    kind, place, severity, nth = old.key
    why: dict[str, object] = {"severity": severity, "site_changed": True}
    events.add(
        "alarm", 0.0, -1, "dropped", why | ({"nth": nth} if nth else {}), rule=kind, zone=place
    )


class Refresh:
    """When what stands is written again: before the ring comes round to it.

    Args:
        slots: of the ring.
        seq: the next record's number.
    """

    def __init__(self, slots: int, seq: int) -> None:
        self._every = max(1, slots // SHARE)
        self._seq = seq

    def is_due(self, seq: int, standing: int) -> bool:
        """Whether to write it now; never more than one record in MOST of them is such a one.

        Args:
            seq: the next record's number.
            standing: alarms that would be written.
        """
        if seq - self._seq < max(self._every, MOST * standing):
            return False
        self._seq = seq
        return True
