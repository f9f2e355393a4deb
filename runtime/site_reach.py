"""Rules of a site that nobody could ever be judged by, as its zones lie in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.toml_strict import Complaint
from runtime.rules.plan import PlannedRule, plan_rules
from runtime.site import Site
from runtime.site_rules import ManDownRuleConfig, OverrideConfig

ZoneMap = npt.NDArray[np.unsignedinteger[Any]]


def unreachable(site: Site, zone_map: ZoneMap) -> Iterator[Complaint]:
    """Rules and overrides whose zones do not overlap, or lie in exempt ones altogether.

    Args:
        site: its names have been checked.
        zone_map: unsigned[H, W], bit z is set where zone z is.
    """
    bits = {zone.name: 1 << z for z, zone in enumerate(site.zones)}
    anchors = {zone.name: zone.anchor for zone in site.zones}
    for planned in plan_rules(site.rules):
        if isinstance(planned.config, ManDownRuleConfig) or not planned.within:
            continue  # foot or centre of who lies may be in a zone
        exempt_zones = _exempt(site, planned)
        if len({anchors[name] for name in (*planned.within, *exempt_zones)}) > 1:
            continue  # the foot may be in one while the centre is in the other
        need, exempt = _bits(bits, planned.within), _bits(bits, exempt_zones)
        mask = zone_map.dtype.type(need | exempt)
        if not bool(((zone_map & mask) == need).any()):
            yield _complaint(site, planned, exempt_zones)


def _exempt(site: Site, planned: PlannedRule) -> Sequence[str]:
    """A rule may leave everybody to its overrides, but not to nobody."""
    if planned.override:
        return planned.exempt
    exempt: Sequence[str] = getattr(site.rules[planned.source], "exempt_zones", ())
    return exempt


def _bits(bits: dict[str, int], names: Sequence[str]) -> int:
    return sum({bits[name] for name in names})


def _complaint(site: Site, planned: PlannedRule, exempt_zones: Sequence[str]) -> Complaint:
    key = f"rules[{planned.source}]"
    if planned.override:
        overrides: list[OverrideConfig] = getattr(site.rules[planned.source], "overrides", [])
        zones = [override.zone for override in overrides]
        key = f"{key}.overrides[{zones.index(planned.override)}]"
    allowed = f"nobody can stand in {' and '.join(planned.within)}"
    if exempt_zones:
        allowed += f" and not in {' or '.join(exempt_zones)}"
    return f"{key}.zone", planned.within[-1], f"{allowed}: nobody would be judged"
