"""From a site's rules to the engine's: one with two needs, or with overrides, becomes several.

A person is judged by exactly one of them: by the first override whose zone they stand in, else by
the rule itself. So each override is a rule of its own, with its zone's values, and whoever stands
there is exempt from the ones after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from runtime.site_rules import (
    ABOUT_ANOTHER_PLACE,
    LineRuleConfig,
    OverrideConfig,
    PpeRuleConfig,
    RuleConfig,
    Severity,
)


@dataclass(frozen=True)
class PlannedRule:
    """One rule of the engine; its index is its place among all of them.

    Attributes:
        source: index into the site file's rules.
        config: with the override's values, where it is one.
        within: zones that a person must stand in to be judged, in all of them.
        exempt: zones in which nobody is judged.
        override: zone of the override that it is, or "".
    """

    source: int
    config: RuleConfig
    within: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    override: str = ""

    @property
    def kind(self) -> str:
        """As in the site file."""
        return str(self.config.__struct_config__.tag)

    @property
    def place(self) -> str:
        """The zone or line that it is about; of an override without one, the override's."""
        if isinstance(self.config, LineRuleConfig):
            return self.config.line
        return getattr(self.config, "zone", "") or self.override

    @property
    def severity(self) -> Severity:
        """Of its hazards."""
        return self.config.severity


def plan_rules(rules: Sequence[RuleConfig]) -> tuple[PlannedRule, ...]:
    """The engine's rules in the order of the site file, the overrides of a rule after it.

    A `ppe` rule becomes one for each item that it needs, as somebody may miss both.
    """
    return tuple(
        planned
        for i, rule in enumerate(rules)
        for single in _singles(rule)
        for planned in _expand(i, single)
    )


def _singles(rule: RuleConfig) -> list[RuleConfig]:
    if isinstance(rule, PpeRuleConfig):
        return [replace(rule, needs=[item]) for item in rule.needs]
    return [rule]


def _expand(source: int, rule: RuleConfig) -> list[PlannedRule]:
    overrides: Sequence[OverrideConfig] = getattr(rule, "overrides", ())
    exempt = tuple(getattr(rule, "exempt_zones", ()))
    zones = tuple(override.zone for override in overrides)
    own = () if isinstance(rule, ABOUT_ANOTHER_PLACE) else (getattr(rule, "zone", ""),)
    within = tuple(filter(None, own))
    found = [PlannedRule(source, rule, within, exempt + zones)]
    for i, override in enumerate(overrides):
        zone, config = override.zone, _with(rule, override)
        found.append(PlannedRule(source, config, (*within, zone), exempt + zones[:i], zone))
    return found


def _with(rule: RuleConfig, override: OverrideConfig) -> RuleConfig:
    """The rule with the values that the override gives."""
    values = {
        key: value
        for key in ("severity", "hold_ms", "clear_ms")
        if (value := getattr(override, key)) is not None
    }
    return replace(rule, **values)
