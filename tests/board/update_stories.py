"""Students come to the virtual board over a cable and by stick, and its power is cut at any moment.

What is typed at the cable is `haetae ota push`; the stick is carried by `haetae ota carry` on the
board. Both are pulled out half way.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.board import cut_stories
from tests.board.machine import BoardFault
from tests.board.report import Report
from tests.board.update_board import SHELL_S, UpdateBoard
from tests.board.update_vendor import Vendor, make_data, make_stick, open_vendor

START_S, PUSH_S, TRIAL_S = 300.0, 300.0, 400.0
"""At the most; on two quiet cores it is a tenth of it."""
AWAY_S: Final = 4.0
"""A plug is out for so long."""
ROUNDS, PAUSE_S = 12, 0.25
"""Of the planted writers."""
HALF_WAY: Final = r"^ *(2[5-9]|[3-6]\d) %"
CAMERA: Final = (
    "haetae run --board /data/haetae/board.toml --site /data/haetae/site.toml --fast"
    " --events /run/events"
)
CARRY: Final = "haetae ota carry --link unix:/run/haetae/link --usb /run/usb --state /run/carry"
STATUS: Final = "haetae status --link unix:/run/haetae/link"
Since = Callable[[], str]


def tell(report: Report, folder: Path) -> None:
    """All of them."""
    shutil.rmtree(folder / "updates", ignore_errors=True)
    folder = folder / "updates"
    vendor = open_vendor(folder / "vendor")
    image, base, log = (folder / name for name in ("data.img", "base.img", "writes.log"))
    make_data(vendor, image)
    subprocess.run(["cp", "--sparse=always", image, base], check=True)
    with UpdateBoard(folder, vendor, image, log) as board:
        write_planted(board)
        with report.telling("students come over a cable"):
            start_camera(report, board)
            over_the_cable(report, board, vendor)
        with report.telling("students come by stick"):
            by_stick(report, board, vendor, folder / "stick.img")
        end_camera(board)
    with report.telling("the power is cut at any moment of it"):
        cut_stories.tell(report, cut_stories.Disk(vendor, base, log), folder / "left")


def since() -> Since:
    """A stopwatch, in words."""
    began_s = time.monotonic()
    return lambda: f"{time.monotonic() - began_s:.1f} s"


def write_planted(board: UpdateBoard) -> None:
    """Right and wrong writers, alone on the disk; ext4 commits every second meanwhile."""
    board.run("mount -o remount,commit=1 /data", SHELL_S)
    write = f"python3.11 -m tests.board.planted /data/planted {ROUNDS} {PAUSE_S}"
    board.run(f"{write} | python3.11 -m tests.board.marks data", SHELL_S)
    board.run("mount -o remount,commit=5 /data", SHELL_S)


def start_camera(report: Report, board: UpdateBoard) -> None:
    """`haetae run`, whose events are marked; until it answers at the other end of the cable."""
    took = since()
    board.run("mkfifo /run/events", SHELL_S)
    board.start("marks", "python3.11 -m tests.board.marks data < /run/events")
    board.start("camera", CAMERA)
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        with board.typed("status", "status", "--link", board.cable) as status:
            if status.wait_done(START_S) == 0:
                report.expect("haetae status answers over the cable", True, took())
                return
        time.sleep(1.0)
    raise BoardFault(f"{status.said}\n{board.run('cat /run/camera.log', SHELL_S)}")


def over_the_cable(report: Report, board: UpdateBoard, vendor: Vendor) -> None:
    """Pushed, unplugged half way, plugged in again, and watched until it is confirmed."""
    bundle = vendor.bundles[2]
    took = since()
    with board.typed("push", "ota", "push", str(bundle), "--link", board.cable, "--watch") as push:
        push.wait_said(HALF_WAY, PUSH_S)
        board.unplug_cable()
        push.wait_said("^the link is broken", PUSH_S)
        report.expect("haetae ota push tells that the adapter was unplugged half way", True)
        time.sleep(AWAY_S)
        board.plug_cable()
        push.wait_said("^the camera answers again", PUSH_S)
        push.wait_said("^all of it is there", PUSH_S)
        measured = f"{bundle.stat().st_size} bytes, {took()} with {AWAY_S:g} s unplugged"
        report.expect("it goes on where it was, until all of it is there", True, measured)
        took = since()
        code = push.wait_done(TRIAL_S)
        is_confirmed = code == 0 and "confirmed" in push.said
        report.expect("the trial ends well", is_confirmed, took() if is_confirmed else push.said)


def by_stick(report: Report, board: UpdateBoard, vendor: Vendor, image: Path) -> None:
    """Pulled out while it is read: nothing changes. Plugged in again: it goes on to the end."""
    make_stick(image, vendor.bundles[3])
    board.start("carry", CARRY)
    took = since()
    board.plug_slow_stick(image)
    board.wait_in("/run/carry.log", "stick: [2-6][0-9] %", PUSH_S)
    board.pull_slow_stick()
    board.wait_in("/run/carry.log", "what is there stays", PUSH_S)
    status = board.run(STATUS, START_S)
    is_same = "runs      version 2026.2 (release 2)" in status
    report.expect("pulled out half way, it changes nothing", is_same, took() if is_same else status)
    took = since()
    board.plug_slow_stick(image)
    board.wait_in("/run/carry.log", "all of it is in the camera", PUSH_S)
    report.expect("plugged in again, all of it comes in", True, took())
    took = since()
    board.wait_in("/run/carry.log", "stick: confirmed", TRIAL_S)
    report.expect("the trial ends well", True, took())
    status = board.run(STATUS, START_S)
    is_new = "runs      version 2026.3 (release 3)" in status
    report.expect("release 3 runs", is_new, "" if is_new else status)


def end_camera(board: UpdateBoard) -> None:
    """Wait for a clean end, so that the last events are marked, too."""
    board.stop("carry")
    board.stop("camera")
    board.wait_in("/run/marks.log", "^end$", START_S)
