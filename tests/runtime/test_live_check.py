"""`haetae check --live`: what a board file names is there, or it is told what is not."""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from drivers.board import Board, ModelsConfig, NpuConfig, load_board
from drivers.camera.v4l2 import V4l2Camera
from drivers.faults import NpuFault
from drivers.interfaces import Session
from drivers.npu.tflite import TfliteNpu
from drivers.operator_config import InputConfig
from drivers.thermal_config import ThermalConfig
from runtime import live_check as module
from runtime import plugins
from runtime.cli import check
from runtime.live_check import Finding, live_check
from tests.drivers.camera.video_device import Camera
from tests.places import REPOSITORY

BOARDS = REPOSITORY / "board_configs"
CHIP = "/dev/gpiochip0"
NAMES = {"SIREN": "", "RELAY": "", "BUTTON": "", "HELD": "gpio-keys"}
"""Lines of the chip, and who holds them."""


class BenchNpu(TfliteNpu):
    """The CPU, in the place of an NPU that proves itself when a network is loaded."""

    def __init__(self, fault: str) -> None:
        super().__init__(NpuConfig(driver="tflite"))
        self._fault = fault

    def load(self, path: str) -> Session:
        if self._fault:
            raise NpuFault("self_test", self._fault)
        return super().load(path)


class Bench:
    """A board on the bench, with everything in place."""

    def __init__(self, folder: Path) -> None:
        self.sysfs, self.camera = folder / "sys", Camera("/dev/video0")
        self.camera.sizes = [(640, 360)]
        self.opened: list[str] = []
        self.npu_fault = ""
        for file, text in {
            "watchdog/watchdog0/identity": "i6300ESB timer",
            "watchdog/watchdog0/state": "inactive",
            "watchdog/watchdog0/nowayout": "0",
            "thermal/thermal_zone0/type": "cpu-thermal",
            "thermal/thermal_zone0/temp": "41500",
        }.items():
            self.write(file, text)
        (folder / "watchdog").touch()
        (folder / "data").mkdir()
        board = load_board(BOARDS / "qemu-virt-arm64.toml")
        siren, relay = board.outputs
        self.board: Board = replace(
            board,
            outputs=[replace(siren, line="SIREN"), replace(relay, line="RELAY")],
            inputs=[InputConfig(name="ack", role="acknowledge", driver="gpio", line="BUTTON")],
            watchdog=replace(board.watchdog, device=str(folder / "watchdog")),
            storage=replace(board.storage, path=str(folder / "data" / "ring")),
            thermal=ThermalConfig(zones=["cpu-thermal"]),
        )

    def write(self, file: str, text: str) -> None:
        path = self.sysfs / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    def find(self, kind: str, name: str) -> Callable[..., object]:
        if kind == "camera":
            return lambda config, source, clock: V4l2Camera(config, source, clock, self.camera.open)
        if kind == "npu" and name != "nobody":
            return lambda config: BenchNpu(self.npu_fault)
        if name == "nobody":
            raise plugins.UnknownPlugin("there is none")
        return object

    def chip(self, path: str) -> SimpleNamespace:
        if path != "/dev/gpiochip0":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self.opened.append(path)
        return SimpleNamespace(get_line_info=self.line, close=self.opened.pop)

    def line(self, name: str) -> SimpleNamespace:
        if name not in NAMES:
            raise ValueError(f"cannot map '{name}' to offset")
        return SimpleNamespace(used=bool(NAMES[name]), consumer=NAMES[name])

    def look(self) -> list[Finding]:
        return list(live_check(self.board, self.find, self.sysfs, self.chip))

    def faults(self) -> list[str]:
        found = self.look()
        assert len(found) >= 6 and self.opened == []
        assert self.camera.file is None or self.camera.file.is_closed
        return [f"{what}: {problem}" for what, problem in found if problem]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_board_with_everything_in_place_has_no_fault(bench):
    assert bench.faults() == []
    found = [what for what, _ in live_check(bench.board, bench.find, bench.sysfs, bench.chip)]
    assert "camera /dev/video0: 640x360 at 10/s" in found
    assert "npu tflite: ppe_s for tflite" in found
    assert "line siren: /dev/gpiochip0 SIREN" in found
    assert any(what.endswith("watchdog: i6300ESB timer") for what in found)
    assert "thermal: 41.5 C" in found


def outputs(bench: Bench, **changes: object) -> dict[str, object]:
    siren, relay = bench.board.outputs
    return {"outputs": [replace(siren, **changes), relay]}


PLANTED = [
    (lambda b: b.camera.unplug(), "camera /dev/video0: camera: missing"),
    (lambda b: setattr(b, "npu_fault", "core 2: hung"), "npu: self_test: core 2: hung"),
    (lambda b: {"models": ModelsConfig(detector="/none")}, "npu tflite: /none for tflite: "),
    (lambda b: outputs(b, line="NOBODY"), "line siren: /dev/gpiochip0 NOBODY: cannot map"),
    (lambda b: outputs(b, line="HELD"), "line siren: /dev/gpiochip0 HELD: is held by 'gpio-keys'"),
    (lambda b: outputs(b, readback_line="NOBODY"), "line siren: /dev/gpiochip0 NOBODY: cannot"),
    (lambda b: outputs(b, chip="/dev/gpiochip9"), "line siren: /dev/gpiochip9 SIREN: [Errno 2]"),
    (lambda b: outputs(b, port="/dev/ttyUSB99"), "port /dev/ttyUSB99: there is no such device"),
    (lambda b: outputs(b, driver="nobody"), "driver output.nobody: there is none"),
    (lambda b: Path(b.board.watchdog.device).unlink(), "no such device"),
    (lambda b: b.write("watchdog/watchdog0/state", "active"), "is armed"),
    (lambda b: b.write("thermal/thermal_zone0/temp", "99000"), "thermal: thermal: too_hot"),
    (lambda b: Path(b.board.storage.path).parent.rmdir(), "there is no folder"),
    (lambda b: {"storage": replace(b.board.storage, path="/proc/self/ring")}, "storage /proc"),
    (lambda b: {"storage": replace(b.board.storage, journal_slots=10**12)}, "has less than the"),
]


@pytest.mark.parametrize(("plant", "expected"), PLANTED, ids=[text for _, text in PLANTED])
def test_one_fault(bench, plant, expected):
    changes = plant(bench)
    if changes:
        bench.board = replace(bench.board, **changes)
    (found,) = bench.faults()
    assert expected in found


def test_a_camera_has_a_name_that_stays(bench, tmp_path, monkeypatch):
    """/dev/videoN is told the name of its socket; a name that is not there, those that are."""
    device, link = Path(bench.board.camera.source), tmp_path / "socket-video-index0"
    link.symlink_to(device)
    monkeypatch.setattr(module, "BY_PATH", tmp_path)
    (told,) = [each.what for each in bench.look() if each.what.startswith("camera")]
    assert told.endswith(f"; write rather {link}")
    bench.camera.unplug()
    (fault,) = bench.faults()
    assert fault.endswith(f"; there are: {link}")


def test_a_chip_is_found_by_its_label(bench, monkeypatch):
    monkeypatch.setattr(module, "chip_path", lambda name, _: name.replace("gpio3", CHIP))
    bench.board = replace(bench.board, **outputs(bench, chip="gpio3"))
    assert bench.faults() == []


def test_a_slow_npu_is_told(bench):
    bench.write("devfreq/1.npu/governor", "rknpu_ondemand")
    bench.write("devfreq/1.npu/cur_freq", "200000000")
    config = ThermalConfig(zones=["cpu-thermal"], devfreq="1.npu", least_mhz=800)
    bench.board = replace(bench.board, thermal=config)
    (fault,) = bench.faults()
    assert "slow_clock: 1.npu: 200 MHz, at least 800 are needed" in fault


def test_a_watchdog_that_cannot_be_stopped_is_told(bench):
    bench.write("watchdog/watchdog0/nowayout", "1")
    found = [what for what, _ in live_check(bench.board, bench.find, bench.sysfs, bench.chip)]
    assert any(what.endswith("it can never be stopped") for what in found)


def test_the_command_tells_faults_with_its_exit_code(capsys, monkeypatch, tmp_path):
    """On this machine there is no such board: through the real calls."""
    points = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["entry-points"]
    monkeypatch.setattr(plugins, "_points", points.get)
    text = (BOARDS / "qemu-virt-arm64.toml").read_text()
    file = tmp_path / "board.toml"
    text = text.replace("/dev/video0", "/dev/video99").replace('line = "0"', 'line = "NOBODY"')
    file.write_text(text.replace("/data/haetae", str(tmp_path / "data")))
    assert check(["--board", str(file), "--live"]) == 1
    told = capsys.readouterr().out
    assert "no mistakes" in told
    assert "FAULT camera /dev/video99: camera: missing" in told
    assert "FAULT line siren: /dev/gpiochip0 NOBODY" in told
    assert f"FAULT storage {tmp_path}/data/journal.ring: there is no folder" in told


def test_the_simulated_board_is_all_there(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    assert check(["--board", str(BOARDS / "sim.toml"), "--live"]) == 0
    assert "ok    camera synthetic: 640x360 at 10/s" in capsys.readouterr().out


def test_live_needs_a_board(capsys):
    site = str(BOARDS / "site" / "man_down.toml")
    with pytest.raises(SystemExit):
        check(["--site", site, "--live"])
    assert "--live: name the --board" in capsys.readouterr().err
