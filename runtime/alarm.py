"""Alarm states by the book: active or returned, acknowledged or not, latched, shelved, muted.

After IEC 62682 / ISA-18.2 and OPC UA Part 9: an alarm that nobody has acknowledged stays, a new
cause sounds again, and silencing never hides. What the outputs do follows from the states alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from runtime.patterns import PATTERNS, level_at
from runtime.site import AlarmConfig
from runtime.site_rules import Severity

SEVERITY_RANK: dict[Severity, int] = {"info": 0, "warning": 1, "danger": 2}
MAX_SHELF_MS = 8 * 3600 * 1000
"""Longest time that an alarm may be shelved: one shift."""


class AlarmState(IntEnum):
    """The four states, and the one of rest."""

    NORMAL = 0
    ACTIVE_UNACKED = 1
    ACTIVE_ACKED = 2
    RETURNED_UNACKED = 3


def transition(
    state: AlarmState, *, active: bool, fresh: bool, acked: bool, latch: bool
) -> AlarmState:
    """Next state of one alarm. RETURNED and ACKED together is NORMAL.

    Args:
        state: present state.
        active: the cause holds now.
        fresh: a new cause (another person) came in this frame; it sounds again.
        acked: an operator acknowledges in this frame.
        latch: keep an unacknowledged alarm after its cause has gone.
    """
    if active:
        if fresh or state in (AlarmState.NORMAL, AlarmState.RETURNED_UNACKED):
            return AlarmState.ACTIVE_UNACKED
        return AlarmState.ACTIVE_ACKED if acked else state
    if state in (AlarmState.ACTIVE_UNACKED, AlarmState.RETURNED_UNACKED) and latch and not acked:
        return AlarmState.RETURNED_UNACKED
    return AlarmState.NORMAL


@dataclass(frozen=True)
class Sounding:
    """What the siren and strobe shall do: pattern name ("" = silent) and lamp."""

    pattern: str
    strobe: bool


SILENT = Sounding("", False)


def sounding(
    states: Sequence[AlarmState],
    severities: Sequence[Severity],
    shelved: Sequence[bool],
    quiet: Sequence[bool],
    patterns: dict[Severity, str],
) -> Sounding:
    """Outputs from states: a pure function.

    Args:
        states, severities: one per alarm.
        shelved: the operator took the alarm off the shelf's outputs until an expiry.
        quiet: muted, or sounding for longer than allowed: silent, the strobe stays.
        patterns: siren pattern per severity.
    """
    loudest: Severity = "info"
    strobe = False
    for state, severity, on_shelf, hushed in zip(states, severities, shelved, quiet, strict=True):
        if state is AlarmState.NORMAL or on_shelf or severity == "info":
            continue
        strobe = True
        if state is AlarmState.ACTIVE_UNACKED and not hushed:
            loudest = max(loudest, severity, key=SEVERITY_RANK.__getitem__)
    return Sounding("" if loudest == "info" else patterns.get(loudest, ""), strobe)


@dataclass(frozen=True)
class AlarmEdge:
    """One change of one alarm, for the journal. `state` is the lower-case name of the new state."""

    rule: int
    state: str
    why: dict[str, object]


class Alarms:
    """One alarm per rule of the site, with operator commands. All times are source time in ms.

    Args:
        severities: severity of each rule.
        config: latching and times.
    """

    def __init__(self, severities: Sequence[Severity], config: AlarmConfig) -> None:
        count = len(severities)
        self._config = config
        self._severities = tuple(severities)
        self._alarming = tuple(i for i, severity in enumerate(severities) if severity != "info")
        self.states = [AlarmState.NORMAL] * count
        self._acks = [False] * count
        self._shelved_until = [0.0] * count
        self._quiet = [False] * count
        self._active_since: list[float | None] = [None] * count
        self._sounding_since = [0.0] * count
        self._sound_until = [0.0] * count
        self._now_ms = 0.0
        self._pattern_since = 0.0
        self._touched = True
        self._wake_ms = 0.0
        self._active: list[int] = []
        self.sound = SILENT
        self.edges: list[AlarmEdge] = []

    def acknowledge(self, rule: int | None = None) -> None:
        """Acknowledge one alarm, or all of them, at the next step."""
        for index in range(len(self.states)) if rule is None else (rule,):
            self._acks[index] = True
        self._touched = True

    def mute(self) -> None:
        """Silence what sounds now; the strobe stays, and a new cause sounds again."""
        for index, state in enumerate(self.states):
            self._quiet[index] = self._quiet[index] or state is AlarmState.ACTIVE_UNACKED
            self._sound_until[index] = 0.0
        self._touched = True

    def shelve(self, rule: int, duration_ms: float) -> None:
        """Take one alarm off the outputs for a time; its states run on and are logged.

        Raises:
            ValueError: not a duration in 1..MAX_SHELF_MS: nothing is shelved for ever.
        """
        if not 0 < duration_ms <= MAX_SHELF_MS:
            raise ValueError(f"shelving for {duration_ms} ms: allowed is 1 to {MAX_SHELF_MS} ms")
        self._shelved_until[rule] = self._now_ms + duration_ms
        self.edges.append(AlarmEdge(rule, "shelved", {"duration_ms": duration_ms}))
        self._touched = True

    def step(self, active: Sequence[int], fresh_rules: Sequence[int], now_ms: float) -> bool:
        """Advance to `now_ms`; works only when a cause, a command or a deadline asks for it.

        Args:
            active: number of causes that hold, per rule.
            fresh_rules: rules with a new cause in this frame.
            now_ms: source time.

        Returns:
            True when `sound` changed.
        """
        self._now_ms = now_ms
        if now_ms < self._wake_ms and active == self._active and not (fresh_rules or self._touched):
            return False
        self._active = list(active)
        for rule in self._alarming:
            self._step_one(rule, active[rule] > 0, rule in fresh_rules, now_ms)
        self._touched = False
        self._wake_ms = min(self._deadlines(now_ms), default=math.inf)
        before, self.sound = self.sound, self._sounding(now_ms)
        if self.sound.pattern and self.sound.pattern != before.pattern:
            self._pattern_since = now_ms
        return self.sound != before

    def siren_level(self, now_ms: float) -> bool:
        """Level of the siren at this moment of its pattern."""
        pattern = self.sound.pattern
        return bool(pattern) and level_at(PATTERNS[pattern], now_ms - self._pattern_since)

    def _step_one(self, rule: int, active: bool, fresh: bool, now_ms: float) -> None:
        acked, self._acks[rule] = self._acks[rule], False
        if 0.0 < self._shelved_until[rule] <= now_ms:
            self._shelved_until[rule] = 0.0
            self.edges.append(AlarmEdge(rule, "unshelved", {}))
        raised = self._delayed(rule, active, now_ms)
        before = self.states[rule]
        state = transition(
            before, active=raised, fresh=fresh and raised, acked=acked, latch=self._config.latch
        )
        sounds_anew = state is AlarmState.ACTIVE_UNACKED and (before is not state or fresh)
        if sounds_anew:
            self._sounding_since[rule] = now_ms
            self._sound_until[rule] = now_ms + self._config.min_on_ms
            self._quiet[rule] = False
        if acked:
            self._sound_until[rule] = 0.0
        limit_ms = self._config.max_sound_ms
        if limit_ms and now_ms - self._sounding_since[rule] >= limit_ms:
            self._quiet[rule] = True
        self.states[rule] = state
        if state is not before:
            self._log(rule, state, acked)

    def _deadlines(self, now_ms: float) -> Iterator[float]:
        """Times at which something changes although no cause does."""
        limit_ms, delay_ms = self._config.max_sound_ms, self._config.on_delay_ms
        for rule in self._alarming:
            since = self._active_since[rule]
            if since is not None and since + delay_ms > now_ms:
                yield since + delay_ms
            if self._sound_until[rule] > now_ms:
                yield self._sound_until[rule]
            if (
                limit_ms
                and self.states[rule] is AlarmState.ACTIVE_UNACKED
                and not self._quiet[rule]
            ):
                yield self._sounding_since[rule] + limit_ms
            if self._shelved_until[rule]:
                yield self._shelved_until[rule]

    def _delayed(self, rule: int, active: bool, now_ms: float) -> bool:
        """The cause after the on-delay."""
        if not active:
            self._active_since[rule] = None
            return False
        since = self._active_since[rule]
        if since is None:
            since = self._active_since[rule] = now_ms
        return now_ms - since >= self._config.on_delay_ms

    def _log(self, rule: int, state: AlarmState, acked: bool) -> None:
        severity = self._severities[rule]
        why: dict[str, object] = {"severity": severity, "latch": self._config.latch}
        if acked:
            why["acknowledged"] = True
        if self._shelved_until[rule]:
            why["shelved"] = True
        self.edges.append(AlarmEdge(rule, state.name.lower(), why))

    def _sounding(self, now_ms: float) -> Sounding:
        """Present outputs; an alarm whose cause left early still sounds for its least time."""
        still = [until > now_ms for until in self._sound_until]
        states = [
            AlarmState.ACTIVE_UNACKED if sounds else state
            for state, sounds in zip(self.states, still, strict=True)
        ]
        shelved = [until > 0.0 for until in self._shelved_until]
        patterns = self._config.patterns
        return sounding(states, self._severities, shelved, self._quiet, patterns)
