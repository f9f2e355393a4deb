"""Rule `line`: in and out counting across a virtual gate.

A track is counted when it has settled on one side, crosses between the gate's ends, and settles on
the other side for `settle_ms`. A flicker across the line and back is never counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runtime.geometry import ResolvedLine
from runtime.site import LineRuleConfig
from runtime.tables import F64, I64, HazardEdge, Hazards, Tracks, TrackState

RIGHT = 1


class LineRules:
    """Counts per rule; the side that a track has settled on lives in the track's slot.

    Args:
        rules: (index into the site's rules, rule) for each line rule.
        lines: resolved lines by name, pixels.
        capacity: number of track slots.
    """

    def __init__(
        self,
        rules: Sequence[tuple[int, LineRuleConfig]],
        lines: dict[str, ResolvedLine],
        capacity: int,
    ) -> None:
        self._rules = list(rules)
        used = [lines[rule.line] for _, rule in rules]
        self._start = np.array([line.start_px for line in used], np.float64).reshape(-1, 2)
        self._run = (
            np.array([line.end_px for line in used], np.float64).reshape(-1, 2) - self._start
        )
        self._length2 = (self._run**2).sum(axis=1)[:, None]
        self._foot = np.array([[line.anchor == "foot"] for line in used], np.bool_).reshape(-1, 1)
        self._in_sign = [RIGHT if line.in_side == "right" else -RIGHT for line in used]
        self._settle = np.array([[r.settle_ms] for _, r in rules], np.float64).reshape(-1, 1)
        shape = (len(self._rules), capacity)
        self._settled = np.zeros(shape, np.int8)
        self._raw = np.zeros(shape, np.int8)
        self._since = np.zeros(shape, np.float64)
        self._through = np.zeros(shape, np.bool_)
        self._offset = np.zeros(shape, np.float64)
        self._along = np.zeros(shape, np.float64)
        self.count_in = [0] * len(self._rules)
        self.count_out = [0] * len(self._rules)

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges "in" and "out" to `hazards`.

        Args:
            tracks: only confirmed slots are counted.
            t_ms: source time.
            hazards: `active` of a line rule is the number of crossings in this very frame.
        """
        if not self._rules:
            return
        for index, _ in self._rules:
            hazards.active[index] = 0
        for slot in tracks.died:
            self._settled[:, slot] = self._raw[:, slot] = 0
        live = tracks.live
        if not live.size:
            return
        offset, along = self._measure(tracks, live)
        side = np.sign(offset).astype(np.int8)
        side *= tracks.state[live] == TrackState.CONFIRMED
        flipped = (side != 0) & (side != self._raw[:, live])
        if flipped.any():
            self._flip(flipped, live, side, offset, along, t_ms)
        self._offset[:, live] = offset
        self._along[:, live] = along
        differs = self._raw[:, live] != self._settled[:, live]
        if differs.any():
            differs &= t_ms - self._since[:, live] >= self._settle
            for row, column in np.argwhere(differs).tolist():
                self._settle_down(row, int(live[column]), tracks, hazards)

    def _measure(self, tracks: Tracks, live: I64) -> tuple[F64, F64]:
        """float64[R, L] each: signed offset from the line (right is positive), share along it."""
        points = np.where(self._foot[:, :, None], tracks.foot[live], tracks.centre[live])
        points = points - self._start[:, None, :]
        dx, dy = self._run[:, :1], self._run[:, 1:]
        x, y = points[:, :, 0], points[:, :, 1]
        return dx * y - dy * x, (dx * x + dy * y) / self._length2

    def _flip(
        self,
        flipped: npt.NDArray[np.bool_],
        live: I64,
        side: npt.NDArray[np.int8],
        offset: F64,
        along: F64,
        t_ms: float,
    ) -> None:
        """Note when and where a track changed sides."""
        for row, column in np.argwhere(flipped).tolist():
            slot = int(live[column])
            before, now = self._offset[row, slot], offset[row, column]
            share = before / (before - now) if self._raw[row, slot] and before != now else 1.0
            crossed_at = self._along[row, slot] * (1 - share) + along[row, column] * share
            self._through[row, slot] = 0.0 <= crossed_at <= 1.0
            self._raw[row, slot] = side[row, column]
            self._since[row, slot] = t_ms

    def _settle_down(self, row: int, slot: int, tracks: Tracks, hazards: Hazards) -> None:
        first_side = self._settled[row, slot] == 0
        self._settled[row, slot] = self._raw[row, slot]
        if first_side or not self._through[row, slot]:
            return
        index, rule = self._rules[row]
        going_in = int(self._raw[row, slot]) == self._in_sign[row]
        self.count_in[row] += going_in
        self.count_out[row] += not going_in
        x, y = tracks.foot[slot].tolist()
        why: dict[str, object] = {
            "in": self.count_in[row],
            "out": self.count_out[row],
            "occupancy": self.count_in[row] - self.count_out[row],
            "settle_ms": rule.settle_ms,
            "foot_px": [round(x), round(y)],
        }
        hazards.active[index] += 1
        state = "in" if going_in else "out"
        hazards.add(HazardEdge(index, slot, int(tracks.track_id[slot]), state, why))
