"""Numbers and names as a site manager reads them."""

from __future__ import annotations

RULES = {
    "zone": "Person in",
    "line": "Crossing of",
    "entry_predicted": "About to enter",
    "man_down": "Person down",
    "ppe": "Helmet or vest missing",
    "posture": "Posture",
    "proximity": "Too close",
    "crowd": "Too many people",
    "loiter": "Stays too long",
    "immobile": "Does not move",
    "intrusion_of_view": "View covered or moved",
    "combined": "Several at once",
}
FAULTS = {"camera_fault": "no usable picture", "npu_fault": "network gave no result"}
REASONS = {
    "no_frame": "no picture came",
    "frozen": "picture stood still",
    "dark": "picture was dark",
    "covered": "lens covered",
    "no_result": "no result came",
}
WHOLE_PICTURE = "Whole picture"


def rule_words(name: str) -> str:
    """ "zone press" as "Person in press"; a kind not known here as it is called."""
    kind, _, place = name.partition(" ")
    words = RULES.get(kind, kind.replace("_", " ").capitalize())
    return (
        f"{words} {place}".strip()
        if kind in ("zone", "line", "entry_predicted")
        else (f"{words}, {place}" if place else words)
    )


def fault_words(fault: str, reason: str) -> str:
    """Why nobody watched."""
    why = REASONS.get(reason, reason.replace("_", " "))
    words = FAULTS.get(fault, fault.replace("_", " "))
    return f"{words}: {why}" if why else words


def duration(ms: float) -> str:
    """A time in one or two units."""
    seconds = ms / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def percent(part: float, whole: float) -> str:
    """A share; 100 % only where nothing is missing."""
    if whole <= 0:
        return "not known"
    share = 100 * part / whole
    return "100 %" if part >= whole else f"{min(share, 99.9):.1f} %"


def plural(count: int, one: str, more: str = "") -> str:
    """ "1 hour", "2 hours"."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def stay(start_s: int, end_s: int | None) -> str:
    """A class of stays."""
    if end_s is None:
        return f"{_short(start_s)} or longer" if start_s else "any length"
    return f"under {_short(end_s)}" if start_s == 0 else f"{_short(start_s)} to {_short(end_s)}"


def minutes(value: float) -> str:
    """Person-minutes, as seconds or hours where those read better."""
    if value >= 120:
        return f"{value / 60:.3g} h"
    return f"{value:.3g} min" if value >= 2 else f"{value * 60:.3g} s"


def _short(seconds: int) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
