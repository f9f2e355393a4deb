"""Follow people from frame to frame in fixed slots: prediction, speed gate, two-stage association.

Detections above the birth score are matched first, the weaker ones may only keep a track alive
(the idea of ByteTrack, Zhang et al., ECCV 2022). Identity comes from place and speed alone, never
from appearance.
"""

from __future__ import annotations

import numpy as np

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import F32, I64, Tracks, TrackState

MIN_IOU = 0.15
"""Overlap of predicted and detected box below which two boxes are never the same person."""
POSITION_GAIN = 0.75
VELOCITY_GAIN = 0.25
"""Gains of the alpha-beta filter on box sides; 1 would follow each detection exactly."""
VELOCITY_HORIZON_MS = 400.0
"""A track is predicted ahead by its velocity for at most this long; then it waits where it is."""
GATE_SLACK_HEIGHTS = 0.35
"""Jitter of a box centre, in body heights, that the speed gate allows at any speed."""
MAX_CONTAINED = 0.85
"""A new box that lies this far inside a matched one is a second box of the same person."""
MIN_HITS = 2


class Tracker:
    """Updates a `Tracks` table from a `Detections` table.

    Args:
        tracks: the table to keep.
        detection_capacity: rows of the detection table.
        config: times in ms, speed gate in body heights per second.
        birth_score: a weaker detection never starts a track.
    """

    def __init__(
        self, tracks: Tracks, detection_capacity: int, config: TrackingConfig, birth_score: float
    ) -> None:
        self.tracks = tracks
        self._config = config
        self._birth_score = birth_score
        self._next_id = 1
        self._hits = np.zeros(tracks.capacity, np.int64)
        self._gate_per_ms = config.max_speed_heights_s / 1000.0
        self.births_refused = 0
        shape = (tracks.capacity, detection_capacity)
        self._overlap: F32 = np.zeros(shape, np.float32)
        self._left: F32 = np.zeros(shape, np.float32)
        self._inter: F32 = np.zeros(shape, np.float32)
        self._work: F32 = np.zeros(shape, np.float32)
        self._matched = np.zeros(tracks.capacity, np.bool_)
        self._taken = np.zeros(detection_capacity, np.bool_)

    def update(self, detections: Detections, t_ms: float) -> None:
        """Associate one frame's detections.

        Args:
            detections: best score first.
            t_ms: source time of the frame, never smaller than in the last call.
        """
        tracks, n = self.tracks, detections.count
        tracks.died.clear()
        self._matched[:] = False
        self._taken[:n] = False
        changed = False
        if tracks.live.size:
            if n:
                self._associate(detections, t_ms)
            changed = self._bury(t_ms)
        if n and not self._taken[:n].all():
            changed |= self._give_birth(detections, t_ms)
        if changed:
            tracks.refresh_live()

    def _associate(self, detections: Detections, t_ms: float) -> None:
        live, n = self.tracks.live, detections.count
        rows = live.size
        predicted = self._predict(live, t_ms)
        boxes = detections.boxes[:n]
        overlap = self._overlap[:rows, :n]
        self._iou(predicted, boxes, overlap)
        self._speed_gate(live, boxes, t_ms, overlap)
        strong = int(np.count_nonzero(detections.scores[:n] >= self._birth_score))
        pairs = self._greedy(overlap[:, :strong], 0) + self._greedy(overlap[:, strong:], strong)
        if pairs:
            index = np.array(pairs)
            self._correct(live[index[:, 0]], index[:, 1], predicted[index[:, 0]], detections, t_ms)

    def _predict(self, live: I64, t_ms: float) -> F32:
        ahead_ms = np.minimum(t_ms - self.tracks.last_ms[live], VELOCITY_HORIZON_MS)
        step: F32 = self.tracks.velocity[live]
        step *= ahead_ms[:, None]
        step += self.tracks.boxes[live]
        return step

    def _iou(self, predicted: F32, boxes: F32, out: F32) -> None:
        rows, n = out.shape
        inter, left, work = self._inter[:rows, :n], self._left[:rows, :n], self._work[:rows, :n]
        p, d = predicted.T[:, :, None], boxes.T[:, None, :]
        np.minimum(p[2], d[2], out=inter)
        np.maximum(p[0], d[0], out=left)
        np.subtract(inter, left, out=inter)
        np.minimum(p[3], d[3], out=work)
        np.maximum(p[1], d[1], out=left)
        np.subtract(work, left, out=work)
        np.maximum(inter, 0.0, out=inter)
        np.maximum(work, 0.0, out=work)
        np.multiply(inter, work, out=inter)
        area_p = (predicted[:, 2] - predicted[:, 0]) * (predicted[:, 3] - predicted[:, 1])
        area_d = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        np.add(area_p[:, None], area_d[None, :], out=work)
        np.subtract(work, inter, out=work)
        np.maximum(work, 1e-6, out=work)
        np.divide(inter, work, out=out)

    def _speed_gate(self, live: I64, boxes: F32, t_ms: float, overlap: F32) -> None:
        rows, n = overlap.shape
        dx, dy = self._left[:rows, :n], self._work[:rows, :n]
        centre = self.tracks.centre[live]
        np.subtract((boxes[:, 0] + boxes[:, 2]) * 0.5, centre[:, :1], out=dx)
        np.subtract((boxes[:, 1] + boxes[:, 3]) * 0.5, centre[:, 1:], out=dy)
        np.multiply(dx, dx, out=dx)
        np.multiply(dy, dy, out=dy)
        np.add(dx, dy, out=dx)
        held = self.tracks.boxes[live]
        body_px = np.maximum(held[:, 3] - held[:, 1], held[:, 2] - held[:, 0])
        elapsed_ms = t_ms - self.tracks.last_ms[live]
        reach_px = body_px * (elapsed_ms * self._gate_per_ms + GATE_SLACK_HEIGHTS)
        overlap[dx > (reach_px * reach_px)[:, None]] = 0.0

    def _greedy(self, overlap: F32, offset: int) -> list[tuple[int, int]]:
        """Best pairs first; clears rows and columns of `overlap` that are taken."""
        pairs: list[tuple[int, int]] = []
        n = overlap.shape[1]
        if not n:
            return pairs
        live = self.tracks.live
        if offset:
            overlap[self._matched[live]] = 0.0
            overlap[self.tracks.state[live] != TrackState.CONFIRMED] = 0.0
        for _ in range(min(overlap.shape)):
            row, column = divmod(int(overlap.argmax()), n)
            if overlap[row, column] < MIN_IOU:
                break
            pairs.append((row, column + offset))
            self._taken[column + offset] = True
            self._matched[live[row]] = True
            overlap[row] = 0.0
            overlap[:, column] = 0.0
        return pairs

    def _correct(
        self, slots: I64, columns: I64, predicted: F32, found: Detections, t_ms: float
    ) -> None:
        tracks = self.tracks
        error = found.boxes[columns]
        error -= predicted
        elapsed_ms = np.maximum(t_ms - tracks.last_ms[slots], 1.0)
        tracks.velocity[slots] += error * (VELOCITY_GAIN / elapsed_ms)[:, None]
        error *= POSITION_GAIN
        predicted = predicted + error
        tracks.boxes[slots] = predicted
        self._place(slots, predicted)
        tracks.score[slots] = found.scores[columns]
        tracks.last_ms[slots] = t_ms
        self._hits[slots] += 1
        if tracks.state[slots].min() != TrackState.CONFIRMED:
            self._confirm(slots, t_ms)

    def _confirm(self, slots: I64, t_ms: float) -> None:
        old_enough = t_ms - self.tracks.first_ms[slots] >= self._config.confirm_ms
        ready = old_enough & (self._hits[slots] >= MIN_HITS)
        self.tracks.state[slots[ready]] = TrackState.CONFIRMED

    def _place(self, slots: I64, boxes: F32) -> None:
        middle_x = (boxes[:, 0] + boxes[:, 2]) * 0.5
        self.tracks.foot[slots, 0] = middle_x
        self.tracks.foot[slots, 1] = boxes[:, 3]
        self.tracks.centre[slots, 0] = middle_x
        self.tracks.centre[slots, 1] = (boxes[:, 1] + boxes[:, 3]) * 0.5

    def _bury(self, t_ms: float) -> bool:
        """Free the slots of tracks unseen for too long; True when any died."""
        tracks, live = self.tracks, self.tracks.live
        unseen = t_ms - tracks.last_ms[live]
        if unseen.max() <= min(self._config.confirm_ms, self._config.coast_ms):
            return False
        tentative = tracks.state[live] == TrackState.TENTATIVE
        limit = np.where(tentative, self._config.confirm_ms, self._config.coast_ms)
        gone = live[unseen > limit]
        tracks.state[gone] = TrackState.FREE
        tracks.died.extend(gone.tolist())
        return bool(gone.size)

    def _give_birth(self, found: Detections, t_ms: float) -> bool:
        born = False
        for row in range(found.count):
            if self._taken[row] or found.scores[row] < self._birth_score:
                continue
            if self._is_second_box(found.boxes[row]):
                continue
            free = np.flatnonzero(self.tracks.state == TrackState.FREE)
            if not free.size:
                self.births_refused += 1
                break
            self._start(int(free[0]), found, row, t_ms)
            born = True
        return born

    def _is_second_box(self, box: F32) -> bool:
        """True when the box lies inside a track that was matched in this frame."""
        held = self.tracks.boxes[self._matched]
        if not held.size:
            return False
        width = np.minimum(held[:, 2], box[2]) - np.maximum(held[:, 0], box[0])
        height = np.minimum(held[:, 3], box[3]) - np.maximum(held[:, 1], box[1])
        inside = np.maximum(width, 0.0) * np.maximum(height, 0.0)
        area = max(float((box[2] - box[0]) * (box[3] - box[1])), 1e-6)
        return bool(inside.max() > MAX_CONTAINED * area)

    def _start(self, slot: int, found: Detections, row: int, t_ms: float) -> None:
        tracks = self.tracks
        tracks.state[slot] = TrackState.TENTATIVE
        tracks.track_id[slot] = self._next_id
        self._next_id += 1
        tracks.boxes[slot] = found.boxes[row]
        tracks.velocity[slot] = 0.0
        tracks.score[slot] = found.scores[row]
        tracks.first_ms[slot] = tracks.last_ms[slot] = t_ms
        self._hits[slot] = 1
        self._matched[slot] = True
        self._place(np.array([slot]), found.boxes[row][None])
        if self._config.confirm_ms == 0:
            tracks.state[slot] = TrackState.CONFIRMED
