"""Temperatures and the NPU's clock on a tree of files that looks like sysfs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers.faults import ThermalFault
from drivers.thermal import Thermal, devfreqs, zones
from drivers.thermal_config import ThermalConfig

NPU = "fdab0000.npu"


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """Of a board on which the NPU's thermometer is the last of eleven."""
    kinds = {0: "soc-thermal", 2: "gpu-thermal", 10: "npu-thermal"}
    for number, kind in kinds.items():
        write(tmp_path, f"thermal/thermal_zone{number}/type", kind)
        write(tmp_path, f"thermal/thermal_zone{number}/temp", str(40_000 + number * 100))
    write(tmp_path, "thermal/cooling_device0/type", "npu-thermal")
    write(tmp_path, f"devfreq/{NPU}/governor", "rknpu_ondemand")
    write(tmp_path, f"devfreq/{NPU}/cur_freq", "1000000000")
    return tmp_path


def write(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def test_zones_and_clocks_have_names(sysfs):
    assert {zone.kind: zone.path.name for zone in zones(sysfs)} == {
        "soc-thermal": "thermal_zone0",
        "gpu-thermal": "thermal_zone2",
        "npu-thermal": "thermal_zone10",
    }
    assert list(devfreqs(sysfs)) == [NPU]


def test_the_hottest_zone_counts_and_is_read_anew(sysfs):
    config = ThermalConfig(zones=["soc-thermal", "npu-thermal"], devfreq=NPU)
    with Thermal(config, sysfs) as thermal:
        reading = thermal.read()
        assert (reading.hottest_c, reading.governor) == (41.0, "rknpu_ondemand")
        assert reading.clock_hz == 1_000_000_000
        write(sysfs, "thermal/thermal_zone0/temp", "62500")
        write(sysfs, f"devfreq/{NPU}/cur_freq", "300000000")
        assert thermal.read() is reading
        assert (reading.hottest_c, reading.clock_hz) == (62.5, 300_000_000)


def test_frost_is_a_temperature_too(sysfs):
    write(sysfs, "thermal/thermal_zone0/temp", "-12500")
    with Thermal(ThermalConfig(zones=["soc-thermal"]), sysfs) as thermal:
        assert thermal.read().hottest_c == -12.5


def test_of_two_zones_with_one_type_the_first_is_read(sysfs):
    write(sysfs, "thermal/thermal_zone11/type", "soc-thermal")
    write(sysfs, "thermal/thermal_zone11/temp", "99000")
    with Thermal(ThermalConfig(zones=["soc-thermal"]), sysfs) as thermal:
        assert thermal.read().hottest_c == 40.0


@pytest.mark.parametrize(("degrees", "is_hot"), [("89999", False), ("90000", True)])
def test_too_hot_is_told_with_its_place(sysfs, degrees, is_hot):
    write(sysfs, "thermal/thermal_zone10/temp", degrees)
    config = ThermalConfig(zones=["soc-thermal", "npu-thermal"], too_hot_c=90.0)
    with Thermal(config, sysfs) as thermal:
        if not is_hot:
            thermal.read()
            return
        with pytest.raises(ThermalFault, match=r"too_hot: npu-thermal: 90.0 C, limit 90"):
            thermal.read()
        assert thermal.reading.hottest_c == 90.0


def test_another_governor_than_stated_is_told(sysfs):
    config = ThermalConfig(devfreq=NPU, governor="performance")
    with Thermal(config, sysfs) as thermal:
        with pytest.raises(
            ThermalFault, match=r"governor: fdab0000\.npu: 'rknpu_ondemand', the bo"
        ):
            thermal.read()
        write(sysfs, f"devfreq/{NPU}/governor", "performance")
        assert thermal.read().governor == "performance"


def test_a_clock_below_what_is_stated_is_told(sysfs):
    """An eighth of the speed is a fault, not a slow camera."""
    config = ThermalConfig(devfreq=NPU, least_mhz=800)
    with Thermal(config, sysfs) as thermal:
        write(sysfs, f"devfreq/{NPU}/cur_freq", "800000000")
        assert thermal.read().clock_hz == 800_000_000
        write(sysfs, f"devfreq/{NPU}/cur_freq", "200000000")
        with pytest.raises(ThermalFault, match=r"slow_clock: fdab0000\.npu: 200 MHz, at least 800"):
            thermal.read()


MISSING = [
    (ThermalConfig(zones=["cpu"]), "no thermal zone 'cpu' .*: gpu-thermal, npu-thermal, soc-the"),
    (ThermalConfig(devfreq="27700000.npu"), f"no devfreq '27700000.npu' .*: {NPU}"),
]


@pytest.mark.parametrize(("config", "expected"), MISSING)
def test_a_name_that_is_not_there_is_told_with_those_that_are(sysfs, config, expected):
    with pytest.raises(ThermalFault, match=f"missing: {expected}"):
        Thermal(config, sysfs)


def test_a_board_without_any_says_none(tmp_path):
    with pytest.raises(ThermalFault, match="there are: none"):
        Thermal(ThermalConfig(zones=["soc-thermal"]), tmp_path)


@pytest.mark.parametrize("text", ["", "hot", "4e4"])
def test_a_thermometer_that_talks_rubbish_is_a_fault(sysfs, text):
    write(sysfs, "thermal/thermal_zone0/temp", text)
    with (
        Thermal(ThermalConfig(zones=["soc-thermal"]), sysfs) as thermal,
        pytest.raises(ThermalFault, match="cannot_read: soc-thermal"),
    ):
        thermal.read()


def test_a_thermometer_without_power_is_a_fault(sysfs, monkeypatch):
    def asleep(*_: object) -> bytes:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with Thermal(ThermalConfig(zones=["soc-thermal"]), sysfs) as thermal:
        monkeypatch.setattr(os, "pread", asleep)
        with pytest.raises(ThermalFault, match="cannot_read: soc-thermal: Resource"):
            thermal.read()


def test_files_are_closed_also_after_a_refusal(sysfs):
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(ThermalFault):
        Thermal(ThermalConfig(zones=["soc-thermal", "none"]), sysfs)
    with Thermal(ThermalConfig(zones=["soc-thermal"]), sysfs) as thermal:
        thermal.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
