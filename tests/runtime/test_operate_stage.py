"""The operator stage and the alarm stage together: what a press, a command and a schedule do."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from drivers.board import OutputConfig
from drivers.clock import VirtualClock
from drivers.interfaces import Frame
from drivers.operator_config import ControlConfig, InputConfig
from models.tables import Detections
from runtime.alarm_build import AlarmParts
from runtime.alarm_config import AlarmConfig, SelfTestConfig
from runtime.context import Context
from runtime.inputs import Button, Inputs
from runtime.metrics import Metrics
from runtime.outputs import Outputs
from runtime.rules.engine import RuleInfo
from runtime.tables import HazardEdge, Hazards, Tracks
from sim.board.inputs import RecordedInput
from sim.board.outputs import RecordedOutput

TABLE = (RuleInfo("zone", "press", "danger"),)
ROLES = ("siren", "strobe")


class FakeRules:
    table = TABLE


class Rig:
    def __init__(self, test: SelfTestConfig, stack: ExitStack) -> None:
        self.clock = VirtualClock(0.0, 1_767_571_200_000)
        self.lines = {
            role: RecordedOutput(OutputConfig(name=role, role=role, driver="recorded"), self.clock)
            for role in ROLES
        }
        outputs = Outputs(list(self.lines.items()))
        self.context = Context(Frame(8, 8), Detections(1), Tracks(1), Hazards(1))
        config = AlarmConfig(min_on_ms=0, self_test=test)
        self.parts = AlarmParts(FakeRules(), config, outputs, Metrics())
        self.buttons = {}
        made = []
        for role in ("acknowledge", "mute", "self_test"):
            button = InputConfig(name=role, role=role, driver="recorded")
            self.buttons[role] = RecordedInput(button, self.clock)
            made.append(Button(button, self.buttons[role]))
        self.operate = self.parts.operate(Inputs(made), ControlConfig(), self.clock, stack)
        self.told: list[tuple[str, str, str]] = []
        self.tick()
        self.tick()

    def tick(self, *edges: HazardEdge, ms: float = 100.0) -> None:
        self.clock.sleep_until_ms(self.clock.now_ms() + ms)
        context = self.context
        context.begin(self.clock.now_ms())
        for edge in edges:
            context.hazards.active[0] += 1 if edge.state == "raised" else -1
            context.hazards.add(edge)
        self.operate(context)
        self.parts.stage(context)
        self.told += [(e["kind"], e["rule"], e["state"]) for e in context.events.waiting]
        context.events.waiting.clear()

    def press(self, role: str) -> None:
        self.buttons[role].press()
        self.tick()
        self.buttons[role].let_go()
        self.tick()

    def comes(self) -> None:
        self.tick(HazardEdge(0, 0, 7, "raised", {"inside_ms": 300}))

    @property
    def levels(self) -> tuple[bool, bool]:
        return self.lines["siren"].level, self.lines["strobe"].level


@pytest.fixture
def rig():
    with ExitStack() as stack:
        yield Rig(SelfTestConfig(lamp_ms=1000), stack)


def test_the_acknowledge_button_silences_in_the_same_tick(rig):
    rig.comes()
    assert rig.levels == (True, True)
    rig.buttons["acknowledge"].press()
    rig.tick()
    assert rig.levels == (False, True)
    assert ("operator", "", "acknowledged") in rig.told
    assert ("alarm", "zone", "active_acked") in rig.told


def test_the_mute_button_keeps_the_lamp_and_the_state(rig):
    rig.comes()
    rig.press("mute")
    assert rig.levels == (False, True)
    assert rig.told[-1] != ("alarm", "zone", "active_acked")


def test_the_test_button_lights_the_lamp_only_and_puts_it_out(rig):
    rig.press("self_test")
    assert rig.levels == (False, True)
    for _ in range(12):
        rig.tick()
    assert rig.levels == (False, False)
    assert [edge[2] for edge in rig.told if edge[1] == "self_test"] == ["started", "passed"]
    assert len(rig.lines["siren"].edges()) == 0


def test_a_test_while_an_alarm_shows_is_refused_and_written_down(rig):
    rig.comes()
    rig.press("self_test")
    assert rig.told[-1] == ("operator", "", "refused")
    assert rig.levels[1]


def test_an_alarm_in_a_test_sounds_in_its_own_tick(rig):
    rig.press("self_test")
    rig.comes()
    assert rig.levels == (True, True)
    assert ("operator", "self_test", "interrupted") in rig.told


def test_the_siren_chirps_where_the_site_says_so():
    with ExitStack() as stack:
        rig = Rig(SelfTestConfig(lamp_ms=500, siren=True, chirp_ms=200), stack)
        rig.press("self_test")
        for _ in range(12):
            rig.tick()
        on, off = rig.lines["siren"].edges()
        assert off[0] - on[0] == 200
        assert rig.levels == (False, False)


def test_the_schedule_asks_by_itself():
    with ExitStack() as stack:
        rig = Rig(SelfTestConfig(lamp_ms=500, every_hours=1), stack)
        rig.tick(ms=3_599_000.0)
        assert rig.levels == (False, False)
        rig.tick(ms=1000.0)
        assert rig.levels == (False, True)
