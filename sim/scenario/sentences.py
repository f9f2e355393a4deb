"""Expectations in words: what shall happen, and what is allowed."""

from __future__ import annotations

from typing import Any

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
from sim.scenario.schema import Scenario

ROLES = {
    "siren": "the siren",
    "strobe": "the strobe",
    "fault": "the fault relay",
    "buzzer": "the buzzer",
}
ENDS = {
    "planned": "the run ends as planned",
    "camera_gone": "the camera gives up on a camera that is gone",
    "hung": "the loop hangs to the end",
    "dead": "the board is off at the end",
}


def of(expect: Any, scenario: Scenario) -> tuple[str, str]:
    """A sentence, and what is allowed in a few words."""
    when = window(expect, scenario)
    match expect:
        case ExpectEvent():
            return f"{_event(expect)} {when}", _times(expect)
        case ExpectNoEvent():
            return f"no {_event(expect)} {when}", "none"
        case ExpectOutput():
            return f"{_who(expect)} goes {expect.level} {when}", _range(expect)
        case ExpectHolds():
            return f"{_who(expect)} stays {expect.level} {when}", "all the time"
        case ExpectSilent():
            return f"no siren sounds {when}", "silence"
        case ExpectFault():
            return _fault(expect, scenario)
        case ExpectReset():
            cause = f" ({expect.cause.replace('_', ' ')})" if expect.cause else ""
            return f"the board is reset{cause} {when}", _often(expect.count)
        case ExpectNoLoss():
            return "every event that was shown is in the journal", "no loss"
        case ExpectCount():
            ways = {"in": expect.people_in, "out": expect.people_out}
            wanted = ", ".join(f"{n} {way}" for way, n in ways.items() if n is not None)
            return f"{expect.line} counts {wanted} {when}", wanted
        case ExpectExit():
            return ENDS[expect.how], expect.how
    raise TypeError(f"an expectation without words: {expect!r}")


def window(expect: Window, scenario: Scenario) -> str:
    """When, in words."""
    if expect.after is not None:
        first, last, what = expect.from_ms, expect.within_ms or 0, moment(expect.after, scenario)
        if first == 0:
            return f"within {last} ms after {what}"
        if last == 0:
            return f"in the {-first} ms before {what}"
        return f"from {first} to {last} ms after {what}"
    if expect.between_ms is not None:
        return f"between {expect.between_ms[0]} and {expect.between_ms[1]} ms"
    return "at any time"


def moment(what: Moment | None, scenario: Scenario) -> str:
    """A moment in words."""
    if what is None:
        return ""
    again = f" (time {what.nth})" if what.nth > 1 else ""
    for thing in ("enters", "leaves", "crosses", "loses"):
        if value := getattr(what, thing):
            return f"{what.person} {thing} {value}{again}"
    if what.wears:
        return f"{what.person} puts on the {what.wears}{again}"
    if what.action:
        return f"{what.person} begins to {what.action.replace('_', ' ')}{again}"
    if what.appears:
        return f"{what.person} appears{again}"
    if what.operator is not None:
        return f"the operator's {scenario.actions[what.operator].do}"
    if what.boot is not None:
        return f"start {what.boot} after a reset"
    number = what.fault if what.fault is not None else what.fault_ends
    fault = scenario.faults[number or 0]
    end = " ends" if what.fault_ends is not None else ""
    return f"{fault.component} {fault.type.replace('_', ' ')}{end}"


def _who(expect: ExpectOutput | ExpectHolds) -> str:
    return expect.name or ROLES[expect.role]


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _event(expect: ExpectEvent | ExpectNoEvent) -> str:
    words = [expect.kind, expect.rule, expect.zone, expect.state]
    words += [f"{key}={value}" for key, value in expect.why.items()]
    return " ".join(filter(None, words))


def _times(expect: ExpectEvent) -> str:
    if expect.max is None:
        often = "" if expect.min == 1 else f", at least {expect.min} times"
    elif expect.max == expect.min:
        often = f", {_often(expect.min)}"
    else:
        often = f", {expect.min} to {expect.max} times"
    return _range(expect) + often


def _range(expect: Window) -> str:
    if expect.after is not None:
        return f"{expect.from_ms}..{expect.within_ms} ms"
    if expect.between_ms is not None:
        return f"{expect.between_ms[0]}..{expect.between_ms[1]} ms"
    return "any time"


def _fault(expect: ExpectFault, scenario: Scenario) -> tuple[str, str]:
    fault = scenario.faults[expect.of]
    reason = f" ({expect.reason})" if expect.reason else ""
    what = f"{fault.component} {fault.type.replace('_', ' ')}"
    sentence = f"{what} is {expect.shown_as}{reason} and drops the fault relay"
    allowed = f"raised <= {expect.raised_ms} ms"
    if expect.cleared_ms is not None:
        sentence += ", and both recover"
        allowed += f", cleared <= {expect.cleared_ms} ms"
    return sentence, allowed
