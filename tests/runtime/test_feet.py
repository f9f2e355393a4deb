"""Foot points by ankles: where they go, when they are let go, and what is no foot."""

from __future__ import annotations

import pytest

from runtime.feet import ABOVE, KEPT_MS, Feet
from runtime.tables import Tracks
from tests.runtime.bodies import figure

TORSO_PX = 50.0
BOX = (280.0, 100.0, 340.0, 290.0)
"""Ends 10 px above the feet of the figure, and its middle is 10 px beside."""
ANKLES = (320.0, 300.0)


class Person:
    """One track with a box, and skeletons when a test says so."""

    def __init__(self) -> None:
        self.tracks, self.feet = Tracks(2), Feet(2)
        self.tracks.state[0] = 2
        self.tracks.refresh_live()

    def frame(self, t_ms, joints=None, box=BOX):
        """The foot point after a frame of the tracker and, with joints, a look."""
        tracks = self.tracks
        tracks.boxes[0] = box
        tracks.foot[0] = (box[0] + box[2]) / 2, box[3]
        if joints is not None:
            self.feet.see(0, tracks, joints, TORSO_PX, t_ms)
        self.feet.plant(tracks, t_ms)
        return tuple(tracks.foot[0].tolist())


def test_feet_are_below_the_middle_of_the_ankles():
    x, y = Person().frame(0.0, figure("stand", *ANKLES))
    assert (x, y) == pytest.approx((320.0, 300.0 + ABOVE * TORSO_PX))


def test_without_a_skeleton_they_are_where_the_box_ends():
    assert Person().frame(0.0) == (310.0, 290.0)


def test_between_two_looks_they_go_with_the_box():
    person = Person()
    x, y = person.frame(0.0, figure("stand", *ANKLES))
    moved = [side + 20 for side in BOX]
    assert person.frame(100.0, box=moved) == pytest.approx((x + 20, y + 20))


def test_after_a_while_without_a_look_the_box_is_better():
    person = Person()
    person.frame(0.0, figure("stand", *ANKLES))
    assert person.frame(KEPT_MS) != (310.0, 290.0)
    assert person.frame(KEPT_MS + 100) == (310.0, 290.0)


def test_one_wrong_look_moves_them_by_half_only():
    person = Person()
    x, _ = person.frame(0.0, figure("stand", *ANKLES))
    wrong, _ = person.frame(100.0, figure("stand", 340.0, 300.0))
    assert wrong - x == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize(
    ("name", "joints"),
    [
        ("hidden", figure("stand", *ANKLES)),
        ("far beside", figure("stand", 450.0, 300.0)),
        ("far below", figure("stand", 320.0, 370.0)),
        ("far above", figure("stand", 320.0, 180.0)),
    ],
)
def test_what_is_no_foot_is_not_believed(name, joints):
    if name == "hidden":
        joints[15:, 2] = 0.0
    person = Person()
    person.frame(0.0, figure("stand", *ANKLES))
    assert person.frame(100.0, joints) == (310.0, 290.0)


def test_one_ankle_is_enough():
    joints = figure("stand", *ANKLES)
    joints[16, 2] = 0.0
    x, _ = Person().frame(0.0, joints)
    assert x == pytest.approx(joints[15, 0])


def test_a_new_person_in_a_used_slot_has_their_own():
    person = Person()
    person.frame(0.0, figure("stand", *ANKLES))
    person.feet.forget(0)
    assert person.frame(100.0) == (310.0, 290.0)
