"""What may be said of one moment of a simulated person: while one thing turns into another, both.

Names are joined by a bar; any of them is right.
"""

from __future__ import annotations

from typing import Final

from sim.people.person import Person

BEGUN, DONE = 0.2, 0.85
"""Of an act that is laid over the upright body: below the first it is not seen yet, above the
second it is all that is seen."""
FALLING, FALLEN = 0.20, 0.80
"""Of a fall: below the first somebody still stands, above the second they are as good as down."""
LOW: Final = ("bend", "squat", "sit", "tie_shoes", "crawl")
"""On the way there somebody bends and crouches."""
RISING: Final = (
    (0.20, "lie|fall|crawl|sit"), (0.52, "crawl|sit|squat|bend"), (0.90, "squat|bend|crawl|stand"),
    (1.01, "stand|bend|walk"),
)  # fmt: skip
"""Getting up: until this share of it, what it may be called."""


def names_of(person: Person, t_ms: float) -> str:
    """The names that are right, joined by a bar.

    Args:
        person: posed at that moment.
        t_ms: when.
    """
    truth = person.action
    act = person.script.act(t_ms)
    if act is None or (person.speed_m_s > 0 and act.kind != "crawl"):
        return truth
    weight = act.weight(t_ms)
    match act.kind:
        case "get_up":
            share = (t_ms - act.start_ms) / (act.end_ms - act.start_ms)
            return next((names for until, names in RISING if share < until), truth)
        case "fall":
            return _fall(truth, weight)
        case "lie":
            return truth if weight > DONE else "stand|bend|squat|sit|fall|lie"
        case "climb" | "climb_down":
            return truth if weight > BEGUN else f"stand|{truth}"
    if weight >= DONE:
        return truth
    names = {"stand", truth, *(("bend", "squat") if act.kind in LOW else ())}
    return "|".join(sorted(names))


def _fall(truth: str, weight: float) -> str:
    if weight < FALLING:
        return "fall|stand"
    return "fall|lie" if truth == "fall" and weight > FALLEN else truth
