"""`[alarm]` of a site file: how alarms sound and end, and when outputs are tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from runtime.site_rules import NonNegativeInt, Severity

Alarming = Literal["warning", "danger", "evacuate"]
"""Severities that sound; "info" is only written down."""
HOUR_MS = 3_600_000


class PriorityConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[alarm.warning]`, `[alarm.danger]`, `[alarm.evacuate]`: what differs for one severity."""

    latch: bool | None = None
    """Left out, as every key here: as in `[alarm]`."""
    on_delay_ms: NonNegativeInt | None = None
    off_delay_ms: NonNegativeInt | None = None
    min_on_ms: NonNegativeInt | None = None
    max_sound_ms: NonNegativeInt | None = None
    retrigger_ms: NonNegativeInt | None = None


class SelfTestConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[alarm.self_test]`: outputs are exercised by button, by command, or by this schedule."""

    lamp_ms: Annotated[int, Meta(ge=200, le=60_000)] = 3000
    siren: bool = False
    """Sound the siren too, for `chirp_ms`; otherwise only the lamp lights."""
    chirp_ms: Annotated[int, Meta(ge=50, le=2000)] = 200
    every_hours: Annotated[int, Meta(ge=0, le=8760)] = 0
    """Test by itself after so many hours; 0 = not by hours."""
    at_utc: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^$")] = ""
    """Test by itself once a day at this time, "HH:MM" in UTC; "" = not by the time of day.
    While the clock cannot be right, once in 24 h of running instead."""


class AlarmConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[alarm]`: how an alarm sounds and ends."""

    latch: bool = True
    """An alarm stays until acknowledged, also after its cause has gone."""
    on_delay_ms: NonNegativeInt = 0
    """A cause that lasts no longer than this is no alarm. Crossings of a line count at once."""
    off_delay_ms: NonNegativeInt = 0
    """A cause has gone when it has been away for this long."""
    min_on_ms: NonNegativeInt = 1000
    """The siren sounds for at least this long."""
    max_sound_ms: NonNegativeInt = 180_000
    """The siren falls silent after this long (strobe stays); 0 = no limit."""
    retrigger_ms: NonNegativeInt = 2000
    """The same person gone and back within this time is the same alarm: what was acknowledged
    stays so. Another person always sounds. 0 = every return is a new alarm."""
    patterns: dict[Severity, str] = field(
        default_factory=lambda: {"warning": "alert", "danger": "march", "evacuate": "temporal3"}
    )
    """Pattern name per severity; "info" is silent."""
    buzzer: dict[Severity, str] = field(
        default_factory=lambda: {"warning": "beep", "danger": "beeps", "evacuate": "temporal3"}
    )
    """The same of outputs with role "buzzer"; a severity that is left out does not sound there."""
    warning: PriorityConfig = PriorityConfig()
    danger: PriorityConfig = PriorityConfig()
    evacuate: PriorityConfig = PriorityConfig()
    self_test: SelfTestConfig = SelfTestConfig()


@dataclass(frozen=True)
class Times:
    """What `[alarm]` says for one alarm; see AlarmConfig."""

    latch: bool
    on_delay_ms: int
    off_delay_ms: int
    min_on_ms: int
    max_sound_ms: int
    retrigger_ms: int


def times_of(config: AlarmConfig, severity: Severity) -> Times:
    """The values that hold for a severity."""
    own = PriorityConfig() if severity == "info" else getattr(config, severity)
    names = PriorityConfig.__struct_fields__
    picked = {name: getattr(own, name) for name in names}
    return Times(
        **{n: getattr(config, n) if value is None else value for n, value in picked.items()}
    )
