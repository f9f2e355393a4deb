"""The dead man of the virtual board, and what the runtime makes of a silence."""

from __future__ import annotations

import math

import pytest

from drivers.board import OutputConfig
from drivers.faults import OutputFault
from drivers.operator_config import DeadManConfig
from runtime.outputs import Outputs
from sim.board.clock import SimClock
from sim.board.dead_man import FallingDeadMan, SimDeadMan
from sim.board.outputs import RecordedOutput
from sim.board.power import Power

CONFIG = DeadManConfig(driver="sim", silent_ms=800)
RELAY = OutputConfig(name="relay", role="fault", driver="recorded")


class Bench:
    def __init__(self) -> None:
        self.clock, self.power = SimClock(), Power()
        self.dead_man = FallingDeadMan(CONFIG, self.clock, self.power)
        self.line = None
        guarded = self.dead_man.guard(RELAY, self.make, self.clock)
        self.outputs = Outputs([("fault", guarded)], self.dead_man, CONFIG.silent_ms)
        self.outputs.drive("fault", True, 0.0)
        self.outputs.beat(0.0)

    def make(self, config, clock):
        self.line = RecordedOutput(config, clock)
        return self.line

    def beats(self, from_ms: int, to_ms: int) -> None:
        for now_ms in range(from_ms, to_ms, 100):
            self.clock.sleep_until_ms(now_ms)
            self.outputs.beat(now_ms)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_while_the_loop_beats_the_line_stays(bench):
    bench.beats(100, 5000)
    assert bench.line.level and not bench.outputs.has_fallen(5000)


def test_in_a_silence_the_line_falls_and_the_next_beat_raises_it(bench):
    bench.beats(100, 1001)
    bench.clock.sleep_until_ms(1795)
    assert bench.line.level
    bench.clock.sleep_until_ms(1801)
    assert not bench.line.level, "800 ms after the last beat, with nobody calling"
    assert bench.outputs.has_fallen(2500)
    bench.clock.sleep_until_ms(2500)
    bench.outputs.beat(2500)
    assert bench.line.level and not bench.outputs.has_fallen(2600)


def test_one_that_was_told_to_fall_stays_down(bench):
    bench.outputs.drive("fault", False, 100.0)
    bench.clock.sleep_until_ms(3000)
    bench.outputs.beat(3000)
    assert not bench.line.level


def test_without_power_nobody_acts(bench):
    bench.power.go()
    bench.clock.sleep_until_ms(3000)
    assert bench.line.level, "the board itself lets its lines fall"


def test_without_a_virtual_board_it_is_seen_at_the_next_beat():
    clock = SimClock()
    dead_man = SimDeadMan(CONFIG, clock)
    line = dead_man.guard(RELAY, RecordedOutput, clock)
    line.set(True, 0.0)
    dead_man.beat(500.0)
    dead_man.beat(2000.0)
    edges = line._output.edges()
    assert edges == [(0.0, True), (1300.0, False), (2000.0, True)]


def test_without_a_dead_man_nothing_falls():
    outputs = Outputs([])
    outputs.beat(0.0)
    assert not outputs.has_fallen(math.inf)


def test_a_guard_that_is_gone_is_a_reason_until_it_is_not(bench, monkeypatch):
    def gone(now_ms):
        raise OutputFault("guard_gone")

    with monkeypatch.context() as broken:
        broken.setattr(bench.dead_man, "beat", gone)
        bench.outputs.beat(100.0)
        assert bench.outputs.reason == "guard_gone"
    bench.outputs.beat(200.0)
    assert bench.outputs.reason == ""
