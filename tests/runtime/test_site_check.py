"""The site file: names, shapes, units and sounds that cannot work are refused before the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.toml_strict import ConfigErrors
from runtime.geometry import polygon_problem
from runtime.site_check import load_site

SQUARE = "[[0.1, 0.1], [0.4, 0.1], [0.4, 0.4], [0.1, 0.4]]"
ZONE = '[[zones]]\nname = "pit"\npolygon = {}\n'
LINE = '[[lines]]\nname = "gate"\nstart = {}\nend = {}\n'
ZONE_RULE = '[[rules]]\nkind = "zone"\nzone = "pit"\n'
LINE_RULE = '[[rules]]\nkind = "line"\nline = "gate"\n'


def mistakes(tmp_path: Path, body: str, units: str = "fraction") -> list[str]:
    path = tmp_path / "site.toml"
    path.write_text(f'format = 1\nname = "yard"\nunits = "{units}"\n' + body)
    try:
        load_site(path)
    except ConfigErrors as refused:
        return [str(mistake).removeprefix(f"{path}: ") for mistake in refused.mistakes]
    return []


def zone(polygon: str) -> str:
    return ZONE.format(polygon) + ZONE_RULE


GOOD = [
    zone(SQUARE),
    zone("[[0, 0], [1, 0], [0.5, 1]]"),
    zone("[[-0.5, -0.5], [1.5, 0], [0.5, 2]]"),
    zone("[[0, 0], [1, 0], [1, 1], [0.5, 0.5], [0, 1]]"),
    zone("[[0, 0], [0.5, 0], [1, 0], [1, 1]]"),
    zone(SQUARE) + 'severity = "info"\n',
    LINE.format("[0.5, 0]", "[0.5, 1]") + LINE_RULE,
    zone(SQUARE) + '[alarm]\npatterns = {danger = "alert"}\n',
    zone(SQUARE) + 'severity = "info"\n[alarm]\npatterns = {}\n',
]


@pytest.mark.parametrize("body", GOOD)
def test_what_works_is_taken(tmp_path: Path, body: str) -> None:
    assert mistakes(tmp_path, body) == []


def test_pixels_are_taken(tmp_path: Path) -> None:
    body = zone("[[0, 0], [640, 0], [640, 360]]") + LINE.format("[9, 9]", "[500, 9]")
    assert mistakes(tmp_path, body, "pixel") == []


ONE = [
    ("rules = []", "rules: must hold at least one rule"),
    (ZONE_RULE, "rules[0].zone = 'pit': no zone has this name; there are no zones"),
    (LINE_RULE, "rules[0].line = 'gate': no line has this name; there are no lines"),
    (
        zone(SQUARE).replace('zone = "pit"', 'zone = "pitt"'),
        "rules[0].zone = 'pitt': no zone has this name; the zones are pit",
    ),
    (zone(SQUARE) + ZONE.format(SQUARE), "zones[1].name = 'pit': must be unique; zones[0].name is"),
    (zone(SQUARE).replace('"pit"', '""'), "zones[0].name = '': must not be empty"),
    (zone("[]"), "zones[0].polygon = []: must have at least 3 corners, has 0"),
    (zone("[[0, 0], [1, 1]]"), "zones[0].polygon = [(0.0, 0.0), (1.0, 1.0)]: must have at least 3"),
    (
        zone("[[0, 0], [1, 1], [0.5, 0.5]]"),
        "must have an area; all corners lie on one straight line",
    ),
    (zone("[[0, 0], [1, 1], [1, 0], [0, 1]]"), "must not cross itself; edges 1 and 3 meet"),
    (zone("[[0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]]"), "must not cross itself"),
    (zone("[[0, 0], [1, 0], [1, 1], [1, 0.5], [0, 0.5]]"), "must not cross itself"),
    (zone("[[0, 0], [1, 0], [1, 1], [0, 1], [0, 2]]"), "must not cross itself; edges 3 and 5 meet"),
    (
        zone("[[0, 0], [1, 0], [1, 1], [0.5, 0]]"),
        "zones[0].polygon = [(0.0, 0.0), (1.0, 0.0), (1.0",
    ),
    (zone("[[0, 0], [1, 0], [0.5, 0], [0.5, 1]]"), "must not cross itself; edges 1 and 3 meet"),
    (zone("[[0, 0], [1, 0], [1, 1], [0, 0]]"), "corner 4 and corner 1 are the same: do not close"),
    (zone("[[0, 0], [1, 0], [1, 0], [1, 1]]"), "corner 2 and corner 3 are the same"),
    (zone(str([[n % 9 / 9, n / 99] for n in range(65)])), "zones[0].polygon: must have at most 64"),
    (
        zone("[[0, 0], [640, 0], [0.5, 1]]"),
        "zones[0].polygon[1][0] = 640.0: must be >= -1 and <= 2",
    ),
    (zone("[[0, 0], [1, 0], [0.5, nan]]"), "zones[0].polygon[2][1] = nan: must be finite"),
    (zone("[[0, 0], [1, 0], [0.5, -inf]]"), "zones[0].polygon[2][1] = -inf: must be finite"),
    (
        LINE.format("[0, 0]", "[1, 2.5]") + LINE_RULE,
        "lines[0].end[1] = 2.5: must be >= -1 and <= 2",
    ),
    (LINE.format("[-2, 0]", "[1, 1]") + LINE_RULE, "lines[0].start[0] = -2.0: must be >= -1 and"),
    (LINE.format("[0.5, 0]", "[0.5, 0]") + LINE_RULE, "lines[0].end = (0.5, 0.0): must differ"),
    (
        zone(SQUARE) + '[alarm]\npatterns = {danger = "marsh"}',
        "alarm.patterns.danger = 'marsh': must",
    ),
    (
        zone(SQUARE) + '[alarm]\npatterns = {warning = "alert"}',
        "alarm.patterns.danger: is missing; a",
    ),
    (zone(SQUARE) + 'severity = "high"\n', "rules[0].severity = 'high': must be \"danger\" or"),
    (zone(SQUARE) + '[[rules]]\nkind = "yodel"\n', "rules[1].kind = 'yodel': must be \"zone\" or"),
    (
        "".join(ZONE.format(SQUARE).replace("pit", f"z{n}") for n in range(33))
        + ZONE_RULE.replace("pit", "z0"),
        "zones: at most 32 zones are possible, there are 33",
    ),
]


@pytest.mark.parametrize(("body", "expected"), ONE, ids=[text for _, text in ONE])
def test_one_mistake(tmp_path: Path, body: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, body)
    assert expected in found


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (zone(SQUARE), "zones[0].polygon"),
        (LINE.format("[0, 0]", "[1, 1]") + LINE_RULE, "lines[0].end"),
    ],
)
def test_fractions_given_as_pixels_are_noticed(tmp_path: Path, body: str, key: str) -> None:
    (found,) = mistakes(tmp_path, body, "pixel")
    assert found.startswith(key)
    assert found.endswith('must be in pixels; for fractions say units = "fraction"')


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("format = 2\n")
    with pytest.raises(ConfigErrors, match="a newer runtime"):
        load_site(path)


def test_evacuation_patterns_are_not_for_zones(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    head = 'format = 1\nname = "x"\nunits = "fraction"\n'
    path.write_text(head + zone(SQUARE) + '[alarm]\npatterns = {danger = "temporal3"}\n')
    with pytest.raises(ConfigErrors, match="temporal3"):
        load_site(path)


EVACUATE = 'severity = "evacuate"\n'


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        (
            'patterns = {evacuate = "march"}',
            "alarm.patterns.evacuate = 'march': must be one",
        ),
        ('patterns = {danger = "alert"}', "alarm.patterns.evacuate: is missing"),
        ("max_sound_ms = 500", "alarm.max_sound_ms = 500: must be 0 or >= min_on_ms = 1000"),
        ("[alarm.evacuate]\nmin_on_ms = 200000", "alarm.max_sound_ms = 180000: must be 0 or"),
        ('[alarm.self_test]\nat_utc = "6:30"', "alarm.self_test.at_utc = '6:30': must be text"),
        (
            '[alarm.self_test]\nat_utc = "06:30"\nevery_hours = 24',
            "self_test.every_hours = 24",
        ),
        ("[alarm.info]\nlatch = false", "alarm.info"),
    ],
)
def test_alarm_mistakes(tmp_path: Path, alarm: str, expected: str) -> None:
    assert expected in "\n".join(mistakes(tmp_path, zone(SQUARE) + EVACUATE + "[alarm]\n" + alarm))


def test_evacuation_sounds_like_evacuation(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    head = 'format = 1\nname = "x"\nunits = "fraction"\n'
    path.write_text(head + zone(SQUARE) + EVACUATE + "[alarm.danger]\nlatch = false\n")
    assert load_site(path).alarm.patterns["evacuate"] == "temporal3"


def test_mistakes_of_all_kinds_come_at_once(tmp_path: Path) -> None:
    body = (
        zone("[[0, 0], [1, 1], [1, 0], [0, 1]]")
        + '[[zones]]\nname = "b"\npolygon = [[0, 0], [1, "x"], [1, 1]]\n'
        + LINE.format("[0.5, 0]", "[0.5, 0]")
        + '[[rules]]\nkind = "zone"\nzone = "nowhere"\n[[rules]]\nkind = "lin"\n'
        + '[alarm]\npatterns = {danger = "marsh"}\n[tracking]\ncoast = 5\n'
    )
    found = [text.split(":")[0].split(" =")[0] for text in mistakes(tmp_path, body)]
    assert sorted(found) == [
        "alarm.patterns.danger",
        "lines[0].end",
        "rules[1].zone",
        "rules[2].kind",
        "tracking.coast",
        "zones[0].polygon",
        "zones[1].polygon[1][1]",
    ]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=7))
def test_a_polygon_is_judged_the_same_from_any_corner_and_in_both_ways(
    corners: list[tuple[float, float]],
) -> None:
    is_bad = polygon_problem(corners) is not None
    for start in range(len(corners)):
        turned = corners[start:] + corners[:start]
        assert (polygon_problem(turned) is not None) == is_bad
        assert (polygon_problem(turned[::-1]) is not None) == is_bad
