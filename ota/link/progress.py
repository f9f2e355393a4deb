"""How far a push has come, how fast it goes, and how long it will take."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

OVER_MS: Final = 5000.0
"""The rate is that of the last so many ms."""
EVERY_MS: Final = 200.0


@dataclass(frozen=True)
class Progress:
    """For people.

    Attributes:
        done, total: bytes of the bundle's payload that this camera takes.
        bytes_per_s: over the last seconds; 0 at the beginning and while the line is lost.
        left_ms: at this rate; None: nobody knows.
        is_lost: the line is being looked for.
    """

    done: int
    total: int
    bytes_per_s: float
    left_ms: float | None
    is_lost: bool = False


class Pace:
    """Measures.

    Args:
        total: bytes in all.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._seen: deque[tuple[float, int]] = deque()

    def is_due(self, now_ms: float) -> bool:
        """Whether people want to know again."""
        return not self._seen or now_ms - self._seen[-1][0] >= EVERY_MS

    def lost(self) -> None:
        """What was measured is of the past."""
        self._seen.clear()

    def at(self, done: int, now_ms: float, is_lost: bool = False) -> Progress:
        """So many bytes are there now."""
        self._seen.append((now_ms, done))
        while self._seen[-1][0] - self._seen[0][0] > OVER_MS:
            self._seen.popleft()
        then_ms, then = self._seen[0]
        rate = (done - then) / (now_ms - then_ms) * 1e3 if now_ms > then_ms else 0.0
        left_ms = (self._total - done) / rate * 1e3 if rate > 0 else None
        return Progress(done, self._total, rate, left_ms, is_lost)
