"""Who comes out of hiding: only where their way led, only as tall, only within the time."""

from __future__ import annotations

import pytest

from runtime.track_memory import PLACES, Memory

SIZE = (1000, 500)
WALKER = 7, 1000.0, 300.0, 200.0, 100.0
"""Number 7, lost at 1 s, at 300, 200, 100 px tall."""


def take(*gone, first_ms=4800.0, t_ms=5000.0, x=540.0, y=200.0, height=100.0) -> int:
    memory = Memory(8000.0, SIZE)
    for one in gone:
        memory.add(*one)
    return memory.take(first_ms, t_ms, x, y, height)


@pytest.mark.parametrize(
    ("what", "found", "number"),
    [
        ("walked on", {}, 7),
        ("turned round", {"x": 100.0}, 7),
        ("stood", {"x": 300.0}, 7),
        ("as far as one walks", {"x": 800.0}, 7),
        ("farther than one walks", {"x": 810.0}, 0),
        ("sooner than one walks", {"x": 540.0, "first_ms": 2000.0, "t_ms": 2200.0}, 0),
        ("a little shorter", {"height": 90.0}, 7),
        ("a child", {"height": 60.0}, 0),
        ("too late", {"first_ms": 9100.0, "t_ms": 9300.0}, 0),
        ("there before the other one went", {"first_ms": 900.0}, 0),
    ],
)
def test_somebody_comes_out(what, found, number):
    assert take(WALKER, **found) == number, what


@pytest.mark.parametrize(
    ("box", "is_inside"),
    [
        ((50, 50, 150, 250), True),
        ((5, 50, 105, 250), False),
        ((50, 2, 150, 250), False),
        ((895, 50, 995, 250), False),
        ((50, 300, 150, 499), False),
    ],
)
def test_at_the_border_people_come_and_leave(box, is_inside):
    assert Memory(8000.0, SIZE).is_inside(box) == is_inside


def test_two_who_may_be_it_are_neither():
    assert take(WALKER, (8, *WALKER[1:])) == 0


def test_a_number_comes_back_once():
    memory = Memory(8000.0, SIZE)
    memory.add(*WALKER)
    assert memory.take(4800.0, 5000.0, 540.0, 200.0, 100.0) == 7
    assert memory.take(4800.0, 5000.0, 540.0, 200.0, 100.0) == 0


def test_a_moved_camera_moves_the_places():
    for shift, number in ((0.0, 7), (-300.0, 0)):
        memory = Memory(8000.0, SIZE)
        memory.add(*WALKER)
        memory.shift(shift, 0.0)
        assert memory.take(4800.0, 5000.0, 700.0, 200.0, 100.0) == number


def test_thousands_who_left_take_no_more_room_than_a_few():
    memory = Memory(8000.0, SIZE)
    for number in range(1, 5001):
        memory.add(number, 1000.0, 1e6, 200.0, 100.0)
    assert len(memory._track_id) == len(memory._x) == PLACES
    memory.add(*WALKER)
    assert memory.take(4800.0, 5000.0, 540.0, 200.0, 100.0) == 7
