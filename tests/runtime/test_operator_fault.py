"""A button that hangs and a loop that stood still are faults: told of, shown on the relay, over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from drivers.board import CameraConfig, OutputConfig
from drivers.clock import VirtualClock
from drivers.faults import OutputFault
from drivers.interfaces import Frame
from drivers.operator_config import DeadManConfig
from models.tables import Detections
from runtime.context import Context
from runtime.health import Health
from runtime.outputs import Outputs
from runtime.stages import Check
from runtime.tables import Hazards, Tracks
from sim.board.dead_man import SimDeadMan
from sim.board.outputs import RecordedOutput

RELAY = OutputConfig(name="relay", role="fault", driver="recorded")


class Rig:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.context = Context(Frame(8, 8), Detections(1), Tracks(1), Hazards(1))
        dead_man = SimDeadMan(DeadManConfig(driver="sim", silent_ms=800), self.clock)
        relay = dead_man.guard(RELAY, RecordedOutput, self.clock)
        self.outputs = Outputs([("fault", relay)], dead_man, 800)
        self.health = Health(CameraConfig(driver="none"), 8, 8, 0.0)
        self.operate = SimpleNamespace(reason="")
        camera, recorder = SimpleNamespace(fault=None), SimpleNamespace(reason="")
        self.fed: list[float] = []
        self.dead_man, dog = dead_man, SimpleNamespace(feed=self.fed.append)
        self.check = Check(self.health, camera, self.outputs, recorder, dog, self.operate)
        self.told: list[tuple[str, str, str]] = []
        self.tick()

    def tick(self, ms: float = 100.0) -> bool:
        """One picture, seen and judged; returns the relay's level."""
        self.clock.sleep_until_ms(self.clock.now_ms() + ms)
        context = self.context
        context.begin(self.clock.now_ms())
        context.frame.pixels[:] = 100 + context.frame.pixels[0, 0, 0] % 2
        context.fresh = context.judged = True
        context.frame.pixels[0] += 1
        self.check(context)
        for event in context.events.waiting:
            if event["kind"] == "fault":
                self.told.append((event["rule"], event["state"], event["why"]["reason"]))
        context.events.waiting.clear()
        return self.outputs.level("fault")


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_button_that_hangs_drops_the_relay_until_it_is_released(rig):
    assert rig.tick()
    rig.operate.reason = "button_stuck: ack"
    assert not rig.tick()
    rig.operate.reason = ""
    assert [rig.tick() for _ in range(6)] == [False] * 5 + [True]
    assert rig.told == [
        ("operator_fault", "raised", "button_stuck: ack"),
        ("operator_fault", "cleared", "button_stuck: ack"),
    ]


def test_a_silence_is_told_of_when_the_loop_is_back(rig):
    assert rig.tick()
    assert not rig.tick(ms=850.0)
    assert rig.told == [("loop_fault", "raised", "silent")]
    assert [rig.tick() for _ in range(6)][-1]
    assert rig.told[-1] == ("loop_fault", "cleared", "silent")


def test_a_slow_tick_is_no_silence(rig):
    assert rig.tick(ms=790.0)
    assert rig.told == []


@pytest.mark.parametrize("reason", ["guard_gone", "guard_hung"])
def test_without_its_guard_the_board_is_left_to_the_watchdog(rig, monkeypatch, reason):
    """The relay may be stuck on a chip that keeps its level; a reset lets it fall."""
    rig.tick()
    fed = len(rig.fed)
    assert fed == 2

    def gone(now_ms):
        raise OutputFault(reason)

    monkeypatch.setattr(rig.dead_man, "beat", gone)
    for _ in range(5):
        rig.tick()
    assert len(rig.fed) == fed
    assert ("output_fault", "raised", reason) in rig.told


def test_an_output_that_refuses_once_is_no_reason_for_a_reset(rig, monkeypatch):
    def refused(now_ms):
        raise OutputFault("refused")

    monkeypatch.setattr(rig.dead_man, "beat", refused)
    rig.tick()
    assert len(rig.fed) == 2
