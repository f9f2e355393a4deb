"""The stages skeleton and action: a look at some people per frame, and what they do.

Each frame a few people are looked at: those whose skeleton is oldest, and sooner those whose box
changes shape or whom the detector has lost. A loop that is behind leaves out who is far away.
Somebody whom the detector no longer sees, but whose skeleton is still there, is followed by it: a
detector that was trained on standing people loses them as they fall.
"""

from __future__ import annotations

import numpy as np
from numpy import float32

from drivers.faults import NpuFault
from models.action import ActionNetwork
from models.skeleton import SkeletonNetwork
from models.tables import Actions, Skeletons
from runtime.context import Context
from runtime.feet import Feet
from runtime.metrics import Metrics
from runtime.overlap import share_of_smaller
from runtime.posture import NEVER_MS, Postures
from runtime.posture_form import torso_length
from runtime.posture_network import LEAST_SEEN, Liveness, WatchedSession
from runtime.tables import F32, Tracks, TrackState

SMALLEST, LARGEST = 0.4, 1.7
"""A followed skeleton's torso, in those of the last one at a detected box: nobody shrinks."""
LONGEST = 1.2
"""Longer side of a followed skeleton, in those of the boxes before: nobody grows."""
URGENT = 3.0
"""A person who changes shape or was lost is looked at as if their skeleton were so much older."""
CHANGED = 0.12
"""Change of a box's height or width since the last look, as a share of its height."""
FAR_SHARE = 0.2
"""Of the picture's height: who is smaller is far away, and left out when the loop is behind."""
FOLLOW_MS, UNSURE_FOLLOW_MS = 8000.0, 1500.0
"""How long somebody is followed by the skeleton alone; where the network sees people anywhere."""
SEEN_SHARE = 0.42
"""Visibilities of a followed skeleton, in those at the detected boxes before: less is a chair."""
SIZE_KEPT = 0.98
"""Of the size at each further look: a torso only ever looks shorter than it is."""
GROW = 0.12
"""The box of a skeleton is so much larger than its joints: head, hands and feet reach beyond."""
WIDER = 1.5
"""A look around the place where neither box nor skeleton was found any more."""
MOST_SHARED = 0.45
"""Overlap of a followed skeleton with somebody else's box: it is their skeleton."""


class Look:
    """Stage skeleton.

    Args:
        network: with its session watched.
        session: that one.
        postures: filled by slot.
        skeletons: filled with this frame's; its capacity is the most looks per frame.
        metrics: counts errors and looks left out.
        size: width and height of the pictures, pixels.
    """

    def __init__(
        self,
        network: SkeletonNetwork,
        session: WatchedSession,
        postures: Postures,
        skeletons: Skeletons,
        metrics: Metrics,
        size: tuple[int, int],
    ) -> None:
        self._network = network
        self._postures = postures
        self._feet = Feet(postures.capacity)
        self._skeletons = skeletons
        self._metrics = metrics
        self._alive = Liveness(session, metrics)
        self._far_px = FAR_SHARE * size[1]
        self._follow_ms = FOLLOW_MS if postures.knows_absence else UNSURE_FOLLOW_MS
        self._whole: F32 = np.array([0, 0, *size], np.float32)
        self._box: F32 = np.zeros(4, np.float32)
        self._low, self._high = np.zeros(2, np.float32), np.zeros(2, np.float32)
        self._looked_box: F32 = np.zeros((postures.capacity, 4), np.float32)
        self._size_px = [0.0] * postures.capacity
        self._long_px = [0.0] * postures.capacity
        self._seen = [0.0] * postures.capacity

    def restart(self) -> None:
        """After a time without work: the slots belong to other people now."""
        for slot in range(self._postures.capacity):
            self._forget(slot)

    def _forget(self, slot: int) -> None:
        self._feet.forget(slot)
        self._size_px[slot] = self._long_px[slot] = self._seen[slot] = 0.0

    def __call__(self, context: Context) -> None:
        """Look at whose turn it is. Raises NpuFault: this frame has no skeletons then."""
        postures, skeletons, tracks = self._postures, self._skeletons, context.tracks
        for slot in tracks.died:
            postures.forget(slot)
            self._forget(slot)
        skeletons.count = skeletons.dropped = 0
        self._alive.begin(context)
        try:
            chosen = self._choose(context)
            for slot in chosen:
                self._look(context, slot)
            self._feet.plant(tracks, context.t_ms)
            if not chosen:
                if not self._alive.is_due(context.now_ms):
                    return
                self._network.look(context.frame.pixels, self._whole, skeletons.keypoints[0])
            self._alive.ran(context)
        except NpuFault as fault:
            skeletons.count = 0
            raise self._alive.failed(context, fault) from None

    def _choose(self, context: Context) -> list[int]:
        """Slots to look at now, the most pressing first."""
        tracks, postures, t_ms = context.tracks, self._postures, context.t_ms
        waiting = []
        for slot in tracks.live.tolist():
            if tracks.state.item(slot) != TrackState.CONFIRMED:
                continue
            is_seen = tracks.last_ms.item(slot) == t_ms
            if is_seen:
                postures.detected_ms[slot] = t_ms
            elif t_ms - postures.detected_ms.item(slot) > self._follow_ms:
                continue
            age_ms = t_ms - max(postures.looked_ms.item(slot), tracks.first_ms.item(slot))
            if not is_seen or self._has_changed(tracks, slot):
                age_ms *= URGENT
            waiting.append((-age_ms, slot))
        waiting.sort()
        chosen = [slot for _, slot in waiting[: self._skeletons.capacity]]
        if context.behind:
            near = [slot for slot in chosen if _height(tracks, slot) >= self._far_px]
            self._metrics.shed += len(chosen) - len(near)
            return near
        return chosen

    def _has_changed(self, tracks: Tracks, slot: int) -> bool:
        """The box is another than at the last look: a fall is quick, a walk changes little."""
        left, top, right, bottom = _sides(tracks.boxes[slot])
        was_left, was_top, was_right, was_bottom = _sides(self._looked_box[slot])
        least = CHANGED * max(was_bottom - was_top, 1.0)
        taller = abs((bottom - top) - (was_bottom - was_top))
        wider = abs((right - left) - (was_right - was_left))
        return taller > least or wider > least

    def _look(self, context: Context, slot: int) -> None:
        """One inference; what it finds goes to the slot, and to a row of this frame."""
        tracks, postures, skeletons = context.tracks, self._postures, self._skeletons
        row, is_seen = skeletons.count, tracks.last_ms.item(slot) == context.t_ms
        self._aim(tracks, slot, is_seen, context.t_ms)
        postures.looked_ms[slot] = context.t_ms
        self._looked_box[slot] = tracks.boxes[slot]
        keypoints = skeletons.keypoints[row]
        self._network.look(context.frame.pixels, self._box, keypoints)
        seen = float(keypoints[:, 2].sum())
        if seen < LEAST_SEEN or (not is_seen and seen < SEEN_SHARE * self._seen[slot]):
            return
        torso_px = torso_length(keypoints.tolist())
        if is_seen:
            self._size_px[slot] = max(torso_px, SIZE_KEPT * self._size_px[slot])
            self._long_px[slot] = max(_height(tracks, slot), SIZE_KEPT * self._long_px[slot])
            self._seen[slot] = max(seen, SIZE_KEPT * self._seen[slot])
        elif not self._follow(context, slot, keypoints, torso_px):
            return
        np.copyto(postures.keypoints[slot], keypoints)
        postures.torso_px[slot] = torso_px
        postures.found_ms[slot] = context.t_ms
        self._feet.see(slot, tracks, keypoints, torso_px, context.t_ms)
        skeletons.owners[row] = slot
        skeletons.count += 1

    def _aim(self, tracks: Tracks, slot: int, is_seen: bool, t_ms: float) -> None:
        """Where to look: at the box; around it where nothing was found at the last look."""
        np.copyto(self._box, tracks.boxes[slot])
        if is_seen or self._postures.found_ms[slot] == self._postures.looked_ms[slot] != NEVER_MS:
            return
        left, top, right, bottom = self._box.tolist()
        x, y = (left + right) * 0.5, (top + bottom) * 0.5
        half = max(right - left, bottom - top) * WIDER * 0.5
        self._box[:] = x - half, y - half, x + half, y + half

    def _follow(self, context: Context, slot: int, keypoints: F32, torso_px: float) -> bool:
        """The detector has lost them, the skeleton has not: it keeps the track.

        Returns:
            False: it is not theirs.
        """
        tracks = context.tracks
        if not SMALLEST <= torso_px / max(self._size_px[slot], 1.0) <= LARGEST:
            return False
        box = self._around(keypoints)
        if max(box[2] - box[0], box[3] - box[1]) > LONGEST * self._long_px[slot]:
            return False
        if any(
            other != slot
            and tracks.last_ms.item(other) == context.t_ms
            and share_of_smaller(box, tracks.boxes[other].tolist()) > MOST_SHARED
            for other in tracks.live.tolist()
        ):
            return False
        left, top, right, bottom = box
        tracks.boxes[slot] = box
        tracks.velocity[slot] = 0.0
        tracks.foot[slot] = (left + right) * 0.5, bottom
        tracks.centre[slot] = (left + right) * 0.5, (top + bottom) * 0.5
        tracks.last_ms[slot] = context.t_ms
        return True

    def _around(self, keypoints: F32) -> tuple[float, float, float, float]:
        """The box of a skeleton, source pixels, inside the picture."""
        seen = [(x, y) for x, y, visibility in keypoints.tolist() if visibility > 0]
        left, right = min(x for x, _ in seen), max(x for x, _ in seen)
        top, bottom = min(y for _, y in seen), max(y for _, y in seen)
        edge = GROW * max(right - left, bottom - top)
        _, _, width, height = self._whole.tolist()
        return (
            max(left - edge, 0.0),
            max(top - edge, 0.0),
            min(right + edge, width),
            min(bottom + edge, height),
        )


class Act:
    """Stage action: what each skeleton of this frame does.

    Args:
        network: with its session watched.
        session: that one.
        postures: scores are written to the owners' slots.
        skeletons: this frame's.
        actions: filled row by row; of the same capacity.
        metrics: counts errors.
    """

    def __init__(
        self,
        network: ActionNetwork,
        session: WatchedSession,
        postures: Postures,
        skeletons: Skeletons,
        actions: Actions,
        metrics: Metrics,
    ) -> None:
        self._network = network
        self._postures = postures
        self._skeletons = skeletons
        self._actions = actions
        self._alive = Liveness(session, metrics)
        self._nobody = Skeletons(skeletons.capacity)
        self._nobody.keypoints[0, :, 1] = np.arange(len(self._nobody.keypoints[0]))
        self._nobody.keypoints[0, :, 2] = float32(1.0)
        self._nobody.count = 1

    def __call__(self, context: Context) -> None:
        """Judge this frame's skeletons. Raises NpuFault: nothing is judged then."""
        skeletons, actions, postures = self._skeletons, self._actions, self._postures
        self._alive.begin(context)
        if not skeletons.count and not self._alive.is_due(context.now_ms):
            return
        try:
            if skeletons.count:
                self._network(skeletons, actions)
            else:
                self._network(self._nobody, actions)
        except NpuFault as fault:
            raise self._alive.failed(context, fault) from None
        self._alive.ran(context)
        for row in range(skeletons.count):
            if actions.best[row] >= 0:
                slot = skeletons.owners.item(row)
                postures.scores[slot] = actions.scores[row]
                postures.judged_ms[slot] = context.t_ms


def _sides(box: F32) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom


def _height(tracks: Tracks, slot: int) -> float:
    left, top, right, bottom = _sides(tracks.boxes[slot])
    return max(bottom - top, right - left)
