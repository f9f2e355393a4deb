"""Recorded walks put through the predictor as a camera would see them, and what truly came."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from runtime.motion import F32, F64, Mask, Motion
from runtime.obsmat import Observations
from runtime.predict import C128, EntryPredictor

HISTORY_MS = 2000.0
ROUNDING_MS = 1.0


class Rows(NamedTuple):
    """What was known at each observation, N of them, and Z zones.

    Attributes:
        time_ms: float64[N].
        place: complex128[N], as observed, metres.
        velocity: complex128[2, N], mean of the last step, and of the last two, m/s.
        age_ms: float64[N], time since the person was first seen.
        probability: float32[Z, N].
    """

    time_ms: F64
    place: C128
    velocity: C128
    age_ms: F64
    probability: F32


def replay(seen: Observations, frame_ms: float, predictor: EntryPredictor) -> Rows:
    """Run the predictor over all frames, one slot per person.

    Args:
        seen: what the camera sees.
        frame_ms: milliseconds per frame number.
        predictor: for as many slots as there are people.
    """
    people, slots = np.unique(seen.person, return_inverse=True)
    motion, n = Motion(len(people)), len(seen.person)
    before = np.full((3, len(people)), np.nan + 0j)
    before_ms = np.full((3, len(people)), np.nan)
    age_ms, velocity = np.zeros(n), np.zeros((2, n), np.complex128)
    probability = np.zeros((len(predictor.probability), n), np.float32)
    frames, starts = np.unique(seen.frame, return_index=True)
    place, is_seen = np.zeros(len(people), np.complex128), np.zeros(len(people), np.bool_)
    for frame, first, last in zip(frames, starts, [*starts[1:], n], strict=True):
        who, t_ms = slots[first:last], float(frame) * frame_ms
        is_seen[:] = False
        is_seen[who], place[who] = True, seen.place[first:last]
        for past, now in ((before, seen.place[first:last]), (before_ms, t_ms)):
            past[1:, who] = past[:-1, who]
            past[0, who] = now
        motion.observe(place, t_ms, is_seen)
        probability[:, first:last] = predictor.update(motion, t_ms)[:, who]
        age_ms[first:last] = t_ms - motion.first_ms[who]
        spans_s = (before_ms[0, who] - before_ms[1:, who]) / 1000.0
        is_known = np.isfinite(spans_s)
        ways = np.where(is_known, before[0, who] - before[1:, who], 0.0)
        velocity[:, first:last] = ways / np.where(is_known, spans_s, 1.0)
    time_ms = seen.frame * frame_ms
    return Rows(time_ms, seen.place, velocity, age_ms, probability)


def is_inside(corners: C128, points: C128) -> Mask:
    """Which points lie in which polygons, even-odd.

    Args:
        corners: complex128[V, Z].
        points: complex128[N].

    Returns:
        bool[Z, N].
    """
    inside = np.zeros((corners.shape[1], len(points)), np.bool_)
    y = points.imag
    for a, b in zip(corners[:, :, None], np.roll(corners, -1, axis=0)[:, :, None], strict=True):
        spans = (a.imag > y) != (b.imag > y)
        rise = np.where(b.imag == a.imag, 1.0, b.imag - a.imag)
        inside ^= spans & (points.real < (b.real - a.real) * (y - a.imag) / rise + a.real)
    return inside


def first_touch(corners: C128, start: C128, end: C128) -> F64:
    """Where on straight ways the edge of each polygon is met first.

    Args:
        corners: complex128[V, Z].
        start, end: complex128[N].

    Returns:
        float64[Z, N]: 0 at the start of the way, 1 at its end, inf where it is not met.
    """
    way = end - start
    found = np.full((corners.shape[1], len(start)), np.inf)
    for a, b in zip(corners[:, :, None], np.roll(corners, -1, axis=0)[:, :, None], strict=True):
        edge, gap = b - a, a - start
        turn = _cross(way, edge)
        safe = np.where(turn == 0.0, 1.0, turn)
        along, beside = _cross(gap, edge) / safe, _cross(gap, way) / safe
        meets = (turn != 0.0) & (along >= 0) & (along <= 1) & (beside >= 0) & (beside <= 1)
        np.minimum(found, np.where(meets, along, np.inf), out=found)
    return found


def _cross(a: C128, b: C128) -> F64:
    product: F64 = a.real * b.imag - a.imag * b.real
    return product


class Outcome(NamedTuple):
    """What truly came after each row.

    Attributes:
        is_known: bool[N], the person was watched for the whole horizon.
        is_outside: bool[Z, N], the true place was outside of the zone.
        entry_ms: float64[Z, N], time until the zone was entered, inf when not within the horizon.
    """

    is_known: Mask
    is_outside: Mask
    entry_ms: F64


def outcomes(
    corners: C128, truth: Observations, seen: Observations, frame_ms: float, horizon_ms: float
) -> Outcome:
    """Follow the truth for `horizon_ms` after every observation in `seen`."""
    n = len(seen.frame)
    is_known = np.zeros(n, np.bool_)
    is_outside = np.zeros((corners.shape[1], n), np.bool_)
    entry_ms = np.full((corners.shape[1], n), np.inf)
    for person in np.unique(seen.person):
        mine, true = np.flatnonzero(seen.person == person), truth.person == person
        at_ms, place = truth.frame[true] * frame_ms, truth.place[true]
        now_ms = seen.frame[mine] * frame_ms
        if not place.size:
            continue
        is_known[mine] = (now_ms >= at_ms[0]) & (now_ms + horizon_ms <= at_ms[-1] + ROUNDING_MS)
        is_outside[:, mine] = ~is_inside(corners, np.interp(now_ms, at_ms, place))
        entry_ms[:, mine] = _entry_ms(corners, at_ms, place, now_ms, horizon_ms)
    return Outcome(is_known, is_outside, entry_ms)


def _entry_ms(corners: C128, at_ms: F64, place: C128, now_ms: F64, horizon_ms: float) -> F64:
    """float64[Z, N]: from each moment, time until the way meets each polygon."""
    found = np.full((corners.shape[1], len(now_ms)), np.inf)
    touch = first_touch(corners, place[:-1], place[1:])
    touch_ms = at_ms[:-1] + touch * np.diff(at_ms)
    for k, t_ms in enumerate(now_ms):
        begun = int(np.searchsorted(at_ms, t_ms + ROUNDING_MS, side="right")) - 1
        later = touch_ms[:, max(begun, 0) :] - t_ms
        if later.size:
            later = np.where(later >= 0.0, later, np.inf)
            found[:, k] = later.min(axis=1)
    return np.where(found <= horizon_ms + ROUNDING_MS, found, np.inf)
