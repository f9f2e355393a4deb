"""An hour of work with planted hazards: its file, its score, and the judgement over it."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario.load import load_scenario
from sim.scenario.result import Track
from sim.workday import score as scores
from sim.workday.eyes import Mistakes
from sim.workday.judgement import Judged, judge
from sim.workday.planted import KINDS, OUTSIDE_M, Planted
from sim.workday.toml import document
from sim.workday.workday import WEATHER, bound_ms, built_rules, workday

PLAIN = st.one_of(
    st.booleans(), st.integers(-9999, 9999), st.text(st.characters(codec="ascii"), max_size=8)
)
KEYS = st.text("abcdefgh_", min_size=1, max_size=5)
FLAT = st.dictionaries(KEYS, PLAIN, min_size=1, max_size=3)
DEEP = st.dictionaries(KEYS, st.one_of(PLAIN, st.lists(PLAIN, max_size=3), FLAT), max_size=4)
HAZARD = Planted(
    1, "enters_zone", "zone", "pit", "ann", 10_000, 40_000, {"person": "ann", "enters": "pit"},
    0, 300,
)  # fmt: skip


@given(st.dictionaries(KEYS, st.one_of(PLAIN, FLAT, DEEP, st.lists(DEEP, max_size=3)), max_size=5))
def test_what_is_written_as_toml_reads_back(table):
    assert tomllib.loads(document(table)) == table


@pytest.mark.parametrize("weather", WEATHER)
def test_an_hour_is_a_scenario_that_can_be_played(weather, tmp_path):
    table, planted = workday(weather, 3, 60)
    file = tmp_path / "hour.scenario.toml"
    file.write_text(document(table))
    loaded = load_scenario(file)
    assert loaded.scenario.duration_ms == 3_600_000
    assert len(planted) >= 15
    built = {rule["kind"] for rule in built_rules()}
    assert {hazard.kind for hazard in planted} == {k for k, v in KINDS.items() if v.rule in built}


def test_the_crew_keeps_out_of_the_places_that_are_forbidden():
    """Straight ways between a worker's spots, and to the way out, miss pit and machine."""
    from sim.workday.crew import SPOTS_M
    from sim.workday.workday import ZONES
    from sim.world.look import holds

    forbidden = [zone["polygon_m"] for zone in ZONES if zone["name"] in ("pit", "reach")]
    for spots in SPOTS_M:
        for a in (*spots, OUTSIDE_M):
            for b in spots:
                way = [
                    (a[0] + k / 50 * (b[0] - a[0]), a[1] + k / 50 * (b[1] - a[1]))
                    for k in range(51)
                ]
                assert not any(holds(zone, point) for zone in forbidden for point in way)


def outcome(*raised: tuple[float, str, str]) -> Judged:
    times = [float(t) for t in range(10_000, 40_000, 100)]
    track = Track(name="ann", kind="person", t_ms=times, x_m=[0.0] * 300, y_m=[0.0] * 300)
    track.zones = [["pit"] if t >= 20_000 else [] for t in times]
    events = [
        {"t_ms": t, "kind": "hazard", "rule": rule, "zone": zone, "state": "raised", "track": 1}
        for t, rule, zone in raised
    ]
    return Judged(events, [track], 3_600_000)


@pytest.mark.parametrize(
    ("raised", "delay_ms", "in_time", "false"),
    [
        ([(20_400, "zone", "pit")], 400, True, 0),
        ([(20_500, "zone", "pit")], 500, False, 0),
        ([], None, False, 0),
        ([(20_400, "zone", "other")], None, False, 0),
        ([(20_400, "zone", "pit"), (60_000, "zone", "pit")], 400, True, 1),
        ([(20_400, "zone", "pit"), (19_000, "entry_predicted", "pit")], 400, True, 0),
        ([(20_400, "zone", "pit"), (25_000, "man_down", "")], 400, True, 1),
    ],
)
def test_a_score_tells_the_late_the_missed_and_the_false(raised, delay_ms, in_time, false):
    severities = {"zone": "danger", "man_down": "danger", "entry_predicted": "warning"}
    score = scores.score(outcome(*raised), [HAZARD], severities)
    [found] = score.found
    assert (found.delay_ms, found.in_time, len(score.false)) == (delay_ms, in_time, false)
    assert score.false_by("danger") == false
    assert ("MISSED" in scores.table(score)) == (delay_ms is None)


def test_the_bound_is_hold_time_grace_frame_network_and_five_ms():
    assert bound_ms(replace(HAZARD, hold_ms=300, grace_ms=0)) == 300 + 100 + 20 + 5


def test_judgement_finds_what_is_planted_and_is_blind_without_eyes(tmp_path):
    table, planted = workday("day", 1, 4)
    file = tmp_path / "hour.scenario.toml"
    file.write_text(document(table))
    loaded = load_scenario(file)
    severities = {rule["kind"]: rule["severity"] for rule in built_rules()}
    score = scores.score(judge(loaded, Mistakes(), 1), planted, severities)
    assert all(each.in_time for each in score.found) and score.found
    assert score.false_by("danger") == 0
    blind = scores.score(judge(loaded, Mistakes(miss=1e9), 1), planted, severities)
    assert all(each.delay_ms is None for each in blind.found)
