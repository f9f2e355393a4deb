"""Puts a scene out, over and over; /tmp/scene names the one that is next.

A scene is a file of pictures in /data/scenes, five for each second. The console hears of each that
begins, so that whoever listens there knows when.
"""

import sys
import time
from pathlib import Path

NEXT = Path("/tmp/scene")
SCENES = Path("/data/scenes")
PICTURE_BYTES = 640 * 360 * 2
PERIOD_S = 0.2


def main() -> None:
    due_s = time.monotonic()
    while True:
        name = NEXT.read_text().strip() if NEXT.exists() else "empty"
        Path("/dev/console").write_text(f"board: the camera shows {name}\n")
        with (SCENES / name).open("rb", buffering=0) as scene:
            while picture := scene.read(PICTURE_BYTES):
                sys.stdout.buffer.write(picture)
                sys.stdout.buffer.flush()
                due_s += PERIOD_S
                time.sleep(max(0.0, due_s - time.monotonic()))


if __name__ == "__main__":
    main()
