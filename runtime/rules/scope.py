"""What every rule asks of every person in a frame, found once: who counts, in which zones, and
which rules sleep now."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.tables import Tracks, TrackState

CONFIRMED = int(TrackState.CONFIRMED)
ZoneMap = npt.NDArray[np.unsignedinteger[Any]]


class Scope:
    """Looked up once per frame, read by every group of rules.

    Args:
        zone_map: unsigned[H, W], bit z is set where zone z is.
        centre_zones: bits of the zones whose anchor is the centre of the box, not the foot.
        capacity: number of track slots.
        rules: number of rules.

    Attributes:
        slots: slots of the confirmed tracks of this frame, ascending.
        zones: per slot the bits of the zones that the person's anchor is in; 0 where not confirmed.
        asleep: per rule 1 while its schedule says that it does not hold.
    """

    def __init__(self, zone_map: ZoneMap, centre_zones: int, capacity: int, rules: int) -> None:
        self._map = zone_map.data
        self._right, self._bottom = zone_map.shape[1] - 1, zone_map.shape[0] - 1
        self._centre_zones = centre_zones
        self.slots: list[int] = []
        self.zones = array("L", bytes(8 * capacity))
        self.asleep = bytearray(rules)

    def update(self, tracks: Tracks) -> None:
        """Look everybody up. Slots that died or are not confirmed are in no zone."""
        zones = self.zones
        for slot in self.slots:
            zones[slot] = 0
        state = tracks.state
        self.slots = [slot for slot in tracks.live.tolist() if state.item(slot) == CONFIRMED]
        for slot in self.slots:
            x, y = tracks.foot[slot].tolist()
            found = self.zones_under(x, y)
            if self._centre_zones:
                x, y = tracks.centre[slot].tolist()
                at_centre = self.zones_under(x, y) & self._centre_zones
                found = (found & ~self._centre_zones) | at_centre
            zones[slot] = found

    def zones_under(self, x: float, y: float) -> int:
        """Zone bits under a point, pixels; one beyond the edge counts as on the edge."""
        column = min(max(int(x), 0), self._right)
        row = min(max(int(y), 0), self._bottom)
        found: int = self._map[row, column]
        return found
