"""Students come to the flashed camera on a USB stick, and what its flash was told is recorded.

Nobody logs in. The stick is plugged in, and all that the camera does about it it does by itself; a
technician with a key looks on over the serial cable, and confirms the new students at the end: the
emulated camera's test picture never shows anybody in whom the old ones and the new could agree.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ota.link.lost import LinkLost
from ota.refusal import Refused
from tests.board.image_board import LOG, OPERATOR, Unit
from tests.board.image_slots import Expect
from tests.board.image_watch import Seen, Watch
from tests.board.machine import BoardFault, VirtualBoard
from tests.board.update_vendor import Vendor, make_stick
from tests.board.usb_cable import UsbCable

RELEASE: Final = 2
COME_S, TRIAL_S = 600.0, 900.0
"""At the most; on a quiet machine it is a tenth of it."""
LOOK_S: Final = 3.0
LOST_TIMES: Final = 5
"""An emulated camera that builds students has no time for its cable now and then."""


@contextmanager
def cable(unit: Unit, vendor: Vendor) -> Iterator[Watch]:
    """The technician's end of the camera's serial cable."""
    wire = UsbCable(unit.board.serial)
    wire.plug()
    try:
        key, phrase = vendor.folder / f"{OPERATOR}.key", vendor.folder / "phrase"
        yield Watch(f"serial:{wire.port}", key, phrase, unit.flash.parent / LOG)
    finally:
        wire.close()


def tell(expect: Expect, unit: Unit, vendor: Vendor) -> list[Seen]:
    """All of it; returns what the camera has promised meanwhile."""
    bundle = make_bundle(vendor)
    stick = vendor.folder / "students.stick"
    make_stick(stick, bundle)
    board, said = unit.board, r"haetae\[\d+\]: stick: "
    with cable(unit, vendor) as watch:
        status = patiently(watch)
        expect("the camera answers over its cable", status["students"]["from"] == "factory")
        vendor.call("alarm", "test", *watch.arguments)
        board.plug_stick(stick)
        began_s = time.monotonic()
        wait_said(watch, board, r"haetae-boot\[\d+\]: students on the stick")
        wait_said(watch, board, f"{said}[3-7][0-9] %")
        board.pull_stick()
        wait_said(watch, board, r"haetae-boot\[\d+\]: students from \w+: ended early")
        status = patiently(watch)
        expect("pulled out half way, it changes nothing", status["students"]["from"] == "factory")
        board.plug_stick(stick)
        wait_said(watch, board, f"{said}all of it is in the camera")
        took_s = time.monotonic() - began_s
        expect(f"plugged in again, all {bundle.stat().st_size} bytes come in, {took_s:.0f} s", True)
        wait_phase(watch, "probation")
        took_s = time.monotonic() - began_s
        expect(f"they are on trial and drive the camera, {took_s:.0f} s from the stick on", True)
        vendor.call("ota", "confirm", *watch.arguments)
        wait_phase(watch, "idle")
        wait_said(watch, board, f"{said}confirmed")
        vendor.call("alarm", "test", *watch.arguments)  # writes go on behind the last promise
        students = patiently(watch)["students"]
        expect(f"they are confirmed: {students['version']}", students["release"] == RELEASE)
        board.pull_stick()
        patiently(watch)
        return watch.seen


def make_bundle(vendor: Vendor) -> Path:
    """The students that ship, as a newer release."""
    words = ["--version", f"2026.{RELEASE}", "--release", str(RELEASE), "--counter", "1"]
    words += ["--product", "haetae", "--out", vendor.bundles[RELEASE].name]
    key = ["--key", "release-1.key", "--passphrase-file", "phrase"]
    vendor.call("ota", "build", "ppe_s", "skeleton_s", "action_xs", *words, *key)
    return vendor.bundles[RELEASE]


def patiently(watch: Watch) -> dict:
    """Look, as a person does who types the command again. Raises BoardFault."""
    for _ in range(LOST_TIMES):
        try:
            return watch.look()
        except (LinkLost, Refused) as error:
            why = str(error)
    raise BoardFault(f"the camera does not answer over its cable: {why}")


def wait_said(watch: Watch, board: VirtualBoard, pattern: str) -> None:
    """Until the camera's console has it; looked on meanwhile. Raises BoardFault."""
    end_s = time.monotonic() + COME_S
    while True:
        patiently(watch)
        try:
            board.wait_line(pattern, LOOK_S)
            return
        except BoardFault:
            if time.monotonic() > end_s:
                raise


def wait_phase(watch: Watch, phase: str) -> None:
    """Until the update is so far. Raises BoardFault: it is not in time, or was rolled back."""
    end_s = time.monotonic() + TRIAL_S
    while True:
        status = patiently(watch)
        update, last = status["update"], status["last"]
        if update["phase"] == phase:
            return
        if time.monotonic() > end_s or last.get("outcome") == "rolled_back":
            raise BoardFault(f"the students are not in {phase}: {update}, {last}")
        time.sleep(LOOK_S)
