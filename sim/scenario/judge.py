"""Judges a run: each expectation becomes a sentence, a verdict and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sim.scenario import sentences
from sim.scenario.expect import (
    ExpectCount,
    ExpectEvent,
    ExpectExit,
    ExpectFault,
    ExpectHolds,
    ExpectNoEvent,
    ExpectNoLoss,
    ExpectOutput,
    ExpectReset,
    ExpectSilent,
    Moment,
    Window,
)
from sim.scenario.result import Checked
from sim.scenario.seen import Seen

SLACK_MS = 1e-6
"""Times are sums of floats."""


class Span(NamedTuple):
    """A window in time of the scenario; `zero_ms` is the moment that measured times count from."""

    from_ms: float
    to_ms: float
    zero_ms: float

    def holds(self, t_ms: float) -> bool:
        """Both ends belong to it."""
        return self.from_ms - SLACK_MS <= t_ms <= self.to_ms + SLACK_MS


class Finding(NamedTuple):
    """What a look at the run gave: met or not, in words, and when it was decided."""

    ok: bool
    measured: str
    at_ms: float | None = None


def judge(seen: Seen) -> list[Checked]:
    """All expectations of the scenario, in the order of the file."""
    return [_judge_one(expect, seen) for expect in seen.scenario.expect]


def _judge_one(expect: Any, seen: Seen) -> Checked:
    span = span_of(expect, seen)
    sentence, allowed = sentences.of(expect, seen.scenario)
    finding = (
        Finding(False, f"{sentences.moment(expect.after, seen.scenario)}: it never happened")
        if span is None
        else _look(expect, span, seen)
    )
    return Checked(
        that=expect.__struct_config__.tag,
        sentence=sentence,
        ok=finding.ok,
        measured=finding.measured,
        allowed=allowed,
        from_ms=span.from_ms if span else None,
        to_ms=span.to_ms if span else None,
        at_ms=finding.at_ms,
        note=expect.note,
    )


def span_of(window: Window, seen: Seen) -> Span | None:
    """When an expectation holds; None when the moment that it hangs on never came."""
    if window.after is not None:
        times = moment_times(window.after, seen)
        if len(times) < window.after.nth:
            return None
        zero_ms = times[window.after.nth - 1]
        return Span(zero_ms + window.from_ms, zero_ms + (window.within_ms or 0), zero_ms)
    start, end = window.between_ms or (0, seen.scenario.duration_ms)
    return Span(start, end, 0.0)


def moment_times(moment: Moment, seen: Seen) -> list[float]:
    """Every time at which a moment came, ms."""
    if moment.fault is not None:
        return [fault.from_ms for fault in seen.faults if fault.number == moment.fault]
    if moment.fault_ends is not None:
        return [fault.to_ms for fault in seen.faults if fault.number == moment.fault_ends]
    if moment.operator is not None:
        return [float(seen.scenario.actions[moment.operator].at_ms)]
    if moment.boot is not None:
        return [reset.boot_ms for reset in seen.resets[moment.boot - 1 : moment.boot]]
    return seen.truth.moments(moment, seen.scenario.world)


def _look(expect: Any, span: Span, seen: Seen) -> Finding:
    match expect:
        case ExpectEvent():
            return _event(expect, span, seen)
        case ExpectNoEvent():
            return _no_event(expect, span, seen)
        case ExpectOutput():
            return _output(expect, span, seen)
        case ExpectHolds():
            names = names_of(expect.role, expect.name, seen)
            return _holds(names, expect.level == "on", span, seen)
        case ExpectSilent():
            return _holds(names_of("siren", "", seen), False, span, seen)
        case ExpectFault():
            return _fault(expect, seen)
        case ExpectReset():
            found = [r for r in seen.resets if expect.cause in (None, r.cause)]
            inside = [reset for reset in found if span.holds(reset.t_ms)]
            words = ", ".join(f"{r.cause} at {r.t_ms:.0f} ms" for r in inside) or "no reset"
            return Finding(len(inside) == expect.count, words, inside[0].t_ms if inside else None)
        case ExpectNoLoss():
            return _no_loss(seen)
        case ExpectCount():
            return _count(expect, span, seen)
        case ExpectExit():
            return Finding(seen.end == expect.how, f"{seen.end} at {seen.end_ms:.0f} ms")
    raise TypeError(f"an expectation that nobody judges: {expect!r}")


def matching(expect: ExpectEvent | ExpectNoEvent, seen: Seen) -> Iterator[dict[str, Any]]:
    """Event lines that fit the filters, at any time."""
    for event in seen.events:
        if event["kind"] != expect.kind:
            continue
        if any(
            wanted and event[key] != wanted
            for key, wanted in (
                ("rule", expect.rule),
                ("zone", expect.zone),
                ("state", expect.state),
            )
        ):
            continue
        if all(event["why"].get(key) == value for key, value in expect.why.items()):
            yield event


def _event(expect: ExpectEvent, span: Span, seen: Seen) -> Finding:
    times = [float(event["t_ms"]) for event in matching(expect, seen)]
    inside = [t_ms for t_ms in times if span.holds(t_ms)]
    enough = len(inside) >= expect.min
    ok = enough and (expect.max is None or len(inside) <= expect.max)
    if not inside:
        near = min(times, key=lambda t_ms: abs(t_ms - span.from_ms), default=None)
        outside = "none at all" if near is None else f"none; the nearest at {near:.0f} ms"
        return Finding(ok, outside, near)
    first = inside[0] - span.zero_ms
    often = f", {len(inside)} times" if len(inside) > 1 else ""
    return Finding(ok, f"{first:.0f} ms{often}", inside[0])


def _no_event(expect: ExpectNoEvent, span: Span, seen: Seen) -> Finding:
    for event in matching(expect, seen):
        if span.holds(event["t_ms"]):
            what = " ".join(filter(None, (event["rule"], event["zone"], event["state"])))
            return Finding(False, f"{what} at {event['t_ms']:.0f} ms", float(event["t_ms"]))
    return Finding(True, "none")


def names_of(role: str, name: str, seen: Seen) -> list[str]:
    """Outputs that an expectation is about."""
    return [name] if name else [out.name for out in seen.outputs if out.role == role]


def _output(expect: ExpectOutput, span: Span, seen: Seen) -> Finding:
    """Every one of the outputs has an edge to the level in the window."""
    level, latest = expect.level == "on", None
    for name in names_of(expect.role, expect.name, seen):
        times = [e.t_ms for e in seen.edges if e.name == name and e.level is level]
        inside = [t_ms for t_ms in times if span.holds(t_ms)]
        if not inside:
            near = min(times, key=lambda t_ms: abs(t_ms - span.from_ms), default=None)
            where = "never" if near is None else f"not in time; the nearest at {near:.0f} ms"
            return Finding(False, f"{name} {expect.level} {where}", near)
        latest = max(inside[0], latest if latest is not None else inside[0])
    if latest is None:
        return Finding(False, "the board has no such output")
    return Finding(True, f"{latest - span.zero_ms:.0f} ms", latest)


def level_at(name: str, t_ms: float, seen: Seen) -> bool:
    """Level of an output just before a moment."""
    level = next(out.on_boot for out in seen.outputs if out.name == name)
    for edge in seen.edges:
        if edge.name == name and edge.t_ms < t_ms:
            level = edge.level
    return level


def _holds(names: list[str], level: bool, span: Span, seen: Seen) -> Finding:
    """No other level at any time of the window; one that begins with an edge begins after it."""
    for name in names:
        first = [e for e in seen.edges if e.name == name and e.t_ms == span.from_ms]
        start = first[-1].level if first else level_at(name, span.from_ms, seen)
        if start is not level:
            return Finding(False, f"{name} {_word(start)} at the beginning", span.from_ms)
        for edge in seen.edges:
            broken = edge.name == name and edge.level is not level
            if broken and span.from_ms < edge.t_ms and span.holds(edge.t_ms):
                return Finding(
                    False, f"{name} {_word(edge.level)} at {edge.t_ms:.0f} ms", edge.t_ms
                )
    return Finding(True, "all the time")


def _word(level: bool) -> str:
    return "on" if level else "off"


def _fault(expect: ExpectFault, seen: Seen) -> Finding:
    """Event and relay, at the beginning and at the end."""
    fault = next((fault for fault in seen.faults if fault.number == expect.of), None)
    if fault is None:
        return Finding(False, "the fault was never played")
    raised = _first_after(seen, expect, "raised", fault.from_ms)
    dropped = _relay_after(seen, False, fault.from_ms)
    words = [_since("raised", raised, fault.from_ms), _since("relay off", dropped, fault.from_ms)]
    ok = all(_by(t_ms, fault.from_ms + expect.raised_ms) for t_ms in (raised, dropped))
    if expect.cleared_ms is not None:
        cleared = _first_after(seen, expect, "cleared", fault.to_ms)
        closed = _relay_after(seen, True, fault.to_ms)
        words += [_since("cleared", cleared, fault.to_ms), _since("relay on", closed, fault.to_ms)]
        ok &= all(_by(t_ms, fault.to_ms + expect.cleared_ms) for t_ms in (cleared, closed))
    return Finding(ok, ", ".join(words), raised)


def _first_after(seen: Seen, expect: ExpectFault, state: str, from_ms: float) -> float | None:
    for event in seen.events:
        fits = event["kind"] == "fault" and event["rule"] == expect.shown_as
        fits = fits and event["state"] == state and event["t_ms"] >= from_ms - SLACK_MS
        wanted = expect.reason if state == "raised" else ""
        if fits and wanted in ("", event["why"].get("reason")):
            return float(event["t_ms"])
    return None


def _relay_after(seen: Seen, level: bool, from_ms: float) -> float | None:
    """When all fault relays had the level, from a moment on; that moment when they had it."""
    times = []
    for name in names_of("fault", "", seen):
        if level_at(name, from_ms, seen) is level:
            times.append(from_ms)
            continue
        edges = (e for e in seen.edges if e.name == name and e.level is level)
        times.append(next((e.t_ms for e in edges if e.t_ms >= from_ms), float("inf")))
    latest = max(times)
    return None if latest == float("inf") else latest


def _by(t_ms: float | None, limit_ms: float) -> bool:
    return t_ms is not None and t_ms <= limit_ms + SLACK_MS


def _since(what: str, t_ms: float | None, zero_ms: float) -> str:
    return f"{what} never" if t_ms is None else f"{what} after {t_ms - zero_ms:.0f} ms"


def _no_loss(seen: Seen) -> Finding:
    """Shown means durable: only what the ring overwrote, or a fault destroyed, may be gone."""
    missing = [
        event
        for event in seen.events
        if event["seq"] >= seen.oldest_kept
        and event["seq"] not in seen.torn
        and not _is_kept(event, seen.journal.get(event["seq"]))
    ]
    if not missing:
        return Finding(True, f"{len(seen.events)} events, none lost")
    first = missing[0]
    text = f"{len(missing)} lost; the first is {first['seq']}: {first['kind']} {first['state']}"
    return Finding(False, text, float(first["t_ms"]))


def _is_kept(event: dict[str, Any], body: dict[str, Any] | None) -> bool:
    return body is not None and all(
        body.get(key) == event[key] for key in ("kind", "state", "rule")
    )


def _count(expect: ExpectCount, span: Span, seen: Seen) -> Finding:
    """Crossings that the firmware counted in the window."""
    got = {"in": 0, "out": 0}
    for event in seen.events:
        is_line = event["kind"] == "hazard" and event["zone"] == expect.line
        if is_line and event["state"] in got and span.holds(event["t_ms"]):
            got[event["state"]] += 1
    wanted = {"in": expect.people_in, "out": expect.people_out}
    ok = all(number is None or got[way] == number for way, number in wanted.items())
    return Finding(ok, f"{got['in']} in, {got['out']} out")
