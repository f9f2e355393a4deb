"""Siren patterns as data: alternating on and off times, repeated.

Sources: ISO 8201:2017 for temporal-three (3 x 0.5 s on / 0.5 s off, then 1.5 s off), which means
"evacuate" and nothing else; the others are common practice of fire panels. A buzzer stands beside
people who work: it beeps.
"""

from __future__ import annotations

PATTERNS: dict[str, tuple[int, ...]] = {
    "continuous": (1000, 0),
    "march": (500, 500),
    "alert": (500, 2500),
    "slow": (5000, 10000),
    "beep": (200, 1800),
    "beeps": (200, 200, 200, 1400),
    "temporal3": (500, 500, 500, 500, 500, 1500),
}
"""Pattern name -> on, off, on, off, ... in ms; starts with on."""

EVACUATION_ONLY = frozenset({"temporal3"})
"""Patterns that severity "evacuate" must use, and no other severity may."""


def level_at(pattern: tuple[int, ...], elapsed_ms: float) -> bool:
    """Level of a pattern `elapsed_ms` after it started; True = sounding."""
    phase_ms = elapsed_ms % sum(pattern)
    level = True
    for step_ms in pattern:
        if phase_ms < step_ms:
            return level
        phase_ms -= step_ms
        level = not level
    return level
