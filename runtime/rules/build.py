"""From the site file's rules to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from drivers.interfaces import Clock
from runtime.geometry import ResolvedSite
from runtime.ground import Ground, polygon_m
from runtime.posture import Postures
from runtime.posture_down import DownEvidence
from runtime.predict import lay_corners
from runtime.rules.build_people import PeopleRules, homography_px
from runtime.rules.combined import CombinedRule
from runtime.rules.engine import Group, RuleInfo, Rules
from runtime.rules.entry import EntryRules
from runtime.rules.line import LineRules
from runtime.rules.man_down import ManDownRules
from runtime.rules.plan import PlannedRule, plan_rules
from runtime.rules.ppe import PpeRule, PpeRules
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import Terms
from runtime.rules.view import ViewRules
from runtime.rules.zone import ZoneRule, ZoneRules
from runtime.schedule import make_hours
from runtime.site import Site
from runtime.site_rules import (
    CombinedRuleConfig,
    EntryRuleConfig,
    LineRuleConfig,
    ManDownRuleConfig,
    PpeRuleConfig,
    ViewRuleConfig,
    ZoneRuleConfig,
)
from runtime.view import View
from runtime.wearing import Seen, Wearing

C = TypeVar("C")


class Parts(NamedTuple):
    """What rules are made of.

    Attributes:
        site: as loaded; its names have been checked.
        resolved: its zones and lines in pixels of the source picture.
        plan: the engine's rules.
        scope: theirs.
        bits: zone name -> its bit.
        capacity: slots of the track table.
    """

    site: Site
    resolved: ResolvedSite
    plan: tuple[PlannedRule, ...]
    scope: Scope
    bits: dict[str, int]
    capacity: int

    def of(self, kind: type[C]) -> list[tuple[int, C, PlannedRule]]:
        """(index into the table of rules, rule, plan) for each rule of a kind."""
        return [
            (index, planned.config, planned)
            for index, planned in enumerate(self.plan)
            if isinstance(planned.config, kind)
        ]

    def zones(self, names: Sequence[str]) -> int:
        """Bits of zones, together."""
        return sum({1 << self.bits[name] for name in names})

    def place(self, planned: PlannedRule) -> tuple[int, int]:
        """Bits of the zones that a person must stand in, and of those in which nobody is judged."""
        return self.zones(planned.within), self.zones(planned.exempt)


def build_rules(
    site: Site,
    resolved: ResolvedSite,
    track_capacity: int,
    postures: Postures | None = None,
    clock: Clock | None = None,
    view: View | None = None,
    seen: Seen | None = None,
) -> Rules:
    """Make every rule of a checked site.

    Args:
        site: as loaded; its names have been checked.
        resolved: its zones and lines in pixels of the source picture.
        track_capacity: slots of the track table.
        postures: of the tracks; needed where `runtime.needs` says so.
        clock: for the site's schedules; None: every rule always holds.
        view: of the context; needed where `runtime.needs` says so.
        seen: equipment that the detector found; needed where `runtime.needs` says so.
    """
    plan = plan_rules(site.rules)
    bits = {zone.name: bit for bit, zone in enumerate(resolved.zones)}
    centre = sum(1 << bits[zone.name] for zone in resolved.zones if zone.anchor == "centre")
    hours = make_hours(site, [p.config.schedule for p in plan], clock) if clock else None
    asleep = hours.asleep if hours else None
    scope = Scope(resolved.zone_map, centre, track_capacity, len(plan), list(bits), asleep)
    parts = Parts(site, resolved, plan, scope, bits, track_capacity)
    made = (_zone_rules(parts), _line_rules(parts), _entry_rules(parts))
    groups: list[Group] = [group for group in made if group is not None]
    if postures is not None:
        groups += _body_rules(parts, postures)
    if view is not None:
        view_rules = [(index, rule) for index, rule, _ in parts.of(ViewRuleConfig)]
        groups.append(ViewRules(view_rules, view, scope))
    people = PeopleRules(site, resolved, scope, track_capacity, postures)
    groups += [rule for i, one in enumerate(plan) if (rule := people.make(i, one)) is not None]
    if seen is not None:
        groups += _ppe_rules(parts, seen, postures)
    groups += _combined_rules(parts)
    return Rules(tuple(map(_info, plan, [site] * len(plan))), tuple(groups), scope, hours)


def _info(planned: PlannedRule, site: Site) -> RuleInfo:
    name = site.rules[planned.source].name
    return RuleInfo(planned.kind, planned.place, planned.severity, name, planned.source)


def _zone_rules(parts: Parts) -> Group | None:
    rules = []
    for index, rule, planned in parts.of(ZoneRuleConfig):
        zone, exempt = parts.place(planned)
        terms = Terms(zone, exempt, rule.hold_ms, rule.clear_ms)
        rules.append(ZoneRule(index, parts.scope, parts.capacity, terms))
    return ZoneRules(rules, parts.scope, parts.capacity) if rules else None


def _line_rules(parts: Parts) -> Group | None:
    lines = {line.name: line for line in parts.resolved.lines}
    rules = [(index, rule) for index, rule, _ in parts.of(LineRuleConfig)]
    return LineRules(rules, lines, parts.scope, parts.capacity) if rules else None


def _body_rules(parts: Parts, postures: Postures) -> list[Group]:
    """Rules that judge skeletons."""
    down = parts.of(ManDownRuleConfig)
    if not down:
        return []
    height_px, width_px = parts.resolved.zone_map.shape
    evidence = DownEvidence(postures, (width_px, height_px))
    rules = [(index, rule) for index, rule, _ in down]
    places = [parts.place(planned) for _, _, planned in down]
    return [ManDownRules(rules, places, parts.scope, evidence, parts.capacity)]


def _ppe_rules(parts: Parts, seen: Seen, postures: Postures | None) -> list[Group]:
    """Rules with the same values share their evidence."""
    found, rules = parts.of(PpeRuleConfig), []
    wearings: dict[tuple[float, int], Wearing] = {}
    height_px = parts.resolved.zone_map.shape[0]
    for index, rule, planned in found:
        key = (rule.least_height, rule.memory_ms)
        if key not in wearings:
            wearings[key] = Wearing(seen, postures, height_px, parts.capacity, *key)
        zone, exempt = parts.place(planned)
        terms = Terms(zone, exempt, rule.hold_ms, rule.clear_ms)
        worn, item = wearings[key], rule.needs[0]
        rules.append(PpeRule(index, parts.scope, parts.capacity, terms, wearing=worn, item=item))
    return [PpeRules(rules, list(wearings.values()), parts.scope)] if rules else []


def _combined_rules(parts: Parts) -> list[Group]:
    """Judged last: they ask what the others found."""
    sources = {rule.name: i for i, rule in enumerate(parts.site.rules) if rule.name}
    return [
        CombinedRule(
            index, parts.scope, parts.capacity,
            Terms(hold_ms=rule.hold_ms, clear_ms=rule.clear_ms), names=rule.all_of,
            parts=[_indices(parts, sources[name]) for name in rule.all_of],
        )
        for index, rule, _ in parts.of(CombinedRuleConfig)
    ]  # fmt: skip


def _indices(parts: Parts, source: int) -> list[int]:
    return [index for index, planned in enumerate(parts.plan) if planned.source == source]


def _entry_rules(parts: Parts) -> Group | None:
    """In metres where the site has a ground plane, else in pixels."""
    found = parts.of(EntryRuleConfig)
    if not found:
        return None
    site, resolved, ground = parts.site, parts.resolved, None
    polygons = {zone.name: zone.polygon_px.tolist() for zone in resolved.zones}
    homography = homography_px(site, resolved)
    if homography is not None:
        ground = Ground(homography, parts.capacity)
        mapped = {name: polygon_m(homography, np.array(px)) for name, px in polygons.items()}
        polygons |= {name: metres for name, metres in mapped.items() if metres is not None}
    corners_m = lay_corners([polygons[rule.zone] for _, rule, _ in found])
    rules = [(index, rule) for index, rule, _ in found]
    places = [
        (parts.zones(planned.within), parts.zones((*planned.exempt, rule.zone)))
        for _, rule, planned in found
    ]
    return EntryRules(rules, corners_m, places, parts.scope, ground, parts.capacity)
