"""Read a site file: what its values must be to one another, before any picture is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import UNSET

from drivers.toml_strict import Check, Complaint, load_strict
from runtime import alarm_check, counts_config
from runtime.geometry import MAX_ZONES, polygon_problem
from runtime.ground import GroundRefused, fit_ground
from runtime.site import GroundConfig, LineConfig, Point, Site, ZoneConfig
from runtime.site_rule_check import RULE_CHECKS
from runtime.site_rules import RuleConfig
from runtime.site_schedule import SCHEDULE_CHECKS

MAX_CORNERS = 64
"""Corners of one polygon; more is a drawing mistake, and the crossing test is quadratic."""
LEAST, MOST = -1.0, 2.0
"""A fraction outside of this is most likely a pixel value."""


def load_site(path: str | Path) -> Site:
    """Read a site file. `resolve_site` judges what depends on the size of the picture.

    Raises:
        ConfigErrors: every mistake in it.
    """
    return load_strict(path, Site, CHECKS)


def _unique(what: str, most: int) -> Callable[[dict[str, str]], Iterator[Complaint]]:
    """Check that names are not empty, differ, and are not too many."""

    def run(names: dict[str, str]) -> Iterator[Complaint]:
        if len(names) > most:
            yield f"{what}s", UNSET, f"at most {most} {what}s are possible, there are {len(names)}"
        first: dict[str, str] = {}
        for key, name in names.items():
            if not name:
                yield key, name, "must not be empty"
            elif first.setdefault(name, key) != key:
                yield key, name, f"must be unique; {first[name]} is the same"

    return run


def _polygons(zones: dict[str, ZoneConfig]) -> Iterator[Complaint]:
    for key, zone in zones.items():
        key = f"{key}.polygon"
        if len(zone.polygon) > MAX_CORNERS:
            yield key, UNSET, f"must have at most {MAX_CORNERS} corners, has {len(zone.polygon)}"
        elif problem := polygon_problem(zone.polygon):
            yield key, zone.polygon, problem


def _line_lengths(lines: dict[str, LineConfig]) -> Iterator[Complaint]:
    for key, line in lines.items():
        if line.start == line.end:
            yield f"{key}.end", line.end, "must differ from start: a line needs a length"


def _fractions(units: str, coordinates: dict[str, float]) -> Iterator[Complaint]:
    for key, value in coordinates.items():
        if units == "fraction" and not LEAST <= value <= MOST:
            allowed = f"must be >= {LEAST:g} and <= {MOST:g}, a fraction of the picture"
            yield key, value, f'{allowed}; for pixels say units = "pixel"'


def _pixels(
    units: str, zones: dict[str, ZoneConfig], lines: dict[str, LineConfig]
) -> Iterator[Complaint]:
    """A shape of a pixel or two is one that was drawn in fractions."""
    shapes: dict[str, list[Point]] = {f"{key}.polygon": z.polygon for key, z in zones.items()}
    shapes |= {f"{key}.end": [line.start, line.end] for key, line in lines.items()}
    for key, points in shapes.items():
        if units == "pixel" and all(LEAST <= value <= MOST for point in points for value in point):
            yield key, points, 'must be in pixels; for fractions say units = "fraction"'


def _some_rule(rules: list[RuleConfig]) -> Iterator[Complaint]:
    if not rules:
        yield "rules", UNSET, "must hold at least one rule: this camera would watch for nothing"


def _ground(ground: GroundConfig | None) -> Iterator[Complaint]:
    """The point pairs must give a plane."""
    if ground is None:
        return
    try:
        fit_ground(ground)
    except GroundRefused as refused:
        yield f"ground.{refused.key}", getattr(ground, refused.key), refused.allowed


CHECKS = (
    Check(("rules",), _some_rule),
    Check(("zones[].name",), _unique("zone", MAX_ZONES)),
    Check(("lines[].name",), _unique("line", MAX_ZONES)),
    Check(("zones[]",), _polygons),
    Check(("lines[]",), _line_lengths),
    Check(("units", "zones[].polygon[][]"), _fractions),
    Check(("units", "lines[].start[]"), _fractions),
    Check(("units", "lines[].end[]"), _fractions),
    Check(("units", "zones[]", "lines[]"), _pixels),
    *SCHEDULE_CHECKS,
    *RULE_CHECKS,
    Check(("ground",), _ground),
    *alarm_check.CHECKS,
    *counts_config.CHECKS,
)
