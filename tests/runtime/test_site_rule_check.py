"""Rules that contradict their zones, themselves or one another are refused, each by its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.toml_strict import ConfigErrors
from runtime.geometry import resolve_site
from runtime.site_check import load_site

ZONES = """
zones = [
  { name = "pit", polygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]] },
  { name = "cab", polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.2]] },
  { name = "far", polygon = [[0.6, 0.0], [0.9, 0.0], [0.9, 1.0], [0.6, 1.0]] },
  { name = "all", polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] },
]
lines = [{ name = "gate", start = [0.5, 0.0], end = [0.5, 1.0] }]
"""
RULE = '[[rules]]\nkind = "zone"\nzone = "pit"\n'
DOWN = '[[rules]]\nkind = "man_down"\n'


def mistakes(tmp_path: Path, body: str) -> list[str]:
    path = tmp_path / "site.toml"
    path.write_text(f'format = 1\nname = "yard"\nunits = "fraction"\n{ZONES}{body}')
    try:
        resolve_site(load_site(path), 640, 360, str(path))
    except ConfigErrors as refused:
        return [str(mistake).removeprefix(f"{path}: ") for mistake in refused.mistakes]
    return []


GOOD = [
    RULE + 'exempt_zones = ["cab"]\noverrides = [{ zone = "all", hold_ms = 0 }]\n',
    RULE + 'overrides = [{ zone = "cab", severity = "info" }, { zone = "all", clear_ms = 5 }]\n',
    RULE + 'name = "a"\n' + RULE + 'name = "b"\n' + RULE + RULE,
    DOWN + 'exempt_zones = ["pit", "far"]\n',
    '[[rules]]\nkind = "entry_predicted"\nzone = "pit"\nexempt_zones = ["far"]\n',
    '[[rules]]\nkind = "entry_predicted"\nzone = "pit"\noverrides = [{zone = "far", hold_ms = 0}]',
]


@pytest.mark.parametrize("body", GOOD)
def test_what_works_is_taken(tmp_path, body):
    assert mistakes(tmp_path, body) == []


PPE = '[[rules]]\nkind = "ppe"\nname = "gear"\n'
LINE = '[[rules]]\nkind = "line"\nname = "gate"\nline = "gate"\n'
ALL = '[[rules]]\nkind = "combined"\nall_of = [{}]\n'
GOOD += [
    PPE + 'exempt_zones = ["cab"]\noverrides = [{ zone = "pit", severity = "danger" }]\n',
    PPE + RULE + 'name = "in"\n' + ALL.format('"gear", "in"'),
]
ONE = [
    (PPE + "needs = []\n", "rules[0].needs = []: must"),
    (PPE + 'needs = ["vest", "vest"]\n', "rules[0].needs[1] = 'vest': must be named once"),
    (PPE + ALL.format('"gear"'), "rules[1].all_of = ['gear']: must"),
    (
        PPE + ALL.format('"gear", "boots"'),
        "rules[1].all_of[1] = 'boots': no rule has this name; rules with a name that judge one",
    ),
    (PPE + ALL.format('"gear", "gear"'), "rules[1].all_of[1] = 'gear': must be named once"),
    (
        PPE + LINE + ALL.format('"gear", "gate"'),
        "rules[2].all_of[1] = 'gate': a rule of kind line does not judge one person",
    ),
    (
        PPE + ALL.format('"gear", "both"').replace("all_of", 'name = "both"\nall_of'),
        "rules[1].all_of[1] = 'both': a rule of kind combined does not judge one person",
    ),
    (RULE + 'schedule = "day"\n', "rules[0].schedule = 'day': no schedule has this name; there"),
    (RULE + 'exempt_zones = ["cabin"]\n', "rules[0].exempt_zones[0] = 'cabin': no zone has this"),
    (RULE + 'exempt_zones = [""]\n', "rules[0].exempt_zones[0] = '': no zone has this name"),
    (RULE + 'exempt_zones = ["pit"]\n', "rules[0].exempt_zones[0] = 'pit': is the zone of the"),
    (
        RULE + 'exempt_zones = ["cab", "cab"]\n',
        "rules[0].exempt_zones[1] = 'cab': stands in rules[0].exempt_zones[0] already",
    ),
    (
        RULE + 'overrides = [{ zone = "nowhere", hold_ms = 0 }]\n',
        "rules[0].overrides[0].zone = 'nowhere': no zone has this name; the zones are pit, cab",
    ),
    (
        RULE + 'overrides = [{ zone = "pit", hold_ms = 0 }]\n',
        "rules[0].overrides[0].zone = 'pit': is the zone of the rule itself: write the values",
    ),
    (
        RULE + 'overrides = [{ zone = "cab", hold_ms = 0 }, { zone = "cab", hold_ms = 9 }]\n',
        "rules[0].overrides[1].zone = 'cab': stands in rules[0].overrides[0].zone already",
    ),
    (
        RULE + 'exempt_zones = ["cab"]\noverrides = [{ zone = "cab", hold_ms = 0 }]\n',
        "rules[0].overrides[0].zone = 'cab': stands in rules[0].exempt_zones[0] already",
    ),
    (
        RULE + 'overrides = [{ zone = "cab" }]\n',
        "rules[0].overrides[0]: must change something: severity, hold_ms or clear_ms",
    ),
    (
        RULE + 'overrides = [{ zone = "cab", hold_ms = -1 }]\n',
        "rules[0].overrides[0].hold_ms = -1: must be",
    ),
    (
        RULE + 'overrides = [{ zone = "cab", severity = "warning" }]\n[alarm.patterns]\n'
        'danger = "march"\n',
        "alarm.patterns.warning: is missing",
    ),
    (
        RULE + 'name = "a"\n' + DOWN + 'name = "a"\n',
        "rules[1].name = 'a': must be unique;",
    ),
    (
        DOWN + 'overrides = [{ zone = "cab", hold_ms = 9000 }]\n',
        "rules[0].after_ms = 3000: must be >= rules[0].overrides[0].hold_ms = 9000",
    ),
    ('[[rules]]\nkind = "line"\nline = "gate"\nexempt_zones = []\n', "rules[0].exempt_zones"),
    (
        RULE + 'exempt_zones = ["all"]\n',
        "rules[0].zone = 'pit': nobody can stand in pit and not in all: nobody would be judged",
    ),
    (
        RULE + 'overrides = [{ zone = "far", hold_ms = 0 }]\n',
        "rules[0].overrides[0].zone = 'far': nobody can stand in pit and far: nobody would be",
    ),
]


@pytest.mark.parametrize(("body", "expected"), ONE, ids=[text for _, text in ONE])
def test_one_mistake(tmp_path, body, expected):
    (found,) = mistakes(tmp_path, body)
    assert found.startswith(expected)
