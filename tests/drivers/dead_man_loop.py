"""A loop that beats a dead man: python -m tests.drivers.dead_man_loop FILE HANG."""

from __future__ import annotations

import ctypes
import sys
import threading
import time

from drivers.board import OutputConfig
from drivers.clock import MonotonicClock
from drivers.dead_man import ProcessDeadMan
from drivers.operator_config import DeadManConfig
from tests.drivers.level_file import LevelFile

BEATS = 8


def main() -> None:
    file, hang = sys.argv[1:]
    clock = MonotonicClock()
    dead_man = ProcessDeadMan(DeadManConfig(driver="process", silent_ms=800), clock)
    config = OutputConfig(name=file, role="fault", driver="level_file")
    output = dead_man.guard(config, LevelFile, clock)
    output.set(True, clock.now_ms())
    print(output.pid, flush=True)
    if hang == "thread":
        threading.Thread(target=_beat, args=(dead_man, clock, 10_000), daemon=True).start()
    else:
        _beat(dead_man, clock, BEATS if hang != "never" else 10_000)
    if hang in ("gil", "thread"):  # a C call that holds the interpreter's lock and does not return
        print("hangs", flush=True)
        ctypes.PyDLL(None).sleep(20)


def _beat(dead_man: ProcessDeadMan, clock: MonotonicClock, beats: int) -> None:
    for _ in range(beats):
        dead_man.beat(clock.now_ms())
        time.sleep(0.05)


if __name__ == "__main__":
    main()
