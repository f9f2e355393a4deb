"""The scenario file of one hour: a site with every kind of rule, its crew, and what is planted."""

from __future__ import annotations

import random
from typing import Any, get_args

from runtime.site_rules import RuleConfig
from sim.workday.crew import crew
from sim.workday.planted import KINDS, Planted, plant

MINUTE_MS = 60_000
EVERY_MS = 200_000
"""From one planted hazard to the next."""
FRAME_MS, INVOKE_MS, SLACK_MS = 100, 20, 5
LATE_MS = 3000
"""An expectation of the file ends so late after the rule's hold time; the score tells how late."""

WEATHER: dict[str, dict[str, Any]] = {
    "day": {"light": {"hour": 10.5, "cloud": 0.3}},
    "night": {
        "light": {
            "hour": 22.5,
            "cloud": 0.8,
            "lamps": [
                {"at_m": [-5.5, 4.0, 6.5], "aim_m": [-1.0, 9.0], "power": 1.6},
                {"at_m": [5.5, 6.0, 6.5], "aim_m": [0.5, 12.0], "power": 1.4},
            ],
        },
        "sensor": {"shutter_ms": 25, "noise": 0.4},
    },
    "rain": {
        "light": {"hour": 14.0, "cloud": 1.0},
        "weather": {"rain": 0.7, "wind": 0.4},
        "lens": {"drops": 0.3},
        "wet": 1.0,
    },
    "snow": {
        "light": {"hour": 11.0, "cloud": 0.9},
        "weather": {"snow": 0.5, "wind": 0.2},
        "wet": 0.2,
    },
}
"""What is different from one hour to the other."""

ZONES = [
    {"name": "pit", "polygon_m": [[0.9, 6.4], [2.9, 6.4], [3.6, 9.0], [1.4, 9.0]]},
    {"name": "excavator", "polygon_m": [[1.9, 12.5], [5.8, 12.5], [5.8, 16.0], [1.9, 16.0]]},
    {"name": "platform", "polygon_m": [[-5.0, 10.9], [-2.2, 10.9], [-2.2, 14.0], [-5.0, 14.0]]},
    {
        "name": "yard",
        "marked": False,
        "polygon_m": [[-3.6, 6.0], [3.6, 6.0], [6.5, 16.0], [-6.5, 16.0]],
    },
    {
        "name": "reach",
        "marked": False,
        "polygon_m": [[0.4, 11.0], [5.8, 11.0], [5.8, 16.0], [0.4, 16.0]],
    },
]
"""`reach` is where one is within 1.5 m of the machine's own zone: the truth of that rule."""
RULES: list[dict[str, Any]] = [
    {"kind": "zone", "zone": "pit", "severity": "danger", "hold_ms": 300, "clear_ms": 1000},
    {"kind": "man_down", "severity": "danger", "hold_ms": 500, "after_ms": 3000, "clear_ms": 2000},
    {"kind": "entry_predicted", "zone": "pit", "severity": "warning", "hold_ms": 200},
    {"kind": "ppe", "zone": "yard", "severity": "warning", "needs": ["helmet", "vest"],
     "hold_ms": 2000},
    {"kind": "proximity", "zone": "excavator", "severity": "warning", "distance_mm": 1500,
     "hold_ms": 300},
    {"kind": "posture", "zone": "yard", "severity": "danger", "actions": ["arms_raised"],
     "hold_ms": 2000},
    {"kind": "crowd", "zone": "platform", "severity": "warning", "at_most": 3, "hold_ms": 1000},
    {"kind": "immobile", "zone": "yard", "severity": "warning", "still_ms": 60_000},
]  # fmt: skip
STRUCTURES = [
    {"kind": "container", "at_m": [-7.5, 18.0]},
    {"kind": "site_hut", "at_m": [6.5, 20.0]},
    {"kind": "pallets", "at_m": [4.4, 10.4]},
    {"kind": "barrier", "at_m": [0.5, 17.5]},
    {"kind": "cone", "at_m": [0.7, 6.2]},
    {"kind": "cone", "at_m": [3.8, 9.2]},
]


def built_rules() -> list[dict[str, Any]]:
    """Those of RULES that the firmware knows."""
    known = {str(kind.__struct_config__.tag) for kind in get_args(RuleConfig)}
    return [rule for rule in RULES if rule["kind"] in known]


def workday(weather: str, seed: int, minutes: int) -> tuple[dict[str, Any], list[Planted]]:
    """One hour, or a part of it.

    Args:
        weather: of WEATHER.
        seed: of the crew and of the pictures.
        minutes: how long.

    Returns:
        The table of a scenario file, and what is planted in it.
    """
    until_ms = minutes * MINUTE_MS
    rules = built_rules()
    hold_ms = {rule["kind"]: rule.get("hold_ms", 0) for rule in rules}
    kinds = [name for name, kind in KINDS.items() if kind.rule in hold_ms]
    planted, cast = plant(kinds, hold_ms, EVERY_MS, until_ms)
    look = WEATHER[weather]
    table = {
        "format": 1,
        "name": f"workday_{weather}_{seed}",
        "purpose": f"{minutes} minutes of normal work, {weather}, with {len(planted)} hazards.",
        "seed": seed,
        "duration_ms": until_ms,
        "site": {"ground": True, "rules": rules},
        "actions": [
            {"at_ms": hazard.ends_ms + 8000, "do": "acknowledge"} for hazard in planted
        ],
        "world": {
            "ground": "concrete",
            **{key: value for key, value in look.items()},
            "camera": {"height_m": 3.4, "tilt_deg": 17.5, "focal_mm": 5.6},
            "structures": STRUCTURES,
            "machines": [
                {"name": "digger", "kind": "excavator", "at_m": [4.0, 14.4], "heading_deg": 60,
                 "swing_deg": 25, "swing_ms": 9000}
            ],
            "zones": ZONES,
            "people": [*crew(random.Random(seed), until_ms), *cast],
        },
        "expect": [*map(_expectation, planted), {"that": "no_event", "kind": "fault"},
                   {"that": "no_loss"}],
    }  # fmt: skip
    return table, planted


def bound_ms(hazard: Planted) -> int:
    """The time that a hazard may take to be told: hold time, one frame, the network and 5 ms."""
    return hazard.grace_ms + hazard.hold_ms + FRAME_MS + INVOKE_MS + SLACK_MS


def _expectation(hazard: Planted) -> dict[str, Any]:
    table = {
        "that": "event",
        "kind": "hazard",
        "rule": hazard.rule,
        "state": "raised",
        "after": hazard.onset,
        "from_ms": -1000,
        "within_ms": bound_ms(hazard) + LATE_MS,
    }
    return {**table, "zone": hazard.zone} if hazard.zone else table
