"""A record of the journal as one English sentence: who, where, what rule, which values, since when.

The words of each rule kind are in `runtime.alarm_phrases`; a new kind needs one row there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from runtime.alarm_phrases import FAULTS, ONLY, PHRASES, RELAY_STAYS, STATES, Phrase, Value
from runtime.update_words import update

SEVERITY_WORDS = {
    "info": "NOTE",
    "warning": "WARNING",
    "danger": "DANGER",
    "evacuate": "EVACUATE",
}
NOT_TOLD = frozenset(
    (
        "severity", "latch", "since_ms", "since_wall_ms", "siren", "foot_px", "score", "causes",
        "acknowledged", "shelved", "restored", "by", "nth", "state", "tracks", "kind",
    )
)  # fmt: skip
"""Values of a `why` that are told in other words, or are for machines."""
PLAIN = {
    "now": "{who} is a hazard {in_place} by rule {rule}",
    "was": "{who} was a hazard {in_place} by rule {rule}",
    "ended": "{who} is no hazard any more {in_place} by rule {rule}",
}
"""Of a rule kind without a phrase."""
DAY_S = 86_400


UNSAID = {
    "missing": "what is needed",
    "action": "so",
    "kind": "spoilt",
    "all_of": "several rules",
}
"""What a phrase says in place of a value that the record does not hold."""


class _Words(dict[str, str]):
    """Fills a phrase; what the record does not hold is left out of the sentence."""

    def __missing__(self, name: str) -> str:
        return UNSAID.get(name, "")


def sentence(kind: str, body: dict[str, Any], wall_ms: int) -> str:
    """What a record says, with its time of day in UTC.

    Args:
        kind: of the record: "alarm", "hazard", "fault", ...
        body: of the record, as it was queued as an event.
        wall_ms: wall time of the record, ms since 1970; only a label.
    """
    return f"{clock_time(wall_ms)} {told(kind, body, wall_ms)}"


def told(kind: str, body: dict[str, Any], wall_ms: int) -> str:
    """The same without the time of the record."""
    tell = _TELL.get(kind)
    return tell(body, wall_ms) if tell else f"{kind} {body.get('state', '')}".strip()


def clock_time(wall_ms: float) -> str:
    """HH:MM:SS in UTC."""
    if not isfinite(wall_ms):
        return "--:--:--"
    second = int(wall_ms // 1000) % DAY_S
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def quantity(name: str, value: object) -> str:
    """A value with the unit that the ending of its name says."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if not isinstance(value, int | float):
        return str(value)
    if name.endswith("_mm"):
        return f"{value / 1e3:.1f} m"
    if not name.endswith("_ms"):
        return f"{value:g}"
    if value >= 120_000:
        return f"{value / 60_000:.0f} min"
    return f"{value / 1e3:.1f} s"


def cause(body: dict[str, Any], form: str = "now") -> str:
    """Who, where and which values against which limits.

    Args:
        body: of a hazard or alarm record.
        form: "now", "was" or "ended", as in `Phrase`.
    """
    why, kind = _why(body), str(body.get("rule", ""))
    phrase = PHRASES.get(kind)
    words = _words(body, why, kind)
    if phrase is None:
        text, values = PLAIN[form], _plain_values(why)
    else:
        text = _phrase(phrase, kind, str(body.get("state", "")), why, form)
        values = "; ".join(filter(None, (_value(value, why) for value in phrase.values)))
    if form == "ended" and why.get("track_lost"):
        text, values = "{who} has been lost from sight", ""
    text = " ".join(text.format_map(words).split())
    return f"{text} ({values})" if values else text


def _why(body: dict[str, Any]) -> dict[str, Any]:
    why = body.get("why")
    return why if isinstance(why, dict) else {}


def _phrase(phrase: Phrase, kind: str, state: str, why: dict[str, Any], form: str) -> str:
    if state in STATES:
        return STATES[state]
    if form == "now":
        for (of_kind, name), text in ONLY.items():
            if of_kind == kind and why.get(name):
                return text
    return {"now": phrase.now, "was": phrase.was, "ended": phrase.ended}[form]


def _words(body: dict[str, Any], why: dict[str, Any], kind: str) -> _Words:
    named = str(body.get("zone") or "")
    place = f"{'line' if kind == 'line' else 'zone'} {named}" if named else "the picture"
    words = _Words({name: quantity(name, value) for name, value in why.items()})
    words["who"], words["rule"] = _who(body), kind or "of no name"
    words["place"] = place
    words["in_place"] = f"in {place}" if named else ""
    words["to_place"] = f"to {place}" if named else "to somebody else"
    return words


def _who(body: dict[str, Any]) -> str:
    track = body.get("track") or 0
    if isinstance(track, int) and track > 0:
        return f"person #{track}"
    return "somebody"


def _value(value: Value, why: dict[str, Any]) -> str:
    if value.name not in why:
        return ""
    text = value.words.format(quantity(value.name, why[value.name]))
    limit = next((name for name in value.limits if name in why), "")
    return f"{text}; the limit is {quantity(limit, why[limit])}" if limit else text


def _plain_values(why: dict[str, Any]) -> str:
    """Every value by its name; a limit stands beside what it limits, as the rule wrote them."""
    return ", ".join(
        f"{name.removesuffix('_ms').removesuffix('_mm').replace('_', ' ')} {quantity(name, value)}"
        for name, value in why.items()
        if name not in NOT_TOLD and not isinstance(value, dict)
    )


def _since(body: dict[str, Any], wall_ms: int) -> str:
    why = _why(body)
    if isinstance(why.get("since_wall_ms"), int):
        return f", since {clock_time(why['since_wall_ms'])}"
    since_ms, t_ms = why.get("since_ms"), body.get("t_ms")
    if isinstance(since_ms, int | float) and isinstance(t_ms, int | float):
        return f", since {clock_time(wall_ms - (t_ms - since_ms))}"
    return ""


def _by(why: dict[str, Any]) -> str:
    return f" by {why['by']}" if why.get("by") else ""


def _siren(why: dict[str, Any]) -> str:
    if why.get("shelved"):
        return "shelved, so no siren and no lamp"
    return "siren on" if why.get("siren") else "siren silent"


def _alarm(body: dict[str, Any], wall_ms: int) -> str:
    why = _why(body)
    severity = SEVERITY_WORDS.get(str(why.get("severity", "")), "ALARM")
    since, again = _since(body, wall_ms), " (kept over a restart)" if why.get("restored") else ""
    state = str(why.get("state") or "") if body.get("state") == "standing" else body.get("state")
    match state:
        case "active_unacked":
            text = f"{severity}: {cause(body)}{since}; {_siren(why)}, not acknowledged"
        case "active_acked":
            text = f"{severity}: {cause(body)}{since}; acknowledged{_by(why)}, lamp on"
        case "returned_unacked":
            was = cause(body, "was")
            text = f"{severity}, cause gone: {was}{since}; not acknowledged, lamp on"
        case "normal":
            how = f"acknowledged{_by(why)}" if why.get("acknowledged") else "its cause has gone"
            text = f"{severity} ended: {cause(body, 'was')}{since}; {how}"
        case "shelved":
            time = quantity("duration_ms", why.get("duration_ms", 0))
            text = f"{severity} shelved for {time}{_by(why)}: {_which(body)}"
        case "unshelved":
            text = f"{severity} is off the shelf{_by(why)}: {_which(body)}"
        case "dropped":
            text = f"{severity} dropped: the site file no longer has its rule, {_which(body)}"
        case _:
            text = f"{severity} {state}: {_which(body)}"
    return text + again


def _which(body: dict[str, Any]) -> str:
    place, kind = body.get("zone") or "", body.get("rule") or "?"
    return f"rule {kind}" + (f" of {'line' if kind == 'line' else 'zone'} {place}" if place else "")


def _hazard(body: dict[str, Any], wall_ms: int) -> str:
    return cause(body, "ended" if body.get("state") == "cleared" else "now")


def _fault(body: dict[str, Any], wall_ms: int) -> str:
    why, name = _why(body), str(body.get("rule", ""))
    what, reason = FAULTS.get(name, name), why.get("reason", "")
    detail = f"{reason}: {why['detail']}" if why.get("detail") else str(reason)
    if body.get("state") == "cleared":
        return f"fault over: {what} ({detail})"
    relay = "" if name in RELAY_STAYS else "; the fault relay drops"
    return f"FAULT: {what} ({detail}){relay}"


def _operator(body: dict[str, Any], wall_ms: int) -> str:
    why, state = _why(body), str(body.get("state", ""))
    who = why.get("by") or "somebody"
    if body.get("rule") == "self_test":
        reason = f": {why['reason']}" if why.get("reason") else ""
        tested = f" ({quantity('', why['outputs'])})" if why.get("outputs") else ""
        return f"self test {state}{tested}, asked for by {who}{reason}"
    if state == "refused":
        return f"command of {who} refused: {why.get('reason', '')}"
    target = "all alarms" if not body.get("rule") else f"the alarm of {_which(body)}"
    time = f" for {quantity('for_ms', why['for_ms'])}" if why.get("for_ms") else ""
    return f"{who} {state} {target}{time}"


def _output(body: dict[str, Any], wall_ms: int) -> str:
    why = _why(body)
    pattern = f", pattern {why['pattern']}" if why.get("pattern") else ""
    return f"output {why.get('output', '?')} {body.get('state', '')}{pattern}"


def _boot(body: dict[str, Any], wall_ms: int) -> str:
    why = _why(body)
    return f"started on board {why.get('board', '?')} with site {why.get('site', '?')}"


def _shutdown(body: dict[str, Any], wall_ms: int) -> str:
    return f"stopped: {body.get('state', '')}"


_TELL: dict[str, Callable[[dict[str, Any], int], str]] = {
    "alarm": _alarm,
    "hazard": _hazard,
    "fault": _fault,
    "operator": _operator,
    "output": _output,
    "boot": _boot,
    "shutdown": _shutdown,
    "update": update,
}
