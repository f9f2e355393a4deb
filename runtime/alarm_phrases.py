"""What each kind of rule says of itself, as data: `runtime.alarm_words` makes sentences of it.

To add a rule kind, add a row to PHRASES. `{who}` is the person, `{place}` the zone or line, and any
other name is a value of the rule's `why`. A kind without a row is told with its plain values.
"""

from __future__ import annotations

from typing import NamedTuple


class Value(NamedTuple):
    """A value of a `why` against its limit.

    Attributes:
        name: of the value; its ending says its unit (`_ms`, `_mm`).
        words: what to say of it.
        limits: names of its limit, the first that is there; none: it has no limit.
    """

    name: str
    words: str
    limits: tuple[str, ...] = ()


class Phrase(NamedTuple):
    """What one kind of rule says.

    Attributes:
        now: while it holds.
        was: of an alarm whose cause has gone.
        ended: when it stops to hold.
        values: told in brackets, those that are there.
    """

    now: str
    was: str
    ended: str
    values: tuple[Value, ...] = ()


HELD = (
    Value("held_ms", "for {}", ("hold_ms",)),
    Value("over_ms", "over for {}", ("clear_ms",)),
)
"""Of every rule with hysteresis in time."""

PHRASES: dict[str, Phrase] = {
    "zone": Phrase(
        "{who} is in {place}",
        "{who} was in {place}",
        "{who} has left {place}",
        (
            Value("inside_ms", "{} inside", ("hold_ms",)),
            Value("outside_ms", "{} outside", ("clear_ms",)),
        ),
    ),
    "line": Phrase(
        "{who} crossed {place}",
        "{who} crossed {place}",
        "{who} crossed {place}",
        (Value("occupancy", "in less out: {}"),),
    ),
    "entry_predicted": Phrase(
        "{who} will probably enter {place} within {horizon_ms}",
        "{who} was about to enter {place}",
        "{who} no longer heads for {place}",
        (Value("probability", "probability {}", ("threshold",)), *HELD),
    ),
    "man_down": Phrase(
        "{who} lies on the ground {in_place}",
        "{who} lay on the ground {in_place}",
        "{who} is up again {in_place}",
        (
            Value("down_ms", "down for {}", ("hold_ms", "after_ms")),
            Value("up_ms", "up for {}", ("clear_ms",)),
        ),
    ),
    "ppe": Phrase(
        "{who} is without {missing} {in_place}",
        "{who} was without {missing} {in_place}",
        "{who} wears what is needed {in_place}",
        (
            Value("missing_ms", "missing for {}", ("hold_ms",)),
            Value("worn_ms", "worn for {}", ("clear_ms",)),
            *HELD,
        ),
    ),
    "posture": Phrase(
        "{who} is seen {action} {in_place}",
        "{who} was seen {action} {in_place}",
        "{who} is no longer seen so {in_place}",
        (Value("score", "score {}", ("least_score",)), *HELD),
    ),
    "proximity": Phrase(
        "{who} is too near {to_place}",
        "{who} was too near {to_place}",
        "{who} has enough distance {to_place}",
        (Value("distance_mm", "{} away", ("limit_mm", "distance_limit_mm")), *HELD),
    ),
    "crowd": Phrase(
        "too many people {in_place}",
        "too many people were {in_place}",
        "no longer too many people {in_place}",
        (Value("people", "{} people", ("at_most",)), *HELD),
    ),
    "loiter": Phrase(
        "{who} stays too long in {place}",
        "{who} stayed too long in {place}",
        "{who} has left {place}",
        (Value("stay_ms", "there for {}", ("dwell_ms",)), *HELD[1:]),
    ),
    "immobile": Phrase(
        "{who} does not move {in_place}",
        "{who} did not move {in_place}",
        "{who} moves again {in_place}",
        (
            Value("for_ms", "still for {}", ("still_ms",)),
            HELD[1],
        ),
    ),
    "intrusion_of_view": Phrase(
        "the camera's view is {kind}",
        "the camera's view was {kind}",
        "the camera sees again what it was set up to see",
        (
            Value("missing", "share of the picture covered {}", ("covered_share",)),
            Value("shift", "moved by a share of {}", ("max_shift",)),
            Value("dark", "share of the picture dark {}", ("dark_share",)),
            *HELD,
        ),
    ),
    "combined": Phrase(
        "{who} is a hazard by {all_of} at once",
        "{who} was a hazard by {all_of} at once",
        "{who} is no longer a hazard by {all_of} at once",
        HELD,
    ),
}

STATES: dict[str, str] = {"in": "{who} went in over {place}", "out": "{who} went out over {place}"}
"""States of a hazard that say more than "raised" and "cleared"."""
ONLY: dict[tuple[str, str], str] = {
    ("man_down", "fell"): "{who} has fallen {in_place}",
    ("proximity", "inside"): "{who} is inside of {place}",
}
"""Rule kind and a value of its `why` that is true -> what holds then, instead of `now`."""

FAULTS: dict[str, str] = {
    "camera_fault": "the camera does not see",
    "npu_fault": "the network gives no valid results",
    "storage_fault": "events cannot be written down",
    "output_fault": "a siren, lamp or relay does not take its level",
    "watchdog_fault": "the watchdog does not work",
    "memory_fault": "memory was refused",
    "operator_fault": "a button or the operators' socket does not work",
    "loop_fault": "the program stood still for a while",
    "heat_fault": "the board is too hot, or nobody knows how hot it is",
    "heat_shed": "the board is hot, so that far people are looked at less often",
    "heat_slow": "the board is very hot, so that every second picture is left out",
    "clock_fault": "the clock has lost the date, so that every rule holds at any hour",
}
"""What a fault means for people; its reason is told in brackets."""
RELAY_STAYS = ("clock_fault", "heat_shed", "heat_slow")
"""The camera watches on."""
