"""Who was there and is not seen any more: their number waits for them to come out again.

The track of somebody hidden for long dies, and the rules forget it. But nobody appears out of
nowhere: who turns up in the middle of a quiet picture has come out from behind something, and when
exactly one of those who vanished in the middle of it can be there by now, and is as tall, they are
the same. Place, time and height decide, nothing else is known of anybody.
"""

from __future__ import annotations

from array import array
from math import hypot

PLACES = 32
"""The last so many of the gone are remembered."""
MOST_PEOPLE = 4
"""With more people in view than this, whoever turns up may be anybody: no number comes back."""
JITTER_HEIGHTS = 0.25
"""How far from their place somebody who stood may be found, body heights."""
WALK_HEIGHTS_S = 1.2
"""Body heights per second: people who walk come no farther behind something, 2 m/s."""
SAME_HEIGHT = 0.15
"""Difference of heights over their mean, up to which somebody is as tall."""
EDGE_SHARE = 0.01
"""Of the picture: a box so near to its border is of somebody who comes or leaves there."""


class Memory:
    """A ring of the gone.

    Args:
        keep_ms: how long.
        size: width and height of the picture, pixels; unknown where 0, then nobody is remembered.
    """

    def __init__(self, keep_ms: float, size: tuple[int, int]) -> None:
        self._keep_ms = keep_ms
        self._edge = EDGE_SHARE * size[0], EDGE_SHARE * size[1]
        self._far = size[0] - self._edge[0], size[1] - self._edge[1]
        self._track_id = array("q", bytes(8 * PLACES))
        self._last_ms, self._height = array("d", bytes(8 * PLACES)), array("d", bytes(8 * PLACES))
        self._x, self._y = array("d", bytes(8 * PLACES)), array("d", bytes(8 * PLACES))
        self._next = 0

    def is_inside(self, box: tuple[float, float, float, float]) -> bool:
        """The box does not touch the picture's border: its person neither comes nor leaves."""
        left, top, right, bottom = box
        near_x, near_y = self._edge
        far_x, far_y = self._far
        return left > near_x and top > near_y and right < far_x and bottom < far_y

    def add(self, track_id: int, last_ms: float, x: float, y: float, height: float) -> None:
        """A confirmed track died inside the picture; the oldest of the gone is forgotten for it.

        Args:
            track_id: their number.
            last_ms: when they were last seen.
            x, y: middle of their box then, pixels.
            height: of their box, pixels.
        """
        place = self._next
        self._track_id[place], self._last_ms[place] = track_id, last_ms
        self._x[place], self._y[place], self._height[place] = x, y, height
        self._next = (place + 1) % PLACES

    def shift(self, x_px: float, y_px: float) -> None:
        """The camera moved, and with it all places."""
        for place in range(PLACES):
            self._x[place] += x_px
            self._y[place] += y_px

    def take(self, first_ms: float, t_ms: float, x: float, y: float, height: float) -> int:
        """Whose number somebody has who turned up inside the picture and is confirmed now.

        Args:
            first_ms: when they turned up.
            t_ms: now.
            x, y: middle of their box now, pixels.
            height: of their box, pixels.

        Returns:
            the number, which is forgotten here; 0: nobody's, or it could be that of several.
        """
        oldest_ms = first_ms - self._keep_ms
        fits = [
            place
            for place, track_id in enumerate(self._track_id)
            if track_id
            and oldest_ms <= self._last_ms[place] < first_ms
            and self._can_be(place, t_ms, x, y, height)
        ]
        if len(fits) != 1:
            return 0
        number = self._track_id[fits[0]]
        self._track_id[fits[0]] = 0
        return number

    def _can_be(self, place: int, t_ms: float, x: float, y: float, height: float) -> bool:
        """They are as tall, and have not come farther than a walk."""
        was_height = self._height[place]
        mean_height = 0.5 * (height + was_height)
        if abs(height - was_height) > SAME_HEIGHT * mean_height:
            return False
        most = JITTER_HEIGHTS + WALK_HEIGHTS_S * 0.001 * (t_ms - self._last_ms[place])
        return hypot(x - self._x[place], y - self._y[place]) <= most * mean_height
