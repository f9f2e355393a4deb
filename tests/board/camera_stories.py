"""The camera as such, from power-on to a killed process; one board lives through all of them.

Times are the board's own: an emulated second has as many instructions whatever this machine does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.board.camera_board import (
    ACK_BUTTON,
    BOARD,
    FAULT_RELAY,
    LONG_S,
    SIREN,
    SITE,
    STROBE,
    CameraBoard,
    camera_board,
)
from tests.board.report import Report

START_S = 60.0
"""From the start of the process to the first judged picture: emulated, and a Python that starts."""
SEEN_S = 2.5
"""From the foot in the zone to the siren: 0.3 s hold, 0.25 s tracking, some pictures, buffers."""
SILENT_S = 2.0
"""From the acknowledgement to silence."""
DEAD_MAN_S = 1.0
BLIND_S = 1.5
"""Of a lost camera 1 s is allowed; the looking takes an emulated inference more."""
WATCHDOG_S = 5.0
BACK_S = 30.0
VIVID = "/sys/bus/platform/drivers/vivid"


def tell(report: Report, folder: Path) -> None:
    """All of them."""
    with camera_board(folder / "camera") as camera:
        for words, story in STORIES.items():
            failed = report.failed
            with report.telling(words):
                story(report, camera)
            if report.failed > failed:
                print(camera.told(), flush=True)


def looked_at(report: Report, camera: CameraBoard) -> None:
    """`haetae check --live`."""
    camera.board.send("0 /opt/haetae/board/camera > /dev/null 2>&1")
    command = f"haetae check --board {BOARD} --site {SITE} --live"
    code, printed = camera.board.ask(command, LONG_S)
    lines = printed.splitlines()
    found = sum(line.startswith("ok ") for line in lines)
    faults = "; ".join(line for line in lines if line.startswith("FAULT"))
    report.expect("haetae check --live finds every device", code == 0, faults or f"{found} found")


def walks_in(report: Report, camera: CameraBoard) -> None:
    """Pictures that we feed; the siren's pin, read from outside."""
    started_s = camera.start()
    up_s = camera.wait(FAULT_RELAY, True, started_s)
    report.within("the fault relay's pin rises when pictures are judged", up_s, 0.1, START_S)
    report.expect("the siren's pin stays low over an empty yard", camera.is_silent(5.0), "5 s")
    began_s = camera.show("walks")
    inside_s = camera.wait(SIREN, True, began_s) - camera.scenes.enters_s
    report.within("the siren's pin rises when the person is in", inside_s, 0.0, SEEN_S)
    report.expect("and the strobe's", camera.board.pin(STROBE))
    camera.acknowledge()
    asked_s = time.monotonic()
    camera.is_silent(SILENT_S)
    report.expect("the siren's pin falls when acknowledged", camera.is_silent(3.0), "3 s low")
    gone_s = camera.wait(STROBE, False, asked_s)
    report.expect("the strobe's too, when the person is gone", True, f"{max(gone_s, 0):.1f} s")


def button(report: Report, camera: CameraBoard) -> None:
    """An input, driven from outside."""
    began_s = camera.show("walks")
    camera.wait(SIREN, True, began_s)
    camera.board.drive_input(ACK_BUTTON, True)
    camera.is_silent(0.5)
    camera.board.drive_input(ACK_BUTTON, False)
    camera.is_silent(SILENT_S)
    report.expect("the siren's pin falls at the button", camera.is_silent(3.0), "3 s low")
    gone_s = camera.wait(STROBE, False, time.monotonic(), 15.0)
    report.expect("the strobe's too, when the person is gone", True, f"{max(gone_s, 0):.1f} s")


def unplugged(report: Report, camera: CameraBoard) -> None:
    """vivid's device goes, and comes back."""
    board = camera.board
    camera.wait(FAULT_RELAY, True, time.monotonic())
    gone_s = time.monotonic()
    board.run(f"rm /dev/camera; echo vivid.0 > {VIVID}/unbind", LONG_S)
    fell_s = camera.wait(FAULT_RELAY, False, gone_s)
    report.within("the fault relay's pin falls", fell_s, 0.0, BLIND_S)
    board.run(f"echo vivid.0 > {VIVID}/bind", LONG_S)
    board.send("0 /opt/haetae/board/camera > /dev/null 2>&1")
    back_s = time.monotonic()
    rose_s = camera.wait(FAULT_RELAY, True, back_s)
    report.within("it rises by itself when the camera is back", rose_s, 0.1, BACK_S)


def killed(report: Report, camera: CameraBoard) -> None:
    """kill -9: dead man, watchdog, reset, and the alarm that nobody had acknowledged."""
    board = camera.board
    began_s = camera.show("walks")
    camera.wait(SIREN, True, began_s)
    before = camera.journal()
    killed_s = time.monotonic()
    board.run("kill -9 $(cat /run/haetae/pid)", LONG_S)
    fell_s = camera.wait(FAULT_RELAY, False, killed_s)
    report.within("the dead man lets the fault relay fall", fell_s, 0.0, DEAD_MAN_S)
    bit_s = board.guest_s(killed_s, board.wait_event("WATCHDOG", LONG_S)[0])
    report.within("the watchdog bites", bit_s, WATCHDOG_S - 2, WATCHDOG_S + 1)
    reset_s, _ = board.wait_event("RESET", LONG_S)
    was_up = board.pins.was_high(FAULT_RELAY, reset_s)
    report.expect("the fault relay is down from then on", not was_up)
    board.wait_up(LONG_S)
    up_s = camera.wait(FAULT_RELAY, True, reset_s)
    report.within("after the reset pictures are judged again", up_s, 0.1, START_S)
    report.expect("nobody is there, and the strobe's pin is high again", board.pin(STROBE))
    after = camera.journal()
    kept = bool(before) and after[: len(before)] == before
    report.expect("the journal has lost nothing", kept, f"{len(before)} records, now {len(after)}")
    camera.acknowledge()
    asked_s = time.monotonic()
    fell_s = camera.wait(STROBE, False, asked_s)
    report.expect("the strobe's pin falls when acknowledged", True, f"{max(fell_s, 0):.1f} s")


STORIES: dict[str, Callable[[Report, CameraBoard], None]] = {
    "the board is looked at before anything runs": looked_at,
    "somebody walks into the forbidden zone": walks_in,
    "the operator presses the button": button,
    "the camera is unplugged and comes back": unplugged,
    "the process is killed while an alarm stands": killed,
}
