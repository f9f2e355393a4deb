"""Hazards that are planted in the hour: what somebody does, what must be told, and when it ends.

Each comes in from the left, where the picture ends, and leaves the same way. A plan is made of
plain tables, as a scenario file has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

OUTSIDE_M = (-9.5, 8.6)
"""Left of what the camera sees."""
PACE_M_S = 1.2
Step = dict[str, Any]
Person = dict[str, Any]


@dataclass(frozen=True)
class Planted:
    """One hazard.

    Attributes:
        number: from 1, in the order of time.
        kind: what is planted.
        rule, zone: whose hazard must be raised.
        who: the person that it is about.
        begins_ms, ends_ms: everybody who takes part is in the world in this time.
        onset: the moment from which on it is a hazard, as `after` of an expectation has it.
        grace_ms: from that moment to when the rule can begin to count, beside its own hold time.
        hold_ms: of the rule.
    """

    number: int
    kind: str
    rule: str
    zone: str
    who: str
    begins_ms: int
    ends_ms: int
    onset: dict[str, Any]
    grace_ms: int
    hold_ms: int


def walk(x_m: float, y_m: float) -> Step:
    """Go there."""
    return {"do": "walk", "to_m": [x_m, y_m], "speed_m_s": PACE_M_S}


def stay(what: str, for_ms: int) -> Step:
    """Do something on the spot."""
    return {"do": what, "for_ms": for_ms}


LEAVE = walk(*OUTSIDE_M)


def _enters_zone(name: str, at_ms: int) -> list[Person]:
    return [_one(name, at_ms, 34_000, [walk(-1.6, 8.0), walk(2.1, 7.8), stay("work", 5000), LEAVE])]


def _falls(name: str, at_ms: int) -> list[Person]:
    way = [walk(-1.4, 8.2), stay("stand", 1000), {"do": "fall"}, stay("lie", 7000)]
    return [_one(name, at_ms, 40_000, [*way, {"do": "get_up"}, LEAVE])]


def _no_helmet(name: str, at_ms: int) -> list[Person]:
    way = [walk(-1.2, 8.0), stay("stand", 2000), stay("work", 5000), LEAVE]
    return [{**_one(name, at_ms, 32_000, way), "helmet": False}]


def _nears_machine(name: str, at_ms: int) -> list[Person]:
    return [
        _one(name, at_ms, 38_000, [walk(-1.5, 11.4), walk(1.1, 13.0), stay("work", 5000), LEAVE])
    ]


def _calls_for_help(name: str, at_ms: int) -> list[Person]:
    way = [walk(-1.2, 7.8), stay("stand", 1500), stay("arms_raised", 7000), LEAVE]
    return [_one(name, at_ms, 34_000, way)]


def _crowds(name: str, at_ms: int) -> list[Person]:
    places = ((-4.6, 11.4), (-3.9, 12.5), (-2.9, 11.6), (-2.5, 13.4))
    people = []
    for i, place in enumerate(places):
        way = [walk(*place), stay("stand", 16_000 - 2000 * i), LEAVE]
        person = _one(f"{name}_{i + 1}" if i < 3 else name, at_ms + 2000 * i, 36_000, way)
        people.append({**person, "at_m": [OUTSIDE_M[0], 9.0 + i]})
    return people


def _one(name: str, at_ms: int, for_ms: int, script: list[Step]) -> Person:
    return {
        "name": name,
        "at_m": list(OUTSIDE_M),
        "heading_deg": 90,
        "enter_ms": at_ms,
        "leave_ms": at_ms + for_ms,
        "script": [*script, {"do": "stand"}],
    }


@dataclass(frozen=True)
class Kind:
    """How a hazard is planted, and what must come of it."""

    people: Callable[[str, int], list[Person]]
    rule: str
    zone: str
    onset: dict[str, Any]
    grace_ms: int = 0


KINDS = {
    "enters_zone": Kind(_enters_zone, "zone", "pit", {"enters": "pit"}),
    "falls": Kind(_falls, "man_down", "", {"action": "lie"}),
    "no_helmet": Kind(_no_helmet, "ppe", "yard", {"enters": "yard"}),
    "nears_machine": Kind(_nears_machine, "proximity", "excavator", {"enters": "reach"}),
    "calls_for_help": Kind(_calls_for_help, "posture", "yard", {"action": "arms_raised"}, 550),
    "crowds": Kind(_crowds, "crowd", "platform", {"enters": "platform"}),
}
"""Kind -> how. `grace_ms`: arms take so long to be up."""


def plant(
    kinds: list[str], hold_ms: dict[str, int], every_ms: int, until_ms: int
) -> tuple[list[Planted], list[Person]]:
    """Plant one hazard after the other.

    Args:
        kinds: of KINDS, in turn.
        hold_ms: of the site's rules, by kind of rule.
        every_ms: from one to the next.
        until_ms: end of the hour.

    Returns:
        What was planted, and the people who do it.
    """
    planted, cast = list[Planted](), list[Person]()
    for number, at_ms in enumerate(range(every_ms // 2, until_ms - 60_000, every_ms), start=1):
        name = kinds[(number - 1) % len(kinds)]
        kind, who = KINDS[name], f"planted_{number}"
        people = kind.people(who, at_ms)
        begins_ms = min(person["enter_ms"] for person in people)
        ends_ms = max(person["leave_ms"] for person in people)
        planted.append(
            Planted(
                number,
                name,
                kind.rule,
                kind.zone,
                who,
                begins_ms,
                ends_ms,
                {"person": who, **kind.onset},
                kind.grace_ms,
                hold_ms[kind.rule],
            )
        )
        cast += people
    return planted, cast
