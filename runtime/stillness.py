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
    """

    __slots__ = ("at", "known", "was")

    def __init__(self) -> None:
        self.known = False
        self.at, self.was = [0.0] * 4, [0.0] * 4

    def see(self, one: Joint, other: Joint, gain: float) -> None:
        """Both were seen."""
        x1, y1, _ = one
        x2, y2, _ = other
        if not self.known:
            self.known = True
            self.at = [x1, y1, x2, y2]
            self.was = self.at
            return
        x, y, u, v = self.at
        straight = abs(x1 - x) + abs(y1 - y) + abs(x2 - u) + abs(y2 - v)
        crossed = abs(x2 - x) + abs(y2 - y) + abs(x1 - u) + abs(y1 - v)
        if crossed < straight:
            x1, y1, x2, y2 = x2, y2, x1, y1
        self.at = [
            x + gain * (x1 - x), y + gain * (y1 - y), u + gain * (x2 - u), v + gain * (y2 - v)
        ]  # fmt: skip

    def away(self) -> float:
        """How far the one that is farther has gone, pixels."""
        x, y, u, v = self.at
        was_x, was_y, was_u, was_v = self.was
        one, other = hypot(x - was_x, y - was_y), hypot(u - was_u, v - was_v)
        return one if one > other else other

    def middle_away(self) -> float:
        """How far their middle has gone, pixels."""
        x, y, u, v = self.at
        was_x, was_y, was_u, was_v = self.was
        return 0.5 * hypot(x + u - was_x - was_u, y + v - was_y - was_v)


class Steps:
    """One joint, followed step by step to whichever side of its pair is nearer.

    Attributes:
        span: from end to end of where it has been in this beat, or since a jump; pixels.
    """

    __slots__ = ("bottom", "known", "left", "right", "seen_ms", "span", "top", "x", "y")

    def __init__(self) -> None:
        self.known = False
        self.x = self.y = self.seen_ms = 0.0
        self.beat()

    def beat(self) -> None:
        """Begin anew."""
        self.left = self.right = self.x
        self.top = self.bottom = self.y
        self.span = 0.0

    def see(self, one: Joint, other: Joint, step_px: float, t_ms: float) -> None:
        """Both were seen; what is farther than a step is not followed until LOST_MS are over."""
        x, y, _ = one
        away = hypot(x - self.x, y - self.y)
        if away > step_px and self.known:
            other_away = hypot(other[0] - self.x, other[1] - self.y)
            if other_away < away:
                x, y, away = other[0], other[1], other_away
        jumped = away > step_px
        if jumped and self.known and t_ms - self.seen_ms <= LOST_MS:
            return
        self.x, self.y, self.seen_ms, self.known = x, y, t_ms, True
        if jumped:
            self.beat()
        elif not (self.left <= x <= self.right and self.top <= y <= self.bottom):
            self.left, self.right = min(self.left, x), max(self.right, x)
            self.top, self.bottom = min(self.top, y), max(self.bottom, y)
            self.span = hypot(self.right - self.left, self.bottom - self.top)


class Body:
    """One person.

    Attributes:
        since_ms: since when they have not moved.
        moved: the farthest that anything that counts has been since then, in body heights.
        by_skeleton: how they are measured.
    """

    __slots__ = (
        "arms",
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
        self.arms = [Steps() for _ in range(2 * ARMS)]

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
            pair.was = pair.at
        for joint in self.arms:
            joint.beat()


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
        joints: list[Joint] = postures.keypoints[slot].tolist()
        _see_pairs(body.trunk, TRUNK, joints, gain)
        _see_pairs(body.limbs, LIMBS, joints, gain)
        step_px = min(STEP_PER_MS * waited_ms, LONGEST_STEP) * length_px
        stepped_px = _see_arms(body, joints, step_px, t_ms)
        body.grow(waited_ms, t_ms)
        away_px = max(body.trunk[0].middle_away(), body.trunk[1].middle_away())
        limbs_px = sorted([pair.away() for pair in body.limbs])
        away_px = max(away_px, limbs_px[-2])
        upright_px = UPRIGHT * postures.torso_px.item(slot)
        is_tall = body.length_px >= TALL * body.tall_px
        if stepped_px > away_px and is_tall and (rise(joints) or 0.0) >= upright_px:
            away_px = stepped_px
        body.judge(away_px / length_px, self._limit, t_ms)


def _see_pairs(
    pairs: list[Pair], which: tuple[tuple[int, int], ...], joints: list[Joint], gain: float
) -> None:
    for pair, (a, b) in zip(pairs, which, strict=True):
        one, other = joints[a], joints[b]
        if one[2] > 0.0 and other[2] > 0.0:
            pair.see(one, other, gain)


def _see_arms(body: Body, joints: list[Joint], step_px: float, t_ms: float) -> float:
    """How far an arm joint went step by step, pixels, as much as makes it a movement."""
    arms = body.arms
    if t_ms - body.beat_ms >= BEAT_MS:
        body.beat_ms = t_ms
        for joint in arms:
            joint.beat()
    for k, (a, b) in enumerate(LIMBS[:ARMS]):
        one, other = joints[a], joints[b]
        if one[2] > 0.0 and other[2] > 0.0:
            arms[2 * k].see(one, other, step_px, t_ms)
            arms[2 * k + 1].see(other, one, step_px, t_ms)
    return max([joint.span for joint in arms]) / SHARE


def _see_box(body: Body, box: list[float], t_ms: float) -> None:
    gain = 1.0 - exp(-min(t_ms - body.box_ms, LONGEST_STEP_MS) / SMOOTH_MS)
    body.box_ms = t_ms
    left, top, right, bottom = box
    was_left, was_top, was_right, was_bottom = body.box
    body.box = [
        was_left + gain * (left - was_left),
        was_top + gain * (top - was_top),
        was_right + gain * (right - was_right),
        was_bottom + gain * (bottom - was_bottom),
    ]
    body.length_px = max(right - left, bottom - top, 1.0)
