"""A site that is written in a scenario: its rules there, its zones and lines those of the world."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, get_args

from msgspec import UNSET

from drivers.toml_strict import ConfigErrors, Mistake, check_strict
from runtime.geometry import resolve_site
from runtime.site import Site
from runtime.site_check import CHECKS, MAX_CORNERS
from runtime.site_rules import RuleConfig
from sim.scenario.schema import LATER_RULES, Scenario
from sim.scenario.survey import measure
from sim.world.config import LineConfig

Point = tuple[float, float]
Ground = Callable[[Sequence[Point], int], Sequence[Point]]
"""Corners on the ground, metres, and steps per edge -> pixels (`World.ground_polygon`)."""
Project = Callable[[Sequence[Point]], Sequence[Point]]
"""Points on the ground, metres -> pixels."""

KNOWN_RULES = tuple(str(kind.__struct_config__.tag) for kind in get_args(RuleConfig))
UNBUILT = frozenset(LATER_RULES) - frozenset(KNOWN_RULES)
"""Kinds that a scenario may only wait for."""
STEPS = 8
"""Pieces per edge of a zone: straight lines on the ground bend in the picture."""
DRAWN = {"mode": "people", "learn_ms": 5000}
"""Nobody real is in a simulated world, and it is a short one."""
_SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
_LINE = {"start": [0.1, 0.5], "end": [0.9, 0.5]}
CORNER_DIGITS = 2
NOT_OF_A_SITE = ("file", "anchors", "ground", "extra")


def check(file: str, raw: dict[str, Any]) -> None:
    """Find mistakes before there is a world: every shape stands in for where it will be.

    A rule of a later kind is no mistake where the scenario waits for something; nothing more can
    be said about its site then.

    Raises:
        ConfigErrors: with the keys of the scenario file.
    """
    site = raw.get("site", {})
    rules = site.get("rules", [])
    kinds = [rule.get("kind") for rule in rules if isinstance(rule, dict)]
    if raw.get("waits_for") and any(kind in UNBUILT for kind in kinds):
        return
    table = _table(raw.get("name", "?"), site, units="fraction")
    table["zones"] = [{"name": name, "polygon": _SQUARE} for name in _names(raw, "zones")]
    table["lines"] = [{"name": name, **_LINE} for name in _names(raw, "lines")]
    try:
        check_strict(file, table, Site, CHECKS)
    except ConfigErrors as errors:
        raise ConfigErrors([_renamed(mistake) for mistake in errors.mistakes]) from None


def build(
    scenario: Scenario, file: str, ground: Ground, project: Project, size_px: tuple[int, int]
) -> Site:
    """The site in pixels of the scenario's camera.

    Args:
        scenario: checked.
        file: for mistakes.
        ground, project: of the world.
        size_px: of the picture.

    Raises:
        ConfigErrors: a zone that the camera does not see, or a rule kind that is not there yet.
    """
    choice = scenario.site
    raw = {"rules": choice.rules, "tracking": choice.tracking, "alarm": choice.alarm}
    raw |= {"schedules": choice.schedules, "timezone": choice.timezone}
    table = _table(scenario.name, {**raw, **choice.extra}, units="pixel")
    zones, lines = _zones(scenario, ground), _lines(scenario, project)
    unseen = [f"world.zones[{i}]" for i, zone in enumerate(zones) if not zone["polygon"]]
    unseen += [
        f"world.lines[{i}]"
        for i, line in enumerate(lines)
        if not _is_finite(line["start"], line["end"])
    ]
    if unseen:
        allowed = "lies outside of the picture: the camera does not see it"
        raise ConfigErrors([Mistake(file, key, UNSET, allowed) for key in unseen])
    table["zones"], table["lines"] = zones, lines
    if choice.ground:
        table["ground"] = measure(scenario.world, project, size_px)
    try:
        site = check_strict(file, table, Site, CHECKS)
        resolve_site(site, *size_px, file)
        return site
    except ConfigErrors as errors:
        raise ConfigErrors([_renamed(mistake) for mistake in errors.mistakes]) from None


def _zones(scenario: Scenario, ground: Ground) -> list[dict[str, Any]]:
    anchors = scenario.site.anchors
    return [
        {
            "name": zone.name,
            "polygon": _rounded(ground(zone.polygon_m, _steps(len(zone.polygon_m)))),
            "anchor": anchors.get(zone.name, "foot"),
        }
        for zone in scenario.world.zones
    ]


def _lines(scenario: Scenario, project: Project) -> list[dict[str, Any]]:
    anchors, rows = scenario.site.anchors, []
    for line in scenario.world.lines:
        start, end = ([round(float(v), CORNER_DIGITS) for v in p] for p in _ends(line, project))
        row = {"name": line.name, "start": start, "end": end, "in_side": line.in_side}
        rows.append({**row, "anchor": anchors.get(line.name, "foot")})
    return rows


def _ends(line: LineConfig, project: Project) -> Sequence[Point]:
    return project([line.start_m, line.end_m])


def _is_finite(*points: list[float]) -> bool:
    """A point behind the camera has no place in the picture."""
    return all(math.isfinite(value) for point in points for value in point)


def _table(name: str, site: dict[str, Any], units: str) -> dict[str, Any]:
    own = {key: value for key, value in site.items() if key not in NOT_OF_A_SITE}
    plain = {"zones": [], "lines": [], "rules": [], "privacy": DRAWN}
    return {"format": 1, "name": name, "units": units, **plain, **own}


def _names(raw: dict[str, Any], what: str) -> list[str]:
    world = raw.get("world", {})
    listed = world.get(what, []) if isinstance(world, dict) else []
    listed = listed if isinstance(listed, list) else []
    return [str(item["name"]) for item in listed if isinstance(item, dict) and item.get("name")]


def _renamed(mistake: Mistake) -> Mistake:
    room = "world" if mistake.key.startswith(("zones", "lines")) else "site"
    return mistake._replace(key=f"{room}.{mistake.key}")


def _steps(corners: int) -> int:
    """Pieces per edge, so that the polygon keeps within what a site may have when it is cut."""
    return max(1, min(STEPS, (MAX_CORNERS - 4) // max(corners, 1)))


def _rounded(points: Sequence[Point]) -> list[list[float]]:
    """To 1/100 pixel, without neighbours that fall together."""
    kept: list[list[float]] = []
    for x, y in points:
        point = [round(float(x), CORNER_DIGITS), round(float(y), CORNER_DIGITS)]
        if not kept or point != kept[-1]:
            kept.append(point)
    return kept[:-1] if len(kept) > 1 and kept[0] == kept[-1] else kept


def later_rules(scenario: Scenario) -> list[str]:
    """Kinds of the site's rules that the runtime does not know yet."""
    kinds = {str(rule.get("kind")) for rule in scenario.site.rules}
    return sorted(kinds & UNBUILT)
