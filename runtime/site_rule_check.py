"""What the rules of a site file must be to its zones, its lines and one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET, structs

from drivers.toml_strict import Check, Complaint
from runtime.site_rules import (
    ABOUT_ANOTHER_PLACE,
    CombinedRuleConfig,
    LineRuleConfig,
    ManDownRuleConfig,
    OverrideConfig,
    PpeRuleConfig,
    RuleConfig,
)

Rules = dict[str, RuleConfig]


def _references(rules: Rules, zones: dict[str, str], lines: dict[str, str]) -> Iterator[Complaint]:
    """Every rule must name zones and lines that exist."""
    for key, rule in rules.items():
        if isinstance(rule, LineRuleConfig):
            yield from _unknown(f"{key}.line", rule.line, "line", list(lines.values()))
            continue
        named = {f"{key}.exempt_zones[{i}]": name for i, name in enumerate(_exempt(rule))}
        named |= {f"{key}.overrides[{i}].zone": o.zone for i, o in enumerate(_overrides(rule))}
        if _names_a_zone(rule):
            named[f"{key}.zone"] = _zone(rule)
        for where, name in named.items():
            yield from _unknown(where, name, "zone", list(zones.values()))


def _names_a_zone(rule: RuleConfig) -> bool:
    """It has a zone, and has not left it out where that is allowed."""
    field = next((field for field in structs.fields(rule) if field.name == "zone"), None)
    return field is not None and not (field.default == "" == _zone(rule))


def _unknown(key: str, name: str, what: str, names: Sequence[str]) -> Iterator[Complaint]:
    if name not in names:
        known = f"the {what}s are {', '.join(names)}" if names else f"there are no {what}s"
        yield key, name, f"no {what} has this name; {known}"


def _schedules(rules: Rules, schedules: dict[str, str]) -> Iterator[Complaint]:
    """Every schedule that a rule names must exist."""
    for key, rule in rules.items():
        if rule.schedule:
            names = list(schedules.values())
            yield from _unknown(f"{key}.schedule", rule.schedule, "schedule", names)


def _rule_names(rules: Rules) -> Iterator[Complaint]:
    """A name stands for one rule."""
    first: dict[str, str] = {}
    for key, rule in rules.items():
        if rule.name and first.setdefault(rule.name, key) != key:
            same = f"{first[rule.name]}.name is the same"
            yield f"{key}.name", rule.name, f"must be unique; {same}"


def _places(rules: Rules) -> Iterator[Complaint]:
    """Exempt zones and overrides must leave each other, and the rule, something to do."""
    for key, rule in rules.items():
        seen: dict[str, str] = {}
        own, elsewhere = _zone(rule), isinstance(rule, ABOUT_ANOTHER_PLACE)
        if own and not elsewhere:
            seen[own] = f"{key}.zone"
        for i, name in enumerate(_exempt(rule)):
            where = f"{key}.exempt_zones[{i}]"
            if seen.setdefault(name, where) == f"{key}.zone":
                yield where, name, "is the zone of the rule itself: nobody would be judged"
            elif seen[name] != where:
                yield where, name, f"stands in {seen[name]} already"
        for i, override in enumerate(_overrides(rule)):
            where = f"{key}.overrides[{i}].zone"
            if seen.setdefault(override.zone, where) == f"{key}.zone":
                allowed = "is the zone of the rule itself: write the values there"
                yield where, override.zone, allowed
            elif seen[override.zone] != where:
                yield where, override.zone, f"stands in {seen[override.zone]} already"


def _override_values(rules: Rules) -> Iterator[Complaint]:
    """An override must change something that its rule has."""
    for key, rule in rules.items():
        known = {field.name for field in structs.fields(rule)}
        for i, override in enumerate(_overrides(rule)):
            where = f"{key}.overrides[{i}]"
            given = {
                name: value
                for name in ("severity", "hold_ms", "clear_ms")
                if (value := getattr(override, name)) is not None
            }
            if not given:
                allowed = "must change something: severity, hold_ms or clear_ms"
                yield where, UNSET, allowed
            for name, value in given.items():
                if name not in known:
                    kind = rule.__struct_config__.tag
                    yield f"{where}.{name}", value, f"a rule of kind {kind} has no {name}"


def _ppe_needs(rules: Rules) -> Iterator[Complaint]:
    for key, rule in rules.items():
        needs = rule.needs if isinstance(rule, PpeRuleConfig) else []
        for i, item in enumerate(needs):
            if item in needs[:i]:
                yield f"{key}.needs[{i}]", item, "must be named once"


def _parts(rules: Rules) -> Iterator[Complaint]:
    """What is combined must be other rules that judge one person."""
    kinds = {rule.name: rule for rule in rules.values() if rule.name}
    single = [name for name, rule in kinds.items() if hasattr(rule, "exempt_zones")]
    known = f"rules with a name that judge one person are {', '.join(single)}"
    known = known if single else "no rule that judges one person has a name"
    for key, rule in rules.items():
        parts = rule.all_of if isinstance(rule, CombinedRuleConfig) else []
        for i, name in enumerate(parts):
            where = f"{key}.all_of[{i}]"
            if name in parts[:i]:
                yield where, name, "must be named once"
            elif name not in kinds:
                yield where, name, f"no rule has this name; {known}"
            elif name not in single:
                kind = kinds[name].__struct_config__.tag
                yield where, name, f"a rule of kind {kind} does not judge one person; {known}"


def _waits(rules: Rules) -> Iterator[Complaint]:
    """Who was seen to fall needs help no later than who was not."""
    for key, rule in rules.items():
        if not isinstance(rule, ManDownRuleConfig):
            continue
        holds = {f"{key}.hold_ms": rule.hold_ms}
        for i, override in enumerate(rule.overrides):
            if override.hold_ms is not None:
                holds[f"{key}.overrides[{i}].hold_ms"] = override.hold_ms
        for where, hold_ms in holds.items():
            if rule.after_ms < hold_ms:
                allowed = f"must be >= {where} = {hold_ms}: a fall that was seen comes first"
                yield f"{key}.after_ms", rule.after_ms, allowed


def _zone(rule: RuleConfig) -> str:
    return str(getattr(rule, "zone", ""))


def _exempt(rule: RuleConfig) -> Sequence[str]:
    return getattr(rule, "exempt_zones", ())


def _overrides(rule: RuleConfig) -> Sequence[OverrideConfig]:
    return getattr(rule, "overrides", ())


RULE_CHECKS = (
    Check(("rules[]", "zones[].name", "lines[].name"), _references),
    Check(("rules[]", "schedules[].name"), _schedules),
    Check(("rules[]",), _rule_names),
    Check(("rules[]",), _places),
    Check(("rules[]",), _override_values),
    Check(("rules[]",), _ppe_needs),
    Check(("rules[]",), _parts),
    Check(("rules[]",), _waits),
)
