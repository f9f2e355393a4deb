"""Writers beside the camera, of files with a number in them: some right, some with a planted fault.

    python3.11 -m tests.board.planted FOLDER ROUNDS PAUSE_S

On the board; prints a line for a mark when a writer believes to be done. The right one is what
Haetae uses (drivers/durable.py); each wrong one has to be caught by the judge below, or else the
cuts prove nothing about the right one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from drivers.durable import write_file

FILE_BYTES: Final = 8000
"""Two blocks of the file system, so that half of it can be there."""
WORD_BYTES: Final = 8


def rename_unsynced(path: Path, data: bytes) -> None:
    """Beside, then renamed; nobody has waited for the data."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.replace(path)


def in_place(path: Path, data: bytes) -> None:
    """Over what was there, synced: torn until then."""
    with path.open("r+b" if path.exists() else "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


WRITERS: Final[dict[str, Callable[[Path, bytes], None]]] = {
    "right": write_file,
    "rename_unsynced": rename_unsynced,
    "in_place": in_place,
}
WRONG: Final = ("rename_unsynced", "in_place")


def contents(number: int) -> bytes:
    """Of the file of this number."""
    return f"{number:0{WORD_BYTES - 1}d}\n".encode() * (FILE_BYTES // WORD_BYTES)


def judge_file(path: Path, number: int) -> Iterator[str]:
    """It is whole, and at least as new as what was said to be done; 0: nothing was."""
    if not path.exists():
        if number:
            yield f"{path.name}: gone; {number} was written"
        return
    data = path.read_bytes()
    word = data[:WORD_BYTES].strip()
    found = int(word) if word.isdigit() else 0
    if data != contents(found):
        yield f"{path.name}: {len(data)} bytes, not those of any one version"
    elif found < number:
        yield f"{path.name}: version {found}; {number} was written"


def main(folder: Path, rounds: int, pause_s: float) -> None:
    """One writer after the other, so that none makes durable what another has forgotten."""
    folder.mkdir(exist_ok=True)
    for name in (*WRONG, "right"):
        for number in range(1, rounds + 1):
            WRITERS[name](folder / name, contents(number))
            print(f"file {name} {number}", flush=True)
            time.sleep(pause_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
