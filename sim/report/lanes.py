"""From a result to the lanes of its timeline."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import Any, Literal, cast

from sim.report.items import Group, Item, Lane, Look, seconds
from sim.scenario.result import Result, Track

GAP_PERIODS = 1.5
"""Two pictures further apart than this many periods have a gap between them."""
MOMENTS_MS = 1000.0
"""One picture in so many ms can be looked at, beside those of the marks."""
ALARM_WORDS = {
    "active_unacked": "active, not acknowledged",
    "active_acked": "active, acknowledged",
    "returned_unacked": "returned, not acknowledged",
}
SHORT_WORDS = {
    "active_unacked": "ACTIVE",
    "active_acked": "active, ack",
    "returned_unacked": "returned",
}
Event = dict[str, Any]


def groups(result: Result) -> list[Group]:
    """All lanes, in the order in which a person reads: asked, seen, judged, done, broken."""
    made = [
        Group("Expected", _expectations(result)),
        Group("Pictures", [_frames(result)]),
        Group("Truth", [_person(track, result) for track in result.tracks]),
        Group("Hazards", list(_hazards(result))),
        Group("Alarms", list(_alarms(result))),
        Group("Outputs", list(_outputs(result))),
        Group("Faults", [*_asked(result), *_raised(result)]),
        Group("Board", _board(result)),
    ]
    return [group for group in made if group.lanes]


def _expectations(result: Result) -> list[Lane]:
    lanes = []
    for number, check in enumerate(result.expectations, start=1):
        word = "PASS" if check.ok else "FAIL"
        lane = Lane(f"{number}  {word}")
        if check.from_ms is not None:
            to_ms = check.from_ms if check.to_ms is None else check.to_ms
            look: Look = "passed" if check.ok else "failed"
            window = f"{seconds(check.from_ms)} to {seconds(to_ms)}"
            label = f"{word} {number}: {check.sentence}: {check.measured} ({window})"
            lane.items.append(Item(check.from_ms, to_ms, look, check.sentence, label, check.at_ms))
        lanes.append(lane)
    return lanes


def _frames(result: Result) -> Lane:
    """Runs of pictures, what is missing between them, and a moment of each second."""
    lane, times = Lane("pictures"), result.frames.t_ms
    period_ms = 1000.0 / result.fps
    if not times:
        return lane
    start_ms = times[0]
    for before_ms, after_ms in [*pairwise(times), (times[-1], None)]:
        if after_ms is not None and after_ms - before_ms <= GAP_PERIODS * period_ms:
            continue
        end_ms = before_ms + period_ms
        words = f"pictures from {seconds(start_ms)} to {seconds(before_ms)}"
        lane.items.append(Item(start_ms, end_ms, "run", "", words))
        if after_ms is None:
            gap_to_ms = float(result.duration_ms)
        else:
            gap_to_ms = start_ms = after_ms
        if gap_to_ms - end_ms > GAP_PERIODS * period_ms:
            words = f"no picture for {seconds(gap_to_ms - end_ms)}"
            lane.items.append(Item(end_ms, gap_to_ms, "gap", words, words))
    return lane


def moments_ms(result: Result) -> list[float]:
    """A moment of each second."""
    return [MOMENTS_MS * n for n in range(int(result.duration_ms / MOMENTS_MS) + 1)]


def _person(track: Track, result: Result) -> Lane:
    lane = Lane(track.name)
    if not track.t_ms:
        return lane
    period_ms = 1000.0 / result.fps
    actions = track.action or [track.kind] * len(track.t_ms)
    start = 0
    for index in range(1, len(actions) + 1):
        if index < len(actions) and actions[index] == actions[start]:
            continue
        to_ms = track.t_ms[index] if index < len(actions) else track.t_ms[-1] + period_ms
        words = f"{track.name}: {actions[start]} from {seconds(track.t_ms[start])}"
        lane.items.append(Item(track.t_ms[start], to_ms, "action", actions[start], words))
        start = index
    lane.items += _changes(track)
    return lane


def _changes(track: Track) -> Iterator[Item]:
    """Zones entered and left, helmet and vest put on or off."""
    for index in range(1, len(track.t_ms)):
        t_ms = track.t_ms[index]
        if track.zones:
            before, now = set(track.zones[index - 1]), set(track.zones[index])
            for zone in sorted(before ^ now):
                verb = "enters" if zone in now else "leaves"
                yield _moment(t_ms, "enter", f"{track.name} {verb} {zone}")
        for name in ("helmet", "vest"):
            worn: list[bool] = getattr(track, name)
            if worn and worn[index] != worn[index - 1]:
                state = "on" if worn[index] else "off"
                yield _moment(t_ms, "enter", f"{track.name}: {name} {state}")


def _moment(t_ms: float, look: Look, words: str) -> Item:
    return Item(t_ms, t_ms, look, "", f"{words} at {seconds(t_ms)}")


def _of_kind(result: Result, kind: str) -> dict[tuple[str, str], list[Event]]:
    """Events of a kind by (rule, zone), in the order of the first ones."""
    found: dict[tuple[str, str], list[Event]] = {}
    for event in result.events:
        if event["kind"] == kind:
            found.setdefault((event["rule"], event["zone"]), []).append(event)
    return found


def _end_of_boot(result: Result, t_ms: float) -> float:
    """When the firmware that was running then ended: what it knew in memory ended with it."""
    later = (reset.t_ms for reset in result.resets if reset.t_ms >= t_ms)
    return min(later, default=float(result.duration_ms))


def _why(event: Event) -> str:
    return ", ".join(f"{name} {value}" for name, value in event["why"].items())


def _hazards(result: Result) -> Iterator[Lane]:
    for (rule, zone), events in _of_kind(result, "hazard").items():
        lane, open_ = Lane(" ".join(filter(None, (rule, zone)))), dict[tuple[int, int], Event]()
        for event in events:
            key, words = (event["boot"], event["track"]), f"{lane.title} #{event['track']}"
            if event["state"] == "raised":
                open_[key] = event
            elif event["state"] == "cleared" and key in open_:
                lane.items.append(_hazard(open_.pop(key), event["t_ms"], words))
            elif event["state"] != "cleared":
                lane.items.append(_moment(event["t_ms"], "cross", f"{words} {event['state']}"))
        for event in open_.values():
            end_ms = _end_of_boot(result, event["t_ms"])
            lane.items.append(_hazard(event, end_ms, f"{lane.title} #{event['track']}"))
        lane.items.sort(key=lambda item: item.from_ms)
        yield lane


def _hazard(raised: Event, to_ms: float, words: str) -> Item:
    label = f"hazard {words} raised at {seconds(raised['t_ms'])}: {_why(raised)}"
    return Item(raised["t_ms"], to_ms, "hazard", f"#{raised['track']}", label)


def _alarms(result: Result) -> Iterator[Lane]:
    for (rule, zone), events in _of_kind(result, "alarm").items():
        lane = Lane(" ".join(filter(None, (rule, zone))))
        shelves = [event for event in events if event["state"].endswith("shelved")]
        states = [e for e in events if e not in shelves and e["state"] != "standing"]
        for kind in (states, shelves):
            for event, after in zip_longest(kind, kind[1:]):
                end_ms = _end_of_boot(result, event["t_ms"])
                to_ms = end_ms if after is None else min(after["t_ms"], end_ms)
                lane.items += _alarm(lane.title, event, to_ms)
        lane.items.sort(key=lambda item: (item.look == "shelved", item.from_ms))
        yield lane


def _alarm(title: str, event: Event, to_ms: float) -> Iterator[Item]:
    state, t_ms = event["state"], event["t_ms"]
    if state in ALARM_WORDS:
        look = cast(Literal["active_unacked", "active_acked", "returned_unacked"], state)
        label = f"alarm {title}: {ALARM_WORDS[state]} from {seconds(t_ms)}"
        yield Item(t_ms, to_ms, look, SHORT_WORDS[state], label)
    elif state == "shelved":
        yield Item(t_ms, to_ms, "shelved", "", f"alarm {title}: shelved, {_why(event)}")


def _outputs(result: Result) -> Iterator[Lane]:
    for output in result.outputs:
        edges = [edge for edge in result.edges if edge.name == output.name]
        lane = Lane(output.name, steps=[(0.0, output.on_boot)])
        lane.steps += [(edge.t_ms, edge.level) for edge in edges]
        for edge in edges:
            if edge.by_reset:
                lane.items.append(_moment(edge.t_ms, "reset", f"{output.name}: falls by a reset"))
        for event in result.events:
            if event["kind"] == "output" and event["why"].get("output") == output.name:
                pattern = event["why"].get("pattern", "")
                words = f"{output.name} {event['state']} {pattern}".strip()
                lane.items.append(_moment(event["t_ms"], "moment", words))
        lane.items.sort(key=lambda item: item.from_ms)
        yield lane


def _asked(result: Result) -> Iterator[Lane]:
    lanes: dict[str, Lane] = {}
    for fault in result.faults:
        lane = lanes.setdefault(fault.component, Lane(f"{fault.component} (asked)"))
        words = f"asked for: {fault.component} {fault.type}, {fault.text}, {seconds(fault.from_ms)}"
        lane.items.append(Item(fault.from_ms, fault.to_ms, "asked", fault.type, words))
    yield from lanes.values()


def _raised(result: Result) -> Iterator[Lane]:
    for (name, _), events in _of_kind(result, "fault").items():
        lane, open_ = Lane(name), dict[int, Event]()
        for event in events:
            if event["state"] == "raised":
                open_[event["boot"]] = event
            elif event["boot"] in open_:
                lane.items.append(_fault(name, open_.pop(event["boot"]), event["t_ms"]))
        for event in open_.values():
            lane.items.append(_fault(name, event, _end_of_boot(result, event["t_ms"])))
        yield lane


def _fault(name: str, raised: Event, to_ms: float) -> Item:
    label = f"{name} raised at {seconds(raised['t_ms'])}: {_why(raised)}"
    return Item(raised["t_ms"], to_ms, "raised", str(raised["why"].get("reason", "")), label)


def _board(result: Result) -> list[Lane]:
    resets = Lane("resets")
    for reset in result.resets:
        words = f"reset: {reset.cause}, {reset.detail} at {seconds(reset.t_ms)}"
        to_ms = max(reset.boot_ms, reset.t_ms)
        resets.items.append(Item(reset.t_ms, to_ms, "reset", reset.cause, words))
    operator = Lane("operator")
    for action in result.actions:
        done = "" if action.done else ", board not running"
        operator.items.append(_moment(action.t_ms, "operator", f"operator: {action.text}{done}"))
    return [lane for lane in (resets, operator, _students(result)) if lane.items]


PHASES = ("shadow", "probation")
PHASE_ENDS = (*PHASES, "trial", "confirmed", "rolled_back")


def _students(result: Result) -> Lane:
    """Trials of new students, and what else was written down about them."""
    lane, events = Lane("students"), [e for e in result.events if e["kind"] == "update"]
    for index, event in enumerate(events):
        t_ms, state = event["t_ms"], event["state"]
        label = f"students {event['why'].get('version', '')} {state}: {_why(event)}"
        if state not in PHASES:
            lane.items.append(_moment(t_ms, "moment", label))
            continue
        ends = [e["t_ms"] for e in events[index + 1 :] if e["state"] in PHASE_ENDS]
        to_ms = min([*ends[:1], _end_of_boot(result, t_ms)])
        lane.items.append(Item(t_ms, to_ms, "run" if state == "shadow" else "asked", state, label))
    return lane
