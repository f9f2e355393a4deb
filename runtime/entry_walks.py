"""Recorded walks, replayed in many ways, for `runtime.entry_fit` to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from runtime.motion import F32, ROWS, Mask, Motion
from runtime.obsmat import Observations, frame_ms, read_obsmat
from runtime.predict import C128

STEP_MS = 400.0
LOOKS = 11
"""Known places after each observation: now, and in 0.4 to 4 s."""
LEAST_AGE_MS = 790.0
KNOTTED = (False, False, True, False, True, True)
JITTERED = (False, True, False, True, False, False)
"""Kinds of passes, one after the other, each in turn forwards and backwards."""


class Walks(NamedTuple):
    """Replayed observations, N of them.

    Attributes:
        table: float32[ROWS, N] of `Motion`.
        heading, place: complex128[N].
        future: complex128[LOOKS, N], true places, nan after the last.
    """

    table: F32
    heading: C128
    place: C128
    future: C128

    def take(self, chosen: Mask | slice) -> Walks:
        """Some of the observations."""
        return Walks(
            self.table[:, chosen], self.heading[chosen], self.place[chosen], self.future[:, chosen]
        )


def join(parts: list[Walks]) -> Walks:
    """Several sets of walks as one."""
    return Walks(
        np.concatenate([part.table for part in parts], axis=1),
        np.concatenate([part.heading for part in parts]),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.future for part in parts], axis=1),
    )


def walks(path: Path, passes: int, seed: int) -> Walks:
    """All passes over one file, joined.

    Raises:
        DataRefused, OSError: as `read_obsmat`.
    """
    truth = read_obsmat(path)
    ms = frame_ms(truth, STEP_MS)
    random = np.random.default_rng(seed)
    parts = []
    for number in range(passes):
        turned, kind = divmod(number, len(KNOTTED))
        made = _vary(truth, ms, random, turned % 2 == 1, KNOTTED[kind])
        jitter_m = random.uniform(0.02, 0.28) if JITTERED[kind] else 0.0
        missed = random.uniform(0.0, 0.2) if JITTERED[kind] else 0.0
        parts.append(_pass(made, ms, jitter_m, missed, random))
    return join(parts)


def _vary(
    truth: Observations, ms: float, random: np.random.Generator, backwards: bool, knotted: bool
) -> Observations:
    """The same people, faster or slower, the other way round, or joined from few places."""
    place = truth.place * random.uniform(0.75, 1.25)
    for person in np.unique(truth.person):
        mine = np.flatnonzero(truth.person == person)
        way = place[mine][::-1] if backwards else place[mine]
        if knotted and len(mine) > 3:
            at_ms = truth.frame[mine] * ms
            knots = np.cumsum(random.uniform(2.0, 5.5, len(mine))) * STEP_MS + at_ms[0]
            knots = np.array([at_ms[0], *knots[knots < at_ms[-1]], at_ms[-1]])
            way = np.interp(at_ms, knots, np.interp(knots, at_ms, way))
        place[mine] = way
    return truth._replace(place=place)


def _pass(
    truth: Observations, ms: float, jitter_m: float, missed: float, random: np.random.Generator
) -> Walks:
    """One replay through `Motion`, one slot per person."""
    people, slots = np.unique(truth.person, return_inverse=True)
    motion, n = Motion(len(people)), len(truth.frame)
    noise = random.normal(0.0, 1.0, n) + 1j * random.normal(0.0, 1.0, n)
    seen_place, kept = truth.place + jitter_m * noise, random.random(n) >= missed
    table = np.zeros((ROWS, n), np.float32)
    heading, place = np.zeros(n, np.complex128), np.zeros(n, np.complex128)
    now, is_seen = np.zeros(len(people), np.complex128), np.zeros(len(people), np.bool_)
    usable = kept.copy()
    for frame in np.unique(truth.frame):
        here = np.flatnonzero((truth.frame == frame) & kept)
        who, t_ms = slots[here], float(frame) * ms
        is_seen[:] = False
        is_seen[who], now[who] = True, seen_place[here]
        motion.observe(now, t_ms, is_seen)
        motion.describe()
        table[:, here], heading[here] = motion.table[:, who], motion.heading[who]
        place[here] = motion.place[who]
        usable[here] = t_ms - motion.first_ms[who] >= LEAST_AGE_MS
    return Walks(table, heading, place, _future(truth, ms)).take(usable)


def _future(truth: Observations, ms: float) -> C128:
    future = np.full((LOOKS, len(truth.frame)), np.nan + 0j)
    for person in np.unique(truth.person):
        mine = np.flatnonzero(truth.person == person)
        at_ms = truth.frame[mine] * ms
        for look in range(LOOKS):
            ahead = np.interp(at_ms + look * STEP_MS, at_ms, truth.place[mine])
            gone = at_ms + look * STEP_MS > at_ms[-1] + 1.0
            future[look, mine] = np.where(gone, np.nan, ahead)
    return future
