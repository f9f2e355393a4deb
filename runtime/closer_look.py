"""The stage equipment: a closer look at some people per frame, in turn, for what they wear.

Only for sites with a rule about equipment: each look is one more inference of the detector.
"""

from __future__ import annotations

from time import perf_counter_ns

from drivers.faults import NpuFault
from models.close_up import CloseUp
from models.detector import Detector
from models.tables import Detections
from runtime.context import Context
from runtime.looks import Looks
from runtime.loop import Stage, judged
from runtime.metrics import Metrics
from runtime.people import PERSON
from runtime.tables import Tracks, TrackState

LEAST_PX = 40.0
"""Somebody smaller is not looked at: enlarged four times there is still nothing to see."""
BUDGET_MS = 40.0
REST_MS = 400.0
"""A loop that is behind looks at one person a frame, and at nobody again before this has passed."""


class CloserLook:
    """Adds what it sees to `context.equipment`, and notes whom it looked at in `context.looks`.

    Args:
        detector: its network is used.
        per_frame: most people per frame.
        metrics: counts errors.
    """

    def __init__(self, detector: Detector, per_frame: int, metrics: Metrics) -> None:
        self._close_up = CloseUp(detector, 2 * len(detector.classes))
        self._found = Detections(2 * len(detector.classes))
        self._person = list(detector.classes).index(PERSON)
        self._per_frame, self._metrics = per_frame, metrics
        self._close_up.rehearse(self._found)

    def __call__(self, context: Context) -> None:
        """Look at whose turn it is. Raises NpuFault."""
        looks, tracks = context.looks, context.tracks
        if looks is None:
            return
        for slot in tracks.died:
            looks.forget(slot)
        for slot in self._choose(context, looks):
            began_ns = perf_counter_ns()
            try:
                self._close_up.look(context.frame.pixels, tracks.boxes[slot], self._found)
            except NpuFault:
                self._metrics.npu_errors += 1
                raise
            context.invoke_ns += perf_counter_ns() - began_ns
            looks.note(slot, context.t_ms)
            self._add(context.equipment)

    def _choose(self, context: Context, looks: Looks) -> list[int]:
        """Whose turn it is; fewer when the loop is behind, but never nobody for long."""
        chosen = choose(looks, context.tracks, context.t_ms, self._per_frame)
        if not context.behind:
            return chosen
        before_ms = context.t_ms - REST_MS
        rested = [slot for slot in chosen[:1] if looks.looked_ms[slot] <= before_ms]
        self._metrics.shed += len(chosen) - len(rested)
        return rested

    def _add(self, equipment: Detections) -> None:
        found = self._found
        for row, index in enumerate(found.classes[: found.count].tolist()):
            to = equipment.count
            if index == self._person or to == equipment.capacity:
                continue
            equipment.boxes[to] = found.boxes[row]
            equipment.scores[to] = found.scores[row]
            equipment.classes[to] = index
            equipment.count = to + 1


def choose(looks: Looks, tracks: Tracks, t_ms: float, most: int) -> list[int]:
    """Slots whose turn it is: confirmed, seen now, large enough; who waited longest comes first."""
    waiting = []
    for slot in tracks.live.tolist():
        is_seen = tracks.last_ms.item(slot) == t_ms
        if not is_seen or tracks.state.item(slot) != TrackState.CONFIRMED:
            continue
        _, top, _, bottom = tracks.boxes[slot].tolist()
        if bottom - top >= LEAST_PX:
            waiting.append((looks.looked_ms[slot], slot))
    waiting.sort()
    return [slot for _, slot in waiting[:most]]


def look_stages(
    context: Context, detector: Detector, per_frame: int, metrics: Metrics
) -> tuple[Stage, ...]:
    """The row of the stage table; none where no rule asks for it."""
    if context.looks is None:
        return ()
    return (Stage("equipment", CloserLook(detector, per_frame, metrics), judged, BUDGET_MS),)
