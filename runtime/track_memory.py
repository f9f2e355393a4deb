"""Who was there and is not seen any more: their number waits for them to come out again.

The track of somebody hidden for long dies, and the rules forget it. But nobody appears out of
nowhere: who turns up in the middle of a quiet picture has come out from behind something, and when
exactly one of those who vanished in the middle of it can be there by now, and is as tall, they are
the same. Place, time and height decide, nothing else is known of anybody.
"""

from __future__ import annotations

from math import hypot
from typing import NamedTuple

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


class Gone(NamedTuple):
    """Somebody as they were last seen; pixels."""

    track_id: int
    last_ms: float
    x: float
    """Middle of the box."""
    y: float
    height: float


NOBODY = Gone(0, 0.0, 0.0, 0.0, 0.0)


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
        self._gone = [NOBODY] * PLACES
        self._next = 0

    def is_inside(self, box: tuple[float, float, float, float]) -> bool:
        """The box does not touch the picture's border: its person neither comes nor leaves."""
        left, top, right, bottom = box
        near_x, near_y = self._edge
        far_x, far_y = self._far
        return left > near_x and top > near_y and right < far_x and bottom < far_y

    def add(self, gone: Gone) -> None:
        """A confirmed track died inside the picture; the oldest of the gone is forgotten for it."""
        self._gone[self._next] = gone
        self._next = (self._next + 1) % PLACES

    def shift(self, x_px: float, y_px: float) -> None:
        """The camera moved, and with it all places."""
        self._gone = [gone._replace(x=gone.x + x_px, y=gone.y + y_px) for gone in self._gone]

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
            for place, gone in enumerate(self._gone)
            if gone.track_id
            and oldest_ms <= gone.last_ms < first_ms
            and _can_be(gone, t_ms, x, y, height)
        ]
        if len(fits) != 1:
            return 0
        number = self._gone[fits[0]].track_id
        self._gone[fits[0]] = NOBODY
        return number


def _can_be(gone: Gone, t_ms: float, x: float, y: float, height: float) -> bool:
    """They are as tall, and have not come farther than a walk."""
    mean_height = 0.5 * (height + gone.height)
    if abs(height - gone.height) > SAME_HEIGHT * mean_height:
        return False
    most = JITTER_HEIGHTS + WALK_HEIGHTS_S * 0.001 * (t_ms - gone.last_ms)
    return hypot(x - gone.x, y - gone.y) <= most * mean_height
