"""Alarms of one danger and one warning rule, as a world that can be frozen, thawed and compared.

A world is what an exploration steps through: the real alarms and causes, the people who are in the
two zones, and what the specification remembers of them (`Ghost`), written down independently of
the machine. Times are relative to now and forgotten where they no longer matter, so that two
worlds which will behave alike are one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.alarm import Alarms
from runtime.alarm_cause import RECENT, Causes
from runtime.alarm_config import AlarmConfig
from runtime.alarm_state import AlarmState, OneAlarm
from runtime.event import Events
from runtime.journal_slot import Kind, Record
from runtime.restore import Kept, Key, fold, restore
from runtime.rules.engine import RuleInfo
from runtime.tables import HazardEdge

DANGER, WARNING = 0, 1
SEVERITIES = ("danger", "warning")
NOW = 1000.0
"""Every thawed world stands at this time."""
SHELF_MS = 3
OLD = 8
"""Older than this makes no difference: longer than every limit here."""
CLOCKS = ("_changed_ms", "_sounds_since_ms")
PLAIN = tuple(n for n in OneAlarm.__slots__ if not n.endswith("_ms") and n != "_times")
MOMENTS = ("sound_until_ms", "shelved_until_ms")
NORMAL, UNACKED, ACKED, RETURNED = AlarmState


@dataclass(frozen=True)
class Ghost:
    """What the specification remembers of one alarm; ages are ms before now.

    Attributes:
        people: who is in the zone.
        raised: the cause after both delays.
        changed: age of the last arrival of the first, or departure of the last.
        is_new: a person who has not flickered came, and has not been raised for yet.
        gone: (person, age) of those who left not long ago.
        start: age of the beginning of the present sound; None: it has not sounded.
        muted: silenced since then.
        shelf: ms that it will still be shelved.
        settled: an operator has acknowledged what stands, or stood last.
    """

    people: frozenset[int] = frozenset()
    raised: bool = False
    changed: int = OLD
    is_new: bool = False
    gone: tuple[tuple[int, int], ...] = ()
    start: int | None = None
    muted: bool = False
    shelf: int = 0
    settled: bool = False

    def later(self, ms: int, retrigger_ms: int) -> Ghost:
        """The same after some time."""
        gone = tuple((who, age + ms) for who, age in self.gone if age + ms < retrigger_ms)
        start = None if self.start is None else min(self.start + ms, OLD)
        changed = min(self.changed + ms, OLD)
        return replace(self, gone=gone, start=start, changed=changed, shelf=max(0, self.shelf - ms))

    def forget(self, max_sound_ms: int) -> Ghost:
        """Without the clocks that nothing waits for."""
        start = self.start
        if start is not None and (self.muted or start >= max_sound_ms):
            start = OLD
        changed = OLD if bool(self.people) is self.raised else self.changed
        return replace(self, start=start, changed=changed)


TABLE = tuple(RuleInfo("zone", severity, severity) for severity in SEVERITIES)


def record(body: dict[str, object]) -> Record:
    """An alarm record as it is read back."""
    return Record(1, 0, 0.0, 0, Kind.ALARM, False, (1, 0), body)


class World:
    """The machine and its ghosts at one moment."""

    def __init__(self, config: AlarmConfig) -> None:
        self.config = config
        self.alarms = Alarms(SEVERITIES, config)
        self.causes = Causes(self.alarms.retrigger_ms)
        self.ghosts = [Ghost(), Ghost()]
        self.now = NOW
        self.kept: dict[Key, Kept] = {}
        self.step(0, [])

    def step(self, ms: int, edges: list[HazardEdge]) -> None:
        """Time passes, a picture is judged, and what has changed is written down."""
        self.now += ms
        fresh, again = self.causes.sort(edges, self.now)
        counts = [len(ghost.people) for ghost in self.ghosts]
        self.alarms.step(counts, fresh, self.now, again)
        for edge in self.alarms.edges:
            info = TABLE[edge.rule]
            why = {"severity": info.severity, **edge.why}
            body = {"rule": info.kind, "zone": info.place, "state": edge.state, "why": why}
            self.kept = fold([record(body)], self.kept)
        self.alarms.edges.clear()

    def reboot(self) -> None:
        """The power goes and comes back: only the journal is left, and nobody has moved."""
        self.alarms, self.ghosts = Alarms(SEVERITIES, self.config), [Ghost(), Ghost()]
        self.causes = Causes(self.alarms.retrigger_ms)
        self.alarms._now_ms = self.now
        restore(self.kept, TABLE, self.alarms, self.causes, Events())

    def freeze(self) -> tuple[object, ...]:
        """All that decides on what comes; hashable."""
        alarms, now = self.alarms, self.now
        rows = tuple(self._row(alarm) for alarm in alarms.each)
        gone = tuple(
            tuple(
                (track, at - now)
                for track, at in zip(tracks, times, strict=True)
                if track >= 0 and now - at < hold
            )
            for tracks, times, hold in zip(
                self.causes._track, self.causes._gone_ms, self.causes._hold_ms, strict=True
            )
        )
        wake = alarms._wake_ms - now
        active = tuple(alarms._active)
        ghosts = tuple(ghost.forget(self.config.max_sound_ms) for ghost in self.ghosts)
        kept = frozenset(self.kept)
        return rows, gone, wake, active, alarms._touched, alarms.sound, ghosts, kept

    def _row(self, alarm: OneAlarm) -> tuple[object, ...]:
        """One alarm; a clock that nothing waits for stands at OLD."""
        waits = alarm._active != alarm._raised, not alarm.is_quiet
        clocks = (
            max(getattr(alarm, name) - self.now, -OLD) if is_read else -OLD
            for name, is_read in zip(CLOCKS, waits, strict=True)
        )
        moments = (max(getattr(alarm, name) - self.now, 0) for name in MOMENTS)
        plain = (getattr(alarm, name) for name in PLAIN)
        return (*plain, *clocks, *moments, alarm.shelved_until_ms > 0)


def thaw(world: World, frozen: tuple[object, ...]) -> World:
    """Make a world what was frozen, at time NOW; returns it."""
    rows, gone, wake, active, touched, sound, ghosts, kept = frozen
    world.kept = {key: Kept(key, 0, 0, {}) for key in kept}
    world.now, world.ghosts = NOW, list(ghosts)
    alarms, causes = world.alarms, world.causes
    for alarm, row in zip(alarms.each, rows, strict=True):
        for name, value in zip(PLAIN, row, strict=False):
            setattr(alarm, name, value)
        changed, sounds, sound_ms, shelf_ms, is_shelved = row[len(PLAIN) :]
        alarm._changed_ms, alarm._sounds_since_ms = NOW + changed, NOW + sounds
        alarm.sound_until_ms = NOW + sound_ms if sound_ms else 0.0
        alarm.shelved_until_ms = NOW + shelf_ms if is_shelved else 0.0
    for rule, people in enumerate(gone):
        tracks, times = causes._track[rule], causes._gone_ms[rule]
        for slot in range(RECENT):
            tracks[slot], ago = people[slot] if slot < len(people) else (-1, 0.0)
            times[slot] = NOW + ago
        causes._next[rule] = len(people) % RECENT
    alarms._now_ms, alarms._wake_ms = NOW, NOW + wake
    alarms._active, alarms._touched, alarms.sound = list(active), touched, sound
    return world
