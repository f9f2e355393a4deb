"""What a run did against what the reference did, field by field, and how much may differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec import to_builtins

from drivers.toml_strict import ConfigErrors, Mistake
from drivers.toml_words import read_table
from sim.replay.did import Did, FrameDid

IGNORED: Final = math.inf
FIELDS: Final = {
    "frames": "judged pictures that only one of both has",
    "frame.t_ms": "source time of a picture, ms",
    "detections.count": "people found",
    "detections.box_px": "side of a detection, pixels",
    "detections.score": "score of a detection",
    "detections.class": "what was detected",
    "tracks.id": "who is followed, and whether confirmed",
    "tracks.box_px": "side of a track, pixels",
    "hazards.active": "causes per rule",
    "alarms.state": "state per rule",
    "sound.pattern": "what the siren sounds",
    "outputs.level": "levels at the end of a picture",
    "events": "events that only one of both has",
    "events.t_ms": "time of an event, ms",
    "events.why": "values of an event",
    "edges": "edges of outputs that only one of both has",
    "edges.t_ms": "time of an edge, ms",
    "faults": "faults of the timeline, and when they were met",
    "resets": "resets of the board",
    "end": "how it ended",
}
"""What is compared. A tolerance is the largest difference allowed; texts and lists differ by 1."""

TOLERANCE: Final = {
    "detections.box_px": 0.01,
    "detections.score": 0.0001,
    "tracks.box_px": 0.01,
    "events.why": 0.01,
}
"""Where no table says otherwise; all else is exact. NumPy's float32 `exp` ends in other digits on
processors with and without AVX2, which is 0.001 pixels once it is rounded."""


@dataclass
class Difference:
    """All differences of one field.

    Attributes:
        count: how many there are.
        first_ms: time of the first one.
        first: the first one in words.
        largest: amount.
        allowed: from the tolerance table.
    """

    field: str
    count: int
    first_ms: float
    first: str
    largest: float
    allowed: float

    @property
    def is_beyond(self) -> bool:
        """More than is allowed."""
        return self.largest > self.allowed


Found = tuple[str, float, float, str]
"""Field, time in ms, amount, words."""


def compare(now: Did, reference: Did, tolerance: dict[str, float]) -> list[Difference]:
    """Every field in which both differ, in the order of FIELDS.

    Args:
        now: what the loop does.
        reference: what it shall do.
        tolerance: field -> largest difference allowed; as in TOLERANCE where not named, else 0.
    """
    tolerance = {**TOLERANCE, **tolerance}
    found: dict[str, Difference] = {}
    for field, t_ms, amount, words in _all(now, reference):
        known = found.get(field)
        if known is None:
            allowed = tolerance.get(field, 0.0)
            found[field] = Difference(field, 1, t_ms, words, amount, allowed)
            continue
        known.count += 1
        known.largest = max(known.largest, amount)
        if t_ms < known.first_ms:
            known.first_ms, known.first = t_ms, words
    return [found[field] for field in FIELDS if field in found]


def load_tolerance(path: Path) -> dict[str, float]:
    """Read a tolerance table: `[tolerance]`, field = number or "ignore".

    Raises:
        ConfigErrors: every mistake in it.
    """
    raw = read_table(path)
    if isinstance(raw, str):
        raise ConfigErrors([Mistake(str(path), "", None, raw)])
    mistakes = [
        Mistake(str(path), key, raw[key], "the only table is [tolerance]")
        for key in raw
        if key != "tolerance"
    ]
    table = raw.get("tolerance", {})
    if not isinstance(table, dict):
        raise ConfigErrors([Mistake(str(path), "tolerance", table, "must be a table")])
    mistakes += [Mistake(str(path), *complaint) for complaint in _complaints(table)]
    if mistakes:
        raise ConfigErrors(mistakes)
    return {key: IGNORED if value == "ignore" else float(value) for key, value in table.items()}


def _complaints(table: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for key, value in table.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key not in FIELDS:
            yield f"tolerance.{key}", value, f"must be one of {', '.join(FIELDS)}"
        elif value != "ignore" and not (is_number and 0 <= value < math.inf):
            yield f"tolerance.{key}", value, 'must be a number >= 0, or "ignore"'


def _all(now: Did, reference: Did) -> Iterator[Found]:
    ours = {(frame.boot, frame.frame): frame for frame in now.frames}
    theirs = {(frame.boot, frame.frame): frame for frame in reference.frames}
    for key in sorted(ours.keys() | theirs.keys()):
        our, their = ours.get(key), theirs.get(key)
        if our is None or their is None:
            which = our or their
            assert which is not None
            yield "frames", which.t_ms, 1.0, f"{_who(our)} frame {which.frame}"
        else:
            yield from _frame(our, their)
    yield from _sequence("events", now.events, reference.events, _event_key)
    edges, others = to_builtins(now.edges), to_builtins(reference.edges)
    yield from _sequence("edges", edges, others, lambda e: (e["name"], e["level"], e["by_reset"]))
    if now.faults != reference.faults:
        words = f"{len(now.faults)} instead of {len(reference.faults)}, or at other times"
        yield "faults", 0.0, 1.0, words
    resets, others = to_builtins(now.resets), to_builtins(reference.resets)
    if resets != others:
        yield "resets", 0.0, 1.0, f"{len(resets)} instead of {len(others)}, or at other times"
    if now.end != reference.end:
        yield "end", 0.0, 1.0, f"{now.end} instead of {reference.end}"


def _frame(our: FrameDid, their: FrameDid) -> Iterator[Found]:
    t_ms = their.t_ms
    yield from _number("frame.t_ms", t_ms, [our.t_ms], [their.t_ms])
    if len(our.boxes) != len(their.boxes):
        amount = abs(len(our.boxes) - len(their.boxes))
        words = f"{len(our.boxes)} instead of {len(their.boxes)}"
        yield "detections.count", t_ms, float(amount), words
    else:
        yield from _number("detections.box_px", t_ms, _flat(our.boxes), _flat(their.boxes))
        yield from _number("detections.score", t_ms, our.scores, their.scores)
        if our.classes != their.classes:
            words = f"{_short(our.classes)} instead of {_short(their.classes)}"
            yield "detections.class", t_ms, 1.0, words
    who, was = (list(zip(f.track_id, f.track_state, strict=True)) for f in (our, their))
    if who != was:
        yield "tracks.id", t_ms, 1.0, f"{_people(who)} instead of {_people(was)}"
    else:
        ours, theirs = _flat(our.track_boxes), _flat(their.track_boxes)
        yield from _number("tracks.box_px", t_ms, ours, theirs)
    for field, now, before in (
        ("hazards.active", our.hazards, their.hazards),
        ("alarms.state", our.alarms, their.alarms),
        ("sound.pattern", our.pattern, their.pattern),
        ("outputs.level", our.levels, their.levels),
    ):
        if now != before:
            yield field, t_ms, 1.0, f"{_short(now)} instead of {_short(before)}"


def _number(
    field: str, t_ms: float, ours: Sequence[float], theirs: Sequence[float]
) -> Iterator[Found]:
    """The largest difference of two rows of numbers, where there is one."""
    pairs = zip(ours, theirs, strict=True)
    worst = max(pairs, key=lambda pair: abs(pair[0] - pair[1]), default=(0.0, 0.0))
    if worst[0] != worst[1]:
        yield field, t_ms, abs(worst[0] - worst[1]), f"{worst[0]:g} instead of {worst[1]:g}"


def _sequence(field: str, ours: list[Any], theirs: list[Any], key: Any) -> Iterator[Found]:
    """Compare the n-th of each kind with the n-th of the same kind."""
    now, before = _by_key(ours, key), _by_key(theirs, key)
    for name in [*now, *(name for name in before if name not in now)]:
        here, there = now.get(name, []), before.get(name, [])
        for our, their in zip(here, there, strict=False):
            yield from _number(f"{field}.t_ms", their["t_ms"], [our["t_ms"]], [their["t_ms"]])
            if amount := _apart(our.get("why"), their.get("why")):
                words = f"{_short(our['why'])} instead of {_short(their['why'])}"
                yield f"{field}.why", their["t_ms"], amount, words
        for one in here[len(there) :]:
            yield field, one["t_ms"], 1.0, f"new: {_words(name)}"
        for one in there[len(here) :]:
            yield field, one["t_ms"], 1.0, f"missing: {_words(name)}"


def _apart(our: Any, their: Any) -> float:
    """The largest difference of numbers; 1, or more, where anything else differs."""
    if our == their:
        return 0.0
    if isinstance(our, bool) or isinstance(their, bool):
        return 1.0
    if isinstance(our, int | float) and isinstance(their, int | float):
        return abs(our - their)
    if isinstance(our, dict) and isinstance(their, dict) and our.keys() == their.keys():
        return max(_apart(our[key], their[key]) for key in our)
    if isinstance(our, list) and isinstance(their, list) and len(our) == len(their):
        return max(_apart(*pair) for pair in zip(our, their, strict=True))
    return 1.0


def _by_key(rows: list[Any], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _event_key(event: dict[str, Any]) -> tuple[Any, ...]:
    place = event["why"].get("output", "") if event["kind"] == "output" else event["zone"]
    return event["kind"], event["rule"], place, event["state"]


def _words(name: tuple[Any, ...]) -> str:
    return " ".join(str(part) for part in name if part not in ("", None))


def _who(our: FrameDid | None) -> str:
    return "missing:" if our is None else "new:"


def _people(rows: list[tuple[int, int]]) -> str:
    return ", ".join(f"#{track}{'' if state == 2 else '?'}" for track, state in rows) or "nobody"


def _short(value: object) -> str:
    text = "".join(str(value).split("'"))
    return text if len(text) <= 60 else text[:59] + "…"


def _flat(boxes: list[list[float]]) -> list[float]:
    return [side for box in boxes for side in box]
