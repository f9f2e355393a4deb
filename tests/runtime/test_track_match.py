"""Who is who: each cue by itself, and the assignment against every possible one."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tables import Detections
from runtime.track_match import Expected, best, compare, describe, solve

LIMIT, WEAK_LIMIT = 0.8, 0.5
HEIGHT, WIDTH = 200.0, 80.0


def standing(x: float = 500.0, **other) -> Expected:
    """Somebody who stands still and was seen a moment ago."""
    words = dict(
        slot=0, x=x, y=300.0, width=WIDTH, height=HEIGHT, last_x=x, last_y=300.0, reach2=1e6,
        score=0.9, waited_ms=40.0, is_confirmed=True, limit=LIMIT, weak_limit=WEAK_LIMIT,
    )  # fmt: skip
    return Expected(**{**words, **other})


def seen(*people: tuple[float, float, float, float], score: float = 0.9):
    """Detections by middle x, y, width and height."""
    table = Detections(64)
    table.count = len(people)
    for row, (x, y, width, height) in enumerate(people):
        table.boxes[row] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        table.scores[row] = score
    return describe(table)


def cost(person: Expected, *box: float, score: float = 0.9) -> float:
    """Of one pair; 9 when it is none."""
    pairs, _, _ = compare([person._replace(limit=5.0)], seen(box, score=score), 1)
    return pairs[0][0] + 5.0 if pairs else 9.0


SAME = (500.0, 300.0, WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("cue", "person", "box", "score", "expected"),
    [
        ("place", standing(), (530.0, 300.0, WIDTH, HEIGHT), 0.9, 1 - 90 / 150),
        ("height", standing(), (500.0, 300.0, WIDTH, 0.8 * HEIGHT), 0.9, 0.2 + 0.32 * 0.2 / 0.9),
        ("width", standing(), (500.0, 300.0, 1.25 * WIDTH, HEIGHT), 0.9, 0.2 + 0.1 * 0.25 / 1.125),
        ("score", standing(), SAME, 0.5, 0.35 * 0.4),
        ("seen long ago", standing(waited_ms=940.0), SAME, 0.9, 0.1 * 0.9),
    ],
)
def test_each_difference_speaks_against_a_pair(cue, person, box, score, expected):
    alike = cost(standing(), *SAME)
    assert alike == pytest.approx(0.1 * 0.04, abs=1e-6)
    assert cost(person, *box, score=score) - alike == pytest.approx(expected, abs=1e-4), cue


def test_boxes_beside_each_other_may_be_one_person_and_far_ones_never():
    assert cost(standing(), 500.0 + 1.1 * WIDTH, 300.0, WIDTH, HEIGHT) < 1.0
    assert cost(standing(), 500.0 + 1.6 * WIDTH, 300.0, WIDTH, HEIGHT) == 9.0


def test_out_of_reach_is_no_pair_even_where_the_prediction_lies():
    fast = standing(x=560.0, last_x=500.0, reach2=50.0**2)
    assert cost(fast, 560.0, 300.0, WIDTH, HEIGHT) == 9.0
    assert cost(fast._replace(reach2=70.0**2), 560.0, 300.0, WIDTH, HEIGHT) < 0.1


@pytest.mark.parametrize(
    ("strong", "confirmed", "rounds"),
    [(1, True, [1, 0, 0]), (1, False, [0, 1, 0]), (0, True, [0, 0, 1])],
)
def test_a_pair_belongs_to_one_round(strong, confirmed, rounds):
    pairs = compare([standing(is_confirmed=confirmed)], seen(SAME), strong)
    assert [len(each) for each in pairs] == rounds


def test_nobody_is_kept_by_a_weak_box_who_may_not_be():
    pairs = compare([standing(weak_limit=0.0)], seen(SAME, score=0.2), 0)
    assert pairs == ([], [], [])


def test_two_who_want_the_same_box_are_told_apart_together():
    """Each one's own choice would be the box in the middle; together they are best with both."""
    pairs = [(-0.6, 0, 0), (-0.5, 0, 1), (-0.6, 1, 0)]
    assert sorted(best(pairs)) == [(0, 1), (1, 0)]


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), st.floats(-1.0, -1e-3), min_size=1, max_size=14
).map(lambda pairs: [(value, row, column) for (row, column), value in pairs.items()])


def worth(chosen, pairs) -> float:
    values = {(row, column): value for value, row, column in pairs}
    return sum(values[pair] for pair in chosen)


def least(pairs) -> float:
    """Of all assignments of five to five; a pair that is none is worth nothing."""
    table = np.zeros((5, 5))
    for value, row, column in pairs:
        table[row, column] = value
    return min(sum(table[row, order[row]] for row in range(5)) for order in permutations(range(5)))


@given(PAIRS)
def test_the_short_way_is_as_good_as_the_library_and_as_any_other(pairs):
    for chosen in (best(pairs), solve(pairs)):
        assert (
            len({row for row, _ in chosen}) == len({column for _, column in chosen}) == len(chosen)
        )
        assert worth(chosen, pairs) == pytest.approx(least(pairs), abs=1e-9)


CENTRES = st.lists(
    st.tuples(st.floats(0, 900), st.floats(0, 500), st.floats(5, 200), st.floats(5, 300)),
    max_size=10,
)


@given(CENTRES, CENTRES)
def test_looking_along_the_left_sides_misses_no_pair(people, boxes):
    expected = [
        standing(slot=k, x=x, y=y, width=w, height=h, last_x=x, last_y=y)
        for k, (x, y, w, h) in enumerate(people)
    ]
    together = compare(expected, seen(*boxes), len(boxes))[0]
    alone = [
        (value, row, column)
        for row, person in enumerate(expected)
        for column, box in enumerate(boxes)
        for value, _, _ in compare([person], seen(box), 1)[0]
    ]
    assert sorted((row, column) for _, row, column in together) == sorted(
        (row, column) for _, row, column in alone
    )
