"""The flashable image: built, looked at, booted to the first judged frame, fallen back.

    make image-test

The board is QEMU's; its processor is emulated, so times are some ten times those of a board.

exit codes: 0 every expectation met, or not run where the tools cannot be had (it says why);
1 some were not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ota.image.boot_state import SlotState, factory
from ota.image.cli import image as image_command
from ota.image.gpt import partitions
from ota.image.tools import PACKAGES
from tests.board import (
    arm64,
    image_cuts,
    image_slots,
    image_students,
    image_update,
    update_vendor,
)
from tests.board.console import BoardFault
from tests.board.image_board import (
    BUILD,
    FLASH_BYTES,
    LONGEST_S,
    NAME,
    UBOOT,
    Unit,
    board_file,
    powered,
    provision,
    put_state,
)
from tests.board.update_vendor import Vendor

TOOLS = {
    **PACKAGES,
    **image_slots.TOOLS,
    **image_update.TOOLS,
    **update_vendor.TOOLS,
    "qemu-system-aarch64": "qemu-system-arm",
}
BUILD_S = 600.0
RUNS = r"Started .*haetae\.service"
"""systemd says so when the process tells it of its first pass through all stages."""
JUDGES = r"haetae-boot\[\d+\]: slot a has proved itself$"
"""Three looks in a row, 2 s apart, found a camera that judges pictures and has no fault."""
RELAY = 1
"""Line of the fault relay: high while the camera is well."""
TRIES = 3


@dataclass
class Found:
    """Expectations, printed as they come."""

    began_s: float = field(default_factory=time.monotonic)
    failed: int = 0

    def expect(self, what: str, is_met: bool, measured: str = "") -> None:
        """One expectation, with the figure that it was judged by."""
        self.failed += not is_met
        word = "ok  " if is_met else "FAIL"
        took_s = time.monotonic() - self.began_s
        print(f"{took_s:6.1f} s  {word}  {what}{f': {measured}' if measured else ''}", flush=True)


def main() -> int:
    """Install tools, build, then tell the stories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "stories", nargs="*", help=f"of {', '.join(STORIES)}; default: {', '.join(DEFAULT)}"
    )
    chosen = parser.parse_args().stories or list(DEFAULT)
    try:
        arm64.need_tools(TOOLS, "libc6-dev-arm64-cross")
        if not UBOOT.is_file():
            arm64.need_tools({"u-boot in QEMU": "u-boot-qemu"})
    except arm64.NotHere as missing:
        print(f"image-test NOT RUN: {missing}")
        return 0
    found, image = Found(), BUILD / "cam.img"
    if not build(found, image):
        print("image-test FAILED: there is no image")
        return 1
    has_beside = BESIDE in chosen and len(chosen) > 1
    with beside(found, image, has_beside):
        for name in chosen:
            if has_beside and name == BESIDE:
                continue
            print(f"-- {name}", flush=True)
            try:
                STORIES[name](found, image)
            except BoardFault as fault:
                found.expect(name, False, str(fault))
    print(
        f"image-test: {found.failed} expectations not met" if found.failed else "image-test: passed"
    )
    return int(found.failed > 0)


@contextmanager
def beside(found: Found, image: Path, is_wanted: bool) -> Iterator[None]:
    """One story is told by a process of its own meanwhile: QEMU's processor takes one core."""
    if not is_wanted:
        yield
        return
    log = BUILD / f"{BESIDE}.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "tests.board.image_update", str(image)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield
    finally:
        code = process.wait()
        print(f"-- {BESIDE}, beside the others\n{log.read_text()}", flush=True)
        found.expect(BESIDE, code == 0)


def build(found: Found, image: Path) -> bool:
    """`haetae image build`, twice, and `verify`."""
    began_s = time.monotonic()
    command = ["build", "--board", str(board_file()), "--out", str(image)]
    code = image_command([*command, "--cache", str(BUILD / "cache")])
    took_s = time.monotonic() - began_s
    found.expect("the image is built", code == 0)
    if code:
        return False
    most = f"{took_s:.0f} s, allowed {BUILD_S:.0f} s"
    found.expect("it is built in time", took_s <= BUILD_S, most)
    code = image_command(["verify", str(image), "--board", NAME])
    found.expect("haetae image verify passes it", code == 0)
    return True


def first_frame(found: Found, image: Path) -> None:
    """From power-on to judged frames, on a flash that is larger than the image."""
    with powered("boot", image, prepare) as unit:
        tell_first_frame(found, unit)


def students(found: Found, image: Path) -> None:
    """The same, then students by stick; its flash is recorded, and its power cut at any moment."""
    vendors: list[Vendor] = []

    def spoil(flash: Path) -> None:
        vendors.append(prepare(flash))

    with powered("students", image, spoil, is_recorded=True) as unit:
        tell_first_frame(found, unit)
        seen = image_students.tell(found.expect, unit, vendors[0])
    image_cuts.tell(found.expect, unit.flash.parent, vendors[0], seen)


def prepare(flash: Path) -> Vendor:
    """A unit as it leaves the line, whose image has still to prove itself."""
    put_state(flash, replace(factory(), a=SlotState(TRIES, False)))
    return provision(flash)


def tell_first_frame(found: Found, unit: Unit) -> None:
    """Until the slot has proved itself."""
    board = unit.board
    board.wait_line(r"haetae: slot a", LONGEST_S)
    loader_s = unit.since()
    board.wait_line(r"Finished .*systemd-growfs@", LONGEST_S)
    data_s = unit.since()
    board.wait_line(RUNS, LONGEST_S)
    steps = f"U-Boot {loader_s:.1f} s, data {data_s:.1f} s, loop {unit.since():.1f} s"
    found.expect("it boots, and the loop runs", True, steps)
    board.wait_pin(RELAY, True, LONGEST_S)
    found.expect("the fault relay is energised", True)
    board.wait_line(JUDGES, LONGEST_S)
    found.expect("frames are judged, by its own words", True, f"by {unit.since():.1f} s")
    grown = partitions(unit.flash)["data"]
    to_the_end = grown.at + grown.size > FLASH_BYTES - (2 << 20)
    found.expect("data grows to the end of the flash", to_the_end, f"{grown.size >> 20} MiB")
    state = unit.state()
    kept = state is not None and state.a.left == TRIES and state.a.is_proved
    found.expect("the slot has proved itself and has its tries back", kept, str(state))
    found.expect("nobody is asked to log in", "login:" not in board.console.read_text())


def broken_root(found: Found, image: Path) -> None:
    """Slot b comes first and its root is no file system: its tries are spent, then a boots."""

    def spoil(flash: Path) -> None:
        parts = partitions(flash)
        with flash.open("r+b") as file:
            file.seek(parts["root_b"].at)
            file.write(bytes(1 << 20))
        put_state(flash, replace(factory(), order=("b", "a")))

    with powered("fallback", image, spoil) as unit:
        board = unit.board
        for left in range(TRIES, 0, -1):
            board.wait_line(rf"haetae: slot b, try of {left} left", LONGEST_S)
            board.wait_line(r"initrd: root_b on \S+ cannot be mounted", LONGEST_S)
        found.expect("the broken root spends its three tries", True, f"{unit.since():.1f} s")
        board.wait_line(r"haetae: slot a", LONGEST_S)
        board.wait_line(RUNS, LONGEST_S)
        found.expect("the other slot runs", True, f"{unit.since():.1f} s since power-on")
        state = unit.state()
        found.expect("b has no try left", state is not None and state.b.left == 0, str(state))


def slots(found: Found, image: Path) -> None:
    """Every way in which a slot may fail, with a user land of 60 lines."""
    image_slots.story(found.expect, image)


def updates(found: Found, image: Path) -> None:
    """RAUC bundles on USB sticks: refused, installed and proved, fallen back from."""
    image_update.story(found.expect, image)


STORIES = {
    "first_frame": first_frame,
    "students": students,
    "broken_root": broken_root,
    "slots": slots,
    "updates": updates,
}
BESIDE = "updates"
DEFAULT = ("students", "broken_root", "slots", "updates")
"""All that there is to tell: the boot of `first_frame` is in `students`."""


if __name__ == "__main__":
    sys.exit(main())
