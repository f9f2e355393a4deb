"""Stage shadow: other eyes look at the same picture, and what they see is compared.

Before a swap these are the new students, afterwards the old ones. They raise no alarm and touch no
table of the loop; a loop that is behind leaves them out. What fails in them is no fault of the
camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final

import numpy as np

from drivers.faults import NpuFault
from models.tables import Actions, Detections, Skeletons
from runtime.agreement import Agreement
from runtime.bodies import Bodies
from runtime.context import Context
from runtime.eyes import Eyes
from runtime.loop import Stage, judged
from runtime.posture import Postures

BUDGET_MS: Final = 60.0
NEAR_HEIGHTS: Final = 0.1
"""Two joints are near one another within this share of the box's height."""
SURE_JOINT: Final = 0.5
"""Visibility of a joint that is compared."""
SURE_ACTION: Final = 0.6
"""Score of an action that is compared."""
DOWN: Final = ("fall", "lie", "crawl")
SLOWER: Final = 2.0
"""A new detector may take so many times as long as the present one."""
FREE_NS: Final = 8_000_000
"""A detector that takes less than this is never too slow."""
MOST_FAILURES: Final = 5


class Shadow:
    """The comparison of one trial at a time; at rest it costs a look at one attribute.

    Args:
        detections: capacity of the tables.
        size: width and height of the pictures, pixels.

    Attributes:
        agreement: of this trial.
        failures: inferences of the new students that failed, since `begin`.
        last_failure: reason of the last.
    """

    def __init__(self, detections: int, size: tuple[int, int]) -> None:
        self.agreement = Agreement(*size)
        self.failures = 0
        self.last_failure = ""
        self._eyes: Eyes | None = None
        self._live: Eyes | None = None
        self._is_new = False
        self._present: list[list[float]] = []
        self._people, self._rest = Detections(detections), Detections(detections)
        self._skeletons = Skeletons(1)
        self._actions: Actions | None = None
        self._down: tuple[int, ...] = ()

    def begin(self, eyes: Eyes, live: Eyes, is_new: bool) -> None:
        """From the next picture on `eyes` look beside `live`.

        Args:
            eyes: in the shadow.
            live: what drives the camera.
            is_new: `eyes` are on trial; else `live` are.
        """
        self.agreement.restart()
        self.failures, self.last_failure = 0, ""
        self._eyes, self._live, self._is_new = eyes, live, is_new
        self._present = []
        self._actions = Actions(1, len(eyes.actions)) if eyes.bodies else None
        self._down = tuple(i for i, name in enumerate(eyes.actions) if name in DOWN)

    def end(self) -> None:
        """Nobody looks on any more."""
        self._eyes = self._live = None
        self._present = []

    def rows(self) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
        """The row behind detect, and the one behind everything that an alarm waits for."""
        note = Stage("noted", self.note, judged, 0.05)
        return (note,), (Stage("shadow", self, judged, BUDGET_MS, sheddable=True),)

    def note(self, context: Context) -> None:
        """Keep what the live detector found by itself, before anything is added to it."""
        if self._live is not None:
            self._present = strong_boxes(context.detections, self._live.birth_score)

    def __call__(self, context: Context) -> None:
        """Look, and compare."""
        eyes, live = self._eyes, self._live
        if eyes is None or live is None:
            return
        began_ns = perf_counter_ns()
        try:
            eyes.detector.prepare(context.frame.pixels)
            eyes.session.invoke()
            spent_ns = perf_counter_ns() - began_ns
            self._decode(eyes)
            self._compare_people(eyes)
            self._count_time(spent_ns, context)
            if eyes.bodies is not None and context.postures is not None:
                self._compare_bodies(eyes.bodies, context, context.postures)
        except NpuFault as fault:
            self.failures += self._is_new
            self.last_failure = fault.reason

    def _decode(self, eyes: Eyes) -> None:
        if eyes.people is None:
            eyes.detector.decode(self._people)
        else:
            eyes.detector.decode(eyes.people.found)
            eyes.people.part(self._people, self._rest)

    def _compare_people(self, eyes: Eyes) -> None:
        seen = strong_boxes(self._people, eyes.birth_score)
        if self._is_new:
            self.agreement.compare(self._present, seen)
        else:
            self.agreement.compare(seen, self._present)

    def _count_time(self, spent_ns: int, context: Context) -> None:
        """The new detector's time against the present one's, in the same picture."""
        new_ns, old_ns = spent_ns, context.detect_ns
        if not self._is_new:
            new_ns, old_ns = old_ns, new_ns
        self.agreement.frames += 1
        self.agreement.slow += new_ns > max(FREE_NS, SLOWER * old_ns)

    def _compare_bodies(self, bodies: Bodies, context: Context, postures: Postures) -> None:
        """One person a picture, whose skeleton the loop has just made."""
        slot = _just_looked_at(postures, context)
        if slot < 0 or self._actions is None:
            return
        box = context.tracks.boxes[slot]
        bodies.glance(context.frame.pixels, box, self._skeletons, self._actions, context.now_ms)
        height_px = max(float(box[3] - box[1]), 1.0)
        mine = self._skeletons.keypoints[0].tolist()
        theirs = postures.keypoints[slot].tolist()
        joints, near = count_joints(mine, theirs, NEAR_HEIGHTS * height_px)
        self.agreement.looks += 1
        self.agreement.joints += joints
        self.agreement.near += near
        if postures.judged_ms[slot] == context.t_ms:
            self._compare_actions(self._actions, postures.scores[slot].tolist())

    def _compare_actions(self, actions: Actions, theirs: Sequence[float]) -> None:
        mine = actions.scores[0].tolist()
        best, other = int(np.argmax(mine)), int(np.argmax(theirs))
        if actions.best[0] < 0 or min(mine[best], theirs[other]) < SURE_ACTION:
            return
        self.agreement.actions += 1
        self.agreement.alike += (best in self._down) == (other in self._down)


def strong_boxes(found: Detections, least: float) -> list[list[float]]:
    """Boxes of the detections with at least this score, as plain numbers."""
    scores = found.scores[: found.count].tolist()
    boxes: list[list[float]] = found.boxes[: found.count].tolist()
    return [box for box, score in zip(boxes, scores, strict=True) if score >= least]


def count_joints(
    mine: list[list[float]], theirs: list[list[float]], near_px: float
) -> tuple[int, int]:
    """Joints that both are sure of, and how many of them are near one another."""
    joints = near = 0
    for (x, y, sure), (u, v, other) in zip(mine, theirs, strict=True):
        if sure >= SURE_JOINT and other >= SURE_JOINT:
            joints += 1
            near += (x - u) ** 2 + (y - v) ** 2 <= near_px * near_px
    return joints, near


def _just_looked_at(postures: Postures, context: Context) -> int:
    """A slot whose skeleton is of this very picture, or -1."""
    for slot in context.tracks.live.tolist():
        if postures.found_ms.item(slot) == context.t_ms:
            return int(slot)
    return -1
