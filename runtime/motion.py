"""How each person has been moving: the recent path as six places, and what they say.

A path is six means of at least CELL_MS each, so that a fast detector's jitter is averaged away and
a slow one's places are kept as they are. Five steps lie between them. They are described along and
across the way that they lead as a whole, which makes a description the same everywhere on the
ground and in every direction.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
C64 = npt.NDArray[np.complex64]
C128 = npt.NDArray[np.complex128]
Mask = npt.NDArray[np.bool_]

CELLS = 6
STEPS = CELLS - 1
CELL_MS = 300.0
"""A new place begins this long after the last one began; six of them span 2 s or more."""
LEAST_WAY_M = 1e-9
"""Who stands as still as this faces along x."""
LEAST_STEP_S = 1e-3
LONGEST_STEP_S = 2.0
LEAST_CHANGE = 0.02
"""Metres per second; smaller changes of velocity are alike."""
_LEAST_WAY_M, _LEAST_STEP_S, _LONGEST_STEP_S, _LEAST_CHANGE = (
    np.array(value, np.float32)
    for value in (LEAST_WAY_M, LEAST_STEP_S, LONGEST_STEP_S, LEAST_CHANGE)
)
FEATURES = 1 + 4 * STEPS - 1
WAY_ROWS = 3
ROWS = WAY_ROWS + FEATURES + 2
ALONG, ACROSS = slice(1, 1 + STEPS), slice(1 + STEPS, 1 + 2 * STEPS)
CHANGES, TIMES = slice(1 + 2 * STEPS, 3 * STEPS), slice(3 * STEPS, 4 * STEPS)


class Motion:
    """The recent paths of all track slots. Nothing is allocated after `__init__`.

    Places are complex numbers, x + iy in metres: a turn is then one product.

    Args:
        capacity: number of track slots, T.

    Attributes:
        first_ms: float64[T], first observation of the slot's track.
        time_s: float64[T], time of the newest place, seconds.
        place: complex128[T], the newest place.
        heading: complex64[T], of length 1, from the oldest place to the newest.
        facing: complex64[T], its conjugate: what it is multiplied with is seen along the heading.
        table: float32[ROWS, T], what the networks read: three rows for the predicted way (see
            `runtime.predict`), the features, one row for the seconds ahead, and ones.
        features: float32[FEATURES, T], a part of the table: [0] speed from the oldest place to the
            newest, m/s; ALONG velocity of the five steps, newest first, along the heading, less
            that speed; ACROSS the same across it; CHANGES log of the four changes of velocity
            between them; TIMES seconds that each step took, 0 where the path is too short.
        speed, steps: float32[T], float32[2, STEPS, T], the first rows of the features.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.first_ms: F64 = np.zeros(capacity)
        self.heading: C64 = np.zeros(capacity, np.complex64)
        self.facing: C64 = np.zeros(capacity, np.complex64)
        self.table: F32 = np.zeros((ROWS, capacity), np.float32)
        self.features: F32 = self.table[WAY_ROWS : WAY_ROWS + FEATURES]
        self.table[-1] = 1.0
        self.speed: F32 = self.features[0]
        self._along, self._across = self.features[ALONG], self.features[ACROSS]
        self.steps: F32 = self.features[1 : 1 + 2 * STEPS].reshape(2, STEPS, capacity)
        self._log_changes, self._spans = self.features[CHANGES], self.features[TIMES]
        self._times: F64 = np.zeros((CELLS, capacity))
        self._places: C128 = np.zeros((CELLS, capacity), np.complex128)
        self.time_s: F64 = self._times[0]
        self.place: C128 = self._places[0]
        self._old_times, self._old_places = self._times.copy(), self._places.copy()
        self._began_ms: F64 = np.full(capacity, -np.inf)
        self._count: F64 = np.ones(capacity)
        self._known: Mask = np.zeros(capacity, np.bool_)
        self._new: Mask = np.zeros(capacity, np.bool_)
        self._share: F64 = np.zeros(capacity)
        self._row: F64 = np.zeros(capacity)
        self._way: C128 = np.zeros(capacity, np.complex128)
        self._ways: C128 = np.zeros((STEPS, capacity), np.complex128)
        self._seconds: F64 = np.zeros((STEPS, capacity))
        self._whole: C64 = np.zeros(capacity, np.complex64)
        self._length: F32 = np.zeros(capacity, np.float32)
        self._lasted: F32 = np.zeros(capacity, np.float32)
        self._lasting: F32 = np.zeros((STEPS, capacity), np.float32)
        self._steps: C64 = np.zeros((STEPS, capacity), np.complex64)
        self._changes: C64 = np.zeros((STEPS - 1, capacity), np.complex64)

    def forget(self, slot: int) -> None:
        """The track of this slot died: the next one starts with an empty path."""
        self._known[slot] = False
        self._began_ms[slot] = -np.inf

    def observe(self, place: C128, t_ms: float, seen: Mask) -> None:
        """Add one observation to the paths of the slots that are seen now.

        Args:
            place: complex128[T], x + iy; values of other slots are ignored, but must be finite.
            t_ms: source time, never smaller than before.
            seen: bool[T].
        """
        new, row, times, places = self._new, self._row, self._times, self._places
        t_s = t_ms * 1e-3
        np.less_equal(self._began_ms, t_ms - CELL_MS, out=new)
        new &= seen
        np.copyto(self._old_times, times)
        np.copyto(self._old_places, places)
        np.copyto(times[1:], self._old_times[:-1], where=new)
        np.copyto(places[1:], self._old_places[:-1], where=new)
        np.copyto(self._began_ms, t_ms, where=new)
        np.copyto(self._count, 0.0, where=new)
        self._count += seen
        np.divide(seen, self._count, out=self._share)
        np.greater(seen, self._known, out=new)
        np.copyto(times, t_s, where=new)
        np.copyto(places, place, where=new)
        np.copyto(self.first_ms, t_ms, where=new)
        self._known |= seen
        np.subtract(t_s, times[0], out=row)
        row *= self._share
        times[0] += row
        np.subtract(place, places[0], out=self._way)
        self._way *= self._share
        places[0] += self._way

    def describe(self) -> None:
        """Fill `heading` and `features` from the paths."""
        times, places, way, seconds = self._times, self._places, self._way, self._seconds
        whole, length, lasted, lasting = self._whole, self._length, self._lasted, self._lasting
        np.subtract(places[0], places[-1], out=way)
        whole[:] = way
        whole += _LEAST_WAY_M
        np.absolute(whole, out=length)
        np.divide(whole, length, out=self.heading)
        np.conjugate(self.heading, out=self.facing)
        np.subtract(times[:-1], times[1:], out=seconds)
        lasting[:] = seconds
        np.add.reduce(lasting, axis=0, out=lasted)
        np.maximum(lasted, _LEAST_STEP_S, out=lasted)
        np.divide(length, lasted, out=self.speed)
        np.minimum(lasting, _LONGEST_STEP_S, out=self._spans)
        np.maximum(lasting, _LEAST_STEP_S, out=lasting)
        self._turn()

    def _turn(self) -> None:
        """Velocities along the heading and across it, and how they changed."""
        places, ways, steps, change = self._places, self._ways, self._steps, self._log_changes
        np.subtract(places[:-1], places[1:], out=ways)
        steps[:] = ways
        steps /= self._lasting
        np.subtract(steps[:-1], steps[1:], out=self._changes)
        np.absolute(self._changes, out=change)
        change += _LEAST_CHANGE
        np.log(change, out=change)
        steps *= self.facing
        np.subtract(steps.real, self.speed, out=self._along)
        self._across[:] = steps.imag
