"""The stage second_look: where somebody was and is not found, the detector looks again, enlarged.

People who squat, sit or lie, and people far away, are lost in the whole picture and found in a part
of it: of simulated people from 45 of 360 pixels on whom the shipped student loses, 83 % of those
who squat and 42 % of those who lie are found again, and somebody in 0.4 to 2.3 % of empty places.
What is found joins the detections, so that the tracker treats it as any other. Only where a rule
judges bodies: somebody who is lost while low is easily taken for fallen. A loop that is behind
leaves it out.
"""

from __future__ import annotations

from array import array
from time import perf_counter_ns

import numpy as np

from drivers.faults import NpuFault
from models.close_up import CloseUp
from models.detector import Detector
from models.tables import Detections
from runtime.context import Context
from runtime.loop import Stage, judged
from runtime.metrics import Metrics
from runtime.overlap import share_of_both
from runtime.people import PERSON
from runtime.posture import NEVER_MS
from runtime.tables import Tracks, TrackState

LEAST_PX = 40.0
"""Longer side of a box; smaller people cannot be seen enlarged either."""
LEAST_SCORE = 0.35
LEAST_SHARED = 0.3
"""Overlap (intersection over union) of who is found with where they should be."""
MOST_SHARED = 0.45
"""More of somebody else who is found already: it is that one."""
LONGEST_STEP_MS = 400.0
"""Nobody is expected further along their way than this."""
BUDGET_MS = 40.0
Sides = list[float]


class SecondLook:
    """One look per picture at most.

    Args:
        detector: its network is used.
        tracks: slots.
        metrics: counts errors.
    """

    def __init__(self, detector: Detector, tracks: int, metrics: Metrics) -> None:
        self._close_up = CloseUp(detector, 2 * len(detector.classes))
        self._found = Detections(2 * len(detector.classes))
        self._person = list(detector.classes).index(PERSON)
        self._metrics = metrics
        self._looked_ms = array("d", [NEVER_MS] * tracks)
        self._box = np.zeros(4, np.float32)
        self._close_up.rehearse(self._found)

    def __call__(self, context: Context) -> None:
        """Look for one of those who are missing. Raises NpuFault."""
        detections = context.detections
        seen: list[Sides] = detections.boxes[: detections.count].tolist()
        slot, expected = self._missing(context.tracks, context.t_ms, seen)
        if slot < 0 or detections.count == detections.capacity:
            return
        self._looked_ms[slot] = context.t_ms
        self._box[:] = expected
        began_ns = perf_counter_ns()
        try:
            self._close_up.look(context.frame.pixels, self._box, self._found)
        except NpuFault:
            self._metrics.npu_errors += 1
            raise
        context.invoke_ns += perf_counter_ns() - began_ns
        row = self._best(expected, seen)
        if row >= 0:
            _insert(detections, self._found, row, (context.frame.pixels.shape[1::-1]))

    def _missing(self, tracks: Tracks, t_ms: float, seen: list[Sides]) -> tuple[int, Sides]:
        """Who is expected and not seen, whose look is the oldest; -1: nobody."""
        best, box = -1, [0.0] * 4
        for slot in tracks.live.tolist():
            if tracks.state.item(slot) != TrackState.CONFIRMED:
                continue
            if best >= 0 and self._looked_ms[slot] >= self._looked_ms[best]:
                continue
            expected = _expected(tracks, slot, t_ms)
            if max(expected[2] - expected[0], expected[3] - expected[1]) < LEAST_PX:
                continue
            if all(share_of_both(expected, other) < LEAST_SHARED for other in seen):
                best, box = slot, expected
        return best, box

    def _best(self, expected: Sides, seen: list[Sides]) -> int:
        """Row of who was found at the place, or -1; rows come best score first."""
        found = self._found
        for row in range(found.count):
            if found.classes.item(row) != self._person or found.scores.item(row) < LEAST_SCORE:
                continue
            box = found.boxes[row].tolist()
            is_there = share_of_both(box, expected) >= LEAST_SHARED
            if is_there and all(share_of_both(box, other) < MOST_SHARED for other in seen):
                return row
        return -1


def _expected(tracks: Tracks, slot: int, t_ms: float) -> Sides:
    """The last box, moved on by its velocity."""
    ahead_ms = min(t_ms - tracks.last_ms.item(slot), LONGEST_STEP_MS)
    sides, speeds = tracks.boxes[slot].tolist(), tracks.velocity[slot].tolist()
    return [side + ahead_ms * speed for side, speed in zip(sides, speeds, strict=True)]


def _insert(detections: Detections, found: Detections, row: int, size: tuple[int, ...]) -> None:
    """Add a row where its score belongs: the best comes first. Clipped to the picture."""
    n, score = detections.count, found.scores.item(row)
    to = int(np.count_nonzero(detections.scores[:n] >= score))
    for column in (detections.boxes, detections.scores, detections.classes):
        column[to + 1 : n + 1] = column[to:n]
    left, top, right, bottom = found.boxes[row].tolist()
    width, height = size
    detections.boxes[to] = max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)
    detections.scores[to], detections.classes[to] = score, found.classes[row]
    detections.count = n + 1


def second_look_stages(context: Context, detector: Detector, metrics: Metrics) -> tuple[Stage, ...]:
    """The row of the stage table; none where no rule judges bodies."""
    if context.postures is None:
        return ()
    look = SecondLook(detector, context.tracks.capacity, metrics)
    return (Stage("second_look", look, judged, BUDGET_MS, sheddable=True),)
