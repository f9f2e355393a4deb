"""Since when each person has not moved, from skeletons where there are some, else from boxes.

The skeleton of somebody who lies still is not still: hidden wrists jump between two or three
places, left and right change sides. So three things count as a movement, each in the person's own
height against `moved_heights`:
- the middle of the shoulders or of the hips is elsewhere, smoothed over time;
- two pairs of limb joints are elsewhere at once, smoothed, whichever side is which;
- a wrist or an elbow of somebody upright went to and fro by SHARE of it step by step, as in work:
  a jump is no step.
Simulated people, 85 to 150 pixels tall, the last of the three in one of four beats, in heights:
0.05 to 0.10 of seven who lie or stand still; 0.10 to 0.15 of six at work, and 0.07 of one whose
hands move by 5 cm: whoever does fine work is still.
"""

from __future__ import annotations

from math import exp, hypot, inf

from runtime.posture import NEVER_MS, Postures
from runtime.posture_down import STANDING_TORSOS
from runtime.posture_form import rise
from runtime.tables import Tracks

SMOOTH_MS = 400.0
"""Time in which a new place takes over: a joint that is elsewhere in one picture has not moved."""
LONGEST_STEP_MS = 400.0
UPRIGHT, TALL, TALL_MS = 0.5, 0.7, 8000.0
"""Shoulders so many torso lengths above the hips, and so much left of how long they were before
they came to rest: the arms of somebody who lies are not seen well enough to say that they work. Who
walks away is smaller after the last, who falls is not yet."""
SETTLE_MS = 800.0
"""Smoothed places follow a movement for this long: what comes then is compared with its end."""
STALE_MS = 1500.0
"""Whoever has had no skeleton for this long is measured by their box."""
TRUNK = ((5, 6), (11, 12))
"""Shoulders and hips."""
LIMBS = ((7, 8), (9, 10), (13, 14), (15, 16))
"""Elbows, wrists, knees, ankles."""
ARMS, SHARE, BEAT_MS = 2, 0.7, 2000.0
"""The first pairs of LIMBS; of `moved_heights`; the time in which hands at work come and go."""
STEP_PER_MS, LONGEST_STEP = 0.0006, 0.15
"""Body heights that a joint goes within a ms, and from one look to the next: more is a jump."""
LOST_MS = 500.0
"""A joint that has jumped is followed from its new place after this long."""
Joint = list[float]


class Pair:
    """The two joints of a kind, pixels.

    Attributes:
        at: smoothed x, y of the one and x, y of the other; which is which is told by the past.
        was: the same where stillness began.
        steps: x, y of both, followed step by step; seen_ms: when last.
        low, high: the least and the most of the steps of this beat, or since a jump.
    """

    __slots__ = ("at", "high", "known", "low", "seen_ms", "steps", "was")

    def __init__(self) -> None:
        self.known = False
        self.at, self.was = [0.0] * 4, [0.0] * 4
        self.steps, self.low, self.high = ([0.0] * 4 for _ in range(3))
        self.seen_ms = [0.0, 0.0]

    def see(self, one: Joint, other: Joint, gain: float, step_px: float, t_ms: float) -> None:
        """Both were seen."""
        at = self.at
        if not self.known:
            self.known = True
            self.at = [one[0], one[1], other[0], other[1]]
            self.steps, self.seen_ms = self.at[:], [t_ms, t_ms]
            self.settle()
            return
        straight = abs(one[0] - at[0]) + abs(one[1] - at[1])
        straight += abs(other[0] - at[2]) + abs(other[1] - at[3])
        crossed = abs(other[0] - at[0]) + abs(other[1] - at[1])
        crossed += abs(one[0] - at[2]) + abs(one[1] - at[3])
        if crossed < straight:
            one, other = other, one
        at[0] += gain * (one[0] - at[0])
        at[1] += gain * (one[1] - at[1])
        at[2] += gain * (other[0] - at[2])
        at[3] += gain * (other[1] - at[3])
        self._step(0, one, other, step_px, t_ms)
        self._step(1, other, one, step_px, t_ms)

    def _step(self, side: int, own: Joint, other: Joint, step_px: float, t_ms: float) -> None:
        """Follow one of them to the nearer of the two, when it is near enough."""
        i = 2 * side
        x, y = self.steps[i], self.steps[i + 1]
        away = hypot(own[0] - x, own[1] - y)
        if away > step_px:
            other_away = hypot(other[0] - x, other[1] - y)
            if other_away < away:
                own, away = other, other_away
        if away > step_px and t_ms - self.seen_ms[side] <= LOST_MS:
            return
        self.seen_ms[side] = t_ms
        for k, value in ((i, own[0]), (i + 1, own[1])):
            self.steps[k] = value
            self.low[k] = min(self.low[k], value) if away <= step_px else value
            self.high[k] = max(self.high[k], value) if away <= step_px else value

    def settle(self) -> None:
        """They are where they are: from here on it is counted anew."""
        self.was = self.at[:]
        self.beat()

    def beat(self) -> None:
        """The steps begin anew."""
        self.low, self.high = self.steps[:], self.steps[:]

    def away(self) -> float:
        """How far the one that is farther has gone, pixels."""
        return _farther(self.at, self.was)

    def stepped(self) -> float:
        """From end to end of where the one that went farther has been in this beat, pixels."""
        return _farther(self.high, self.low)

    def middle_away(self) -> float:
        """How far their middle has gone, pixels."""
        at, was = self.at, self.was
        return 0.5 * hypot(at[0] + at[2] - was[0] - was[2], at[1] + at[3] - was[1] - was[3])


class Body:
    """One person.

    Attributes:
        since_ms: since when they have not moved.
        moved: the farthest that anything that counts has been since then, in body heights.
        by_skeleton: how they are measured.
    """

    __slots__ = (
        "beat_ms",
        "box",
        "box_ms",
        "box_ref",
        "by_skeleton",
        "length_px",
        "limbs",
        "looked_ms",
        "moved",
        "since_ms",
        "tall_px",
        "track_id",
        "trunk",
    )

    def __init__(self) -> None:
        self.begin(0, 0.0, [0.0] * 4)

    def begin(self, track_id: int, t_ms: float, box: list[float]) -> None:
        """Somebody new."""
        self.track_id, self.since_ms, self.looked_ms = track_id, t_ms, NEVER_MS
        self.moved, self.by_skeleton, self.length_px, self.tall_px = 0.0, False, 1.0, 1.0
        self.box, self.box_ref, self.box_ms, self.beat_ms = box, box, t_ms, t_ms
        self.trunk, self.limbs = [Pair() for _ in TRUNK], [Pair() for _ in LIMBS]

    def grow(self, waited_ms: float, t_ms: float) -> None:
        """Learn how long they are; shorter only on the way."""
        if self.length_px > self.tall_px:
            self.tall_px = self.length_px
        elif t_ms - self.since_ms <= SETTLE_MS:
            self.tall_px += (1.0 - exp(-waited_ms / TALL_MS)) * (self.length_px - self.tall_px)

    def judge(self, away: float, limit: float, t_ms: float) -> None:
        """They moved when it is more than the limit; where they come to rest it begins anew."""
        if away > limit:
            self.since_ms, self.moved = t_ms, 0.0
        elif t_ms - self.since_ms > SETTLE_MS:
            self.moved = max(self.moved, away)
            return
        self.box_ref = self.box
        for pair in (*self.trunk, *self.limbs):
            pair.settle()


class Stillness:
    """Of everybody; rules with the same measure share one.

    Args:
        capacity: number of track slots.
        moved_heights: what counts as a movement, in body heights.
        postures: of the tracks, or None.

    Attributes:
        bodies: per slot; of the confirmed.
    """

    def __init__(self, capacity: int, moved_heights: float, postures: Postures | None) -> None:
        self.bodies = [Body() for _ in range(capacity)]
        self._limit, self._postures = moved_heights, postures
        self._t_ms = -inf

    def update(self, tracks: Tracks, slots: list[int], t_ms: float) -> None:
        """Take over this frame; a second call for the same frame does nothing."""
        if t_ms == self._t_ms:
            return
        self._t_ms = t_ms
        for slot in slots:
            body, track_id = self.bodies[slot], tracks.track_id.item(slot)
            if body.track_id != track_id:
                body.begin(track_id, t_ms, tracks.boxes[slot].tolist())
            if tracks.last_ms.item(slot) != t_ms:
                continue
            _see_box(body, tracks.boxes[slot].tolist(), t_ms)
            if self._postures is not None and self._postures.found_ms.item(slot) == t_ms:
                self._see_skeleton(body, slot, self._postures, t_ms)
            elif t_ms - body.looked_ms > STALE_MS:
                self._judge_box(body, t_ms)

    def _judge_box(self, body: Body, t_ms: float) -> None:
        """Any side of the box is elsewhere: an arm that moves is only seen there."""
        if body.by_skeleton:
            body.by_skeleton, body.box_ref = False, body.box
        away = max(abs(now - ref) for now, ref in zip(body.box, body.box_ref, strict=True))
        body.judge(away / body.length_px, self._limit, t_ms)

    def _see_skeleton(self, body: Body, slot: int, postures: Postures, t_ms: float) -> None:
        body.by_skeleton, body.box_ref = True, body.box
        waited_ms = min(t_ms - body.looked_ms, LONGEST_STEP_MS)
        body.looked_ms = t_ms
        gain = 1.0 - exp(-waited_ms / SMOOTH_MS)
        length_px = max(body.length_px, STANDING_TORSOS * postures.torso_px.item(slot))
        step_px = min(STEP_PER_MS * waited_ms, LONGEST_STEP) * length_px
        joints: list[Joint] = postures.keypoints[slot].tolist()
        for pair, (a, b) in zip((*body.trunk, *body.limbs), (*TRUNK, *LIMBS), strict=True):
            if joints[a][2] > 0.0 and joints[b][2] > 0.0:
                pair.see(joints[a], joints[b], gain, step_px, t_ms)
        away = max(pair.middle_away() for pair in body.trunk)
        away = max(away, sorted(pair.away() for pair in body.limbs)[-2])
        body.grow(waited_ms, t_ms)
        upright_px = UPRIGHT * postures.torso_px.item(slot)
        if body.length_px >= TALL * body.tall_px and (rise(joints) or 0.0) >= upright_px:
            away = max(away, max(pair.stepped() for pair in body.limbs[:ARMS]) / SHARE)
        body.judge(away / length_px, self._limit, t_ms)
        if t_ms - body.beat_ms >= BEAT_MS:
            body.beat_ms = t_ms
            for pair in body.limbs[:ARMS]:
                pair.beat()


def _see_box(body: Body, box: list[float], t_ms: float) -> None:
    gain = 1.0 - exp(-min(t_ms - body.box_ms, LONGEST_STEP_MS) / SMOOTH_MS)
    body.box_ms = t_ms
    body.box = [was + gain * (now - was) for was, now in zip(body.box, box, strict=True)]
    left, top, right, bottom = box
    body.length_px = max(right - left, bottom - top, 1.0)


def _farther(now: list[float], then: list[float]) -> float:
    """The larger of two distances: of the first two numbers, and of the last two."""
    one = hypot(now[0] - then[0], now[1] - then[1])
    return max(one, hypot(now[2] - then[2], now[3] - then[3]))
