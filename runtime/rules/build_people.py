"""From the site file to the rules about posture, distance, number, stay and stillness of people."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.geometry import ResolvedSite
from runtime.ground import F64, fit_ground, in_pixels
from runtime.posture import Postures
from runtime.rules.crowd import CrowdRule
from runtime.rules.immobile import ImmobileRule
from runtime.rules.loiter import LoiterRule
from runtime.rules.places import Outline, Places
from runtime.rules.plan import PlannedRule
from runtime.rules.posture import PostureRule
from runtime.rules.proximity import ToPerson, ToZone
from runtime.rules.scope import Scope
from runtime.rules.slot_rule import Terms
from runtime.site import Site
from runtime.site_rules import (
    CrowdRuleConfig,
    ImmobileRuleConfig,
    LoiterRuleConfig,
    PostureRuleConfig,
    ProximityRuleConfig,
)
from runtime.stillness import Stillness

PeopleRule = PostureRule | ToZone | ToPerson | CrowdRule | LoiterRule | ImmobileRule


class PeopleRules:
    """Makes them, one after the other; they share what is found once per frame.

    Args:
        site: as loaded; its names have been checked.
        resolved: its zones in pixels of the source picture.
        scope: of the engine.
        capacity: number of track slots.
        postures: of the tracks; needed where `runtime.needs` says so.
    """

    def __init__(
        self,
        site: Site,
        resolved: ResolvedSite,
        scope: Scope,
        capacity: int,
        postures: Postures | None,
    ) -> None:
        self._scope, self._capacity, self._postures = scope, capacity, postures
        self._zones = {zone.name: zone for zone in resolved.zones}
        self._bits = {zone.name: 1 << bit for bit, zone in enumerate(resolved.zones)}
        self._homography = homography_px(site, resolved)
        self._still: dict[float, Stillness] = {}
        self._places = Places(self._homography, capacity)

    def make(self, index: int, planned: PlannedRule) -> PeopleRule | None:
        """The rule with this index; None: its kind is none of these."""
        rule = planned.config
        zone, exempt = self._all(planned.within), self._all(planned.exempt)
        common = index, self._scope, self._capacity
        match rule:
            case CrowdRuleConfig():
                return CrowdRule(
                    index, self._scope, zone=zone, at_most=rule.at_most,
                    hold_ms=rule.hold_ms, clear_ms=rule.clear_ms,
                )  # fmt: skip
            case LoiterRuleConfig():
                terms = Terms(zone, exempt, 0, rule.clear_ms)
                return LoiterRule(*common, terms, dwell_ms=rule.dwell_ms)
            case PostureRuleConfig() if self._postures is not None:
                return PostureRule(
                    index, self._scope, self._postures,
                    Terms(zone, exempt, rule.hold_ms, rule.clear_ms),
                    actions=rule.actions, least_score=rule.least_score,
                )  # fmt: skip
            case ImmobileRuleConfig():
                return ImmobileRule(
                    *common, Terms(zone, exempt, 0, rule.clear_ms),
                    stillness=self._stillness(rule.moved_heights), still_ms=rule.still_ms,
                    moved_heights=rule.moved_heights,
                )  # fmt: skip
            case ProximityRuleConfig():
                terms = Terms(zone, exempt, rule.hold_ms, rule.clear_ms)
                places, distance_mm = self._places, rule.distance_mm
                if not rule.zone:
                    return ToPerson(*common, terms, places=places, distance_mm=distance_mm)
                return ToZone(
                    *common, terms, places=places, machine=self._bits[rule.zone],
                    outline=self._outline(rule.zone), distance_mm=distance_mm,
                )  # fmt: skip
            case _:
                return None

    def _stillness(self, moved_heights: float) -> Stillness:
        known = self._still.get(moved_heights)
        if known is None:
            known = Stillness(self._capacity, moved_heights, self._postures)
            self._still[moved_heights] = known
        return known

    def _outline(self, zone: str) -> Outline:
        return Outline(self._zones[zone].polygon_px, self._homography)

    def _all(self, names: Sequence[str]) -> int:
        return sum({self._bits[name] for name in names})


def homography_px(site: Site, resolved: ResolvedSite) -> F64 | None:
    """float64[3, 3]: pixels of the source picture to metres; None: the site has no ground plane."""
    if site.ground is None:
        return None
    height_px, width_px = resolved.zone_map.shape
    scale = (width_px, height_px) if site.units == "fraction" else (1, 1)
    return in_pixels(fit_ground(site.ground), scale)
