"""k-anonymity: nothing that is told depends on what is withheld, and sums give nothing away."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY_MS, HOUR_MS, an_hour, zone_hour

from runtime.counts_record import Period, ZoneHour
from runtime.journal_export import to_json
from runtime.report.history import History, Run, Span
from runtime.report.page import page
from runtime.report.summary import summarise
from runtime.report.withheld import flows, heat, join_classes, nice, rules, zones

K = 5
CELLS = 48


def told(periods: list[Period], k: int = K) -> tuple[str, str]:
    """Everything that leaves: the figures and the page."""
    runs = [Run(Span(DAY_MS, 24 * HOUR_MS), "planned")]
    history = History(1, "yard", "sim", runs, [], [], periods, DAY_MS + 24 * HOUR_MS, True)
    summary = summarise(history, k)
    return to_json(summary.as_json()), page(summary)


FEW = st.integers(1, K - 1)
SOME = st.integers(0, 3 * K)
TIMES = st.floats(0, 1e6)
ZONE = st.builds(
    lambda tracks, ms, dwell: zone_hour(tracks, ms, dwell),
    SOME,
    TIMES,
    st.tuples(SOME, SOME, SOME, SOME),
)


@st.composite
def hours(draw: st.DrawFn) -> list[Period]:
    cells = st.dictionaries(st.integers(0, CELLS - 1), st.tuples(TIMES, SOME), max_size=8)
    made = []
    for number in range(draw(st.integers(1, 3))):
        made.append(
            an_hour(
                DAY_MS + number * HOUR_MS,
                cells=draw(cells),
                zones={name: draw(ZONE) for name in draw(st.sets(st.sampled_from(["a", "b", ""])))},
                lines={"gate": (draw(SOME), draw(SOME))},
                rules={"zone a": (draw(TIMES), draw(SOME), "info")},
            )
        )
    return made


def other(draw: st.DrawFn, period: Period) -> Period:
    """The same hour with other values wherever fewer than k account for them."""
    cells = {
        cell: (draw(TIMES), draw(FEW)) if 0 < tracks < K else (ms, tracks)
        for cell, (ms, tracks) in period.cells.items()
    }
    changed: dict[str, ZoneHour] = {}
    for name, zone in period.zones.items():
        is_few = 0 < zone.tracks < K
        stays = draw(st.tuples(SOME, SOME, SOME, SOME)) if is_few else zone.dwell
        changed[name] = zone_hour(draw(FEW), draw(TIMES), stays) if is_few else zone
    lines = {
        name: tuple(draw(FEW) if 0 < count < K else count for count in counts)
        for name, counts in period.lines.items()
    }
    rules_ = {
        name: (draw(TIMES), draw(st.integers(0, K - 1)), "info") if raised < K else (ms, raised, s)
        for name, (ms, raised, s) in period.rules.items()
    }
    return dataclasses.replace(period, cells=cells, zones=changed, lines=lines, rules=rules_)  # type: ignore[arg-type]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[Period], list[Period]]:
    first = draw(hours())
    return first, [other(draw, period) for period in first]


@settings(deadline=None, max_examples=60)
@given(pair=pairs())
def test_nothing_that_is_told_depends_on_what_is_withheld(
    pair: tuple[list[Period], list[Period]],
) -> None:
    assert told(pair[0]) == told(pair[1])


def test_the_property_can_fail() -> None:
    """With k = 1 nothing is withheld, so the same change does show."""
    first, second = (an_hour(cells={3: (ms, 2)}, zones={"a": zone_hour(2)}) for ms in (1e3, 9e6))
    assert told([first]) == told([second])
    assert told([first], k=1) != told([second], k=1)


def test_a_withheld_cell_is_shown_as_withheld_and_never_as_empty() -> None:
    shown = heat([an_hour(cells={0: (1e5, 4), 1: (1e5, 5), 2: (0.0, 9)})], K, (8, 6))
    assert shown.withheld == [0]
    assert set(shown.steps) == {1, 2}
    figures, html = told([an_hour(cells={0: (1e5, 4)})])
    assert '"withheld":[[0,0]]' in figures
    assert html.count('class="withheld"') >= 1


def test_a_cell_that_few_visit_every_hour_is_never_shown_however_many_hours_add_up() -> None:
    periods = [an_hour(DAY_MS + n * HOUR_MS, cells={7: (3e6, 1)}) for n in range(24)]
    assert heat(periods, K, (8, 6)).withheld == [7]
    assert heat(periods, K, (8, 6)).steps == {}


def test_a_cell_shown_in_some_hours_says_that_others_are_missing() -> None:
    periods = [an_hour(cells={7: (3e6, 9)}), an_hour(DAY_MS + HOUR_MS, cells={7: (9e9, 1)})]
    shown = heat(periods, K, (8, 6))
    assert (list(shown.steps), shown.partly, shown.withheld) == ([7], [7], [])


def test_steps_of_the_heat_map_double() -> None:
    shown = heat([an_hour(cells={n: (60_000.0 * 2**n, 9) for n in range(6)})], K, (8, 6))
    assert all(b == pytest.approx(2 * a) for a, b in pairwise(shown.edges_min))
    assert shown.edges_min[-1] == nice(32) == 50
    assert [shown.steps[n] for n in range(6)] == sorted(shown.steps[n] for n in range(6))


def test_sums_of_a_line_hold_only_what_is_shown() -> None:
    periods = [an_hour(lines={"gate": (23, 2)}), an_hour(DAY_MS + HOUR_MS, lines={"gate": (0, 7)})]
    first, second = flows(periods, K)["gate"]
    assert (first.count_in, first.count_out) == (23, None)
    assert (second.count_in, second.count_out) == (0, 7), "nobody is no secret"
    figures, html = told(periods)
    assert '"count_out":7' in figures and '"withheld_out":1' in figures
    assert '<td data-head="out">7</td>' in html
    assert ">9<" not in html


def test_a_zone_cannot_be_found_by_subtracting_it_from_another() -> None:
    """Who was in b and not in a: two people, if both were told."""
    period = an_hour(zones={"a": zone_hour(18), "b": zone_hour(20), "": zone_hour(30)})
    shown = zones([period], K)
    assert [(name, zone.hours) for name, zone in shown.items()] == [("a", 1), ("b", 0), ("", 1)]
    apart = zones([period], K, lambda one, other: False)
    assert [zone.hours for zone in apart.values()] == [1, 1, 1]


def test_the_mean_of_a_zone_counts_the_hours_in_which_nobody_came() -> None:
    periods = [an_hour(zones={"a": zone_hour(9, 2.0 * HOUR_MS)}), an_hour(DAY_MS + HOUR_MS)]
    assert zones(periods, K)["a"].mean == 1.0
    few = [periods[0], an_hour(DAY_MS + HOUR_MS, zones={"a": zone_hour(2, 9e9)})]
    assert zones(few, K)["a"].mean == 2.0


@given(counts=st.lists(st.integers(0, 20), min_size=1, max_size=8), k=st.integers(1, 30))
def test_classes_of_stays_hold_k_or_nobody(counts: list[int], k: int) -> None:
    edges = [10 * (n + 1) for n in range(len(counts) - 1)]
    joined = join_classes(edges, counts, k)
    if sum(counts) < k:
        assert joined == []
        return
    assert sum(count for _, _, count in joined) == sum(counts)
    assert all(count == 0 or count >= k for _, _, count in joined)
    assert joined[0][0] == 0 and joined[-1][1] is None
    assert all(before[1] == after[0] for before, after in pairwise(joined))


def test_minutes_of_a_quiet_rule_are_counts_and_those_of_an_alarm_are_not() -> None:
    period = an_hour(rules={"zone a": (9e4, 1, "info"), "zone b": (9e4, 1, "danger")})
    shown = rules([period], K)
    assert (shown["zone a"].ms, shown["zone a"].withheld) == (0.0, 1)
    assert shown["zone b"].ms == 9e4


@pytest.mark.parametrize(
    ("value", "above"), [(0, 1), (0.3, 0.5), (1, 1), (1.01, 2), (37, 50), (2e6, 2e6)]
)
def test_nice_numbers(value: float, above: float) -> None:
    assert nice(value) == pytest.approx(above)
