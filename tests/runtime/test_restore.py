"""Alarms over a restart: what nobody acknowledged comes back, also when the ring has come round."""

from __future__ import annotations

import pytest

from drivers.clock import VirtualClock
from drivers.interfaces import Frame
from models.tables import Detections
from runtime.alarm_build import AlarmParts
from runtime.alarm_config import AlarmConfig, PriorityConfig
from runtime.alarm_state import AlarmState
from runtime.alarm_words import sentence
from runtime.context import Context
from runtime.control import Target
from runtime.journal import Journal
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.record import Recorder
from runtime.restore import Refresh, keys_of
from runtime.rules.engine import RuleInfo
from runtime.stages import Record
from runtime.tables import HazardEdge, Hazards, Tracks
from sim.board.flash import Flash

N, AU, AA, RU = AlarmState
PRESS, YARD = RuleInfo("zone", "press", "danger"), RuleInfo("zone", "yard", "warning")
WALL_MS = 1_767_226_440_000
"""2026-01-01, 00:14:00 UTC."""
INSIDE = {"inside_ms": 300, "hold_ms": 300}


class FakeRules:
    def __init__(self, table) -> None:
        self.table = tuple(table)


class Camera:
    """One run of the alarm stage over a journal that outlives it."""

    def __init__(self, flash: Flash, table=(PRESS, YARD), config=None, boot=1) -> None:
        self.clock = VirtualClock(0.0, WALL_MS + boot * 60_000)
        self.recorder = Recorder(Journal(flash, self.clock, boot), None)
        self.context = Context(Frame(8, 8), Detections(1), Tracks(1), Hazards(len(table)))
        config = config or AlarmConfig(min_on_ms=0)
        self.parts = AlarmParts(FakeRules(table), config, Outputs(()), Metrics())
        self.parts.restore(self.recorder, self.context)
        self.record = Record(self.recorder, self.parts.stage)
        self.tick()

    def tick(self, *edges: HazardEdge, ms: float = 100.0) -> None:
        self.clock.sleep_until_ms(self.clock.now_ms() + ms)
        context = self.context
        context.begin(self.clock.now_ms())
        for edge in edges:
            context.hazards.active[edge.rule] += 1 if edge.state == "raised" else -1
            context.hazards.add(edge)
        self.parts.stage(context)
        self.record(context)

    def comes(self, rule: int, who: int = 7) -> None:
        self.tick(HazardEdge(rule, 0, who, "raised", INSIDE))

    def leaves(self, rule: int, who: int = 7) -> None:
        self.tick(HazardEdge(rule, 0, who, "cleared", {}))

    @property
    def states(self) -> list[AlarmState]:
        return self.parts.alarms.states


@pytest.fixture
def flash() -> Flash:
    return Flash(bytes(4096 * 64), 4096)


def records(flash: Flash, kind: str = "alarm") -> list:
    journal = Journal(flash, VirtualClock(), 99)
    return [record for record in journal.read_all() if record.kind_name == kind]


def test_what_waits_comes_back_with_its_lamp_and_silent(flash):
    before = Camera(flash)
    before.comes(0)
    before.leaves(0)
    assert before.states == [RU, N]
    after = Camera(flash, boot=2)
    assert after.states == [RU, N]
    assert after.parts.alarms.sound.strobe and not after.parts.alarms.sound.pattern


def test_what_sounded_waits_and_sounds_again_when_somebody_is_there(flash):
    Camera(flash).comes(0)
    after = Camera(flash, boot=2)
    assert after.states == [RU, N]
    after.comes(0, who=1)
    assert after.parts.alarms.sound.pattern == "march"


def test_its_record_says_who_where_and_since_when_as_before(flash):
    Camera(flash).comes(0)
    Camera(flash, boot=2)
    last = records(flash)[-1]
    assert sentence("alarm", last.body, last.wall_ms) == (
        "00:16:00 DANGER, cause gone: person #7 was in zone press (0.3 s inside; the limit is"
        " 0.3 s), since 00:14:59; not acknowledged, lamp on (kept over a restart)"
    )
    Camera(flash, boot=3)
    again = records(flash)[-1]
    assert again.body["why"]["since_wall_ms"] == last.body["why"]["since_wall_ms"]


def test_an_acknowledged_alarm_does_not_come_back(flash):
    before = Camera(flash)
    before.comes(0)
    before.parts.control.acknowledge("lee")
    before.tick()
    assert before.states == [AA, N]
    assert Camera(flash, boot=2).states == [N, N]


def test_acknowledging_after_the_restart_ends_it_for_good(flash):
    Camera(flash).comes(0)
    after = Camera(flash, boot=2)
    after.parts.control.acknowledge("lee")
    after.tick()
    assert after.states == [N, N]
    assert Camera(flash, boot=3).states == [N, N]


def test_shelving_does_not_survive(flash):
    before = Camera(flash)
    before.comes(0)
    before.parts.alarms.shelve(0, 60_000)
    before.tick()
    after = Camera(flash, boot=2)
    assert after.states == [RU, N] and after.parts.alarms.sound.strobe


def test_without_latch_nothing_comes_back(flash):
    config = AlarmConfig(danger=PriorityConfig(latch=False))
    Camera(flash, config=config).comes(0)
    assert Camera(flash, config=config, boot=2).states == [N, N]
    assert records(flash)[-1].body["state"] == "dropped"


@pytest.mark.parametrize(
    "table",
    [(YARD,), (RuleInfo("zone", "press", "warning"),), (RuleInfo("line", "press", "danger"),)],
)
def test_what_the_site_no_longer_has_is_dropped_with_a_record(flash, table):
    Camera(flash).comes(0)
    assert Camera(flash, table=table, boot=2).states == [N] * len(table)
    dropped = records(flash)[-1].body
    assert (dropped["state"], dropped["zone"]) == ("dropped", "press")
    Camera(flash, boot=3)
    assert len(records(flash)) == 2, "told once, and gone when the old site comes back"


def test_the_order_of_the_rules_may_change(flash):
    Camera(flash).comes(0)
    assert Camera(flash, table=(YARD, PRESS), boot=2).states == [N, RU]


def test_two_rules_that_look_alike_are_told_apart(flash):
    before = Camera(flash, table=(PRESS, PRESS))
    before.comes(1)
    before.comes(0)
    before.parts.control.acknowledge("lee", Target(number=1))
    before.tick()
    assert before.states == [AA, AU]
    assert Camera(flash, table=(PRESS, PRESS), boot=2).states == [N, RU]


def test_the_ring_may_come_round_many_times(flash):
    before = Camera(flash)
    before.comes(0)
    before.leaves(0)
    for _ in range(300):
        before.context.events.add("output", 0.0, 0, "on", {})
        before.tick()
    assert before.recorder.next_seq > 5 * before.recorder.slots
    assert Camera(flash, boot=2).states == [RU, N]
    again = [record.body for record in records(flash) if record.body["state"] == "standing"]
    assert 2 <= len(again) <= 5, "not more often than needed"
    assert again[-1]["why"]["state"] == "returned_unacked"


def test_without_the_refresh_the_ring_forgets(flash, monkeypatch):
    monkeypatch.setattr(Refresh, "is_due", lambda *_: False)
    before = Camera(flash)
    before.comes(0)
    for _ in range(300):
        before.context.events.add("output", 0.0, 0, "on", {})
        before.tick()
    assert Camera(flash, boot=2).states == [N, N]


def test_standing_alarms_do_not_write_the_ring_full_by_themselves():
    refresh = Refresh(slots=64, seq=1)
    assert not refresh.is_due(16, standing=2)
    assert refresh.is_due(17, standing=2)
    assert not refresh.is_due(17 + 159, standing=20)
    assert refresh.is_due(17 + 160, standing=20)


def test_keys_count_what_is_the_same():
    assert [key[-1] for key in keys_of([PRESS, YARD, PRESS, PRESS])] == [0, 0, 1, 2]
