"""A unit on the bench whose parts can be spoilt one at a time, in virtual time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from msgspec.structs import replace

from drivers.board import NpuConfig, load_board
from drivers.camera.synthetic import SyntheticCamera
from drivers.clock import VirtualClock
from drivers.faults import CameraFault, NpuFault, OutputFault
from drivers.npu.tflite import TfliteNpu
from drivers.operator_config import InputConfig
from drivers.thermal_config import ThermalConfig
from drivers.watchdog.linux import LinuxWatchdog
from runtime.unit_test.result import Bench, Row
from runtime.unit_test.storage import Disk
from tests.drivers.watchdog.test_linux_watchdog import Dog
from tests.places import REPOSITORY

NOW_MS = 1_780_000_000_000
"""A day in 2026."""


class SpoiltCamera(SyntheticCamera):
    """The drawn room, through what is wrong with the camera."""

    def __init__(self, wrong: str, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._wrong, self._first, self._count = wrong, None, 0
        if wrong == "small":
            self.width_px //= 2

    def open(self) -> None:
        if self._wrong == "gone":
            raise CameraFault("missing", "no such device")
        super().open()

    def grab(self, frame, now_ms):
        if self._wrong == "gap" and 1000 < now_ms < 2200:
            return False
        if self._wrong == "small":
            return False
        if not super().grab(frame, now_ms):
            return False
        self._count += 1
        self._spoil(frame.pixels)
        return self._wrong != "slow" or self._count % 2 == 0

    def _spoil(self, pixels: np.ndarray) -> None:
        match self._wrong:
            case "dark":
                pixels //= 16
            case "bright":
                np.maximum(pixels, 240, out=pixels)
            case "blurred":
                pixels[:] = cv2.GaussianBlur(pixels, (0, 0), 2.5)
            case "blank":
                pixels[:] = 128
                pixels += np.uint8(self._count)
            case "frozen":
                self._first = pixels.copy() if self._first is None else self._first
                pixels[:] = self._first


class SpoiltSession:
    """A network that answers wrongly, late or not at all."""

    def __init__(self, session: Any, wrong: str, clock: VirtualClock) -> None:
        self._session, self._wrong, self._clock = session, wrong, clock
        self.inputs, self.outputs = session.inputs, session.outputs
        self.input_details, self.output_details = session.input_details, session.output_details

    def invoke(self) -> None:
        if self._wrong == "hang":
            raise NpuFault("hung", "no answer within 150 ms")
        self._session.invoke()
        took_ms = 60.0 if self._wrong == "slow" else 2.0
        self._clock.sleep_until_ms(self._clock.now_ms() + took_ms)
        if self._wrong == "wrong":
            for output in self.outputs:
                output[:] = np.roll(output, 7)
                output.reshape(-1)[::3] = 0

    def close(self) -> None:
        self._session.close()


class SpoiltNpu(TfliteNpu):
    """The CPU, with one core that has something wrong."""

    def __init__(self, config: NpuConfig, wrong: dict[int, str], clock: VirtualClock) -> None:
        super().__init__(NpuConfig(driver="tflite"))
        self._clock, self._how = clock, wrong.get(config.core_mask, "")

    def load(self, path: str) -> Any:
        if self._how == "load":
            raise NpuFault("self_test", "answers otherwise than core 0 before")
        return SpoiltSession(super().load(path), self._how, self._clock)


class Wire:
    """An output, and an input line on its contact. Implements `Output`, `Checked` and `Input`."""

    def __init__(self, bench: UnitBench, name: str) -> None:
        self.name, self.level, self._bench = name, False, bench

    def set(self, level: bool, now_ms: float) -> None:
        if self._bench.wrong.get(self.name) == "refused":
            raise OutputFault("differs", f"{self.name}: set, and the pin does not read so")
        self.level = level
        self._bench.edges.append((self.name, level))

    def check(self, now_ms: float) -> None:
        if self._bench.wrong.get(self.name) == "lost" and self.level:
            raise OutputFault("no_feedback", f"{self.name}: silent")

    def release(self, now_ms: float) -> None:
        if self._bench.wrong.get(self.name) == "held":
            raise OutputFault("cannot_drive", "I/O error")
        self.level = False

    def pressed(self, now_ms: float) -> bool:
        match self._bench.wrong.get(self.name):
            case "stuck on":
                return True
            case "stuck off":
                return False
        return self.level

    def close(self) -> None:
        self._bench.edges.append((self.name, None))


class SysDog(Dog):
    """A watchdog that sysfs tells of."""

    def __init__(self, bench: UnitBench) -> None:
        super().__init__()
        self._bench = bench

    def open(self, path: str) -> Dog:
        self._bench.write("class/watchdog/watchdog0/state", "active")
        return super().open(path)

    def close(self) -> None:
        super().close()
        if not self.is_armed:
            self._bench.write("class/watchdog/watchdog0/state", "inactive")


class UnitBench:
    """A good unit; `wrong` says what is not."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sys = folder, folder / "sys"
        self.clock: Any = VirtualClock(wall_start_ms=NOW_MS)
        self.wrong: dict[str, Any] = {}
        self.edges: list[tuple[str, bool | None]] = []
        self.wires: dict[str, Wire] = {}
        self.dog = SysDog(self)
        self.writes = 100
        (folder / "data").mkdir()
        number = folder.stat().st_dev
        self.device = f"dev/block/{os.major(number)}:{os.minor(number)}"
        self.count(0)
        self.mounts = folder / "mountinfo"
        self.mount("ext4", "rw")
        self.write("class/watchdog/watchdog0/identity", "i6300ESB timer")
        self.write("class/watchdog/watchdog0/state", "inactive")
        self.write("class/watchdog/watchdog0/nowayout", "0")
        self.write("class/thermal/thermal_zone0/type", "npu-thermal")
        self.write("class/thermal/thermal_zone0/temp", "41500")
        self.write("class/devfreq/fdab0000.npu/governor", "performance")
        self.write("class/devfreq/fdab0000.npu/cur_freq", "1000000000")
        board = load_board(REPOSITORY / "board_configs/sim.toml")
        siren, strobe, relay = board.outputs
        self.board = replace(
            board,
            outputs=[replace(one, driver="gpio") for one in (siren, strobe, relay)],
            inputs=[InputConfig(name="ack", role="acknowledge", driver="gpio", line="9")],
            watchdog=replace(board.watchdog, driver="linux"),
            storage=replace(board.storage, path=str(folder / "data/journal.ring")),
            thermal=ThermalConfig(
                zones=["npu-thermal"], devfreq="fdab0000.npu", governor="performance"
            ),
        )
        self.asked: list[str] = []
        self.answer = True
        self.loops: dict[str, InputConfig] = {}

    def write(self, file: str, text: str) -> None:
        path = self.sys / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    def count(self, writes: int) -> None:
        """The device has completed so many more writes."""
        self.writes += writes
        self.write(f"{self.device}/stat", f"1 0 8 1 {self.writes} 0 80 2 0 1 1")

    def mount(self, kind: str, options: str) -> None:
        number = self.device.rpartition("/")[2]
        self.mounts.write_text(f"30 1 {number} / / rw,relatime - {kind} /dev/x {options}\n")

    def find(self, kind: str, name: str) -> Callable[..., Any]:
        wrong, clock = self.wrong, self.clock
        return {
            "camera": lambda *given: SpoiltCamera(wrong.get("camera", ""), *given),
            "npu": lambda config: SpoiltNpu(config, wrong.get("npu", {}), clock),
            "output": lambda config, _: self.wires.setdefault(config.name, Wire(self, config.name)),
            "input": self._input,
            "watchdog": lambda config, time: LinuxWatchdog(
                config, time, self.dog.open, self.sys / "class/watchdog"
            ),
        }[kind]

    def _input(self, config: InputConfig, _: object) -> Any:
        name = config.name.removeprefix("loop-back of ")
        return self.wires.setdefault(name, Wire(self, name))

    def bench(self, *, is_asked: bool = False) -> Bench:
        def ask(question: str) -> bool:
            self.asked.append(question)
            return self.answer

        return Bench(
            board=self.board, clock=self.clock, find=self.find, sys=self.sys,
            ask=ask if is_asked else None, loops=self.loops,
        )  # fmt: skip

    def loop(self, *names: str) -> None:
        for name in names:
            line = f"loop-back of {name}"
            self.loops[name] = InputConfig(name=line, role="self_test", driver="gpio", line="5")

    def disk(self, **wrong: Any) -> Any:
        """A file whose device has something wrong, by the names below."""
        usual = {"lies": False, "forgets": False, "slow_ms": 1.0, "spike_ms": 0.0, "full": False}
        unit, how = self, SimpleNamespace(**usual)
        how.__dict__.update(wrong)

        class Spoilt(Disk):
            def write(self, data: bytes, offset: int) -> None:
                if how.full:
                    raise OSError(28, "No space left on device")
                unit.clock.sleep_until_ms(unit.clock.now_ms() + 0.1)
                super().write(data, offset)

            def sync(self) -> None:
                spike_ms = how.spike_ms if unit.writes == 120 else 0.0
                unit.clock.sleep_until_ms(unit.clock.now_ms() + how.slow_ms + spike_ms)
                unit.count(0 if how.lies else 1)

            def read_anew(self, length: int, offset: int) -> bytes:
                return bytes(length) if how.forgets else super().read_anew(length, offset)

        return Spoilt


def verdicts(rows: list[Row]) -> dict[str, str]:
    """Item -> verdict."""
    return {row.item: row.verdict for row in rows}


def failed(rows: list[Row]) -> list[str]:
    """Items that failed; each says what to do next."""
    return [row.item for row in rows if row.verdict == "fail"]
