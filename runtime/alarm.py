"""All alarms of a site, and what an operator may do with them.

What one alarm does is in `runtime.alarm_state`, what the outputs do in `runtime.alarm_outputs`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runtime.alarm_config import AlarmConfig, times_of
from runtime.alarm_outputs import SILENT, loudest, sounding
from runtime.alarm_state import AlarmState, OneAlarm
from runtime.patterns import PATTERNS, level_at
from runtime.site_rules import Severity

MAX_SHELF_MS = 8 * 3600 * 1000
"""Longest time that an alarm may be shelved: one shift."""


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
        momentary: rules whose causes last for one picture.

    Attributes:
        each: one per rule; those of severity "info" stay at rest.
        sound: what siren and strobe shall show.
        buzzer: pattern of the buzzers; "" = silent.
        edges: what has changed since they were last cleared.
    """

    def __init__(
        self, severities: Sequence[Severity], config: AlarmConfig, momentary: Collection[int] = ()
    ) -> None:
        self._severities = tuple(severities)
        self._patterns, self._buzzers = config.patterns, config.buzzer
        times = {severity: times_of(config, severity) for severity in set(severities)}
        self.each = [
            OneAlarm(times[severity], index in momentary)
            for index, severity in enumerate(severities)
        ]
        self.retrigger_ms = [times[severity].retrigger_ms for severity in severities]
        self._alarming = tuple(i for i, severity in enumerate(severities) if severity != "info")
        self._now_ms = 0.0
        self._pattern_since = 0.0
        self._touched = True
        self._acked_by = ""
        self._wake_ms = 0.0
        self._active: list[int] = []
        self.sound = SILENT
        self.buzzer = ""
        self.edges: list[AlarmEdge] = []

    @property
    def states(self) -> list[AlarmState]:
        """State of each alarm."""
        return [alarm.state for alarm in self.each]

    @property
    def severities(self) -> tuple[Severity, ...]:
        """Severity of each alarm."""
        return self._severities

    def shelved_ms(self, rule: int) -> float:
        """How long an alarm will still be shelved; 0 where it is not."""
        return max(0.0, self.each[rule].shelved_until_ms - self._now_ms)

    @property
    def now_ms(self) -> float:
        """Source time of the last step."""
        return self._now_ms

    def acknowledge(self, rule: int | None = None, by: str = "") -> None:
        """Acknowledge one alarm, or all of them, at the next step; `by` is written down."""
        self._acked_by = by
        for alarm in self.each if rule is None else (self.each[rule],):
            alarm.ack_asked = True
        self._touched = True

    def mute(self) -> None:
        """Silence what sounds now; the strobe stays, and a new cause sounds again."""
        for alarm in self.each:
            alarm.mute()
        self._touched = True

    def shelve(self, rule: int, duration_ms: float, by: str = "") -> None:
        """Take one alarm off the outputs for a time; its states run on and are logged.

        Raises:
            ValueError: not a duration in 1..MAX_SHELF_MS: nothing is shelved for ever.
        """
        if not 0 < duration_ms <= MAX_SHELF_MS:
            raise ValueError(f"shelving for {duration_ms} ms: allowed is 1 to {MAX_SHELF_MS} ms")
        self.each[rule].shelved_until_ms = self._now_ms + duration_ms
        why: dict[str, object] = {"duration_ms": duration_ms}
        self.edges.append(AlarmEdge(rule, "shelved", why | ({"by": by} if by else {})))
        self._touched = True

    def unshelve(self, rule: int) -> None:
        """End a shelving at the next step; what is still unacknowledged sounds anew."""
        alarm = self.each[rule]
        if alarm.shelved_until_ms:
            alarm.shelved_until_ms = min(alarm.shelved_until_ms, max(self._now_ms, 1e-3))
            self._touched = True

    def latches(self, rule: int) -> bool:
        """Whether an alarm stays until it is acknowledged."""
        return self._severities[rule] != "info" and self.each[rule].latches

    def restore(self, rule: int, why: dict[str, object]) -> None:
        """Bring an alarm back that nobody had acknowledged before a restart: lamp, no sound."""
        self.each[rule].restore()
        self.edges.append(AlarmEdge(rule, self.each[rule].state.name.lower(), why))
        self._touched = True

    def step(
        self,
        active: Sequence[int],
        fresh: Collection[int],
        now_ms: float,
        again: Collection[int] = (),
    ) -> bool:
        """Advance to `now_ms`; works only when a cause, a command or a deadline asks for it.

        Args:
            active: number of causes that hold, per rule.
            fresh: rules with a new cause in this frame.
            now_ms: source time.
            again: rules with a cause that has only flickered.

        Returns:
            True when `sound` changed.
        """
        self._now_ms = now_ms
        if now_ms < self._wake_ms and active == self._active and not (fresh or self._touched):
            return False
        self._active = list(active)
        for rule in self._alarming:
            self._step_one(rule, active[rule] > 0, rule in fresh, rule in again)
        self._touched = False
        self._wake_ms = min(
            (self.each[rule].deadline_ms(now_ms) for rule in self._alarming), default=math.inf
        )
        before, beeped = self.sound, self.buzzer
        self._sounding(now_ms)
        if (self.sound.pattern, self.buzzer) != (before.pattern, beeped) and self.sound.pattern:
            self._pattern_since = now_ms
        return self.sound != before

    def siren_level(self, now_ms: float) -> bool:
        """Level of the siren at this moment of its pattern."""
        pattern = self.sound.pattern
        return bool(pattern) and level_at(PATTERNS[pattern], now_ms - self._pattern_since)

    def buzzer_level(self, now_ms: float) -> bool:
        """Level of the buzzers at this moment of their pattern."""
        pattern = self.buzzer
        return bool(pattern) and level_at(PATTERNS[pattern], now_ms - self._pattern_since)

    def _step_one(self, rule: int, active: bool, fresh: bool, again: bool) -> None:
        alarm = self.each[rule]
        before, acked = alarm.state, alarm.ack_asked
        if alarm.step(active, fresh, again, self._now_ms):
            self.edges.append(AlarmEdge(rule, "unshelved", {}))
        if alarm.state is not before:
            why: dict[str, object] = {"acknowledged": True} if acked else {}
            if acked and self._acked_by:
                why["by"] = self._acked_by
            if alarm.shelved_until_ms:
                why["shelved"] = True
            self.edges.append(AlarmEdge(rule, alarm.state.name.lower(), why))

    def _sounding(self, now_ms: float) -> None:
        """Present outputs; an alarm whose cause left early still sounds for its least time."""
        states = [
            AlarmState.ACTIVE_UNACKED if alarm.sound_until_ms > now_ms else alarm.state
            for alarm in self.each
        ]
        shelved = [alarm.shelved_until_ms > 0.0 for alarm in self.each]
        quiet = [alarm.is_quiet for alarm in self.each]
        self.sound = sounding(states, self._severities, shelved, quiet, self._patterns)
        severity = loudest(states, self._severities, shelved, quiet)
        self.buzzer = "" if severity == "info" else self._buzzers.get(severity, "")
