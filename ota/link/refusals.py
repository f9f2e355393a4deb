"""Refusals are answered and written down, but not as often as somebody likes to cause them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ota.link.gate import shown
from ota.link.rate import Credit
from ota.refusal import Refused
from ota.service import Path

Log = Callable[[str, dict[str, Any]], None]
"""Takes an event's name and its values."""
LOGGED_PER_SECOND, LOGGED_BURST = 0.2, 10.0
"""Refusals that are written down: a journal is flash."""
MAX_LOGGED = 200
"""Characters of the detail that are written down."""
FLOOD_ANSWERS_PER_SECOND = 1.0


class RefusalLog:
    """Of one link.

    Args:
        log: where they go.
        path: the way they came.
    """

    def __init__(self, log: Log, path: Path) -> None:
        self._log, self._path = log, path
        self._credit = Credit(LOGGED_PER_SECOND, LOGGED_BURST)
        self._floods = Credit(FLOOD_ANSWERS_PER_SECOND, 1.0)
        self._passed_over = 0

    def tell(self, refused: Refused, command: str, now_ms: float) -> None:
        """Write a refusal down, or count it; `passed_over` says how many were counted before."""
        if not self._credit.spend(now_ms):
            self._passed_over += 1
            return
        values = {
            "path": self._path.value,
            "command": shown(command),
            "reason": refused.reason,
            "detail": refused.detail[:MAX_LOGGED],
            "passed_over": self._passed_over,
        }
        self._passed_over = 0
        self._log("link_refused", values)

    def may_answer(self, refused: Refused, now_ms: float) -> bool:
        """Every refusal is answered; that there are too many messages, only once a second."""
        return refused.reason != "too_many" or self._floods.spend(now_ms)
