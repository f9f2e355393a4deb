"""Rule `zone`: a confirmed person's anchor point stays inside a polygon.

All zone rules of a site are judged together over the whole track table. Zones are looked up in one
bitmap, so the cost does not grow with the number of corners.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runtime.site import ZoneRuleConfig
from runtime.tables import F32, I64, HazardEdge, Hazards, Tracks, TrackState

U32 = npt.NDArray[np.uint32]


class ZoneRules:
    """Hysteresis in time on both edges, per rule and track slot.

    Args:
        rules: (index into the site's rules, rule) for each zone rule.
        zone_bits: zone name -> its bit in `bitmap`.
        centre_zones: bits of the zones whose anchor is the centre of the box, not the foot.
        bitmap: uint32[H, W], bit z is set where zone z is.
        capacity: number of track slots.
    """

    def __init__(
        self,
        rules: Sequence[tuple[int, ZoneRuleConfig]],
        zone_bits: dict[str, int],
        centre_zones: int,
        bitmap: U32,
        capacity: int,
    ) -> None:
        self._rules = list(rules)
        self._bitmap = bitmap
        self._limit = np.array([bitmap.shape[1] - 1, bitmap.shape[0] - 1], np.int32)
        bits = [1 << zone_bits[rule.zone] for _, rule in rules]
        foot_bits = [bit & ~centre_zones for bit in bits]
        self._foot_bits = np.array(foot_bits, np.uint32)[:, None]
        self._centre_bits = np.array([bit & centre_zones for bit in bits], np.uint32)[:, None]
        self._any_foot, self._any_centre = any(foot_bits), bool(self._centre_bits.any())
        self._hold = np.array([[r.hold_ms] for _, r in rules], np.float64)
        self._clear = np.array([[r.clear_ms] for _, r in rules], np.float64)
        shape = (len(self._rules), capacity)
        self._raw = np.zeros(shape, np.bool_)
        self._active = np.zeros(shape, np.bool_)
        self._since = np.zeros(shape, np.float64)

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: confirmed slots count, the others are outside of everything.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        for slot in tracks.died:
            self._drop(slot, tracks, t_ms, hazards)
        live = tracks.live
        if not live.size or not self._rules:
            return
        inside = self._inside(tracks, live)
        inside &= tracks.state[live] == TrackState.CONFIRMED
        changed = inside != self._raw[:, live]
        if changed.any():
            self._raw[:, live] = inside
            self._since[:, live] = np.where(changed, t_ms, self._since[:, live])
        differs = inside != self._active[:, live]
        if differs.any():
            held = t_ms - self._since[:, live]
            differs &= held >= np.where(inside, self._hold, self._clear)
            for row, column in np.argwhere(differs).tolist():
                self._edge(row, int(live[column]), bool(inside[row, column]), tracks, t_ms, hazards)

    def _inside(self, tracks: Tracks, live: I64) -> npt.NDArray[np.bool_]:
        """bool[R, L]: which live slots have their anchor inside which rule's zone."""
        bits = np.zeros((len(self._rules), live.size), np.uint32)
        if self._any_foot:
            bits |= self._look_up(tracks.foot[live]) & self._foot_bits
        if self._any_centre:
            bits |= self._look_up(tracks.centre[live]) & self._centre_bits
        inside: npt.NDArray[np.bool_] = bits != 0
        return inside

    def _look_up(self, points: F32) -> U32:
        """uint32[L]: zone bits under each point; a point beyond the edge counts as on the edge."""
        xy = points.astype(np.int32)
        np.clip(xy, 0, self._limit, out=xy)
        found: U32 = self._bitmap[xy[:, 1], xy[:, 0]]
        return found

    def _edge(
        self, row: int, slot: int, inside: bool, tracks: Tracks, t_ms: float, hazards: Hazards
    ) -> None:
        index, rule = self._rules[row]
        self._active[row, slot] = inside
        hazards.active[index] += 1 if inside else -1
        x, y = tracks.foot[slot].tolist()
        why: dict[str, object] = {
            "inside_ms" if inside else "outside_ms": round(t_ms - float(self._since[row, slot])),
            "hold_ms" if inside else "clear_ms": rule.hold_ms if inside else rule.clear_ms,
            "foot_px": [round(x), round(y)],
            "score": round(float(tracks.score[slot]), 3),
        }
        state = "raised" if inside else "cleared"
        hazards.add(HazardEdge(index, slot, int(tracks.track_id[slot]), state, why))

    def _drop(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """A track died: what it held active is cleared, its slot's state is forgotten."""
        for row in np.flatnonzero(self._active[:, slot]).tolist():
            index = self._rules[row][0]
            hazards.active[index] -= 1
            unseen_ms = round(t_ms - float(tracks.last_ms[slot]))
            why: dict[str, object] = {"track_lost": True, "unseen_ms": unseen_ms}
            edge = HazardEdge(index, slot, int(tracks.track_id[slot]), "cleared", why)
            hazards.add(edge)
        self._active[:, slot] = False
        self._raw[:, slot] = False
