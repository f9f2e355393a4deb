"""The flashed camera's power is cut at any moment of its first start and of its update by stick.

What a cut leaves of the flash is judged as far as a start would need it: the partition table, the
boot state, the file system of `data` as large as the table says, and in it the journal and the
students, against what the camera had promised. Beside that nothing may be written at all.

    python -m tests.board.image_cuts build/image/run/students

does it again on what was recorded.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from drivers.board import load_board
from ota.image.boot_state import COPIES_AT, SECTOR_BYTES, newest
from ota.image.gpt import BLOCK_BYTES, Part, partitions, read_table
from ota.refusal import Refused
from tests.board.block_log import BlockLog
from tests.board.cut_judge import Camera
from tests.board.cut_stories import CameraJudge, in_words
from tests.board.image_board import BASE, BUILD, DEVICE, LOG, board_file
from tests.board.image_slots import Expect
from tests.board.image_watch import Seen, marks
from tests.board.power_cuts import Recorded, Stretch, choose, replay
from tests.board.report import Report
from tests.board.update_vendor import Vendor, facts_of, found_vendor

FIRST_CUTS, CUTS, LYING_CUTS = 40, 220, 30
TABLE_BYTES: Final = 64 << 10
"""Linux writes it in pages."""
SEEN_FILE: Final = "seen.json"
RELEASE, COUNTER = 2, 1


class FlashLook(NamedTuple):
    """At what a cut has left of the flash: of `data`, the table, and `misc`, in this order.

    Attributes:
        data: where it begins.
    """

    data_at: int

    def __call__(self, left: Sequence[bytearray]) -> tuple[memoryview, list[str]]:
        """The file system in `data`, and what is wrong with the others."""
        tail, table, misc = left
        wrong: list[str] = []
        size = _size_of_data(self.data_at, tail, table, wrong)
        sectors = [bytes(misc[at : at + SECTOR_BYTES]) for at in COPIES_AT]
        state, _, faults = newest((sectors[0], sectors[1]))
        if state is None:
            wrong.append(f"boot state: {faults}")
        elif not state.a.left:
            wrong.append("boot state: the slot that runs has no try left")
        return memoryview(tail)[:size], wrong


class _Behind(io.BytesIO):
    """Bytes that begin at some place of the flash, read by places of the flash."""

    def __init__(self, data: bytearray, at: int) -> None:
        super().__init__(data)
        self._at = at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of a file that is the whole flash."""
        return super().seek(offset - self._at, whence)


def _size_of_data(data_at: int, tail: bytearray, table: bytearray, wrong: list[str]) -> int:
    """By the table at the beginning, or else its copy at the end, as U-Boot and Linux read it."""
    end = data_at + len(tail)
    copy = end - BLOCK_BYTES
    for file, at in ((io.BytesIO(table), BLOCK_BYTES), (_Behind(tail, data_at), copy)):
        try:
            return read_table(file, "the flash", at)["data"].size
        except Refused as refused:
            why = f"table: {refused}"
    wrong.append(why)
    return len(tail)


def tell(expect: Expect, folder: Path, vendor: Vendor, seen: Sequence[Seen]) -> None:
    """All cuts.

    Args:
        expect: takes what was found.
        folder: of the recorded boot.
        vendor: whose students came.
        seen: what the camera has promised.
    """
    (folder / SEEN_FILE).write_text(json.dumps(seen))
    log = BlockLog.read(folder / LOG)
    parts = partitions(folder / BASE)
    recorded = of_flash(folder, parts, log, seen)
    strays = stray_writes(log, parts)
    expect("nothing but the table, the boot state and data is written", not strays, str(strays))
    promises = recorded.promises(log)
    update = [(m.position, *m.words[3:]) for m in promises if m.words[2] == "update"]
    states = [words[1] for words in update]
    end, first = len(log.entries), promises[0].position
    told = f"{end} requests, {len(promises)} promises, of the update {states}"
    expect("an update was recorded", "trial" in states and "confirmed" in states, told)
    judge = CameraJudge(camera(vendor))
    for what, cuts in (
        ("its first start", choose(0, first, FIRST_CUTS)),
        ("the update", choose(first, end, CUTS)),
    ):
        began_s = time.monotonic()
        found = replay(recorded, cuts, judge, folder / "left")
        expect(f"no cut in {what} harms it", not found.failed, in_words(found, began_s))
    began_s = time.monotonic()
    liar = replace(recorded, lies=True)
    found = replay(liar, choose(first, end, LYING_CUTS), judge, folder / "left")
    expect("a flash that lies about its flushes is caught", found.failed > 0,
           in_words(found, began_s))  # fmt: skip


def of_flash(folder: Path, parts: dict[str, Part], log: BlockLog, seen: Sequence[Seen]) -> Recorded:
    """The parts that a cut may harm; `data` and all behind it first."""
    base, data, misc = folder / BASE, parts["data"], parts["misc"]
    tail = Stretch(data.at, base.stat().st_size - data.at)
    stretches = (tail, Stretch(0, TABLE_BYTES), Stretch(misc.at, misc.size))
    made = tuple(marks(seen, log))
    return Recorded(folder / LOG, base, False, stretches, FlashLook(data.at), made)


def stray_writes(log: BlockLog, parts: dict[str, Part]) -> list[int]:
    """Where else something was written."""
    misc, data = parts["misc"], parts["data"]
    return [
        entry.at
        for entry in log.entries
        if entry.is_write
        and not (entry.at + entry.length <= TABLE_BYTES or entry.at >= data.at)
        and not misc.at <= entry.at < misc.at + misc.size
    ]


def camera(vendor: Vendor) -> Camera:
    """As the judges know it."""
    board = load_board(board_file())
    facts = replace(facts_of(board), device=DEVICE)
    ring = vendor.ring.read_bytes()
    updates = "haetae/updates/slots.area"
    return Camera(facts, ring, {RELEASE: COUNTER}, vendor.bundles[RELEASE], updates=updates)


def main(arguments: Sequence[str]) -> int:
    """By hand."""
    folder, report = Path(arguments[0]), Report()
    seen = [Seen(*each) for each in json.loads((folder / SEEN_FILE).read_text())]
    tell(report.expect, folder, found_vendor(BUILD / "unit"), seen)
    return report.failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
