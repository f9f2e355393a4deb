"""Rule `zone`: a confirmed person's anchor point stays inside a polygon.

All zones are looked up in one bitmap, so the cost grows neither with their corners nor with the
number of rules: a track whose zones are the same as in the last frame costs one look-up.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.site_rules import ZoneRuleConfig
from runtime.tables import HazardEdge, Hazards, Tracks, TrackState

CONFIRMED = int(TrackState.CONFIRMED)
ZoneMap = npt.NDArray[np.unsignedinteger[Any]]


class ZoneRules:
    """Hysteresis in time on both edges, per rule and track slot.

    Args:
        rules: (index into the site's rules, rule) for each zone rule.
        zone_bits: zone name -> its bit in `bitmap`.
        centre_zones: bits of the zones whose anchor is the centre of the box, not the foot.
        bitmap: unsigned[H, W], bit z is set where zone z is.
        capacity: number of track slots.
    """

    def __init__(
        self,
        rules: Sequence[tuple[int, ZoneRuleConfig]],
        zone_bits: dict[str, int],
        centre_zones: int,
        bitmap: ZoneMap,
        capacity: int,
    ) -> None:
        self._rules = list(rules)
        self._bitmap = bitmap.data
        self._right, self._bottom = bitmap.shape[1] - 1, bitmap.shape[0] - 1
        self._bits = np.array([1 << zone_bits[rule.zone] for _, rule in rules], np.uint32)
        watched = int(np.bitwise_or.reduce(self._bits)) if rules else 0
        self._foot_zones = watched & ~centre_zones
        self._centre_zones = watched & centre_zones
        self._hold = np.array([r.hold_ms for _, r in rules], np.float64)
        self._clear = np.array([r.clear_ms for _, r in rules], np.float64)
        shape = (len(self._rules), capacity)
        self._raw = np.zeros(shape, np.bool_)
        self._active = np.zeros(shape, np.bool_)
        self._since = np.zeros(shape, np.float64)
        self._zones = array("L", bytes(8 * capacity))
        self._waiting = bytearray(capacity)

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges to `hazards` and keeps `hazards.active` up to date.

        Args:
            tracks: confirmed slots count, the others are outside of everything.
            t_ms: source time.
            hazards: edges "raised" and "cleared" are added.
        """
        for slot in tracks.died:
            self._drop(slot, tracks, t_ms, hazards)
        if not tracks.live.size:
            return
        foot, centre, state = tracks.foot.tolist(), tracks.centre.tolist(), tracks.state.tolist()
        for slot in tracks.live.tolist():
            zones = 0
            if state[slot] == CONFIRMED:
                zones = self._zones_under(*foot[slot]) & self._foot_zones
                if self._centre_zones:
                    zones |= self._zones_under(*centre[slot]) & self._centre_zones
            if zones != self._zones[slot]:
                self._move(slot, zones, t_ms)
            if self._waiting[slot]:
                self._settle(slot, tracks, t_ms, hazards)

    def _zones_under(self, x: float, y: float) -> int:
        """Zone bits under a point; one beyond the edge counts as on the edge."""
        column = min(max(int(x), 0), self._right)
        row = min(max(int(y), 0), self._bottom)
        found: int = self._bitmap[row, column]
        return found

    def _move(self, slot: int, zones: int, t_ms: float) -> None:
        """A track went into a zone or out of one: its time begins to count."""
        inside = (self._bits & np.uint32(zones)) != 0
        self._since[inside != self._raw[:, slot], slot] = t_ms
        self._raw[:, slot] = inside
        self._zones[slot] = zones
        self._waiting[slot] = bool((inside != self._active[:, slot]).any())

    def _settle(self, slot: int, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Raise or clear what a track's stay has lasted long enough for."""
        inside = self._raw[:, slot]
        held = t_ms - self._since[:, slot]
        due = inside != self._active[:, slot]
        due &= held >= np.where(inside, self._hold, self._clear)
        for row in np.flatnonzero(due).tolist():
            self._edge(row, slot, bool(inside[row]), tracks, t_ms, hazards)
        self._waiting[slot] = bool((inside != self._active[:, slot]).any())

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
        self._zones[slot] = self._waiting[slot] = 0
