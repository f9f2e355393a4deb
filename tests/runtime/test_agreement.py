"""What speaks against new students, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.agreement import FREE_EXTRAS, PLACE_TIMES, SURE, Agreement

SIZE = (640, 360)


def walk(steps, y=100.0):
    """Boxes of one person who walks through the picture, one per picture."""
    return [[[30.0 + 25 * step, y, 70.0 + 25 * step, y + 100]] for step in range(steps)]


def compared(present, new):
    agreement = Agreement(*SIZE)
    for mine, theirs in zip(present, new, strict=True):
        agreement.compare(mine, theirs)
    return agreement


def test_the_same_students_convince():
    agreement = compared(walk(20), walk(20))
    assert (agreement.people, agreement.found, agreement.extra) == (20, 20, 0)
    assert not agreement.complaint() and agreement.is_convincing(20)
    assert not agreement.is_convincing(21)


def test_blind_students_are_found_out_as_soon_as_it_is_sure():
    for steps in (SURE - 1, SURE):
        agreement = compared(walk(steps), [[] for _ in range(steps)])
        assert bool(agreement.complaint()) is (steps == SURE)
    assert agreement.complaint() == f"it finds 0 of {SURE} people whom the present one finds"


def test_people_everywhere_are_found_out_in_an_empty_place():
    crowd = [[[x, y, x + 20.0, y + 40.0] for x in range(0, 600, 60) for y in range(0, 300, 60)]]
    agreement = compared([[]], crowd)
    assert "where the present one finds 0" in agreement.complaint()


def test_students_who_see_some_more_people_are_welcome():
    both = [[*mine, *other] for mine, other in zip(walk(20), walk(20, y=220.0), strict=True)]
    agreement = compared(walk(20), both)
    assert agreement.extra == 20 and not agreement.complaint()


def test_a_thing_that_was_taken_for_a_person_counts_only_so_often():
    """The new students know that the machine is none: no reason to give them up."""
    machine = [[400.0, 200.0, 460.0, 330.0]]
    present = [[*mine, *machine] for mine in walk(20)]
    agreement = compared(present, walk(20))
    assert agreement.people == 20 + PLACE_TIMES and agreement.found == 20
    assert not agreement.complaint() and agreement.is_convincing(20)


def test_an_extra_thing_counts_only_so_often_too():
    machine = [[400.0, 200.0, 460.0, 330.0]]
    agreement = compared([[]] * 100, [machine] * 100)
    assert agreement.extra == PLACE_TIMES <= FREE_EXTRAS and not agreement.complaint()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"looks": 12, "joints": 100, "near": 49}, "49 of 100 joints"),
        ({"looks": 12, "joints": 100, "near": 51}, ""),
        ({"looks": 11, "joints": 100, "near": 0}, ""),
        ({"actions": 20, "alike": 13}, "13 of 20 people"),
        ({"actions": 20, "alike": 14}, ""),
        ({"actions": 19, "alike": 0}, ""),
        ({"frames": 20, "slow": 15}, "too slow in 15 of 20 pictures"),
        ({"frames": 20, "slow": 14}, ""),
        ({"frames": 19, "slow": 19}, ""),
    ],
)
def test_each_count_has_its_own_bar(counts, words):
    agreement = Agreement(*SIZE)
    for name, value in counts.items():
        setattr(agreement, name, value)
    assert (words in agreement.complaint()) if words else not agreement.complaint()


@pytest.mark.parametrize(
    ("people", "found", "hopeful"),
    [(0, 0, True), (4, 0, True), (5, 0, False), (11, 0, False), (10, 7, True), (10, 6, False)],
)
def test_too_few_for_a_verdict_may_still_speak_against_a_swap(people, found, hopeful):
    agreement = Agreement(*SIZE)
    agreement.people, agreement.found = people, found
    assert agreement.is_hopeful is hopeful and not agreement.complaint()


def test_a_new_trial_begins_from_nothing():
    agreement = compared(walk(20), [[]] * 20)
    agreement.restart()
    assert not any(agreement.figures().values()) and not agreement.complaint()
    for mine in walk(20):
        agreement.compare(mine, mine)
    assert agreement.found == 20


boxes = st.lists(
    st.tuples(*[st.floats(-50, 700)] * 2, *[st.floats(1, 300)] * 2).map(
        lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
    ),
    max_size=8,
)


@given(st.lists(boxes, max_size=40))
def test_students_never_complain_about_themselves(pictures):
    agreement = compared(pictures, pictures)
    assert agreement.found == agreement.people and agreement.extra == 0
    assert not agreement.complaint()


@given(st.lists(st.tuples(boxes, boxes), max_size=40))
def test_counts_are_bounded_by_places(pictures):
    agreement = compared(*zip(*pictures, strict=True)) if pictures else Agreement(*SIZE)
    places = (SIZE[0] // 24 + 1) * (SIZE[1] // 24 + 1)
    assert 0 <= agreement.found <= agreement.people <= places * PLACE_TIMES
    assert 0 <= agreement.extra <= places * PLACE_TIMES
