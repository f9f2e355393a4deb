"""`haetae selftest` on the unit: each check finds what was planted for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.board import NpuConfig
from drivers.clock import VirtualClock
from drivers.thermal_config import ThermalConfig
from runtime.unit_test import memory as sealing
from runtime.unit_test.camera import camera
from runtime.unit_test.clock import ClockWatch
from runtime.unit_test.heat import heat
from runtime.unit_test.npu import npu
from runtime.unit_test.outputs import buttons, outputs
from runtime.unit_test.storage import storage
from runtime.unit_test.watchdog import watchdog
from tests.places import REPOSITORY
from tests.runtime.unit_bench import UnitBench, failed, verdicts

RK3588 = NpuConfig(driver="rknn", target="rk3588")


@pytest.fixture
def unit(tmp_path: Path) -> UnitBench:
    return UnitBench(tmp_path)


def test_a_good_camera_passes(unit):
    rows = list(camera(unit.bench()))
    assert set(verdicts(rows).values()) == {"pass"}
    assert [row.item for row in rows] == [
        "camera.size", "camera.rate", "camera.gap", "camera.alive", "camera.light", "camera.sharp",
    ]  # fmt: skip
    by_item = {row.item: row for row in rows}
    assert by_item["camera.rate"].value == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize(
    ("wrong", "items"),
    [
        ("dark", ["camera.light", "camera.sharp"]),
        ("bright", ["camera.light", "camera.sharp"]),
        ("blurred", ["camera.sharp"]),
        ("blank", ["camera.sharp"]),
        ("slow", ["camera.rate"]),
        ("gap", ["camera.rate", "camera.gap", "camera.alive"]),
        ("frozen", ["camera.alive"]),
        ("small", ["camera.size", "camera.rate"]),
        ("gone", ["camera.open"]),
    ],
)
def test_a_bad_camera_fails(unit, wrong, items):
    unit.wrong["camera"] = wrong
    rows = list(camera(unit.bench()))
    assert failed(rows) == items
    assert all(row.next for row in rows if row.verdict == "fail")


def test_a_camera_whose_picture_may_stand_still_is_not_asked_whether_it_moves(unit):
    unit.board = replace(unit.board, camera=replace(unit.board.camera, frozen_ms=0))
    unit.wrong["camera"] = "frozen"
    assert verdicts(list(camera(unit.bench())))["camera.alive"] == "not tested"


def test_every_network_answers_its_golden_inputs(unit):
    rows = list(npu(unit.bench()))
    assert verdicts(rows) == {
        "npu.detector": "pass", "npu.skeleton": "pass", "npu.action": "pass", "npu.time": "pass",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "items"),
    [
        ("wrong", ["npu.core1.detector", "npu.core1.skeleton", "npu.core1.action"]),
        ("slow", ["npu.core1.time"]),
        ("hang", ["npu.core1.load"]),
        ("load", ["npu.core1.load"]),
    ],
)
def test_one_bad_core_of_three_is_found(unit, wrong, items):
    unit.board = replace(unit.board, npu=RK3588)
    unit.wrong["npu"] = {2: wrong}
    rows = list(npu(unit.bench()))
    assert failed(rows) == items
    assert {row.item.split(".")[1] for row in rows} == {"core0", "core1", "core2"}


def test_a_network_without_golden_inputs_is_not_tested(unit, tmp_path):
    package = tmp_path / "ppe_s"
    package.mkdir()
    for file in (REPOSITORY / "models/students/ppe_s").iterdir():
        if file.suffix in (".toml", ".tflite"):
            (package / file.name).write_bytes(file.read_bytes())
    models = replace(unit.board.models, detector=str(package))
    unit.board = replace(unit.board, models=models)
    assert verdicts(list(npu(unit.bench())))["npu.detector"] == "not tested"


def test_outputs_that_read_back_pass_and_are_let_go_of(unit):
    rows = list(outputs(unit.bench()))
    assert set(verdicts(rows).values()) == {"pass"}
    assert [level for name, level in unit.edges if name == "siren"] == [False, True, False]
    assert not any(wire.level for wire in unit.wires.values())


def test_an_output_that_nobody_looks_at_is_not_tested(unit):
    silent = [replace(one, read_back=False) for one in unit.board.outputs]
    unit.board = replace(unit.board, outputs=silent)
    assert set(verdicts(list(outputs(unit.bench()))).values()) == {"not tested"}
    unit.loop("siren")
    assert verdicts(list(outputs(unit.bench())))["output.siren"] == "pass"
    assert set(verdicts(list(outputs(unit.bench(is_asked=True)))).values()) == {"pass"}


@pytest.mark.parametrize("wrong", ["refused", "lost", "held"])
def test_an_output_that_does_not_follow_fails_alone(unit, wrong):
    unit.wrong["siren"] = wrong
    assert failed(list(outputs(unit.bench()))) == ["output.siren"]


@pytest.mark.parametrize("wrong", ["stuck on", "stuck off"])
def test_a_loop_back_line_that_does_not_follow_fails(unit, wrong):
    unit.loop("siren", "fault_relay")
    unit.wrong["fault_relay"] = wrong
    rows = list(outputs(unit.bench()))
    assert failed(rows) == ["output.fault_relay"]
    assert "its loop-back line reads" in rows[2].measured


def test_an_operator_is_asked_for_both_levels_and_believed(unit):
    assert failed(list(outputs(unit.bench(is_asked=True)))) == []
    assert len(unit.asked) == 2 * 3
    assert unit.asked[0].startswith("is the siren (siren) on now?")
    unit.answer = False
    rows = list(outputs(unit.bench(is_asked=True)))
    assert len(failed(rows)) == 3


def test_a_button_that_hangs_fails(unit):
    assert failed(list(buttons(unit.bench()))) == []
    unit.wrong["ack"] = "stuck on"
    assert failed(list(buttons(unit.bench()))) == ["button.ack"]


def test_a_watchdog_is_armed_and_stopped_again(unit):
    rows = list(watchdog(unit.bench()))
    assert verdicts(rows) == {"watchdog": "pass", "watchdog.stopped": "pass"}
    assert unit.dog.feeds == 1
    assert not unit.dog.is_armed


def test_a_watchdog_that_can_never_be_stopped_is_never_armed(unit):
    unit.write("class/watchdog/watchdog0/nowayout", "1")
    assert verdicts(list(watchdog(unit.bench()))) == {"watchdog": "not tested"}
    assert not unit.dog.is_open


def test_a_watchdog_that_somebody_feeds_is_left_alone(unit):
    unit.write("class/watchdog/watchdog0/state", "active")
    assert failed(list(watchdog(unit.bench()))) == ["watchdog"]
    assert not unit.dog.is_open


def test_a_watchdog_that_cannot_hold_its_time_fails_and_is_stopped(unit):
    unit.dog.steps_s = [4, 64]
    rows = list(watchdog(unit.bench()))
    assert failed(rows) == ["watchdog"]
    assert not unit.dog.is_armed


def test_a_watchdog_that_does_not_stop_is_told(unit):
    unit.dog.no_way_out = True
    rows = list(watchdog(unit.bench()))
    assert failed(rows) == ["watchdog.stopped"]
    assert "RESETS ITSELF" in rows[1].next


def look(unit: UnitBench, **wrong: object) -> list:
    return list(storage(unit.bench(), unit.disk(**wrong), unit.mounts))


def test_good_storage_passes_and_is_left_as_it_was(unit):
    rows = look(unit)
    assert set(verdicts(rows).values()) == {"pass", "not tested"}
    assert verdicts(rows)["storage.wear"] == "not tested"
    assert list((unit.folder / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "items"),
    [
        ({"lies": True}, ["storage.cut_safe"]),
        ({"forgets": True}, ["storage.read_back"]),
        ({"slow_ms": 150.0}, ["storage.sync"]),
        ({"spike_ms": 300.0}, []),
        ({"spike_ms": 1000.0}, ["storage.sync"]),
        ({"slow_ms": 2500.0}, ["storage.write", "storage.sync"]),
        ({"full": True}, ["storage.there"]),
    ],
)
def test_bad_storage_fails(unit, wrong, items):
    assert failed(look(unit, **wrong)) == items


@pytest.mark.parametrize(("kind", "options"), [("tmpfs", "rw"), ("ext4", "rw,nobarrier")])
def test_storage_that_is_not_mounted_for_power_cuts_fails(unit, kind, options):
    unit.mount(kind, options)
    assert failed(look(unit)) == ["storage.cut_safe"]


def test_storage_without_its_folder_fails(unit):
    (unit.folder / "data").rmdir()
    assert failed(look(unit)) == ["storage.there"]


@pytest.mark.parametrize(
    ("life", "reserve", "items"),
    [
        ("0x01 0x01", "0x01", []),
        ("0x02 0x09", "0x01", ["storage.wear"]),
        ("0x0b 0x01", "0x01", ["storage.wear"]),
        ("0x01 0x01", "0x02", ["storage.wear"]),
    ],
)
def test_worn_flash_fails(unit, life, reserve, items):
    unit.write(f"{unit.device}/device/life_time", life)
    unit.write(f"{unit.device}/device/pre_eol_info", reserve)
    rows = look(unit)
    assert failed(rows) == items
    assert verdicts(rows)["storage.wear"] != "not tested"


SEALED = {
    "frames": 60, "rss_kb": 70_000, "address_space_kb": 300_000, "grown_kb": 0, "refused": True,
    "locked": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "items"),
    [
        ({}, []),
        ({"grown_kb": 900}, ["memory.held"]),
        ({"refused": False}, ["memory.held"]),
        ({"address_space_kb": 9_000_000}, ["memory.seal"]),
    ],
)
def test_memory_that_does_not_hold_fails(unit, changed, items):
    said = json.dumps({**SEALED, **changed}).encode()
    assert failed(list(sealing.judge(unit.board, 0, said, b""))) == items


def test_memory_that_may_be_swapped_out_fails_for_root(unit, monkeypatch):
    said = json.dumps({**SEALED, "locked": False}).encode()
    for user, verdict in ((0, "fail"), (1000, "not tested")):
        monkeypatch.setattr("os.geteuid", lambda user=user: user)
        rows = list(sealing.judge(unit.board, 0, said, b""))
        assert verdicts(rows)["memory.lock"] == verdict


@pytest.mark.parametrize(("code", "text"), [(-11, "ended by signal 11"), (1, "too small")])
def test_a_process_that_does_not_live_fails(unit, code, text):
    rows = list(sealing.judge(unit.board, code, b"", b"warning\nis too small\n"))
    assert failed(rows) == ["memory.seal"]
    assert text in rows[0].measured


@pytest.mark.parametrize(("budget_mb", "items"), [(4096, []), (128, ["memory.seal"])])
def test_the_seal_is_tried_in_a_process_of_its_own(unit, tmp_path, budget_mb, items):
    file = tmp_path / "board.toml"
    text = (REPOSITORY / "board_configs/sim.toml").read_text()
    small = f"address_space_mb = {budget_mb}"
    file.write_text(text.replace("address_space_mb = 4096", small))
    rows = list(sealing.memory(replace_file(unit, file)))
    assert [item for item in failed(rows) if item != "memory.lock"] == items


def replace_file(unit: UnitBench, file: Path):
    from dataclasses import replace as dataclass_replace

    return dataclass_replace(unit.bench(), board_file=str(file))


class Backwards(VirtualClock):
    """Goes back by 3 ms now and then."""

    looks = 0

    def now_ms(self) -> float:
        self.looks += 1
        return super().now_ms() - (3.0 if self.looks % 1000 == 999 else 0.0)


class Lazy(VirtualClock):
    """Wakes up too late."""

    def sleep_until_ms(self, deadline_ms: float) -> None:
        super().sleep_until_ms(deadline_ms + 400.0)


def clock_rows(unit: UnitBench, went_s: int = 10, rtc_went_s: int | None = 10, rtc_off_s: int = 0):
    begin_s = unit.clock.wall_ms() // 1000 + rtc_off_s
    if rtc_went_s is not None:
        unit.write("class/rtc/rtc0/since_epoch", str(begin_s))
    watch = ClockWatch(unit.bench())
    unit.clock.sleep_until_ms(unit.clock.now_ms() + went_s * 1e3)
    if rtc_went_s is not None:
        unit.write("class/rtc/rtc0/since_epoch", str(begin_s + rtc_went_s))
    return list(watch.rows())


def test_a_good_clock_passes(unit):
    assert set(verdicts(clock_rows(unit)).values()) == {"pass"}
    assert verdicts(clock_rows(unit, rtc_went_s=10))["clock.rtc"] == "pass"


def test_a_board_without_rtc_is_told(unit):
    assert verdicts(clock_rows(unit, rtc_went_s=None))["clock.rtc"] == "not tested"


@pytest.mark.parametrize(
    ("clock", "arguments", "items"),
    [
        (Backwards(wall_start_ms=1_780_000_000_000), {}, ["clock.monotonic"]),
        (Lazy(wall_start_ms=1_780_000_000_000), {}, ["clock.rate"]),
        (VirtualClock(wall_start_ms=1000), {}, ["clock.wall"]),
        (VirtualClock(wall_start_ms=1_780_000_000_000), {"rtc_went_s": 0}, ["clock.rtc"]),
        (VirtualClock(wall_start_ms=1_780_000_000_000), {"rtc_off_s": 900}, ["clock.rtc"]),
    ],
    ids=["backwards", "lazy", "1970", "rtc stands still", "rtc is off"],
)
def test_a_bad_clock_fails(unit, clock, arguments, items):
    unit.clock = clock
    assert failed(clock_rows(unit, **arguments)) == items


def test_a_cool_board_passes(unit):
    assert verdicts(list(heat(unit.bench()))) == {"heat": "pass", "heat.governor": "pass"}


@pytest.mark.parametrize(
    ("file", "text", "items"),
    [
        ("class/thermal/thermal_zone0/temp", "99000", ["heat"]),
        ("class/thermal/thermal_zone0/temp", "hot", ["heat", "heat.governor"]),
        ("class/thermal/thermal_zone0/type", "cpu-thermal", ["heat"]),
        ("class/devfreq/fdab0000.npu/governor", "powersave", ["heat.governor"]),
    ],
)
def test_a_hot_or_slow_board_fails(unit, file, text, items):
    unit.write(file, text)
    assert failed(list(heat(unit.bench()))) == items


def test_a_board_without_thermometers_is_not_tested(unit):
    unit.board = replace(unit.board, thermal=None)
    assert set(verdicts(list(heat(unit.bench()))).values()) == {"not tested"}
    unit.board = replace(unit.board, thermal=ThermalConfig(devfreq="fdab0000.npu"))
    assert verdicts(list(heat(unit.bench()))) == {"heat.governor": "pass"}


def test_an_npu_whose_clock_is_too_slow_fails(unit):
    thermal = replace(unit.board.thermal, least_mhz=1000)
    unit.board = replace(unit.board, thermal=thermal)
    assert failed(list(heat(unit.bench()))) == []
    unit.write("class/devfreq/fdab0000.npu/cur_freq", "200000000")
    assert failed(list(heat(unit.bench()))) == ["heat.governor"]
