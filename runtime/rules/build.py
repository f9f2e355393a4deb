"""From the site file's rules to the engine."""

from __future__ import annotations

from runtime.geometry import ResolvedSite
from runtime.rules.engine import RuleInfo, Rules
from runtime.rules.line import LineRules
from runtime.rules.zone import ZoneRules
from runtime.site import LineRuleConfig, Site, ZoneRuleConfig


def build_rules(site: Site, resolved: ResolvedSite, track_capacity: int) -> Rules:
    """Make every rule of a checked site.

    Args:
        site: as loaded; its names have been checked.
        resolved: its zones and lines in pixels of the source picture.
        track_capacity: slots of the track table.
    """
    indexed = list(enumerate(site.rules))
    zone_rules = [(i, rule) for i, rule in indexed if isinstance(rule, ZoneRuleConfig)]
    line_rules = [(i, rule) for i, rule in indexed if isinstance(rule, LineRuleConfig)]
    bits = {zone.name: bit for bit, zone in enumerate(resolved.zones)}
    centre = sum(1 << bits[zone.name] for zone in resolved.zones if zone.anchor == "centre")
    lines = {line.name: line for line in resolved.lines}
    table = tuple(
        RuleInfo("zone", rule.zone, rule.severity)
        if isinstance(rule, ZoneRuleConfig)
        else RuleInfo("line", rule.line, rule.severity)
        for rule in site.rules
    )
    groups: list[ZoneRules | LineRules] = []
    if zone_rules:
        groups.append(ZoneRules(zone_rules, bits, centre, resolved.zone_map, track_capacity))
    if line_rules:
        groups.append(LineRules(line_rules, lines, track_capacity))
    return Rules(table, tuple(groups))
