"""How surely each person is down on the ground: from the action network and from their own size.

Two things are asked of a skeleton. What does the action network take it for (fall, lie, crawl)? And
what is left of the person's own standing height, between head and feet and between shoulders and
hips? Simulated people, medians, in standing heights and in torso lengths: lie 0.23 and 0.10, squat
0.44 and 0.58, tie shoes 0.42 and 0.34, bend 0.52 and 0.15, sit 0.72 and 0.89. Each alone is wrong
at times: who lies with drawn-up knees and feet towards the camera is taken for squatting, who lies
along the line of sight looks tall.

The standing height is that of the last time the person was seen upright, at the place where they
were: people far away are small. Somebody who never stood is measured by the longest limbs.
"""

from __future__ import annotations

from array import array
from math import exp, hypot, sqrt

from runtime.overlap import share_of_first
from runtime.posture import NEVER_MS, Postures
from runtime.posture_form import Joints, height, legs_rise, rise, top
from runtime.tables import Tracks, TrackState

STANDING_TORSOS = 2.85
"""Height from the highest joint to the lowest of somebody who stands, in torso lengths."""
LOW_SHARE, HIGH_SHARE = 0.3, 0.47
"""Share of the standing height that is surely down, and surely not."""
FLAT_RISE, UPRIGHT_RISE = 0.35, 0.55
"""Shoulders above hips, in torso lengths, that are surely down, and surely not."""
BY_ACTION, BY_FORM = 0.5, 0.5
"""What the two are worth."""
EXCLUDED, POSSIBLE = 0.04, 0.12
"""Where the action network hardly ever says that somebody is down, for BELIEF_MS, they only look
so: they tie their shoes. Up to the first the form is worth nothing, from the second on all."""
BELIEF_MS = 400.0
DOWN, UP = 0.45, 0.3
"""Surely enough down, surely enough up again."""
WORTH = {"fall": 1.0, "lie": 1.0, "crawl": 0.5}
"""Somebody who crawls may be hurt, or look for a screw."""
UPRIGHT_ACTIONS = ("stand", "walk", "run", "arms_raised", "work", "climb")
UP_SHARE = 0.6
"""Somebody who is at least so high is up: standing, walking, sitting on a chair, bending."""
LEGS_RISE, BENT_WORTH = 0.8, 0.4
"""Hips so many torso lengths above the ankles under a torso that is not upright: bent over, and
what the action network's word is worth then."""
SMOOTH_MS = 250.0
"""Time in which a new value takes over: one wrong skeleton is none."""
LONGEST_STEP_MS = 120.0
LEARN_SHARE = 0.75
"""A standing height is learned from this on, as measured by limbs."""
LEARN, LEARN_SMALLER, LEARN_LIMBS = 0.3, 0.1, 0.1
"""Steps per skeleton towards a larger standing height, towards a smaller, and by the limbs."""
DROP_MS, DROP_SHARE = 250.0, 0.45
"""A head that came down by this share of the standing height in one to two such times is falling:
nobody sits or squats so fast (2 m/s)."""
VANISH_MS, VANISHED_LEVEL = 500.0, 0.6
"""Somebody who was falling when last seen, and has not been seen for so long, counts as down."""
BEHIND_SHARE = 0.25
"""Where so much of the last box is another's, they are not gone but behind that one."""
EDGE_SHARE = 0.03
"""Of the picture's size: who was last seen so close to its edge has left it."""

GONE = 16
"""People whose tracks ended that are remembered; of more, the last ones."""
LastSeen = tuple[float, float, float, float, float]
"""Source times when last up and last seen, place in pixels, standing height in pixels."""
NOBODY: LastSeen = (NEVER_MS, NEVER_MS, 0.0, 0.0, 0.0)


class Descent:
    """How far something has come down since a mark that is one to two DROP_MS old, by slot.

    Attributes:
        px: pixels; negative where it has risen.
    """

    def __init__(self, capacity: int) -> None:
        zeros = bytes(8 * capacity)
        self.px = array("d", zeros)
        self._mark_ms, self._mark_y = array("d", zeros), array("d", zeros)
        self._next_ms, self._next_y = array("d", zeros), array("d", zeros)

    def forget(self, slot: int) -> None:
        """Nothing is known of this slot."""
        self.px[slot] = 0.0
        self._mark_ms[slot] = NEVER_MS

    def see(self, slot: int, y: float, t_ms: float) -> None:
        """It is at y pixels from the top now; after a gap, counting starts anew."""
        if t_ms - self._mark_ms[slot] > 4 * DROP_MS:
            self._mark_ms[slot] = self._next_ms[slot] = t_ms
            self._mark_y[slot] = self._next_y[slot] = y
        elif t_ms - self._next_ms[slot] >= DROP_MS:
            self._mark_ms[slot], self._mark_y[slot] = self._next_ms[slot], self._next_y[slot]
            self._next_ms[slot], self._next_y[slot] = t_ms, y
        self.px[slot] = y - self._mark_y[slot]


class DownEvidence:
    """One value per track slot, from 0 (up) to 1 (down), kept while nobody sees the person.

    Attributes:
        level: smoothed.
        share: height left, of the standing height; 1 where legs or head are out of view.
        rise: shoulders above hips, in torso lengths; 1 where they are out of view.
        look: what the action network says: fall + lie + half of crawl.
        up_ms: source time when the person was last seen up.
        drop: how far the head has come down lately, in standing heights.
        vanished: 1 while the level is that of somebody who fell out of sight.
        seen_ms: source time of the last skeleton that was judged.
    """

    def __init__(self, postures: Postures, size: tuple[int, int]) -> None:
        """Allocate.

        Args:
            postures: what is judged.
            size: width and height of the pictures, pixels.
        """
        zeros = bytes(8 * postures.capacity)
        self.level, self.share = array("d", zeros), array("d", zeros)
        self.rise, self.look = array("d", zeros), array("d", zeros)
        self.up_ms, self.seen_ms = array("d", zeros), array("d", zeros)
        self._standing_px, self._limbs_px = array("d", zeros), array("d", zeros)
        self._belief = array("d", zeros)
        self._place = [(0.0, 0.0)] * postures.capacity
        self._gone = [NOBODY] * GONE
        self.drop, self.vanished = array("d", zeros), bytearray(postures.capacity)
        self._head, self._box = Descent(postures.capacity), Descent(postures.capacity)
        edge_px = EDGE_SHARE * max(size)
        self._inside = (edge_px, edge_px, size[0] - edge_px, size[1] - edge_px)
        self._postures = postures
        self._worth = [WORTH.get(action, 0.0) for action in postures.actions]
        self._upright = [float(action in UPRIGHT_ACTIONS) for action in postures.actions]
        for slot in range(postures.capacity):
            self._clear(slot)

    def forget(self, slot: int) -> None:
        """The track of this slot died; who was up is remembered for a moment."""
        if self._limbs_px[slot]:
            self._gone = [*self._gone[1:], self._last_seen(slot)]
        self._clear(slot)

    def lost_near(
        self, x: float, y: float, heights: float, before_ms: float, after_ms: float
    ) -> bool:
        """Somebody who was up after a time, was last seen before another, and near a place.

        Args:
            x, y: the place, pixels.
            heights: how near, in standing heights of theirs.
            before_ms, after_ms: source times.
        """
        slots = range(len(self.level))
        return any(
            after_ms <= up_ms and seen_ms < before_ms
            and hypot(x - was_x, y - was_y) <= heights * height_px
            for up_ms, seen_ms, was_x, was_y, height_px in (
                *self._gone, *map(self._last_seen, slots)
            )
        )  # fmt: skip

    def _last_seen(self, slot: int) -> LastSeen:
        height_px = self._standing_px[slot] or self._limbs_px[slot]
        return self.up_ms[slot], self.seen_ms[slot], *self._place[slot], height_px

    def _clear(self, slot: int) -> None:
        self.level[slot] = self.look[slot] = self._belief[slot] = 0.0
        self._standing_px[slot] = self._limbs_px[slot] = 0.0
        self.share[slot] = self.rise[slot] = 1.0
        self.drop[slot] = self.vanished[slot] = 0
        self.up_ms[slot] = self.seen_ms[slot] = NEVER_MS
        self._head.forget(slot)
        self._box.forget(slot)

    def update(self, tracks: Tracks, t_ms: float) -> None:
        """Take over the skeletons of this frame; call once per frame, after `forget` of the dead.

        Args:
            tracks: confirmed slots count.
            t_ms: source time.
        """
        judged_ms, detected_ms = self._postures.judged_ms, self._postures.detected_ms
        state = tracks.state
        for slot in tracks.live.tolist():
            if state.item(slot) != TrackState.CONFIRMED:
                continue
            is_detected = detected_ms.item(slot) == t_ms
            if is_detected:
                self._box.see(slot, tracks.boxes.item(slot, 1), t_ms)
            is_sure = is_detected or self._postures.knows_absence
            if not self._postures.knows_absence and self._is_cut(tracks, slot):
                continue
            if judged_ms.item(slot) == t_ms and (is_sure or not self.vanished[slot]):
                self._judge(slot, t_ms, is_sure)
                x, y = tracks.centre[slot].tolist()
                self._place[slot] = x, y
            if self.drop[slot] >= DROP_SHARE and self._is_behind(tracks, slot):
                self._rise(slot)
            if self.drop[slot] >= DROP_SHARE and not self.vanished[slot]:
                known = tracks.last_ms if self._postures.knows_absence else detected_ms
                self._miss(tracks, slot, t_ms - known.item(slot))

    def _is_cut(self, tracks: Tracks, slot: int) -> bool:
        """Half out of the picture at a side: a network that knows no absence invents the rest."""
        left, _, right, _ = tracks.boxes[slot].tolist()
        least_x, _, most_x, _ = self._inside
        return bool(left < least_x or right > most_x)

    def _miss(self, tracks: Tracks, slot: int, unseen_ms: float) -> None:
        """Somebody who was falling is not seen, and has not left the picture: they are down."""
        if unseen_ms < VANISH_MS:
            return
        left, upper, right, lower = tracks.boxes[slot].tolist()
        least_x, least_y, most_x, most_y = self._inside
        if left > least_x and upper > least_y and right < most_x and lower < most_y:
            self.level[slot] = max(self.level[slot], VANISHED_LEVEL)
            self.vanished[slot] = True

    def _rise(self, slot: int) -> None:
        """What came down was the edge of what somebody else hides, and not the head."""
        self.drop[slot] = 0.0
        self._head.forget(slot)
        self._box.forget(slot)

    def _is_behind(self, tracks: Tracks, slot: int) -> bool:
        """Somebody else is seen where this one was last."""
        box, now_ms = tracks.boxes[slot].tolist(), tracks.last_ms.max()
        return any(
            other != slot
            and tracks.last_ms.item(other) == now_ms
            and share_of_first(box, tracks.boxes[other].tolist()) >= BEHIND_SHARE
            for other in tracks.live.tolist()
        )

    def _judge(self, slot: int, t_ms: float, is_sure: bool) -> None:
        """Take over one skeleton; `is_sure`: there is somebody, so that it can also say "up"."""
        postures = self._postures
        joints: Joints = postures.keypoints[slot].tolist()
        scores: list[float] = postures.scores[slot].tolist()
        height_px, rise_px, legs_px = height(joints), rise(joints), legs_rise(joints)
        standing_px = self._measure(slot, height_px, _sum(self._upright, scores))
        torso_px = standing_px / STANDING_TORSOS
        share = 1.0 if height_px is None else height_px / standing_px
        up = 1.0 if rise_px is None else rise_px / torso_px
        look = _sum(self._worth, scores)
        if legs_px is not None and legs_px >= LEGS_RISE * torso_px and up <= UPRIGHT_RISE:
            look *= BENT_WORTH
        form = _form(None if height_px is None else share, None if rise_px is None else up)
        self._smooth(slot, look, form, t_ms)
        self.share[slot], self.rise[slot], self.look[slot] = share, up, look
        self.seen_ms[slot] = t_ms
        if not is_sure:
            return
        self.vanished[slot] = False
        head_y = top(joints)
        if head_y is not None:
            self._head.see(slot, head_y, t_ms)
        self.drop[slot] = max(self._head.px[slot], self._box.px[slot]) / standing_px
        if share >= UP_SHARE and up >= UPRIGHT_RISE and look < UP:
            self.up_ms[slot] = t_ms

    def _smooth(self, slot: int, look: float, form: float, t_ms: float) -> None:
        """Towards the new value, by the time that has passed."""
        step_ms = min(t_ms - self.seen_ms[slot], LONGEST_STEP_MS)
        self._belief[slot] += (1.0 - exp(-step_ms / BELIEF_MS)) * (look - self._belief[slot])
        worth = 1.0 - _ramp(self._belief[slot], EXCLUDED, POSSIBLE)
        raw = BY_ACTION * look + BY_FORM * worth * form
        self.level[slot] += (1.0 - exp(-step_ms / SMOOTH_MS)) * (raw - self.level[slot])

    def _measure(self, slot: int, height_px: float | None, upright: float) -> float:
        """The standing height, pixels: as last seen upright, else by the limbs."""
        limbs_px = max(STANDING_TORSOS * self._postures.torso_px.item(slot), 1.0)
        mean_px, known_px = self._limbs_px[slot], self._standing_px[slot]
        mean_px += (LEARN_LIMBS if mean_px else 1.0) * (limbs_px - mean_px)
        self._limbs_px[slot] = mean_px
        if height_px is not None and upright >= 0.5 and height_px >= LEARN_SHARE * limbs_px:
            step = LEARN if height_px > known_px else LEARN_SMALLER
            known_px += (step if known_px else 1.0) * (height_px - known_px)
            self._standing_px[slot] = known_px
        return known_px or mean_px


def _form(share: float | None, up: float | None) -> float:
    """1: low and flat; the geometric mean, as who is low and upright squats, who is flat and high
    bends."""
    low = 1.0 if share is None else _ramp(share, LOW_SHARE, HIGH_SHARE)
    flat = 1.0 if up is None else _ramp(up, FLAT_RISE, UPRIGHT_RISE)
    return 0.0 if share is None and up is None else sqrt(low * flat)


def _ramp(value: float, full: float, none: float) -> float:
    """1 at `full` and below, 0 at `none` and above."""
    return min(max((none - value) / (none - full), 0.0), 1.0)


def _sum(weights: list[float], scores: list[float]) -> float:
    return sum(weight * score for weight, score in zip(weights, scores, strict=True))
