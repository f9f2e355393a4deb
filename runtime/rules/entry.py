"""Rule `entry_predicted`: a confirmed person will enter the zone within the horizon.

Paths are followed in metres where the site file has a ground plane. Without one, steps in the
picture are measured in the person's own height, taken as BODY_M: good enough for how fast somebody
comes nearer, but not for what is far away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runtime.entry_parameters import load_parameters
from runtime.ground import Ground
from runtime.motion import Motion
from runtime.predict import C128, EntryPredictor
from runtime.rules.scope import Scope
from runtime.site_rules import EntryRuleConfig
from runtime.tables import HazardEdge, Hazards, Tracks, TrackState

BODY_M = 1.7
LEAST_HEIGHT_PX = 8.0
LEAST_HISTORY_MS = 800.0
"""A shorter path says nothing; the model was fitted on longer ones."""


class EntryRules:
    """Hysteresis in time on both edges, per rule and track slot.

    Args:
        rules: (index into the table of rules, rule) for each rule of this kind.
        corners: per rule complex128[V], x + iy of its zone: metres with a ground plane, else pixels
            of the source picture; laid out by `lay_corners`.
        places: per rule the bits of the zones that a person must stand in, and of those in which
            nobody is judged; the rule's own is one of these: who is inside will not enter.
        scope: of this frame.
        ground: the ground plane, or None.
        capacity: number of track slots, T.
    """

    def __init__(
        self,
        rules: Sequence[tuple[int, EntryRuleConfig]],
        corners: C128,
        places: Sequence[tuple[int, int]],
        scope: Scope,
        ground: Ground | None,
        capacity: int,
    ) -> None:
        self._rules, self._ground = list(rules), ground
        self._motion = Motion(capacity)
        self._scope, self._places = scope, list(places)
        self._predictors = self._make_predictors(corners, capacity)
        self._seen = np.zeros(capacity, np.bool_)
        self._foot = np.zeros(capacity, np.complex128)
        self._last_foot = np.zeros(capacity, np.complex128)
        self._place = np.zeros(capacity, np.complex128)
        self._scale = np.zeros(capacity)
        self._shift = np.zeros(capacity, np.complex128)
        shape = (len(self._rules), capacity)
        self._raw, self._active = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        self._since_ms = np.zeros(shape)
        self._concerned = np.zeros(capacity, np.bool_)

    def _make_predictors(
        self, corners: C128, capacity: int
    ) -> list[tuple[list[int], EntryPredictor]]:
        """One for each horizon: its rows among the rules, and itself."""
        model, found = load_parameters(), []
        for horizon_ms in sorted({rule.horizon_ms for _, rule in self._rules}):
            rows = [k for k, (_, rule) in enumerate(self._rules) if rule.horizon_ms == horizon_ms]
            predictor = EntryPredictor(corners[:, rows], model, capacity, horizon_ms)
            found.append((rows, predictor))
        return found

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: confirmed slots count; all are followed.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        for slot in tracks.died:
            self._drop(slot, tracks, t_ms, hazards)
        if not tracks.live.size:
            return
        self._follow(tracks, t_ms)
        for rows, predictor in self._predictors:
            if self._rests(rows):
                continue
            if self._ground is None:
                predictor.rays.measure(self._scale, self._shift)
            predictor.update(self._motion, t_ms)
            for z, row in enumerate(rows):
                self._judge(row, predictor.probability[z], tracks, t_ms, hazards)

    def _rests(self, rows: list[int]) -> bool:
        """None of these holds at this hour, and nothing is left to clear: paths are followed on."""
        asleep = self._scope.asleep
        if not all(asleep[self._rules[row][0]] for row in rows):
            return False
        return not (self._active[rows].any() or self._raw[rows].any())

    def _follow(self, tracks: Tracks, t_ms: float) -> None:
        """Add this frame's places to the paths."""
        foot, seen = self._foot, self._seen
        np.equal(tracks.last_ms, t_ms, out=seen)
        seen &= tracks.state != TrackState.FREE
        foot.real, foot.imag = tracks.foot[:, 0], tracks.foot[:, 1]
        if self._ground is not None:
            self._ground.locate(tracks)
            self._motion.observe(self._ground.place, t_ms, seen)
            return
        np.subtract(tracks.boxes[:, 3], tracks.boxes[:, 1], out=self._scale)
        np.maximum(self._scale, LEAST_HEIGHT_PX, out=self._scale)
        np.divide(BODY_M, self._scale, out=self._scale)
        step = self._last_foot
        np.subtract(foot, step, out=step)
        step *= self._scale
        step *= seen
        self._place += step
        np.copyto(self._last_foot, foot)
        self._motion.observe(self._place, t_ms, seen)
        np.multiply(foot, self._scale, out=self._shift)
        np.subtract(self._place, self._shift, out=self._shift)

    def _judge(
        self,
        row: int,
        probability: npt.NDArray[np.float32],
        tracks: Tracks,
        t_ms: float,
        hazards: Hazards,
    ) -> None:
        rule, raw, active = self._rules[row][1], self._raw[row], self._active[row]
        concerned = self._concerned
        np.greater_equal(probability, rule.probability, out=concerned)
        concerned |= raw
        concerned |= active
        for slot in np.flatnonzero(concerned).tolist():
            p = float(probability[slot])
            now = p >= rule.probability and self._may_enter(row, slot, tracks, t_ms)
            if now != raw[slot]:
                raw[slot] = now
                self._since_ms[row, slot] = t_ms
            if now != active[slot]:
                wait_ms = rule.hold_ms if now else rule.clear_ms
                if t_ms - self._since_ms[row, slot] >= wait_ms:
                    self._edge(row, slot, p, tracks, t_ms, hazards)

    def _may_enter(self, row: int, slot: int, tracks: Tracks, t_ms: float) -> bool:
        """Confirmed, followed for long enough, not inside yet, and where and when it holds."""
        followed_ms = t_ms - self._motion.first_ms[slot]
        if tracks.state[slot] != TrackState.CONFIRMED or followed_ms < LEAST_HISTORY_MS:
            return False
        scope, (within, exempt) = self._scope, self._places[row]
        here = scope.zones[slot]
        may = here & within == within and not here & exempt
        return may and not scope.asleep[self._rules[row][0]]

    def _edge(
        self, row: int, slot: int, p: float, tracks: Tracks, t_ms: float, hazards: Hazards
    ) -> None:
        index, rule = self._rules[row]
        now = bool(self._raw[row, slot])
        self._active[row, slot] = self._scope.active[index][slot] = now
        hazards.active[index] += 1 if now else -1
        x, y = tracks.foot[slot].tolist()
        why: dict[str, object] = {
            "probability": round(p, 3),
            "threshold": rule.probability,
            "horizon_ms": rule.horizon_ms,
            "speed_m_s": round(float(self._motion.features[0, slot]), 2),
            "measured": "ground" if self._ground is not None else "body height",
            "held_ms": round(t_ms - float(self._since_ms[row, slot])),
            "hold_ms" if now else "clear_ms": rule.hold_ms if now else rule.clear_ms,
            "foot_px": [round(x), round(y)],
        }
        if self._scope.asleep[index]:
            why["out_of_hours"] = True
        state = "raised" if now else "cleared"
        hazards.add(HazardEdge(index, slot, int(tracks.track_id[slot]), state, why))

    def _drop(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """A track died: what it held active is cleared, its path is forgotten."""
        for row in np.flatnonzero(self._active[:, slot]).tolist():
            index = self._rules[row][0]
            hazards.active[index] -= 1
            self._scope.active[index][slot] = 0
            unseen_ms = round(t_ms - float(tracks.last_ms[slot]))
            why: dict[str, object] = {"track_lost": True, "unseen_ms": unseen_ms}
            hazards.add(HazardEdge(index, slot, int(tracks.track_id[slot]), "cleared", why))
        self._active[:, slot] = self._raw[:, slot] = False
        self._motion.forget(slot)
