"""What the values of a scenario must be to one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from drivers.toml_strict import Check, Complaint
from runtime.geometry import polygon_problem
from sim.board.clock import wall_start_ms
from sim.scenario.expect import ExpectCount, ExpectEvent, ExpectFault, ExpectNoEvent, Moment
from sim.scenario.schema import ActionConfig, FaultConfig
from sim.world.config import LineConfig, MachineConfig, PersonConfig, WorldConfig, ZoneConfig

GOES_SOMEWHERE = ("walk", "run", "crawl")
THINGS = (
    "enters", "leaves", "crosses", "action", "loses", "wears", "appears", "fault", "fault_ends",
    "operator", "boot",
)  # fmt: skip
"""Of which a moment names exactly one."""
OF_A_PERSON = THINGS[:7]


def _within(duration_ms: int, items: dict[str, FaultConfig | ActionConfig]) -> Iterator[Complaint]:
    for key, item in items.items():
        if item.at_ms >= duration_ms:
            yield f"{key}.at_ms", item.at_ms, f"must be < duration_ms = {duration_ms}"
        elif isinstance(item, FaultConfig) and item.at_ms + item.for_ms > duration_ms:
            allowed = f"ends after duration_ms = {duration_ms}; 0 is to the end"
            yield f"{key}.for_ms", item.for_ms, allowed


def _lengths(actions: dict[str, ActionConfig]) -> Iterator[Complaint]:
    """Which actions take how long, and what for."""
    for key, action in actions.items():
        if action.do == "shelve" and not action.for_ms:
            yield f"{key}.for_ms", UNSET, "is missing: nothing is shelved for ever"
        if action.do == "shelve" and not (action.place or action.rule):
            yield f"{key}.place", UNSET, "is missing: which alarm is shelved"
        if action.do == "press" and not action.for_ms:
            yield f"{key}.for_ms", UNSET, "is missing: how long the finger stays, e.g. 200"
        if action.do not in ("shelve", "press", "update") and action.for_ms:
            yield f"{key}.for_ms", action.for_ms, f"must be left out of {action.do}"
        if (action.do == "update") != bool(action.student):
            allowed = "must be named for update" if action.do == "update" else "is only for update"
            yield f"{key}.student", action.student or UNSET, allowed
        if action.do != "press" and action.button:
            yield f"{key}.button", action.button, f"must be left out of {action.do}"


def _wall_start(text: str) -> Iterator[Complaint]:
    try:
        wall_start_ms(text)
    except ValueError as wrong:
        allowed = f'must be a date and time like "2026-03-02T06:59:50+09:00": {wrong}'
        yield "wall_start", text, allowed


def _unique(names: dict[str, str]) -> Iterator[Complaint]:
    first: dict[str, str] = {}
    for key, name in names.items():
        if first.setdefault(name, key) != key:
            yield key, name, f"must be unique; {first[name]} is the same"


def _people(people: dict[str, PersonConfig]) -> Iterator[Complaint]:
    for key, person in people.items():
        if not person.script:
            yield f"{key}.script", UNSET, "must hold at least one step"
        if person.leave_ms and person.leave_ms <= person.enter_ms:
            yield f"{key}.leave_ms", person.leave_ms, f"must be > enter_ms = {person.enter_ms}"
        for index, step in enumerate(person.script):
            if step.do in GOES_SOMEWHERE and step.to_m is None:
                yield f"{key}.script[{index}].to_m", UNSET, f"is missing; {step.do} goes somewhere"
            if step.do == "climb" and not step.to_height_m:
                yield f"{key}.script[{index}].to_height_m", UNSET, "is missing; climb goes up"


def _zones(zones: dict[str, ZoneConfig]) -> Iterator[Complaint]:
    for key, zone in zones.items():
        if problem := polygon_problem(zone.polygon_m):
            yield f"{key}.polygon_m", zone.polygon_m, problem


def _lines(lines: dict[str, LineConfig]) -> Iterator[Complaint]:
    for key, line in lines.items():
        if line.start_m == line.end_m:
            yield f"{key}.end_m", line.end_m, "must differ from start_m: a line needs a length"


def _places(actions: dict[str, ActionConfig], world: WorldConfig) -> Iterator[Complaint]:
    places = _place_names(world)
    for key, action in actions.items():
        if action.place and places and action.place not in places:
            yield f"{key}.place", action.place, _one_of("places", places)


def _windows(duration_ms: int, expect: dict[str, Any]) -> Iterator[Complaint]:
    for key, item in expect.items():
        if item.between_ms is not None:
            if item.after is not None:
                yield f"{key}.after", UNSET, "must be left out beside between_ms"
            start, end = item.between_ms
            if not 0 <= start <= end <= duration_ms:
                allowed = f"must be [from, to] with 0 <= from <= to <= duration_ms = {duration_ms}"
                yield f"{key}.between_ms", list(item.between_ms), allowed
        if item.after is not None:
            if item.within_ms is None:
                yield f"{key}.within_ms", UNSET, "is missing: until when after the moment"
            elif item.within_ms < item.from_ms:
                allowed = f"must be >= from_ms = {item.from_ms}"
                yield f"{key}.within_ms", item.within_ms, allowed
        else:
            for name in ("within_ms", "from_ms"):
                if getattr(item, name):
                    yield f"{key}.{name}", getattr(item, name), "needs `after`, a moment"


def _moments(
    world: WorldConfig,
    faults: list[FaultConfig],
    actions: list[ActionConfig],
    expect: dict[str, Any],
) -> Iterator[Complaint]:
    counts = {"fault": len(faults), "fault_ends": len(faults), "operator": len(actions)}
    for key, item in expect.items():
        if item.after is not None:
            yield from _moment(f"{key}.after", item.after, world, counts)


def _moment(
    key: str, moment: Moment, world: WorldConfig, counts: dict[str, int]
) -> Iterator[Complaint]:
    nothing = (Moment.__struct_defaults__[Moment.__struct_fields__.index(name)] for name in THINGS)
    values = ((name, getattr(moment, name)) for name in THINGS)
    named = [name for (name, value), none in zip(values, nothing, strict=True) if value != none]
    if len(named) != 1:
        text = ", ".join(named) or "nothing"
        yield key, UNSET, f"must name exactly one of {', '.join(THINGS)}; it names {text}"
        return
    thing, value = named[0], getattr(moment, named[0])
    people = [person.name for person in world.people]
    if thing in OF_A_PERSON and moment.person not in people:
        yield f"{key}.person", moment.person or UNSET, _one_of("people", people)
    if thing not in OF_A_PERSON and moment.person:
        yield f"{key}.person", moment.person, f"must be left out beside {thing}"
    zones = [zone.name for zone in world.zones]
    lines = [line.name for line in world.lines]
    if thing in ("enters", "leaves") and value not in zones:
        yield f"{key}.{thing}", value, _one_of("zones", zones)
    if thing == "crosses" and value not in lines:
        yield f"{key}.crosses", value, _one_of("lines", lines)
    if thing in counts and value >= counts[thing]:
        yield f"{key}.{thing}", value, f"there are only {counts[thing]}, counted from 0"


def _subjects(
    world: WorldConfig, site_file: str, faults: list[FaultConfig], expect: dict[str, Any]
) -> Iterator[Complaint]:
    """Zones, lines and faults that expectations are about."""
    places = _place_names(world)
    lines = [line.name for line in world.lines]
    inline = not site_file
    for key, item in expect.items():
        if isinstance(item, ExpectEvent | ExpectNoEvent):
            if item.zone and inline and item.zone not in places:
                yield f"{key}.zone", item.zone, _one_of("zones and lines", places)
            if isinstance(item, ExpectEvent) and item.max is not None and item.max < item.min:
                yield f"{key}.max", item.max, f"must be >= min = {item.min}"
        if isinstance(item, ExpectCount):
            if inline and item.line not in lines:
                yield f"{key}.line", item.line, _one_of("lines", lines)
            if item.people_in is None and item.people_out is None:
                yield f"{key}.people_in", UNSET, "is missing: people_in, people_out or both"
        if isinstance(item, ExpectFault) and item.of >= len(faults):
            allowed = f"there are only {len(faults)} faults, counted from 0"
            yield f"{key}.of", item.of, allowed


def _place_names(world: WorldConfig) -> list[str]:
    return [zone.name for zone in world.zones] + [line.name for line in world.lines]


def _one_of(what: str, names: list[str]) -> str:
    return f"the {what} are {', '.join(names)}" if names else f"there are no {what}"


def _names_of(
    people: dict[str, PersonConfig], machines: dict[str, MachineConfig]
) -> Iterator[Complaint]:
    names = {f"{key}.name": person.name for key, person in people.items()}
    return _unique({**names, **{f"{key}.name": one.name for key, one in machines.items()}})


ALL = (
    Check(("wall_start",), _wall_start),
    Check(("duration_ms", "faults[]"), _within),
    Check(("duration_ms", "actions[]"), _within),
    Check(("actions[]",), _lengths),
    Check(("actions[]", "world"), _places),
    Check(("world.people[]", "world.machines[]"), _names_of),
    Check(("world.people[]",), _people),
    Check(("world.zones[]",), _zones),
    Check(("world.lines[]",), _lines),
    Check(("duration_ms", "expect[]"), _windows),
    Check(("world", "faults", "actions", "expect[]"), _moments),
    Check(("world", "site.file", "faults", "expect[]"), _subjects),
)
