"""What is counted: entries, exits, stays, people at a time, cells; in memory that never grows."""

from __future__ import annotations

import random
import sys
from collections.abc import Collection

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.interfaces import Frame
from models.tables import Detections
from runtime.context import Context
from runtime.counts import Counts
from runtime.counts_config import CountsConfig
from runtime.counts_record import Period, decode
from runtime.counts_tables import CellCounts, ZoneCounts
from runtime.geometry import ResolvedSite, ResolvedZone, rasterise
from runtime.rules.engine import RuleInfo
from runtime.rules.scope import Scope
from runtime.tables import HazardEdge, Hazards, Tracks, TrackState
from runtime.wall import PLAUSIBLE_FROM_MS

WIDTH, HEIGHT, SLOTS = 640, 360, 32
HOUR_MS = 3_600_000
RULES = (RuleInfo("line", "gate", "info"), RuleInfo("zone", "press", "danger"))
PRESS = np.array([[320, 0], [640, 0], [640, 360], [320, 360]], np.float32)


class Bench:
    """The stage on a scene that a test writes by hand: people as {slot: (x, y)}."""

    def __init__(
        self, *, wall_ms: int = 0, slot_bytes: int = 4096, slots: int = SLOTS, **config: object
    ) -> None:
        zones = (ResolvedZone("press", PRESS, "foot"),)
        resolved = ResolvedSite(zones, (), rasterise(zones, WIDTH, HEIGHT))
        self.clock = VirtualClock(0.0, wall_ms)
        self.scope = Scope(resolved.zone_map, 0, slots, len(RULES))
        self.context = Context(
            Frame(WIDTH, HEIGHT), Detections(4), Tracks(slots), Hazards(len(RULES))
        )
        self.counts = Counts(
            CountsConfig(**config),  # type: ignore[arg-type]
            resolved,
            RULES,
            self.scope,
            slots,
            self.clock,
            slot_bytes,
        )
        self._next_id = 1

    def frame(
        self,
        t_ms: float,
        people: dict[int, tuple[float, float]],
        *,
        judged: bool = True,
        unseen: Collection[int] = (),
    ) -> None:
        """One tick at `t_ms`: who is not named any more has died; `unseen` ones are followed on."""
        context, tracks = self.context, self.context.tracks
        self.clock.sleep_until_ms(t_ms)
        context.begin(t_ms)
        context.t_ms = t_ms
        context.judged = judged
        if judged:
            tracks.died.clear()
            for slot in range(tracks.capacity):
                if slot in unseen:
                    continue
                if slot in people:
                    self._place(slot, people[slot], t_ms)
                elif tracks.state[slot]:
                    tracks.state[slot] = TrackState.FREE
                    tracks.died.append(slot)
            tracks.refresh_live()
            self.scope.update(tracks)
        self.counts(context)

    def _place(self, slot: int, point: tuple[float, float], t_ms: float) -> None:
        tracks = self.context.tracks
        if not tracks.state[slot]:
            tracks.state[slot] = TrackState.CONFIRMED
            tracks.track_id[slot], self._next_id = self._next_id, self._next_id + 1
            tracks.first_ms[slot] = t_ms
        tracks.foot[slot] = tracks.centre[slot] = point
        tracks.last_ms[slot] = t_ms

    def bodies(self) -> list[dict[str, object]]:
        """`why` of the records so far."""
        return [e["why"] for e in self.context.events.waiting if e["kind"] == "counts"]  # type: ignore[misc]

    def close(self) -> Period:
        """The hour at a planned end."""
        self.context.events.waiting.clear()
        self.counts.close(self.context, self.clock.now_ms())
        period = decode(self.bodies())
        assert period is not None and period.is_whole
        return period


def walk(bench: Bench, slot: int, way: list[float], start_ms: float = 0.0) -> None:
    """One person along x at 10 pictures a second, then gone."""
    for number, x in enumerate(way):
        bench.frame(start_ms + 100.0 * number, {slot: (x, 180.0)})
    bench.frame(start_ms + 100.0 * len(way), {})


def test_somebody_walks_through_a_zone_and_is_counted_once() -> None:
    bench = Bench(settle_ms=300, dwell_s=[1, 3])
    walk(bench, 0, [100.0] * 10 + [400.0] * 20 + [100.0] * 10)
    press = bench.close().zones["press"]
    assert (press.entries, press.exits, press.tracks, press.most) == (1, 1, 1, 1)
    assert (press.appeared, press.vanished) == (0, 0)
    assert press.ms == 2000
    assert press.dwell == (0, 1, 0), "2 s is between 1 and 3 s"


def test_a_flicker_at_the_edge_is_no_entry_and_no_exit() -> None:
    bench = Bench(settle_ms=300)
    walk(bench, 0, [100.0] * 10 + [400.0, 100.0] * 10 + [100.0] * 10)
    press = bench.close().zones["press"]
    assert (press.entries, press.exits) == (0, 0)
    assert press.ms == 1000, "the time there is spent all the same"
    bench = Bench(settle_ms=300)
    walk(bench, 0, [400.0] * 10 + [100.0, 400.0] * 10 + [400.0] * 10)
    press = bench.close().zones["press"]
    assert (press.entries, press.exits) == (1, 1)


def test_who_appears_or_vanishes_inside_is_told_apart() -> None:
    bench = Bench()
    walk(bench, 0, [400.0] * 20)
    press = bench.close().zones["press"]
    assert (press.entries, press.appeared, press.exits, press.vanished) == (1, 1, 1, 1)
    assert press.ms == 1900


def test_a_stay_ends_when_somebody_was_last_seen_not_when_the_track_died() -> None:
    bench = Bench(dwell_s=[2, 4])
    for t_ms in range(0, 2500, 100):
        bench.frame(t_ms, {0: (400.0, 180.0)})
    for t_ms in range(2500, 4500, 100):
        bench.frame(t_ms, {}, unseen=[0])
    bench.frame(4500, {})
    press = bench.close().zones["press"]
    assert press.dwell == (0, 1, 0), "2.4 s, not 4.5 s"
    assert press.ms == 2400


def test_the_most_and_the_mean_of_people_at_a_time() -> None:
    bench = Bench()
    for number in range(101):
        people = {0: (400.0, 180.0)} | ({1: (500.0, 300.0)} if number <= 50 else {})
        bench.frame(100.0 * number, people)
    period = bench.close()
    press = period.zones["press"]
    assert press.most == 2
    assert press.ms == 10_000 + 5000
    assert period.observed_ms == 10_000
    assert period.zones[""] == press, "the whole picture holds the same people here"


def test_cells_hold_time_and_different_tracks() -> None:
    bench = Bench(columns=10, rows=10)
    walk(bench, 0, [10.0] * 11)
    walk(bench, 0, [10.0] * 11, start_ms=5000)
    walk(bench, 1, [639.9] * 11, start_ms=9000)
    cells = bench.close().cells
    assert cells == {50: (2000.0, 2), 59: (1000.0, 1)}


def test_somebody_beyond_the_edge_is_counted_on_the_edge() -> None:
    cells = CellCounts(4, 3, 640, 360, 2)
    for x, y in ((-50.0, -1.0), (1e6, 1e6)):
        cells.add(0, x, y, 10.0)
    assert cells.ms[0] == cells.ms[11] == 10.0


def test_crossings_and_times_of_rules() -> None:
    bench = Bench()
    hazards = bench.context.hazards
    for number in range(20):
        hazards.active[1] = 1 if 5 <= number < 15 else 0
        bench.context.begin(100.0 * number)
        bench.context.t_ms, bench.context.judged = 100.0 * number, True
        if number == 5:
            hazards.add(HazardEdge(1, 0, 1, "raised", {}))
            hazards.add(HazardEdge(0, 0, 1, "in", {}))
        if number == 9:
            hazards.add(HazardEdge(0, 0, 1, "out", {}))
            hazards.add(HazardEdge(0, 0, 2, "in", {}))
        bench.clock.sleep_until_ms(100.0 * number)
        bench.counts(bench.context)
    period = bench.close()
    assert period.lines == {"gate": (2, 1)}
    assert period.rules == {"zone press": (1000.0, 1, "danger")}


def test_a_time_without_pictures_is_nobodys() -> None:
    bench = Bench()
    bench.frame(0, {0: (400.0, 180.0)})
    bench.frame(100, {0: (400.0, 180.0)})
    for t_ms in range(200, 60_000, 1000):
        bench.frame(t_ms, {}, judged=False)
    bench.frame(60_000, {})
    period = bench.close()
    assert period.observed_ms == 100
    assert period.zones["press"].ms == 100


def test_hours_begin_when_the_clock_strikes() -> None:
    start = PLAUSIBLE_FROM_MS + 40 * 60_000
    bench = Bench(wall_ms=start)
    for minute in range(0, 90):
        bench.frame(60_000.0 * minute, {})
    first, second = bench.bodies()
    assert (first["from_ms"], first["period_ms"]) == (start, 20 * 60_000)
    assert (second["from_ms"], second["period_ms"]) == (PLAUSIBLE_FROM_MS + HOUR_MS, HOUR_MS)


def test_a_clock_that_was_never_set_gives_hours_of_running() -> None:
    bench = Bench(wall_ms=0)
    for minute in range(0, 130):
        bench.frame(60_000.0 * minute, {}, judged=False)
    assert [body["period_ms"] for body in bench.bodies()] == [HOUR_MS, HOUR_MS]


def test_an_hour_is_over_also_while_the_camera_is_blind() -> None:
    bench = Bench()
    bench.frame(HOUR_MS + 1, {}, judged=False)
    (body,) = bench.bodies()
    assert body["observed_ms"] == 0


def test_who_is_inside_when_the_clock_strikes_is_inside_in_both_hours() -> None:
    bench = Bench()
    for t_ms in range(HOUR_MS - 1000, HOUR_MS + 1000, 100):
        bench.frame(t_ms, {0: (400.0, 180.0)})
    first = decode(bench.bodies())
    bench.frame(HOUR_MS + 1000, {})
    second = bench.close()
    assert first is not None
    assert (first.zones["press"].entries, second.zones["press"].entries) == (1, 0)
    assert (first.zones["press"].exits, second.zones["press"].exits) == (0, 1)
    assert (first.zones["press"].tracks, second.zones["press"].tracks) == (1, 1)
    assert second.zones["press"].most == 1
    assert [count for _, count in first.cells.values()] == [1]
    assert [count for _, count in second.cells.values()] == [1]


def test_records_of_a_large_hour_come_one_a_tick() -> None:
    bench = Bench(slot_bytes=512)
    chance = random.Random(1)
    for t_ms in range(HOUR_MS - 60_000, HOUR_MS, 100):
        bench.frame(
            t_ms, {slot: (chance.uniform(0, 640), chance.uniform(0, 360)) for slot in (0, 1)}
        )
    lengths = []
    for tick in range(20):
        bench.context.events.waiting.clear()
        bench.frame(HOUR_MS + 100 * tick, {})
        lengths.append(len(bench.bodies()))
    assert max(lengths) == 1
    assert 3 < sum(lengths) < 20


def held_bytes(counts: Counts) -> int:
    """What the stage holds, containers and arrays inside."""
    seen: set[int] = set()

    def size(thing: object) -> int:
        if id(thing) in seen or isinstance(thing, (Scope, VirtualClock, type)):
            return 0
        seen.add(id(thing))
        inner = list(getattr(thing, "__dict__", {}).values())
        if isinstance(thing, dict):
            inner += thing.values()
        elif isinstance(thing, (list, tuple)):
            inner += thing
        numbers = (float, int, str)
        return sys.getsizeof(thing) * (not isinstance(thing, numbers)) + sum(map(size, inner))

    return size(counts)


def test_a_hundred_thousand_frames_of_churn_leave_it_as_large_as_before() -> None:
    bench = Bench(wall_ms=0)
    chance = random.Random(7)
    people: dict[int, tuple[float, float]] = {}

    def churn(frames: range) -> None:
        for number in frames:
            slot = chance.randrange(SLOTS)
            if slot in people:
                del people[slot]
            else:
                people[slot] = (chance.uniform(-9, 650), chance.uniform(-9, 370))
            bench.frame(100.0 * number, people)
            bench.context.events.waiting.clear()

    churn(range(1000))
    before = held_bytes(bench.counts)
    churn(range(1000, 100_000))
    assert held_bytes(bench.counts) == before
    entries = bench.close().zones[""].entries
    assert entries > 0


def test_the_churn_test_can_fail() -> None:
    bench = Bench()
    before = held_bytes(bench.counts)
    bench.counts._parts.append({"a": [1] * 100})
    assert held_bytes(bench.counts) > before


def test_entries_less_exits_are_the_people_inside() -> None:
    zones = ZoneCounts(3, 8, 300.0, [5])
    chance, alive = random.Random(3), dict[int, float]()
    entered = left = 0
    for number in range(20_000):
        t_ms = 100.0 * number
        slot = chance.randrange(8)
        if slot in alive and chance.random() < 0.02:
            zones.die(slot, alive.pop(slot))
        else:
            elapsed = t_ms - alive.get(slot, t_ms)
            zones.see(slot, chance.choice([0, 1, 3, 7, 7, 7]), t_ms, elapsed, slot not in alive)
            alive[slot] = t_ms
        if number % 5000 == 0:
            entered, left = entered + sum(zones.entries), left + sum(zones.exits)
            zones.clear()
    entered, left = entered + sum(zones.entries), left + sum(zones.exits)
    assert entered - left == sum(zones.inside)
    for slot, seen_ms in alive.items():
        zones.die(slot, seen_ms)
    assert list(zones.inside) == [0, 0, 0]


@pytest.mark.parametrize("slots", [1, 128])
def test_the_grid_of_every_size_fits_its_table(slots: int) -> None:
    cells = CellCounts(64, 24, 1920, 1080, slots)
    cells.add(slots - 1, 1919.9, 1079.9, 5.0)
    cells.forget(slots - 1)
    cells.add(slots - 1, 1919.9, 1079.9, 5.0)
    assert cells.tracks[-1] == 2
    cells.clear()
    assert (sum(cells.ms), sum(cells.tracks)) == (0, 0)
