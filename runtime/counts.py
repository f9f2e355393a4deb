"""Counts and heat: where people were and for how long, added up on the fly in fixed memory.

Only sums of an hour are kept, for each cell of the picture, each zone, line and rule, and the hour
is journalled when it is over and at a planned end. A power cut loses the hour it falls into.
Time counts from sighting to sighting: what nobody saw after the last sighting is nobody's stay.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from drivers.interfaces import Clock
from runtime.context import Context
from runtime.counts_config import CountsConfig
from runtime.counts_record import Encoder, Period, ZoneHour
from runtime.counts_tables import CellCounts, ZoneCounts
from runtime.geometry import ResolvedSite
from runtime.rules.engine import RuleInfo
from runtime.rules.scope import Scope
from runtime.tables import Tracks
from runtime.wall import is_plausible

HOUR_MS = 3_600_000
GAP_MS = 1000.0
"""Judged pictures further apart than this leave a time in which nobody watched."""
WHOLE_PICTURE = ""
"""Name of the zone that holds everybody; no zone of a site may be called so."""
MOMENTARY = ("line",)
"""Kinds of rules that are active for one picture only: their crossings are counted instead."""


class Counts:
    """The stage: counts, and hands a finished hour to the journal, one record a tick.

    Args:
        config: `[counts]` of the site.
        resolved: zones and lines of the site in the picture.
        rules: what the rule indexes mean.
        scope: who is in which zone, filled by the rules.
        slots: of the track table.
        clock: hours are those of its wall time where that is set, else of its running time.
        slot_bytes: of the journal.
        period_ms: an hour.
    """

    def __init__(
        self,
        config: CountsConfig,
        resolved: ResolvedSite,
        rules: Sequence[RuleInfo],
        scope: Scope,
        slots: int,
        clock: Clock,
        slot_bytes: int,
        period_ms: float = HOUR_MS,
    ) -> None:
        height_px, width_px = resolved.zone_map.shape
        self._config, self._clock, self._scope = config, clock, scope
        self._size = width_px, height_px
        self._cells = CellCounts(config.columns, config.rows, width_px, height_px, slots)
        self._names = [*(zone.name for zone in resolved.zones), WHOLE_PICTURE]
        self._everywhere = 1 << len(resolved.zones)
        self._zones = ZoneCounts(len(self._names), slots, config.settle_ms, config.dwell_s)
        self._rules = tuple(rules)
        self._held = [i for i, rule in enumerate(rules) if rule.kind not in MOMENTARY]
        self._active_ms = array("d", bytes(8 * len(rules)))
        self._edges = {state: array("Q", bytes(8 * len(rules))) for state in _STATES}
        self._seen_ms = array("d", [UNSEEN]) * slots
        self._last_ms: float | None = None
        self._observed_ms = 0.0
        self._period_ms = period_ms
        self._encoder = Encoder(slot_bytes)
        self._parts: list[dict[str, object]] = []
        self._began_ms = clock.now_ms()
        self._due_ms = self._began_ms + self._to_next_period()

    def __call__(self, context: Context) -> None:
        """Count what was judged; also in a tick without a picture an hour may be over."""
        if context.judged:
            self._count(context)
        if context.now_ms >= self._due_ms:
            self._roll(context.now_ms)
        if self._parts:
            self._tell(context, "hour")

    def close(self, context: Context, now_ms: float) -> None:
        """A planned end: the hour so far goes to the journal too, whole."""
        self._roll(now_ms)
        while self._parts:
            self._tell(context, "end")

    def restart(self, now_ms: float) -> None:
        """Begin to count from now: called when the loop starts to run."""
        self._began_ms = now_ms
        self._due_ms = now_ms + self._to_next_period()

    def _count(self, context: Context) -> None:
        tracks, t_ms = context.tracks, context.t_ms
        elapsed_ms = 0.0 if self._last_ms is None else t_ms - self._last_ms
        self._last_ms = t_ms
        if elapsed_ms > GAP_MS:
            elapsed_ms = 0.0
        self._observed_ms += elapsed_ms
        for slot in tracks.died:
            if self._seen_ms[slot] != UNSEEN:
                self._forget(slot, tracks)
        if self._scope.slots:
            self._see(tracks)
        active = context.hazards.active
        for rule in self._held:
            if active[rule]:
                self._active_ms[rule] += elapsed_ms
        for edge in context.hazards.edges:
            if edge.state in self._edges:
                self._edges[edge.state][edge.rule] += 1

    def _see(self, tracks: Tracks) -> None:
        """Whoever was seen in this picture has been there since they were seen before."""
        zones, scope_zones, everywhere = self._zones, self._scope.zones, self._everywhere
        for slot in self._scope.slots:
            seen_ms, before_ms = tracks.last_ms.item(slot), self._seen_ms[slot]
            is_first = before_ms == UNSEEN
            if is_first:
                before_ms = tracks.first_ms.item(slot)
            elif seen_ms == before_ms:
                continue
            elapsed_ms = seen_ms - before_ms
            self._seen_ms[slot] = seen_ms
            x, y = tracks.foot[slot].tolist()
            self._cells.add(slot, x, y, elapsed_ms)
            zones.see(slot, scope_zones[slot] | everywhere, seen_ms, elapsed_ms, is_first)

    def _forget(self, slot: int, tracks: Tracks) -> None:
        self._zones.die(slot, tracks.last_ms.item(slot))
        self._cells.forget(slot)
        self._seen_ms[slot] = UNSEEN

    def _to_next_period(self) -> float:
        """Until the clock strikes; a clock that was never set does not."""
        wall_ms = self._clock.wall_ms()
        is_set = is_plausible(wall_ms)
        return self._period_ms - wall_ms % self._period_ms if is_set else self._period_ms

    def _roll(self, now_ms: float) -> None:
        """Take the hour down, and begin the next one."""
        self._parts += self._encoder.encode(self._period(now_ms - self._began_ms))
        self._cells.clear()
        self._zones.clear()
        for rule in range(len(self._rules)):
            self._active_ms[rule] = 0.0
            for edges in self._edges.values():
                edges[rule] = 0
        self._observed_ms = 0.0
        self.restart(now_ms)

    def _tell(self, context: Context, state: str) -> None:
        part = self._parts.pop(0)
        context.events.add("counts", context.t_ms, context.frame.frame_id, state, part)

    def _period(self, length_ms: float) -> Period:
        cells, config = self._cells, self._config
        found = {cell: (cells.ms[cell], count) for cell, count in enumerate(cells.tracks) if count}
        return Period(
            from_ms=self._clock.wall_ms() - round(length_ms),
            period_ms=round(length_ms),
            observed_ms=round(self._observed_ms),
            grid=(config.columns, config.rows),
            picture=self._size,
            k=config.k,
            dwell_s=list(config.dwell_s),
            cells=found,
            zones={self._names[zone]: self._zone(zone) for zone in self._busy_zones()},
            lines=self._crossings(),
            rules=self._rule_times(),
        )

    def _busy_zones(self) -> list[int]:
        """Zones with something to tell; who left just after the clock struck was there before."""
        zones = self._zones
        return [z for z in range(zones.count) if zones.tracks[z] or zones.exits[z]]

    def _zone(self, zone: int) -> ZoneHour:
        table, classes = self._zones, self._zones.classes
        return ZoneHour(
            tracks=table.tracks[zone],
            ms=table.ms[zone],
            entries=table.entries[zone],
            appeared=table.appeared[zone],
            exits=table.exits[zone],
            vanished=table.vanished[zone],
            most=table.most[zone],
            dwell=tuple(table.dwell[zone * classes : (zone + 1) * classes]),
        )

    def _crossings(self) -> dict[str, tuple[int, int]]:
        """In and out per line; two rules on one line count the same people once."""
        found: dict[str, tuple[int, int]] = {}
        for index, rule in enumerate(self._rules):
            if rule.kind in MOMENTARY:
                counted = self._edges["in"][index], self._edges["out"][index]
                found[rule.place] = max(found.get(rule.place, (0, 0)), counted)
        return found

    def _rule_times(self) -> dict[str, tuple[float, int, str]]:
        """Time active, times raised and severity per rule that was active."""
        found: dict[str, tuple[float, int, str]] = {}
        for index in self._held:
            rule, raised = self._rules[index], self._edges["raised"][index]
            if raised or self._active_ms[index]:
                name = f"{rule.kind} {rule.place}".strip()
                name = f"{name} #{index + 1}" if name in found else name
                found[name] = self._active_ms[index], raised, rule.severity
        return found


UNSEEN = -1.0
_STATES = ("in", "out", "raised")
