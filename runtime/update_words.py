"""Records of kind "update" in words."""

from __future__ import annotations

from typing import Any, Final

from ota.refusal import REASONS

WORDS: Final[dict[str, str]] = {
    "offered": "UPDATE: {by} offers new students ({done} of {bytes} bytes are there)",
    "received": "UPDATE: new students have come in whole",
    "abandoned": "UPDATE: {by} has given the new students up",
    "trial": "UPDATE: students {version} are tried, time {try} of {of}",
    "shadow": "UPDATE: students {version} look on beside the present ones",
    "probation": "UPDATE: students {version} drive the camera on probation; found {found} of"
    " {people} people whom the present ones found",
    "confirmed": "UPDATE: students {version} stay",
    "rolled_back": "UPDATE: students {version} were rolled back: {why}",
    "went_back": "UPDATE: {by} went back to the students before",
    "damaged": "UPDATE: students on flash were damaged and set aside: {why}",
    "site": "SITE: {by} sent a new site file; the camera starts anew with it",
    "site_confirmed": "SITE: the new site file has proved itself and stays",
    "link_lost": "LINK: {link} cannot be used: {detail}",
    "waits": "UPDATE: the next step could not be done and is tried again: {why}",
    "dead": "UPDATE: {reason}",
    "unavailable": "UPDATE: there are no updates in this run: {reason}",
    "link_refused": "LINK: {command} over {path} was refused: {why}",
}


class _Words(dict[str, Any]):
    """What a record does not hold is told as a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def update(body: dict[str, Any], wall_ms: int) -> str:
    """One sentence; a state without words is told as it is."""
    state, why = str(body.get("state", "")), body.get("why")
    values: dict[str, Any] = why if isinstance(why, dict) else {}
    reason, detail = str(values.get("reason", "")), str(values.get("detail", ""))
    because = "; ".join(part for part in (detail, REASONS.get(reason, reason)) if part)
    words = WORDS.get(state)
    if words is None:
        return f"UPDATE: {state} {because}".strip()
    return words.format_map(_Words({**values, "why": because or "?"}))
