"""What a row of boxes means: a class to be found, or a region that teaches a class nothing."""

from __future__ import annotations

from typing import Final

PERSON, HELMET, VEST, BARE_HEAD = range(4)
CLASSES: Final = ("person", "helmet", "vest", "bare_head")
"""A helmet is a head with its helmet on, a bare head one without, cap or not."""
EQUIPMENT_SCORES: Final = {"helmet": 0.35, "vest": 0.25, "bare_head": 0.3}
"""Thresholds: equipment is small and scores lower; a rule weighs it over time."""
EVERY: Final = frozenset(range(len(CLASSES)))
IGNORE: Final = len(CLASSES)
"""Kind IGNORE + c: inside this box class c is neither there nor not there."""


def threshold(kind: int, person: float) -> float:
    """The score from which on a class is given; `person`: that of people."""
    return EQUIPMENT_SCORES.get(CLASSES[kind], person)
