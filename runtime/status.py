"""The state of the camera in a few words, for the bar of an annotated clip."""

from __future__ import annotations

from runtime.alarm import Alarms
from runtime.alarm_state import AlarmState
from runtime.health import Health


def status_words(alarms: Alarms, health: Health) -> list[str]:
    """What sounds, what is latched, what is broken; words that begin with "!" are urgent."""
    words = []
    if alarms.sound.pattern:
        words.append(f"!SIREN {alarms.sound.pattern}")
    elif alarms.sound.strobe:
        words.append("strobe")
    waiting = sum(state is AlarmState.RETURNED_UNACKED for state in alarms.states)
    if waiting:
        words.append(f"{waiting} alarm to acknowledge")
    words.extend(f"!{fault.name} {fault.reason}" for fault in health.all if fault.active)
    return words or ["watching"]
