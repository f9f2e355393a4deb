"""How a candidate is timed: CPU time of its one thread, which no other process adds to."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

clock_ns = time.thread_time_ns


class Samples:
    """Times of consecutive frames; allocated before the memory is sealed.

    Attributes:
        frame_ns: int64[capacity], the whole frame.
        invoke_ns: int64[capacity], the network's own call in that frame.
        wall_ns: int64[capacity], the whole frame by the wall clock.
        people: int64[capacity], people found.
        count: rows in use.
    """

    def __init__(self, capacity: int) -> None:
        self.frame_ns: I64 = np.zeros(capacity, np.int64)
        self.invoke_ns: I64 = np.zeros(capacity, np.int64)
        self.wall_ns: I64 = np.zeros(capacity, np.int64)
        self.people: I64 = np.zeros(capacity, np.int64)
        self.count = 0

    def add(self, frame_ns: int, invoke_ns: int, wall_ns: int, people: int) -> None:
        """One frame."""
        row = self.count
        self.frame_ns[row], self.invoke_ns[row] = frame_ns, invoke_ns
        self.wall_ns[row], self.people[row] = wall_ns, people
        self.count += 1


class TimedInvoke:
    """Calls a network and remembers how long the last call took."""

    def __init__(self, invoke: Callable[[], None]) -> None:
        self._invoke = invoke
        self.last_ns = 0

    def __call__(self) -> None:
        """Run the network."""
        began_ns = clock_ns()
        self._invoke()
        self.last_ns = clock_ns() - began_ns


class Candidate(Protocol):
    """One row of the table, in a process of its own."""

    def play(self, frames: int, samples: Samples) -> None:
        """Do the whole work on the next frames, and time each."""
        ...

    def floor_ns(self) -> int:
        """Time of one bare call of the network, with nothing around it."""
        ...


def rss_mb() -> float:
    """Resident memory of this process without the shared frames, MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kb = {key: int(value.split()[0]) for key, _, value in _fields(lines)}
    return (kb["VmRSS"] - kb["RssShmem"]) / 1024


def _fields(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines if line.startswith(("VmRSS", "RssShmem"))]
