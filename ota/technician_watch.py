"""Following a trial to its end, told as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from drivers.interfaces import Clock
from ota.status_words import TRIAL, agreement, next_step, outcome, phase, students
from ota.technician_progress import Meter
from ota.technician_words import Table, table, text

LOOK_MS: Final = 500.0
"""Between two looks at the status."""
PLAIN_MS: Final = 15_000.0
"""Between two lines about the same phase where the output is no terminal."""
BEGIN_MS: Final = 60_000.0
"""A whole bundle that the camera does not begin to try within this: say so and go."""
UNDER_WAY: Final = ("receiving", "staged", *TRIAL)


class Watch:
    """Looks at the status until the update is over.

    Args:
        look: asks for the status; raises LinkLost when the camera is gone for good.
        meter: where to say it.
        clock: injected time.
    """

    def __init__(self, look: Callable[[], Table], meter: Meter, clock: Clock) -> None:
        self._look, self._meter, self._clock = look, meter, clock
        self._phase = ""
        self._told_ms = 0.0
        self._since_ms = clock.now_ms()

    def run(self, wanted: bytes) -> Table:
        """The status in which nothing is under way any more, or the trial has not begun.

        Args:
            wanted: digest of the bundle.
        """
        while True:
            status = self._look()
            update = table(status, "update")
            found = text(update, "phase") or "idle"
            if found not in UNDER_WAY and not self._is_between(status, wanted):
                self._meter.end()
                return status
            self._tell(found, update)
            if found not in TRIAL and self._clock.now_ms() - self._since_ms > BEGIN_MS:
                self._meter.end()
                return status
            self._clock.sleep_until_ms(self._clock.now_ms() + LOOK_MS)

    def _is_between(self, status: Table, wanted: bytes) -> bool:
        """Idle, but nothing is told about this bundle yet: the trial is about to begin."""
        told = (
            (status.get("last") or {}).get("digest"),
            (status.get("students") or {}).get("digest"),
        )
        is_told = any(same(digest, wanted) for digest in told)
        return not is_told and self._clock.now_ms() - self._since_ms < BEGIN_MS

    def _tell(self, found: str, update: Table) -> None:
        line = phase({**update, "phase": found})
        if agreed := agreement(table(update, "agreement")):
            line = f"{line}; {agreed}"
        now_ms = self._clock.now_ms()
        if found != self._phase:
            self._phase = found
            self._since_ms = self._told_ms = now_ms
            if found != "idle":
                self._meter.say(f"{students(update)}: {line}")
        else:
            is_news = now_ms - self._told_ms >= PLAIN_MS
            self._told_ms = now_ms if is_news else self._told_ms
            self._meter.tell(line, is_news=is_news)


def same(told: Any, wanted: bytes) -> bool:
    """A digest as a status tells it, bytes or hex, whole or its beginning."""
    if isinstance(told, bytes):
        return len(told) >= 4 and wanted.startswith(told)
    return isinstance(told, str) and len(told) >= 8 and wanted.hex().startswith(told)


def verdict(status: Table, wanted: bytes) -> tuple[str, str]:
    """How it ended: ("confirmed" | "rolled_back" | "waiting" | other, sentence)."""
    last, now = table(status, "last"), table(status, "students")
    if same(last.get("digest"), wanted) and (told := text(last, "outcome")):
        return told, f"{students(last)}: {outcome(last)}"
    if same(now.get("digest"), wanted):
        return "confirmed", f"{students(now)}: runs"
    return "waiting", f"its trial has not begun; {next_step(status)}"
