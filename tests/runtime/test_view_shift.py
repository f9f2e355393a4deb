"""Moves are found as they were made, whatever hides a part; nothing is found in nothing."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.view_picture import SmallPicture
from runtime.view_scene import Scene
from runtime.view_shift import AT_REST, Finder, Move
from tests.runtime.views import seen, yard

YARD = yard(4)


def grey(picture):
    small = SmallPicture(picture.shape[1], picture.shape[0])
    small.look(picture)
    return small


HOME = grey(seen(YARD))
SCENE = Scene(HOME)
SCENE.start()
FINDER = Finder(HOME.size)
SCENE.settle(FINDER)


def found(picture) -> Move | None:
    now = grey(picture).grey
    return FINDER.find(HOME.grey, now, AT_REST) or FINDER.find_far(HOME.grey, now)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_what_hides_a_part_has_no_say(side):
    picture = seen(YARD, right=20, down=-10)
    cut = {
        "left": np.s_[:, :200], "right": np.s_[:, 440:], "top": np.s_[:120], "bottom": np.s_[240:],
    }  # fmt: skip
    picture[cut[side]] = 128
    move = found(picture)
    assert move is not None
    assert move.shift * HOME.scale[0] == pytest.approx(20 - 10j, abs=2)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_found_in_a_blank_picture(level):
    assert found(np.full((360, 640, 3), level, np.uint8)) is None


def test_a_scene_without_structure_has_nothing_to_find():
    blank = grey(np.full((360, 640, 3), 90, np.uint8))
    scene, finder = Scene(blank), Finder(blank.size)
    scene.start()
    scene.settle(finder)
    assert not finder.knows and not scene.structured.any()
    assert finder.find(blank.grey, HOME.grey, AT_REST) is None
    assert finder.find_far(blank.grey, HOME.grey) is None


@given(turn_deg=st.floats(-10, 10), x=st.floats(-20, 20), y=st.floats(-20, 20))
def test_a_move_laid_back_is_the_scene_again(turn_deg, x, y):
    move = Move(cmath.rect(1.0, math.radians(turn_deg)), complex(x, y))
    now, back = np.zeros_like(HOME.grey), np.zeros_like(HOME.grey)
    inverse = Move(1 / move.scale, -move.shift / move.scale)
    FINDER.undo(HOME.grey, inverse, now)
    FINDER.undo(now, move, back)
    middle = np.s_[30:42, 50:78]
    assert np.abs(back[middle] - HOME.grey[middle]).mean() < 6


def test_the_worst_corner_is_what_counts():
    size = (128, 72)
    assert AT_REST.worst_px(size) == 0
    assert Move(1 + 0j, 3 + 4j).worst_px(size) == pytest.approx(5)
    turned = Move(cmath.rect(1, math.radians(5)), 0j)
    assert turned.worst_px(size) == pytest.approx(math.hypot(48, 27) * math.radians(5), rel=0.01)
