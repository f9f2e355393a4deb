"""The line: a unit is provisioned and tested on its own kernel's pins, watchdog and clock."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from tests.board.camera_board import BOARD, FAULT_RELAY, LONG_S, SIREN, STROBE
from tests.board.guest_base import make_disk
from tests.board.machine import BoardFault, Drive, VirtualBoard
from tests.board.report import Report
from tests.ota import vendor
from tests.places import REPOSITORY

DATA_MB = 64
CHECKS = ("outputs", "buttons", "watchdog")
"""Those that do not depend on how fast the emulation is."""
BITES_S = 12
"""More than twice the watchdog's time."""


def tell(report: Report, folder: Path) -> None:
    """All of it."""
    files = folder / "unit/data"
    shutil.rmtree(files, ignore_errors=True)
    (files / "haetae").mkdir(parents=True)
    shutil.copy(REPOSITORY / "board_configs/site/zone_whole_view.toml", files / "site.toml")
    (files / "ring").write_bytes(vendor.ring(1, product="haetae"))
    make_disk(folder / "unit/data.img", DATA_MB, files)
    disks = [Drive(folder / "unit/data.img", "data")]
    with VirtualBoard(folder / "unit", drives=disks) as board:
        with report.telling("a unit is provisioned, once"):
            provisioned(report, board)
        with report.telling("it is tested, and goes on"):
            tested(report, board)


def provisioned(report: Report, board: VirtualBoard) -> None:
    """`haetae provision`."""
    command = f"haetae provision --board {BOARD} --ring /data/ring --site /data/site.toml --id"
    report.expect("it gets its name", board.ask(f"{command} cam-7", LONG_S)[0] == 0)
    code, printed = board.ask(f"{command} cam-8", LONG_S)
    report.expect("and no second one", code == 1, printed)


def tested(report: Report, board: VirtualBoard) -> None:
    """`haetae selftest`, with the pins read from outside."""
    only = " ".join(f"--only {name}" for name in CHECKS)
    since_s = time.monotonic()
    code, printed = board.ask(f"haetae selftest --board {BOARD} --json {only}", LONG_S)
    told = json.loads(printed)
    wrong = [
        f"{row['name']}: {row['measured']}" for row in told["rows"] if row["verdict"] == "fail"
    ]
    report.expect("nothing fails", code == 0 and not wrong, "; ".join(wrong))
    report.expect("it is cam-7", told["device"] == "cam-7")
    for name, line in (("siren", SIREN), ("relay", FAULT_RELAY), ("strobe", STROBE)):
        was_high = board.pins.was_high(line, since_s)
        report.expect(f"the {name}'s pin was high", was_high)
        report.expect(f"the {name}'s pin is low again", not board.pin(line))
    try:
        board.run(f"sleep {BITES_S}", LONG_S)
        state = board.run("cat /sys/class/watchdog/watchdog0/state")
    except BoardFault as fault:
        state = str(fault)
    report.expect("the watchdog is stopped, and never bites", state == "inactive", state)
