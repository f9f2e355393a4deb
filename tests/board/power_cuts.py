"""Power cuts replayed: the disk is put together as a cut would have left it, and the files judged.

A cut is a place in the log of the disk, and a chance for each sector since the last flush to have
come through. Nothing of it needs the board any more: hundreds of cuts take some seconds.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, NamedTuple

from tests.board.block_log import BlockLog, Disk
from tests.board.cut_judge import Promised, fold
from tests.board.left_over import Beyond, read_out
from tests.board.marks import Mark, marks_of

MEMORY: Final = Path("/dev/shm")
ROOM_BYTES: Final = 256 << 20
CHANCES: Final = (1.0, 0.8, 0.5, 0.2, 0.0)
"""Of a sector to come through, in turn."""
Judge = Callable[[int, Path, Promised], list[str]]
"""(number of the cut, what was left, what was promised) -> what is wrong."""
Look = Callable[[Sequence[bytearray]], tuple[memoryview, list[str]]]
"""What was left of each part -> the file system among it, and what is wrong beside it."""


class Cut(NamedTuple):
    """One cut."""

    number: int
    position: int
    chance: float


class Stretch(NamedTuple):
    """A part of a disk, in bytes."""

    at: int
    length: int


def first_part(left: Sequence[bytearray]) -> tuple[memoryview, list[str]]:
    """The file system is the first part, or the whole disk."""
    return memoryview(left[0]), []


@dataclass(frozen=True)
class Recorded:
    """A disk that was recorded.

    Attributes:
        log: of QEMU. base: the disk before it.
        lies: replay it as a disk that does nothing at a flush.
        parts: what of it counts; none: all of it.
        look: at these parts; can be pickled.
        marks: what was promised where; None: it stands in the log.
    """

    log: Path
    base: Path
    lies: bool = False
    parts: tuple[Stretch, ...] = ()
    look: Look = first_part
    marks: tuple[Mark, ...] | None = None

    def disks(self, log: BlockLog) -> list[Disk]:
        """Each part before the first request."""
        parts = self.parts or (Stretch(0, self.base.stat().st_size),)
        with self.base.open("rb") as base:
            return [Disk(log, _read(base, part), self.lies, part.at) for part in parts]

    def promises(self, log: BlockLog) -> list[Mark]:
        """In their order."""
        if self.marks is not None:
            return list(self.marks)
        return list(marks_of(log, self.base.stat().st_size))


def _read(base: BinaryIO, part: Stretch) -> bytes:
    base.seek(part.at)
    return base.read(part.length)


@dataclass
class Tally:
    """What came of the cuts.

    Attributes:
        cuts: how many. failed: how many of them with something wrong.
        kinds: by the first word of a complaint. examples: some, with their cut.
    """

    cuts: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, cut: Cut, wrong: list[str]) -> None:
        """Count one."""
        self.cuts += 1
        self.failed += bool(wrong)
        self.kinds.update({text.partition(":")[0] for text in wrong})
        self.examples += [f"{cut}: {text}" for text in wrong[: max(0, 8 - len(self.examples))]]


def choose(first: int, end: int, count: int, seed: int = 1) -> list[Cut]:
    """So many cuts before entries `first` < position <= `end`, spread evenly, each a bit aside."""
    random = Random(seed)
    step = (end - first) / count
    places = sorted(first + 1 + int((n + random.random()) * step) for n in range(count))
    return [
        Cut(number, min(place, end), CHANCES[number % len(CHANCES)])
        for number, place in enumerate(places)
    ]


def replay(
    recorded: Recorded, cuts: Sequence[Cut], judge: Judge, folder: Path, jobs: int = 2
) -> Tally:
    """Do them.

    Args:
        recorded: the disk.
        cuts: in the order of their positions.
        judge: can be pickled.
        folder: for what is left over, where memory has no room for it.
        jobs: processes.
    """
    with TemporaryDirectory(dir=_quick_place(folder)) as place:
        return _replay(recorded, cuts, judge, Path(place), jobs)


def _quick_place(folder: Path) -> Path:
    """A file system in memory: e2fsck syncs, some hundred times."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    place = MEMORY if has_room else folder
    place.mkdir(parents=True, exist_ok=True)
    return place


def _replay(
    recorded: Recorded, cuts: Sequence[Cut], judge: Judge, folder: Path, jobs: int
) -> Tally:
    tally = Tally()
    parts = [cuts[job::jobs] for job in range(jobs)]
    with ProcessPoolExecutor(jobs) as pool:
        tasks = [
            pool.submit(_replay_part, recorded, part, judge, folder / f"job{job}")
            for job, part in enumerate(parts)
        ]
        for task in tasks:
            for cut, wrong in task.result():
                tally.add(cut, wrong)
    return tally


def _replay_part(
    recorded: Recorded, cuts: Sequence[Cut], judge: Judge, folder: Path
) -> list[tuple[Cut, list[str]]]:
    return list(_each(recorded, cuts, judge, folder))


def _each(
    recorded: Recorded, cuts: Sequence[Cut], judge: Judge, folder: Path
) -> Iterator[tuple[Cut, list[str]]]:
    log = BlockLog.read(recorded.log)
    marks, disks = recorded.promises(log), recorded.disks(log)
    for cut in cuts:
        left = [disk.cut(cut.position, cut.chance, cut.number) for disk in disks]
        file_system, wrong = recorded.look(left)
        try:
            files = read_out(file_system, folder)
        except Beyond as beyond:
            yield cut, [*wrong, f"disk: {beyond}"]
        else:
            yield cut, [*wrong, *judge(cut.number, files, fold(marks, cut.position))]
