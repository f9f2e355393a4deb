"""Follow people from frame to frame in fixed slots: prediction, speed gate, association in rounds.

Strong detections go to confirmed people first, then to new ones; a weak one may only keep somebody
confirmed (the two stages of ByteTrack, Zhang et al., ECCV 2022). Identity comes from place, speed,
size and score alone, never from appearance. A camera sees few people at a time, and for few, plain
numbers are several times quicker than arrays; only the tables are arrays.
"""

from __future__ import annotations

from array import array
from math import exp
from struct import Struct
from typing import cast

import numpy as np

from models.tables import Detections
from runtime.site import TrackingConfig
from runtime.tables import Tracks, TrackState
from runtime.track_camera import LEAST_PEOPLE, jolt, shifted
from runtime.track_filter import Gains, way_ms
from runtime.track_match import (
    LEAST_SIDE_PX,
    NO_LIMIT,
    Box,
    Expected,
    Seen,
    describe,
    is_second_box,
    misfit,
    rounds,
    solve,
)
from runtime.track_memory import MOST_PEOPLE, Memory

LIMIT, NEW_LIMIT, WEAK_LIMIT = 0.83, 0.9, 0.45
"""Cost from which on a box is never this person: one confirmed, one who is new, by a weak box."""
GATE_SLACK_HEIGHTS = 0.35
"""Jitter of a box centre, in body heights, that the speed gate allows at any speed."""
SCORE_MS = 2000.0
"""Time constant of a track's mean score."""
MIN_HITS = 2
CONTEST = [(-1.0, 0, 0), (-1.0, 1, 0)]
"""Two who want one box: the library is called once before memory is fixed."""

FREE, TENTATIVE, CONFIRMED = (int(state) for state in TrackState)
BOX, POINT = Struct("4f"), Struct("2f")
"""Rows of the float32 tables."""


class Tracker:
    """Updates a `Tracks` table from a `Detections` table.

    Args:
        tracks: the table to keep. Whoever else moves a box there moves the track.
        config: times in ms, speed gate in body heights per second.
        birth_score: a weaker detection never starts a track.
        size: width and height of the picture, pixels; (0, 0): unknown, then nobody who was gone
            gets their number back.

    Attributes:
        births_refused: people who found no free slot.
        mean_score: float per slot, of the track's detections of late.
    """

    def __init__(
        self,
        tracks: Tracks,
        config: TrackingConfig,
        birth_score: float,
        size: tuple[int, int] = (0, 0),
    ) -> None:
        self.tracks = tracks
        self._config = config
        self.birth_score = birth_score
        self._next_id = 1
        self._hits = array("L", bytes(8 * tracks.capacity))
        self._strong_ms = array("d", bytes(8 * tracks.capacity))
        self._gate_per_ms = config.max_speed_heights_s / 1000.0
        self._gains = Gains(tracks.capacity)
        self._boxes, self._velocity = tracks.boxes.data, tracks.velocity.data
        self._foot, self._centre = tracks.foot.data, tracks.centre.data
        self._state = tracks.state.data
        self._score = cast("memoryview[float]", tracks.score.data)
        self._last_ms = cast("memoryview[float]", tracks.last_ms.data)
        self._memory = Memory(config.memory_ms, size)
        self._appeared = bytearray(tracks.capacity)
        self.mean_score = array("d", bytes(8 * tracks.capacity))
        self.births_refused = 0
        solve(CONTEST)

    def update(self, detections: Detections, t_ms: float) -> None:
        """Associate one frame's detections.

        Args:
            detections: best score first.
            t_ms: source time of the frame, never smaller than in the last call.
        """
        tracks = self.tracks
        tracks.died.clear()
        seen, taken = describe(detections), bytearray(detections.count)
        held, changed = list[Box](), False
        if tracks.live.size:
            expected = self._expect(t_ms)
            pairs = self._match(expected, seen, taken)
            held = [self._correct(who, one, misfit(who, one, expected), t_ms) for who, one in pairs]
            if len(pairs) < len(expected):
                changed = self._bury(t_ms)
        if taken.count(0):
            changed |= self._give_birth(seen, taken, held, t_ms)
        if changed:
            tracks.refresh_live()

    def expected_box(self, slot: int, t_ms: float) -> Box:
        """Where somebody should be, xyxy in pixels; the table says where they were seen."""
        left, top, right, bottom = self.tracks.boxes[slot].tolist()
        v_left, v_top, v_right, v_bottom = self.tracks.velocity[slot].tolist()
        ahead_ms = 0.5 * way_ms(t_ms - self.tracks.last_ms.item(slot))
        x, y = (v_left + v_right) * ahead_ms, (v_top + v_bottom) * ahead_ms
        return left + x, top + y, right + x, bottom + y

    def _expect(self, t_ms: float) -> list[Expected]:
        """Where each live track should be now, and how far it can have come."""
        weak_ms, expected = self._config.weak_ms, []
        for slot in self.tracks.live.tolist():
            left, top, right, bottom = BOX.unpack_from(self._boxes, BOX.size * slot)
            v_left, v_top, v_right, v_bottom = BOX.unpack_from(self._velocity, BOX.size * slot)
            elapsed_ms = t_ms - self._last_ms[slot]
            width, height = max(right - left, LEAST_SIDE_PX), max(bottom - top, LEAST_SIDE_PX)
            reach_px = max(width, height) * (elapsed_ms * self._gate_per_ms + GATE_SLACK_HEIGHTS)
            x, y, ahead_ms = (left + right) * 0.5, (top + bottom) * 0.5, 0.5 * way_ms(elapsed_ms)
            is_confirmed = self._state[slot] == CONFIRMED
            may_be_weak = is_confirmed and t_ms - self._strong_ms[slot] <= weak_ms
            expected.append(
                Expected(
                    slot,
                    x + (v_left + v_right) * ahead_ms,
                    y + (v_top + v_bottom) * ahead_ms,
                    width,
                    height,
                    x,
                    y,
                    reach_px * reach_px,
                    self.mean_score[slot],
                    elapsed_ms,
                    is_confirmed,
                    LIMIT if is_confirmed else NEW_LIMIT,
                    WEAK_LIMIT if may_be_weak else NO_LIMIT,
                )
            )
        return expected

    def _match(
        self, expected: list[Expected], seen: list[Seen], taken: bytearray
    ) -> list[tuple[Expected, Seen]]:
        """Pairs of track and detection; once more where it was the camera that moved."""
        strong = len(seen)
        while strong and seen[strong - 1].score < self.birth_score:
            strong -= 1
        chosen = rounds(expected, seen, strong)
        if len(expected) >= LEAST_PEOPLE:
            shift = jolt(expected, seen, strong, chosen)
            if shift is not None:
                expected = [shifted(who, *shift) for who in expected]
                chosen = rounds(expected, seen, strong)
                self._shift(expected, chosen, *shift)
        for column in chosen.values():
            taken[column] = 1
        return [(expected[row], seen[column]) for row, column in chosen.items()]

    def _shift(
        self, expected: list[Expected], chosen: dict[int, int], x_px: float, y_px: float
    ) -> None:
        """The hidden and the gone are shifted with the picture."""
        tracks = self.tracks
        self._memory.shift(x_px, y_px)
        for row, who in enumerate(expected):
            if row not in chosen:
                tracks.boxes[who.slot] += x_px, y_px, x_px, y_px
                tracks.foot[who.slot] += x_px, y_px
                tracks.centre[who.slot] += x_px, y_px

    def _correct(self, who: Expected, one: Seen, misfit2: float, t_ms: float) -> Box:
        """Filter a track towards its detection; returns the new box."""
        slot, waited_ms = who.slot, max(who.waited_ms, 1.0)
        of_place, of_speed, of_size = self._gains.step(slot, 0.001 * waited_ms, misfit2)
        x, y = who.x + of_place * (one.x - who.x), who.y + of_place * (one.y - who.y)
        wide = 0.5 * (who.width + of_size * (one.width - who.width))
        high = 0.5 * (who.height + of_size * (one.height - who.height))
        self._steer(slot, who, one, (wide + wide, high + high), of_speed, waited_ms)
        box = x - wide, y - high, x + wide, y + high
        self._place(slot, box, one.score, t_ms)
        self._hits[slot] += 1
        share = max(1.0 - exp(-waited_ms / SCORE_MS), 1.0 / self._hits[slot])
        self.mean_score[slot] += share * (one.score - self.mean_score[slot])
        if one.score >= self.birth_score:
            self._strong_ms[slot] = t_ms
        if not who.is_confirmed:
            self._confirm(slot, t_ms)
        return box

    def _steer(
        self,
        slot: int,
        who: Expected,
        one: Seen,
        size: tuple[float, float],
        gain: float,
        waited_ms: float,
    ) -> None:
        """The velocity of the sides: that of the middle, and half of how the size grows."""
        left, top, right, bottom = BOX.unpack_from(self._velocity, BOX.size * slot)
        by_error, by_growth = 0.001 * gain, min(0.001 * gain * waited_ms, 1.0)
        x = 0.5 * (left + right) + by_error * (one.x - who.x)
        y = 0.5 * (top + bottom) + by_error * (one.y - who.y)
        wider, higher = right - left, bottom - top
        wider = 0.5 * (wider + by_growth * ((size[0] - who.width) / waited_ms - wider))
        higher = 0.5 * (higher + by_growth * ((size[1] - who.height) / waited_ms - higher))
        at = BOX.size * slot
        BOX.pack_into(self._velocity, at, x - wider, y - higher, x + wider, y + higher)

    def _confirm(self, slot: int, t_ms: float) -> None:
        """Somebody seen for long enough; who comes out of hiding gets the number they had."""
        tracks = self.tracks
        first_ms = tracks.first_ms.item(slot)
        if t_ms - first_ms < self._config.confirm_ms or self._hits[slot] < MIN_HITS:
            return
        tracks.state[slot] = CONFIRMED
        if tracks.live.size > MOST_PEOPLE or not self._appeared[slot]:
            return
        _, top, _, bottom = tracks.boxes[slot].tolist()
        x, y = tracks.centre[slot].tolist()
        known = self._memory.take(first_ms, t_ms, x, y, bottom - top)
        if known:
            tracks.track_id[slot] = known

    def _place(self, slot: int, box: Box, score: float, t_ms: float) -> None:
        """Write what was seen of a track into its row."""
        left, top, right, bottom = box
        middle_x = (left + right) * 0.5
        BOX.pack_into(self._boxes, BOX.size * slot, left, top, right, bottom)
        POINT.pack_into(self._foot, POINT.size * slot, middle_x, bottom)
        POINT.pack_into(self._centre, POINT.size * slot, middle_x, (top + bottom) * 0.5)
        self._score[slot] = score
        self._last_ms[slot] = t_ms

    def _bury(self, t_ms: float) -> bool:
        """Free the slots of tracks unseen for too long; True when any died."""
        tracks, config = self.tracks, self._config
        for slot in tracks.live.tolist():
            is_tentative = tracks.state[slot] == TENTATIVE
            limit_ms = config.confirm_ms if is_tentative else config.coast_ms
            if t_ms - tracks.last_ms[slot] > limit_ms:
                if not is_tentative:
                    self._remember(slot)
                tracks.state[slot] = FREE
                tracks.died.append(slot)
        return bool(tracks.died)

    def _remember(self, slot: int) -> None:
        """Keep what may tell a confirmed person when they come out of hiding."""
        tracks = self.tracks
        left, top, right, bottom = tracks.boxes[slot].tolist()
        if self._memory.is_inside((left, top, right, bottom)):
            number, last_ms = tracks.track_id.item(slot), tracks.last_ms.item(slot)
            x, y = tracks.centre[slot].tolist()
            self._memory.add(number, last_ms, x, y, bottom - top)

    def _give_birth(self, seen: list[Seen], taken: bytearray, held: list[Box], t_ms: float) -> bool:
        """Start a track for each strong box that is nobody's; True when any was started."""
        born = False
        for one, is_taken in zip(seen, taken, strict=True):
            if is_taken or one.score < self.birth_score or is_second_box(one.box, held):
                continue
            slot = self._free_slot()
            if slot is None:
                self.births_refused += 1
                break
            self._start(slot, one, t_ms)
            held.append(one.box)
            born = True
        return born

    def _free_slot(self) -> int | None:
        """A slot for a new track; one that died in this very frame rests until the rules knew."""
        free = np.flatnonzero(self.tracks.state == FREE).tolist()
        return next((slot for slot in free if slot not in self.tracks.died), None)

    def _start(self, slot: int, one: Seen, t_ms: float) -> None:
        tracks = self.tracks
        tracks.state[slot] = TENTATIVE if self._config.confirm_ms else CONFIRMED
        tracks.track_id[slot] = self._next_id
        self._next_id += 1
        tracks.velocity[slot] = 0.0
        tracks.first_ms[slot] = self._strong_ms[slot] = t_ms
        self._hits[slot] = 1
        self.mean_score[slot] = one.score
        self._gains.start(slot)
        self._appeared[slot] = self._memory.is_inside(one.box)
        self._place(slot, one.box, one.score, t_ms)
