"""Follow people from frame to frame in fixed slots: prediction, speed gate, two-stage association.

Detections above the birth score are matched first, the weaker ones may only keep a track alive
(the idea of ByteTrack, Zhang et al., ECCV 2022). Identity comes from place and speed alone, never
from appearance. A camera sees few people at a time, and for few, plain numbers are several times
quicker than arrays; only the tables are arrays.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from struct import Struct

import numpy as np

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import Tracks, TrackState

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
MAX_GROWN = 2.5
"""So is one around a matched one, up to this many times its area; a larger one stands nearer."""
MIN_HITS = 2

FREE, TENTATIVE, CONFIRMED = (int(state) for state in TrackState)
BOX, POINT = Struct("4f"), Struct("2f")
"""Rows of the float32 tables."""

Box = tuple[float, float, float, float]
Expected = tuple[int, float, float, float, float, float, float, float]
"""A live track in this frame: slot, predicted box, last seen centre, square of its reach."""


class Tracker:
    """Updates a `Tracks` table from a `Detections` table.

    Args:
        tracks: the table to keep.
        config: times in ms, speed gate in body heights per second.
        birth_score: a weaker detection never starts a track.

    Attributes:
        births_refused: people who found no free slot.
    """

    def __init__(self, tracks: Tracks, config: TrackingConfig, birth_score: float) -> None:
        self.tracks = tracks
        self._config = config
        self._birth_score = birth_score
        self._next_id = 1
        self._hits = array("L", bytes(8 * tracks.capacity))
        self._strong_ms = [0.0] * tracks.capacity
        self._gate_per_ms = config.max_speed_heights_s / 1000.0
        self.births_refused = 0

    def update(self, detections: Detections, t_ms: float) -> None:
        """Associate one frame's detections.

        Args:
            detections: best score first.
            t_ms: source time of the frame, never smaller than in the last call.
        """
        tracks, n = self.tracks, detections.count
        tracks.died.clear()
        boxes: list[Box] = detections.boxes[:n].tolist()
        scores: list[float] = detections.scores[:n].tolist()
        taken, held, changed = bytearray(n), list[Box](), False
        if tracks.live.size:
            expected = self._expect(t_ms)
            pairs = self._match(expected, boxes, scores, taken, t_ms)
            held = [self._correct(e, boxes[i], scores[i], t_ms) for e, i in pairs]
            if len(pairs) < len(expected):
                changed = self._bury(t_ms)
        if taken.count(0):
            changed |= self._give_birth(boxes, scores, taken, held, t_ms)
        if changed:
            tracks.refresh_live()

    def _expect(self, t_ms: float) -> list[Expected]:
        """Where each live track should be now, and how far it can have come."""
        tracks, live = self.tracks, self.tracks.live
        rows = zip(
            live.tolist(),
            tracks.boxes[live].tolist(),
            tracks.velocity[live].tolist(),
            tracks.last_ms[live].tolist(),
            strict=True,
        )
        expected = []
        for slot, (left, top, right, bottom), (v_left, v_top, v_right, v_bottom), last_ms in rows:
            elapsed_ms = t_ms - last_ms
            body_px = max(bottom - top, right - left)
            reach_px = body_px * (elapsed_ms * self._gate_per_ms + GATE_SLACK_HEIGHTS)
            ahead_ms = min(elapsed_ms, VELOCITY_HORIZON_MS)
            expected.append(
                (
                    slot,
                    left + v_left * ahead_ms,
                    top + v_top * ahead_ms,
                    right + v_right * ahead_ms,
                    bottom + v_bottom * ahead_ms,
                    (left + right) * 0.5,
                    (top + bottom) * 0.5,
                    reach_px * reach_px,
                )
            )
        return expected

    def _match(
        self,
        expected: list[Expected],
        boxes: list[Box],
        scores: list[float],
        taken: bytearray,
        t_ms: float,
    ) -> list[tuple[Expected, int]]:
        """Pairs of track and detection, greatest overlap first, the strong before the weak."""
        strong = sum(score >= self._birth_score for score in scores)
        pairs: list[tuple[Expected, int]] = []
        matched = bytearray(len(expected))
        for is_weak, _, row, column in sorted(_overlaps(expected, boxes, strong)):
            if matched[row] or taken[column]:
                continue
            if is_weak and not self._may_be_weak(expected[row][0], t_ms):
                continue
            matched[row] = taken[column] = 1
            pairs.append((expected[row], column))
        return pairs

    def _may_be_weak(self, slot: int, t_ms: float) -> bool:
        """A weak box bridges a gap of somebody confirmed; alone it keeps nobody for long."""
        is_confirmed: bool = self.tracks.state.item(slot) == CONFIRMED
        return is_confirmed and t_ms - self._strong_ms[slot] <= self._config.weak_ms

    def _correct(self, expected: Expected, box: Box, score: float, t_ms: float) -> Box:
        """Alpha-beta filter on the four sides; returns the new box."""
        tracks, slot = self.tracks, expected[0]
        elapsed_ms = max(t_ms - tracks.last_ms.item(slot), 1.0)
        errors = [found - side for found, side in zip(box, expected[1:5], strict=True)]
        left, top, right, bottom = (
            side + POSITION_GAIN * error for side, error in zip(expected[1:5], errors, strict=True)
        )
        gain = VELOCITY_GAIN / elapsed_ms
        speeds = tracks.velocity[slot].tolist()
        BOX.pack_into(
            tracks.velocity.data,
            BOX.size * slot,
            *(speed + gain * error for speed, error in zip(speeds, errors, strict=True)),
        )
        self._place(slot, (left, top, right, bottom), score, t_ms)
        self._hits[slot] += 1
        if score >= self._birth_score:
            self._strong_ms[slot] = t_ms
        if tracks.state[slot] == TENTATIVE:
            self._confirm(slot, t_ms)
        return left, top, right, bottom

    def _confirm(self, slot: int, t_ms: float) -> None:
        old_enough = t_ms - self.tracks.first_ms[slot] >= self._config.confirm_ms
        if old_enough and self._hits[slot] >= MIN_HITS:
            self.tracks.state[slot] = CONFIRMED

    def _place(self, slot: int, box: Box, score: float, t_ms: float) -> None:
        """Write what was seen of a track into its row."""
        tracks, (left, top, right, bottom) = self.tracks, box
        middle_x = (left + right) * 0.5
        BOX.pack_into(tracks.boxes.data, BOX.size * slot, left, top, right, bottom)
        POINT.pack_into(tracks.foot.data, POINT.size * slot, middle_x, bottom)
        POINT.pack_into(tracks.centre.data, POINT.size * slot, middle_x, (top + bottom) * 0.5)
        tracks.score[slot] = score
        tracks.last_ms[slot] = t_ms

    def _bury(self, t_ms: float) -> bool:
        """Free the slots of tracks unseen for too long; True when any died."""
        tracks, config = self.tracks, self._config
        for slot in tracks.live.tolist():
            is_tentative = tracks.state[slot] == TENTATIVE
            limit_ms = config.confirm_ms if is_tentative else config.coast_ms
            if t_ms - tracks.last_ms[slot] > limit_ms:
                tracks.state[slot] = FREE
                tracks.died.append(slot)
        return bool(tracks.died)

    def _give_birth(
        self,
        boxes: list[Box],
        scores: list[float],
        taken: bytearray,
        held: list[Box],
        t_ms: float,
    ) -> bool:
        """Start a track for each strong box that is nobody's; True when any was started."""
        born = False
        for box, score, is_taken in zip(boxes, scores, taken, strict=True):
            if is_taken or score < self._birth_score or _is_second_box(box, held):
                continue
            slot = self._free_slot()
            if slot is None:
                self.births_refused += 1
                break
            self._start(slot, box, score, t_ms)
            held.append(box)
            born = True
        return born

    def _free_slot(self) -> int | None:
        """A slot for a new track; one that died in this very frame rests until the rules knew."""
        free = np.flatnonzero(self.tracks.state == FREE).tolist()
        return next((slot for slot in free if slot not in self.tracks.died), None)

    def _start(self, slot: int, box: Box, score: float, t_ms: float) -> None:
        tracks = self.tracks
        tracks.state[slot] = TENTATIVE if self._config.confirm_ms else CONFIRMED
        tracks.track_id[slot] = self._next_id
        self._next_id += 1
        tracks.velocity[slot] = 0.0
        tracks.first_ms[slot] = self._strong_ms[slot] = t_ms
        self._hits[slot] = 1
        self._place(slot, box, score, t_ms)


def _overlaps(
    expected: list[Expected], boxes: list[Box], strong: int
) -> list[tuple[bool, float, int, int]]:
    """Pairs that may be one person: (detection is weak, -IoU, row of the track, of the detection).

    A pair that would need a jump out of the track's reach is none. Boxes are sorted by their left
    side, so that in a crowd a track is compared with those that stand in its way, not with all.
    """
    found = []
    by_left = sorted((box[0], column) for column, box in enumerate(boxes))
    widest = max((box[2] - box[0] for box in boxes), default=0.0)
    for row, (_, left, top, right, bottom, x, y, reach2) in enumerate(expected):
        area = (right - left) * (bottom - top)
        first, last = bisect_left(by_left, (left - widest,)), bisect_left(by_left, (right,))
        for _, column in by_left[first:last]:
            x1, y1, x2, y2 = boxes[column]
            width = (right if right < x2 else x2) - (left if left > x1 else x1)
            if width <= 0.0:
                continue
            height = (bottom if bottom < y2 else y2) - (top if top > y1 else y1)
            if height <= 0.0:
                continue
            inter = width * height
            union = max(area + (x2 - x1) * (y2 - y1) - inter, 1e-6)
            far2 = ((x1 + x2) * 0.5 - x) ** 2 + ((y1 + y2) * 0.5 - y) ** 2
            if inter >= MIN_IOU * union and far2 <= reach2:
                found.append((column >= strong, -inter / union, row, column))
    return found


def _is_second_box(box: Box, held: list[Box]) -> bool:
    """True when the box lies inside a person that was seen in this frame, or closely around one."""
    x1, y1, x2, y2 = box
    area = (x2 - x1) * (y2 - y1)
    for left, top, right, bottom in held:
        width, height = min(right, x2) - max(left, x1), min(bottom, y2) - max(top, y1)
        if width <= 0.0 or height <= 0.0:
            continue
        its_area = (right - left) * (bottom - top)
        smaller = min(area, its_area) if area < MAX_GROWN * its_area else area
        if width * height > MAX_CONTAINED * smaller:
            return True
    return False
