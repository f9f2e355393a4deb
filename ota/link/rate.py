"""How much of something may happen: so many per second on average, and some more at once."""

from __future__ import annotations


class Credit:
    """A bucket of tokens.

    Args:
        per_second: tokens that it earns.
        burst: most that it holds, and what it begins with.

    Attributes:
        refused: how often there was none.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_ms, self._burst = per_second / 1e3, burst
        self._tokens = burst
        self._filled_ms = 0.0
        self.refused = 0

    def spend(self, now_ms: float) -> bool:
        """Take a token; False when there is none."""
        earned = max(0.0, now_ms - self._filled_ms) * self._per_ms
        self._tokens, self._filled_ms = min(self._burst, self._tokens + earned), now_ms
        if self._tokens < 1.0:
            self.refused += 1
            return False
        self._tokens -= 1.0
        return True
