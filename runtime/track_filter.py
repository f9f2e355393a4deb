"""How much a track follows a detection: Kalman gains whose noise is measured in body heights.

A detector's error and a walk's changes grow with a person's height in the picture, so the noise of
both is a share of it (as in DeepSORT, Wojke et al., ICIP 2017). Then the covariance in heights is
the same for both coordinates and depends on nothing but the times a person was seen: three numbers
a slot for the place and one for the size, and no matrix. The state itself - box and velocity - is
the tables', so that whoever moves a box there moves the track.
"""

from __future__ import annotations

from array import array
from math import exp

PLACE_NOISE = 0.04
"""Standard deviation of a detected box's middle, body heights."""
PLACE_DRIVE = 0.6
"""How quickly a walk changes: acceleration as white noise, heights per s^1.5."""
SIZE_NOISE = 0.08
"""Standard deviation of a detected width or height, body heights."""
SIZE_DRIVE = 0.12
"""How quickly a person's size changes, heights per s^0.5."""
FIRST_SPEED = 2.0
"""What somebody new may walk or be panned by, standard deviation, heights per second."""
MISFIT, MOST_MISFIT = 0.25, 8.0
"""A box of another size is of somebody half covered, or of two: its middle lies off by half of what
is missing, which says little of their velocity. Variance per squared misfit; most, in PLACE_NOISE².
"""
FADE_S = 1.1
"""An unseen person's last speed is worth less and less: time constant."""

_R, _Q = PLACE_NOISE**2, PLACE_DRIVE**2
_SIZE_R, _SIZE_Q = SIZE_NOISE**2, SIZE_DRIVE**2


class Gains:
    """Gains per slot of a constant-velocity filter for the place, a random walk for the size.

    Args:
        capacity: number of slots.
    """

    def __init__(self, capacity: int) -> None:
        self._place = array("d", bytes(8 * capacity))
        self._mixed = array("d", bytes(8 * capacity))
        self._speed = array("d", bytes(8 * capacity))
        self._size = array("d", bytes(8 * capacity))

    def start(self, slot: int) -> None:
        """A new track, seen once."""
        self._place[slot], self._mixed[slot], self._speed[slot] = _R, 0.0, FIRST_SPEED**2
        self._size[slot] = _SIZE_R

    def step(self, slot: int, elapsed_s: float, misfit: float = 0.0) -> tuple[float, float, float]:
        """The track was seen again.

        Args:
            slot: of the track.
            elapsed_s: since it was seen last.
            misfit: squared difference of the box's size from the track's, squared body heights,
                where somebody else may cover them.

        Returns:
            gain of the place, of the velocity (per second), and of the size.
        """
        q, speed = _Q * elapsed_s, self._speed[slot]
        place = self._place[slot] + elapsed_s * (
            2.0 * self._mixed[slot] + elapsed_s * (speed + q / 3.0)
        )
        mixed = self._mixed[slot] + elapsed_s * (speed + q * 0.5)
        noise = _R + min(MISFIT * misfit, MOST_MISFIT * _R)
        of_place = place / (place + _R)
        of_speed = mixed / (place + noise)
        self._place[slot] = place * (1.0 - of_place)
        self._mixed[slot] = mixed * (1.0 - of_place)
        self._speed[slot] = speed + q - of_speed * mixed
        size = self._size[slot] + _SIZE_Q * elapsed_s
        of_size = size / (size + _SIZE_R)
        self._size[slot] = size * (1.0 - of_size)
        return of_place, of_speed, of_size


def way_ms(elapsed_ms: float) -> float:
    """For how many ms of its last velocity somebody has moved after being unseen for so long."""
    return 1000.0 * FADE_S * (1.0 - exp(elapsed_ms * (-0.001 / FADE_S)))
