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
from math import exp, sqrt

from runtime.posture import NEVER_MS, Postures
from runtime.posture_form import Joints, height, legs_rise, rise, top
from runtime.tables import Tracks, TrackState

STANDING_TORSOS = 2.85
"""Height from the highest joint to the lowest of somebody who stands, in torso lengths."""
LOW_SHARE, HIGH_SHARE = 0.25, 0.45
"""Share of the standing height that is surely down, and surely not."""
FLAT_RISE, UPRIGHT_RISE = 0.25, 0.5
"""Shoulders above hips, in torso lengths, that are surely down, and surely not."""
BY_ACTION, BY_FORM = 0.5, 0.5
"""What the two are worth."""
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
LEARN, LEARN_LIMBS = 0.3, 0.1
DROP_MS, DROP_SHARE = 250.0, 0.35
"""A head that came down by this share of the standing height in one to two such times is falling:
nobody sits or squats so fast (2 m/s)."""
VANISH_MS, VANISHED_LEVEL = 300.0, 0.6
"""Somebody who was falling when last seen, and has not been seen since, counts as down."""
EDGE_SHARE = 0.03
"""Of the picture's size: who was last seen so close to its edge has left it."""


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
        self.drop, self.vanished = array("d", zeros), bytearray(postures.capacity)
        self._mark_ms, self._mark_y = array("d", zeros), array("d", zeros)
        self._next_ms, self._next_y = array("d", zeros), array("d", zeros)
        edge_px = EDGE_SHARE * max(size)
        self._inside = (edge_px, edge_px, size[0] - edge_px, size[1] - edge_px)
        self._postures = postures
        self._worth = [WORTH.get(action, 0.0) for action in postures.actions]
        self._upright = [float(action in UPRIGHT_ACTIONS) for action in postures.actions]
        for slot in range(postures.capacity):
            self.forget(slot)

    def forget(self, slot: int) -> None:
        """The track of this slot died."""
        self.level[slot] = self.look[slot] = 0.0
        self._standing_px[slot] = self._limbs_px[slot] = 0.0
        self.share[slot] = self.rise[slot] = 1.0
        self.drop[slot] = self.vanished[slot] = 0
        self.up_ms[slot] = self.seen_ms[slot] = self._mark_ms[slot] = NEVER_MS

    def update(self, tracks: Tracks, t_ms: float) -> None:
        """Take over the skeletons of this frame; call once per frame, after `forget` of the dead.

        Args:
            tracks: confirmed slots count.
            t_ms: source time.
        """
        judged_ms, state = self._postures.judged_ms, tracks.state
        for slot in tracks.live.tolist():
            if state.item(slot) != TrackState.CONFIRMED:
                continue
            if judged_ms.item(slot) == t_ms:
                self._judge(slot, t_ms)
            elif self.drop[slot] >= DROP_SHARE and not self.vanished[slot]:
                self._miss(tracks, slot, t_ms)

    def _miss(self, tracks: Tracks, slot: int, t_ms: float) -> None:
        """Somebody who was falling is not seen, and has not left the picture: they are down."""
        if t_ms - tracks.last_ms.item(slot) < VANISH_MS:
            return
        left, upper, right, lower = tracks.boxes[slot].tolist()
        least_x, least_y, most_x, most_y = self._inside
        if left > least_x and upper > least_y and right < most_x and lower < most_y:
            self.level[slot] = max(self.level[slot], VANISHED_LEVEL)
            self.vanished[slot] = True

    def _judge(self, slot: int, t_ms: float) -> None:
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
        self._smooth(slot, BY_ACTION * look + BY_FORM * form, t_ms)
        self._fall(slot, joints, standing_px, t_ms)
        self.share[slot], self.rise[slot], self.look[slot] = share, up, look
        self.seen_ms[slot] = t_ms
        if share >= UP_SHARE and up >= UPRIGHT_RISE and look < UP:
            self.up_ms[slot] = t_ms

    def _smooth(self, slot: int, raw: float, t_ms: float) -> None:
        """Towards the new value, by the time that has passed."""
        step_ms = min(t_ms - self.seen_ms[slot], LONGEST_STEP_MS)
        self.level[slot] += (1.0 - exp(-step_ms / SMOOTH_MS)) * (raw - self.level[slot])

    def _fall(self, slot: int, joints: Joints, standing_px: float, t_ms: float) -> None:
        """How far the head has come down since a mark that is one to two DROP_MS old."""
        self.vanished[slot] = False
        y = top(joints)
        if y is None:
            return
        if t_ms - self._mark_ms[slot] > 4 * DROP_MS:
            self._mark_ms[slot] = self._next_ms[slot] = t_ms
            self._mark_y[slot] = self._next_y[slot] = y
        elif t_ms - self._next_ms[slot] >= DROP_MS:
            self._mark_ms[slot], self._mark_y[slot] = self._next_ms[slot], self._next_y[slot]
            self._next_ms[slot], self._next_y[slot] = t_ms, y
        self.drop[slot] = (y - self._mark_y[slot]) / standing_px

    def _measure(self, slot: int, height_px: float | None, upright: float) -> float:
        """The standing height, pixels: as last seen upright, else by the limbs."""
        limbs_px = max(STANDING_TORSOS * self._postures.torso_px.item(slot), 1.0)
        mean_px, known_px = self._limbs_px[slot], self._standing_px[slot]
        mean_px += (LEARN_LIMBS if mean_px else 1.0) * (limbs_px - mean_px)
        self._limbs_px[slot] = mean_px
        if height_px is not None and upright >= 0.5 and height_px >= LEARN_SHARE * limbs_px:
            known_px += (LEARN if known_px else 1.0) * (height_px - known_px)
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
