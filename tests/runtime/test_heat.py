"""A hot board does less, in its declared order and with hysteresis, and sounds as ever."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from drivers.board import CameraConfig, load_board
from drivers.clock import VirtualClock
from drivers.faults import ThermalFault
from drivers.interfaces import Frame
from drivers.thermal import Reading
from drivers.thermal_config import ThermalConfig
from drivers.toml_strict import ConfigErrors
from models.tables import Detections
from ota.status_words import lines
from runtime import stages
from runtime.alarm_words import sentence
from runtime.context import Context
from runtime.hardware import Hardware
from runtime.health import Health
from runtime.heat import Heat, heat_stages
from runtime.loop import Loop, Stage, always
from runtime.metrics import Metrics
from runtime.options import Options
from runtime.rate import RateKeeper
from runtime.tables import Hazards, Tracks
from tests.places import REPOSITORY

CONFIG = ThermalConfig(zones=["soc"])
SIZE = 32, 24


class Thermometer:
    """As hot as a test says. Implements `Thermometer`."""

    def __init__(self) -> None:
        self.reading, self.fault, self.reads = Reading(hottest_c=50.0), "", 0

    def read(self) -> Reading:
        self.reads += 1
        if self.fault:
            raise ThermalFault(self.fault)
        if self.reading.hottest_c >= CONFIG.too_hot_c:
            raise ThermalFault("too_hot")
        return self.reading

    def close(self) -> None:
        pass


class Rig:
    """The stage, and what it leaves behind."""

    def __init__(self) -> None:
        self.thermometer = Thermometer()
        self.health = Health(CameraConfig(driver="-"), *SIZE, 0.0)
        self.heat = Heat(self.thermometer, "", CONFIG, self.health)
        self.context = Context(Frame(*SIZE), Detections(4), Tracks(4), Hazards(1))

    def at(self, celsius: float) -> int:
        """One look; returns how much is left out."""
        self.thermometer.reading.hottest_c = celsius
        self.context.reasons.clear()
        self.context.begin(self.context.now_ms + CONFIG.look_ms)
        self.heat(self.context)
        return self.context.shed

    def told(self) -> list[tuple[str, str]]:
        events = [(event["rule"], event["state"]) for event in self.context.events.waiting]
        self.context.events.waiting.clear()
        return events


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_less_is_done_step_by_step_and_more_again(rig):
    shed = [rig.at(c) for c in (50, 84.9, 85, 89.9, 90, 94, 86, 84.9, 80, 79.9, 50)]
    assert shed == [0, 0, 1, 1, 2, 2, 2, 1, 1, 0, 0]
    assert rig.told() == [
        ("heat_shed", "raised"), ("heat_slow", "raised"),
        ("heat_slow", "cleared"), ("heat_shed", "cleared"),
    ]  # fmt: skip


def test_a_temperature_that_trembles_at_the_limit_is_told_once(rig):
    for number in range(50):
        rig.at(85.0 + (-1) ** number)
    assert rig.told() == [("heat_shed", "raised")]


def test_a_leap_takes_both_steps_at_once(rig):
    assert rig.at(93) == 2
    assert rig.at(20) == 0
    assert len(rig.told()) == 4


def test_too_hot_is_a_fault_until_it_has_cooled_down(rig):
    reasons = []
    for celsius in (94, 95, 99, 91, 89.9):
        rig.at(celsius)
        reasons.append(rig.context.reasons.get("thermal", ""))
    assert reasons == ["", "too_hot", "too_hot", "too_hot", ""]


def test_the_fault_drops_the_relay(rig):
    rig.health.judged(0.0)
    assert rig.health.healthy
    rig.health.heat.step("too_hot", 0.0)
    assert not rig.health.healthy


def test_thermometers_that_fall_silent_are_a_fault_and_change_nothing_else(rig):
    assert rig.at(91) == 2
    rig.thermometer.fault = "cannot_read"
    assert rig.at(50) == 2
    assert rig.context.reasons["thermal"] == "cannot_read"
    rig.thermometer.fault = ""
    assert rig.at(50) == 0
    assert "thermal" not in rig.context.reasons


@pytest.mark.parametrize("reason", ["governor", "slow_clock"])
def test_the_npus_clock_is_no_business_of_the_loop(rig, reason):
    rig.thermometer.fault = reason
    assert rig.at(50) == 0
    assert "thermal" not in rig.context.reasons


def test_thermometers_are_read_now_and_then_and_nothing_is_kept(rig):
    rig.at(50)
    reads, context = rig.thermometer.reads, rig.context
    before = sys.getallocatedblocks()
    for _ in range(5000):
        rig.heat(context)
    assert sys.getallocatedblocks() - before < 10
    assert rig.thermometer.reads == reads


def test_the_status_tells_it(rig):
    rig.at(91.4)
    assert (rig.health.celsius, rig.health.shed) == (91.4, 2)
    (line,) = [one for one in lines({"heat": {"celsius": 91.4, "shed": 2}}) if "91 C" in one]
    assert "far people are left out, and so is every second picture" in line
    assert not any("left out" in one for one in lines({"heat": {"celsius": 50.0, "shed": 0}}))
    assert not any(one.startswith("heat") for one in lines({"heat": {"celsius": None, "shed": 0}}))


def test_every_second_picture_is_left_out_and_counted(rig):
    metrics = Metrics()
    camera = SimpleNamespace(poll=lambda frame, now_ms: True)
    capture = stages.Capture(camera, metrics)
    taken = []
    for shed in (0, 0, 2, 2, 2, 2, 1, 1):
        rig.context.begin(rig.context.now_ms + 100)
        rig.context.shed = shed
        capture(rig.context)
        taken.append(rig.context.fresh)
    assert taken == [True, True, False, True, False, True, True, True]
    assert metrics.shed == 2


def test_the_loop_leaves_out_what_may_be_left_out_and_nothing_else(rig):
    ran = []
    table = (
        Stage("heat", rig.heat, always, 0.1),
        Stage("second_look", lambda _: ran.append("look"), always, 0.1, sheddable=True),
        Stage("alarm", lambda _: ran.append("alarm"), always, 0.1),
    )
    rate = RateKeeper(VirtualClock(), 100.0, 100.0)
    loop = Loop(table, rig.context, rate, Metrics())
    loop.tick()
    assert ran == ["look", "alarm"]
    rig.thermometer.reading.hottest_c = 99.0
    rig.context.now_ms = -1e9
    rig.heat._next_ms = 0.0
    loop.tick()
    ran.clear()
    for _ in range(5):
        loop.tick()
    assert ran == ["alarm"] * 5


def test_a_board_without_thermometers_has_no_such_stage(rig):
    assert heat_stages(None, None, rig.health) == ()


def test_thermometers_that_are_not_there_are_a_fault_and_the_camera_watches_on(rig):
    def missing(config):
        raise ThermalFault("missing", "no thermal zone 'soc'")

    options = Options(site_file="", find_driver=lambda kind, name: missing)
    board = load_board(REPOSITORY / "board_configs/sim.toml")
    with ExitStack() as stack:
        hardware = Hardware(board, options, VirtualClock(), stack)
        (stage,) = heat_stages(hardware, CONFIG, rig.health)
        stage.run(rig.context)
    assert rig.context.reasons["thermal"] == "missing"
    assert rig.context.shed == 0


def test_limits_in_the_wrong_order_are_told(tmp_path):
    file = tmp_path / "board.toml"
    text = (REPOSITORY / "board_configs/sim.toml").read_text()
    file.write_text(text + "[thermal]\nshed_c = 92\nslow_c = 97\n")
    with pytest.raises(ConfigErrors) as caught:
        load_board(file)
    told = str(caught.value)
    assert "thermal.slow_c = 97" in told
    assert "must be <= thermal.too_hot_c = 95" in told


def test_a_person_reads_how_hot_it_is(rig):
    rig.at(91.4)
    (shed, slow) = rig.context.events.waiting
    words = sentence("fault", slow, 0)
    assert "very hot" in words
    assert "91.4 C, limit 90 C" in words
    assert "relay" not in words
    assert shed["rule"] == "heat_shed"
