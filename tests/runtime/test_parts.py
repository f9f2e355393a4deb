"""Small parts of the loop, each by itself: rate, health, outputs, context, plugins, figures."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.board import CameraConfig
from drivers.clock import VirtualClock
from drivers.faults import NpuFault, OutputFault
from drivers.interfaces import Frame
from models.tables import Detections
from runtime import plugins
from runtime.context import Context
from runtime.event import CAPACITY, Events
from runtime.health import CLEAR_MS, FaultState, Health
from runtime.loop import Loop, Stage, always, fresh
from runtime.metrics import Histogram, Metrics
from runtime.outputs import Outputs
from runtime.rate import RateKeeper
from runtime.tables import Hazards, Tracks

CONFIG = CameraConfig(driver="none", no_frame_ms=900, frozen_ms=900, dark_ms=900)


def context() -> Context:
    return Context(Frame(64, 48), Detections(4), Tracks(4), Hazards(1))


class TestRate:
    def test_deadlines_do_not_drift(self):
        clock = VirtualClock()
        rate = RateKeeper(clock, 100.0, 100.0)
        starts = []
        for _ in range(5):
            starts.append(rate.begin())
            clock.sleep_until_ms(clock.now_ms() + 30)
            rate.end(True)
            rate.wait()
        assert starts == [0, 100, 200, 300, 400]
        assert not rate.lagging

    def test_overrun_periods_are_given_up_and_seen(self):
        clock = VirtualClock()
        rate = RateKeeper(clock, 100.0, 100.0)
        for _ in range(80):
            rate.begin()
            clock.sleep_until_ms(clock.now_ms() + 250)
            rate.end(True)
            rate.wait()
        assert rate.lagging
        assert rate.begin() == pytest.approx(80 * 250, abs=150)

    def test_a_late_tick_is_behind(self):
        clock = VirtualClock()
        rate = RateKeeper(clock, 100.0, 100.0)
        rate.begin()
        clock.sleep_until_ms(170)
        rate.end(True)
        rate.wait()
        rate.begin()
        assert rate.behind


class TestHealth:
    def see(self, health, now_ms, value=None):
        frame = Frame(64, 48)
        frame.pixels[:] = 128 if value is None else value
        frame.pixels[::2] = int(now_ms) % 200 if value is None else value
        health.saw(frame, now_ms)
        health.judged(now_ms)

    @pytest.mark.parametrize(
        ("value", "reason"), [(200, "frozen"), (5, "frozen"), (None, "")], ids=str
    )
    def test_pictures_that_do_not_change(self, value, reason):
        health = Health(CONFIG, 64, 48, 0.0)
        for now_ms in range(0, 1100, 100):
            self.see(health, now_ms, value)
        assert health.camera_reason(1000, "") == reason

    def test_no_frame_tells_the_driver_s_reason(self):
        health = Health(CONFIG, 64, 48, 0.0)
        self.see(health, 100.0)
        assert health.camera_reason(999, "hung") == ""
        assert health.camera_reason(1000, "hung") == "hung"
        assert health.camera_reason(1000, "") == "no_frame"

    def test_the_npu_is_not_blamed_for_a_blind_camera(self):
        health = Health(CONFIG, 64, 48, 0.0)
        self.see(health, 0.0)
        assert health.npu_reason(5000, "") == ""
        frame = Frame(64, 48)
        health.saw(frame, 5100)
        assert health.npu_reason(5100, "") == ""
        for now_ms in range(5200, 6100, 100):
            health.saw(frame, now_ms)
        assert health.npu_reason(6000, "hung") == "hung"

    def test_a_fault_is_over_only_after_a_while(self):
        fault = FaultState("camera_fault")
        assert fault.step("frozen", 0.0)
        assert not fault.step("frozen", 100.0)
        assert not fault.step("", 200.0)
        assert not fault.step("frozen", 300.0), "it came back: no new event"
        assert not fault.step("", 400.0)
        assert not fault.step("", 400.0 + CLEAR_MS - 1)
        assert fault.step("", 400.0 + CLEAR_MS)
        assert not fault.active


class Lamp:
    def __init__(self, name, works=True):
        self.name, self.works, self.level, self.calls = name, works, False, 0

    def set(self, level, now_ms):
        self.calls += 1
        if not self.works:
            raise OutputFault("refused", self.name)
        self.level = level

    def release(self, now_ms):
        if not self.works:
            raise OutputFault("refused", self.name)
        self.level = False


class TestOutputs:
    def test_an_output_is_touched_only_when_its_level_changes(self):
        lamp = Lamp("a")
        outputs = Outputs([("siren", lamp)])
        changed = [outputs.drive("siren", level, 0.0) for level in (True, True, False, False)]
        assert changed == [True, False, True, False]
        assert lamp.calls == 2

    def test_one_that_refuses_is_tried_again_and_does_not_stop_the_other(self):
        broken, sound = Lamp("a", works=False), Lamp("b")
        outputs = Outputs([("siren", broken), ("siren", sound)])
        assert not outputs.drive("siren", True, 0.0)
        assert sound.level
        assert outputs.reason == "refused"
        broken.works = True
        assert outputs.drive("siren", True, 0.0)
        assert outputs.reason == ""

    def test_release_reaches_every_output(self):
        broken, sound = Lamp("a", works=False), Lamp("b")
        outputs = Outputs([("siren", broken), ("strobe", sound)])
        outputs.drive("strobe", True, 0.0)
        assert [fault.reason for fault in outputs.release(0.0)] == ["refused"]
        assert not sound.level


class TestLoop:
    def make(self, *stages):
        shared = context()
        rate = RateKeeper(VirtualClock(), 100.0, 100.0)
        return Loop(stages, shared, rate, Metrics()), shared

    def test_a_fault_in_one_stage_never_keeps_a_later_one_from_running(self):
        ran = []

        def broken(_):
            raise NpuFault("hung", "by the test")

        loop, shared = self.make(
            Stage("npu", broken, always, 1.0), Stage("alarm", ran.append, always, 1.0)
        )
        loop.tick()
        assert ran == [shared]
        assert shared.reasons == {"npu": "hung"}

    def test_what_is_no_hardware_fault_is_not_swallowed(self):
        def wrong(_):
            raise ZeroDivisionError

        loop, _ = self.make(Stage("x", wrong, always, 1.0))
        with pytest.raises(ZeroDivisionError):
            loop.tick()

    def test_stages_without_work_are_passed_over(self):
        ran = []
        loop, _ = self.make(Stage("detect", ran.append, fresh, 1.0))
        loop.tick()
        assert ran == []

    def test_only_sheddable_stages_are_left_out_when_behind(self):
        ran = []
        table = [
            Stage(name, lambda _, name=name: ran.append(name), always, 1.0, sheddable=shed)
            for name, shed in (("alarm", False), ("export", True))
        ]
        loop, _ = self.make(*table)
        loop._rate.begin = lambda: setattr(loop._rate, "behind", True) or 0.0
        loop.tick()
        assert ran == ["alarm"]
        assert loop._metrics.shed == 1


class TestContext:
    def test_source_time_goes_on_while_no_frame_comes(self):
        shared = context()
        shared.begin(5000.0)
        shared.frame.t_ms = 700.0
        shared.took(0)
        shared.begin(5100.0)
        assert shared.t_ms == 800.0

    def test_a_source_that_starts_over_does_not_turn_time_back(self):
        shared = context()
        shared.begin(0.0)
        shared.frame.t_ms = 60_000.0
        shared.took(0)
        shared.begin(3000.0)
        shared.frame.t_ms = 0.0
        shared.took(0)
        assert shared.t_ms == 63_000.0
        shared.begin(3100.0)
        shared.frame.t_ms = 100.0
        shared.took(0)
        assert shared.t_ms == 63_100.0


def test_events_beyond_the_capacity_are_counted():
    events = Events()
    for _ in range(CAPACITY + 3):
        events.add("hazard", 0.0, 0, "raised", {})
    assert (len(events.waiting), events.dropped) == (CAPACITY, 3)


class TestPlugins:
    def test_the_commands_of_the_rooms_are_found(self):
        assert {"run", "journal", "eval", "model", "check"} <= set(plugins.names(plugins.COMMANDS))

    def test_an_unknown_driver_names_the_ones_there_are(self):
        with pytest.raises(plugins.UnknownPlugin, match=r"camera.driver = 'x'.*synthetic.*video"):
            plugins.driver("camera", "x")

    def test_a_driver_without_its_library_says_which(self, monkeypatch):
        points = {"output.acme": "acme_driver_of_nobody:Siren"}
        monkeypatch.setattr(plugins, "_points", lambda _: points)
        with pytest.raises(plugins.UnknownPlugin, match=r"'acme': needs the library acme_driver_"):
            plugins.driver("output", "acme")

    def test_a_vendor_s_package_is_found(self, tmp_path, monkeypatch):
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir()
        text = "[haetae.drivers]\noutput.acme = acme_driver:Siren\n\n[other]\noutput.no = a:b\n"
        (info / "entry_points.txt").write_text(text)
        (tmp_path / "acme_driver.py").write_text("class Siren: ...\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        plugins._points.cache_clear()
        try:
            assert plugins.driver("output", "acme").__name__ == "Siren"
            assert "no" not in plugins.names(plugins.DRIVERS, "output")
        finally:
            plugins._points.cache_clear()


@pytest.mark.parametrize("percent", [50, 99])
def test_percentiles_are_those_of_numpy_within_a_bin(percent):
    rng = np.random.default_rng(3)
    durations_ns = rng.gamma(4.0, 500_000.0, 5000).astype(int)
    histogram = Histogram()
    for duration_ns in durations_ns.tolist():
        histogram.add(duration_ns)
    expected_ms = np.percentile(durations_ns, percent) / 1e6
    assert histogram.percentile_ms(percent) == pytest.approx(expected_ms, abs=0.011)


def test_a_long_duration_is_not_lost():
    histogram = Histogram()
    histogram.add(5_000_000_000)
    assert histogram.percentile_ms(99) == 5000.0
