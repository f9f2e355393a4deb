"""The real loop on the drivers of a real board, each on its stand-in of the kernel: boot to end.

A person is seen through V4L2 buffers, the siren's pin rises; the camera is pulled and comes back,
the fault relay's pin falls within a second and rises again; the watchdog is fed, and stopped at the
end. Time is virtual, the detector and everything above the system calls is what a board runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from drivers.board import Board, load_board
from drivers.camera.synthetic import SyntheticCamera
from drivers.camera.v4l2 import V4l2Camera
from drivers.clock import VirtualClock
from drivers.interfaces import Frame
from drivers.output import gpio
from drivers.watchdog.linux import LinuxWatchdog
from runtime import plugins
from runtime.boot import boot
from runtime.options import Options
from runtime.site_check import load_site
from tests.drivers.camera.video_device import Camera, OpenDevice
from tests.drivers.output.chip import Chip
from tests.drivers.watchdog.test_linux_watchdog import Dog
from tests.places import REPOSITORY

UNPLUG_MS, PLUG_MS, STOP_MS = 6000.0, 9000.0, 16_000.0
SIREN, RELAY = 3, 4
SIZE = {"width_px": 640, "height_px": 360, "fps": 10.0}
SLACK_MB = 96
"""The stand-ins are in the sealed process too."""


class Story(VirtualClock):
    """Virtual time in which things happen."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[tuple[float, Callable[[], None]]] = []

    def sleep_until_ms(self, deadline_ms: float) -> None:
        super().sleep_until_ms(deadline_ms)
        while self.plan and self.plan[0][0] <= self.now_ms():
            self.plan.pop(0)[1]()


class LiveDevice(OpenDevice):
    """Takes the pictures that are due whenever somebody looks."""

    def poll(self, timeout_ms: int) -> int:
        self._camera.take_due()
        return super().poll(timeout_ms)


class LiveCamera(Camera):
    """A camera that looks into the drawn room, in the time of the story."""

    def __init__(self, clock: Story, board: Board) -> None:
        self.clock = clock
        super().__init__(board.camera.source)
        self.formats, self.sizes = ["BGR3"], [(640, 360)]
        self._scene = SyntheticCamera(board.camera, "people=1", clock)
        self._scene.open()
        self._frame = Frame(640, 360)

    @property
    def now_ms(self) -> float:
        return self.clock.now_ms()

    @now_ms.setter
    def now_ms(self, _: float) -> None: ...

    def open(self, path: str) -> OpenDevice:
        super().open(path)
        self.file = LiveDevice(self)
        return self.file

    def take_due(self) -> None:
        if self.plugged and self._scene.grab(self._frame, self.clock.now_ms()):
            self.shoot(self._frame.pixels.tobytes())


class TimedChip(Chip):
    """Knows when its levels changed."""

    def __init__(self, clock: Story) -> None:
        super().__init__()
        self.clock = clock
        self.story: list[tuple[float, int, bool]] = []

    def drive(self, line: int, level: bool) -> None:
        if level != self.levels[line]:
            self.story.append((self.clock.now_ms(), line, level))
        super().drive(line, level)

    def moments(self, line: int, level: bool) -> list[float]:
        return [
            t_ms
            for t_ms, its_line, its_level in self.story
            if (its_line, its_level) == (line, level)
        ]


class TimedDog(Dog):
    """Its time is that of the story."""

    def __init__(self, clock: Story) -> None:
        self.clock = clock
        self.has_ever_bitten = False
        super().__init__()

    @property
    def now_s(self) -> float:
        return self.clock.now_ms() / 1000

    @now_s.setter
    def now_s(self, _: float) -> None: ...

    def ioctl(self, request: int, data: bytearray) -> None:
        self.has_ever_bitten |= self.has_bitten
        super().ioctl(request, data)


@dataclass
class Bench:
    """What is left of a run."""

    clock: Story = field(default_factory=Story)

    def run(self, monkeypatch, journal: str) -> None:
        board = self._board()
        self.camera, self.chip, self.dog = (
            LiveCamera(self.clock, board), TimedChip(self.clock), TimedDog(self.clock),
        )  # fmt: skip
        monkeypatch.setattr(gpio.gpiod, "request_lines", self.chip.request)
        file = str(REPOSITORY / "board_configs/site/zone_whole_view.toml")
        options = Options(
            site_file=file, journal=journal, clock=self.clock, find_driver=self._find,
            boot_id=1, slack_mb=SLACK_MB,
        )  # fmt: skip
        with boot(board, load_site(file), options) as machine:
            self.clock.plan = [
                (UNPLUG_MS, self.camera.unplug),
                (PLUG_MS, lambda: self.camera.plug(board.camera.source)),
                (STOP_MS, machine.loop.stop),
            ]
            machine.loop.run()
            self.armed_at_the_end, self.dropped = self.dog.is_armed, machine.camera.dropped_frames

    def _board(self) -> Board:
        board = load_board(REPOSITORY / "board_configs" / "qemu-virt-arm64.toml")
        siren, relay = board.outputs
        return replace(
            board,
            dead_man=None,
            memory=replace(board.memory, lock=False),
            camera=replace(board.camera, fourcc="BGR3", **SIZE),
            outputs=[replace(siren, line=str(SIREN)), replace(relay, line=str(RELAY))],
            control=replace(board.control, socket=""),
        )

    def _find(self, kind: str, name: str) -> Callable[..., object]:
        if (kind, name) == ("camera", "v4l2"):
            return lambda config, source, clock: V4l2Camera(config, source, clock, self.camera.open)
        if (kind, name) == ("watchdog", "linux"):
            return lambda config, clock: LinuxWatchdog(config, clock, self.dog.open)
        if (kind, name) == ("output", "gpio"):
            return gpio.GpioOutput
        return plugins.driver(kind, name)

    def left(self) -> dict[str, object]:
        """What the tests look at."""
        chip, dog = self.chip, self.dog
        return {
            "siren_ups": chip.moments(SIREN, True),
            "relay_ups": chip.moments(RELAY, True),
            "relay_downs": chip.moments(RELAY, False),
            "has_ever_bitten": dog.has_ever_bitten,
            "feeds": dog.feeds,
            "armed_at_the_end": self.armed_at_the_end,
            "is_armed": dog.is_armed,
            "held": len(chip.held),
            "levels": [bool(chip.levels[line]) for line in (SIREN, RELAY)],
            "is_closed": self.camera.file.is_closed,
            "dropped": self.dropped,
        }


def main(journal: str) -> None:
    """Run the story; its process is sealed afterwards."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = Bench()
        made.run(monkeypatch, journal)
        print(json.dumps(made.left()))


if __name__ == "__main__":
    main(sys.argv[1])
