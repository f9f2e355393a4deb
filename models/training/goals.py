"""What a student must reach, as a table, and how far a report of `evaluate` is from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

Report = dict[str, Any]
Read = Callable[[Report], float]


class Goal(NamedTuple):
    """One figure.

    Attributes:
        name: what is measured.
        bound: that it must reach.
        read: takes it from a report; a KeyError where the report lacks it.
        most: the figure may be at most `bound`, not at least.
    """

    name: str
    bound: float
    read: Read
    most: bool = False


class Judged(NamedTuple):
    """A goal and what was measured.

    Attributes:
        goal: the goal.
        value: None where it was not measured.
        reached: None where it was not measured.
        beside: the teacher's figure, or None.
    """

    goal: Goal
    value: float | None
    reached: bool | None
    beside: float | None = None


def _ap(kind: str, source: str, network: str = "int8") -> Read:
    return lambda report: report[network][kind][source]["ap50"]


def _either(*reads: Read) -> Read:
    """The best of those that were measured."""

    def best(report: Report) -> float:
        found = [value for read in reads if (value := _value(read, report)) is not None]
        if not found:
            raise KeyError("none")
        return max(found)

    return best


def _lost(kind: str, source: str) -> Read:
    as_float, as_int8 = _ap(kind, source, "float"), _ap(kind, source)
    return lambda report: as_float(report) - as_int8(report)


def _recall(posture: str) -> Read:
    def recall(report: Report) -> float:
        row = report["int8"]["postures"][posture]
        return row["found"] / row["there"]

    return recall


def _worker(what: str) -> Read:
    return lambda report: report["int8"]["worker"][what] / report["int8"]["worker"]["frames"]


PEOPLE: Final = {
    "ppe_minhnkb": 0.83, "ppe_hardhat": 0.66, "coco128x2": 0.45, "fall_posture": 0.80,
}  # fmt: skip
EQUIPMENT: Final = (
    ("helmet", ("ppe_minhnkb", "helmet_sites"), 0.85),
    ("vest", ("ppe_minhnkb",), 0.78),
    ("bare_head", ("helmet_sites",), 0.70),
)
MOST_LOST: Final = 0.01
"""AP that int8 may cost against float."""

DETECTOR: Final = (
    *(Goal(f"person AP50 {name}", bound, _ap("person", name)) for name, bound in PEOPLE.items()),
    Goal(
        "invoke time / 416 reference's", 0.5, lambda r: r["invoke_ms"]["share_of_reference"], True
    ),
    *(Goal(f"recall of {name} people", 0.80, _recall(name)) for name in ("sitting", "fallen")),
    *(
        Goal(
            f"{kind} AP50 {' or '.join(sources)}", bound, _either(*(_ap(kind, s) for s in sources))
        )
        for kind, sources, bound in EQUIPMENT
    ),
    *(
        Goal(f"int8 costs, {kind} {name}", MOST_LOST, _lost(kind, name), True)
        for kind, names in (("person", tuple(PEOPLE)), *((k, names) for k, names, _ in EQUIPMENT))
        for name in names
    ),
    Goal("worker clip, person", 0.90, _worker("person")),
    Goal("worker clip, helmet and vest", 0.90, _worker("helmet_and_vest")),
)
SKELETON: Final = (
    Goal(
        "simulated PCK@0.2, visible joints", 0.90,
        lambda r: _share(r["int8"]["sources"]["simulated"]["torso"]),
    ),
    Goal(
        "real: within 0.1 of the box's height", 0.85,
        lambda r: _share(r["int8"]["real"]["height"]),
    ),
)  # fmt: skip
ACTION: Final = (
    *(
        Goal(f"{name} accuracy", 0.985, lambda r, name=name: r["int8"][name]["accuracy"])
        for name in ("lzq_a", "lzq_b", "body25")
    ),
    Goal("simulated, balanced", 0.95, lambda r: r["int8"]["simulated"]["balanced"]),
    Goal(
        "bend, squat, tie shoes called fall", 0.02,
        lambda r: r["falls"]["called_fall"] / r["falls"]["rows"], True,
    ),
)  # fmt: skip
GOALS: Final = {"detector": DETECTOR, "skeleton": SKELETON, "action": ACTION}


def _share(value: Any) -> float:
    """A share as a report holds it: [value, low, high] or a table with its value."""
    return float(value["value"] if isinstance(value, dict) else value[0])


def _value(read: Read, report: Report) -> float | None:
    try:
        return float(read(report))
    except (KeyError, ZeroDivisionError, TypeError):
        return None


def judge(student: str, report: Report) -> list[Judged]:
    """Every goal of a student against a report."""
    taught = report | {"int8": report["teacher"]} if "teacher" in report else {}
    rows = []
    for goal in GOALS[student]:
        value = _value(goal.read, report)
        beside = _value(goal.read, taught) if "AP50" in goal.name else None
        if value is None:
            rows.append(Judged(goal, None, None, beside))
        else:
            reached = value <= goal.bound if goal.most else value >= goal.bound
            rows.append(Judged(goal, value, reached, beside))
    return rows


def lines(judged: list[Judged]) -> list[str]:
    """A table for people: figure, bound, and by how much it is missed."""
    said = [f"{'it must reach':40s} {'bound':>8s} {'measured':>9s}"]
    for goal, value, reached, beside in judged:
        sign = "<=" if goal.most else ">="
        start = f"{goal.name:40s} {sign}{goal.bound:6.3f} "
        teacher = "" if beside is None else f"   (teacher {beside:.3f})"
        if value is None:
            said.append(f"{start} {'-':>9s}   not measured")
        elif reached:
            said.append(f"{start} {value:9.4f}   reached{teacher}")
        else:
            said.append(f"{start} {value:9.4f}   MISSED by {abs(value - goal.bound):.4f}{teacher}")
    return said
