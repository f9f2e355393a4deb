"""`haetae sim cable`: a serial cable between two programs on this computer."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from drivers.clock import MonotonicClock
from sim.board.cable import Cable

LOOK_MS = 200.0
"""Between two looks whether it shall end."""


def cable(argv: list[str]) -> int:
    """Carry bytes until SIGTERM or Ctrl-C; the two devices are gone then.

    Returns:
        0 ended as asked, 2 wrong arguments.
    """
    parser = argparse.ArgumentParser("haetae sim cable", description=__doc__)
    parser.add_argument("one", type=Path, help="where one end appears, e.g. build/camera_tty")
    parser.add_argument("other", type=Path, help="where the other end appears")
    parser.add_argument("--baud", type=int, default=0, help="speed; 0: as fast as it goes")
    arguments = parser.parse_args(argv)
    if arguments.baud < 0:
        parser.error(f"--baud {arguments.baud}: must be 0 or more")
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with Cable(arguments.one, arguments.other, MonotonicClock(), arguments.baud) as line:
        print(f"a cable from {arguments.one} to {arguments.other}", flush=True)
        while not ended:
            line.run(LOOK_MS)
    return 0
