"""The status of a camera in words for people: what runs, what is on trial, what to do next.

It reads the dict of `ota.status`; what a camera does not tell is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ota.refusal import REASONS
from ota.technician_words import Table, number, printable, share, size, span, table, text

TRIAL: Final = ("shadow", "probation")
"""Phases in which new students are on trial."""
FAULTS: Final[dict[str, tuple[str, str]]] = {
    "camera_fault": ("it is blind", "look at the lens, the light and the sensor's plug"),
    "npu_fault": ("its network does not answer", "switch the camera off and on"),
    "storage_fault": ("its flash does not take what it writes", "exchange the flash or the camera"),
    "output_fault": ("an output is not what it should be", "look at the wires of siren and lamp"),
    "watchdog_fault": ("its watchdog refuses", "switch the camera off and on"),
    "memory_fault": ("it asked for memory that it may not have", "tell the vendor"),
    "operator_fault": ("a button or the command socket is broken", "look at the buttons' wires"),
    "heat_fault": ("it is too hot", "give it shade and air; look at its heat sink"),
    "loop_fault": ("it is too slow", "look whether it is too hot"),
}
"""Fault -> what it means, and what to do about it."""
SITES: Final = {
    "image": "as it came with the camera",
    "stored": "pushed and kept",
    "trial": "pushed, on trial",
}
WAY_BACK: Final = "; `haetae ota rollback` goes back to it"
NO_WAY_BACK: Final = "; no way back: older than this camera may ever run again"
_WIDTH = 8
NOW_MS: Final = 5000.0
"""Less is "just now"."""


def lines(status: Table) -> list[str]:
    """A few lines: one per thing that a technician asks about; the last says what to do next."""
    rows = [row for part in _PARTS for row in part(status)]
    rows.append(("next", next_step(status)))
    return [f"{label:<{_WIDTH}}  {text}" for label, text in rows]


def students(told: Table) -> str:
    """Which students: "version 2026.12 (release 13)"."""
    version, release = text(told, "version"), number(told, "release")
    if not version or text(told, "from") == "factory":
        return "the students it left the factory with"
    return f"version {version}" + (f" (release {release:.0f})" if release else "")


def phase(update: Table) -> str:
    """Where an update stands, without which one: "on trial, 4 min 10 s left"."""
    match update.get("phase"):
        case "receiving":
            done, whole = number(update, "done") or 0, number(update, "bytes") or 0
            if not whole:
                return "coming in"
            return f"coming in: {share(done, whole)} % ({size(done)} of {size(whole)}) is there"
        case "staged":
            return "has come in whole; its trial begins by itself"
        case "shadow":
            return "on trial: it looks on beside the present students" + _left(update)
        case "probation":
            return "on trial" + _left(update)
    return "none"


def agreement(told: Table) -> str:
    """How far old and new students agree: "sees 38 of the 40 people that the present ones see"."""
    seen, of = told.get("seen"), told.get("of")
    if not isinstance(of, int) or not isinstance(seen, int):
        return ""
    if of == 0:
        return "nobody has walked by yet for a comparison"
    return f"sees {seen} of the {of} people that the students before see"


def outcome(last: Table) -> str:
    """How the last update ended, and why: "rolled back 3 min ago: it does not see ..."."""
    words = {
        "confirmed": "confirmed",
        "rolled_back": "rolled back",
        "abandoned": "given up",
        "damaged": "found damaged",
        "went_back": "went back to the students before",
        "image": "newer than the others when the image changed",
    }
    told = text(last, "outcome")
    if not told:
        return ""
    ago_ms = number(last, "ago_ms")
    when = "" if ago_ms is None else f" {span(ago_ms)} ago" if ago_ms >= NOW_MS else " just now"
    because = "" if told == "went_back" and last.get("reason") == "operator" else why(last)
    return words.get(told, told) + when + (f": {because}" if because else "")


def why(told: Table) -> str:
    """Reason and detail of a refusal or a roll-back, in one sentence."""
    reason, detail = text(told, "reason"), text(told, "detail")
    because = REASONS.get(reason, reason)
    return f"{because} ({detail})" if detail and because else because or detail


def next_step(status: Table) -> str:
    """The one thing to do now."""
    update, last = table(status, "update"), table(status, "last")
    for name in table(table(status, "health"), "faults"):
        return FAULTS.get(name, ("", "tell the vendor"))[1]
    match update.get("phase"):
        case "receiving":
            return "push the same bundle again: it goes on where it stopped"
        case "staged":
            return "wait: look again in a minute"
        case "shadow":
            return "wait; alarms work as ever. `haetae ota rollback` gives the new students up"
        case "probation":
            return "wait, or end it now: `haetae ota confirm`, or `haetae ota rollback`"
    if table(status, "alarms").get("standing"):
        return "look at the alarms: `haetae alarm list`"
    if last.get("outcome") == "rolled_back":
        return "nothing here: the students before go on. Tell whoever made the bundle the reason"
    if table(status, "health").get("healthy") is False:
        return "wait some seconds for the first pictures, then look again"
    return "nothing to do"


def faults(status: Table) -> list[str]:
    """Each fault in words: "it is blind (camera_fault: frozen)"."""
    found = table(table(status, "health"), "faults")
    return [_fault(str(name), str(reason)) for name, reason in found.items()]


def _fault(name: str, reason: str) -> str:
    exact = printable(f"{name}: {reason}" if reason else name)
    return f"{FAULTS[name][0]} ({exact})" if name in FAULTS else exact


def _left(update: Table) -> str:
    left_ms = number(update, "left_ms")
    if left_ms is None:
        return ""
    return f", {span(left_ms)} left" if left_ms > 0 else ", waiting for people to walk by"


Rows = Iterator[tuple[str, str]]


def _camera(status: Table) -> Rows:
    parts = [text(status, "device") or "a camera without a name"]
    parts += [f"{name} {found}" for name in ("board", "runtime") if (found := text(status, name))]
    if (uptime_ms := number(status, "uptime_ms")) is not None:
        parts.append(f"up for {span(uptime_ms)}")
    yield "camera", ", ".join(parts)


def _runs(status: Table) -> Rows:
    now, before = table(status, "students"), table(status, "previous")
    is_tried = _is_same(now, table(status, "update"))
    if now:
        yield "runs", students(now) + (", on trial" if is_tried else "")
    if distrust := text(now, "distrust") or text(status, "distrust"):
        yield "", f"not trusted any more: {REASONS.get(distrust, distrust)}"
    if before and not is_tried and not _is_same(now, before):
        may_run = (number(before, "counter") or 0) >= (number(status, "floor") or 0)
        yield "before", students(before) + (WAY_BACK if may_run else NO_WAY_BACK)


def _is_same(one: Table, other: Table) -> bool:
    return bool(one.get("digest")) and one.get("digest") == other.get("digest")


def _update(status: Table) -> Rows:
    update = table(status, "update")
    if update.get("phase", "idle") == "idle":
        if told := outcome(table(status, "last")):
            yield "update", f"{students(table(status, 'last'))}: {told}"
        return
    yield "update", f"{students(update)}: {phase(update)}"
    if told := agreement(table(update, "agreement")):
        yield "", told


def _site(status: Table) -> Rows:
    site = table(status, "site")
    if not site:
        return
    origin = text(site, "from")
    digest = f"file {text(site, 'digest')[:8]}" if isinstance(site.get("digest"), str) else ""
    known = [text(site, "name") or digest, SITES.get(origin, origin)]
    if any(known):
        yield "site", ", ".join(part for part in known if part)
    last = table(site, "last")
    if text(last, "outcome") == "rolled_back":
        yield "", f"the site file before is back: {why(last)}"


def _health(status: Table) -> Rows:
    found = faults(status)
    for row, fault in enumerate(found):
        yield "" if row else "faults", fault
    if not found and status.get("health"):
        yield "faults", "none"
    if locked := text(status, "storage") or text(status, "locked"):
        yield "flash", f"nothing can be changed: {locked}"


def _alarms(status: Table) -> Rows:
    standing = number(table(status, "alarms"), "standing")
    if standing is not None:
        yield "alarms", f"{standing:.0f} stand{'s' * (standing == 1)}" if standing else "none"


def _memory(status: Table) -> Rows:
    memory = table(status, "memory")
    rss_kb, budget_kb = number(memory, "rss_kb"), number(memory, "budget_kb")
    if rss_kb and budget_kb:
        yield "memory", f"{size(rss_kb * 1024)} of {size(budget_kb * 1024)}"


def _heat(status: Table) -> Rows:
    heat = table(status, "heat")
    celsius, shed = number(heat, "celsius"), int(number(heat, "shed") or 0)
    if celsius is not None:
        left_out = {1: ", far people are left out", 2: ", and so is every second picture"}
        yield (
            "heat",
            f"{celsius:.0f} C" + "".join(left_out[step] for step in (1, 2) if step <= shed),
        )


def _ring(status: Table) -> Rows:
    if ring := number(status, "ring"):
        yield "keys", f"key ring {ring:.0f}"


_PARTS = (_camera, _runs, _update, _site, _health, _alarms, _memory, _heat, _ring)
