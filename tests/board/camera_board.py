"""A virtual board as a camera: its data disk, its pins by name, and what a technician types."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.board.guest_base import make_disk
from tests.board.machine import BoardFault, Drive, VirtualBoard
from tests.board.scenes import Scenes, draw_scenes

SIREN, FAULT_RELAY, STROBE, ACK_BUTTON = 0, 1, 2, 6
"""Lines of the PL061, as in guest/board.toml."""
BOARD = "/opt/haetae/board/board.toml"
SITE = "/data/haetae/site.toml"
SOCKET = "/run/haetae/alarm"
DATA_MB = 96
MOST_S, LOOK_S = 60.0, 2.0
LONG_S = 600.0
"""More than anything takes, on a machine that is busy with something else."""


@dataclass
class CameraBoard:
    """A board that runs, and what was drawn for it."""

    board: VirtualBoard
    scenes: Scenes

    def wait(self, line: int, high: bool, since_s: float, most_s: float = MOST_S) -> float:
        """Until a line is so; returns after how much of the board's time since a host time.

        Raises:
            BoardFault: not within `most_s` of the board's time.
        """
        while (at_s := self.board.pins.wait(line, high, LOOK_S)) is None:
            if self.board.guest_s(since_s, time.monotonic()) > most_s:
                word = "high" if high else "low"
                raise BoardFault(f"pin {line} is not {word} {most_s:g} s later")
        return self.board.guest_s(since_s, at_s)

    def start(self) -> float:
        """Start what an image would start at boot, from now on at each; returns when it did."""
        self.board.run("cp /opt/haetae/board/start /data/start && sync")
        self.board.send("0 sh /data/start")
        return time.monotonic()

    def show(self, scene: str) -> float:
        """Play a scene once, then the empty yard again; returns when it begins."""
        self.board.run(f"echo {scene} > /tmp/scene")
        self.board.wait_line(f"the camera shows {scene}", LONG_S)
        began_s = time.monotonic()
        self.board.run("echo empty > /tmp/scene")
        return began_s

    def acknowledge(self) -> None:
        """As a program on the camera does."""
        self.board.run(f"haetae alarm ack --socket {SOCKET} --by board-test", LONG_S)

    def journal(self) -> list[dict[str, Any]]:
        """Every record, oldest first; raises BoardFault where it cannot be read."""
        printed = self.board.run(f"haetae journal show --json --board {BOARD}", LONG_S)
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

    def told(self) -> str:
        """The last words of the firmware, for whoever looks into a failure."""
        return self.board.ask("tail -3 /tmp/run.log; tail -12 /tmp/events | cut -c1-220", LONG_S)[1]

    def is_silent(self, length_s: float) -> bool:
        """The siren's line stays low for so long from now."""
        since_s = time.monotonic()
        self.board.run(f"sleep {length_s:g}", LONG_S)
        return not self.board.pins.was_high(SIREN, since_s)


@contextmanager
def camera_board(folder: Path, **options: Any) -> Iterator[CameraBoard]:
    """A board with a data disk of its own: scenes, a site file; nothing is started yet."""
    files = folder / "data"
    shutil.rmtree(files, ignore_errors=True)
    scenes = draw_scenes(files / "scenes")
    (files / "haetae").mkdir()
    (files / "haetae/site.toml").write_text(scenes.site)
    make_disk(folder / "data.img", DATA_MB, files)
    disks = [Drive(folder / "data.img", "data")]
    with VirtualBoard(folder, drives=disks, is_steady=True, **options) as board:
        yield CameraBoard(board, scenes)
