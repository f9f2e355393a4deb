"""Rule `line`: in and out counting across a virtual gate.

A track is counted when it has settled on one side, crosses between the gate's ends, and settles on
the other side for `settle_ms`. A flicker across the line and back is never counted. Plain numbers
are several times quicker here than arrays, as few people cross few lines.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from runtime.geometry import ResolvedLine
from runtime.rules.scope import Scope
from runtime.site_rules import LineRuleConfig
from runtime.tables import HazardEdge, Hazards, Tracks

RIGHT = 1
HIDDEN = 32
"""The sides of the last so many who vanished are kept: somebody may cross behind a container."""


class LineRules:
    """Counts per rule; the side that a track has settled on lives in the track's slot.

    Args:
        rules: (index into the table of rules, rule) for each line rule.
        lines: resolved lines by name, pixels.
        scope: of this frame. While a rule sleeps, people are followed over its gate, not counted.
        capacity: number of track slots.
    """

    def __init__(
        self,
        rules: Sequence[tuple[int, LineRuleConfig]],
        lines: dict[str, ResolvedLine],
        scope: Scope,
        capacity: int,
    ) -> None:
        self._scope = scope
        self._gates = [Gate(index, rule, lines[rule.line], capacity) for index, rule in rules]

    @property
    def count_in(self) -> list[int]:
        """Crossings inwards, per rule."""
        return [gate.count_in for gate in self._gates]

    @property
    def count_out(self) -> list[int]:
        """Crossings outwards, per rule."""
        return [gate.count_out for gate in self._gates]

    def update(self, tracks: Tracks, t_ms: float, hazards: Hazards) -> None:
        """Judge one frame; appends edges "in" and "out" to `hazards`.

        Args:
            tracks: only confirmed slots are counted.
            t_ms: source time.
            hazards: `active` of a line rule is the number of crossings in this very frame.
        """
        for gate in self._gates:
            hazards.active[gate.index] = 0
            for slot in tracks.died:
                gate.forget(slot, tracks.track_id.item(slot))
        slots, asleep = self._scope.slots, self._scope.asleep
        if not slots:
            return
        foot, centre = tracks.foot.tolist(), tracks.centre.tolist()
        for gate in self._gates:
            points = foot if gate.at_foot else centre
            for slot in slots:
                x, y = points[slot]
                if not gate.side[slot]:
                    gate.recall(slot, tracks.track_id.item(slot))
                if gate.settles(slot, x, y, t_ms):
                    gate.take(slot, tracks, hazards, counts=not asleep[gate.index])


class Gate:
    """One line rule: the side of every track slot.

    Attributes:
        index: into the table of rules.
        at_foot: the foot point has to cross, else the centre of the box.
        count_in, count_out: crossings so far.
        side: per slot the side that it is on, -1 or 1; 0 before it was seen.
    """

    def __init__(self, index: int, rule: LineRuleConfig, line: ResolvedLine, capacity: int) -> None:
        self._x, self._y = float(line.start_px[0]), float(line.start_px[1])
        self._dx, self._dy = float(line.end_px[0]) - self._x, float(line.end_px[1]) - self._y
        self._in_sign = RIGHT if line.in_side == "right" else -RIGHT
        self._settle_ms = rule.settle_ms
        self.index = index
        self.at_foot = line.anchor == "foot"
        self.count_in = self.count_out = 0
        self.side = array("b", bytes(capacity))
        self._settled = array("b", bytes(capacity))
        self._through = bytearray(capacity)
        self._since_ms = array("d", bytes(8 * capacity))
        self._last_x = array("d", bytes(8 * capacity))
        self._last_y = array("d", bytes(8 * capacity))
        self._hidden = array("q", bytes(8 * HIDDEN))
        self._hidden_side = array("b", bytes(HIDDEN))
        self._hidden_x, self._hidden_y = (
            array("d", bytes(8 * HIDDEN)),
            array("d", bytes(8 * HIDDEN)),
        )
        self._next = 0

    def forget(self, slot: int, track_id: int) -> None:
        """The track of this slot died; its number may come out of hiding on the other side."""
        if self._settled[slot]:
            place = self._next
            self._hidden[place], self._hidden_side[place] = track_id, self._settled[slot]
            self._hidden_x[place], self._hidden_y[place] = self._last_x[slot], self._last_y[slot]
            self._next = (place + 1) % HIDDEN
        self.side[slot] = self._settled[slot] = 0

    def recall(self, slot: int, track_id: int) -> None:
        """Take up again the side of a number that was known before, if it was."""
        if track_id in self._hidden:
            place = self._hidden.index(track_id)
            self.side[slot] = self._settled[slot] = self._hidden_side[place]
            self._last_x[slot], self._last_y[slot] = self._hidden_x[place], self._hidden_y[place]
            self._hidden[place] = 0

    def settles(self, slot: int, x: float, y: float, t_ms: float) -> bool:
        """True in the one frame in which a track has settled on another side than before."""
        offset = self._offset(x, y)
        now, before = self.side[slot], self._settled[slot]
        if offset * now < 0.0 or (now == 0 and offset):
            self._through[slot] = self._crosses(slot, x, y) if now else self._is_beside(x, y)
            now = self.side[slot] = 1 if offset > 0.0 else -1
            self._since_ms[slot] = t_ms
        self._last_x[slot], self._last_y[slot] = x, y
        return now != before and t_ms - self._since_ms[slot] >= self._settle_ms

    def take(self, slot: int, tracks: Tracks, hazards: Hazards, *, counts: bool) -> None:
        """Take the new side over; a crossing between the ends is an edge, a first side is none."""
        first_side = self._settled[slot] == 0
        self._settled[slot] = self.side[slot]
        if first_side or not counts or not self._through[slot]:
            return
        going_in = self.side[slot] == self._in_sign
        self.count_in += going_in
        self.count_out += not going_in
        x, y = tracks.foot[slot].tolist()
        why: dict[str, object] = {
            "in": self.count_in,
            "out": self.count_out,
            "occupancy": self.count_in - self.count_out,
            "settle_ms": self._settle_ms,
            "foot_px": [round(x), round(y)],
        }
        hazards.active[self.index] += 1
        state = "in" if going_in else "out"
        hazards.add(HazardEdge(self.index, slot, int(tracks.track_id[slot]), state, why))

    def _offset(self, x: float, y: float) -> float:
        """Signed distance from the line, times its length; right of it is positive."""
        return self._dx * (y - self._y) - self._dy * (x - self._x)

    def _crosses(self, slot: int, x: float, y: float) -> bool:
        """Whether the way from the last point to this one leads between the ends."""
        last_x, last_y = self._last_x[slot], self._last_y[slot]
        before, now = self._offset(last_x, last_y), self._offset(x, y)
        share = before / (before - now) if before != now else 1.0
        return self._is_beside(last_x + (x - last_x) * share, last_y + (y - last_y) * share)

    def _is_beside(self, x: float, y: float) -> bool:
        """Whether a point lies between the ends, seen along the line."""
        along = self._dx * (x - self._x) + self._dy * (y - self._y)
        return 0.0 <= along <= self._dx**2 + self._dy**2
