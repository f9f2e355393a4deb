"""Rule `man_down`: somebody has fallen, or lies there.

Whoever is down (`runtime.posture_down`) and was up just before has fallen: that is a hazard after
`hold_ms`. Whoever is down and was not seen to fall - lay there from the first, lay down slowly - is
one after `after_ms`. Who seems to be getting up just then is waited for. The time goes on while
nobody sees them; and when the track is lost, the place is remembered: somebody who lies does not go
away by not being seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runtime.overlap import share_of_smaller
from runtime.posture_down import DOWN, UP, DownEvidence
from runtime.rules.scope import Scope
from runtime.site_rules import ManDownRuleConfig
from runtime.tables import HazardEdge, Hazards, Tracks, TrackState

FALL_MS = 2500.0
"""Somebody who was up no longer than this before being down has fallen."""
NEAR_HEIGHTS = 2.5
"""A track often ends in a fall, and another begins on the ground, at most so far away: also from a
ladder."""
RISE_MS = 500.0
"""Somebody who seems less surely down when the time is over has so much longer to be up."""
REMEMBER_MS = 30_000.0
"""How long the place of somebody who is down and was lost is remembered."""
SAME_PLACE = 0.3
"""Share of the smaller of two boxes that lies in the other: who lies there is the same person."""
SAME_PERSON = 0.5
"""The same of two tracks that are both there: two people who lie on one another are one hazard."""


class Case:
    """One person under one rule.

    Attributes:
        is_down: the evidence says so.
        since_ms: since when it does, or does no longer.
        fell: was up shortly before.
        active: the hazard is raised.
        track_id, slot: whose; kept when the track has died.
        box: where, pixels; of a lost one.
        until_ms: end of the memory of a lost one.
    """

    __slots__ = ("active", "box", "fell", "is_down", "since_ms", "slot", "track_id", "until_ms")

    def __init__(self) -> None:
        self.is_down = self.fell = self.active = False
        self.since_ms = self.until_ms = 0.0
        self.track_id = self.slot = 0
        self.box = (0.0, 0.0, 0.0, 0.0)

    def clear(self) -> None:
        """Nothing is known."""
        self.is_down = self.fell = self.active = False

    def take(self, other: Case) -> None:
        """Become another case."""
        self.is_down, self.fell, self.active = other.is_down, other.fell, other.active
        self.since_ms, self.track_id, self.slot = other.since_ms, other.track_id, other.slot


class ManDownRules:
    """Hysteresis in time on both edges, per rule and track slot.

    Args:
        rules: (index into the table of rules, rule) for each rule of this kind.
        places: per rule the bits of the zones that a person must lie in, and of those in which
            nobody is judged.
        scope: of this frame.
        evidence: of every track.
        capacity: number of track slots.
    """

    def __init__(
        self,
        rules: Sequence[tuple[int, ManDownRuleConfig]],
        places: Sequence[tuple[int, int]],
        scope: Scope,
        evidence: DownEvidence,
        capacity: int,
    ) -> None:
        self._evidence, self._scope = evidence, scope
        self._watches = [
            Watch(index, rule, place, scope, capacity)
            for (index, rule), place in zip(rules, places, strict=True)
        ]

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: confirmed slots count.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        evidence = self._evidence
        for watch in self._watches:
            for slot in tracks.died:
                watch.lose(slot, tracks, t_ms, hazards)
        for slot in tracks.died:
            evidence.forget(slot)
        evidence.update(tracks, t_ms)
        for watch in self._watches:
            watch.rest(t_ms)
            for slot in self._scope.slots:
                watch.judge(slot, tracks, t_ms, hazards, evidence)
            watch.remember(t_ms, hazards)


class Watch:
    """One rule: a case per track slot, and those whose track was lost."""

    def __init__(
        self,
        index: int,
        rule: ManDownRuleConfig,
        place: tuple[int, int],
        scope: Scope,
        capacity: int,
    ) -> None:
        self._index, self._rule, self._scope = index, rule, scope
        self._zone, self._exempt = place
        self._remembered = scope.remembered[index]
        self._asleep = False
        self._asleep_since_ms = 0.0
        self._cases = [Case() for _ in range(capacity)]
        self._lost = [Case() for _ in range(capacity)]

    def rest(self, t_ms: float) -> None:
        """Whether the rule holds in this frame, or since when it does not."""
        asleep = bool(self._scope.asleep[self._index])
        if asleep and not self._asleep:
            self._asleep_since_ms = t_ms
        self._asleep = asleep

    def judge(
        self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards, evidence: DownEvidence
    ) -> None:
        """One person in one frame."""
        case, level = self._cases[slot], evidence.level[slot]
        if level >= DOWN and not case.is_down:
            case.is_down, case.since_ms = True, t_ms
            case.fell = self._fell(slot, tracks, t_ms, evidence)
            case.slot, case.track_id = slot, tracks.track_id.item(slot)
            self._recognise(case, tracks)
        elif level < UP and case.is_down:
            case.is_down, case.since_ms = False, t_ms
        if case.is_down != case.active or self._asleep:
            self._step(case, tracks, t_ms, hazards, evidence)
        self._scope.active[self._index][slot] = case.active

    def _step(
        self, case: Case, tracks: Tracks, t_ms: float, hazards: Hazards, evidence: DownEvidence
    ) -> None:
        held_ms = t_ms - case.since_ms
        if case.active:
            if not case.is_down and held_ms >= self._rule.clear_ms:
                why: dict[str, object] = {"up_ms": round(held_ms), "clear_ms": self._rule.clear_ms}
                self._clear(case, hazards, why)
            else:
                self._end_of_hours(case, t_ms, hazards)
        elif (
            case.is_down
            and not self._asleep
            and held_ms >= self._wait_ms(case) + RISE_MS * (evidence.level[case.slot] < DOWN)
            and self._is_inside(tracks, case.slot)
            and not self._is_known(case.slot, tracks)
        ):
            self._recognise(case, tracks)  # as of now: the other track may have died meanwhile
            if not case.active:
                self._raise(case, hazards, self._why(case, t_ms, evidence, tracks))

    def _end_of_hours(self, case: Case, t_ms: float, hazards: Hazards) -> None:
        """The rule sleeps: what it held is cleared in its time, also while they still lie."""
        asleep_ms = t_ms - self._asleep_since_ms
        if self._asleep and asleep_ms >= self._rule.clear_ms:
            clear_ms = self._rule.clear_ms
            self._clear(case, hazards, {"out_of_hours": True, "clear_ms": clear_ms})

    def lose(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """A track died: who was down is remembered, who was getting up is not."""
        case = self._cases[slot]
        if case.is_down and (case.active or (case.fell and self._is_inside(tracks, slot))):
            lost = min(self._lost, key=_age)
            if lost.active:
                self._clear(lost, hazards, {"track_lost": True})
            lost.take(case)
            left, top, right, bottom = tracks.boxes[slot].tolist()
            lost.box, lost.until_ms = (left, top, right, bottom), t_ms + REMEMBER_MS
            if lost.active:
                self._remembered[lost.track_id] = slot
        elif case.active:
            unseen_ms = round(t_ms - tracks.last_ms.item(slot))
            self._clear(case, hazards, {"track_lost": True, "unseen_ms": unseen_ms})
        case.clear()
        self._scope.active[self._index][slot] = 0

    def remember(self, t_ms: float, hazards: Hazards) -> None:
        """The time of the lost goes on; forget the places whose time is over."""
        for lost in self._lost:
            if not lost.is_down:
                continue
            down_ms = round(t_ms - lost.since_ms)
            if lost.active:
                self._end_of_hours(lost, t_ms, hazards)
            elif not self._asleep and down_ms >= self._rule.hold_ms:
                hold_ms = self._rule.hold_ms
                why: dict[str, object] = {"track_lost": True, "fell": True, "down_ms": down_ms}
                self._raise(lost, hazards, {**why, "hold_ms": hold_ms})
                self._remembered[lost.track_id] = lost.slot
            if t_ms >= lost.until_ms:
                if lost.active:
                    why = {"track_lost": True, "unseen_ms": round(REMEMBER_MS)}
                    self._clear(lost, hazards, why)
                lost.clear()

    def _fell(self, slot: int, tracks: Tracks, t_ms: float, evidence: DownEvidence) -> bool:
        """They were up just before, or somebody near them was who has not been seen since then."""
        if t_ms - evidence.up_ms[slot] <= FALL_MS:
            return True
        x, y = tracks.centre[slot].tolist()
        return evidence.lost_near(x, y, NEAR_HEIGHTS, tracks.first_ms.item(slot), t_ms - FALL_MS)

    def _recognise(self, case: Case, tracks: Tracks) -> None:
        """Who lies where a lost one lay is that one: the hazard goes on, it is none anew."""
        box: list[float] = tracks.boxes[case.slot].tolist()
        for lost in self._lost:
            if lost.is_down and share_of_smaller(lost.box, box) >= SAME_PLACE:
                case.active, case.fell, case.since_ms = lost.active, lost.fell, lost.since_ms
                self._remembered.pop(lost.track_id, None)
                lost.clear()
                return

    def _is_known(self, slot: int, tracks: Tracks) -> bool:
        """Another track of the same person is raised already: a box and a skeleton have parted."""
        box: list[float] = tracks.boxes[slot].tolist()
        return any(
            other.active and other.slot != slot
            and tracks.state.item(other.slot) == TrackState.CONFIRMED
            and share_of_smaller(_sides(tracks.boxes[other.slot]), box) >= SAME_PERSON
            for other in self._cases
        )  # fmt: skip

    def _wait_ms(self, case: Case) -> int:
        return self._rule.hold_ms if case.fell else self._rule.after_ms

    def _is_inside(self, tracks: Tracks, slot: int) -> bool:
        """The middle or the foot of the person is in the zone, and the anchor in no exempt one."""
        scope, zone = self._scope, self._zone
        if self._exempt and scope.zones_of(slot, tracks) & self._exempt:
            return False
        if not zone:
            return True
        at_foot = scope.zones_under(*tracks.foot[slot].tolist())
        at_centre = scope.zones_under(*tracks.centre[slot].tolist())
        return (at_foot | at_centre) & zone == zone

    def _why(
        self, case: Case, t_ms: float, evidence: DownEvidence, tracks: Tracks
    ) -> dict[str, object]:
        slot = case.slot
        x, y = tracks.centre[slot].tolist()
        return {
            "down": round(evidence.level[slot], 2),
            "threshold": DOWN,
            "action_score": round(evidence.look[slot], 2),
            "height_share": round(evidence.share[slot], 2),
            "torso_rise": round(evidence.rise[slot], 2),
            "fell": case.fell,
            "out_of_sight": bool(evidence.vanished[slot]),
            "down_ms": round(t_ms - case.since_ms),
            "hold_ms" if case.fell else "after_ms": self._wait_ms(case),
            "centre_px": [round(x), round(y)],
        }

    def _raise(self, case: Case, hazards: Hazards, why: dict[str, object]) -> None:
        case.active = True
        hazards.active[self._index] += 1
        hazards.add(HazardEdge(self._index, case.slot, case.track_id, "raised", why))

    def _clear(self, case: Case, hazards: Hazards, why: dict[str, object]) -> None:
        case.active = False
        self._remembered.pop(case.track_id, None)
        hazards.active[self._index] -= 1
        hazards.add(HazardEdge(self._index, case.slot, case.track_id, "cleared", why))


def _age(case: Case) -> float:
    """A free place first, then the one whose time is over soonest."""
    return case.until_ms if case.is_down else 0.0


def _sides(box: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
