"""What every rule asks of every person in a frame, found once: who counts, in which zones, which
rules sleep now, and who is a hazard by which rule."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.tables import Tracks, TrackState

CONFIRMED = int(TrackState.CONFIRMED)
FEW = 4
"""Up to so many people, single numbers are read quicker than whole columns."""
ZoneMap = npt.NDArray[np.unsignedinteger[Any]]


class Scope:
    """Looked up once per frame, read by every group of rules.

    Args:
        zone_map: unsigned[H, W], bit z is set where zone z is.
        centre_zones: bits of the zones whose anchor is the centre of the box, not the foot.
        capacity: number of track slots.
        rules: number of the engine's rules.
        names: of the zones, by bit; for reasons.
        asleep: the attribute, kept by somebody else; None: nothing ever sleeps.

    Attributes:
        slots: slots of the confirmed tracks of this frame, ascending.
        zones: per slot the bits of the zones that the person's anchor is in; 0 where not confirmed.
        asleep: per rule 1 while its schedule says that it does not hold; of `runtime.schedule`.
        turned: some rule fell asleep or woke in this frame.
        active: per rule and slot 1 while the person is a hazard by it; the rules write it.
        remembered: per rule the lost people who still are a hazard by it: track id -> last slot.
    """

    def __init__(
        self,
        zone_map: ZoneMap,
        centre_zones: int,
        capacity: int,
        rules: int,
        names: Sequence[str] = (),
        asleep: bytearray | None = None,
    ) -> None:
        self._map = zone_map.data
        self._right, self._bottom = zone_map.shape[1] - 1, zone_map.shape[0] - 1
        self._centre_zones = centre_zones
        self._names = tuple(names)
        self.slots: list[int] = []
        self.zones = array("L", bytes(8 * capacity))
        self.asleep = asleep if asleep is not None else bytearray(rules)
        self.turned = False
        self.active = tuple(bytearray(capacity) for _ in range(rules))
        self.remembered: tuple[dict[int, int], ...] = tuple({} for _ in range(rules))

    def update(self, tracks: Tracks) -> None:
        """Look everybody up. Slots that died or are not confirmed are in no zone."""
        zones = self.zones
        for slot in self.slots:
            zones[slot] = 0
        live: list[int] = tracks.live.tolist()
        if len(live) > FEW:
            self._update_many(live, tracks)
            return
        state = tracks.state
        self.slots = [slot for slot in live if state.item(slot) == CONFIRMED]
        for slot in self.slots:
            zones[slot] = self.zones_of(slot, tracks)

    def zones_of(self, slot: int, tracks: Tracks) -> int:
        """Bits of the zones that this person's anchor is in; also of one whose track has died."""
        found = self.zones_under(tracks.foot.item(slot, 0), tracks.foot.item(slot, 1))
        if self._centre_zones:
            return self._with_centre(found, *tracks.centre[slot].tolist())
        return found

    def _update_many(self, live: list[int], tracks: Tracks) -> None:
        state, foot, zones = tracks.state.tolist(), tracks.foot.tolist(), self.zones
        centre = tracks.centre.tolist() if self._centre_zones else ()
        self.slots = [slot for slot in live if state[slot] == CONFIRMED]
        zone_map, right, bottom = self._map, self._right, self._bottom
        for slot in self.slots:
            x, y = foot[slot]
            column, row = int(x), int(y)
            if not (0 <= column <= right and 0 <= row <= bottom):
                column, row = min(max(column, 0), right), min(max(row, 0), bottom)
            found: int = zone_map[row, column]
            zones[slot] = self._with_centre(found, *centre[slot]) if centre else found

    def _with_centre(self, found: int, x: float, y: float) -> int:
        """Replace the zones that ask for the centre of the box."""
        at_centre = self.zones_under(x, y) & self._centre_zones
        return (found & ~self._centre_zones) | at_centre

    def zones_under(self, x: float, y: float) -> int:
        """Zone bits under a point, pixels; one beyond the edge counts as on the edge."""
        column = min(max(int(x), 0), self._right)
        row = min(max(int(y), 0), self._bottom)
        found: int = self._map[row, column]
        return found

    def names_of(self, zones: int) -> list[str]:
        """The names of these bits, for reasons."""
        return [name for bit, name in enumerate(self._names) if zones >> bit & 1]
