"""From the site file's rules to the engine."""

from __future__ import annotations

import numpy as np

from runtime.geometry import ResolvedSite
from runtime.ground import Ground, fit_ground, in_pixels, polygon_m
from runtime.posture import Postures
from runtime.posture_down import DownEvidence
from runtime.predict import lay_corners
from runtime.rules.engine import Group, RuleInfo, Rules
from runtime.rules.entry import EntryRules
from runtime.rules.line import LineRules
from runtime.rules.man_down import ManDownRules
from runtime.rules.scope import Scope
from runtime.rules.zone import ZoneRules
from runtime.site import Site
from runtime.site_rules import (
    EntryRuleConfig,
    LineRuleConfig,
    ManDownRuleConfig,
    RuleConfig,
    ZoneRuleConfig,
)


def build_rules(
    site: Site, resolved: ResolvedSite, track_capacity: int, postures: Postures | None = None
) -> Rules:
    """Make every rule of a checked site.

    Args:
        site: as loaded; its names have been checked.
        resolved: its zones and lines in pixels of the source picture.
        track_capacity: slots of the track table.
        postures: of the tracks; needed where `runtime.needs` says so.
    """
    indexed = list(enumerate(site.rules))
    zone_rules = [(i, rule) for i, rule in indexed if isinstance(rule, ZoneRuleConfig)]
    line_rules = [(i, rule) for i, rule in indexed if isinstance(rule, LineRuleConfig)]
    bits = {zone.name: bit for bit, zone in enumerate(resolved.zones)}
    centre = sum(1 << bits[zone.name] for zone in resolved.zones if zone.anchor == "centre")
    scope = Scope(resolved.zone_map, centre, track_capacity, len(site.rules))
    lines = {line.name: line for line in resolved.lines}
    groups: list[Group] = []
    if zone_rules:
        groups.append(ZoneRules(zone_rules, bits, centre, resolved.zone_map, track_capacity))
    if line_rules:
        groups.append(LineRules(line_rules, lines, track_capacity))
    if any(isinstance(rule, EntryRuleConfig) for rule in site.rules):
        groups.append(_entry_rules(site, resolved, bits, track_capacity))
    down_rules = [(i, rule) for i, rule in indexed if isinstance(rule, ManDownRuleConfig)]
    if down_rules and postures is not None:
        height_px, width_px = resolved.zone_map.shape
        evidence = DownEvidence(postures, (width_px, height_px))
        groups.append(ManDownRules(down_rules, bits, resolved.zone_map, evidence, track_capacity))
    return Rules(tuple(map(_info, site.rules)), tuple(groups), scope)


def _info(rule: RuleConfig) -> RuleInfo:
    match rule:
        case ZoneRuleConfig():
            return RuleInfo("zone", rule.zone, rule.severity)
        case EntryRuleConfig():
            return RuleInfo("entry_predicted", rule.zone, rule.severity)
        case ManDownRuleConfig():
            return RuleInfo("man_down", rule.zone, rule.severity)
        case LineRuleConfig():
            return RuleInfo("line", rule.line, rule.severity)


def _entry_rules(
    site: Site, resolved: ResolvedSite, bits: dict[str, int], capacity: int
) -> EntryRules:
    """In metres where the site has a ground plane, else in pixels."""
    rules = [(i, rule) for i, rule in enumerate(site.rules) if isinstance(rule, EntryRuleConfig)]
    polygons = {zone.name: zone.polygon_px.tolist() for zone in resolved.zones}
    ground = None
    if site.ground is not None:
        height_px, width_px = resolved.zone_map.shape
        scale = (width_px, height_px) if site.units == "fraction" else (1, 1)
        homography = in_pixels(fit_ground(site.ground), scale)
        ground = Ground(homography, capacity)
        mapped = {name: polygon_m(homography, np.array(px)) for name, px in polygons.items()}
        polygons |= {name: metres for name, metres in mapped.items() if metres is not None}
    wanted = [rule.zone for _, rule in rules]
    corners_m = lay_corners([polygons[name] for name in wanted])
    zone_bits = [bits[name] for name in wanted]
    return EntryRules(rules, corners_m, zone_bits, resolved.zone_map, ground, capacity)
