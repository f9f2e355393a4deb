"""Overlaps of boxes, beside counting whole pixels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.overlap import area, share_of_both, share_of_first, share_of_smaller, shared_area

SIDES = st.integers(0, 12)


@st.composite
def boxes(draw):
    x, y = draw(SIDES), draw(SIDES)
    return [x, y, x + draw(st.integers(1, 8)), y + draw(st.integers(1, 8))]


def pixels(box):
    x1, y1, x2, y2 = box
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


@given(boxes(), boxes())
def test_every_share_is_that_of_the_pixels(a, b):
    one, other = pixels(a), pixels(b)
    both = len(one & other)
    assert (area(a), shared_area(a, b)) == (len(one), both)
    assert share_of_first(a, b) == pytest.approx(both / len(one))
    assert share_of_smaller(a, b) == pytest.approx(both / min(len(one), len(other)))
    assert share_of_both(a, b) == pytest.approx(both / len(one | other))


def test_a_box_without_area_is_in_nothing():
    assert share_of_first([5, 5, 5, 5], [0, 0, 9, 9]) == 0.0
