"""Whether two student sets see the same: counts over live pictures, and a verdict.

One set drives the camera (live), the other looks on (shadow). Nobody knows the truth; what the
present students saw a moment ago is the best there is. So a new set must find most of the people
whom the present one finds, must not find crowds where it finds nobody, and must say of the same
people much the same. A thing that one of them takes for a person stands still and would be counted
in every picture: each place of the picture counts only so often.
"""

from __future__ import annotations

from typing import Final

from runtime.overlap import Box, share_of_both

SAME_PERSON: Final = 0.4
"""Intersection over union of two boxes that are one person."""
PLACE_PX: Final = 24
PLACE_TIMES: Final = 4
"""A place of PLACE_PX x PLACE_PX pixels counts so often."""
SHARE: Final = 0.7
"""Of the people whom the present students find, the new ones must find so many."""
HOPELESS_SHARE, SURE = 0.5, 12
"""Fewer than that among so many: nothing more is waited for."""
EXTRA_SHARE: Final = 1.5
"""New students may find more people, up to so many times what the present ones find."""
FREE_EXTRAS: Final = 12
"""Places, over a whole trial, where they may find somebody whom the present ones do not."""
JOINTS_SHARE, SURE_LOOKS = 0.5, 12
"""Of the joints, near one another (a tenth of the box's height)."""
DOWN_SHARE, SURE_ACTIONS = 0.7, 20
"""Of the people, said by both to be down or by both not to be."""
SLOW_SHARE, SURE_FRAMES = 0.7, 20
"""Of the pictures in which the new detector took too long."""


class Agreement:
    """Counts of one trial. The loop counts, another thread reads.

    Attributes:
        people, found: whom the present students saw; of those, whom the new ones saw too.
        extra: whom only the new ones saw.
        looks, joints, near: skeletons compared; joints that both saw, and those near one another.
        actions, alike: people of whom both said something; alike about being down.
        frames, slow: pictures that both looked at; in which the new detector took too long.
    """

    __slots__ = (
        "_columns",
        "_extra_places",
        "_places",
        "actions",
        "alike",
        "extra",
        "found",
        "frames",
        "joints",
        "looks",
        "near",
        "people",
        "slow",
    )

    def __init__(self, width_px: int, height_px: int) -> None:
        self._columns = width_px // PLACE_PX + 1
        size = self._columns * (height_px // PLACE_PX + 1)
        self._places, self._extra_places = bytearray(size), bytearray(size)
        self.restart()

    def restart(self) -> None:
        """Begin again from nothing."""
        for places in (self._places, self._extra_places):
            places[:] = bytes(len(places))
        self.people = self.found = self.extra = 0
        self.looks = self.joints = self.near = 0
        self.actions = self.alike = self.frames = self.slow = 0

    def compare(self, present: list[list[float]], new: list[list[float]]) -> None:
        """Count one picture.

        Args:
            present: boxes of people, xyxy in pixels, whom the present students see.
            new: those of the new ones.
        """
        taken = bytearray(len(new))
        for box in present:
            row = _best(box, new, taken)
            if self._counts(self._places, box):
                self.people += 1
                self.found += row >= 0
            if row >= 0:
                taken[row] = 1
        for row, box in enumerate(new):
            if not taken[row] and self._counts(self._extra_places, box):
                self.extra += 1

    def _counts(self, places: bytearray, box: Box) -> bool:
        column = int(max(0.0, (box[0] + box[2]) * 0.5)) // PLACE_PX
        row = int(max(0.0, (box[1] + box[3]) * 0.5)) // PLACE_PX
        place = min(row * self._columns + min(column, self._columns - 1), len(places) - 1)
        if places[place] >= PLACE_TIMES:
            return False
        places[place] += 1
        return True

    def complaint(self) -> str:
        """What speaks against the new students, with its figures; "" while nothing does."""
        if self.people >= SURE and self.found < HOPELESS_SHARE * self.people:
            return f"it finds {self.found} of {self.people} people whom the present one finds"
        if self.extra > FREE_EXTRAS + EXTRA_SHARE * self.people:
            return f"it finds {self.extra} people where the present one finds {self.people}"
        if self.looks >= SURE_LOOKS and self.near < JOINTS_SHARE * self.joints:
            return f"{self.near} of {self.joints} joints are where the present one sees them"
        if self.actions >= SURE_ACTIONS and self.alike < DOWN_SHARE * self.actions:
            return f"it says the same of {self.alike} of {self.actions} people: up or down"
        if self.frames >= SURE_FRAMES and self.slow > SLOW_SHARE * self.frames:
            return f"too slow in {self.slow} of {self.frames} pictures"
        return ""

    @property
    def is_hopeful(self) -> bool:
        """Nothing speaks against the new students by now, be it that nobody came by."""
        return self.people <= PLACE_TIMES or self.found >= SHARE * self.people

    def is_convincing(self, people: int) -> bool:
        """Enough was compared, and the new students found most of it."""
        return self.people >= people and self.found >= SHARE * self.people

    def figures(self) -> dict[str, object]:
        """What was compared, for the status and the records; times of a run are not repeatable."""
        return {
            "people": self.people,
            "found": self.found,
            "extra": self.extra,
            "looks": self.looks,
            "joints": self.joints,
            "near": self.near,
            "actions": self.actions,
            "alike": self.alike,
            "frames": self.frames,
        }


def _best(box: Box, others: list[list[float]], taken: bytearray) -> int:
    """Index of the free box that is most the same, or -1."""
    best, best_share = -1, SAME_PERSON
    for row, other in enumerate(others):
        if not taken[row]:
            share = share_of_both(box, other)
            if share >= best_share:
                best, best_share = row, share
    return best
