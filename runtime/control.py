"""What an operator may do, by button, by command or by a signed link: all come here.

Everything that is done or refused becomes a record of kind "operator", with who asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.alarm import MAX_SHELF_MS, Alarms
from runtime.alarm_cause import Causes
from runtime.alarm_outputs import SILENT
from runtime.alarm_state import AlarmState
from runtime.alarm_words import cause
from runtime.rules.engine import Rules
from runtime.self_test import SelfTest

MAX_LISTED = 64
"""Alarms in one answer; the ones that stand come first."""


class CommandRefused(Exception):
    """A command that cannot be done; the message says why, and what is allowed."""


@dataclass(frozen=True)
class Target:
    """Which alarms a command is for; empty: all of them.

    Attributes:
        number: of the alarm, from 1, as `listed` says; 0: not by number.
        place: zone or line.
        rule: kind of rule.
    """

    number: int = 0
    place: str = ""
    rule: str = ""


EVERY = Target()
Done = tuple[str, str, str, dict[str, object]]
"""State, rule, place and why of a record."""


class Control:
    """The operator's hand. Belongs to the loop's thread; what it does shows at the next tick.

    Args:
        alarms, rules, causes: of the loop.
        test: the self test.

    Attributes:
        done: what was done since the records were last taken.
    """

    def __init__(self, alarms: Alarms, rules: Rules, causes: Causes, test: SelfTest) -> None:
        self._alarms, self._rules, self._causes = alarms, rules, causes
        self._test = test
        self.done: list[Done] = []

    def acknowledge(self, by: str, target: Target = EVERY) -> int:
        """Acknowledge alarms; returns how many stood. Raises CommandRefused."""
        rules = self._find(target)
        standing = sum(self._alarms.states[rule] is not AlarmState.NORMAL for rule in rules)
        for rule in rules:
            self._alarms.acknowledge(rule, by)
        self._note("acknowledged", target, {"by": by, "standing": standing})
        return standing

    def mute(self, by: str) -> None:
        """Silence what sounds now."""
        self._alarms.mute()
        self._note("muted", EVERY, {"by": by})

    def shelve(self, by: str, target: Target, for_ms: float) -> int:
        """Take alarms off the outputs for a time; returns how many. Raises CommandRefused."""
        if target == EVERY:
            raise CommandRefused("shelve: say which alarm, by its number or its place")
        if not 1 <= for_ms <= MAX_SHELF_MS:
            most_h = MAX_SHELF_MS // 3_600_000
            raise CommandRefused(f"shelve: for_ms = {for_ms:g}: must be 1 ms to {most_h} h")
        rules = self._find(target)
        for rule in rules:
            self._alarms.shelve(rule, for_ms, by)
        self._note("shelved", target, {"by": by, "for_ms": for_ms})
        return len(rules)

    def unshelve(self, by: str, target: Target = EVERY) -> int:
        """End shelvings; returns how many there were. Raises CommandRefused."""
        rules = [rule for rule in self._find(target) if self._alarms.shelved_ms(rule)]
        for rule in rules:
            self._alarms.unshelve(rule)
        self._note("unshelved", target, {"by": by, "shelved": len(rules)})
        return len(rules)

    def self_test(self, by: str, now_ms: float) -> None:
        """Exercise the outputs. Raises CommandRefused while an alarm shows."""
        if self._alarms.sound != SILENT:
            raise CommandRefused("self test: an alarm shows; acknowledge it first")
        if self._test.phase:
            raise CommandRefused("self test: one is running")
        self._test.start(now_ms, by)

    def refuse(self, by: str, reason: str) -> None:
        """Write down what was not done."""
        self._note("refused", EVERY, {"by": by, "reason": reason})

    def listed(self) -> list[dict[str, object]]:
        """Every alarm that is not at rest, then the others, as plain values."""
        order = sorted(
            range(len(self._rules.table)),
            key=lambda rule: (self._alarms.states[rule] is AlarmState.NORMAL, rule),
        )
        return [self._row(rule) for rule in order[:MAX_LISTED]]

    def _row(self, rule: int) -> dict[str, object]:
        info, alarms, last = self._rules.table[rule], self._alarms, self._causes.last[rule]
        state = alarms.states[rule]
        row: dict[str, object] = {
            "number": rule + 1,
            "rule": info.kind,
            "place": info.place,
            "severity": info.severity,
            "state": state.name.lower(),
            "shelved_ms": round(alarms.shelved_ms(rule)),
        }
        if state is not AlarmState.NORMAL and last is not None:
            form = "was" if state is AlarmState.RETURNED_UNACKED else "now"
            body = {"rule": info.kind, "zone": info.place, "track": last.track, "why": last.why}
            row["for_ms"] = max(0, round(alarms.now_ms - last.since_ms))
            row["text"] = cause(body, form)
        return row

    def _find(self, target: Target) -> list[int]:
        table = self._rules.table
        if target.number:
            if not 1 <= target.number <= len(table):
                raise CommandRefused(f"alarm {target.number}: there are 1 to {len(table)}")
            return [target.number - 1]
        found = [
            index
            for index, info in enumerate(table)
            if target.place in ("", info.place) and target.rule in ("", info.kind)
        ]
        if not found:
            places = ", ".join(sorted({f"{info.kind} {info.place}".strip() for info in table}))
            raise CommandRefused(f"{target.rule} {target.place}: no such alarm; there are {places}")
        return found

    def _note(self, state: str, target: Target, why: dict[str, object]) -> None:
        rule, place = target.rule, target.place
        if target.number:
            info = self._rules.table[target.number - 1]
            rule, place = info.kind, info.place
        self.done.append((state, rule, place, why))
