"""Power cuts at any moment of the recorded updates: nothing promised is lost, nothing is bricked.

The test is tested: writers with planted faults, and a disk that lies about its flushes, have to be
caught.

    python -m tests.board.cut_stories build/board/run/updates

does it again on what was recorded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.board import planted
from tests.board.block_log import BlockLog
from tests.board.cut_judge import Camera, Promised, judge
from tests.board.machine import BoardFault
from tests.board.marks import marks_of
from tests.board.power_cuts import Recorded, Tally, choose, replay
from tests.board.report import Report
from tests.board.update_vendor import Vendor, found_vendor

CUTS, PLANTED_CUTS, LYING_CUTS = 240, 80, 30
GOES_ON_EVERY: Final = 8
"""In one of so many cuts the newest students are brought to the camera afterwards."""


class Disk(NamedTuple):
    """What was recorded.

    Attributes:
        vendor: whose bundles were taken.
        base, log: the disk before, and what it was told.
    """

    vendor: Vendor
    base: Path
    log: Path


class CameraJudge(NamedTuple):
    """Of the camera's own files."""

    camera: Camera

    def __call__(self, number: int, files: Path, promised: Promised) -> list[str]:
        """What is wrong."""
        return judge(self.camera, files, promised, number % GOES_ON_EVERY == 0)


def judge_planted(number: int, files: Path, promised: Promised) -> list[str]:
    """Of the files of the writers beside it."""
    return [
        text
        for name in planted.WRITERS
        for text in planted.judge_file(files / "planted" / name, promised.files.get(name, 0))
    ]


def tell(report: Report, disk: Disk, folder: Path) -> None:
    """All cuts."""
    log = BlockLog.read(disk.log)
    marks = list(marks_of(log, disk.base.stat().st_size))
    beside = [mark.position for mark in marks if mark.words[0] == "file"]
    own = [mark.words for mark in marks if mark.words[0] == "event"]
    if not beside or not own:
        raise BoardFault(f"{len(beside)} marks of files, {len(own)} of events")
    end, first, start = len(log.entries), max(beside), min(beside)
    confirmed = [int(words[4]) for words in own if words[2:4] == ["update", "confirmed"]]
    alarms = sum(words[2] in ("hazard", "alarm") for words in own)
    told = f"{end} requests, {len(own)} events, {alarms} of them of alarms, releases {confirmed}"
    report.expect("two updates were recorded", confirmed == [2, 3], told)
    judges = CameraJudge(disk.vendor.camera())
    honest = Recorded(disk.log, disk.base)

    began_s = time.monotonic()
    found = replay(honest, choose(first, end, CUTS), judges, folder)
    report.expect("no acknowledged event, no students, no floor are lost", not found.failed,
                  in_words(found, began_s))  # fmt: skip
    began_s = time.monotonic()
    found = replay(honest, choose(start, first, PLANTED_CUTS), judge_planted, folder)
    measured = in_words(found, began_s)
    report.expect(
        "drivers.durable leaves the old file or the new", not found.kinds["right"], measured
    )
    for name in planted.WRONG:
        report.expect(f"a planted writer is caught: {name}", found.kinds[name] > 0)
    began_s = time.monotonic()
    liar = Recorded(disk.log, disk.base, lies=True)
    found = replay(liar, choose(first, end, LYING_CUTS), judges, folder)
    report.expect("a disk that lies is caught", found.failed > 0, in_words(found, began_s))


def in_words(tally: Tally, began_s: float) -> str:
    """Cuts, how many did harm and which, some examples."""
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(tally.kinds.items()))
    took_s = time.monotonic() - began_s
    first = f"; {tally.examples[0]}" if tally.examples else ""
    return f"{tally.cuts} cuts, {tally.failed} with harm ({kinds}) in {took_s:.0f} s{first}"


def main(arguments: Sequence[str]) -> int:
    """By hand."""
    folder = Path(arguments[0])
    disk = Disk(found_vendor(folder / "vendor"), folder / "base.img", folder / "writes.log")
    report = Report()
    tell(report, disk, folder / "left")
    return report.failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
