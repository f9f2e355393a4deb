"""What `[alarm]` of a site file must be in itself, and to the rules."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from drivers.toml_strict import Check, Complaint
from runtime.alarm_config import AlarmConfig, SelfTestConfig, times_of
from runtime.patterns import EVACUATION_ONLY, PATTERNS
from runtime.site_rules import Severity


def _patterns(alarm: AlarmConfig) -> Iterator[Complaint]:
    """Every pattern exists; "evacuate" sounds like evacuation, and nothing else does."""
    for key, patterns in (("patterns", alarm.patterns), ("buzzer", alarm.buzzer)):
        for severity, pattern in patterns.items():
            is_evacuation = severity == "evacuate"
            allowed = [name for name in PATTERNS if (name in EVACUATION_ONLY) == is_evacuation]
            if pattern not in allowed:
                text = f"must be one of {', '.join(allowed)}"
                if pattern in EVACUATION_ONLY:
                    text += f"; {pattern} means evacuation and nothing else (ISO 8201)"
                yield f"alarm.{key}.{severity}", pattern, text


def _sounds(
    alarm: AlarmConfig, severities: dict[str, Severity], overriding: dict[str, Severity | None]
) -> Iterator[Complaint]:
    """A danger without a pattern would be a silent alarm."""
    for severity in dict.fromkeys((*severities.values(), *overriding.values())):
        if severity not in (None, "info") and severity not in alarm.patterns:
            allowed = f'is missing; a rule has severity = "{severity}" and must sound'
            yield f"alarm.patterns.{severity}", UNSET, allowed


def _times(alarm: AlarmConfig) -> Iterator[Complaint]:
    """A siren cannot sound for at least longer than at most."""
    for severity in ("warning", "danger", "evacuate"):
        times = times_of(alarm, severity)
        if 0 < times.max_sound_ms < times.min_on_ms:
            allowed = f"must be 0 or >= min_on_ms = {times.min_on_ms} of {severity} alarms"
            yield "alarm.max_sound_ms", times.max_sound_ms, allowed
            return


def _schedule(test: SelfTestConfig) -> Iterator[Complaint]:
    if test.every_hours and test.at_utc:
        allowed = "must be left out beside at_utc: one schedule is enough"
        yield "alarm.self_test.every_hours", test.every_hours, allowed


CHECKS = (
    Check(("alarm", "rules[].severity", "rules[].overrides[].severity"), _sounds),
    Check(("alarm",), _times),
    Check(("alarm.self_test",), _schedule),
    Check(("alarm",), _patterns),
)
