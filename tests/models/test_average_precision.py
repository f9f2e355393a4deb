"""Average precision on cases worked out by hand."""

from __future__ import annotations

import math

import pytest

from models.average_precision import Found, average_precision

A, B, FAR = [0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 60, 60]


@pytest.mark.parametrize(
    ("found", "truth", "expected"),
    [
        ({"p": Found([A, B], [0.9, 0.8])}, {"p": [A, B]}, 1.0),
        ({"p": Found([A], [0.9])}, {"p": [A, B]}, 0.5),
        # false alarm first: precision 1/2 at the only recall step
        ({"p": Found([FAR, A], [0.9, 0.8])}, {"p": [A]}, 0.5),
        # false alarm last costs nothing
        ({"p": Found([A, FAR], [0.9, 0.8])}, {"p": [A]}, 1.0),
        # the second box on one person is a false alarm: hits 1 0 1 -> .5 * 1 + .5 * 2/3
        ({"p": Found([A, A, B], [0.9, 0.8, 0.7])}, {"p": [A, B]}, 0.5 + 0.5 * 2 / 3),
        # precision is made monotone from the right: hits 0 1 1 -> 2/3 for both steps
        ({"p": Found([FAR, A, B], [0.9, 0.8, 0.7])}, {"p": [A, B]}, 2 / 3),
        # ranks go over all pictures
        ({"p": Found([A], [0.5]), "q": Found([FAR], [0.9])}, {"p": [A], "q": []}, 0.5),
        # a picture without labels still counts false alarms
        ({"q": Found([FAR], [0.9])}, {"p": [A]}, 0.0),
        ({}, {"p": [A]}, 0.0),
        # overlap of exactly one half is a match
        ({"p": Found([[0, 0, 10, 20]], [0.9])}, {"p": [A]}, 1.0),
        ({"p": Found([[0, 0, 10, 20.1]], [0.9])}, {"p": [A]}, 0.0),
    ],
)
def test_by_hand(found: dict[str, Found], truth: dict[str, list], expected: float) -> None:
    assert average_precision(found, truth) == pytest.approx(expected)


def test_nothing_labelled_is_not_a_number() -> None:
    assert math.isnan(average_precision({"p": Found([A], [0.9])}, {"p": []}))


def test_a_stricter_overlap() -> None:
    assert average_precision({"p": Found([[0, 0, 10, 9]], [0.9])}, {"p": [A]}, iou=0.95) == 0.0
