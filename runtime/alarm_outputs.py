"""Which levels the outputs shall have: pure functions of the alarms, the faults and the self test.

A fault drives the relay and nothing else, so it cannot hide an alarm; a self test shows only where
no alarm does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runtime.alarm_state import AlarmState
from runtime.site_rules import Severity

SEVERITY_RANK: dict[Severity, int] = {"info": 0, "warning": 1, "danger": 2, "evacuate": 3}
TEST_PATTERN = "continuous"
"""Of the siren in a self test, for a fraction of a second."""

Phase = Literal["", "lamp", "siren"]
"""Of a self test; "" = none runs."""


@dataclass(frozen=True)
class Sounding:
    """What the siren and strobe shall do: pattern name ("" = silent) and lamp."""

    pattern: str
    strobe: bool


@dataclass(frozen=True)
class Levels(Sounding):
    """The same, and the fault relay; True = energised = all is well."""

    relay: bool


SILENT = Sounding("", False)
TESTS: dict[Phase, Sounding] = {
    "": SILENT,
    "lamp": Sounding("", True),
    "siren": Sounding(TEST_PATTERN, True),
}


def sounding(
    states: Sequence[AlarmState],
    severities: Sequence[Severity],
    shelved: Sequence[bool],
    quiet: Sequence[bool],
    patterns: dict[Severity, str],
) -> Sounding:
    """Siren and strobe of the alarms: a pure function.

    Args:
        states, severities: one per alarm.
        shelved: the operator took the alarm off the outputs until an expiry.
        quiet: muted, or sounding for longer than allowed: silent, the strobe stays.
        patterns: siren pattern per severity.
    """
    strobe = any(
        state is not AlarmState.NORMAL and not on_shelf and severity != "info"
        for state, severity, on_shelf in zip(states, severities, shelved, strict=True)
    )
    severity = loudest(states, severities, shelved, quiet)
    return Sounding("" if severity == "info" else patterns.get(severity, ""), strobe)


def loudest(
    states: Sequence[AlarmState],
    severities: Sequence[Severity],
    shelved: Sequence[bool],
    quiet: Sequence[bool],
) -> Severity:
    """The severity that sounds, "info" where none does; arguments as of `sounding`."""
    found: Severity = "info"
    for state, severity, on_shelf, hushed in zip(states, severities, shelved, quiet, strict=True):
        if state is AlarmState.ACTIVE_UNACKED and not (on_shelf or hushed):
            found = max(found, severity, key=SEVERITY_RANK.__getitem__)
    return found


def all_levels(sound: Sounding, *, healthy: bool, test: Phase) -> Levels:
    """All outputs: the alarms as they are, the self test only where there is none.

    Args:
        sound: of the alarms.
        healthy: no fault stands, and a picture has been judged.
        test: phase of the self test.
    """
    shown = TESTS[test] if sound == SILENT else sound
    return Levels(shown.pattern, shown.strobe, healthy)


def outputs_for(
    states: Sequence[AlarmState],
    severities: Sequence[Severity],
    shelved: Sequence[bool],
    quiet: Sequence[bool],
    patterns: dict[Severity, str],
    *,
    healthy: bool,
    test: Phase,
) -> Levels:
    """All outputs from all that decides on them; arguments as of `sounding` and `all_levels`."""
    sound = sounding(states, severities, shelved, quiet, patterns)
    return all_levels(sound, healthy=healthy, test=test)
